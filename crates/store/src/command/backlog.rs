//! The backlog: due work that waits for a worker, for metrics.

use model::clock::{AccountTime, ServerTime};

/// Measures the due work of all merchants. Returns [`Backlog`].
///
/// It reads at most [`model::limits::BACKLOG_ROWS_MAX`] rows of each kind, so that a large backlog
/// does not slow it down.
#[derive(Clone, Copy, Debug)]
pub struct MeasureBacklog {
    /// The current server time.
    pub now: ServerTime,
    /// The current time of accounts and objects without a test clock.
    pub account_now: AccountTime,
}

reads!(MeasureBacklog => Backlog, backlog::measure, for all);

/// The due work of all merchants. Work under a valid lease is in progress and is not counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backlog {
    /// Refreshes that no worker has claimed. Those on an advancing test clock belong to its advance.
    pub refreshes: DueWork,
    /// Events without deliveries yet.
    pub events: DueWork,
    /// Deliveries with a due attempt.
    pub deliveries: DueWork,
    /// Accounts with a due daily refresh or a due change at their bank.
    pub accounts: DueWork,
    /// Objects with a due change, such as a payment that settles.
    pub objects: DueWork,
    /// Advances of test clocks that no worker has claimed.
    pub clocks: u64,
    /// Milliseconds since the oldest event was written that is not dispatched or has a pending
    /// delivery. `None` if every event is delivered or failed.
    pub oldest_undelivered_ms: Option<i64>,
}

/// Due work of one kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DueWork {
    /// The number of due items, at most [`model::limits::BACKLOG_ROWS_MAX`].
    pub count: u64,
    /// Milliseconds since the oldest of them became due. 0 without due items.
    pub oldest_ms: i64,
}
