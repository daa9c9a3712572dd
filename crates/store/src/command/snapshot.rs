//! Snapshots of a sandbox: all rows of a merchant copied, put back, or removed, each in one commit.
//!
//! The rows of its connected accounts go with those of a platform. Left alone are snapshots, and the
//! row by which a connected account is tied to its platform where the account itself is asked for.
//!
//! What was given once is never given again. A restore and a reset raise a *floor* of the merchant
//! above every version, claim, sequence and ordinal of the rows they remove, and what is put back
//! counts on from there: a worker that held a claim before is stale, what was read before is stale,
//! and no event, refresh or transaction made afterwards has the id of one that was undone. Leases
//! are not put back, so that what was under way is due at once.

use crate::Reply;
use crate::store::Failure;
use model::id::{MerchantId, SnapshotId};
use model::snapshot::{SandboxSize, SandboxSnapshot};

/// What a sandbox holds now. Answers [`SandboxSize`].
#[derive(Clone, Copy, Debug)]
pub struct MeasureSandbox {
    /// Whose.
    pub merchant: MerchantId,
}

reads!(MeasureSandbox => SandboxSize, snapshot::measure);

/// Copies a sandbox. Answers [`Snapshotted`]: `Stale` unless it holds what the snapshot says.
#[derive(Clone, Debug)]
pub struct TakeSnapshot {
    /// What is told of it, at version 1.
    pub snapshot: SandboxSnapshot,
    /// The most snapshots that the merchant may have.
    pub snapshots_max: usize,
    /// The answer to keep.
    pub reply: Option<Reply>,
}

writes!(TakeSnapshot => Snapshotted, snapshot::take);

/// Removes a sandbox and puts a snapshot in its place. Answers [`Snapshotted`].
#[derive(Clone, Debug)]
pub struct RestoreSnapshot {
    /// Whose.
    pub merchant: MerchantId,
    /// Which.
    pub snapshot: SnapshotId,
    /// The answer to keep, beside those that the snapshot holds.
    pub reply: Option<Reply>,
}

writes!(RestoreSnapshot => Snapshotted, snapshot::restore);

/// Removes a snapshot. Answers [`Snapshotted`].
#[derive(Clone, Debug)]
pub struct DropSnapshot {
    /// Whose.
    pub merchant: MerchantId,
    /// Which.
    pub snapshot: SnapshotId,
    /// The answer to keep.
    pub reply: Option<Reply>,
}

writes!(DropSnapshot => Snapshotted, snapshot::drop_snapshot);

/// Removes a sandbox; its snapshots stay. Answers [`Snapshotted`].
#[derive(Clone, Debug)]
pub struct ResetSandbox {
    /// Whose.
    pub merchant: MerchantId,
    /// The answer to keep, the only one afterwards.
    pub reply: Option<Reply>,
}

writes!(ResetSandbox => Snapshotted, snapshot::reset);

/// What became of a snapshot or of a sandbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Snapshotted {
    /// Committed.
    Done,
    /// The idempotency key has an answer already.
    KeyTaken,
    /// The sandbox holds something else than the snapshot says.
    Stale,
    /// There is no such snapshot.
    Missing,
    /// The merchant has as many snapshots as it may.
    Full,
    /// More rows, bytes or connected accounts than one commit takes ([`model::limits`]).
    TooLarge,
    /// The server has as many merchants as it may.
    MerchantsFull,
}

/// Whether a snapshot may be taken of so much.
pub(crate) fn may_be_taken(size: &SandboxSize) -> bool {
    use model::limits::{SANDBOX_MERCHANTS_MAX, SNAPSHOT_BYTES_MAX, SNAPSHOT_ROWS_MAX};
    size.rows() <= SNAPSHOT_ROWS_MAX
        && size.bytes <= SNAPSHOT_BYTES_MAX
        && size.merchants.len() <= SANDBOX_MERCHANTS_MAX
}

/// Whether so much may be removed.
pub(crate) fn may_be_removed(size: &SandboxSize) -> bool {
    use model::limits::{SANDBOX_MERCHANTS_MAX, SANDBOX_ROWS_MAX};
    size.rows() <= SANDBOX_ROWS_MAX && size.merchants.len() <= SANDBOX_MERCHANTS_MAX
}

/// The smallest number above all of these counts. Counts have at most 32 bits, because claims and
/// sequences have 32; a database that holds a larger count is corrupt.
pub(crate) fn floor_above(counts: impl IntoIterator<Item = u64>) -> Result<u32, Failure> {
    let floor = counts.into_iter().max().map_or(Some(1), |highest| highest.checked_add(1));
    let floor = floor.and_then(|floor| u32::try_from(floor).ok());
    floor.ok_or(Failure::Unreadable("version"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::limits::{
        SANDBOX_MERCHANTS_MAX, SANDBOX_ROWS_MAX, SNAPSHOT_BYTES_MAX, SNAPSHOT_ROWS_MAX,
    };
    use std::collections::BTreeMap;

    fn size(rows: u64, bytes: u64, merchants: usize) -> SandboxSize {
        let counts =
            BTreeMap::from([("event".to_owned(), 1), ("transaction".to_owned(), rows - 1)]);
        SandboxSize { merchants: vec![MerchantId::from_number(1); merchants], counts, bytes }
    }

    /// Each bound of a snapshot and of a removal is the last that fits.
    #[test]
    fn sizes_are_bounded() {
        let (rows, bytes, merchants) =
            (SNAPSHOT_ROWS_MAX, SNAPSHOT_BYTES_MAX, SANDBOX_MERCHANTS_MAX);
        assert!(may_be_taken(&size(rows, bytes, merchants)));
        assert!(!may_be_taken(&size(rows + 1, bytes, merchants)));
        assert!(!may_be_taken(&size(rows, bytes + 1, merchants)));
        assert!(!may_be_taken(&size(rows, bytes, merchants + 1)));
        assert!(may_be_removed(&size(SANDBOX_ROWS_MAX, u64::MAX, merchants)));
        assert!(!may_be_removed(&size(SANDBOX_ROWS_MAX + 1, 0, merchants)));
        assert!(!may_be_removed(&size(1, 0, merchants + 1)));
    }

    /// A floor is above all counts. Counts of more than 32 bits are an error.
    #[test]
    fn floors_are_above_all_counts() {
        assert_eq!(floor_above([]).unwrap(), 1);
        assert_eq!(floor_above([3, 41, 7]).unwrap(), 42);
        assert_eq!(floor_above([u64::from(u32::MAX) - 1]).unwrap(), u32::MAX);
        assert!(floor_above([u64::from(u32::MAX)]).is_err());
        assert!(floor_above([u64::MAX]).is_err());
    }
}
