//! The target of a delivery, as the column `endpoint` stores it.
//!
//! The column has the endpoint's number, or for the second thin event of an event its complement, which
//! is negative. So a delivery of a thin event needs no further column in keys and indexes.

use super::column;
use model::delivery::DeliveryKey;
use model::id::{EndpointId, EventId};

/// The target of a delivery: its endpoint, and which of the thin events of an event it receives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) endpoint: EndpointId,
    pub(super) outcome: bool,
}

impl Target {
    pub(super) fn of(key: DeliveryKey) -> Self {
        Self { endpoint: key.endpoint, outcome: key.outcome }
    }

    /// Both targets of an endpoint.
    pub(super) fn both(endpoint: EndpointId) -> [Self; 2] {
        [false, true].map(|outcome| Self { endpoint, outcome })
    }

    /// The value of the column.
    pub(super) fn column(self) -> i64 {
        let number = column(self.endpoint.number());
        if self.outcome { !number } else { number }
    }

    /// Reads the value of the column.
    pub(super) fn of_column(value: i64) -> Self {
        let outcome = value < 0;
        let number = if outcome { !value } else { value };
        Self { endpoint: EndpointId::from_number(number.unsigned_abs()), outcome }
    }

    /// The key of a delivery of an event.
    pub(super) fn key(self, event: EventId) -> DeliveryKey {
        DeliveryKey { event, endpoint: self.endpoint, outcome: self.outcome }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// A target reads back from its column, and the first target has the number of its endpoint.
        #[test]
        fn targets_read_back(number in 0..1_u64 << 63) {
            let endpoint = EndpointId::from_number(number);
            for target in Target::both(endpoint) {
                prop_assert_eq!(Target::of_column(target.column()), target);
            }
            prop_assert_eq!(Target::both(endpoint)[0].column(), column(number));
        }
    }
}
