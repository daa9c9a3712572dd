//! Disputes.

use model::payments::dispute::Dispute;
use serde_json::{Map, Value, json};

/// The keys of the evidence. They are null, because disputes of bank debits accept no evidence.
const EVIDENCE: &[&str] = &[
    "access_activity_log",
    "billing_address",
    "cancellation_policy",
    "cancellation_policy_disclosure",
    "cancellation_rebuttal",
    "customer_communication",
    "customer_email_address",
    "customer_name",
    "customer_purchase_ip",
    "customer_signature",
    "duplicate_charge_documentation",
    "duplicate_charge_explanation",
    "duplicate_charge_id",
    "product_description",
    "receipt",
    "refund_policy",
    "refund_policy_disclosure",
    "refund_refusal_explanation",
    "service_date",
    "service_documentation",
    "shipping_address",
    "shipping_carrier",
    "shipping_date",
    "shipping_documentation",
    "shipping_tracking_number",
    "uncategorized_file",
    "uncategorized_text",
];

/// Renders a dispute.
pub fn value(dispute: &Dispute) -> Value {
    let mut evidence: Map<String, Value> =
        EVIDENCE.iter().map(|name| ((*name).to_owned(), Value::Null)).collect();
    evidence.insert("enhanced_evidence".to_owned(), json!({}));
    json!({
        "id": dispute.id.to_string(),
        "object": "dispute",
        "amount": dispute.amount,
        "balance_transactions": [],
        "charge": dispute.charge().to_string(),
        "created": dispute.created.0,
        "currency": dispute.currency.as_str(),
        "enhanced_eligibility_types": [],
        "evidence": evidence,
        "evidence_details": {
            "due_by": null,
            "enhanced_eligibility": {},
            "has_evidence": false,
            "past_due": false,
            "submission_method": "not_submitted",
            "submission_count": 0,
        },
        "is_charge_refundable": false,
        "livemode": dispute.livemode,
        "metadata": {},
        "payment_intent": dispute.payment_intent.to_string(),
        "reason": "debit_not_authorized",
        "status": "lost",
    })
}
