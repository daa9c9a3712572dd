//! The two kinds of time.
//!
//! [`ServerTime`] is always real: leases, delivery, signatures, idempotency, retention.
//! [`AccountTime`] is everything that stands in an object or an event: real time, or the time of
//! the test clock that the account's customer hangs on.

use serde::{Deserialize, Serialize};

/// Seconds in a day, the step of the daily work.
pub const DAY_S: i64 = 86_400;

/// Real time in microseconds since 1970.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct ServerTime(pub i64);

impl ServerTime {
    /// Whole seconds since 1970.
    pub fn seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// This time, `delay_ms` milliseconds later.
    #[must_use]
    pub fn plus_ms(self, delay_ms: i64) -> Self {
        Self(self.0.saturating_add(delay_ms.saturating_mul(1_000)))
    }

    /// Milliseconds from `earlier` to this time, never negative.
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
    /// This time, `seconds` later (earlier when negative).
    #[must_use]
    pub fn plus(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds))
    }
}
