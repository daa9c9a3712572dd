//! Payment method configurations, and their decision for a payment object.

use model::Word;
use model::payments::method_configuration::{
    BANK_ACCOUNT, ConfiguredBy, MethodConfiguration, Preference,
};
use serde_json::{Value, json};

/// Payment methods that requests can set and configurations never show.
const NOT_SHOWN: [&str; 2] = ["apple_pay_later", "fr_meal_voucher_conecs"];

/// Renders a configuration. Bank accounts are always shown. Other payment methods are shown if the
/// request set them, and are never available on this server.
pub fn value(configuration: &MethodConfiguration) -> Value {
    let mut shown = json!({
        "id": configuration.id.to_string(),
        "object": "payment_method_configuration",
        "active": configuration.active,
        "application": null,
        "is_default": configuration.is_default,
        "livemode": configuration.livemode,
        "name": configuration.name,
        "parent": configuration.parent,
    });
    let preferences = configuration.preferences.iter();
    for (name, preference) in preferences.filter(|(name, _)| !NOT_SHOWN.contains(&name.as_str())) {
        shown[name.as_str()] = method(false, *preference);
    }
    let offered = configuration.offers_bank_account();
    shown[BANK_ACCOUNT] = method(offered, configuration.bank_account());
    shown
}

fn method(offered: bool, preference: Preference) -> Value {
    json!({
        "available": offered,
        "display_preference": {
            "overridable": null,
            "preference": preference.word(),
            "value": if offered { "on" } else { "off" },
        },
    })
}

/// Renders the decision of a configuration, as the payment object shows it.
pub(crate) fn details(configuration: Option<&ConfiguredBy>) -> Value {
    match configuration {
        Some(decided) => json!({"id": decided.id.to_string(), "parent": decided.parent}),
        None => Value::Null,
    }
}
