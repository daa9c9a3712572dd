//! Checkout Sessions. The schema of the create call rejects parameters that Stripe does not know.
//! This file rejects parameters that Stripe knows but this server cannot honour.

use super::intent::take_types;
use super::product::take_price;
use super::subscription::check_fee_percent;
use crate::http::call::{Call, Outcome};
use crate::http::connections::collection;
use crate::http::extra_params::{read, take_integer, take_metadata, take_text};
use crate::http::texts::{check_email, check_page_url};
use engine::payments::checkout::{CheckoutFilter, CheckoutInput, LineItemInput};
use model::Word;
use model::clock::AccountTime;
use model::extra_params::ExtraParams;
use model::money::Currency;
use model::payments::checkout::{CheckoutMode, LINE_ITEMS_MAX};
use store::Bounds;
use wire::error::Error;
use wire::expand::Returns;
use wire::list::take_page;
use wire::params::{Params, Range};

pub(in crate::http) async fn create(mut call: Call) -> Outcome {
    let mut params = read(&mut call, "POST /v1/checkout/sessions")?;
    let input = take_input(&mut params)?;
    let call = call.ready(Returns::Object("checkout.session"))?;
    Ok(call
        .engine
        .create_checkout(&call.context, &CheckoutInput { given: params, ..input })
        .await?)
}

pub(in crate::http) async fn retrieve(call: Call) -> Outcome {
    let call = call.ready(Returns::Object("checkout.session"))?;
    Ok(call.engine.retrieve_checkout(&call.context, call.id()).await?)
}

pub(in crate::http) async fn page(call: Call) -> Outcome {
    let call = call.ready(Returns::Nothing)?;
    Ok(call.engine.retrieve_checkout_url(&call.context, call.id()).await?)
}

pub(in crate::http) async fn expire(mut call: Call) -> Outcome {
    read(&mut call, "POST /v1/checkout/sessions/{id}/expire")?;
    let call = call.ready(Returns::Object("checkout.session"))?;
    Ok(call.engine.expire_checkout(&call.context, call.id()).await?)
}

pub(in crate::http) async fn list(mut call: Call) -> Outcome {
    let params = &mut call.params;
    params.ignore("customer_account");
    let Range { from, to } = params.range("created")?.unwrap_or_default();
    let email = match params.hash("customer_details")? {
        Some(mut details) => {
            let email = details.need("email", Params::text)?;
            details.finish()?;
            Some(email)
        }
        None => None,
    };
    let link = params.text("payment_link")?;
    let filter = CheckoutFilter {
        customer: params.text("customer")?,
        email,
        payment_intent: params.text("payment_intent")?,
        status: params.choice("status")?,
        subscription: params.text("subscription")?,
        none: link.is_some(),
        created: Bounds { from, to },
        page: take_page(params)?,
    };
    let call = call.ready(Returns::List("checkout.session"))?;
    Ok(call.engine.list_checkouts(&call.context, &filter).await?)
}

pub(in crate::http) async fn line_items(mut call: Call) -> Outcome {
    let page = take_page(&mut call.params)?;
    let call = call.ready(Returns::List("item"))?;
    Ok(call.engine.list_line_items(&call.context, call.id(), &page).await?)
}

/// Takes the parameters that this server uses. The rest stays to be echoed.
fn take_input(params: &mut ExtraParams) -> Result<CheckoutInput, Error> {
    let line_items = match params.take("line_items") {
        Some(ExtraParams::List(items)) => items,
        _ => Vec::new(),
    };
    let mode = take_mode(params, !line_items.is_empty())?;
    reject_absent(params, mode)?;
    if params.at(&["customer"]).is_some() && params.at(&["customer_email"]).is_some() {
        return Err(Error::exclusive(&["customer", "customer_email"]));
    }
    check_email(params.text(&["customer_email"]), "customer_email")?;
    for name in ["cancel_url", "return_url", "success_url"] {
        check_page_url(params.text(&[name]), name)?;
    }
    let percent = params.text(&["subscription_data", "application_fee_percent"]);
    check_fee_percent(percent, "subscription_data[application_fee_percent]")?;
    let currency = take_text(params, "currency");
    check_currency(currency.as_deref(), "currency")?;
    let line_items = take_line_items(mode, line_items)?;
    let collection = collection::take(params, &["payment_method_options"])?.unwrap_or_default();
    let said = currency.and_then(|code| Currency::parse(&code));
    Ok(CheckoutInput {
        mode,
        customer: take_text(params, "customer"),
        customer_email: params.text(&["customer_email"]).map(str::to_owned),
        expires_at: params.integer(&["expires_at"]).map(AccountTime),
        currency: said,
        line_items,
        method_types: take_types(params)?,
        collection,
        metadata: take_metadata(params),
        given: ExtraParams::empty(),
    })
}

/// Takes the mode of a session. The guide's own call names neither a mode nor line items. It
/// collects a bank account, so the session becomes a setup.
fn take_mode(params: &mut ExtraParams, has_items: bool) -> Result<CheckoutMode, Error> {
    let mode = take_text(params, "mode");
    match mode.as_deref() {
        Some(word) => {
            CheckoutMode::from_word(word).ok_or_else(|| Error::bad_choice("mode", &["payment"]))
        }
        None if has_items => Err(Error::missing_param("mode")),
        None => Ok(CheckoutMode::Setup),
    }
}

/// Rejects features that this server lacks, and parameters that belong to another mode.
fn reject_absent(params: &ExtraParams, mode: CheckoutMode) -> Result<(), Error> {
    let reject = |message: &str, param: &str| Err(Error::invalid(message).param(param));
    if params.text(&["ui_mode"]).is_some_and(|word| word != "hosted_page") {
        let message = "This server shows Checkout on its own page only: ui_mode is hosted_page.";
        return reject(message, "ui_mode");
    }
    if params.at(&["optional_items"]).is_some() {
        let message = "This server's page offers no optional items.";
        return reject(message, "optional_items");
    }
    let manual = params.text(&["payment_intent_data", "capture_method"]) == Some("manual");
    if manual {
        let message = "A us_bank_account is debited at once; capture_method=manual is for other \
                       types of payment method.";
        return reject(message, "payment_intent_data[capture_method]");
    }
    let of_other_modes: &[&str] = match mode {
        CheckoutMode::Payment => &["setup_intent_data", "subscription_data"],
        CheckoutMode::Setup => &["invoice_creation", "payment_intent_data", "subscription_data"],
        CheckoutMode::Subscription => {
            &["invoice_creation", "payment_intent_data", "setup_intent_data"]
        }
    };
    match of_other_modes.iter().find(|name| params.at(&[name]).is_some()) {
        Some(name) => {
            let message = format!("{name} does not go with mode={}.", mode.word());
            Err(Error::invalid(message).param(*name))
        }
        None => Ok(()),
    }
}

fn take_line_items(
    mode: CheckoutMode,
    items: Vec<ExtraParams>,
) -> Result<Vec<LineItemInput>, Error> {
    if mode == CheckoutMode::Setup {
        if items.is_empty() {
            return Ok(Vec::new());
        }
        let message = "Nothing is paid in mode=setup, so there are no line items.";
        return Err(Error::invalid(message).param("line_items"));
    }
    if items.is_empty() {
        return Err(Error::missing_param("line_items"));
    }
    if items.len() > LINE_ITEMS_MAX {
        let message = format!("A Checkout Session has at most {LINE_ITEMS_MAX} line items.");
        return Err(Error::invalid(message).param("line_items"));
    }
    let read = |(index, item)| read_line_item(item, format!("line_items[{index}]"));
    items.into_iter().enumerate().map(read).collect()
}

fn read_line_item(mut item: ExtraParams, path: String) -> Result<LineItemInput, Error> {
    let price = take_text(&mut item, "price");
    let price_data = match item.take("price_data") {
        Some(data) => {
            let path = format!("{path}[price_data]");
            check_currency(data.text(&["currency"]), &format!("{path}[currency]"))?;
            let mut data = take_price(data, &path)?;
            // A product that is created for one session is not for sale.
            data.active = Some(false);
            Some(Box::new(data))
        }
        None => None,
    };
    if price.is_none() && price_data.is_none() {
        return Err(Error::missing_param(&format!("{path}[price]")));
    }
    let Some(quantity) = take_integer(&mut item, "quantity") else {
        return Err(Error::missing_param(&format!("{path}[quantity]")));
    };
    Ok(LineItemInput { path, price, price_data, quantity, given: item })
}

fn check_currency(code: Option<&str>, path: &str) -> Result<(), Error> {
    match code {
        None | Some("usd") => Ok(()),
        Some(_) => {
            let message = "Bank accounts of the type us_bank_account are debited in usd only.";
            Err(Error::invalid(message).param(path))
        }
    }
}
