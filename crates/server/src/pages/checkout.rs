//! The page of a Checkout Session.

use super::bill::{self, Frame};
use super::document::Page;
use super::fields::{EMAIL, NAME, STEP};
use super::form::Posted;
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
            let content = html! {
                p {
                    "It was open for too long. Your account was not debited. Go back to "
                    (view.merchant_name) " and start again."
                }
                @if let Some(url) = &cancel {
                    a.main href=(url) rel="noreferrer" { "Back to " (view.merchant_name) }
                }
            };
            ("This page has expired".to_owned(), content)
        }
        CheckoutStanding::Gone => {
            let content = html! {
                p {
                    (view.merchant_name)
                    " no longer uses this page. Your account was not debited. You may close this page."
                }
            };
            ("This page no longer works".to_owned(), content)
        }
    };
    let complete = matches!(view.standing, CheckoutStanding::Complete { .. });
    // A different account is a new attempt, so the old failure is hidden.
    let failure = view.failure.clone().filter(|_| open && view.bank.is_none());
    let frame = Frame {
        merchant_name: &view.merchant_name,
        livemode: view.livemode,
        title: &title,
        tick: complete,
        fault: fault.map(|fault| bill::fault(fault).to_owned()).or(failure),
        back: cancel.as_deref().filter(|_| open),
        goes_to: success.as_deref().filter(|_| complete && done),
    };
    bill::page(&frame, &content)
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

fn form(view: &CheckoutPage, posted: &Posted, fault: Option<PageFault>, verb: &str) -> Markup {
    let merchant = view.merchant_name.as_str();
    let wrong = |wanted: PageFault| fault.filter(|fault| *fault == wanted);
    html! {
        (bill::lines(&view.lines, view.total))
        @if view.total.is_none() {
            p { (merchant) " will debit this account later for your purchases and subscriptions." }
        }
        form method="post" {
            @if let (Some(email), true) = (&view.email, view.email_known) {
                p.known { span { "E-mail address" } strong { (email) } }
            } @else {
                label for=(EMAIL) { "E-mail address" }
                input id=(EMAIL) name=(EMAIL) type="email" autocomplete="email" required
                    value=[posted.get(EMAIL).or(view.email.as_deref())]
                    aria-describedby=[wrong(PageFault::Email).map(|_| "fault")]
                    aria-invalid=[wrong(PageFault::Email).map(|_| "true")];
            }
            label for=(NAME) { "Your name" }
            input id=(NAME) name=(NAME) type="text" autocomplete="name" required maxlength="200"
                value=[posted.get(NAME).or(view.name.as_deref())]
                aria-describedby=[wrong(PageFault::Name).map(|_| "fault")]
                aria-invalid=[wrong(PageFault::Name).map(|_| "true")];
            @if let Some(bank) = &view.bank {
                h2 { "Bank account" }
                (bill::bank(bank))
                @match view.total.filter(|_| !recurs(view)) {
                    Some((amount, currency)) => {
                        (bill::word_for_payment(verb, merchant, &money(amount, currency)))
                    }
                    None => (bill::word_for_later(verb, merchant)),
                }
                button.main name=(STEP) value="pay" { (verb) }
                button.quiet name=(STEP) value="link" { "Use another account" }
            } @else {
                button.main name=(STEP) value="link" { "Link your bank account" }
                p.note {
                    "Choose your bank and log in there. You then return to this page and can check "
                    "the account before it is "
                    @if view.total.is_some() { "debited." } @else { "saved." }
                }
            }
        }
    }
}

fn complete(
    view: &CheckoutPage,
    done: bool,
    deposits_url: Option<&str>,
    success: Option<&str>,
) -> Markup {
    let merchant = view.merchant_name.as_str();
    html! {
        (bill::lines(&view.lines, view.total))
        @if let Some(url) = deposits_url {
            p {
                "Two small deposits will arrive in your account in the next few days. Then return to "
                "this page and confirm them."
            }
            a.quiet href=(url) { "Confirm the deposits" }
        } @else if view.total.is_some() {
            p {
                "Your payment is under way. Bank debits take a few days. " (merchant)
                " will let you know when it arrives."
            }
        } @else {
            p { (merchant) " can now debit this account." }
        }
        @match success {
            Some(url) => {
                @if done { p.note { "We are taking you back to " (merchant) "." } }
                a.main href=(url) rel="noreferrer" { "Back to " (merchant) }
            }
            None => p.note { "You may close this page." },
        }
    }
}
