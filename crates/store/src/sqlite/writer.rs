//! The writer: one thread that runs every write of a database.
//!
//! The thread takes one command and all that wait behind it, up to
//! [`model::limits::WRITER_GROUP_MAX`]. It runs them one after the other in one transaction, commits,
//! and only then sends the responses. The next group gathers while it commits, so grouping adds no
//! waiting.
//!
//! | failure | consequence |
//! |---|---|
//! | a command is refused or fails | its writes are undone, the others commit |
//! | a command panics | the same; the panic is logged and counted |
//! | the commit fails | every command of the group fails, and the database is opened again. The store is not ready until a commit succeeds |
//! | a file of the database was removed | every command of the group fails, and the thread ends |
//! | the thread itself panics | waiting and later commands fail, and the store is not ready |
//! | the process crashes | the group was committed as a whole, or has no effect |
//!
//! In the last two cases, a group may be committed although its callers get no response.

use super::files::FileIds;
use super::generation::Known;
use super::log::{CHECKPOINT_WHOLE, Log, checkpoint};
use super::open::{keep_log, open_writer};
use super::prepared::{Prepared, Preparing};
use super::queue::{Commands, Message, Queued, QueuedBytes, Ran, Waiting};
use super::writer_state::{AliveGuard, Shared};
use super::{Batch, OpenError, UsedStatements};
use crate::seal::Sealer;
use crate::stats::WriterCounters;
use crate::store::{Failure, command_name};
use crate::uses::Places;
use crate::{Error, Failpoints, StoreBounds, Write, WriterStats};
use model::clock::{Clock, ServerTime};
use rusqlite::Connection;
use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::JoinHandle;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot, watch};

/// The bytes of a command without its values.
const COMMAND_BYTES: usize = 1_024;

pub(super) const BEGIN: &str = "BEGIN IMMEDIATE";
pub(super) const COMMIT: &str = "COMMIT";
pub(super) const ROLLBACK: &str = "ROLLBACK";
pub(super) const SAVE: &str = "SAVEPOINT command";
pub(super) const RELEASE: &str = "RELEASE command";
pub(super) const UNDO: &str = "ROLLBACK TO command";
/// Exempt from the rule of the merchant, because it reads only the newest time and no row.
pub(super) const FIND_LAST_COMMIT: &str = "SELECT COALESCE(MAX(committed_at), 0) FROM events";

/// Everything that the writer needs besides its connection.
pub(super) struct WriterSettings {
    pub(super) path: PathBuf,
    pub(super) durable: bool,
    pub(super) seal: Sealer,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) failpoints: Failpoints,
    pub(super) bounds: StoreBounds,
    pub(super) places: Places,
    pub(super) known: Arc<Known>,
}

/// The sending end of the writer's queue.
pub(super) struct Writer {
    queue: Option<mpsc::Sender<Message>>,
    /// The bytes of the commands that wait or run.
    queued_bytes: Arc<AtomicUsize>,
    queue_bytes_max: usize,
    thread: Mutex<Option<JoinHandle<()>>>,
    path: PathBuf,
    seal: Sealer,
    shared: Arc<Shared>,
}

impl Writer {
    /// Starts the thread.
    pub(super) fn start(
        mut connection: Connection,
        settings: WriterSettings,
    ) -> Result<Self, OpenError> {
        let last = connection.query_row(FIND_LAST_COMMIT, [], |row| row.get(0))?;
        let last_commit = Cell::new(ServerTime(last));
        let (queue, messages) = mpsc::channel(settings.bounds.writer_queue_max);
        let path = settings.path.clone();
        let files =
            FileIds::of(&path).map_err(|source| OpenError::File { path: path.clone(), source })?;
        let shared = Arc::new(Shared {
            ready: AtomicBool::new(true),
            alive: watch::Sender::new(true),
            files: Mutex::new(files.clone()),
            lost: OnceLock::new(),
            closing: AtomicBool::new(false),
            counters: WriterCounters::default(),
        });
        let queue_bytes_max = settings.bounds.writer_queue_bytes_max;
        let (seal, log) = (settings.seal.clone(), Log::default());
        log.follow(&mut connection)?;
        let (opened, shared_with) = (Cell::new(1), Arc::clone(&shared));
        let state = State { settings, files, last_commit, opened, log, shared: shared_with };
        let commands = Commands::of(messages);
        let thread = std::thread::Builder::new()
            .name("writer".to_owned())
            .spawn(move || state.run(connection, commands))
            .map_err(|source| OpenError::File { path: path.clone(), source })?;
        let (queue, thread) = (Some(queue), Mutex::new(Some(thread)));
        let queued_bytes = Arc::default();
        Ok(Self { queue, queued_bytes, queue_bytes_max, thread, path, seal, shared })
    }

    /// Puts a command into the queue and waits for its output.
    pub(super) async fn write<C: Write>(&self, command: C) -> Result<C::Output, Error> {
        let prepared = Preparing::of(&command, &self.seal)?;
        let (sender, response) = oneshot::channel();
        // At the usual level the command runs in the span of its caller, so that a panic is logged
        // with the request or job.
        let span = tracing::debug_span!(
            "command",
            command = command_name::<C>(),
            group_commands = tracing::field::Empty
        );
        let span = span.or_current();
        // The command has about as many bytes besides its prepared values.
        let bytes = COMMAND_BYTES + 2 * prepared.bytes();
        let bytes = QueuedBytes::take(&self.queued_bytes, bytes, self.queue_bytes_max);
        let bytes = bytes.ok_or(Error::Busy)?;
        let waiting = Waiting::new(command, prepared, sender, (span, bytes));
        let message = Message::Run(Box::new(waiting));
        let queue = self.queue.as_ref().ok_or(Failure::Closed)?;
        queue.try_send(message).map_err(|error| match error {
            TrySendError::Full(_) => Error::Busy,
            TrySendError::Closed(_) => self.shared.closed().into(),
        })?;
        response.await.unwrap_or_else(|_| Err(self.shared.closed().into()))
    }

    /// Waits until the writer has run the queued commands, and ends it.
    pub(super) async fn close(&self) {
        let (sender, closed) = oneshot::channel();
        let Some(queue) = &self.queue else { return };
        self.shared.closing.store(true, Ordering::Release);
        if queue.send(Message::Close(sender)).await.is_ok() {
            let _ = closed.await;
        }
        self.join();
    }

    /// Waits until the thread ends.
    pub(super) async fn ended(&self) {
        // The sender exists as long as this writer.
        let _ = self.shared.alive.subscribe().wait_for(|alive| !alive).await;
    }

    /// True if the thread runs, its last commit succeeded, and the files are still at their paths. A
    /// removed file fails the next commit, which may come much later.
    pub(super) fn is_ready(&self) -> bool {
        self.shared.ready.load(Ordering::Acquire) && self.shared.has_files()
    }

    /// True if the thread runs.
    pub(super) fn is_alive(&self) -> bool {
        *self.shared.alive.borrow()
    }

    /// The counters of the writer and the sizes of its files.
    pub(super) fn stats(&self) -> WriterStats {
        let queue = self.queue.as_ref();
        let queue_length = queue.map_or(0, |queue| queue.max_capacity() - queue.capacity());
        self.shared.counters.read(queue_length, &self.path)
    }

    fn join(&self) {
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread
            && let Err(panic) = thread.join()
        {
            tracing::error!(panic = panic_text(&*panic), "the writer thread panicked");
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.queue = None;
        self.join();
    }
}

/// The state of the writer thread.
struct State {
    settings: WriterSettings,
    files: FileIds,
    /// The time that was given to the last event.
    last_commit: Cell<ServerTime>,
    /// The number of connections that it has opened.
    opened: Cell<u64>,
    log: Log,
    shared: Arc<Shared>,
}

impl State {
    fn run(mut self, connection: Connection, mut commands: Commands) {
        // Dropped before the commands, so a caller that gets an error because the thread died finds
        // the store not alive.
        let _guard = AliveGuard(Arc::clone(&self.shared));
        let mut open = Some(connection);
        while commands.next_group() {
            open = open.or_else(|| self.reopen());
            if let Some(connection) = &open {
                if self.serve(connection, &mut commands) {
                    break;
                }
            } else {
                self.shared.counters.start_group(commands.group.len());
                self.count_failed_commit(&Failure::NotOpen, &commands);
            }
            if let Some(connection) = open.as_ref().filter(|_| self.shared.lost.get().is_some())
                && let Err(error) = keep_log(connection)
            {
                tracing::error!(%error, "the write-ahead log of the removed database may be lost");
            }
            // The state of the connection is unknown, so the writer drops it.
            drop(open.take());
            self.shared.ready.store(false, Ordering::Release);
            open = self.reopen();
            commands.respond(false);
            if self.shared.lost.get().is_some() {
                return;
            }
        }
        self.shared.ready.store(false, Ordering::Release);
        if let Some(connection) = open
            && let Err(error) = checkpoint(&connection, CHECKPOINT_WHOLE)
        {
            tracing::warn!(error = %error, "the last checkpoint of the write-ahead log failed");
        }
        if let Some(sender) = commands.closing.take() {
            let _ = sender.send(());
        }
    }

    /// Runs the group that waits, and all later ones. Returns true when no more commands come. Returns
    /// false after a failed commit, with the group that has no response yet.
    fn serve(&mut self, connection: &Connection, commands: &mut Commands) -> bool {
        let statements = UsedStatements::of(connection);
        loop {
            self.shared.counters.start_group(commands.group.len());
            match self.commit_group(connection, &statements, &mut commands.group) {
                Ok(true) => self.shared.ready.store(true, Ordering::Release),
                Ok(false) => {}
                Err(error) => {
                    self.count_failed_commit(&error, commands);
                    return false;
                }
            }
            commands.respond(true);
            if let Err(error) = self.log.checkpoint_early(connection) {
                tracing::warn!(error = %error, "a checkpoint of the write-ahead log failed");
            }
            if !commands.next_group() {
                return true;
            }
        }
    }

    fn count_failed_commit(&self, error: &Failure, commands: &Commands) {
        tracing::error!(error = %error, commands = commands.group.len(), "a commit failed");
        self.shared.counters.commits_failed.raise();
        if let Failure::FileLost(path) = error {
            self.shared.lost.get_or_init(|| path.clone());
        }
    }

    /// Opens the database again. If its file was removed or replaced, it opens no other file in its
    /// place, because that lacks the rows.
    fn reopen(&mut self) -> Option<Connection> {
        let path = &self.settings.path;
        if !self.files.has_database() {
            self.shared.lost.get_or_init(|| path.clone());
        }
        if self.shared.lost.get().is_some() {
            return None;
        }
        let opened = open_writer(path, self.settings.durable).and_then(|mut connection| {
            self.log.follow(&mut connection)?;
            Ok(connection)
        });
        let connection = opened
            .inspect_err(|error| tracing::error!(%error, "the database could not be reopened"))
            .ok()?;
        // The log may be a new file.
        self.files = FileIds::of(path)
            .inspect_err(|error| tracing::error!(%error, "the database could not be reopened"))
            .ok()?;
        *self.shared.files.lock().unwrap_or_else(PoisonError::into_inner) = self.files.clone();
        self.opened.set(self.opened.get() + 1);
        Some(connection)
    }

    /// Runs and commits a group. Returns true if it changed rows.
    fn commit_group(
        &self,
        connection: &Connection,
        statements: &UsedStatements<'_>,
        group: &mut [Box<dyn Queued>],
    ) -> Result<bool, Failure> {
        let batch = Batch {
            connection,
            seal: &self.settings.seal,
            now: self.settings.clock.server_now(),
            last_commit: &self.last_commit,
            known: &self.settings.known,
            opened: self.opened.get(),
            generation: &Cell::new(None),
            file_changed: &Cell::new(false),
            places: &self.settings.places,
            prepared: &Prepared::default(),
            statements,
            failpoints: &self.settings.failpoints,
        };
        let committed = self.run_and_commit(&batch, group);
        self.settings.known.end_switch();
        committed
    }

    /// Runs every command and commits the writes that stay. Returns true if there are any.
    ///
    /// The commands run without savepoints, because `SQLite` copies each page that changes within
    /// one, and few commands write before they are refused. At the first that did, the transaction is
    /// rolled back. The commands before it run again, and each of the others gets a savepoint.
    fn run_and_commit(
        &self,
        batch: &Batch<'_>,
        group: &mut [Box<dyn Queued>],
    ) -> Result<bool, Failure> {
        batch.execute(BEGIN, [])?;
        let group_commands = group.len();
        let last_commit = batch.last_commit.get();
        let mut wrote = false;
        let mut applied = Vec::new();
        for index in 0..group_commands {
            let command = &mut group[index];
            command.span().record("group_commands", group_commands);
            let (ran, changed) = self.run_counted(command.as_mut(), batch);
            if let Ran::Applied = ran {
                wrote |= changed;
                applied.push(index);
                continue;
            }
            check_open(batch)?;
            if changed {
                batch.execute(ROLLBACK, [])?;
                batch.execute(BEGIN, [])?;
                batch.last_commit.set(last_commit);
                wrote = run_again(&applied, group, batch)?;
                for command in &mut group[index + 1..] {
                    command.span().record("group_commands", group_commands);
                    wrote |= self.run_in_savepoint(command.as_mut(), batch)?;
                }
                break;
            }
        }
        if wrote {
            self.settings.failpoints.reach("before_commit");
            batch.execute(COMMIT, [])?;
            // Before the responses, because a commit to a removed file is lost when the server ends.
            self.files.check()?;
            self.settings.failpoints.reach("after_commit");
        } else {
            batch.execute(ROLLBACK, [])?;
        }
        Ok(wrote)
    }

    /// Runs a command in a savepoint, which is rolled back unless the command applies. Returns true
    /// if writes stay.
    fn run_in_savepoint(
        &self,
        command: &mut dyn Queued,
        batch: &Batch<'_>,
    ) -> Result<bool, Failure> {
        batch.execute(SAVE, [])?;
        let (ran, changed) = self.run_counted(command, batch);
        let stays = matches!(ran, Ran::Applied);
        if !stays {
            check_open(batch)?;
            batch.execute(UNDO, [])?;
        }
        batch.execute(RELEASE, [])?;
        Ok(stays && changed)
    }

    /// Runs a command in its span. The second value is true if it changed rows. Events of a command
    /// that does not apply take no commit time.
    fn run_counted(&self, command: &mut dyn Queued, batch: &Batch<'_>) -> (Ran, bool) {
        let _entered = command.span().clone().entered();
        let changes_before = batch.connection.total_changes();
        let last_commit = batch.last_commit.get();
        let ran = self.run_command(command, batch);
        if !matches!(ran, Ran::Applied) {
            batch.last_commit.set(last_commit);
        }
        let file_changed = batch.file_changed.replace(false);
        (ran, file_changed || batch.connection.total_changes() != changes_before)
    }

    /// Runs one command, turns a panic into a failure, and counts the result.
    fn run_command(&self, command: &mut dyn Queued, batch: &Batch<'_>) -> Ran {
        let counters = &self.shared.counters;
        let began = self.settings.clock.server_now();
        // Unwinding is safe, because the caller undoes the writes, and an open statement is reset when
        // it is dropped.
        let run = AssertUnwindSafe(|| {
            let ran = command.run(batch);
            self.settings.failpoints.reach_command(|| command.name());
            ran
        });
        let ran = catch_unwind(run).unwrap_or_else(|panic| {
            let (command_name, panic) = (command.name(), panic_text(&*panic));
            tracing::error!(command = command_name, panic, "a command panicked");
            counters.commands_panicked.raise();
            command.fail(Failure::Panicked(command_name));
            Ran::Rejected
        });
        match ran {
            Ran::Applied | Ran::Rejected => {}
            Ran::VersionConflict => counters.version_conflicts.raise(),
            Ran::Failed => counters.commands_failed.raise(),
        }
        let duration_us = self.settings.clock.server_now().0 - began.0;
        tracing::debug!(duration_us, "command {}", ran.word());
        ran
    }
}

/// Runs commands again that applied before the transaction was rolled back. Returns true if they
/// changed rows.
fn run_again(
    applied: &[usize],
    group: &mut [Box<dyn Queued>],
    batch: &Batch<'_>,
) -> Result<bool, Failure> {
    let changes_before = batch.connection.total_changes();
    let mut file_changed = false;
    for index in applied {
        // A command reads nothing but the database, so it applies again unless the disk fails.
        if !matches!(group[*index].run(batch), Ran::Applied) {
            return Err(Failure::Commit);
        }
        file_changed |= batch.file_changed.replace(false);
    }
    Ok(file_changed || batch.connection.total_changes() != changes_before)
}

/// Fails if `SQLite` has rolled back the transaction, as it does after a full disk, for example.
fn check_open(batch: &Batch<'_>) -> Result<(), Failure> {
    if batch.connection.is_autocommit() { Err(Failure::Commit) } else { Ok(()) }
}

/// The message of a panic.
fn panic_text(panic: &(dyn Any + Send)) -> &str {
    match panic.downcast_ref::<&str>() {
        Some(text) => text,
        None => panic.downcast_ref::<String>().map_or("no message", String::as_str),
    }
}
