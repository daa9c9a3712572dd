//! Snapshots of a sandbox: all rows of a merchant are copied, restored or removed.
//!
//! The rows of connected accounts are included in those of their platform. Two kinds of rows stay:
//! snapshots, and the row that ties a connected account to its platform if the command names the
//! connected account itself.
//!
//! A snapshot is taken in steps. [`CopySandbox`] reads the rows of one state, and
//! [`crate::Store::take_snapshot`] runs a series of commands, which store them. The last command makes
//! the snapshot visible. Other commands may change the sandbox meanwhile. The snapshot has the state
//! that was read.
//!
//! A restore and a reset are a *replacement*: a series of commands that [`crate::Store`] runs. They
//! build the rows of another generation beside the current ones, make it current in one commit, and
//! remove the old rows. Until that commit every other command sees the old rows, and after it the
//! new ones.
//!
//! Ids are never used twice. A replacement raises a *floor* of the merchant. It is above every
//! version, claim, sequence and ordinal of the old rows, and restored rows count on from it. So an
//! older claim or version is a version conflict, and no later event, refresh or transaction has the
//! id of one that was undone. Leases are not restored, so work that was in progress is due at once.

use crate::memory::Rows;
use crate::sqlite::sandbox_copy::{CopiedSteps, StepRows};
use crate::store::Failure;
use crate::{IdempotencyRecord, Written};
use model::id::{MerchantId, SnapshotId};
use model::snapshot::{SandboxSize, SandboxSnapshot};
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

/// Measures the rows of a sandbox. Returns [`SandboxSize`].
#[derive(Clone, Copy, Debug)]
pub struct MeasureSandbox {
    /// The owner of the rows.
    pub merchant: MerchantId,
}

reads!(MeasureSandbox => SandboxSize, snapshot::measure; is_copy);

/// Reads all rows of a sandbox in one state. A sandbox that is too large for a snapshot is only
/// measured. Returns [`SandboxCopy`].
#[derive(Clone, Copy, Debug)]
pub struct CopySandbox {
    /// The owner of the rows.
    pub merchant: MerchantId,
}

reads!(CopySandbox => SandboxCopy, snapshot::copy; is_copy);

/// The rows of a sandbox in one state.
#[derive(Clone)]
pub struct SandboxCopy {
    /// The size of the sandbox.
    pub size: SandboxSize,
    pub(crate) rows: CopiedRows,
}

/// The rows of a copy, on either back end.
#[derive(Clone)]
pub(crate) enum CopiedRows {
    Database(Arc<CopiedSteps>),
    Memory(Arc<Rows>),
}

impl SandboxCopy {
    /// The rows of the step at a position, with the position of the next step. `None` after the last
    /// step. In memory there are no steps.
    pub(crate) fn step(&self, at: u64) -> Result<Option<(StepRows, u64)>, Failure> {
        match &self.rows {
            CopiedRows::Database(steps) => steps.read(at),
            CopiedRows::Memory(_) => Ok(None),
        }
    }
}

impl fmt::Debug for SandboxCopy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("SandboxCopy").field("size", &self.size).finish_non_exhaustive()
    }
}

/// Stores the copy of a sandbox as a snapshot, with [`crate::Store::take_snapshot`].
#[derive(Clone, Debug)]
pub struct TakeSnapshot {
    /// The snapshot object, at version 1, with the size of the copy.
    pub snapshot: SandboxSnapshot,
    /// The rows, from the store that takes the snapshot.
    pub copy: SandboxCopy,
    /// The maximum number of snapshots of the merchant.
    pub snapshots_max: usize,
    /// The idempotency record to store, also in the snapshot.
    pub reply: Option<IdempotencyRecord>,
}

/// Begins to take a snapshot, unless it would be rejected at its end. Returns [`Begun`].
#[derive(Clone, Debug)]
pub struct BeginSnapshot {
    /// The snapshot.
    pub take: TakeSnapshot,
}

writes!(BeginSnapshot => Begun, snapshot::begin);

/// Stores rows of a snapshot, at most [`model::limits::REPLACE_ROWS_MAX`]. Returns [`Written`]. It is a
/// version conflict if the snapshot was given up, because no step was made for too long.
#[derive(Clone, Debug)]
pub struct FillSnapshot {
    /// The snapshot.
    pub snapshot: SnapshotId,
    /// The series that has begun.
    pub replacement: Replacement,
    /// The rows.
    pub(crate) rows: StepRows,
}

writes!(FillSnapshot => Written, snapshot::fill);

/// Makes a snapshot visible whose rows are stored. Returns [`Snapshotted`]. It is a version conflict if
/// the snapshot was given up.
#[derive(Clone, Debug)]
pub struct FinishSnapshot {
    /// The snapshot.
    pub take: TakeSnapshot,
    /// The series that has begun.
    pub replacement: Replacement,
}

writes!(FinishSnapshot => Snapshotted, snapshot::finish);

/// Replaces a sandbox by a snapshot of it, with [`crate::Store::restore_snapshot`].
#[derive(Clone, Debug)]
pub struct RestoreSnapshot {
    /// The owner of the rows.
    pub merchant: MerchantId,
    /// The snapshot's id.
    pub snapshot: SnapshotId,
    /// The idempotency record to store, besides those in the snapshot.
    pub reply: Option<IdempotencyRecord>,
}

/// Deletes a snapshot. Its rows are removed later, like those of a replaced generation. Returns
/// [`Snapshotted`].
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

/// Empties a sandbox, with [`crate::Store::reset_sandbox`]. Its snapshots stay.
#[derive(Clone, Debug)]
pub struct ResetSandbox {
    /// The owner of the rows.
    pub merchant: MerchantId,
    /// The idempotency record to store. It is the only one afterwards.
    pub reply: Option<IdempotencyRecord>,
}

/// Finds the highest version, claim, sequence or ordinal of a sandbox.
#[derive(Clone, Copy, Debug)]
pub struct MeasureCounts {
    /// The owner of the rows.
    pub merchant: MerchantId,
}

reads!(MeasureCounts => u64, replace::measure; is_copy);

/// Begins to replace a sandbox. Returns [`Begun`].
#[derive(Clone, Copy, Debug)]
pub struct BeginReplacement {
    /// The owner of the rows.
    pub merchant: MerchantId,
    /// The snapshot to build. Without one, the sandbox becomes empty.
    pub snapshot: Option<SnapshotId>,
}

writes!(BeginReplacement => Begun, replace::begin);

/// Copies the next rows of the snapshot, at most [`model::limits::REPLACE_ROWS_MAX`]. Returns
/// [`Built`].
#[derive(Clone, Debug)]
pub struct BuildGeneration {
    /// The owner of the rows.
    pub merchant: MerchantId,
    /// The snapshot.
    pub snapshot: SnapshotId,
    /// The replacement that has begun.
    pub replacement: Replacement,
    /// The number from which the rows count.
    pub floor: u32,
    /// The end of the step before.
    pub from: BuildPosition,
}

writes!(BuildGeneration => Built, replace::build);

/// Makes the built rows current, or an empty sandbox. Returns [`Snapshotted`]. It is a version
/// conflict if the old rows may have reached the floor meanwhile.
#[derive(Clone, Debug)]
pub struct SwitchGeneration {
    /// The owner of the rows.
    pub merchant: MerchantId,
    /// The snapshot that was built.
    pub snapshot: Option<SnapshotId>,
    /// The replacement that has begun.
    pub replacement: Replacement,
    /// The end of the last step.
    pub built: Option<BuildPosition>,
    /// The number above all counts of the old rows.
    pub floor: u32,
    /// The difference between the floor and the highest count when it was measured.
    pub slack: u32,
    /// The idempotency record to store, besides those in the snapshot.
    pub reply: Option<IdempotencyRecord>,
}

writes!(SwitchGeneration => Snapshotted, replace::switch);

/// Removes rows that no command sees: those of old generations, of deleted snapshots, and of series
/// that were given up. One step removes about [`model::limits::REPLACE_ROWS_MAX`]. Returns
/// [`Removed`].
#[derive(Clone, Copy, Debug)]
pub struct RemoveGenerations {
    /// The owner of the sandbox, or `None` for all sandboxes.
    pub sandbox: Option<MerchantId>,
    /// A series that was given up just now.
    pub given_up: Option<Replacement>,
}

writes!(RemoveGenerations => Removed, removal::remove);

/// A series of commands that has begun: a replacement, or a snapshot that is being taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Replacement {
    /// Its number.
    pub(crate) id: i64,
    /// The connection of the writer.
    pub(crate) opened: u64,
    /// The rows that the writer had changed on it.
    pub(crate) changes: u64,
}

/// The end of a step.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BuildPosition {
    /// The index of the merchant.
    pub(crate) merchant: usize,
    /// The index of the table.
    pub(crate) table: usize,
    /// The key of the last row. `None` at the start of a table.
    pub(crate) key: Option<Vec<KeyPart>>,
    /// The rows that all steps have changed.
    pub(crate) changed: u64,
}

/// A column of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum KeyPart {
    Number(i64),
    Text(String),
}

/// The result of [`BeginReplacement`] and [`BeginSnapshot`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Begun {
    /// Committed.
    Done(Replacement),
    /// The whole series has this result.
    Rejected(Snapshotted),
}

/// The result of [`BuildGeneration`].
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub enum Built {
    /// Committed. There are more rows.
    Next(BuildPosition),
    /// Committed. These were the last rows.
    Done(BuildPosition),
    /// The replacement was given up, because no step was made for too long.
    VersionConflict,
}

/// The result of [`RemoveGenerations`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Removed {
    /// The number of removed rows.
    pub rows: u32,
    /// True if there may be more.
    pub has_more: bool,
}

/// The result of a command on a snapshot or a sandbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Snapshotted {
    /// Committed.
    Done,
    /// The idempotency key has a record already.
    KeyTaken,
    /// A version conflict: other commands have changed too many rows, or the series was given up.
    VersionConflict,
    /// The snapshot does not exist.
    Missing,
    /// The merchant has the maximum number of snapshots.
    Full,
    /// The sandbox has more rows, bytes or connected accounts than a snapshot takes, or more connected
    /// accounts than a replacement takes ([`model::limits`]).
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

/// True if a sandbox of these merchants may be replaced.
pub(crate) fn may_be_replaced(merchants: &BTreeSet<MerchantId>) -> bool {
    merchants.len() <= model::limits::SANDBOX_MERCHANTS_MAX
}

/// The floor of a replacement. Claims and sequences have 32 bits, so a larger count means that the
/// database is corrupt.
pub(crate) fn floor_above(highest: u64, slack: u32) -> Result<u32, Failure> {
    let floor = highest.checked_add(u64::from(slack)).and_then(|floor| floor.checked_add(1));
    floor.and_then(|floor| u32::try_from(floor).ok()).ok_or(Failure::Unreadable("version"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::limits::{SANDBOX_MERCHANTS_MAX, SNAPSHOT_BYTES_MAX, SNAPSHOT_ROWS_MAX};
    use std::collections::BTreeMap;

    fn size(rows: u64, bytes: u64, merchants: usize) -> SandboxSize {
        let counts =
            BTreeMap::from([("event".to_owned(), 1), ("transaction".to_owned(), rows - 1)]);
        SandboxSize { merchants: vec![MerchantId::from_number(1); merchants], counts, bytes }
    }

    /// Each bound of a snapshot and of a replacement is inclusive.
    #[test]
    fn sizes_are_bounded() {
        let (rows, bytes, merchants) =
            (SNAPSHOT_ROWS_MAX, SNAPSHOT_BYTES_MAX, SANDBOX_MERCHANTS_MAX);
        assert!(may_be_taken(&size(rows, bytes, merchants)));
        assert!(!may_be_taken(&size(rows + 1, bytes, merchants)));
        assert!(!may_be_taken(&size(rows, bytes + 1, merchants)));
        assert!(!may_be_taken(&size(rows, bytes, merchants + 1)));
        let of = |merchants: usize| (0..merchants as u64).map(MerchantId::from_number).collect();
        assert!(may_be_replaced(&of(merchants)));
        assert!(!may_be_replaced(&of(merchants + 1)));
    }

    /// A floor is above all counts by the slack. Counts of more than 32 bits are an error.
    #[test]
    fn floors_are_above_all_counts() {
        assert_eq!(floor_above(0, 0).unwrap(), 1);
        assert_eq!(floor_above(41, 100).unwrap(), 142);
        assert_eq!(floor_above(u64::from(u32::MAX) - 8, 7).unwrap(), u32::MAX);
        assert!(floor_above(u64::from(u32::MAX) - 8, 8).is_err());
        assert!(floor_above(u64::MAX, 0).is_err());
    }
}
