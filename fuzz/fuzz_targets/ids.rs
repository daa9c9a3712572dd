//! Ids from any text: an id that parses formats to the same text.

#![no_main]

use libfuzzer_sys::fuzz_target;
use model::id::{AccountId, CustomerId, EventId, OwnerId, RefreshId, TransactionId};

fuzz_target!(|text: &str| {
    if let Ok(id) = text.parse::<CustomerId>() {
        assert_eq!(id.to_string(), text);
    }
    if let Ok(id) = text.parse::<AccountId>() {
        assert_eq!(id.to_string(), text);
    }
    if let Ok(id) = text.parse::<TransactionId>() {
        assert_eq!(id.to_string(), text);
    }
    if let Ok(id) = text.parse::<RefreshId>() {
        assert_eq!(id.to_string(), text);
    }
    if let Ok(id) = text.parse::<EventId>() {
        assert_eq!(id.to_string(), text);
    }
    if let Ok(id) = text.parse::<OwnerId>() {
        assert_eq!(id.to_string(), text);
    }
});
