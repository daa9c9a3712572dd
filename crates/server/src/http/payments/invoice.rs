//! Invoices and invoice items.

use super::product::take_price;
use crate::http::call::{Call, Outcome};
use crate::http::connections::collection;
use crate::http::extra_params::{
    read, take_boolean, take_created, take_integer, take_metadata, take_text,
};
use engine::payments::invoice::item::{ItemFilter, ItemInput};
use engine::payments::invoice::payment::PaymentFilter;
use engine::payments::invoice::{DAYS_UNTIL_DUE_MAX, InvoiceFilter, InvoiceInput, PayInput};
use model::extra_params::ExtraParams;
use model::money::Currency;
use store::Bounds;
use wire::error::Error;
use wire::expand::Returns;
use wire::list::take_page;
use wire::params::Params;

/// The path of the link requirements of invoices and subscriptions.
pub(in crate::http) const OPTIONS: [&str; 2] = ["payment_settings", "payment_method_options"];

pub(in crate::http) async fn create(mut call: Call) -> Outcome {
    let mut params = read(&mut call, "POST /v1/invoices")?;
    let pending = take_text(&mut params, "pending_invoice_items_behavior");
    let mut input = take_invoice(params)?;
    input.takes_pending_items = pending.as_deref() == Some("include");
    let call = call.ready(Returns::Object("invoice"))?;
    Ok(call.engine.create_invoice(&call.context, &input).await?)
}

pub(in crate::http) async fn retrieve(call: Call) -> Outcome {
    let call = call.ready(Returns::Object("invoice"))?;
    Ok(call.engine.retrieve_invoice(&call.context, call.id()).await?)
}

pub(in crate::http) async fn update(mut call: Call) -> Outcome {
    let params = read(&mut call, "POST /v1/invoices/{id}")?;
    let input = take_invoice(params)?;
    let call = call.ready(Returns::Object("invoice"))?;
    Ok(call.engine.update_invoice(&call.context, call.id(), &input).await?)
}

pub(in crate::http) async fn delete(call: Call) -> Outcome {
    let call = call.ready(Returns::Nothing)?;
    Ok(call.engine.delete_invoice(&call.context, call.id()).await?)
}

pub(in crate::http) async fn finalize(mut call: Call) -> Outcome {
    let mut params = read(&mut call, "POST /v1/invoices/{id}/finalize")?;
    let advance = take_boolean(&mut params, "auto_advance");
    let call = call.ready(Returns::Object("invoice"))?;
    Ok(call.engine.finalize_invoice(&call.context, call.id(), advance).await?)
}

pub(in crate::http) async fn pay(mut call: Call) -> Outcome {
    let mut params = read(&mut call, "POST /v1/invoices/{id}/pay")?;
    let input = PayInput {
        method: take_text(&mut params, "payment_method"),
        mandate: take_text(&mut params, "mandate"),
        paid_elsewhere: take_boolean(&mut params, "paid_out_of_band") == Some(true),
    };
    let call = call.ready(Returns::Object("invoice"))?;
    Ok(call.engine.pay_invoice(&call.context, call.id(), &input).await?)
}

pub(in crate::http) async fn void(mut call: Call) -> Outcome {
    read(&mut call, "POST /v1/invoices/{id}/void")?;
    let call = call.ready(Returns::Object("invoice"))?;
    Ok(call.engine.void_invoice(&call.context, call.id()).await?)
}

pub(in crate::http) async fn list(mut call: Call) -> Outcome {
    let params = &mut call.params;
    params.ignore("customer_account");
    let filter = InvoiceFilter {
        customer: params.text("customer")?,
        status: params.choice("status")?,
        collection_method: params.text("collection_method")?,
        subscription: params.text("subscription")?,
        due_date: params.range("due_date")?.map(|range| Bounds { from: range.from, to: range.to }),
        created: take_created(params)?,
        page: take_page(params)?,
    };
    let call = call.ready(Returns::List("invoice"))?;
    Ok(call.engine.list_invoices(&call.context, &filter).await?)
}

pub(in crate::http) async fn list_lines(mut call: Call) -> Outcome {
    let page = take_page(&mut call.params)?;
    let call = call.ready(Returns::List("line_item"))?;
    Ok(call.engine.list_invoice_lines(&call.context, call.id(), &page).await?)
}

pub(in crate::http) async fn retrieve_payment(call: Call) -> Outcome {
    let call = call.ready(Returns::Object("invoice_payment"))?;
    Ok(call.engine.retrieve_invoice_payment(&call.context, call.id()).await?)
}

pub(in crate::http) async fn list_payments(mut call: Call) -> Outcome {
    let params = &mut call.params;
    let mut payment_intent = None;
    if let Some(mut payment) = params.hash("payment")? {
        let kind = payment.need("type", Params::text)?;
        if !["payment_intent", "payment_record"].contains(&kind.as_str()) {
            let words = ["payment_intent", "payment_record"];
            return Err(Error::bad_choice("payment[type]", &words).into());
        }
        payment_intent = payment.text("payment_intent")?;
        payment.ignore("payment_record");
        payment.finish()?;
    }
    let status = params.text("status")?;
    let words = ["canceled", "open", "paid"];
    if status.as_deref().is_some_and(|status| !words.contains(&status)) {
        return Err(Error::bad_choice("status", &words).into());
    }
    let filter = PaymentFilter {
        invoice: params.text("invoice")?,
        payment_intent,
        status,
        created: take_created(params)?,
        page: take_page(params)?,
    };
    let call = call.ready(Returns::List("invoice_payment"))?;
    Ok(call.engine.list_invoice_payments(&call.context, &filter).await?)
}

pub(in crate::http) async fn create_item(mut call: Call) -> Outcome {
    let params = read(&mut call, "POST /v1/invoiceitems")?;
    let input = take_item(params)?;
    let call = call.ready(Returns::Object("invoiceitem"))?;
    Ok(call.engine.create_invoice_item(&call.context, &input).await?)
}

pub(in crate::http) async fn retrieve_item(call: Call) -> Outcome {
    let call = call.ready(Returns::Object("invoiceitem"))?;
    Ok(call.engine.retrieve_invoice_item(&call.context, call.id()).await?)
}

pub(in crate::http) async fn update_item(mut call: Call) -> Outcome {
    let params = read(&mut call, "POST /v1/invoiceitems/{id}")?;
    let input = take_item(params)?;
    let call = call.ready(Returns::Object("invoiceitem"))?;
    Ok(call.engine.update_invoice_item(&call.context, call.id(), &input).await?)
}

pub(in crate::http) async fn delete_item(call: Call) -> Outcome {
    let call = call.ready(Returns::Nothing)?;
    Ok(call.engine.delete_invoice_item(&call.context, call.id()).await?)
}

pub(in crate::http) async fn list_items(mut call: Call) -> Outcome {
    let params = &mut call.params;
    params.ignore("customer_account");
    let filter = ItemFilter {
        customer: params.text("customer")?,
        invoice: params.text("invoice")?,
        pending: params.boolean("pending")?,
        created: take_created(params)?,
        page: take_page(params)?,
    };
    let call = call.ready(Returns::List("invoiceitem"))?;
    Ok(call.engine.list_invoice_items(&call.context, &filter).await?)
}

fn take_invoice(mut params: ExtraParams) -> Result<InvoiceInput, Error> {
    let collection = collection::take(&mut params, &OPTIONS)?;
    let method_types = settings_types(&params)?;
    check_days_until_due(params.integer(&["days_until_due"]))?;
    if params.integer(&["days_until_due"]).is_some() && params.integer(&["due_date"]).is_some() {
        return Err(Error::exclusive(&["days_until_due", "due_date"]));
    }
    Ok(InvoiceInput {
        customer: take_text(&mut params, "customer"),
        currency: take_currency(&mut params)?,
        default_payment_method: take_text(&mut params, "default_payment_method"),
        method_types,
        collection,
        takes_pending_items: false,
        metadata: take_metadata(&mut params),
        given: params,
    })
}

pub(in crate::http) fn check_days_until_due(days: Option<i64>) -> Result<(), Error> {
    if days.is_some_and(|days| !(0..=DAYS_UNTIL_DUE_MAX).contains(&days)) {
        let message = format!("days_until_due is from 0 to {DAYS_UNTIL_DUE_MAX}.");
        return Err(Error::invalid(message).param("days_until_due"));
    }
    Ok(())
}

/// Reads the types named in payment settings, which must include the one that this server supports.
pub(in crate::http) fn settings_types(params: &ExtraParams) -> Result<Option<Vec<String>>, Error> {
    let types = params.texts(&["payment_settings", "payment_method_types"]);
    let Some(types) = types.filter(|types| !types.is_empty()) else { return Ok(None) };
    if !types.iter().any(|name| name == "us_bank_account") {
        let message = "This server collects bank accounts: payment_method_types must include \
                       us_bank_account.";
        let param = "payment_settings[payment_method_types]";
        return Err(Error::invalid(message).param(param));
    }
    Ok(Some(types))
}

pub(in crate::http) fn take_currency(params: &mut ExtraParams) -> Result<Option<Currency>, Error> {
    let currency = take_text(params, "currency").and_then(|code| Currency::parse(&code));
    if currency.is_some_and(|currency| currency != Currency::USD) {
        let message = "Bank accounts of the type us_bank_account are debited in usd only.";
        return Err(Error::invalid(message).param("currency"));
    }
    Ok(currency)
}

fn take_item(mut params: ExtraParams) -> Result<ItemInput, Error> {
    let price_data = match params.take("price_data") {
        Some(data) => Some(Box::new(take_price(data, "price_data")?)),
        None => None,
    };
    let price = params.text(&["pricing", "price"]).map(str::to_owned);
    params.take("pricing");
    let period = params.integer(&["period", "start"]).zip(params.integer(&["period", "end"]));
    params.take("period");
    let unit_amount_decimal = take_text(&mut params, "unit_amount_decimal");
    if unit_amount_decimal
        .as_deref()
        .is_some_and(|text| model::payments::invoice::cost(text, 1).is_none())
    {
        let message = "A unit amount is a number of cents with at most twelve decimals.";
        return Err(Error::invalid(message).param("unit_amount_decimal"));
    }
    let quantity = take_integer(&mut params, "quantity");
    if quantity.is_some_and(|quantity| quantity < 0) {
        return Err(Error::invalid("A quantity cannot be below 0.").param("quantity"));
    }
    Ok(ItemInput {
        customer: take_text(&mut params, "customer"),
        invoice: take_text(&mut params, "invoice"),
        currency: take_currency(&mut params)?,
        amount: take_integer(&mut params, "amount"),
        quantity,
        price,
        price_data,
        unit_amount_decimal,
        description: take_text(&mut params, "description"),
        period,
        discountable: take_boolean(&mut params, "discountable"),
        metadata: take_metadata(&mut params),
        given: params,
    })
}
