//! Confirmation tokens (`confirmation_token`).

use super::payment_method::value as method_value;
use crate::render::extra_params::{merge, value as param_value};
use model::extra_params::ExtraParams;
use model::payments::confirmation_token::ConfirmationToken;
use serde_json::{Value, json};

/// The members of a payment method that its preview has.
const PREVIEWED: [&str; 6] = [
    "allow_redisplay",
    "billing_details",
    "customer",
    "customer_account",
    "type",
    "us_bank_account",
];

/// Renders a confirmation token.
pub fn value(token: &ConfirmationToken) -> Value {
    let mut method = method_value(&token.method);
    if let Some(members) = method.as_object_mut() {
        members.retain(|name, _| PREVIEWED.contains(&name.as_str()));
    }
    let used_by = |prefix: &str| token.used_by.as_deref().filter(|id| id.starts_with(prefix));
    json!({
        "id": token.id.to_string(),
        "object": "confirmation_token",
        "created": token.created.0,
        "expires_at": token.expires_at().0,
        "livemode": token.livemode,
        "mandate_data": {"customer_acceptance": acceptance(&token.acceptance)},
        "payment_intent": used_by("pi_"),
        "payment_method_options": null,
        "payment_method_preview": method,
        "return_url": token.return_url,
        "setup_future_usage": token.setup_future_usage,
        "setup_intent": used_by("seti_"),
        "shipping": token.shipping.as_ref().map(shipping),
        "use_stripe_sdk": true,
    })
}

fn acceptance(given: &ExtraParams) -> Value {
    let online = |name: &str| given.text(&["online", name]);
    json!({
        "online": {"ip_address": online("ip_address"), "user_agent": online("user_agent")},
        "type": given.text(&["type"]),
    })
}

fn shipping(given: &ExtraParams) -> Value {
    let mut shown = json!({
        "address": {
            "city": null, "country": null, "line1": null, "line2": null,
            "postal_code": null, "state": null,
        },
        "name": null,
        "phone": null,
    });
    merge(&mut shown, param_value(given));
    shown
}
