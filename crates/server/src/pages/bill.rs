//! Parts of the hosted pages: the frame, the items of the bill, the bank account, and the holder's
//! consent to the debit.
//!
//! On wide windows the summary of the bill is beside the form, and on phones it is above the form. The
//! buttons are in a bar of their own that stays visible.

use super::brand;
use super::document::{Facts, Page};
use super::icons::{Icon, icon};
use super::marks;
use super::pieces::{alert, badge};
use super::sheet::Sheet;
use super::words::money;
use engine::connections::hosted::{PageBank, PageFault, PageLine};
use engine::settings::Brand;
use maud::{Markup, html};
use model::money::Currency;

const TEST_MODE: &str = "Test mode: no real bank, no real money.";
/// The id of the form, which the buttons in the bar of actions name.
pub(super) const FORM: &str = "form-bill";

/// The content of a hosted page outside its main part.
pub(super) struct Frame<'a> {
    pub(super) merchant_name: &'a str,
    pub(super) brand: &'a Brand,
    pub(super) livemode: bool,
    /// The heading of the page.
    pub(super) title: &'a str,
    /// True if the page reports a completed action.
    pub(super) tick: bool,
    /// The error that the holder has to correct.
    pub(super) fault: Option<String>,
    /// True if a field has an error, which is shown beside it.
    pub(super) has_field_fault: bool,
    /// The URL of the link back.
    pub(super) back: Option<&'a str>,
    /// The URL that the browser is redirected to.
    pub(super) goes_to: Option<&'a str>,
}

/// The content of a hosted page.
pub(super) struct Content {
    /// The bill, if the page is about one.
    pub(super) summary: Option<Markup>,
    /// The text and the fields.
    pub(super) form: Markup,
    /// The buttons, or a note in their place.
    pub(super) actions: Markup,
}

/// Renders a hosted page around its content. A page without a bill and without fields is centred.
pub(super) fn page(frame: &Frame<'_>, content: Content) -> Page {
    let Frame { merchant_name, brand, title, fault, .. } = frame;
    let back = html! {
        @if let Some(url) = frame.back {
            a.small href=(url) rel="noreferrer" aria-label=(format!("Back to {merchant_name}")) {
                (icon(Icon::Back))
            }
        }
    };
    let sheet = Sheet {
        back,
        who: brand::logo_or_name(merchant_name, brand),
        centred: content.summary.is_none() && !content.form.0.contains("<form"),
        main: main(frame, &content),
        actions: content.actions,
        note: (!frame.livemode).then_some(TEST_MODE),
        ..Sheet::default()
    };
    let error = if fault.is_some() || frame.has_field_fault { "Error: " } else { "" };
    let goes_to = frame.goes_to.map(str::to_owned);
    Page {
        title: format!("{error}{title} – {merchant_name}"),
        look: "ours",
        facts: Facts { goes_to, color: brand.color, ..Facts::default() },
        body: sheet.render(),
    }
}

fn main(frame: &Frame<'_>, content: &Content) -> Markup {
    let fault = frame.fault.as_deref();
    html! {
        div.head {
            @if frame.tick { (badge(Icon::Check, "good")) }
            h1 tabindex="-1" autofocus[fault.is_none() && !frame.has_field_fault] { (frame.title) }
            @if let Some(fault) = fault { (alert("fault", fault)) }
        }
        @if let Some(summary) = &content.summary {
            section.summary aria-label="Summary" { (summary) }
        }
        div.pay { (content.form) }
    }
}

/// Renders the items of the bill. The rows of sums are below them.
pub(super) fn lines(lines: &[PageLine], sums: &[(&str, i64, Currency)]) -> Markup {
    html! {
        @if !lines.is_empty() {
            ul.bill {
                @for line in lines { (item(line)) }
                @for (place, (name, sum, currency)) in sums.iter().enumerate() {
                    li.sum.total[place + 1 == sums.len()] {
                        span { (name) }
                        span.amount { (money(*sum, *currency)) }
                    }
                }
            }
        }
    }
}

fn item(line: &PageLine) -> Markup {
    html! {
        li {
            span.what {
                (line.name)
                @if line.quantity != 1 { span.times { " × " (line.quantity) } }
                @if let Some(each) = amount_of_one(line) {
                    span.each { (money(each, line.currency)) " each" }
                }
            }
            span.amount { (money(line.amount, line.currency)) }
        }
    }
}

/// The amount of one of several items, if it is a whole number of minor units.
pub(super) fn amount_of_one(line: &PageLine) -> Option<i64> {
    let several = line.quantity > 1 && line.amount % line.quantity == 0;
    several.then(|| line.amount / line.quantity)
}

/// Renders the name and the address of the merchant.
pub(super) fn seller(merchant_name: &str, brand: &Brand) -> Markup {
    html! {
        div.seller {
            strong { (merchant_name) }
            @for line in &brand.address { span { (line) } }
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

/// The note in place of buttons on a page that asks for no more action.
pub(super) fn may_close() -> Markup {
    html! { p.close { "You may close this page." } }
}

/// The message for an error that the holder has to correct.
pub(super) fn fault(fault: PageFault) -> &'static str {
    match fault {
        PageFault::Name => "Enter the name on your bank account.",
        PageFault::Email => "Enter an email address, such as ada@example.com.",
        PageFault::NoBank => "Connect a bank account first.",
        PageFault::Failed => "This account could not be used. Connect another account.",
    }
}
