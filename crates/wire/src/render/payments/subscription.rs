//! Subscriptions and their items.

use super::intent::put_link_requirements;
use super::product::{plan_value, price_value};
use crate::render::extra_params::{Shown, add_defaults, show_number};
use model::Word;
use model::clock::AccountTime;
use model::payments::subscription::{Subscription, SubscriptionItem};
use serde_json::{Value, json};
use std::sync::LazyLock;

/// The keys of a subscription that are null unless the request has them.
const UNKNOWN: [&str; 14] = [
    "application_fee_percent",
    "billing_cycle_anchor_config",
    "billing_thresholds",
    "customer_account",
    "default_source",
    "description",
    "managed_payments",
    "next_pending_invoice_item_invoice",
    "on_behalf_of",
    "pause_collection",
    "pending_invoice_item_interval",
    "pending_update",
    "schedule",
    "transfer_data",
];

static SUBSCRIPTION: LazyLock<Value> = LazyLock::new(|| {
    let mut template = json!({
        "object": "subscription",
        "automatic_tax": {"disabled_reason": null, "enabled": false, "liability": null},
        "billing_mode": {"type": "flexible"},
        "cancellation_details": {
            "comment": null,
            "feedback": null,
            "feedback_option": null,
            "reason": null,
        },
        "invoice_settings": {
            "account_tax_ids": null,
            "custom_fields": null,
            "description": null,
            "footer": null,
            "issuer": {"type": "self"},
        },
        "payment_settings": {
            "payment_method_options": null,
            "payment_method_types": null,
            "save_default_payment_method": "off",
        },
        "trial_settings": {
            "end_behavior": {
                "billing_cycle_anchor": null,
                "missing_payment_method": "create_invoice",
            },
        },
    });
    for name in UNKNOWN {
        template[name] = Value::Null;
    }
    template
});

static ITEM: LazyLock<Value> = LazyLock::new(|| {
    json!({
        "object": "subscription_item",
        "billing_thresholds": null,
        "current_trial": null,
    })
});

/// Renders a subscription.
pub fn value(subscription: &Subscription) -> Value {
    let mut shown = Shown::of(&SUBSCRIPTION, &subscription.given);
    let customer = Some(subscription.customer.to_string());
    let method = subscription.default_payment_method.map(|id| id.to_string());
    let invoice = subscription.latest_invoice.map(|id| id.to_string());
    let setup = subscription.pending_setup_intent.map(|id| id.to_string());
    let at = |time: Option<AccountTime>| time.map(|time| time.0);
    let items: Vec<Value> =
        subscription.items.iter().map(|item| item_value(subscription, item)).collect();
    shown
        .put("id", subscription.id.to_string())
        .put("application", subscription.application.map(|id| id.to_string()))
        .put("billing_cycle_anchor", subscription.anchor.0)
        .put("cancel_at", at(subscription.cancel_at))
        .put("cancel_at_period_end", subscription.cancel_at_period_end)
        .put("canceled_at", at(subscription.canceled_at))
        .put("collection_method", subscription.collection_method.word())
        .put("created", subscription.created.0)
        .put("currency", subscription.currency.as_str())
        .put("customer", customer)
        .put("days_until_due", subscription.days_until_due)
        .put("default_payment_method", method)
        .put("ended_at", at(subscription.ended_at))
        .put("items", list(subscription, &items))
        .put("latest_invoice", invoice)
        .put("livemode", subscription.livemode)
        .put("metadata", json!(subscription.metadata))
        .put("pending_setup_intent", setup)
        // Before basil the whole subscription had one period.
        .put("current_period_end", subscription.period.1.0)
        .put("current_period_start", subscription.period.0.0)
        .put("discount", Value::Null)
        .put("start_date", subscription.created.0)
        .put("status", subscription.status.word())
        .put("test_clock", subscription.clock.map(|clock| clock.to_string()))
        // Stripe creates these from the request. This server supports none of them.
        .put("billing_schedules", json!([]))
        .put("default_tax_rates", json!([]))
        .put("discounts", json!([]))
        .put("trial_end", at(subscription.trial.map(|(_, end)| end)))
        .put("trial_start", at(subscription.trial.map(|(begin, _)| begin)));
    let mut value = shown.into_value();
    show_number(&mut value["application_fee_percent"]);
    add_defaults(&mut value["pending_invoice_item_interval"], json!({"interval_count": 1}));
    value["cancellation_details"]["reason"] = json!(subscription.cancel_reason);
    let settings = &mut value["payment_settings"];
    settings["payment_method_types"] = json!(subscription.method_types);
    let options = &mut settings["payment_method_options"];
    if options.is_object() && !options["us_bank_account"].is_null() {
        let from_settings = subscription.from_settings.as_ref();
        put_link_requirements(
            &mut options["us_bank_account"],
            &subscription.collection,
            from_settings,
        );
    }
    value
}

/// Renders the list of items that a subscription shows.
fn list(subscription: &Subscription, items: &[Value]) -> Value {
    json!({
        "object": "list",
        "data": items,
        "has_more": false,
        "url": format!("/v1/subscription_items?subscription={}", subscription.id),
    })
}

/// Renders an item of a subscription.
pub fn item_value(subscription: &Subscription, item: &SubscriptionItem) -> Value {
    let mut shown = Shown::of(&ITEM, &item.given);
    let (begin, end) = subscription.period;
    shown
        .put("id", item.id.to_string())
        .put("created", item.created.0)
        .put("current_period_end", end.0)
        .put("current_period_start", begin.0)
        .put("metadata", json!(item.metadata))
        .put("plan", plan_value(&item.price))
        .put("price", price_value(&item.price))
        .put("quantity", item.quantity)
        .put("discounts", json!([]))
        .put("subscription", subscription.id.to_string())
        .put("tax_rates", json!([]));
    shown.into_value()
}
