//! Fields that exist only when they are expanded, as far as the rendered object determines them.
//!
//! This server has no cash balances, sources, tax ids, discounts and taxes, so these are empty.

use serde_json::{Value, json};

/// Renders a field of an object. `kind` is the object's kind, and `path` the place of the field in
/// it. Returns `None` if the field needs other objects, or if the object lacks it.
pub fn value(kind: &str, path: &str, object: &Value) -> Option<Value> {
    let id = object["id"].as_str().unwrap_or_default();
    match (kind, path) {
        ("checkout.session", "total_details.breakdown") => {
            Some(json!({"discounts": [], "taxes": []}))
        }
        ("customer", "cash_balance") => Some(Value::Null),
        ("customer", "sources" | "tax_ids") => {
            Some(list(&[], false, &format!("/v1/customers/{id}/{path}")))
        }
        // The location follows from an address by the rules of Stripe Tax, which is not here.
        ("customer", "tax") => Some(json!({
            "automatic_tax": "unrecognized_location",
            "ip_address": null,
            "location": null,
            "provider": "stripe",
        })),
        ("item", "discounts" | "taxes") => Some(json!([])),
        ("payment_intent", "amount_details.line_items") => {
            Some(list(&[], false, &format!("/v1/payment_intents/{id}/amount_details_line_items")))
        }
        _ => None,
    }
}

/// Renders a list inside an object.
pub fn list(data: &[Value], has_more: bool, url: &str) -> Value {
    json!({"object": "list", "data": data, "has_more": has_more, "url": url})
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A list names its object, and an unknown field has no value.
    #[test]
    fn renders_empty_fields() {
        let customer = json!({"id": "cus_1", "object": "customer"});
        let sources = value("customer", "sources", &customer).unwrap();
        insta::assert_snapshot!(
            sources,
            @r#"{"data":[],"has_more":false,"object":"list","url":"/v1/customers/cus_1/sources"}"#
        );
        assert_eq!(value("customer", "subscriptions", &customer), None);
    }
}
