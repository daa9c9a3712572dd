//! Snapshots of a sandbox: all rows of a merchant are copied, restored or removed, each in one
//! commit.
//!
//! The rows of connected accounts are included in those of their platform. Two kinds of rows stay:
//! snapshots, and the row that ties a connected account to its platform if the command names the
//! connected account itself.
//!
//! Ids are never used twice. A restore and a reset raise a *floor* of the merchant. It is above
//! every version, claim, sequence and ordinal of the removed rows, and restored rows count on from
//! it. So an older claim or version is a version conflict, and no later event, refresh or
//! transaction has the id of one that was undone. Leases are not restored, so work that was in
//! progress is due at once.

use crate::IdempotencyRecord;
use crate::store::Failure;
use model::id::{MerchantId, SnapshotId};
use model::snapshot::{SandboxSize, SandboxSnapshot};

/// Measures the rows of a sandbox. Returns [`SandboxSize`].
#[derive(Clone, Copy, Debug)]
pub struct MeasureSandbox {
    /// The owner of the rows.
    pub merchant: MerchantId,
}

reads!(MeasureSandbox => SandboxSize, snapshot::measure);

/// Copies a sandbox. Returns [`Snapshotted`]. It is a version conflict unless the sandbox has the
/// size in the snapshot.
#[derive(Clone, Debug)]
pub struct TakeSnapshot {
    /// The snapshot object, at version 1.
    pub snapshot: SandboxSnapshot,
    /// The maximum number of snapshots of the merchant.
    pub snapshots_max: usize,
    /// The idempotency record to store.
    pub reply: Option<IdempotencyRecord>,
}

writes!(TakeSnapshot => Snapshotted, snapshot::take);

/// Removes a sandbox and restores a snapshot of it. Returns [`Snapshotted`].
#[derive(Clone, Debug)]
pub struct RestoreSnapshot {
    /// The owner of the rows.
    pub merchant: MerchantId,
    /// The snapshot's id.
    pub snapshot: SnapshotId,
    /// The idempotency record to store, besides those in the snapshot.
    pub reply: Option<IdempotencyRecord>,
}

writes!(RestoreSnapshot => Snapshotted, snapshot::restore);

/// Deletes a snapshot. Returns [`Snapshotted`].
#[derive(Clone, Debug)]
pub struct DropSnapshot {
    /// The owner of the rows.
    pub merchant: MerchantId,
    /// The snapshot's id.
    pub snapshot: SnapshotId,
    /// The idempotency record to store.
    pub reply: Option<IdempotencyRecord>,
}

writes!(DropSnapshot => Snapshotted, snapshot::drop_snapshot);

/// Removes a sandbox. Its snapshots stay. Returns [`Snapshotted`].
#[derive(Clone, Debug)]
pub struct ResetSandbox {
    /// The owner of the rows.
    pub merchant: MerchantId,
    /// The idempotency record to store. It is the only one afterwards.
    pub reply: Option<IdempotencyRecord>,
}

writes!(ResetSandbox => Snapshotted, snapshot::reset);

/// The result of a command on a snapshot or a sandbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Snapshotted {
    /// Committed.
    Done,
    /// The idempotency key has a record already.
    KeyTaken,
    /// A version conflict: the sandbox does not have the size in the snapshot.
    VersionConflict,
    /// The snapshot does not exist.
    Missing,
    /// The merchant has the maximum number of snapshots.
    Full,
    /// The sandbox has more rows, bytes or connected accounts than one commit takes
    /// ([`model::limits`]).
    TooLarge,
    /// The server has the maximum number of merchants.
    MerchantsFull,
}

/// True if a sandbox of this size may be copied.
pub(crate) fn may_be_taken(size: &SandboxSize) -> bool {
    use model::limits::{SANDBOX_MERCHANTS_MAX, SNAPSHOT_BYTES_MAX, SNAPSHOT_ROWS_MAX};
    size.rows() <= SNAPSHOT_ROWS_MAX
        && size.bytes <= SNAPSHOT_BYTES_MAX
        && size.merchants.len() <= SANDBOX_MERCHANTS_MAX
}

/// True if a sandbox of this size may be removed.
pub(crate) fn may_be_removed(size: &SandboxSize) -> bool {
    use model::limits::{SANDBOX_MERCHANTS_MAX, SANDBOX_ROWS_MAX};
    size.rows() <= SANDBOX_ROWS_MAX && size.merchants.len() <= SANDBOX_MERCHANTS_MAX
}

/// The smallest number above all of these counts. Claims and sequences have 32 bits, so a larger
/// count means that the database is corrupt.
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

    /// Each bound of a snapshot and of a removal is inclusive.
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
