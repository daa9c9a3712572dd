//! The page of an invoice.

use super::bill::{self, Frame};
use super::document::Page;
use super::fields::STEP;
use super::pdf;
use super::words::{day, money};
use engine::connections::hosted::PageFault;
use engine::payments::invoice::{InvoicePage, InvoiceStanding};
use maud::{Markup, html};

/// Renders the current page of an invoice.
pub(super) fn page(view: &InvoicePage, fault: Option<PageFault>) -> Page {
    let amount = money(view.total, view.currency);
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
    let content = html! {
        (head(view))
        (bill::lines(&view.lines, Some((view.total, view.currency))))
        (standing(view, &pay, &amount))
    };
    // A different account is a new attempt, so the old failure is hidden.
    let failure = view.failure.clone().filter(|_| open && view.bank.is_none());
    let frame = Frame {
        merchant_name: &view.merchant_name,
        livemode: view.livemode,
        title,
        tick: matches!(view.standing, InvoiceStanding::Paid | InvoiceStanding::UnderWay),
        fault: fault.map(|fault| bill::fault(fault).to_owned()).or(failure),
        back: None,
        goes_to: None,
    };
    bill::page(&frame, &content)
}

/// Renders an invoice as a PDF file.
pub(super) fn pdf(view: &InvoicePage) -> Vec<u8> {
    let due = view.due_date.map(day);
    let facts = [("Invoice", &view.number), ("To", &view.addressee), ("Due", &due)];
    let facts =
        facts.into_iter().filter_map(|(name, fact)| Some(format!("{name}: {}", fact.as_ref()?)));
    let mut lines = vec![view.merchant_name.clone(), String::new()];
    lines.extend(facts);
    lines.push(String::new());
    lines.extend(view.lines.iter().map(|line| {
        let amount = money(line.amount, line.currency);
        match line.quantity {
            1 => format!("{}: {amount}", line.name),
            quantity => format!("{quantity} × {}: {amount}", line.name),
        }
    }));
    lines.push(format!("Amount due: {}", money(view.total, view.currency)));
    if !view.livemode {
        lines.extend([String::new(), "Test data. No money moves.".to_owned()]);
    }
    pdf::document(&lines)
}

/// Renders number, addressee and date.
fn head(view: &InvoicePage) -> Markup {
    let due = view.due_date.filter(|_| view.standing == InvoiceStanding::Open);
    let facts =
        [("Invoice", view.number.clone()), ("To", view.addressee.clone()), ("Due", due.map(day))];
    html! {
        dl.facts {
            @for (name, fact) in facts {
                @if let Some(fact) = fact { div { dt { (name) } dd { (fact) } } }
            }
        }
    }
}

fn standing(view: &InvoicePage, pay: &str, amount: &str) -> Markup {
    let merchant = view.merchant_name.as_str();
    html! {
        @match &view.standing {
            InvoiceStanding::Open => form method="post" {
                @if let Some(bank) = &view.bank {
                    h2 { "Bank account" }
                    (bill::bank(bank))
                    (bill::word_for_payment(pay, merchant, amount))
                    button.main name=(STEP) value="pay" { (pay) }
                    button.quiet name=(STEP) value="link" { "Use another account" }
                } @else {
                    button.main name=(STEP) value="link" { "Pay by bank account" }
                    p.note {
                        "Choose your bank and log in there. You then return to this page and can "
                        "check the account before it is debited."
                    }
                }
            },
            InvoiceStanding::UnderWay => p {
                "Bank debits take a few days. You do not need to do anything else. " (merchant)
                " will see when it arrives."
            },
            InvoiceStanding::Deposits(url) => {
                p {
                    "Two small deposits will arrive in your account in the next few days. Then return "
                    "to this page and confirm them to pay the invoice."
                }
                a.main href=(url) { "Confirm the deposits" }
            }
            InvoiceStanding::Paid => p { "There is no amount left to pay. You may close this page." },
            InvoiceStanding::Void => p {
                (merchant) " cancelled it. You do not need to pay it. You may close this page."
            },
            InvoiceStanding::Gone => p {
                "You can no longer pay " (merchant) " here. You may close this page."
            },
        }
    }
}
