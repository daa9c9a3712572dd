//! Atomic storage commands. This page is the table of contents of all that bankfeed stores.
//!
//! A command is a struct. Its fields are the input, and [`Write::Output`] or [`Read::Output`] is the
//! output. A command is atomic. No transaction, closure or lifetime of a database leaves this crate.
//!
//! | family | commands |
//! |---|---|
//! | [`command::object`] | [`CreateObject`], [`ChangeObject`], [`ChangeObjects`], [`FindObject`], [`FindObjectByLookup`], [`ListObjects`], [`ListDueObjects`] |
//! | [`command::object_filter`] | [`CountObjects`], [`FindOtherWithValue`] |
//! | [`command::account`] | [`CompleteLink`], [`ChangeAccount`], [`FindAccount`], [`FindLinkedAccount`], [`ListAccounts`], [`FindConnection`], [`ChangeConnection`], [`FindOwnership`] |
//! | [`command::refresh`] | [`ClaimRefreshes`], [`PutOffRefresh`], [`ApplyRefresh`], [`FailRefresh`], [`ListDueAccounts`] |
//! | [`command::transaction`] | [`ListTransactions`], [`FindTransaction`], [`FindBankId`], [`FindLeftOut`], [`FindStoredTransactions`] |
//! | [`command::clock`] | [`StartAdvance`], [`ClaimClocks`], [`ListDueOnClock`], [`StepClock`] |
//! | [`command::event`] | [`ListEvents`], [`FindEvent`] |
//! | [`command::feed`] | [`ListWaitingFeeds`], [`ClaimFeeds`], [`ListUndispatched`], [`DispatchEvents`], [`ListFeed`] |
//! | [`command::delivery`] | [`ClaimDeliveries`], [`SettleDelivery`], [`ContinueDeliveries`], [`ListDeliveries`], [`ListLedger`], [`ResendDeliveries`], [`ReleaseDelivery`], [`ReleaseEndpoint`] |
//! | [`command::idempotency`] | [`CreateIdempotencyRecord`], [`FindIdempotencyRecord`] |
//! | [`command::snapshot`] | [`MeasureSandbox`], [`CopySandbox`], [`DropSnapshot`], and the steps of [`TakeSnapshot`], [`RestoreSnapshot`] and [`ResetSandbox`] |
//! | [`command::backlog`] | [`MeasureBacklog`] |
//! | [`command::open_work`] | [`ListOpenWork`] |
//! | [`command::place`] | [`UseMerchants`], [`CountPlaces`] |
//! | [`command::prune`] | [`Prune`] |
//!
//! Issued API keys are stored in a separate file, which a command may change while a server runs
//! ([`KeyFile`]).
//!
//! One writer runs the writes of a database and commits many commands together. A write that is
//! rejected is undone alone. A write returns after its commit. Reads see a committed state. After a
//! crash, a write was either committed as a whole or has no effect.

pub mod command;
#[cfg(test)]
mod due_tests;
mod failpoint;
mod key_file;
mod memory;
mod opening;
mod replace;
mod seal;
mod sqlite;
mod stats;
mod store;
mod turns;
mod uses;

pub use command::account::*;
pub use command::backlog::*;
pub use command::clock::*;
pub use command::delivery::*;
pub use command::event::*;
pub use command::feed::*;
pub use command::idempotency::*;
pub use command::object::*;
pub use command::object_filter::*;
pub use command::open_work::*;
pub use command::place::*;
pub use command::precondition::*;
pub use command::probe::*;
pub use command::prune::*;
pub use command::refresh::*;
pub use command::snapshot::*;
pub use command::summary::Summary;
pub use command::transaction::*;
pub use failpoint::Failpoints;
pub use key_file::{KeyFile, KeyFileError, StoredRegistration};
pub use opening::{
    Checkup, CopyStep, OpenError, Place, StoreBounds, StoreSettings, check_copy, check_up,
    copy_database, is_opened_by,
};
pub use sqlite::file_replacement::FileReplacement;
pub use sqlite::files::check_replaced;
pub use stats::WriterStats;
pub use store::{Read, Store, Write, WriteGate};
pub use uses::KeptMerchants;

/// Converts a number that fits by construction. `reason` says why it fits.
fn exact<T, U: TryFrom<T>>(number: T, reason: &str) -> U {
    U::try_from(number).unwrap_or_else(|_| panic!("{reason}"))
}

/// The errors that a caller of a command can act on.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Too many commands wait for the writer. A later try may succeed.
    #[error("the writer's queue is full; try again later")]
    Busy,
    /// The merchant uses its whole share of a bound of the server. A later try may succeed.
    #[error("the merchant has its share of {what}; try again later")]
    ShareUsed {
        /// The most that a merchant may have at once.
        most: usize,
        /// The things that are counted, as a plural.
        what: &'static str,
    },
    /// An object would be larger than [`model::limits::OBJECT_BYTES_MAX`].
    #[error("an object would be too large")]
    ObjectTooLarge,
    /// Any other error. Its source has the reason.
    #[error("an internal error of the store")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// The result of a write that depends on versions or on an idempotency key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Written {
    /// Committed.
    Done,
    /// A version conflict, so no rows were written: a row that the caller read has changed since,
    /// or a newer claim exists.
    VersionConflict,
    /// No rows were written, because the idempotency key has a record already.
    KeyTaken,
}

/// An exclusive position in a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cursor<C> {
    /// The beginning of the list, with the newest row.
    Newest,
    /// Rows that follow this one in the list, which are older.
    After(C),
    /// Rows that precede this one in the list, which are newer. The page has the nearest ones, in
    /// the order of the list.
    Before(C),
}

/// The page of a list to return.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page<C> {
    /// The maximum number of rows, from 1 to [`model::limits::PAGE_ROWS_MAX`].
    pub limit: u32,
    /// The beginning of the page.
    pub cursor: Cursor<C>,
}

/// One page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed<T> {
    /// The rows in the order of the list, newest first.
    pub items: Vec<T>,
    /// True if more rows follow in the direction of the cursor.
    pub has_more: bool,
}

/// Closed bounds. An open end is `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bounds {
    /// The smallest value.
    pub from: Option<i64>,
    /// The largest value.
    pub to: Option<i64>,
}

impl Bounds {
    /// True if a value is within the bounds.
    pub fn contains(self, value: i64) -> bool {
        self.from.is_none_or(|from| from <= value) && self.to.is_none_or(|to| value <= to)
    }
}
