//! The store on `SQLite`.
//!
//! | word | meaning |
//! |---|---|
//! | writer | the thread that runs every write on one connection, with many commands in a commit |
//! | batch | the writer's open transaction, as one command sees it |
//! | reading | a reader's connection, as one command sees it |
//!
//! The database is in write-ahead mode with full synchronisation, so an acknowledged commit
//! survives a crash. After a crash, any other commit is either complete or has no effect.
//!
//! Every level of a statement compares the merchant with a parameter, so that a row is never read
//! with another merchant's key. On the tables of accounts and events it also compares the bucket, with
//! which their keys begin. Exempt statements say so with the reason.

#![expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "commands have one signature on every back end"
)]

pub(crate) mod account;
pub(crate) mod backlog;
pub(crate) mod backup;
mod body;
pub(crate) mod checkup;
pub(crate) mod clock;
pub(crate) mod connection;
pub(crate) mod delivery;
pub(crate) mod delivery_claim;
mod earlier_charge;
pub(crate) mod event;
mod event_list;
mod event_statuses;
pub(crate) mod feed;
pub(crate) mod file_replacement;
pub(crate) mod files;
mod generation;
pub(crate) mod idempotency;
mod list;
mod log;
mod long_reads;
mod merge;
mod migration;
mod new_database;
pub(crate) mod object;
pub(crate) mod object_filter;
mod open;
pub(crate) mod open_work;
mod payload;
pub(crate) mod place;
mod precondition;
pub(crate) mod prepared;
pub(crate) mod probe;
pub(crate) mod prune;
mod queue;
mod readers;
pub(crate) mod refresh;
pub(crate) mod refresh_claim;
pub(crate) mod removal;
pub(crate) mod replace;
pub(crate) mod sandbox_copy;
mod share;
pub(crate) mod snapshot;
mod snapshot_table;
mod target;
pub(crate) mod transaction;
mod writer;
mod writer_state;

#[cfg(test)]
pub(crate) mod tests;

use crate::exact;
use crate::seal::Sealer;
use crate::store::{Failure, command_name};
use crate::uses::Places;
use crate::{Error, Failpoints, OpenError, Read, StoreSettings, Write, WriterStats};
use files::{Locks, TemporaryFolder};
use generation::{Generation, Known};
use long_reads::LongReads;
use model::Word;
use model::clock::ServerTime;
use model::id::{MerchantId, bucket_of};
use prepared::Prepared;
use readers::{Budgeted, Readers};
use rusqlite::types::ValueRef;
use rusqlite::{CachedStatement, Connection, Params, Row, Statement, ToSql};
use serde::de::DeserializeOwned;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;
use writer::Writer;

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Statement(Box::new(error))
    }
}

impl From<rusqlite::Error> for OpenError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(Box::new(error))
    }
}

/// A database with its writer and its readers.
pub(crate) struct Sqlite {
    // Fields are dropped in this order: the writer ends before the folder and the locks are
    // released.
    writer: Writer,
    readers: Readers,
    long_reads: LongReads,
    /// The budget of a read on a serving thread.
    read_steps_max: u32,
    seal: Sealer,
    failpoints: Failpoints,
    /// The current generations of merchants that were read.
    known: Arc<Known>,
    #[cfg_attr(not(test), expect(dead_code, reason = "dropped to remove the folder"))]
    folder: Option<TemporaryFolder>,
    _locks: Option<Locks>,
}

impl Sqlite {
    /// Opens a database.
    pub(crate) fn open(settings: StoreSettings, places: Places) -> Result<Self, OpenError> {
        open::open(settings, places)
    }

    /// Sends a command to the writer and waits for its commit.
    pub(crate) async fn write<C: Write>(&self, command: C) -> Result<C::Output, Error> {
        self.writer.write(command).await
    }

    /// Runs a command on a reader's connection, on the calling thread. If it exceeds its budget of
    /// steps, it runs again in the pool of long reads.
    pub(crate) async fn read<C: Read>(self: &Arc<Self>, command: C) -> Result<C::Output, Error> {
        self.failpoints.reach_command(command_name::<C>);
        let budgeted = self.readers.with(Some(self.read_steps_max), |connection| {
            Reading::of(connection, &self.seal).run(&command, &self.known)
        })?;
        match budgeted {
            Budgeted::Done(output) => Ok(output),
            Budgeted::Exceeded => LongReads::run(Arc::clone(self), command).await,
        }
    }

    /// Runs a command in the pool of long reads.
    pub(crate) async fn read_long<C: Read>(
        self: &Arc<Self>,
        command: C,
    ) -> Result<C::Output, Error> {
        self.failpoints.reach_command(command_name::<C>);
        LongReads::run(Arc::clone(self), command).await
    }

    /// The number of reads that ran in the pool of long reads.
    pub(crate) fn long_reads(&self) -> u64 {
        self.long_reads.count.get()
    }

    /// Ends the writer.
    pub(crate) async fn close(&self) {
        self.writer.close().await;
        self.readers.close();
        self.long_reads.readers.close();
    }

    /// Waits until the writer thread ends.
    pub(crate) async fn writer_ended(&self) {
        self.writer.ended().await;
    }

    /// True if the writer runs and its last commit succeeded.
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
    /// The server time at the start of the group.
    pub(crate) now: ServerTime,
    /// The time that was given to the last event.
    pub(crate) last_commit: &'a Cell<ServerTime>,
    /// The bounds of the places of merchants.
    pub(crate) places: &'a Places,
    /// The values that were made before the command queued.
    pub(crate) prepared: &'a Prepared,
    pub(crate) statements: &'a dyn Statements,
    /// The current generation of the merchant whose rows the command used last.
    pub(crate) generation: &'a Cell<Option<(MerchantId, Generation)>>,
    /// The current generations that reads know.
    pub(crate) known: &'a Known,
    /// The number of connections that the writer has opened, with the current one.
    pub(crate) opened: u64,
    /// True if the command has changed the file without changing rows.
    pub(crate) file_changed: &'a Cell<bool>,
    /// The failpoints within commands.
    pub(crate) failpoints: &'a Failpoints,
}

/// A committed state, as one command sees it.
pub struct Reading<'a> {
    pub(crate) connection: &'a Connection,
    pub(crate) seal: &'a Sealer,
    /// The statements of the batch, if the reading is part of one.
    statements: Option<&'a dyn Statements>,
    /// The current generation of the command's merchant.
    generation: Option<(MerchantId, Generation)>,
}

/// Prepared statements, by their text.
pub(crate) trait Statements {
    /// Runs a statement.
    fn with(
        &self,
        sql: &'static str,
        run: &mut dyn FnMut(&mut Statement<'_>) -> Result<(), Failure>,
    ) -> Result<(), Failure>;
}

/// The statements that a connection has used in batches. They stay open as long as it does.
///
/// They are found by the address of their text. A look-up in the connection's cache costs several times
/// as much, because that compares texts.
pub(crate) struct UsedStatements<'c> {
    connection: &'c Connection,
    /// A statement is absent while it runs, so that it can be used within itself.
    used: RefCell<HashMap<(usize, usize), Option<CachedStatement<'c>>, BuildAddressHasher>>,
}

type BuildAddressHasher = BuildHasherDefault<AddressHasher>;

/// Hashes addresses of constants, which no client can choose.
#[derive(Default)]
struct AddressHasher(u64);

impl Hasher for AddressHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_usize(usize::from(*byte));
        }
    }

    fn write_usize(&mut self, number: usize) {
        // The golden ratio spreads addresses, which are close to each other, over all bits.
        self.0 = (self.0.rotate_left(32) ^ number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}

impl<'c> UsedStatements<'c> {
    pub(crate) fn of(connection: &'c Connection) -> Self {
        Self { connection, used: RefCell::default() }
    }
}

impl Statements for UsedStatements<'_> {
    fn with(
        &self,
        sql: &'static str,
        run: &mut dyn FnMut(&mut Statement<'_>) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let key = (sql.as_ptr().addr(), sql.len());
        let used = self.used.borrow_mut().get_mut(&key).and_then(Option::take);
        let mut statement = match used {
            Some(statement) => statement,
            None => self.connection.prepare_cached(sql)?,
        };
        run(&mut statement)?;
        self.used.borrow_mut().insert(key, Some(statement));
        Ok(())
    }
}

impl Batch<'_> {
    /// The batch as a source of reads, which see the writes of the batch.
    pub(crate) fn reading(&self) -> Reading<'_> {
        let statements = Some(self.statements);
        let generation = self.generation.get();
        Reading { connection: self.connection, seal: self.seal, statements, generation }
    }

    /// Runs a statement and returns the number of rows that it changed.
    pub(crate) fn execute(&self, sql: &'static str, params: impl Params) -> Result<usize, Failure> {
        let mut params = Some(params);
        let mut changed = 0;
        self.statements.with(sql, &mut |statement| {
            if let Some(params) = params.take() {
                changed = statement.execute(params)?;
            }
            Ok(())
        })?;
        Ok(changed)
    }

    /// Like [`Batch::execute`], for a statement with named parameters. They are in the order in which
    /// the statement first names them.
    pub(crate) fn execute_named(
        &self,
        sql: &'static str,
        groups: &[&[Param<'_>]],
    ) -> Result<usize, Failure> {
        let mut changed = 0;
        self.statements.with(sql, &mut |statement| {
            bind(statement, groups)?;
            changed = statement.raw_execute()?;
            Ok(())
        })?;
        Ok(changed)
    }

    /// The time of the commit of the next event, which must rise within a shard. One writer writes
    /// all shards here, so the time rises with each event.
    pub(crate) fn next_commit(&self) -> ServerTime {
        let next = self.now.max(ServerTime(self.last_commit.get().0 + 1));
        self.last_commit.set(next);
        next
    }
}

impl<'a> Reading<'a> {
    /// A reading outside of a batch.
    pub(crate) fn of(connection: &'a Connection, seal: &'a Sealer) -> Self {
        Self { connection, seal, statements: None, generation: None }
    }

    /// Runs a statement.
    fn with<T>(
        &self,
        sql: &'static str,
        run: impl FnOnce(&mut Statement<'_>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let Some(statements) = self.statements else {
            return run(&mut *self.connection.prepare_cached(sql)?);
        };
        let mut run = Some(run);
        let mut output = None;
        statements.with(sql, &mut |statement| {
            output = run.take().map(|run| run(statement)).transpose()?;
            Ok(())
        })?;
        let Some(output) = output else { unreachable!("a statement runs once") };
        Ok(output)
    }

    /// Finds one row.
    pub(crate) fn find<T>(
        &self,
        sql: &'static str,
        params: impl Params,
        read: impl FnOnce(&Row<'_>) -> Result<T, Failure>,
    ) -> Result<Option<T>, Failure> {
        self.with(sql, |statement| {
            let mut rows = statement.query(params)?;
            rows.next()?.map(read).transpose()
        })
    }

    /// Like [`Reading::find`], for a statement with named parameters.
    pub(crate) fn find_named<T>(
        &self,
        sql: &'static str,
        params: &[Param<'_>],
        read: impl FnOnce(&Row<'_>) -> Result<T, Failure>,
    ) -> Result<Option<T>, Failure> {
        self.with(sql, |statement| {
            bind(statement, &[params])?;
            let mut rows = statement.raw_query();
            rows.next()?.map(read).transpose()
        })
    }

    /// Lists all rows.
    pub(crate) fn list<T>(
        &self,
        sql: &'static str,
        params: impl Params,
        mut read: impl FnMut(&Row<'_>) -> Result<T, Failure>,
    ) -> Result<Vec<T>, Failure> {
        self.with(sql, |statement| {
            let mut rows = statement.query(params)?;
            let mut items = Vec::new();
            while let Some(row) = rows.next()? {
                items.push(read(row)?);
            }
            Ok(items)
        })
    }

    /// Lets several statements read one state. Within a batch they do so already.
    pub(crate) fn in_transaction<T>(
        &self,
        read: impl FnOnce() -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let transaction = self.connection.unchecked_transaction()?;
        let output = read()?;
        transaction.commit()?;
        Ok(output)
    }
}

/// A named parameter with its value.
pub(crate) type Param<'a> = (&'a str, &'a dyn ToSql);

/// Binds named parameters by position, in the order in which the statement first names them. Binding
/// by name would look up each name, which costs a small read a tenth of its time. Debug builds, and
/// so the tests, check that each parameter has its name.
pub(crate) fn bind(
    statement: &mut Statement<'_>,
    groups: &[&[Param<'_>]],
) -> Result<(), rusqlite::Error> {
    let mut bound = 0;
    for (name, value) in groups.iter().copied().flatten() {
        bound += 1;
        debug_assert_eq!(statement.parameter_name(bound), Some(*name), "the order of parameters");
        statement.raw_bind_parameter(bound, value)?;
    }
    debug_assert_eq!(statement.parameter_count(), bound, "the number of parameters");
    Ok(())
}

/// The number of bytes of a transaction's body, by which the size of a sandbox is measured.
pub(crate) fn transaction_body_bytes(row: &model::transaction::Transaction) -> usize {
    let mut buffer = Vec::new();
    body::write(row, &mut buffer);
    buffer.len()
}

/// The number of an id, a version or a count, as a column stores it.
pub(crate) fn column(number: u64) -> i64 {
    exact(number, "ids, versions and counts have at most 63 bits")
}

/// The bucket of a shard, as a column stores it.
pub(crate) fn bucket(shard: u64) -> i64 {
    i64::from(bucket_of(shard))
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

/// The number of the next claim or attempt. Only a corrupt row has the last number of 32 bits.
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

/// A limit as an SQL parameter.
pub(crate) fn limit(rows: usize) -> i64 {
    exact(rows, "a limit counts rows in memory")
}
