//! The page on which a holder enters the amounts or the code of two small deposits.

use super::bill::{self, Content, FORM, Frame};
use super::document::Page;
use super::fields::{AMOUNT, CODE};
use super::form::Posted;
use super::words::day;
use crate::http::texts::goes_somewhere;
use engine::payments::intent::{DepositsPage, DepositsStanding};
use maud::{Markup, html};
use model::clock::AccountTime;
use model::payments::intent::DepositKind;

/// The reason for the rejection of the holder's input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// The input is malformed.
    Unreadable,
    /// The input is well-formed but incorrect.
    Wrong,
}

/// Renders the current page.
pub(super) fn page(view: &DepositsPage, posted: &Posted, fault: Option<Fault>) -> Page {
    let (title, message, content) = match &view.standing {
        DepositsStanding::Requested { kind, arrive_at, tries_left } => {
            let message = fault.map(|fault| sentence(*kind, fault, *tries_left));
            ("Confirm your bank account", message, form(view, *kind, *arrive_at, posted, fault))
        }
        DepositsStanding::Done => {
            let back = view.return_url.as_deref().filter(|url| goes_somewhere(url));
            let content = Content {
                summary: None,
                form: html! { p { "Thank you. You do not need to do anything else." } },
                actions: match back {
                    Some(url) => html! {
                        a.main href=(url) rel="noreferrer" { "Back to " (view.merchant_name) }
                    },
                    None => bill::may_close(),
                },
            };
            ("Your account is confirmed", None, content)
        }
        DepositsStanding::Failed { why } => {
            let content = Content {
                summary: None,
                form: html! {
                    p { (why) }
                    p {
                        "Your account was not debited. Go back to " (view.merchant_name)
                        " and connect a bank account again."
                    }
                },
                actions: bill::may_close(),
            };
            ("Your account was not confirmed", None, content)
        }
    };
    let frame = Frame {
        merchant_name: &view.merchant_name,
        brand: &view.brand,
        livemode: view.livemode,
        title,
        tick: view.standing == DepositsStanding::Done,
        fault: message,
        has_field_fault: false,
        back: None,
        goes_to: None,
    };
    bill::page(&frame, content)
}

fn sentence(kind: DepositKind, fault: Fault, tries_left: u32) -> String {
    let fault = match (kind, fault) {
        (DepositKind::Amounts, Fault::Unreadable) => {
            return "Enter both amounts in cents, from 1 to 99.".to_owned();
        }
        (DepositKind::DescriptorCode, Fault::Unreadable) => {
            return "The code has six letters and digits, such as SM12AB.".to_owned();
        }
        (DepositKind::Amounts, Fault::Wrong) => "These amounts are not correct.",
        (DepositKind::DescriptorCode, Fault::Wrong) => "This code is not correct.",
    };
    match tries_left {
        1 => format!("{fault} You have one try left."),
        many => format!("{fault} You have {many} tries left."),
    }
}

fn form(
    view: &DepositsPage,
    kind: DepositKind,
    arrive_at: AccountTime,
    posted: &Posted,
    fault: Option<Fault>,
) -> Content {
    let merchant = &view.merchant_name;
    let form = html! {
        @if let Some(bank) = &view.bank { (bill::bank(&engine::connections::hosted::PageBank {
            deposits: false,
            ..bank.clone()
        })) }
        @match kind {
            DepositKind::Amounts => p {
                (merchant) " has sent two deposits of less than one dollar to this account. They "
                "arrive by " (day(arrive_at)) " and appear on your statement."
            },
            DepositKind::DescriptorCode => p {
                (merchant) " has sent one cent to this account. It arrives by " (day(arrive_at))
                ". Your statement shows it with a code that begins with SM."
            },
        }
        form id=(FORM) method="post" { (fields(kind, posted, fault)) }
        @if !view.livemode {
            details.note {
                summary { "Values for tests" }
                ul {
                    @for (input, effect) in test_inputs(kind) {
                        li { code { (input) } ": " (effect) }
                    }
                }
            }
        }
    };
    let actions = html! { button.main form=(FORM) { "Confirm" } };
    Content { summary: None, form, actions }
}

fn fields(kind: DepositKind, posted: &Posted, fault: Option<Fault>) -> Markup {
    let (described, invalid) = (fault.map(|_| "fault"), fault.map(|_| "true"));
    html! {
        @match kind {
            DepositKind::Amounts => {
                @for (place, name) in ["First deposit", "Second deposit"].iter().enumerate() {
                    @let id = format!("{AMOUNT}-{place}");
                    label for=(id) { (name) ", in cents" }
                    input id=(id) name=(AMOUNT) inputmode="decimal" autocomplete="off" required
                        maxlength="6" value=[posted.all(AMOUNT).nth(place)]
                        aria-describedby=[described] aria-invalid=[invalid];
                }
            }
            DepositKind::DescriptorCode => {
                label for=(CODE) { "Code" }
                input.code id=(CODE) name=(CODE) autocomplete="off" autocapitalize="characters"
                    spellcheck="false" required maxlength="12" value=[posted.get(CODE)]
                    aria-describedby=[described] aria-invalid=[invalid];
            }
        }
    }
}

/// The inputs that have an effect in test mode.
fn test_inputs(kind: DepositKind) -> [(&'static str, &'static str); 3] {
    match kind {
        DepositKind::Amounts => {
            [("32, 45", "correct"), ("10, 11", "too many wrong tries"), ("40, 41", "expired")]
        }
        DepositKind::DescriptorCode => {
            [("SM11AA", "correct"), ("SM33CC", "too many wrong tries"), ("SM44DD", "expired")]
        }
    }
}
