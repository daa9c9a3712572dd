//! The two kinds of time, the traits through which time and randomness enter, and test clocks.
//!
//! [`ServerTime`] is always real: leases, delivery, signatures, idempotency, retention.
//! [`AccountTime`] is everything that stands in an object or an event: real time, or the time of
//! the test clock that the account's customer hangs on.

use crate::id::{ClockId, MerchantId};
use crate::word::words;
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

/// Where time enters.
pub trait Clock: Send + Sync {
    /// Real time now.
    fn server_now(&self) -> ServerTime;

    /// The time of objects that hang on no test clock; real unless the server was started with a
    /// fixed time.
    fn account_now(&self) -> AccountTime;
}

/// Where randomness enters.
pub trait Rng: Send + Sync {
    /// Fills `buffer` with random bytes, fit for secrets.
    fn fill(&self, buffer: &mut [u8]);
}

words! {
    /// Whether a test clock may be advanced.
    ClockStatus {
        /// Time is being moved; objects on the clock are locked.
        Advancing = "advancing",
        /// The advance could not be finished.
        InternalFailure = "internal_failure",
        /// Time stands still; objects may be used.
        Ready = "ready",
    }
}

/// A test clock (`clock_…`): a simulated time for its customers and all that hangs on them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestClock {
    /// Its id.
    pub id: ClockId,
    /// Whose it is.
    pub merchant: MerchantId,
    /// Raised by every change.
    pub version: u64,
    /// When it was made, in the time of objects without a clock.
    pub created: AccountTime,
    /// A name for people.
    pub name: Option<String>,
    /// What the clock shows now.
    pub frozen_time: AccountTime,
    /// Where an advance under way is going.
    pub target: Option<AccountTime>,
    /// Whether it may be advanced.
    pub status: ClockStatus,
    /// Whether it was deleted; then only the id is shown.
    pub deleted: bool,
}

impl TestClock {
    /// When Stripe would delete it: thirty days after it was made. Shown, not acted on.
    pub fn deletes_after(&self) -> AccountTime {
        self.created.plus(30 * DAY_S)
    }
}
