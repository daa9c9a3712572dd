//! Parts that several pages share.

use super::fields::ACCOUNT;
use super::form::Posted;
use super::icons::{Icon, icon};
use super::{marks, words};
use engine::connections::link::Choice;
use maud::{Markup, html};

/// Renders a bank as a row: its mark, its name and a line about it.
pub(super) fn row(name: &str, line: &str) -> Markup {
    html! {
        (mark(name))
        span.text { strong { (name) } span { (line) } }
    }
}

/// Renders the mark of a bank.
pub(super) fn mark(name: &str) -> Markup {
    marks::svg(name)
}

/// Renders the mark of the merchant.
fn merchant_mark(name: &str) -> Markup {
    let letter: String = name.chars().find(|c| c.is_alphanumeric()).into_iter().collect();
    html! { span.mark.merchant { (letter.to_uppercase()) } }
}

/// Renders the marks of the merchant and the bank with a sign between them. The text of the page
/// names both.
pub(super) fn pair(merchant: &str, bank: &str, busy: bool) -> Markup {
    html! {
        div.pair.busy[busy] aria-hidden="true" {
            (merchant_mark(merchant))
            span.bond { (icon(Icon::Link)) }
            (mark(bank))
        }
    }
}

/// Renders the sign of an outcome above the heading.
pub(super) fn badge(sign: Icon, class: &str) -> Markup {
    html! { p class=(format!("badge {class}")) aria-hidden="true" { (icon(sign)) } }
}

/// Renders the message about a fault of the whole page, which gets the focus.
pub(super) fn alert(id: &str, text: &str) -> Markup {
    html! {
        p.alert id=(id) role="alert" tabindex="-1" autofocus { (icon(Icon::Alert)) span { (text) } }
    }
}

/// A field with its label, its hint and its error.
pub(super) struct Field<'a> {
    /// The id, which is also the name unless `name` is given.
    pub(super) id: &'a str,
    pub(super) name: Option<&'a str>,
    pub(super) label: &'a str,
    pub(super) hint: Option<&'a str>,
    /// The type of the input.
    pub(super) kind: &'a str,
    /// The class of the input.
    pub(super) class: Option<&'a str>,
    pub(super) autocomplete: &'a str,
    pub(super) numeric: bool,
    /// True if the text is of words, such as a name.
    pub(super) words: bool,
    pub(super) value: Option<&'a str>,
    /// The error that the holder has to correct here.
    pub(super) error: Option<&'a str>,
    /// True if the input is wrong, but the error is shown elsewhere.
    pub(super) wrong: bool,
    /// True if the field gets the focus.
    pub(super) focus: bool,
}

impl Default for Field<'_> {
    fn default() -> Self {
        Self {
            id: "",
            name: None,
            label: "",
            hint: None,
            kind: "text",
            class: None,
            autocomplete: "off",
            numeric: false,
            words: false,
            value: None,
            error: None,
            wrong: false,
            focus: false,
        }
    }
}

impl Field<'_> {
    /// Renders the field.
    pub(super) fn render(&self) -> Markup {
        let id = self.id;
        let (hint_id, error_id) = (format!("{id}-hint"), format!("{id}-error"));
        let mut about: Vec<&str> = Vec::new();
        about.extend(self.error.map(|_| error_id.as_str()));
        // An error says all that the hint says.
        let hint = self.hint.filter(|_| self.error.is_none());
        about.extend(hint.map(|_| hint_id.as_str()));
        let about = (!about.is_empty()).then(|| about.join(" "));
        let wrong = self.error.is_some() || self.wrong;
        let plain = self.kind == "text" && !self.words;
        html! {
            div.field {
                label for=(id) { (self.label) }
                input id=(id) class=[self.class] name=(self.name.unwrap_or(id)) type=(self.kind)
                    autocomplete=(self.autocomplete)
                    inputmode=[self.numeric.then_some("numeric")]
                    autocapitalize=[plain.then_some("none")]
                    spellcheck=[plain.then_some("false")]
                    value=[self.value]
                    required
                    autofocus[self.focus]
                    aria-describedby=[about]
                    aria-invalid=[wrong.then_some("true")];
                @if let Some(error) = self.error {
                    p.error id=(error_id) { (icon(Icon::Alert)) span { (error) } }
                }
                @if let Some(hint) = hint { p.hint id=(hint_id) { (hint) } }
            }
        }
    }
}

/// Renders an account that can be picked, or the reason why it cannot.
pub(super) fn account(
    place: usize,
    choice: &Choice,
    single: bool,
    saved: bool,
    checked: bool,
) -> Markup {
    let id = format!("account-{place}");
    html! {
        div.account {
            input id=(id) name=(ACCOUNT) value=(place) checked[checked]
                type=(if single { "radio" } else { "checkbox" })
                disabled[choice.unusable.is_some()];
            label for=(id) {
                strong { (choice.name) }
                span {
                    @if saved { (choice.institution_name) ", " }
                    (words::account(choice))
                }
                @if let Some(why) = choice.unusable { span.why { (words::unusable(why)) } }
            }
        }
    }
}

/// Renders a choice of a few options. The first is selected unless another was posted.
pub(super) fn choice_of(
    name: &str,
    legend: &str,
    posted: &Posted,
    options: &[(&str, &str)],
) -> Markup {
    let chosen = posted.get(name).filter(|chosen| options.iter().any(|(word, _)| word == chosen));
    let checked = chosen.or(options.first().map(|(word, _)| *word));
    html! {
        fieldset.few {
            legend { (legend) }
            @for (word, label) in options {
                div {
                    input type="radio" id=(format!("{name}-{word}")) name=(name) value=(word)
                        checked[checked == Some(word)];
                    label for=(format!("{name}-{word}")) { (label) }
                }
            }
        }
    }
}
