//! Invoices, their lines and payments, and invoice items.

use super::intent::put_link_requirements;
use super::product::{plan_value, price_value};
use crate::address::HostedPage;
use crate::render::View;
use crate::render::extra_params::{Shown, leave_out};
use model::Word;
use model::id::{InvoiceLineId, InvoicePaymentId};
use model::payments::intent::{Intent, Purpose};
use model::payments::invoice::{Invoice, InvoiceItem, InvoiceStatus, Line, LineDetails};
use serde_json::{Value, json};
use std::sync::LazyLock;

/// The number of lines that an invoice shows. The list of lines has the others.
const LINES_SHOWN: usize = 10;

/// The keys of an invoice that are null unless the request has them.
const UNKNOWN: [&str; 32] = [
    "account_country",
    "account_name",
    "account_tax_ids",
    "application_fee_amount",
    "automatically_finalizes_at",
    "custom_fields",
    "customer_account",
    "customer_address",
    "customer_email",
    "customer_name",
    "customer_phone",
    "customer_shipping",
    "default_source",
    "description",
    "due_date",
    "effective_at",
    "ending_balance",
    "footer",
    "from_invoice",
    "hosted_invoice_url",
    "invoice_pdf",
    "last_finalization_error",
    "latest_revision",
    "next_payment_attempt",
    "on_behalf_of",
    "parent",
    "receipt_number",
    "rendering",
    "shipping_details",
    "statement_descriptor",
    "transfer_data",
    "webhooks_delivered_at",
];

static INVOICE: LazyLock<Value> = LazyLock::new(|| {
    let mut template = json!({
        "object": "invoice",
        "amount_overpaid": 0,
        "amount_paid_off_stripe": 0,
        "amount_shipping": 0,
        "auto_advance": false,
        "automatic_tax": {
            "disabled_reason": null,
            "enabled": false,
            "liability": null,
            "provider": null,
            "status": null,
        },
        "billing_reason": "manual",
        "collection_method": "charge_automatically",
        "customer_tax_exempt": "none",
        "customer_tax_ids": [],
        "issuer": {"type": "self"},
        "payment_settings": {
            "default_mandate": null,
            "payment_method_options": null,
            "payment_method_types": null,
        },
        "post_payment_credit_notes_amount": 0,
        "pre_payment_credit_notes_amount": 0,
        "total_discount_amounts": [],
        "total_pretax_credit_amounts": [],
        "total_taxes": [],
    });
    for name in UNKNOWN {
        template[name] = Value::Null;
    }
    template
});

static ITEM: LazyLock<Value> = LazyLock::new(|| {
    json!({
        "object": "invoiceitem",
        "customer_account": null,
        "parent": null,
        "proration": false,
    })
});

/// Renders an invoice.
pub fn value(invoice: &Invoice, view: &View<'_>) -> Value {
    // Values of the request override those of the customer.
    let mut params = invoice.addressee.clone();
    params.update(invoice.given.clone());
    let mut shown = Shown::of(&INVOICE, &params);
    let (total, due) = (invoice.total(), invoice.amount_due());
    let (paid, debited) = (invoice.status == InvoiceStatus::Paid, invoice.amount_paid());
    let finalized = invoice.finalized_at.map(|at| at.0);
    let customer = Some(invoice.customer.to_string());
    let method = invoice.default_payment_method.map(|method| method.to_string());
    shown
        .put("id", invoice.id.to_string())
        .put("application", invoice.application.map(|id| id.to_string()))
        .put("amount_due", due)
        .put("amount_paid", debited)
        .put("amount_paid_off_stripe", if invoice.paid_elsewhere { due } else { 0 })
        // A payment out of band is not subtracted, because Stripe describes it as the difference of
        // due and paid.
        .put("amount_remaining", due - debited)
        .put("attempt_count", invoice.attempts)
        .put("attempted", invoice.attempts > 0 || paid)
        .put("created", invoice.created.0)
        .put("currency", invoice.currency.as_str())
        .put("customer", customer)
        .put("default_payment_method", method)
        // Stripe creates these from the request. This server supports none of them.
        .put("default_tax_rates", json!([]))
        .put("discounts", json!([]))
        .put("shipping_cost", Value::Null)
        .put("effective_at", invoice.given.integer(&["effective_at"]).or(finalized))
        .put("lines", lines(invoice))
        .put("livemode", invoice.livemode)
        .put("metadata", json!(invoice.metadata))
        .put("number", invoice.printed_number.clone())
        .put("period_end", invoice.period.map_or(invoice.created, |period| period.1).0)
        .put("period_start", invoice.period.map_or(invoice.created, |period| period.0).0)
        .put("starting_balance", invoice.starting_balance)
        .put("status", invoice.status.word())
        .put(
            "status_transitions",
            json!({
                "finalized_at": finalized,
                "marked_uncollectible_at": null,
                "paid_at": invoice.paid_at.map(|at| at.0),
                "voided_at": invoice.voided_at.map(|at| at.0),
            }),
        )
        .put("subtotal", total)
        .put("subtotal_excluding_tax", total)
        .put("test_clock", invoice.clock.map(|clock| clock.to_string()))
        .put("total", total)
        .put("total_excluding_tax", total);
    put_older(&mut shown, invoice);
    let advances = invoice.advances_at.map(|at| at.0);
    if invoice.status == InvoiceStatus::Draft && !invoice.upcoming {
        shown.put("automatically_finalizes_at", advances);
    }
    if invoice.collection_method() == "charge_automatically" {
        shown.put("next_payment_attempt", advances);
    }
    if finalized.is_some() {
        let page = view.page(HostedPage::Invoice, invoice.merchant, invoice.id.number());
        let pdf = page.as_ref().map(|page| format!("{page}/pdf"));
        shown
            .put("ending_balance", invoice.ending_balance)
            .put("hosted_invoice_url", page)
            .put("invoice_pdf", pdf);
    }
    if let Some(subscription) = invoice.subscription {
        let details = json!({"metadata": {}, "subscription": subscription.to_string()});
        let parent = json!({
            "quote_details": null,
            "subscription_details": details,
            "type": "subscription_details",
        });
        shown.put("parent", parent);
    }
    let mut value = shown.into_value();
    if invoice.upcoming {
        leave_out(&mut value, "id");
    }
    let settings = &mut value["payment_settings"];
    settings["payment_method_types"] = json!(invoice.method_types);
    let options = &mut settings["payment_method_options"];
    if options.is_object() && !options["us_bank_account"].is_null() {
        let from_settings = invoice.from_settings.as_ref();
        put_link_requirements(&mut options["us_bank_account"], &invoice.collection, from_settings);
    }
    value
}

/// Adds the keys of versions before basil.
fn put_older(shown: &mut Shown, invoice: &Invoice) {
    let subscription = invoice.subscription.map(|subscription| subscription.to_string());
    let details = invoice.subscription.map(|_| json!({"metadata": {}}));
    shown
        .put("charge", invoice.latest_charge.map(|charge| charge.to_string()))
        .put("discount", Value::Null)
        .put("paid", invoice.status == InvoiceStatus::Paid)
        .put("paid_out_of_band", invoice.paid_elsewhere)
        .put("payment_intent", invoice.intent.map(|intent| intent.to_string()))
        .put("quote", Value::Null)
        .put("subscription", subscription)
        .put("subscription_details", details)
        .put("tax", Value::Null)
        .put("total_tax_amounts", json!([]));
}

fn lines(invoice: &Invoice) -> Value {
    let shown = invoice.lines.iter().take(LINES_SHOWN).map(|line| line_value(invoice, line));
    json!({
        "object": "list",
        "data": shown.collect::<Vec<_>>(),
        "has_more": invoice.lines.len() > LINES_SHOWN,
        "url": match shown_id(invoice) {
            Some(id) => format!("/v1/invoices/{id}/lines"),
            None => format!("/v1/invoices/upcoming/lines?customer={}", invoice.customer),
        },
    })
}

/// Returns the id of an invoice that is stored.
fn shown_id(invoice: &Invoice) -> Option<String> {
    (!invoice.upcoming).then(|| invoice.id.to_string())
}

/// Renders a line of an invoice.
pub fn line_value(invoice: &Invoice, line: &Line) -> Value {
    let details = &line.details;
    let mut value = json!({
        "id": InvoiceLineId::from_number(line.item.number()).to_string(),
        "object": "line_item",
        "amount": details.amount,
        "currency": details.currency.as_str(),
        "description": details.description,
        "discount_amounts": [],
        "discountable": details.discountable,
        "discounts": [],
        "invoice": shown_id(invoice),
        "livemode": invoice.livemode,
        "metadata": details.metadata,
        "parent": line_parent(invoice, line),
        "period": period(details),
        "pretax_credit_amounts": [],
        "pricing": pricing(details),
        "quantity": details.quantity,
        "quantity_decimal": details.quantity.to_string(),
        "subscription": invoice.subscription.map(|subscription| subscription.to_string()),
        "subtotal": details.amount,
        "taxes": [],
    });
    // Versions before basil show these.
    for (name, older) in [
        ("amount_excluding_tax", json!(details.amount)),
        ("plan", plan_then(details)),
        ("price", price_then(details)),
        ("proration", json!(false)),
        ("proration_details", json!({"credited_items": null})),
        ("tax_amounts", json!([])),
        ("tax_rates", json!([])),
        ("unit_amount_excluding_tax", json!(details.unit_amount_decimal)),
    ] {
        value[name] = older;
    }
    if let Some(item) = line.subscription_item {
        value["subscription_item"] = json!(item.to_string());
        value["type"] = json!("subscription");
    } else {
        value["invoice_item"] = json!(line.item.to_string());
        value["type"] = json!("invoiceitem");
    }
    value
}

/// Renders the price of a line as it was then, as a plan.
fn plan_then(details: &LineDetails) -> Value {
    details.price_then.as_deref().and_then(plan_value).into()
}

/// Renders the price of a line as it was then.
fn price_then(details: &LineDetails) -> Value {
    details.price_then.as_deref().map(price_value).into()
}

/// Renders the source of a line: an invoice item, or an item of a subscription.
fn line_parent(invoice: &Invoice, line: &Line) -> Value {
    let subscription = invoice.subscription.map(|subscription| subscription.to_string());
    let proration = json!({"credited_items": null});
    match line.subscription_item {
        Some(item) => json!({
            "invoice_item_details": null,
            "subscription_item_details": {
                "invoice_item": null,
                "proration": false,
                "proration_details": proration,
                "subscription": subscription,
                "subscription_item": item.to_string(),
            },
            "type": "subscription_item_details",
        }),
        None => json!({
            "invoice_item_details": {
                "invoice_item": line.item.to_string(),
                "proration": false,
                "proration_details": proration,
                "subscription": subscription,
            },
            "subscription_item_details": null,
            "type": "invoice_item_details",
        }),
    }
}

fn period(details: &LineDetails) -> Value {
    let (start, end) = details.period;
    json!({"end": end.0, "start": start.0})
}

fn pricing(details: &LineDetails) -> Value {
    let mut pricing =
        json!({"type": "price_details", "unit_amount_decimal": details.unit_amount_decimal});
    if let Some(price) = details.price {
        pricing["price_details"] = json!({"price": price.to_string(), "product": details.product});
    }
    pricing
}

/// Renders the client secret of the intent of an invoice. A response contains it only if it is
/// expanded.
pub fn confirmation_secret(intent: Option<&Intent>) -> Value {
    let secret =
        |intent: &Intent| json!({"client_secret": intent.client_secret, "type": "payment_intent"});
    intent.map(secret).into()
}

/// Renders the payments of an invoice. A response contains them only if they are expanded. `intent`
/// is its intent, if it has one.
pub fn payments(invoice: &Invoice, intent: Option<&Intent>) -> Value {
    let data: Vec<Value> = intent.iter().map(|intent| payment(invoice, intent)).collect();
    json!({
        "object": "list",
        "data": data,
        "has_more": false,
        "url": format!("/v1/invoice_payments?invoice={}", invoice.id),
    })
}

/// Renders the payment of an invoice by an intent.
pub fn payment(invoice: &Invoice, intent: &Intent) -> Value {
    let amount = match intent.purpose {
        Purpose::Payment { amount, .. } => amount,
        Purpose::Setup => 0,
    };
    let status = intent.payment_status();
    let paid = (status == "paid").then_some(amount);
    json!({
        "id": InvoicePaymentId::from_number(intent.number).to_string(),
        "object": "invoice_payment",
        "amount_paid": paid,
        "amount_requested": amount,
        "created": intent.created.0,
        "currency": invoice.currency.as_str(),
        "invoice": invoice.id.to_string(),
        "is_default": true,
        "livemode": invoice.livemode,
        "payment": {"payment_intent": intent.id(), "type": "payment_intent"},
        "status": status,
        "status_transitions": {
            "canceled_at": intent.canceled.as_ref().map(|(at, _)| at.0),
            "paid_at": paid.and(invoice.paid_at).map(|at| at.0),
        },
    })
}

/// Renders an invoice item.
pub fn item_value(item: &InvoiceItem) -> Value {
    let mut shown = Shown::of(&ITEM, &item.given);
    let details = &item.details;
    let customer = Some(item.customer.to_string());
    let invoice = item.invoice.map(|invoice| invoice.to_string());
    shown
        .put("id", item.id.to_string())
        .put("amount", details.amount)
        .put("currency", details.currency.as_str())
        .put("customer", customer)
        .put("date", item.created.0)
        .put("description", details.description.clone())
        .put("discountable", details.discountable)
        .put("discounts", json!([]))
        .put("tax_rates", json!([]))
        .put("invoice", invoice)
        .put("livemode", item.livemode)
        .put("metadata", json!(details.metadata))
        .put("net_amount", details.amount)
        .put("plan", plan_then(details))
        .put("price", price_then(details))
        .put("subscription", Value::Null)
        .put("unit_amount", details.unit_amount_decimal.parse::<i64>().ok())
        .put("unit_amount_decimal", details.unit_amount_decimal.clone())
        .put("period", period(details))
        .put("pricing", pricing(details))
        .put("quantity", details.quantity)
        .put("quantity_decimal", details.quantity.to_string())
        .put("test_clock", item.clock.map(|clock| clock.to_string()));
    shown.into_value()
}
