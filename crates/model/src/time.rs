//! The two kinds of time.
//!
//! [`ServerTime`] is always real: leases, deliveries, signatures, idempotency, retention.
//! [`AccountTime`] is every time in an object or an event: real time, or the time of the customer's
//! test clock.

use serde::{Deserialize, Serialize};

/// Seconds in a day, the interval of the daily work.
pub const DAY_S: i64 = 86_400;

/// Real time in microseconds since 1970.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct ServerTime(pub i64);

impl ServerTime {
    /// Returns whole seconds since 1970.
    pub fn seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// Returns this time plus `delay_ms` milliseconds.
    #[must_use]
    pub fn plus_ms(self, delay_ms: i64) -> Self {
        Self(self.0.saturating_add(delay_ms.saturating_mul(1_000)))
    }

    /// Returns the milliseconds from `earlier` to this time, never negative.
    pub fn ms_since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0).max(0) / 1_000
    }
}

/// Time as objects show it, in seconds since 1970: real, or a test clock's.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct AccountTime(pub i64);

impl AccountTime {
    /// Returns this time plus `seconds`, which may be negative.
    #[must_use]
    pub fn plus(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds))
    }
}
