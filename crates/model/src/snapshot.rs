//! Snapshots of a merchant's sandbox (`snap_…`): all of its rows as they were at one commit, to be
//! gone back to.
//!
//! This is what is told of one. The rows themselves are the store's affair, which copies them as
//! they stand; so nothing here changes once a snapshot is taken. An account that is put back knows
//! which of its refreshes were undone, and counts on above whatever it gave before.

use crate::account::Account;
use crate::bank::Feature;
use crate::clock::AccountTime;
use crate::id::{MerchantId, SnapshotId};
use crate::limits::UNDONE_RANGES_MAX;
use crate::word::Word;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What is told of a snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SandboxSnapshot {
    /// Its id.
    pub id: SnapshotId,
    /// Whose.
    pub merchant: MerchantId,
    /// 1 for ever.
    pub version: u64,
    /// When it was taken, in the time of objects without a clock.
    pub created: AccountTime,
    /// A name for people.
    pub name: Option<String>,
    /// The merchant's own keys.
    pub metadata: BTreeMap<String, String>,
    /// What it holds.
    pub size: SandboxSize,
}

/// What a sandbox holds: the rows of a merchant, and those of its connected accounts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SandboxSize {
    /// The merchant first, then the merchants that its connected accounts act as, in order.
    pub merchants: Vec<MerchantId>,
    /// Rows of each kind, under the word of the kind. Kinds of which there are none are left out,
    /// and so are answers kept for idempotency keys, of which the call that asks makes one more.
    pub counts: BTreeMap<String, u64>,
    /// Bytes of what the rows say, without their keys and the database's own.
    pub bytes: u64,
}

impl SandboxSize {
    /// Rows of all kinds.
    pub fn rows(&self) -> u64 {
        self.counts.values().sum()
    }
}

/// Refreshes of an account that were told of and then undone, when a snapshot from before them was
/// restored: their sequences are not given again, so that an id means one refresh for ever.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Undone(Vec<UndoneRefreshes>);

/// The refreshes that one restore undid: transaction refreshes with a sequence larger than `after`,
/// up to and including `until`. Refreshes of every feature go on behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct UndoneRefreshes {
    after: u32,
    until: u32,
}

impl Undone {
    /// Adds those of one more restore. Of more than [`UNDONE_RANGES_MAX`] the oldest two become one,
    /// with those between them: a refresh that is unknown costs a follower reading, no data.
    fn add(&mut self, after: u32, until: u32) {
        self.0.push(UndoneRefreshes { after, until });
        if self.0.len() > UNDONE_RANGES_MAX {
            let second = self.0.remove(1);
            self.0[0].until = second.until;
        }
    }

    /// Whether nothing was undone.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether this transaction refresh was undone.
    pub fn holds(&self, sequence: u32) -> bool {
        self.0.iter().any(|range| range.after < sequence && sequence <= range.until)
    }

    /// The last sequence that may not be given again; 0 if none was undone.
    pub fn last(&self) -> u32 {
        self.0.last().map_or(0, |range| range.until)
    }
}

impl Account {
    /// The same account brought back by a restore: `floor` is above every version, sequence and
    /// ordinal that was given since, so that none is given twice; `rows` is the newest ordinal that
    /// this account ever gave, where that is known.
    #[must_use]
    pub fn restored(mut self, floor: u32, rows: Option<u32>) -> Self {
        self.version = u64::from(floor);
        self.rows = rows.unwrap_or(floor).max(self.rows);
        let kept = self.transaction_refresh.as_ref().map_or(0, |state| state.sequence);
        self.undone.add(kept, floor);
        self
    }

    /// The largest of what it has counted: its version, sequences and rows.
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

    /// Each restore adds what it undid. Of more than are told apart the oldest two become one, so
    /// that a refresh is rather unknown, which costs reading, than known though it was undone.
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
