//! A scenario (`scn_…`) of a merchant: a file that defines test banks and the events on their
//! accounts. The file is stored as sent, and the test banks read it each time.
//!
//! Accounts that were linked from a scenario hold a copy of the data that they need. Deleting the
//! scenario does not change them.

use crate::clock::AccountTime;
use crate::id::{MerchantId, ScenarioId};
use serde::{Deserialize, Serialize};

/// One scenario.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scenario {
    /// Its id.
    pub id: ScenarioId,
    /// The merchant that owns it.
    pub merchant: MerchantId,
    /// The version, which every change raises by one.
    pub version: u64,
    /// The time of creation.
    pub created: AccountTime,
    /// True if it was deleted. No account can then be linked from it.
    pub deleted: bool,
    /// The file, at most [`crate::limits::SCENARIO_BYTES_MAX`] bytes.
    pub text: String,
}
