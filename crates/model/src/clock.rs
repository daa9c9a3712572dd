//! The traits through which time and randomness enter, and test clocks.

pub use crate::time::{AccountTime, DAY_S, ServerTime};

use crate::id::{ClockId, MerchantId};
use crate::word::words;
use serde::{Deserialize, Serialize};

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
