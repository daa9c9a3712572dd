//! Subscriptions and their items.

use super::invoice::{OPTIONS, check_days_until_due, settings_types, take_currency};
use super::product::take_price;
use crate::http::call::{Call, Outcome};
use crate::http::connections::collection;
use crate::http::connections::customer::bounds;
use crate::http::extra_params::{
    read, take_boolean, take_created, take_integer, take_metadata, take_text,
};
use engine::payments::subscription::item::SubscriptionItemInput;
use engine::payments::subscription::{
    Cancel, StatusFilter, SubscriptionFilter, SubscriptionInput, Trial,
};
use model::Word;
use model::clock::AccountTime;
use model::extra_params::ExtraParams;
use model::payments::subscription::{CollectionMethod, SubscriptionStatus};
use wire::change::FEEDBACK_OPTION;
use wire::error::Error;
use wire::expand::Returns;
use wire::list::take_page;
use wire::params::Params;

pub(in crate::http) async fn create(mut call: Call) -> Outcome {
    let params = read(&mut call, "POST /v1/subscriptions")?;
    let input = take_subscription(params)?;
    let call = call.ready(Returns::Object("subscription"))?;
    Ok(call.engine.create_subscription(&call.context, &input).await?)
}

pub(in crate::http) async fn retrieve(call: Call) -> Outcome {
    let call = call.ready(Returns::Object("subscription"))?;
    Ok(call.engine.retrieve_subscription(&call.context, call.id()).await?)
}

pub(in crate::http) async fn update(mut call: Call) -> Outcome {
    let mut params = read(&mut call, "POST /v1/subscriptions/{id}")?;
    // These belong to a single invoice and cannot be added later, because the server creates no
    // invoices between periods.
    params.take("add_invoice_items");
    // A hash since endive, and a word before.
    let anchor = params.take("billing_cycle_anchor");
    let is_now =
        |path: &[&str]| anchor.as_ref().and_then(|anchor| anchor.text(path)) == Some("now");
    let resets_anchor = is_now(&[]) || is_now(&["type"]);
    let input = SubscriptionInput { resets_anchor, ..take_subscription(params)? };
    let call = call.ready(Returns::Object("subscription"))?;
    Ok(call.engine.update_subscription(&call.context, call.id(), &input).await?)
}

pub(in crate::http) async fn cancel(mut call: Call) -> Outcome {
    let names: &[&str] = if call.version().has(&FEEDBACK_OPTION) {
        &["comment", "feedback", "feedback_option"]
    } else {
        &["comment", "feedback"]
    };
    let params = &mut call.params;
    // The server does not prorate and does not create a final invoice.
    params.boolean("invoice_now")?;
    params.boolean("prorate")?;
    let mut details = None;
    if let Some(mut hash) = params.hash("cancellation_details")? {
        let mut said = ExtraParams::empty();
        for name in names {
            if let Some(text) = hash.text(name)? {
                said.put(name, ExtraParams::Text(text));
            }
        }
        hash.finish()?;
        details = Some(said);
    }
    let call = call.ready(Returns::Object("subscription"))?;
    Ok(call.engine.cancel_subscription(&call.context, call.id(), details).await?)
}

pub(in crate::http) async fn list(mut call: Call) -> Outcome {
    let params = &mut call.params;
    for name in ["automatic_tax", "customer_account"] {
        params.ignore(name);
    }
    let filter = SubscriptionFilter {
        customer: params.text("customer")?,
        test_clock: params.text("test_clock")?,
        status: take_status(params)?,
        price: params.text("price")?,
        collection_method: params.choice("collection_method")?,
        period_begins: bounds(params.range("current_period_start")?),
        period_ends: bounds(params.range("current_period_end")?),
        created: take_created(params)?,
        page: take_page(params)?,
    };
    let call = call.ready(Returns::List("subscription"))?;
    Ok(call.engine.list_subscriptions(&call.context, &filter).await?)
}

pub(in crate::http) async fn retrieve_item(call: Call) -> Outcome {
    let call = call.ready(Returns::Object("subscription_item"))?;
    Ok(call.engine.retrieve_subscription_item(&call.context, call.id()).await?)
}

pub(in crate::http) async fn list_items(mut call: Call) -> Outcome {
    let subscription = call.params.need("subscription", Params::text)?;
    let page = take_page(&mut call.params)?;
    let call = call.ready(Returns::List("subscription_item"))?;
    Ok(call.engine.list_subscription_items(&call.context, &subscription, &page).await?)
}

fn take_status(params: &mut Params) -> Result<StatusFilter, Error> {
    let Some(word) = params.text("status")? else { return Ok(StatusFilter::NotCanceled) };
    match word.as_str() {
        "all" => Ok(StatusFilter::All),
        "ended" => Ok(StatusFilter::Ended),
        other => SubscriptionStatus::from_word(other).map(StatusFilter::Is).ok_or_else(|| {
            let mut words = vec!["all", "ended"];
            words.extend(SubscriptionStatus::ALL.iter().map(|status| status.word()));
            words.sort_unstable();
            Error::bad_choice("status", &words)
        }),
    }
}

/// Takes the parameters that this server uses. The rest stays to be echoed.
fn take_subscription(mut params: ExtraParams) -> Result<SubscriptionInput, Error> {
    let collection = collection::take(&mut params, &OPTIONS)?;
    take_currency(&mut params)?;
    check_fee_percent(params.text(&["application_fee_percent"]), "application_fee_percent")?;
    let save = params.text(&["payment_settings", "save_default_payment_method"]);
    let saves_method = save.map(|word| word == "on_subscription");
    let method_types = settings_types(&params)?;
    let behavior = take_text(&mut params, "payment_behavior");
    let collection_method = take_text(&mut params, "collection_method");
    let days_until_due = take_integer(&mut params, "days_until_due");
    check_days_until_due(days_until_due)?;
    Ok(SubscriptionInput {
        customer: take_text(&mut params, "customer"),
        items: take_items(params.take("items"), "items")?,
        once: take_items(params.take("add_invoice_items"), "add_invoice_items")?,
        collection_method: collection_method.and_then(|word| CollectionMethod::from_word(&word)),
        days_until_due,
        default_payment_method: take_text(&mut params, "default_payment_method"),
        saves_method,
        method_types,
        collection,
        trial: take_trial(&mut params)?,
        incomplete: behavior.as_deref() == Some("default_incomplete"),
        must_pay: behavior.as_deref() == Some("error_if_incomplete"),
        cancel: take_cancel(&mut params)?,
        resets_anchor: false,
        metadata: take_metadata(&mut params),
        given: params,
    })
}

/// Rejects a fee percentage that is not between 0 and 100.
pub(super) fn check_fee_percent(percent: Option<&str>, path: &str) -> Result<(), Error> {
    let hundredths = |text: &str| model::payments::invoice::cost(text, 100);
    let fits = |text: &str| hundredths(text).is_some_and(|part| (0..=10_000).contains(&part));
    if percent.is_some_and(|text| !fits(text)) {
        let message = "A percentage is from 0 to 100.";
        return Err(Error::invalid(message).param(path));
    }
    Ok(())
}

fn take_items(value: Option<ExtraParams>, name: &str) -> Result<Vec<SubscriptionItemInput>, Error> {
    let Some(ExtraParams::List(items)) = value else { return Ok(Vec::new()) };
    let read = |(index, item)| take_item(item, format!("{name}[{index}]"));
    items.into_iter().enumerate().map(read).collect()
}

fn take_item(mut params: ExtraParams, path: String) -> Result<SubscriptionItemInput, Error> {
    let price_data = match params.take("price_data") {
        Some(data) => {
            let mut data = take_price(data, &format!("{path}[price_data]"))?;
            // A product that is created for one use is not for sale.
            data.active = Some(false);
            Some(Box::new(data))
        }
        None => None,
    };
    let quantity = take_integer(&mut params, "quantity");
    if quantity.is_some_and(|quantity| quantity < 0) {
        let message = "A quantity cannot be below 0.";
        return Err(Error::invalid(message).param(format!("{path}[quantity]")));
    }
    Ok(SubscriptionItemInput {
        path,
        id: take_text(&mut params, "id"),
        deleted: take_boolean(&mut params, "deleted") == Some(true),
        price: take_text(&mut params, "price"),
        price_data,
        quantity,
        metadata: take_metadata(&mut params),
        given: params,
    })
}

pub(in crate::http) fn take_trial(params: &mut ExtraParams) -> Result<Option<Trial>, Error> {
    params.take("trial_from_plan");
    let end = params.take("trial_end");
    let days = take_integer(params, "trial_period_days");
    match (end, days) {
        (Some(_), Some(_)) => Err(Error::exclusive(&["trial_end", "trial_period_days"])),
        (Some(ExtraParams::Integer(at)), None) => Ok(Some(Trial::At(AccountTime(at)))),
        (Some(_), None) => Ok(Some(Trial::Now)),
        (None, Some(days)) if days < 0 => {
            let message = "A trial cannot be shorter than no day.";
            Err(Error::invalid(message).param("trial_period_days"))
        }
        (None, days) => Ok(days.map(Trial::Days)),
    }
}

fn take_cancel(params: &mut ExtraParams) -> Result<Option<Cancel>, Error> {
    let at = params.take("cancel_at");
    let by_period = take_boolean(params, "cancel_at_period_end");
    match (at, by_period) {
        (Some(at), Some(true)) if at != ExtraParams::Unset => {
            Err(Error::exclusive(&["cancel_at", "cancel_at_period_end"]))
        }
        (_, Some(true)) => Ok(Some(Cancel::PeriodEnd("cancel_at_period_end"))),
        (Some(ExtraParams::Integer(at)), _) => Ok(Some(Cancel::At(AccountTime(at)))),
        // All items end their period at the same time.
        (Some(ExtraParams::Text(_)), _) => Ok(Some(Cancel::PeriodEnd("cancel_at"))),
        (Some(_), _) | (None, Some(false)) => Ok(Some(Cancel::Never)),
        (None, None) => Ok(None),
    }
}
