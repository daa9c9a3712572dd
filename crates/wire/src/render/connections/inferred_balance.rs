//! An inferred balance (`financial_connections.account_inferred_balance`), in preview. Its keys are those
//! that stripe-python 16.1.0b1 declares.

use crate::json::JsonWriter;
use model::inferred_balance::InferredBalance;

/// The value of `object`.
pub const OBJECT: &str = "financial_connections.account_inferred_balance";

/// Writes an inferred balance.
pub fn write(writer: &mut JsonWriter, balance: &InferredBalance) {
    writer.object(|w| {
        w.key("id").plain(balance.id.text());
        w.key("object").plain(OBJECT);
        w.key("as_of").integer(balance.as_of.0);
        w.key("current").object(|w| {
            for (currency, amount) in &balance.current {
                w.key_text(currency.as_str()).integer(*amount);
            }
        });
    });
}
