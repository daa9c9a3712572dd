//! A scenario (`scn_…`) that a merchant has given: a file that says which banks there are and what
//! happens on their accounts. The file is kept as it was given; the test banks read it anew.
//!
//! Accounts that were linked from it hold what they need themselves, so deleting it changes none.

use crate::clock::AccountTime;
use crate::id::{MerchantId, ScenarioId};
use serde::{Deserialize, Serialize};

/// One scenario.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scenario {
    /// Its id.
    pub id: ScenarioId,
    /// Whose it is.
    pub merchant: MerchantId,
    /// Raised by every change.
    pub version: u64,
    /// When it was given.
    pub created: AccountTime,
    /// When it was deleted nothing is linked from it any more.
    pub deleted: bool,
    /// The file; at most [`crate::limits::SCENARIO_BYTES_MAX`] bytes.
    pub text: String,
}
