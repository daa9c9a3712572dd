//! The panes about a login at a bank: its form, the way to the bank's own page, the moment in which
//! the bank is contacted, and the reasons why no login is possible.

use super::fields::BANK_FIELD;
use super::form::Fault;
use super::icons::{Icon, icon};
use super::making::Making;
use super::panes::Content;
use super::pieces::{Field, badge, mark, pair};
use super::{sheet, words};
use maud::{Markup, html};
use model::clock::AccountTime;

impl Making<'_> {
    /// The pane that is shown while the bank is contacted.
    pub(super) fn connecting(&self) -> Content {
        let bank = self.bank();
        Content {
            centred: true,
            above: pair(&self.view.merchant_name, bank, true),
            below: html! { p.soft role="status" { "This takes a few seconds." } },
            actions: html! { noscript { a.quiet href=(self.place.path) { "Continue" } } },
            ..Content::titled(format!("Connecting to {bank}…"))
        }
    }

    /// The form of a bank.
    pub(super) fn login(&self, fields: &[String], refused: bool) -> Content {
        let test = self.view.institution.as_ref().filter(|_| !self.view.livemode);
        let prompt = !fields.iter().any(|field| field == "password");
        let blank = |field: &&String| {
            let name = format!("{BANK_FIELD}{field}");
            self.fault == Some(Fault::Blank)
                && self.posted.get(&name).unwrap_or_default().trim().is_empty()
        };
        let first_blank = fields.iter().find(blank);
        let below = html! {
            @if refused && self.fault.is_none() {
                p.alert #refused role="alert" tabindex="-1" autofocus {
                    (icon(Icon::Alert))
                    span { "We couldn't sign you in. Check your entries and try again." }
                }
            }
            p.lead {
                @if prompt { "Your bank asks one more thing." }
                @else { "Use the same details as on your bank's own site." }
            }
            (self.form("login", &html! {
                @for field in fields {
                    @let (label, hint, autocomplete) = words::bank_field(field);
                    @let (id, name) = (format!("bank-{field}"), format!("{BANK_FIELD}{field}"));
                    @let kind = if field == "password" { "password" } else { "text" };
                    @let error = format!("Enter the {}.", label.to_lowercase());
                    @let error = if label.ends_with('?') { "Enter an answer." } else { &error };
                    (Field {
                        id: &id,
                        name: Some(&name),
                        label: &label,
                        hint,
                        kind,
                        autocomplete,
                        value: self.posted.get(&name).filter(|_| field == "username"),
                        error: blank(&field).then_some(error),
                        wrong: refused && self.fault.is_none(),
                        focus: first_blank == Some(field),
                        ..Field::default()
                    }.render())
                }
            }))
            @if let Some(bank) = test {
                p.note {
                    @if prompt { "Test bank: every text works except " code { "incorrect" } " and "
                        code { "error" } "." }
                    @else { "Test bank: " (with_code(&bank.description)) }
                }
            }
        };
        Content {
            back: true,
            wrong: refused,
            above: html! { div.bank-mark { (mark(self.bank())) } },
            below,
            actions: html! {
                (Self::submit("login", if prompt { "Continue" } else { "Sign in" }))
                @if refused { (self.another_bank("plain")) }
            },
            ..Content::titled(format!("Sign in at {}", self.bank()))
        }
    }

    /// The way to the bank's own page. The script shows the parts for a holder who is there.
    pub(super) fn bank_page(&self, refused: bool) -> Content {
        let bank = self.bank();
        let title = format!("Continue to {bank}");
        let open = |class: &str, label: &Markup| {
            html! {
                a class=(class) href=(self.place.bank_path) target="_blank" data-bank {
                    (label) span.hidden { " (in a new window)" } (icon(Icon::Outside))
                }
            }
        };
        let first = html! {
            @if refused { "Try again" } @else { (title) }
        };
        Content {
            back: true,
            centred: true,
            wrong: refused,
            heading: Some(html! {
                span data-idle { (title) }
                span data-waiting hidden { "Waiting for you at " (bank) "…" }
            }),
            above: pair(&self.view.merchant_name, bank, false),
            below: html! {
                @if refused {
                    p.alert role="alert" tabindex="-1" autofocus data-idle {
                        (icon(Icon::Alert))
                        span { "You did not allow access at " (bank) "." }
                    }
                }
                p.soft data-idle {
                    "You sign in on the page of " (bank) ", which opens in a new window. We never see "
                    "your login details."
                }
                p.soft role="status" data-waiting hidden {
                    "Sign in on the page of " (bank) ". This page continues when you have finished."
                }
            },
            actions: html! {
                div.turn data-idle {
                    (open("main", &first))
                    // With script, the same link is below the message about waiting.
                    noscript { a.quiet href=(self.place.path) { "I've finished signing in" } }
                    @if refused { (self.another_bank("plain")) }
                }
                div.turn data-waiting hidden {
                    a.main href=(self.place.path) data-pane { "I've finished signing in" }
                    (open("quiet", &html! { "Open " (bank) " again" }))
                }
            },
            ..Content::titled(title.as_str())
        }
    }

    /// The message about a bank that accepts no logins.
    pub(super) fn down(&self, bank: &str, until: Option<AccountTime>) -> Content {
        let below = html! {
            p {
                @match until {
                    Some(until) => {
                        "The bank is down for maintenance and should be back on "
                        strong { (words::time_tag(until)) } "."
                    }
                    None => "The bank has a problem, and we do not know how long it will last.",
                }
                " Your money is safe."
            }
        };
        self.trouble(format!("{bank} is not available"), below)
    }

    /// The message about a bank that ended the login.
    pub(super) fn failed(&self, bank: &str) -> Content {
        let below = html! { p { (bank) " ended the sign-in. No account was connected." } };
        self.trouble("We couldn't sign you in".to_owned(), below)
    }

    fn trouble(&self, title: String, below: Markup) -> Content {
        Content {
            back: true,
            centred: true,
            above: badge(Icon::Alert, "bad"),
            below,
            actions: html! {
                (Self::button("retry", "main", "Try again"))
                (self.another_bank("quiet"))
                div.links { (self.manual("plain")) (Self::button("cancel", "plain", "Cancel")) }
            },
            ..Content::titled(title)
        }
    }

    /// The message about the only bank of the flow, which does not exist any more.
    pub(super) fn bank_gone(&self) -> Content {
        let below = html! {
            p {
                (self.view.merchant_name) " asks for an account at one bank, which cannot be "
                "connected any more. No account was connected. Go back to the page where you started."
            }
        };
        Content {
            centred: true,
            above: badge(Icon::Alert, "bad"),
            below,
            actions: html! {
                (self.manual("main"))
                (Self::button("cancel", if self.view.manual_entry { "plain" } else { "main" }, "Cancel"))
            },
            ..Content::titled("This bank is no longer available")
        }
    }

    /// The button that leads to the list of banks. A flow that renews a login has only one bank.
    fn another_bank(&self, class: &str) -> Markup {
        if self.view.one_bank {
            return sheet::nothing();
        }
        Self::button("another_bank", class, "Choose another bank")
    }

    /// The holder's way on from accounts that cannot be used.
    pub(super) fn way_back(&self) -> &'static str {
        if self.view.one_bank { "Sign in again" } else { "Choose another bank" }
    }
}

/// Renders a text with its parts between backticks as code.
fn with_code(text: &str) -> Markup {
    html! {
        @for (place, part) in text.split('`').enumerate() {
            @if place % 2 == 1 { code { (part) } } @else { (part) }
        }
    }
}
