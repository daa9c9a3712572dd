//! Payment methods of the type `us_bank_account`.

use crate::render::extra_params::{Shown, merge, value as param_value};
use model::Word;
use model::extra_params::ExtraParams;
use model::payments::payment_method::PaymentMethod;
use serde_json::{Value, json};
use std::sync::LazyLock;

static TEMPLATE: LazyLock<Value> = LazyLock::new(|| {
    json!({
        "object": "payment_method",
        "allow_redisplay": "unspecified",
        "customer_account": null,
        "type": "us_bank_account",
    })
});

/// Renders a payment method.
pub fn value(method: &PaymentMethod) -> Value {
    let mut shown = Shown::of(&TEMPLATE, &ExtraParams::empty());
    let billing = billing_details(Some(&method.billing_details));
    if let Some(word) = &method.allow_redisplay {
        shown.put("allow_redisplay", word.as_str());
    }
    let customer = method.customer.map(|customer| customer.to_string());
    shown
        .put("id", method.id.to_string())
        .put("created", method.created.0)
        .put("livemode", method.livemode)
        .put("billing_details", billing)
        .put("customer", customer)
        .put("metadata", json!(method.metadata))
        .put(
            "us_bank_account",
            json!({
                "account_holder_type": method.holder_type.word(),
                "account_type": method.account_type.word(),
                "bank_name": method.bank_name,
                "financial_connections_account":
                    method.account.map(|account| account.to_string()),
                "fingerprint": method.fingerprint,
                "last4": method.last4,
                "networks": {"preferred": "ach", "supported": ["ach"]},
                "routing_number": method.routing_number,
                "status_details": status_details(method),
            }),
        );
    shown.into_value()
}

fn status_details(method: &PaymentMethod) -> Value {
    match &method.block {
        Some(block) => json!({"blocked": {
            "network_code": block.network_code,
            "reason": block.reason.word(),
        }}),
        None => json!({}),
    }
}

/// Renders the holder's name, address and so on. Without details all of them are null.
pub fn billing_details(details: Option<&ExtraParams>) -> Value {
    let mut billing = json!({
        "address": {
            "city": null, "country": null, "line1": null, "line2": null,
            "postal_code": null, "state": null,
        },
        "email": null,
        "name": null,
        "phone": null,
        "tax_id": null,
    });
    if let Some(details) = details {
        merge(&mut billing, param_value(details));
    }
    billing
}
