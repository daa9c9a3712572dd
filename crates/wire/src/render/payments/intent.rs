//! Payment Intents and Setup Intents.

use super::method_configuration::details;
use crate::address::HostedPage;
use crate::render::View;
use crate::render::extra_params::{Shown, leave_out};
use model::Word;
use model::clock::DAY_S;
use model::collection::Collection;
use model::payments::intent::{Intent, IntentError, IntentStatus, Purpose};
use model::payments::method_configuration::types_offered;
use serde_json::{Map, Value, json};
use std::sync::LazyLock;

static PAYMENT: LazyLock<Value> = LazyLock::new(|| {
    json!({
        "object": "payment_intent",
        "allowed_payment_method_types": null,
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "application_fee_amount": null,
        "automatic_payment_methods": null,
        "capture_method": "automatic",
        "confirmation_method": "automatic",
        "customer_account": null,
        "description": null,
        "excluded_payment_method_types": null,
        "on_behalf_of": null,
        "payment_method_configuration_details": null,
        "payment_method_options": {},
        "payment_record": null,
        "processing": null,
        "receipt_email": null,
        "review": null,
        "setup_future_usage": null,
        "shipping": null,
        "statement_descriptor": null,
        "statement_descriptor_suffix": null,
        "transfer_data": null,
        "transfer_group": null,
    })
});

static SETUP: LazyLock<Value> = LazyLock::new(|| {
    json!({
        "object": "setup_intent",
        "allowed_payment_method_types": null,
        "automatic_payment_methods": null,
        "customer_account": null,
        "description": null,
        "excluded_payment_method_types": null,
        "flow_directions": null,
        "latest_attempt": null,
        "on_behalf_of": null,
        "payment_method_configuration_details": null,
        "payment_method_options": {},
        "usage": "off_session",
    })
});

/// Renders an intent of either kind. `failed_method` is the payment method of its last error. If
/// `publishable` is true, the reader is a browser that has only a client secret.
pub fn value(
    intent: &Intent,
    view: &View<'_>,
    publishable: bool,
    failed_method: Option<&Value>,
) -> Value {
    let template = if intent.is_payment() { &PAYMENT } else { &SETUP };
    let mut shown = Shown::of(template, &intent.given);
    let (canceled_at, reason) = match &intent.canceled {
        Some((at, reason)) => (Some(at.0), reason.clone()),
        None => (None, None),
    };
    let customer = intent.customer.map(|customer| customer.to_string());
    let method = intent.payment_method.map(|method| method.to_string());
    shown
        .put("id", intent.id())
        .put("created", intent.created.0)
        .put("livemode", intent.livemode)
        // Events are stored without it.
        .put("client_secret", Some(&*intent.client_secret).filter(|secret| !secret.is_empty()))
        .put("application", intent.application.map(|id| id.to_string()))
        .put("cancellation_reason", reason)
        .put("customer", customer)
        .put("metadata", json!(intent.metadata))
        .put("next_action", next_action(intent, view))
        .put("payment_method", method)
        .put("payment_method_configuration_details", details(intent.configuration.as_ref()))
        .put("payment_method_types", json!(method_types(intent)))
        .put("status", intent.status.word());
    let error = intent.last_error.as_ref().map(|error| last_error(error, failed_method));
    match intent.purpose {
        Purpose::Payment { amount, currency } => {
            let charge = intent.latest_charge.map(|charge| charge.to_string());
            let received = if intent.status == IntentStatus::Succeeded { amount } else { 0 };
            shown
                .put("amount", amount)
                .put("amount_received", received)
                .put("canceled_at", canceled_at)
                .put("currency", currency.as_str())
                // Versions before basil show the invoice.
                .put("invoice", intent.invoice.map(|invoice| invoice.to_string()))
                .put("last_payment_error", error)
                .put("latest_charge", charge);
        }
        Purpose::Setup => {
            if let Some(to_self) = intent.given.boolean(&["attach_to_self"]) {
                shown.put("attach_to_self", to_self);
            }
            let mandate = intent.mandate.map(|mandate| mandate.to_string());
            let once = intent.given.at(&["single_use"]).is_some();
            let (single_use, reusable) = if once { (mandate, None) } else { (None, mandate) };
            shown
                .put("last_setup_error", error)
                .put("mandate", reusable)
                .put("single_use_mandate", single_use);
        }
    }
    let mut value = shown.into_value();
    let automatic = &mut value["automatic_payment_methods"];
    if intent.method_types.is_none() && automatic.is_null() {
        *automatic = json!({"allow_redirects": "always", "enabled": true});
    }
    if intent.is_payment() && value["transfer_data"]["destination"].is_null() {
        value["transfer_data"] = Value::Null;
    }
    let bank = &mut value["payment_method_options"]["us_bank_account"];
    if method_types(intent).iter().any(|name| name == "us_bank_account") || !bank.is_null() {
        if bank.is_null() {
            *bank = json!({});
        }
        put_link_requirements(bank, &intent.collection, intent.from_settings.as_ref());
    } else {
        leave_out(&mut value["payment_method_options"], "us_bank_account");
    }
    if publishable {
        // A browser gets the fields that it needs to continue, and none of the merchant's own.
        for hidden in ["application_fee_amount", "transfer_data", "transfer_group"] {
            leave_out(&mut value, hidden);
        }
        leave_out_metadata(&mut value);
    }
    value
}

/// Removes metadata from an object and from the objects in it.
pub fn leave_out_metadata(value: &mut Value) {
    if let Some(members) = value.as_object_mut() {
        members.remove("metadata");
        members.values_mut().for_each(leave_out_metadata);
    }
}

/// Adds the link requirements of a payment object. Requirements that come from the merchant's
/// settings are shown too, so that the object shows the permissions that its link flow requests.
pub(crate) fn put_link_requirements(
    bank: &mut Value,
    collection: &Collection,
    settings: Option<&Collection>,
) {
    bank["verification_method"] =
        collection.verification_method.map_or("automatic", Word::word).into();
    let words = |words: Vec<&'static str>| Value::from(words);
    let mut connections = json!({});
    let of_settings = settings.and_then(|settings| settings.permissions.as_ref());
    if collection.permissions.as_ref().or(of_settings).is_some() {
        let permissions = collection.requested_permissions(settings);
        connections["permissions"] = words(permissions.iter().map(|word| word.word()).collect());
    }
    let prefetch = collection.requested_prefetch(settings);
    connections["prefetch"] = if collection.prefetch.is_some() || !prefetch.is_empty() {
        words(prefetch.iter().map(|word| word.word()).collect())
    } else {
        Value::Null
    };
    let mut filters = Map::new();
    if let Some(kinds) = &collection.account_subcategories {
        let kinds = words(kinds.iter().map(|kind| kind.word()).collect());
        filters.insert("account_subcategories".to_owned(), kinds);
    }
    // Previews alone show the bank and the mode.
    if let Some(institution) = collection.institution {
        filters.insert("institution".to_owned(), institution.to_string().into());
    }
    if !filters.is_empty() {
        connections["filters"] = filters.into();
    }
    if let Some(mode) = collection.manual_entry {
        connections["manual_entry"] = json!({"mode": mode.word()});
    }
    if let Some(url) = &collection.return_url {
        connections["return_url"] = url.as_str().into();
    }
    bank["financial_connections"] = connections;
}

fn method_types(intent: &Intent) -> Vec<String> {
    types_offered(intent.method_types.as_deref(), intent.configuration.as_ref())
}

fn last_error(error: &IntentError, failed_method: Option<&Value>) -> Value {
    let mut shown = json!({
        "code": error.code,
        "doc_url": format!("https://stripe.com/docs/error-codes/{}", error.code.replace('_', "-")),
        "message": error.message,
        "type": "invalid_request_error",
    });
    if let Some(charge) = error.charge {
        shown["charge"] = charge.to_string().into();
    }
    if let Some(method) = failed_method {
        shown["payment_method"] = method.clone();
    }
    shown
}

/// Returns the page on which a holder verifies the deposits of an intent.
pub fn deposits_page(intent: &Intent) -> HostedPage {
    match intent.purpose {
        Purpose::Payment { .. } => HostedPage::PaymentDeposits,
        Purpose::Setup => HostedPage::SetupDeposits,
    }
}

fn next_action(intent: &Intent, view: &View<'_>) -> Value {
    let Some(deposits) = intent.microdeposits else { return Value::Null };
    let page = deposits_page(intent);
    // Stripe shows the start of the day of arrival.
    let arrival_date = deposits.arrive_at.0 - deposits.arrive_at.0.rem_euclid(DAY_S);
    json!({
        "type": "verify_with_microdeposits",
        "verify_with_microdeposits": {
            "arrival_date": arrival_date,
            "hosted_verification_url": view.page(page, intent.merchant, intent.number),
            "microdeposit_type": deposits.kind.word(),
        },
    })
}
