//! Refreshes of an account that a restore has undone.
//!
//! A restore takes an account back to a snapshot. The refreshes since then are unknown afterwards,
//! and their sequences are not used again.

use crate::limits::UNDONE_RANGES_MAX;
use serde::{Deserialize, Serialize};

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
    pub(crate) fn add(&mut self, after: u32, until: u32) {
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
