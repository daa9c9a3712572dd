//! The store on `SQLite`.
//!
//! | word | meaning |
//! |---|---|
//! | writer | one thread with one connection that runs every write, many to a commit |
//! | batch | the transaction that the writer has open, seen by one command |
//! | reading | a reader's connection, seen by one command |
//!
//! The database is in write-ahead mode with full synchronisation: a commit that was acknowledged
//! survives a crash, one that was not has wholly happened or not at all. Every statement has the
//! shard key (the account for rows of an account, else the merchant) and the merchant in its
//! WHERE, so that a row is never read with another merchant's key; the exempt ones say so.

#![expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "commands have one signature on every back end"
)]

pub(crate) mod account;
mod body;
pub(crate) mod checkup;
pub(crate) mod clock;
pub(crate) mod delivery;
pub(crate) mod event;
pub(crate) mod idempotency;
mod list;
mod migration;
pub(crate) mod object;
mod open;
pub(crate) mod prune;
mod readers;
pub(crate) mod refresh;
pub(crate) mod snapshot;
mod snapshot_table;
pub(crate) mod transaction;
mod writer;

#[cfg(test)]
pub(crate) mod tests;

use crate::exact;
use crate::seal::Sealer;
use crate::store::Failure;
use crate::{Error, OpenError, Read, StoreSettings, Write, WriterStats};
use model::Word;
use model::clock::ServerTime;
use readers::Readers;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Params, Row};
use serde::de::DeserializeOwned;
use std::cell::Cell;
use std::fs::File;
use tempfile::TempDir;
use writer::Writer;

/// A database with its writer and its readers.
pub(crate) struct Sqlite {
    // Fields are dropped in this order: the writer ends before the folder and the lock go.
    writer: Writer,
    readers: Readers,
    seal: Sealer,
    #[cfg_attr(not(test), expect(dead_code, reason = "kept for its end only"))]
    folder: Option<TempDir>,
    _lock: Option<File>,
}

impl Sqlite {
    /// Opens a database.
    pub(crate) fn open(settings: StoreSettings) -> Result<Self, OpenError> {
        open::open(settings)
    }

    /// Hands a command to the writer and waits for its commit.
    pub(crate) async fn write<C: Write>(&self, command: C) -> Result<C::Output, Error> {
        self.writer.write(command).await
    }

    /// Runs a command on a reader's connection.
    pub(crate) fn read<C: Read>(&self, command: &C) -> Result<C::Output, Failure> {
        self.readers.with(|connection| command.sqlite(&Reading { connection, seal: &self.seal }))
    }

    /// Ends the writer.
    pub(crate) async fn close(&self) {
        self.writer.close().await;
        self.readers.close();
    }

    /// True if the writer runs and has the database open.
    pub(crate) fn is_ready(&self) -> bool {
        self.writer.is_ready()
    }

    /// True if the writer thread runs.
    pub(crate) fn is_writer_alive(&self) -> bool {
        self.writer.is_alive()
    }

    /// Counters of the writer.
    pub(crate) fn writer_stats(&self) -> WriterStats {
        self.writer.stats()
    }
}

/// The writer's open transaction, as one command sees it.
pub struct Batch<'a> {
    pub(crate) connection: &'a Connection,
    pub(crate) seal: &'a Sealer,
    /// Real time when the group began.
    pub(crate) now: ServerTime,
    /// The last place given in the order of commits.
    pub(crate) position: &'a Cell<i64>,
    /// Merchants of the whole database.
    pub(crate) merchants_max: u64,
}

/// A committed state, as one command sees it.
pub struct Reading<'a> {
    pub(crate) connection: &'a Connection,
    pub(crate) seal: &'a Sealer,
}

impl Batch<'_> {
    /// The batch as something to read from; it sees what the batch has written.
    pub(crate) fn reading(&self) -> Reading<'_> {
        Reading { connection: self.connection, seal: self.seal }
    }

    /// Runs a statement and answers how many rows it changed.
    pub(crate) fn execute(&self, sql: &str, params: impl Params) -> Result<usize, Failure> {
        Ok(self.connection.prepare_cached(sql)?.execute(params)?)
    }

    /// The next place in the order of commits: rising for ever, and near the real time.
    pub(crate) fn next_position(&self) -> Result<i64, Failure> {
        let following = self.position.get().checked_add(1);
        // Positions are microseconds, so only a corrupt row holds the last number.
        let following = following.ok_or(Failure::Unreadable("events.position"))?;
        let position = self.now.0.max(following);
        self.position.set(position);
        Ok(position)
    }
}

impl Reading<'_> {
    /// Finds one row.
    pub(crate) fn find<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl FnOnce(&Row<'_>) -> Result<T, Failure>,
    ) -> Result<Option<T>, Failure> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query(params)?;
        rows.next()?.map(read).transpose()
    }

    /// Lists all rows.
    pub(crate) fn list<T>(
        &self,
        sql: &str,
        params: impl Params,
        mut read: impl FnMut(&Row<'_>) -> Result<T, Failure>,
    ) -> Result<Vec<T>, Failure> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query(params)?;
        let mut items = Vec::new();
        while let Some(row) = rows.next()? {
            items.push(read(row)?);
        }
        Ok(items)
    }

    /// Lets several statements see one state. Within a batch they do so anyhow.
    pub(crate) fn at_once<T>(
        &self,
        read: impl FnOnce() -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let transaction = self.connection.unchecked_transaction()?;
        let answer = read()?;
        transaction.commit()?;
        Ok(answer)
    }
}

/// Bytes of a transaction's body, by which a sandbox is measured.
pub(crate) fn transaction_body_bytes(row: &model::transaction::Transaction) -> usize {
    let mut buffer = Vec::new();
    body::write(row, &mut buffer);
    buffer.len()
}

/// The number of an id, a version or a count, as a column stores it.
pub(crate) fn column(number: u64) -> i64 {
    exact(number, "ids, versions and counts have at most 63 bits")
}

/// The number of an id, a version or a count, read from its column.
pub(crate) fn number(row: &Row<'_>, index: usize) -> Result<u64, Failure> {
    let stored = row.get::<_, i64>(index)?;
    u64::try_from(stored).map_err(|_| out_of_range(row, index, stored))
}

/// Like [`number`], for a column that may be null.
pub(crate) fn optional_number(row: &Row<'_>, index: usize) -> Result<Option<u64>, Failure> {
    if row.get_ref(index)? == ValueRef::Null { Ok(None) } else { number(row, index).map(Some) }
}

fn out_of_range(row: &Row<'_>, index: usize, value: i64) -> Failure {
    match row.as_ref().column_name(index) {
        Ok(column) => Failure::OutOfRange { column: column.to_owned(), value },
        Err(error) => error.into(),
    }
}

/// The number of the next claim or attempt. Only a corrupt row holds the last number of 32 bits.
pub(crate) fn next_claim(claim: u32) -> Result<u32, Failure> {
    claim.checked_add(1).ok_or(Failure::Unreadable("claim"))
}

/// A word from its column.
pub(crate) fn word<W: Word>(row: &Row<'_>, index: usize, name: &'static str) -> Result<W, Failure> {
    let text = row.get_ref(index)?.as_str().map_err(rusqlite::Error::from)?;
    W::from_word(text).ok_or(Failure::Unreadable(name))
}

/// A value from its JSON.
pub(crate) fn from_json<T: DeserializeOwned>(row: &Row<'_>, index: usize) -> Result<T, Failure> {
    let text = row.get_ref(index)?.as_str().map_err(rusqlite::Error::from)?;
    Ok(serde_json::from_str(text)?)
}

/// A limit as SQL takes it.
pub(crate) fn limit(rows: usize) -> i64 {
    exact(rows, "a limit counts rows in memory")
}
