//! The writer: one thread that takes every write of a database.
//!
//! It takes one command and all that wait behind it, up to [`WRITER_GROUP_MAX`], runs each in a
//! savepoint of its own inside one transaction, commits, and only then answers. While it commits
//! the next group gathers, so grouping costs no waiting. A command that fails or is refused is
//! rolled back alone; if the commit fails, every command of the group is answered with a failure
//! and the database is opened anew. After a crash a group has wholly happened or not at all, and
//! nobody was told otherwise.

use super::open::open_writer;
use super::{Batch, OpenError};
use crate::seal::Sealer;
use crate::store::{Failure, Outcome};
use crate::{Error, Failpoints, StoreBounds, Write};
use model::clock::Clock;
use model::limits::WRITER_GROUP_MAX;
use rusqlite::Connection;
use std::cell::Cell;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot};

/// Pages in the write-ahead log that a checkpoint has not copied yet, from which on one is made.
const CHECKPOINT_PAGES_MIN: i64 = 1_000;

pub(super) const BEGIN: &str = "BEGIN IMMEDIATE";
pub(super) const COMMIT: &str = "COMMIT";
pub(super) const ROLLBACK: &str = "ROLLBACK";
pub(super) const SAVE: &str = "SAVEPOINT command";
pub(super) const RELEASE: &str = "RELEASE command";
pub(super) const UNDO: &str = "ROLLBACK TO command";
pub(super) const LOG_LENGTH: &str = "PRAGMA wal_checkpoint(NOOP)";
pub(super) const CHECKPOINT: &str = "PRAGMA wal_checkpoint(PASSIVE)";
pub(super) const CHECKPOINT_WHOLE: &str = "PRAGMA wal_checkpoint(TRUNCATE)";
/// Exempt from the rule of the merchant: it reads no row, only how far the order of commits went.
pub(super) const FIND_LAST_POSITION: &str = "SELECT COALESCE(MAX(position), 0) FROM events";

/// What the writer needs besides its connection.
pub(super) struct WriterSettings {
    pub(super) path: PathBuf,
    pub(super) durable: bool,
    pub(super) seal: Sealer,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) failpoints: Failpoints,
    pub(super) bounds: StoreBounds,
}

/// The sending end of the writer's queue.
pub(super) struct Writer {
    queue: Option<mpsc::Sender<Order>>,
    thread: Mutex<Option<JoinHandle<()>>>,
    ready: Arc<AtomicBool>,
}

enum Order {
    Run(Box<dyn Queued>),
    Close(oneshot::Sender<()>),
}

impl Writer {
    /// Starts the thread.
    pub(super) fn start(
        connection: Connection,
        settings: WriterSettings,
    ) -> Result<Self, OpenError> {
        let position = Cell::new(connection.query_row(FIND_LAST_POSITION, [], |row| row.get(0))?);
        let (queue, orders) = mpsc::channel(settings.bounds.writer_queue_max);
        let ready = Arc::new(AtomicBool::new(true));
        let path = settings.path.clone();
        let state =
            State { connection: Some(connection), settings, position, ready: Arc::clone(&ready) };
        let thread = std::thread::Builder::new()
            .name("writer".to_owned())
            .spawn(move || state.run(orders))
            .map_err(|source| OpenError::File { path, source })?;
        Ok(Self { queue: Some(queue), thread: Mutex::new(Some(thread)), ready })
    }

    /// Puts a command into the queue and waits for its answer.
    pub(super) async fn write<C: Write>(&self, command: C) -> Result<C::Output, Error> {
        let (answer, answered) = oneshot::channel();
        let order = Order::Run(Box::new(Waiting { command, output: None, answer }));
        let queue = self.queue.as_ref().ok_or(Failure::Closed)?;
        queue.try_send(order).map_err(|error| match error {
            TrySendError::Full(_) => Error::Busy,
            TrySendError::Closed(_) => Failure::Closed.into(),
        })?;
        answered.await.unwrap_or_else(|_| Err(Failure::Closed.into()))
    }

    /// Lets the writer finish what waits, and ends it.
    pub(super) async fn close(&self) {
        let (answer, answered) = oneshot::channel();
        let Some(queue) = &self.queue else { return };
        if queue.send(Order::Close(answer)).await.is_ok() {
            let _ = answered.await;
        }
        self.join();
    }

    /// Whether the database is open.
    pub(super) fn is_ready(&self) -> bool {
        self.ready.load(Ordering::Acquire)
    }

    fn join(&self) {
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread
            && thread.join().is_err()
        {
            tracing::error!("the writer panicked");
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.queue = None;
        self.join();
    }
}

/// What became of a command in its savepoint.
enum Ran {
    /// Its writes are part of the commit.
    Stays,
    /// Its writes are to be undone.
    Refused,
    /// It failed; its writes are to be undone.
    Failed,
}

/// A command in the queue, whatever its type.
trait Queued: Send {
    fn run(&mut self, batch: &Batch<'_>) -> Ran;
    /// Tells the caller; without a commit the answer is a failure.
    fn answer(self: Box<Self>, committed: bool);
}

struct Waiting<C: Write> {
    command: C,
    output: Option<Result<C::Output, Failure>>,
    answer: oneshot::Sender<Result<C::Output, Error>>,
}

impl<C: Write> Queued for Waiting<C> {
    fn run(&mut self, batch: &Batch<'_>) -> Ran {
        let output = self.command.sqlite(batch);
        let ran = match &output {
            Ok(output) if output.stays() => Ran::Stays,
            Ok(_) => Ran::Refused,
            Err(_) => Ran::Failed,
        };
        self.output = Some(output);
        ran
    }

    fn answer(self: Box<Self>, committed: bool) {
        let answer = match self.output {
            Some(output) if committed => output.map_err(Error::from),
            Some(Err(failure)) => Err(failure.into()),
            _ => Err(Failure::Commit.into()),
        };
        // The caller may have left; the command is committed all the same.
        let _ = self.answer.send(answer);
    }
}

/// The writing end.
struct State {
    connection: Option<Connection>,
    settings: WriterSettings,
    position: Cell<i64>,
    ready: Arc<AtomicBool>,
}

impl State {
    fn run(mut self, mut orders: mpsc::Receiver<Order>) {
        let mut group = Vec::with_capacity(WRITER_GROUP_MAX);
        let mut closing = None;
        while closing.is_none() {
            let Some(first) = orders.blocking_recv() else { break };
            let mut next = Some(first);
            while let Some(order) = next {
                match order {
                    Order::Run(command) => group.push(command),
                    Order::Close(answer) => {
                        closing = Some(answer);
                        break;
                    }
                }
                next = if group.len() < WRITER_GROUP_MAX { orders.try_recv().ok() } else { None };
            }
            if !group.is_empty() {
                self.run_group(&mut group);
            }
        }
        self.ready.store(false, Ordering::Release);
        if let Some(connection) = self.connection.take()
            && let Err(error) = checkpoint(&connection, CHECKPOINT_WHOLE)
        {
            tracing::warn!(error = %error, "could not copy the write-ahead log at the end");
        }
        if let Some(answer) = closing {
            let _ = answer.send(());
        }
    }

    /// Runs a group, commits it and answers it.
    fn run_group(&mut self, group: &mut Vec<Box<dyn Queued>>) {
        self.reopen();
        let committed = match self.commit_group(group) {
            Ok(()) => true,
            Err(error) => {
                tracing::error!(error = %error, commands = group.len(), "a commit failed");
                // Whatever state the connection is in, nothing of it is kept.
                self.connection = None;
                self.ready.store(false, Ordering::Release);
                self.reopen();
                false
            }
        };
        for command in group.drain(..) {
            command.answer(committed);
        }
        if let Some(connection) = &self.connection
            && let Err(error) = checkpoint_early(connection)
        {
            tracing::warn!(error = %error, "could not copy the write-ahead log");
        }
    }

    /// Opens the database if it is not open.
    fn reopen(&mut self) {
        if self.connection.is_some() {
            return;
        }
        match open_writer(&self.settings.path, self.settings.durable) {
            Ok(connection) => {
                self.connection = Some(connection);
                self.ready.store(true, Ordering::Release);
            }
            Err(error) => tracing::error!(error = %error, "could not open the database again"),
        }
    }

    fn commit_group(&self, group: &mut [Box<dyn Queued>]) -> Result<(), Failure> {
        let connection = self.connection.as_ref().ok_or(Failure::Closed)?;
        let batch = Batch {
            connection,
            seal: &self.settings.seal,
            now: self.settings.clock.server_now(),
            position: &self.position,
            merchants_max: self.settings.bounds.merchants_max,
        };
        let position_before = self.position.get();
        let result = run_and_commit(&batch, group, &self.settings.failpoints);
        if result.is_err() {
            self.position.set(position_before);
        }
        result
    }
}

/// Runs every command in its savepoint and commits what stays.
fn run_and_commit(
    batch: &Batch<'_>,
    group: &mut [Box<dyn Queued>],
    failpoints: &Failpoints,
) -> Result<(), Failure> {
    batch.execute(BEGIN, [])?;
    let mut wrote = false;
    for command in group {
        let changes_before = batch.connection.total_changes();
        let position_before = batch.position.get();
        batch.execute(SAVE, [])?;
        match command.run(batch) {
            Ran::Stays => wrote |= batch.connection.total_changes() != changes_before,
            Ran::Refused | Ran::Failed => {
                // A full disk, among others, ends the whole transaction by itself.
                if batch.connection.is_autocommit() {
                    return Err(Failure::Commit);
                }
                batch.execute(UNDO, [])?;
                batch.position.set(position_before);
            }
        }
        batch.execute(RELEASE, [])?;
    }
    if wrote {
        failpoints.reach("before_commit");
        batch.execute(COMMIT, [])?;
        failpoints.reach("after_commit");
    } else {
        batch.execute(ROLLBACK, [])?;
    }
    Ok(())
}

/// Copies the write-ahead log when it has grown, in small steps and never while readers wait.
fn checkpoint_early(connection: &Connection) -> Result<(), rusqlite::Error> {
    let (length, copied) = checkpoint(connection, LOG_LENGTH)?;
    if length - copied >= CHECKPOINT_PAGES_MIN {
        checkpoint(connection, CHECKPOINT)?;
    }
    Ok(())
}

/// Runs a checkpoint; answers the pages in the log, and how many of them are copied.
fn checkpoint(connection: &Connection, sql: &str) -> Result<(i64, i64), rusqlite::Error> {
    connection
        .prepare_cached(sql)?
        .query_row([], |row| Ok((row.get::<_, i64>(1)?, row.get::<_, i64>(2)?)))
}
