//! Clean-up in bounded batches.

use model::clock::ServerTime;

/// Deletes what is past its age, at most [`model::limits::PRUNE_ROWS_MAX`] rows of each kind:
/// idempotency answers; events with their deliveries and attempts, but never an undispatched event
/// or one with an unsettled delivery; jobs of ended refreshes, whatever time their accounts show;
/// objects that say from when on they may be forgotten.
/// Answers [`Pruned`].
#[derive(Clone, Copy, Debug)]
pub struct Prune {
    /// Real time.
    pub now: ServerTime,
}

writes!(Prune => Pruned, prune::prune);

/// How many rows went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Idempotency answers.
    pub replies: u32,
    /// Events, each with its deliveries and attempts.
    pub events: u32,
    /// Jobs of refreshes that ended.
    pub refreshes: u32,
    /// Objects that may be forgotten.
    pub objects: u32,
}
