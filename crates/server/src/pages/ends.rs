//! The outcome of a flow, and the link back to the page where it began.

use super::icons::Icon;
use super::making::Making;
use super::panes::Content;
use super::pieces::{badge, mark};
use super::sheet::nothing;
use super::words;
use crate::http::texts::goes_somewhere;
use engine::connections::link::{FlowView, Shown};
use maud::{Markup, html};
use model::link::{FlowEnd, Pane};

/// The outcome that the waiting page receives, and true if it receives it immediately.
pub(super) fn status(shown: &Shown) -> (Option<&'static str>, bool) {
    match shown {
        Shown::Expired | Shown::Gone => (Some("expired"), true),
        Shown::Closed => (Some("closed"), true),
        Shown::Pane(Pane::Ended(FlowEnd::Linked | FlowEnd::NumbersEntered)) => {
            (Some("succeeded"), false)
        }
        Shown::Pane(Pane::Ended(FlowEnd::Cancelled | FlowEnd::CustomManualEntry)) => {
            (Some("cancelled"), true)
        }
        Shown::Pane(Pane::Ended(FlowEnd::Failed)) => (Some("failed"), true),
        Shown::Pane(_) => (None, false),
    }
}

/// True if a flow has no steps left.
pub(super) fn is_over(shown: &Shown) -> bool {
    status(shown).0.is_some()
}

/// The URL that a flow leads back to, if a browser may open it.
pub(super) fn leads_back(view: &FlowView) -> Option<&str> {
    view.return_url.as_deref().filter(|url| goes_somewhere(url))
}

impl Making<'_> {
    /// The pane of a flow that has ended.
    pub(super) fn ended(&self, end: FlowEnd) -> Content {
        let view = self.view;
        match end {
            FlowEnd::Linked => self.linked(),
            FlowEnd::NumbersEntered => {
                let last4 = view.last4.as_deref().unwrap_or_default();
                let more = if view.payment {
                    " Two small deposits may arrive in the next few days to confirm that it is yours."
                } else {
                    ""
                };
                let text = format!("The account ends in {last4}.{more}");
                self.end("Your bank details are saved", badge(Icon::Check, "good"), &text)
            }
            FlowEnd::Cancelled => {
                self.end("You left", nothing(), "No account was connected, and no data was shared.")
            }
            FlowEnd::CustomManualEntry => {
                let text = "No account was connected. Enter your account numbers on the page where you \
                            started.";
                self.end("Continue where you started", nothing(), text)
            }
            FlowEnd::Failed => {
                let text = "You can try again later from the page where you started.";
                self.end("No account was connected", badge(Icon::Alert, "bad"), text)
            }
        }
    }

    fn linked(&self) -> Content {
        let view = self.view;
        let title = match view.linked.len() {
            1 => "Account connected".to_owned(),
            many => format!("{many} accounts connected"),
        };
        let text =
            format!("{} can now read the data that you agreed to share.", view.merchant_name);
        let end = self.end(&title, badge(Icon::Check, "good"), &text);
        let below = html! {
            (end.below)
            ul.linked {
                @for choice in &view.linked {
                    li {
                        (mark(&choice.institution_name))
                        span.text {
                            strong { (choice.name) }
                            span { (words::account(choice)) }
                        }
                    }
                }
            }
            @if let Some(email) = &view.sign_up {
                p.note { "You can use them again with " (email) "." }
            }
        };
        Content { below, ..end }
    }

    /// The pane at the end, with a way back for every kind of browser. The script shows the button
    /// if a waiting page can be notified.
    pub(super) fn end(&self, title: &str, above: Markup, text: &str) -> Content {
        let back = leads_back(self.view);
        Content {
            centred: true,
            above,
            below: html! { p.soft { (text) } },
            actions: html! {
                button.main type="button" hidden data-done { "Done" }
                div.turn data-alone {
                    @if let Some(url) = back {
                        a.main href=(url) rel="noreferrer" { "Done" }
                    } @else {
                        p.close { "You may close this page." }
                    }
                }
            },
            ..Content::titled(title)
        }
    }
}
