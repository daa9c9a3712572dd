//! Refunds. This server has no balance, so their balance transactions are null. Banks give no
//! reference, so a refund that succeeded has none.

use model::Word;
use model::payments::refund::{Refund, RefundStatus};
use serde_json::{Value, json};

/// Renders a refund. Fields that are neither required nor nullable are there only with a value.
pub fn value(refund: &Refund) -> Value {
    let mut value = json!({
        "id": refund.id.to_string(),
        "object": "refund",
        "amount": refund.amount,
        "balance_transaction": null,
        "charge": refund.charge.to_string(),
        "created": refund.created.0,
        "currency": refund.currency.as_str(),
        "destination_details": {
            "type": "us_bank_transfer",
            "us_bank_transfer": {
                "reference": null,
                "reference_status": reference_status(refund.status),
            },
        },
        "metadata": refund.metadata,
        "payment_intent": refund.payment_intent.to_string(),
        "reason": refund.reason.map(Word::word),
        "receipt_number": null,
        "source_transfer_reversal": null,
        "status": refund.status.word(),
        "transfer_reversal": null,
    });
    if let Some(failure) = refund.failure {
        value["failure_reason"] = failure.word().into();
    }
    if let Some(email) = &refund.instructions_email {
        value["instructions_email"] = email.as_str().into();
    }
    if refund.status == RefundStatus::Pending {
        value["pending_reason"] = "processing".into();
    }
    value
}

fn reference_status(status: RefundStatus) -> &'static str {
    match status {
        RefundStatus::Pending => "pending",
        RefundStatus::Succeeded | RefundStatus::Failed => "unavailable",
    }
}
