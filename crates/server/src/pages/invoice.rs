//! The page of an invoice, and the same invoice as a PDF file.

use super::bill::{self, Content, FORM, Frame};
use super::document::Page;
use super::fields::STEP;
use super::pdf::{self, Bill, Row};
use super::words::{day, money};
use engine::connections::hosted::PageFault;
use engine::payments::invoice::{InvoicePage, InvoiceStanding};
use maud::{Markup, html};
use model::color::Color;

/// The colour of a file if the merchant has none, which is that of buttons.
const ACCENT: Color = Color([0x2a, 0x4f, 0xd6]);
const TEST_NOTE: &str = "Test data. No money moves.";

/// Renders the current page of an invoice. `pdf` is the path of its file.
pub(super) fn page(view: &InvoicePage, pdf: &str, fault: Option<PageFault>) -> Page {
    let amount = money(view.amount_due, view.currency);
    let pay = format!("Pay {amount}");
    let open = view.standing == InvoiceStanding::Open;
    let title = match view.standing {
        InvoiceStanding::Open => pay.as_str(),
        InvoiceStanding::UnderWay => "Your payment is under way",
        InvoiceStanding::Deposits(_) => "One more step",
        InvoiceStanding::Paid => "This invoice is paid",
        InvoiceStanding::Void => "This invoice is void",
        InvoiceStanding::Gone => "This page no longer works",
    };
    let content = Content {
        summary: Some(summary(view, pdf)),
        form: standing(view, &pay, &amount),
        actions: actions(view, &pay),
    };
    // A different account is a new attempt, so the old failure is hidden.
    let failure = view.failure.clone().filter(|_| open && view.bank.is_none());
    let frame = Frame {
        merchant_name: &view.merchant_name,
        brand: &view.brand,
        livemode: view.livemode,
        title,
        tick: matches!(view.standing, InvoiceStanding::Paid | InvoiceStanding::UnderWay),
        fault: fault.map(|fault| bill::fault(fault).to_owned()).or(failure),
        has_field_fault: false,
        back: None,
        goes_to: None,
    };
    bill::page(&frame, content)
}

/// Renders an invoice as a PDF file.
pub(super) fn pdf(view: &InvoicePage) -> Vec<u8> {
    let amount = money(view.amount_due, view.currency);
    let sender = [vec![view.merchant_name.clone()], view.brand.address.clone()].concat();
    pdf::document(&Bill {
        title: "Invoice".to_owned(),
        number: view.number.clone().unwrap_or_default(),
        merchant_name: view.merchant_name.clone(),
        color: view.brand.color.unwrap_or(ACCENT),
        facts: facts(view),
        parties: [("From", sender), ("To", view.addressee.clone())],
        amount: match (&view.standing, view.due_date) {
            (InvoiceStanding::Paid, _) => format!("{amount} paid"),
            (InvoiceStanding::Void, _) => format!("{amount} void"),
            (_, Some(due)) => format!("{amount} due {}", day(due)),
            (_, None) => format!("{amount} due"),
        },
        rows: view.lines.iter().map(row).collect(),
        sums: sums(view)
            .into_iter()
            .map(|(name, sum)| (name.to_owned(), money(sum, view.currency)))
            .collect(),
        note: (!view.livemode).then_some(TEST_NOTE),
    })
}

fn row(line: &engine::connections::hosted::PageLine) -> Row {
    let each = match line.quantity {
        1 => Some(line.amount),
        _ => bill::amount_of_one(line),
    };
    Row {
        what: line.name.clone(),
        quantity: line.quantity.to_string(),
        each: each.map(|each| money(each, line.currency)).unwrap_or_default(),
        amount: money(line.amount, line.currency),
    }
}

/// The number, the status and the dates, as far as they are known.
fn facts(view: &InvoicePage) -> Vec<(&'static str, String)> {
    let due = view.due_date.filter(|_| view.standing != InvoiceStanding::Paid);
    let facts = [
        ("Invoice", view.number.clone()),
        ("Status", Some(status(&view.standing).to_owned())),
        ("Issued", view.issued_at.map(day)),
        ("Due", due.map(day)),
    ];
    facts.into_iter().filter_map(|(name, fact)| Some((name, fact?))).collect()
}

/// The status for people, in Stripe's words.
fn status(standing: &InvoiceStanding) -> &'static str {
    match standing {
        InvoiceStanding::Open | InvoiceStanding::Deposits(_) | InvoiceStanding::Gone => "Open",
        InvoiceStanding::UnderWay => "Processing",
        InvoiceStanding::Paid => "Paid",
        InvoiceStanding::Void => "Void",
    }
}

/// The sums below the lines. The last one is the amount due.
fn sums(view: &InvoicePage) -> Vec<(&str, i64)> {
    let balances = view.balances.iter().map(|line| (line.name.as_str(), line.amount));
    let end = if view.standing == InvoiceStanding::Paid { "Amount paid" } else { "Amount due" };
    std::iter::once(("Total", view.total))
        .chain(balances)
        .chain(std::iter::once((end, view.amount_due)))
        .collect()
}

/// Renders number, status, dates, parties, lines and sums.
fn summary(view: &InvoicePage, pdf: &str) -> Markup {
    let sums: Vec<_> =
        sums(view).into_iter().map(|(name, sum)| (name, sum, view.currency)).collect();
    html! {
        dl.facts {
            @for (name, fact) in facts(view) { div { dt { (name) } dd { (fact) } } }
        }
        dl.parties {
            div { dt { "From" } dd { (bill::seller(&view.merchant_name, &view.brand)) } }
            @if !view.addressee.is_empty() {
                div {
                    dt { "To" }
                    dd { div.seller { @for line in &view.addressee { span { (line) } } } }
                }
            }
        }
        (bill::lines(&view.lines, &sums))
        p.file { a href=(pdf) { "Download PDF" } }
    }
}

fn standing(view: &InvoicePage, pay: &str, amount: &str) -> Markup {
    let merchant = view.merchant_name.as_str();
    html! {
        @match &view.standing {
            InvoiceStanding::Open => {
                form id=(FORM) method="post" {}
                @if let Some(bank) = &view.bank {
                    h2 { "Bank account" }
                    (bill::bank(bank))
                    (bill::word_for_payment(pay, merchant, amount))
                } @else {
                    p.note {
                        "Choose your bank and sign in there. You then return to this page and can "
                        "check the account before it is debited."
                    }
                }
            }
            InvoiceStanding::UnderWay => p {
                "Bank debits take a few days. You do not need to do anything else. " (merchant)
                " will see when it arrives."
            },
            InvoiceStanding::Deposits(_) => p {
                "Two small deposits will arrive in your account in the next few days. Then return "
                "to this page and confirm them to pay the invoice."
            },
            InvoiceStanding::Paid => p { "There is no amount left to pay." },
            InvoiceStanding::Void => p {
                (merchant) " cancelled it. You do not need to pay it."
            },
            InvoiceStanding::Gone => p { "You can no longer pay " (merchant) " here." },
        }
    }
}

fn actions(view: &InvoicePage, pay: &str) -> Markup {
    html! {
        @match (&view.standing, &view.bank) {
            (InvoiceStanding::Open, Some(_)) => {
                button.main form=(FORM) name=(STEP) value="pay" { (pay) }
                button.quiet form=(FORM) name=(STEP) value="link" { "Use another account" }
            }
            (InvoiceStanding::Open, None) => {
                button.main form=(FORM) name=(STEP) value="link" { "Pay by bank account" }
            }
            (InvoiceStanding::Deposits(url), _) => a.main href=(url) { "Confirm the deposits" },
            _ => (bill::may_close()),
        }
    }
}
