//! Snapshots of a merchant's sandbox (`snap_…`): all of its rows at one commit, for a later
//! restore.
//!
//! This type holds the fields that the API shows. The store copies the rows themselves. A snapshot
//! never changes. A restored account knows its undone refreshes, and its next numbers are greater
//! than every number that it used before.

use crate::account::Account;
use crate::bank::Feature;
use crate::clock::AccountTime;
use crate::id::{MerchantId, SnapshotId};
use crate::word::Word;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The fields that the API shows of a snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SandboxSnapshot {
    /// Its id.
    pub id: SnapshotId,
    /// The merchant that owns it.
    pub merchant: MerchantId,
    /// The version, always 1.
    pub version: u64,
    /// The time of the snapshot, in the time of objects without a clock.
    pub created: AccountTime,
    /// A name for people.
    pub name: Option<String>,
    /// The merchant's metadata.
    pub metadata: BTreeMap<String, String>,
    /// The size of the sandbox.
    pub size: SandboxSize,
}

/// The size of a sandbox: the rows of a merchant and of its connected accounts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SandboxSize {
    /// The merchant, then the merchants that its connected accounts act as, in order.
    pub merchants: Vec<MerchantId>,
    /// The number of rows of each kind, by the word of the kind. Kinds without rows are left out.
    /// So are idempotency records, because the call that counts creates one more.
    pub counts: BTreeMap<String, u64>,
    /// The size of the rows in bytes, without keys and database overhead.
    pub bytes: u64,
}

impl SandboxSize {
    /// Returns the number of rows of all kinds.
    pub fn rows(&self) -> u64 {
        self.counts.values().sum()
    }
}

impl Account {
    /// Returns the account as a restore puts it back. `floor` is greater than every version,
    /// sequence and ordinal that was used since, so that none is used twice.
    #[must_use]
    pub fn restored(mut self, floor: u32) -> Self {
        self.version = u64::from(floor);
        self.rows = floor;
        let sequence = self.transaction_refresh.as_ref().map_or(0, |state| state.sequence);
        self.undone.add(sequence, floor);
        self
    }

    /// Returns the largest of its version, sequences and rows.
    pub fn highest_count(&self) -> u64 {
        let states = Feature::ALL.iter().filter_map(|feature| self.refresh(*feature));
        let sequences = states.map(|state| state.sequence);
        let counts = sequences.chain([self.undone.last(), self.rows]).max();
        self.version.max(counts.map_or(0, u64::from))
    }
}
