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
use crate::limits::UNDONE_RANGES_MAX;
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

/// Refreshes of an account that were reported and then undone by restoring an earlier snapshot.
/// Their sequences are not used again, so that an id names one refresh only.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Undone(Vec<UndoneRefreshes>);

/// The refreshes that one restore undid: transaction refreshes with a sequence larger than `after`,
/// up to and including `until`. The refreshes of every feature continue after `until`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct UndoneRefreshes {
    after: u32,
    until: u32,
}

impl Undone {
    /// Adds the refreshes of one more restore. Beyond [`UNDONE_RANGES_MAX`] ranges, the oldest two
    /// become one, with the refreshes between them. A refresh that is wrongly unknown costs a
    /// follower a full read and no data.
    fn add(&mut self, after: u32, until: u32) {
        self.0.push(UndoneRefreshes { after, until });
        if self.0.len() > UNDONE_RANGES_MAX {
            let second = self.0.remove(1);
            self.0[0].until = second.until;
        }
    }

    /// True if no refresh was undone.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// True if this transaction refresh was undone.
    pub fn holds(&self, sequence: u32) -> bool {
        self.0.iter().any(|range| range.after < sequence && sequence <= range.until)
    }

    /// Returns the last sequence that may not be used again, or 0 if no refresh was undone.
    pub fn last(&self) -> u32 {
        self.0.last().map_or(0, |range| range.until)
    }
}

impl Account {
    /// Returns the account as a restore puts it back. `floor` is greater than every version,
    /// sequence and ordinal that was used since, so that none is used twice. `rows` is the newest
    /// ordinal that this account ever used, if known.
    #[must_use]
    pub fn restored(mut self, floor: u32, rows: Option<u32>) -> Self {
        self.version = u64::from(floor);
        self.rows = rows.unwrap_or(floor).max(self.rows);
        let kept = self.transaction_refresh.as_ref().map_or(0, |state| state.sequence);
        self.undone.add(kept, floor);
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

#[cfg(test)]
mod tests {
    use super::*;

    fn ranges(undone: &Undone) -> Vec<(u32, u32)> {
        undone.0.iter().map(|range| (range.after, range.until)).collect()
    }

    /// Each restore adds the refreshes that it undid. Beyond the bound the oldest two ranges become
    /// one. A refresh may then be wrongly unknown, which costs a full read, but never wrongly
    /// known.
    #[test]
    fn undone_refreshes_are_bounded() {
        let mut undone = Undone(Vec::new());
        let most = u32::try_from(UNDONE_RANGES_MAX).unwrap();
        for place in 0..most {
            undone.add(place * 10 + 3, place * 10 + 9);
        }
        assert_eq!(ranges(&undone)[..2], [(3, 9), (13, 19)]);
        undone.add(most * 10 + 3, most * 10 + 9);
        assert_eq!(ranges(&undone).len(), UNDONE_RANGES_MAX);
        assert_eq!(ranges(&undone)[..2], [(3, 19), (23, 29)]);
        assert!(undone.holds(4) && undone.holds(12) && undone.holds(most * 10 + 9));
        assert!(!undone.holds(3) && !undone.holds(20) && !undone.holds(most * 10 + 3));
        assert_eq!(undone.last(), most * 10 + 9);
    }
}
