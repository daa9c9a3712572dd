//! Parts of the hosted pages: the items of the bill, the bank account, and the holder's consent to
//! the debit.

use super::document::{Facts, Page};
use super::marks;
use super::words::money;
use engine::connections::hosted::{PageBank, PageFault, PageLine};
use maud::{Markup, html};
use model::money::Currency;

/// The content of a hosted page outside its main part.
pub(super) struct Frame<'a> {
    pub(super) merchant_name: &'a str,
    pub(super) livemode: bool,
    /// The heading of the page.
    pub(super) title: &'a str,
    /// True if the page reports a completed action.
    pub(super) tick: bool,
    /// The error that the holder has to correct.
    pub(super) fault: Option<String>,
    /// The URL of the link back.
    pub(super) back: Option<&'a str>,
    /// The URL that the browser is redirected to.
    pub(super) goes_to: Option<&'a str>,
}

/// Renders a hosted page around its content.
pub(super) fn page(frame: &Frame<'_>, content: &Markup) -> Page {
    let Frame { merchant_name, title, fault, .. } = frame;
    let body = html! {
        div.sheet {
            header.bar {
                @if let Some(url) = frame.back {
                    a.small href=(url) rel="noreferrer" aria-label=(format!("Back to {merchant_name}")) {
                        span aria-hidden="true" { "←" }
                    }
                } @else {
                    span.small {}
                }
                p.who { (merchant_name) }
                span.small {}
            }
            main {
                @if frame.tick { p.tick aria-hidden="true" { "✓" } }
                h1 tabindex="-1" autofocus[fault.is_none()] { (title) }
                @if let Some(fault) = fault {
                    p.alert #fault role="alert" tabindex="-1" autofocus { (fault) }
                }
                (content)
            }
            @if !frame.livemode {
                footer { p { "Test mode: no real bank, no real money." } }
            }
        }
    };
    let error = if fault.is_some() { "Error: " } else { "" };
    Page {
        title: format!("{error}{title} – {merchant_name}"),
        look: "ours",
        facts: Facts { goes_to: frame.goes_to.map(str::to_owned), ..Facts::default() },
        body,
    }
}

/// Renders the items of the bill. The total is below them unless it repeats the only amount.
pub(super) fn lines(lines: &[PageLine], total: Option<(i64, Currency)>) -> Markup {
    let repeats = lines.len() == 1 && total.is_some_and(|(sum, _)| sum == lines[0].amount);
    html! {
        @if !lines.is_empty() {
            ul.bill {
                @for line in lines {
                    li {
                        span {
                            (line.name)
                            @if line.quantity != 1 { span.times { " × " (line.quantity) } }
                        }
                        span.amount { (money(line.amount, line.currency)) }
                    }
                }
                @if let Some((sum, currency)) = total.filter(|_| !repeats) {
                    li.total {
                        span { "Total" }
                        span.amount { (money(sum, currency)) }
                    }
                }
            }
        }
    }
}

/// Renders the bank account that will be debited.
pub(super) fn bank(bank: &PageBank) -> Markup {
    let name = bank.name.as_deref().unwrap_or("Bank account");
    html! {
        div.chosen {
            (marks::svg(name))
            span.text {
                strong { (name) }
                @if let Some(last4) = &bank.last4 { span { "Account ending in " (last4) } }
            }
        }
        @if bank.deposits {
            p.hint {
                "You typed these numbers, so two small deposits arrive first. Your account is "
                "debited only after you confirm them."
            }
        }
    }
}

/// The text of the holder's consent to one debit, given with the button `button`.
pub(super) fn word_for_payment(button: &str, merchant: &str, amount: &str) -> Markup {
    html! {
        p.mandate {
            "By clicking “" (button) "” you allow " (merchant) " to debit " (amount) " from this bank "
            "account, today or on one of the next business days. To cancel before the debit is sent, "
            "contact " (merchant) "."
        }
    }
}

/// The text of the holder's consent to future debits.
pub(super) fn word_for_later(button: &str, merchant: &str) -> Markup {
    html! {
        p.mandate {
            "By clicking “" (button) "” you allow " (merchant) " to debit this bank account for your "
            "future purchases and subscriptions. To end this permission, contact " (merchant) "."
        }
    }
}

/// The message for an error that the holder has to correct.
pub(super) fn fault(fault: PageFault) -> &'static str {
    match fault {
        PageFault::Name => "Enter the name on your bank account.",
        PageFault::Email => "Enter an e-mail address, such as ada@example.com.",
        PageFault::NoBank => "Link a bank account first.",
        PageFault::Failed => "This account could not be used. Link another account.",
    }
}
