//! Checkout Sessions and their line items.

use super::intent::put_link_requirements;
use super::method_configuration::details;
use super::product::price_value;
use crate::address::HostedPage;
use crate::render::View;
use crate::render::extra_params::{Shown, add_defaults, value as param_value};
use model::Word;
use model::payments::checkout::{CheckoutMode, CheckoutSession, LineItem};
use model::payments::method_configuration::types_offered;
use serde_json::{Value, json};
use std::sync::LazyLock;

static SESSION: LazyLock<Value> = LazyLock::new(|| {
    json!({
        "object": "checkout.session",
        "adaptive_pricing": null,
        "after_expiration": null,
        "allow_promotion_codes": null,
        "automatic_tax": {"enabled": false, "liability": null, "provider": null, "status": null},
        "billing_address_collection": null,
        "cancel_url": null,
        "client_reference_id": null,
        "client_secret": null,
        "collected_information": null,
        "consent": null,
        "consent_collection": null,
        "currency_conversion": null,
        "custom_fields": [],
        "custom_text": {
            "after_submit": null,
            "shipping_address": null,
            "submit": null,
            "terms_of_service_acceptance": null,
        },
        "customer_account": null,
        "customer_creation": null,
        "customer_email": null,
        "discounts": [],
        "integration_identifier": null,
        "invoice": null,
        "invoice_creation": null,
        "locale": null,
        "managed_payments": null,
        "optional_items": null,
        "origin_context": null,
        "payment_link": null,
        "payment_method_collection": "if_required",
        "payment_method_configuration_details": null,
        "payment_method_options": {},
        "permissions": null,
        "phone_number_collection": {"enabled": false},
        "recovered_from": null,
        "saved_payment_method_options": null,
        "shipping_address_collection": null,
        "shipping_cost": null,
        "submit_type": null,
        "subscription": null,
        "success_url": null,
        "ui_mode": "hosted_page",
        "wallet_options": null,
    })
});

/// The defaults of hashes that a request may send in part. The colours are neutral.
static DEFAULTS: LazyLock<Value> = LazyLock::new(|| {
    let recovery =
        json!({"allow_promotion_codes": false, "enabled": false, "expires_at": null, "url": null});
    json!({
        "after_expiration": {"recovery": recovery},
        "branding_settings": {
            "background_color": "#ffffff",
            "border_style": "rounded",
            "button_color": "#0074d4",
            "display_name": "",
            "font_family": "default",
            "icon": null,
            "logo": null,
        },
        "invoice_creation": {
            "enabled": false,
            "invoice_data": {
                "account_tax_ids": null,
                "custom_fields": null,
                "description": null,
                "footer": null,
                "issuer": null,
                "metadata": null,
                "rendering_options": null,
            },
        },
        "tax_id_collection": {"enabled": false, "required": "never"},
    })
});

/// Keys that are left out unless the request has them.
const SHOWN_WHEN_GIVEN: [&str; 4] =
    ["branding_settings", "excluded_payment_method_types", "name_collection", "tax_id_collection"];

/// Renders a session.
pub fn value(session: &CheckoutSession, view: &View<'_>) -> Value {
    let mut shown = Shown::of(&SESSION, &session.given);
    // Only versions before basil show it here.
    shown.put("shipping_details", Value::Null);
    for name in SHOWN_WHEN_GIVEN {
        if let Some(param) = session.given.at(&[name]) {
            shown.put(name, param_value(param));
        }
    }
    let amount = session.amount();
    let nothing_else = json!({"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0});
    let id = session.id();
    let page = || view.page(HostedPage::Checkout, session.merchant, session.number);
    let url = if session.is_open() { page() } else { None };
    let customer = session.customer.map(|customer| customer.to_string());
    let intent_of = |mode| session.intent.clone().filter(|_| session.mode == mode);
    let invoice = session.invoice.map(|invoice| invoice.to_string());
    let subscription = session.subscription.map(|subscription| subscription.to_string());
    let types = types_offered(session.method_types.as_deref(), session.configuration.as_ref());
    let allowed = session.given.at(&["allowed_payment_method_types"]).map(param_value);
    shown
        .put("id", id)
        .put("allowed_payment_method_types", allowed)
        .put("amount_subtotal", amount)
        .put("amount_total", amount)
        .put("created", session.created.0)
        .put("currency", session.currency.map(|currency| currency.as_str().to_owned()))
        .put("customer", customer)
        .put("customer_details", customer_details(session))
        .put("expires_at", session.expires_at.0)
        .put("invoice", invoice)
        .put("livemode", session.livemode)
        .put("metadata", json!(session.metadata))
        .put("mode", session.mode.word())
        .put("payment_intent", intent_of(CheckoutMode::Payment))
        .put("payment_method_configuration_details", details(session.configuration.as_ref()))
        .put("payment_method_types", types)
        .put("payment_status", session.payment_status.word())
        .put("setup_intent", intent_of(CheckoutMode::Setup))
        // A request has the data to create these, and an object shows the created ones.
        .put("shipping_options", json!([]))
        .put("status", session.status.word())
        .put("subscription", subscription)
        .put("total_details", amount.map(|_| nothing_else))
        .put("url", url);
    let mut value = shown.into_value();
    add_all_defaults(&mut value);
    for field in value["custom_fields"].as_array_mut().into_iter().flatten() {
        if field["optional"].is_null() {
            field["optional"] = false.into();
        }
    }
    let bank = &mut value["payment_method_options"]["us_bank_account"];
    if bank.is_null() {
        *bank = json!({});
    }
    put_link_requirements(bank, &session.collection, session.from_settings.as_ref());
    value
}

/// Adds the defaults to hashes that the request sent in part.
fn add_all_defaults(value: &mut Value) {
    for (name, defaults) in DEFAULTS.as_object().into_iter().flatten() {
        if let Some(member) = value.get_mut(name) {
            add_defaults(member, defaults.clone());
        }
    }
    for (_, options) in
        value.get_mut("name_collection").and_then(Value::as_object_mut).into_iter().flatten()
    {
        add_defaults(options, json!({"enabled": false, "optional": false}));
    }
}

/// Renders the known details of the payer.
fn customer_details(session: &CheckoutSession) -> Value {
    let email = session.payer_email();
    let name = &session.payer.name;
    if email.is_none() && name.is_none() {
        return Value::Null;
    }
    json!({
        "address": null,
        "business_name": null,
        "email": email,
        "individual_name": null,
        "name": name,
        "phone": null,
        "tax_exempt": "none",
        "tax_ids": [],
    })
}

/// Renders a list of line items of a session.
pub fn line_items(session: &CheckoutSession, items: &[LineItem], has_more: bool) -> Value {
    json!({
        "object": "list",
        "data": items.iter().map(line_item).collect::<Vec<_>>(),
        "has_more": has_more,
        "url": format!("/v1/checkout/sessions/{}/line_items", session.id()),
    })
}

fn line_item(item: &LineItem) -> Value {
    let adjustable = item.given.at(&["adjustable_quantity"]).map_or(Value::Null, param_value);
    let metadata = item.given.at(&["metadata"]).map_or_else(|| json!({}), param_value);
    json!({
        "id": item.id.to_string(),
        "object": "item",
        "adjustable_quantity": adjustable,
        "amount_discount": 0,
        "amount_subtotal": item.amount,
        "amount_tax": 0,
        "amount_total": item.amount,
        "currency": item.currency.as_str(),
        "description": item.name,
        "metadata": metadata,
        "price": price_value(&item.price),
        "quantity": item.quantity,
    })
}
