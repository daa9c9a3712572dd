//! Charges. This server has no balance, so their balance transactions are null. Every debit is
//! captured at its start. `paid` is true once it succeeded.

use super::payment_method::billing_details;
use crate::render::extra_params::Shown;
use model::Word;
use model::payments::charge::{Charge, ChargeStatus};
use model::payments::intent::{ACCOUNT_BLOCKED_CODE, BLOCKED_CODE};
use serde_json::{Value, json};
use std::sync::LazyLock;

static TEMPLATE: LazyLock<Value> = LazyLock::new(|| {
    json!({
        "object": "charge",
        "application_fee": null,
        "application_fee_amount": null,
        "balance_transaction": null,
        "calculated_statement_descriptor": null,
        "description": null,
        "failure_balance_transaction": null,
        "fraud_details": {},
        "on_behalf_of": null,
        "radar_options": {},
        "receipt_email": null,
        "receipt_number": null,
        "receipt_url": null,
        "review": null,
        "shipping": null,
        "source_transfer": null,
        "statement_descriptor": null,
        "statement_descriptor_suffix": null,
        "transfer_data": null,
        "transfer_group": null,
    })
});

/// Renders a charge.
pub fn value(charge: &Charge) -> Value {
    let mut shown = Shown::of(&TEMPLATE, &charge.given);
    let failure = charge.failure.as_ref();
    let failed = charge.status == ChargeStatus::Failed;
    let captured = if failed { 0 } else { charge.amount };
    shown
        .put("id", charge.id.to_string())
        .put("amount", charge.amount)
        .put("amount_captured", captured)
        .put("amount_refunded", charge.amount_refunded)
        .put("application", charge.application.map(|id| id.to_string()))
        .put("billing_details", billing_details(Some(&charge.billing_details)))
        .put("captured", !failed)
        .put("created", charge.created.0)
        .put("currency", charge.currency.as_str())
        .put("customer", charge.customer.map(|customer| customer.to_string()))
        .put("disputed", charge.disputed)
        .put("failure_code", failure.map(|failure| failure.code.as_str()))
        .put("failure_message", failure.map(|failure| failure.message.as_str()))
        // Versions before basil show the invoice.
        .put("invoice", charge.invoice.map(|invoice| invoice.to_string()))
        .put("livemode", charge.livemode)
        .put("metadata", json!(charge.metadata))
        .put("outcome", outcome(charge))
        .put("paid", charge.status == ChargeStatus::Succeeded)
        .put("payment_intent", charge.payment_intent.to_string())
        .put("payment_method", charge.payment_method.to_string())
        .put("payment_method_details", method_details(charge))
        .put("refunded", charge.is_refunded())
        .put("status", charge.status.word());
    let mut value = shown.into_value();
    if value["transfer_data"]["destination"].is_null() {
        value["transfer_data"] = Value::Null;
    }
    value
}

/// Renders the decision of the holder's bank, or of the check of the risk before.
fn outcome(charge: &Charge) -> Value {
    let failure = charge.failure.as_ref();
    let blocked = failure.and_then(|failure| match failure.code.as_str() {
        BLOCKED_CODE => {
            Some(("highest_risk_level", "highest", "This payment was blocked as too risky."))
        }
        ACCOUNT_BLOCKED_CODE => {
            Some((ACCOUNT_BLOCKED_CODE, "not_assessed", failure.message.as_str()))
        }
        _ => None,
    });
    if let Some((reason, risk_level, message)) = blocked {
        return json!({
            "advice_code": null,
            "network_advice_code": null,
            "network_decline_code": null,
            "network_status": "not_sent_to_network",
            "reason": reason,
            "risk_level": risk_level,
            "seller_message": message,
            "type": "blocked",
        });
    }
    let (status, word, message) = match failure {
        Some(failure) => ("declined_by_network", "issuer_declined", failure.message.as_str()),
        None => ("approved_by_network", "authorized", "Payment complete."),
    };
    json!({
        "advice_code": null,
        "network_advice_code": null,
        "network_decline_code": null,
        "network_status": status,
        "reason": failure.map(|failure| failure.code.as_str()),
        "risk_level": "not_assessed",
        "seller_message": message,
        "type": word,
    })
}

fn method_details(charge: &Charge) -> Value {
    let bank = &charge.bank;
    let mut details = json!({
        "account_holder_type": bank.holder_type.word(),
        "account_type": bank.account_type.word(),
        "bank_name": bank.bank_name,
        "fingerprint": bank.fingerprint,
        "last4": bank.last4,
        "payment_reference": null,
        "routing_number": bank.routing_number,
    });
    if let Some(mandate) = charge.mandate {
        details["mandate"] = mandate.to_string().into();
    }
    json!({"type": "us_bank_account", "us_bank_account": details})
}
