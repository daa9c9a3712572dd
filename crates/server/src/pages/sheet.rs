//! The structure of every page: a bar, a part that scrolls, and a bar with the actions. The two bars
//! stay in place, so the main action is always visible.
//!
//! Forms are in the part that scrolls. Their buttons are in the bar of actions and name the form
//! with the attribute `form`.

use maud::{Markup, PreEscaped, html};

/// The parts of a page.
pub(super) struct Sheet {
    /// The control at the start of the bar, which goes back.
    pub(super) back: Markup,
    /// The title of the bar.
    pub(super) who: Markup,
    /// The control at the end of the bar, which leaves.
    pub(super) leave: Markup,
    /// True if the content is centred, because the page has one action only.
    pub(super) centred: bool,
    /// The part that scrolls.
    pub(super) main: Markup,
    /// The buttons.
    pub(super) actions: Markup,
    /// The note below the buttons.
    pub(super) note: Option<&'static str>,
}

impl Default for Sheet {
    fn default() -> Self {
        Self {
            back: nothing(),
            who: nothing(),
            leave: nothing(),
            centred: false,
            main: nothing(),
            actions: nothing(),
            note: None,
        }
    }
}

impl Sheet {
    /// Renders the page.
    pub(super) fn render(&self) -> Markup {
        html! {
            div.sheet {
                header.bar {
                    div.slot { (self.back) }
                    p.who { (self.who) }
                    div.slot { (self.leave) }
                }
                (self.rest())
            }
        }
    }

    /// Renders the parts below the bar.
    pub(super) fn rest(&self) -> Markup {
        // Without a control inside, only focus on the part itself lets the keyboard scroll it.
        let stop = (!has_control(&self.main)).then_some("0");
        html! {
            main class=[self.centred.then_some("centred")] tabindex=[stop] { (self.main) }
            @if !is_empty(&self.actions) {
                div.actions role="region" aria-label="Actions" { (self.actions) }
            }
            @if let Some(note) = self.note { footer { p { (note) } } }
        }
    }
}

/// Markup without content.
pub(super) fn nothing() -> Markup {
    PreEscaped(String::new())
}

fn is_empty(markup: &Markup) -> bool {
    markup.0.trim().is_empty()
}

fn has_control(markup: &Markup) -> bool {
    ["<a ", "<button", "<select", "<summary", "<input id"].iter().any(|tag| markup.0.contains(tag))
}

#[cfg(test)]
mod tests {
    use super::Sheet;
    use maud::html;

    /// The keyboard can scroll a page without controls, and stops at no page with controls.
    #[test]
    fn the_keyboard_scrolls() {
        let text = Sheet { main: html! { p { "Text" } }, ..Sheet::default() };
        assert!(text.render().0.contains("<main tabindex=\"0\">"));
        let form = Sheet { main: html! { input id="name"; }, centred: true, ..Sheet::default() };
        assert!(form.render().0.contains("<main class=\"centred\">"));
    }

    /// Pages without buttons and notes have no bar of actions.
    #[test]
    fn empty_bars_are_left_out() {
        assert!(!Sheet::default().render().0.contains("actions"));
        let note = Sheet { note: Some("Test mode"), ..Sheet::default() };
        assert!(note.render().0.contains("<footer><p>Test mode</p></footer>"));
    }
}
