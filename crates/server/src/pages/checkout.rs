//! The page of a Checkout Session.

use super::bill::{self, Content, FORM, Frame};
use super::document::Page;
use super::fields::{EMAIL, NAME, STEP};
use super::form::Posted;
use super::pieces::Field;
use super::words::money;
use crate::http::texts::goes_somewhere;
use engine::connections::hosted::PageFault;
use engine::payments::checkout::{CheckoutPage, CheckoutStanding};
use maud::{Markup, html};
use model::payments::checkout::CheckoutMode;

/// Renders the current page of a session. `done` is true if the holder has just completed it.
pub(super) fn page(
    view: &CheckoutPage,
    done: bool,
    posted: &Posted,
    fault: Option<PageFault>,
) -> Page {
    let somewhere = |url: &Option<String>| url.clone().filter(|url| goes_somewhere(url));
    let (success, cancel) = (somewhere(&view.success_url), somewhere(&view.cancel_url));
    let open = view.standing == CheckoutStanding::Open;
    let verb = verb(view);
    let (title, content) = match &view.standing {
        CheckoutStanding::Open => (verb.clone(), form(view, posted, fault, &verb)),
        CheckoutStanding::Complete { deposits_url } => {
            let content = complete(view, done, deposits_url.as_deref(), success.as_deref());
            let title = if view.total.is_some() { "Thank you" } else { "Your account is saved" };
            (title.to_owned(), content)
        }
        CheckoutStanding::Expired => {
            let content = Content {
                summary: None,
                form: html! {
                    p {
                        "It was open for too long. Your account was not debited. Go back to "
                        (view.merchant_name) " and start again."
                    }
                },
                actions: way_back(view, cancel.as_deref(), "main"),
            };
            ("This page has expired".to_owned(), content)
        }
        CheckoutStanding::Gone => {
            let content = Content {
                summary: None,
                form: html! {
                    p { (view.merchant_name) " no longer uses this page. Your account was not debited." }
                },
                actions: bill::may_close(),
            };
            ("This page no longer works".to_owned(), content)
        }
    };
    let complete = matches!(view.standing, CheckoutStanding::Complete { .. });
    // A different account is a new attempt, so the old failure is hidden.
    let failure = view.failure.clone().filter(|_| open && view.bank.is_none());
    let frame = Frame {
        merchant_name: &view.merchant_name,
        brand: &view.brand,
        livemode: view.livemode,
        title: &title,
        tick: complete,
        fault: match fault {
            Some(fault) if is_of_field(fault) => None,
            Some(fault) => Some(bill::fault(fault).to_owned()),
            None => failure,
        },
        has_field_fault: fault.is_some_and(is_of_field),
        back: cancel.as_deref().filter(|_| open),
        goes_to: success.as_deref().filter(|_| complete && done),
    };
    bill::page(&frame, content)
}

/// True if the session begins recurring payments.
fn recurs(view: &CheckoutPage) -> bool {
    view.mode == CheckoutMode::Subscription
}

/// The label of the final button, which is also the heading of the page.
fn verb(view: &CheckoutPage) -> String {
    match view.total {
        Some((amount, currency)) if recurs(view) => {
            format!("Subscribe for {}", money(amount, currency))
        }
        Some((amount, currency)) => format!("Pay {}", money(amount, currency)),
        None => "Save your bank account".to_owned(),
    }
}

/// Renders the merchant, the items and the sums. A session that only saves an account has no bill.
fn summary(view: &CheckoutPage) -> Option<Markup> {
    let (total, currency) = view.total?;
    Some(html! {
        // Without an address, the bar already has all that is known about the merchant.
        @if !view.brand.address.is_empty() { (bill::seller(&view.merchant_name, &view.brand)) }
        (bill::lines(&view.lines, &[
            ("Subtotal", total, currency),
            (if recurs(view) { "Due today" } else { "Total due" }, total, currency),
        ]))
    })
}

fn form(view: &CheckoutPage, posted: &Posted, fault: Option<PageFault>, verb: &str) -> Content {
    let merchant = view.merchant_name.as_str();
    let form = html! {
        @if view.total.is_none() {
            p { (merchant) " will debit this account later for your purchases and subscriptions." }
        }
        form id=(FORM) method="post" novalidate { (holder(view, posted, fault)) }
        @if let Some(bank) = &view.bank {
            h2 { "Bank account" }
            (bill::bank(bank))
            @match view.total.filter(|_| !recurs(view)) {
                Some((amount, currency)) => {
                    (bill::word_for_payment(verb, merchant, &money(amount, currency)))
                }
                None => (bill::word_for_later(verb, merchant)),
            }
        } @else {
            p.note {
                "Choose your bank and sign in there. You then return to this page and can check "
                "the account before it is "
                @if view.total.is_some() { "debited." } @else { "saved." }
            }
        }
    };
    let actions = html! {
        @if view.bank.is_some() {
            button.main form=(FORM) name=(STEP) value="pay" { (verb) }
            button.quiet form=(FORM) name=(STEP) value="link" { "Use another account" }
        } @else {
            button.main form=(FORM) name=(STEP) value="link" { "Connect your bank account" }
        }
    };
    Content { summary: summary(view), form, actions }
}

/// True if the fault is shown beside a field.
fn is_of_field(fault: PageFault) -> bool {
    matches!(fault, PageFault::Name | PageFault::Email)
}

/// Renders the fields about the holder.
fn holder(view: &CheckoutPage, posted: &Posted, fault: Option<PageFault>) -> Markup {
    let is_empty = |name| posted.get(name).unwrap_or_default().trim().is_empty();
    // The engine reports one fault, and the page also marks the other field if it is empty.
    let error = |wanted: PageFault, name| {
        let is_wrong = fault == Some(wanted) || fault.is_some_and(is_of_field) && is_empty(name);
        is_wrong.then(|| bill::fault(wanted))
    };
    let has_email_field = view.email.is_none() || !view.email_known;
    let email_error = error(PageFault::Email, EMAIL).filter(|_| has_email_field);
    let name_error = error(PageFault::Name, NAME);
    html! {
        @if let (Some(email), true) = (&view.email, view.email_known) {
            p.known { span { "Email" } strong { (email) } }
        } @else {
            (Field {
                id: EMAIL,
                label: "Email",
                kind: "email",
                autocomplete: "email",
                value: posted.get(EMAIL).or(view.email.as_deref()),
                error: email_error,
                focus: email_error.is_some(),
                ..Field::default()
            }.render())
        }
        (Field {
            id: NAME,
            label: "Full name",
            words: true,
            autocomplete: "name",
            value: posted.get(NAME).or(view.name.as_deref()),
            error: name_error,
            focus: name_error.is_some() && email_error.is_none(),
            ..Field::default()
        }.render())
    }
}

fn complete(
    view: &CheckoutPage,
    done: bool,
    deposits_url: Option<&str>,
    success: Option<&str>,
) -> Content {
    let merchant = view.merchant_name.as_str();
    let form = html! {
        @if deposits_url.is_some() {
            p {
                "Two small deposits will arrive in your account in the next few days. Then return to "
                "this page and confirm them."
            }
        } @else if view.total.is_some() {
            p {
                "Your payment is under way. Bank debits take a few days. " (merchant)
                " will let you know when it arrives."
            }
        } @else {
            p { (merchant) " can now debit this account." }
        }
        @if done && success.is_some() {
            p.note { "We are taking you back to " (merchant) "." }
        }
    };
    let actions = html! {
        @match deposits_url {
            Some(url) => {
                a.main href=(url) { "Confirm the deposits" }
                (way_back(view, success, "quiet"))
            }
            None => (way_back(view, success, "main")),
        }
    };
    Content { summary: summary(view), form, actions }
}

/// Renders the link back to the merchant. Without an address of the merchant, the page may be closed.
fn way_back(view: &CheckoutPage, url: Option<&str>, class: &str) -> Markup {
    match url {
        Some(url) => html! {
            a class=(class) href=(url) rel="noreferrer" { "Back to " (view.merchant_name) }
        },
        None => bill::may_close(),
    }
}
