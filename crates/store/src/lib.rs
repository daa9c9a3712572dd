//! Atomic storage commands. This page is the table of contents of what bankfeed keeps.
//!
//! A command is a struct: its fields are what it needs, [`Write::Output`] or [`Read::Output`] is
//! what it answers, and it happens wholly or not at all. No transaction, closure or lifetime of a
//! database leaves this crate.
//!
//! | family | commands |
//! |---|---|
//! | [`command::object`] | [`CreateObject`], [`ChangeObject`], [`ChangeObjects`], [`FindObject`], [`FindObjectByLookup`], [`ListObjects`], [`ListDueObjects`] |
//! | [`command::account`] | [`CompleteLink`], [`ChangeAccount`], [`FindAccount`], [`FindLinkedAccount`], [`ListAccounts`], [`FindConnection`], [`ChangeConnection`], [`FindOwnership`] |
//! | [`command::refresh`] | [`ClaimRefreshes`], [`PutOffRefresh`], [`ApplyRefresh`], [`FailRefresh`], [`ListDueAccounts`] |
//! | [`command::transaction`] | [`ListTransactions`], [`FindTransaction`], [`FindBankId`], [`FindLeftOut`], [`FindHeld`] |
//! | [`command::clock`] | [`StartAdvance`], [`ClaimClocks`], [`ListDueOnClock`], [`StepClock`] |
//! | [`command::event`] | [`ListEvents`], [`ListEventsAfter`], [`FindEvent`], [`ListUndispatched`], [`DispatchEvent`] |
//! | [`command::delivery`] | [`ClaimDeliveries`], [`SettleDelivery`], [`ListDeliveries`], [`ListLedger`], [`ResendDeliveries`], [`ReleaseDelivery`], [`ReleaseEndpoint`] |
//! | [`command::idempotency`] | [`RecordReply`], [`FindReply`] |
//! | [`command::snapshot`] | [`MeasureSandbox`], [`TakeSnapshot`], [`RestoreSnapshot`], [`DropSnapshot`], [`ResetSandbox`] |
//! | [`command::prune`] | [`Prune`] |
//!
//! Issued API keys stand in a file of their own, which a command may change while a server runs
//! ([`KeyFile`]).
//!
//! Writes of one database go through one writer that commits many commands together, each in a
//! savepoint of its own; nothing is answered before the commit returned. Reads see a committed
//! state. After a crash a write was either committed whole or never happened.

pub mod command;
#[cfg(test)]
mod due_tests;
mod failpoint;
mod key_file;
mod memory;
mod seal;
mod sqlite;
mod stats;
mod store;

pub use command::account::*;
pub use command::clock::*;
pub use command::delivery::*;
pub use command::event::*;
pub use command::idempotency::*;
pub use command::object::*;
pub use command::prune::*;
pub use command::refresh::*;
pub use command::snapshot::*;
pub use command::transaction::*;
pub use failpoint::Failpoints;
pub use key_file::{KeyFile, KeyFileError};
pub use stats::WriterStats;
pub use store::{
    Checkup, OpenError, Place, Read, Store, StoreBounds, StoreSettings, Write, check_up,
};

/// Converts a number that fits by construction. `reason` says why it fits.
fn exact<T, U: TryFrom<T>>(number: T, reason: &str) -> U {
    U::try_from(number).unwrap_or_else(|_| panic!("{reason}"))
}

/// What a caller of a command can act on.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Too many commands wait for the writer; trying again later helps.
    #[error("the writer's queue is full")]
    Busy,
    /// Anything else; the source says what.
    #[error("the store failed")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// What became of a write that rests on what its caller read or on an idempotency key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Written {
    /// Committed.
    Done,
    /// Nothing was written: what the caller read has changed since, or the claim was superseded.
    Stale,
    /// Nothing was written: the idempotency key has an answer already.
    KeyTaken,
}

/// A place in a list, exclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cursor<C> {
    /// The newest first.
    Newest,
    /// Rows that follow this one in the list: older ones.
    After(C),
    /// Rows that precede this one in the list: newer ones, nearest to it, in the order of the list.
    Before(C),
}

/// Which page of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page<C> {
    /// The most rows, from 1 to [`model::limits::PAGE_ROWS_MAX`].
    pub limit: u32,
    /// Where it begins.
    pub cursor: Cursor<C>,
}

/// One page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed<T> {
    /// The rows in the order of the list, newest first.
    pub items: Vec<T>,
    /// Whether more rows follow in the direction of the cursor.
    pub has_more: bool,
}

/// Closed bounds; an open end is left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bounds {
    /// The least value.
    pub from: Option<i64>,
    /// The greatest value.
    pub to: Option<i64>,
}

impl Bounds {
    /// Whether a value lies within.
    pub fn contains(self, value: i64) -> bool {
        self.from.is_none_or(|from| from <= value) && self.to.is_none_or(|to| value <= to)
    }
}
