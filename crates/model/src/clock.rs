//! Test clocks, and the traits through which time and randomness enter.

pub use crate::time::{AccountTime, DAY_S, ServerTime};

use crate::id::{ClockId, MerchantId};
use crate::word::words;
use serde::{Deserialize, Serialize};

/// The source of time.
pub trait Clock: Send + Sync {
    /// Returns the real time.
    fn server_now(&self) -> ServerTime;

    /// Returns the time of objects without a test clock. It is real unless the server was started
    /// with a fixed time.
    fn account_now(&self) -> AccountTime;
}

/// The source of randomness.
pub trait Rng: Send + Sync {
    /// Fills `buffer` with random bytes that are fit for secrets.
    fn fill(&self, buffer: &mut [u8]);
}

words! {
    /// The state of a test clock.
    ClockStatus {
        /// The clock is being advanced, and its objects are locked.
        Advancing = "advancing",
        /// The advance failed.
        InternalFailure = "internal_failure",
        /// The clock is at rest, and its objects may be used.
        Ready = "ready",
    }
}

/// A test clock (`clock_…`): a simulated time for its customers and their objects.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestClock {
    /// Its id.
    pub id: ClockId,
    /// The merchant that owns it.
    pub merchant: MerchantId,
    /// The version, which every change raises by one.
    pub version: u64,
    /// The time of creation, in the time of objects without a clock.
    pub created: AccountTime,
    /// A name for people.
    pub name: Option<String>,
    /// The time that the clock shows.
    pub frozen_time: AccountTime,
    /// The target of an advance that is running.
    pub target: Option<AccountTime>,
    /// The state.
    pub status: ClockStatus,
    /// True if it was deleted. Only the id is then shown.
    pub deleted: bool,
    /// The time at which the server completes the deletion, if the call has not completed it. `None`
    /// before a deletion, and after its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deletion_due: Option<AccountTime>,
}

impl TestClock {
    /// The time at which Stripe would delete it, thirty days after creation. It is shown only: this
    /// server deletes no clock.
    pub fn deletes_after(&self) -> AccountTime {
        self.created.plus(30 * DAY_S)
    }
}
