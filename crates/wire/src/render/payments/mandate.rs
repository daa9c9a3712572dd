//! Mandates.

use crate::render::extra_params::value as param_value;
use model::Word;
use model::payments::mandate::{Mandate, MandateKind};
use serde_json::{Value, json};

/// Renders a mandate.
pub fn value(mandate: &Mandate) -> Value {
    let mut acceptance = json!({
        "accepted_at": mandate.created.0,
        "offline": {},
        "online": null,
        "type": "offline",
    });
    crate::render::extra_params::merge(&mut acceptance, param_value(&mandate.acceptance));
    if acceptance["type"] == "online" {
        crate::render::extra_params::leave_out(&mut acceptance, "offline");
    } else {
        crate::render::extra_params::leave_out(&mut acceptance, "online");
    }
    let method = Some(mandate.payment_method.to_string());
    let mut shown = json!({
        "id": mandate.id.to_string(),
        "object": "mandate",
        "customer_acceptance": acceptance,
        "livemode": mandate.livemode,
        "payment_method": method,
        "payment_method_details": {
            "type": "us_bank_account",
            "us_bank_account": {},
        },
        "status": mandate.status.word(),
        "type": mandate.kind.word(),
    });
    match (mandate.kind, mandate.single_use) {
        (MandateKind::SingleUse, Some((amount, currency))) => {
            shown["single_use"] = json!({"amount": amount, "currency": currency.as_str()});
        }
        _ => shown["multi_use"] = json!({}),
    }
    shown
}
