//! The balance of a merchant.

use serde_json::{Value, json};

/// Renders a balance of zero in usd.
pub fn value(livemode: bool) -> Value {
    let nothing = json!([{"amount": 0, "currency": "usd", "source_types": {"bank_account": 0}}]);
    json!({
        "object": "balance",
        "available": nothing,
        "livemode": livemode,
        "pending": nothing,
    })
}
