//! Clean-up in bounded batches.

use model::clock::ServerTime;

/// Deletes rows past their age, at most [`model::limits::PRUNE_ROWS_MAX`] of each kind. Returns
/// [`Pruned`].
///
/// These are idempotency records, events with their deliveries and attempts, jobs of ended
/// refreshes, and objects that are due for deletion. An event that is undispatched or has a
/// pending delivery stays. Jobs age by server time, not by account time.
#[derive(Clone, Copy, Debug)]
pub struct Prune {
    /// The current server time.
    pub now: ServerTime,
}

writes!(Prune => Pruned, prune::prune);

/// Gives free pages of the database file back to the disk, at most
/// [`model::limits::FREED_PAGES_MAX`]. A part of the file stays free for new rows. Returns the number
/// of these pages.
#[derive(Clone, Copy, Debug)]
pub struct ShrinkFile;

writes!(ShrinkFile => u32, prune::shrink);

/// The numbers of deleted rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Idempotency records.
    pub replies: u32,
    /// Events, each with its deliveries and attempts.
    pub events: u32,
    /// Jobs of ended refreshes.
    pub refreshes: u32,
    /// Objects that were free to be deleted.
    pub objects: u32,
}
