//! The door to the store: how it is opened, and what a command is.
//!
//! A command runs on either of two back ends that answer alike: `SQLite`, which keeps what it
//! acknowledged through a crash, and plain collections, which tests and the simulation use. Both
//! implementations of a command are named beside its struct; nothing outside this crate can write
//! one, since their arguments cannot be named there.

use crate::memory::{Memory, Model};
use crate::seal::Sealer;
use crate::sqlite::{Batch, Reading, Sqlite};
use crate::{Changed, Created, Error, Failpoints, Snapshotted, WriterStats, Written};
use model::clock::{Clock, Rng};
use model::limits::{MERCHANTS_MAX, WRITER_QUEUE_MAX};
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A command that changes something.
pub trait Write: Send + 'static {
    /// What it answers.
    type Output: Outcome + Send + 'static;

    /// Runs in a savepoint of the writer's transaction.
    #[doc(hidden)]
    fn sqlite(&self, batch: &Batch<'_>) -> Result<Self::Output, Failure>;

    /// Runs on the collections, which are put back as they were if it is refused.
    #[doc(hidden)]
    fn memory(&self, memory: &mut Memory) -> Result<Self::Output, Failure>;
}

/// A command that changes nothing.
pub trait Read: Send + Sync + 'static {
    /// What it answers.
    type Output: Send + 'static;

    /// Runs on a reader's connection.
    #[doc(hidden)]
    fn sqlite(&self, reading: &Reading<'_>) -> Result<Self::Output, Failure>;

    /// Runs on the collections.
    #[doc(hidden)]
    fn memory(&self, memory: &Memory) -> Result<Self::Output, Failure>;
}

/// What the writer must know of an answer.
pub trait Outcome {
    /// True if the writes of the command are kept. A refused command writes nothing.
    fn stays(&self) -> bool {
        true
    }

    /// True if the command was refused because of a version conflict.
    fn is_version_conflict(&self) -> bool {
        false
    }
}

impl Outcome for () {}
impl<T> Outcome for Vec<T> {}
impl Outcome for crate::Pruned {}
impl Outcome for Written {
    fn stays(&self) -> bool {
        *self == Written::Done
    }

    fn is_version_conflict(&self) -> bool {
        *self == Written::Stale
    }
}
impl Outcome for Created {
    fn stays(&self) -> bool {
        *self == Created::Done
    }
}
impl Outcome for Snapshotted {
    fn stays(&self) -> bool {
        *self == Snapshotted::Done
    }

    fn is_version_conflict(&self) -> bool {
        *self == Snapshotted::Stale
    }
}
impl Outcome for Changed {
    fn stays(&self) -> bool {
        *self == Changed::Done
    }

    fn is_version_conflict(&self) -> bool {
        *self == Changed::Stale
    }
}

/// Why a command failed. Callers see it as the source of [`Error::Internal`].
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The database refused a statement.
    #[error("the database refused a statement")]
    Sqlite(#[from] rusqlite::Error),
    /// A body did not become a value, or the other way round.
    #[error("a stored body is not what it should be")]
    Body(#[from] serde_json::Error),
    /// A sealed column did not open.
    #[error("the sealed column {0} does not open")]
    Sealed(&'static str),
    /// A column holds what this program never writes there.
    #[error("the column {0} holds an unknown value")]
    Unreadable(&'static str),
    /// A column has a number that this program never writes.
    #[error("the column {column} has the value {value}, which is out of range")]
    OutOfRange {
        /// The column's name.
        column: String,
        /// The number.
        value: i64,
    },
    /// A new row has the key of another.
    #[error("the row exists already")]
    Exists,
    /// The commit that the command was part of failed.
    #[error("the commit failed")]
    Commit,
    /// The writer could not open the database again after a commit failed.
    #[error("the writer has no open database; check the disk and the log")]
    NotOpen,
    /// The store was closed.
    #[error("the store is closed")]
    Closed,
    /// The command panicked. Its writes were rolled back.
    #[error("the command {0} panicked")]
    Panicked(&'static str),
    /// The writer thread panicked.
    #[error("the writer thread died; restart the server")]
    WriterDied,
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        Self::Internal(Box::new(failure))
    }
}

/// Where a database lives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// In a file, durably. Made when there is none.
    File(PathBuf),
    /// In a private temporary file without durability, removed with the store.
    Temporary,
}

/// What is found out about a database without changing it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkup {
    /// How many migrations it has had.
    pub migrations_done: usize,
    /// How many this program knows; a server runs those that are missing when it starts.
    pub migrations_known: usize,
    /// What `SQLite` finds wrong with it.
    pub faults: Vec<String>,
    /// Whether the seal key opens it; none if there was no key to try, or nothing sealed.
    pub opens: Option<bool>,
}

/// Looks at the database in a file that exists, whether a server runs on it or not. `seal` is the
/// seal key to try, and randomness for a cipher that draws none here.
pub fn check_up(path: &Path, seal: Option<([u8; 32], Arc<dyn Rng>)>) -> Result<Checkup, OpenError> {
    let seal = seal.map(|(key, rng)| Sealer::new(key, rng));
    crate::sqlite::checkup::check_up(path, seal.as_ref())
}

/// How a store is opened.
#[derive(Clone)]
pub struct StoreSettings {
    /// Where the database lives.
    pub place: Place,
    /// Seals the columns that hold secrets.
    pub seal_key: [u8; 32],
    /// Where a crash test stops the writer.
    pub failpoints: Failpoints,
    /// Where nonces come from.
    pub rng: Arc<dyn Rng>,
    /// Where the time of commits comes from.
    pub clock: Arc<dyn Clock>,
    /// The most connections that read, from 1 to [`model::limits::READERS_MAX`].
    pub readers: usize,
    /// What the database takes before it refuses; normal servers take the default.
    pub bounds: StoreBounds,
}

/// Bounds that a test makes small enough to reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoreBounds {
    /// Commands waiting for the writer, at least 1; one more is [`Error::Busy`].
    pub writer_queue_max: usize,
    /// Merchants of the whole database.
    pub merchants_max: u64,
}

impl Default for StoreBounds {
    fn default() -> Self {
        Self { writer_queue_max: WRITER_QUEUE_MAX, merchants_max: MERCHANTS_MAX }
    }
}

/// Why a database was not opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another server has it.
    #[error("another server uses the database (its lock is {})", .0.display())]
    Locked(PathBuf),
    /// The file system refused.
    #[error("could not use {}", .path.display())]
    File {
        /// Which file or folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The library in this program is too old to be trusted with the write-ahead log.
    #[error("the SQLite library is version {0}, and 3051003 is the least")]
    OldLibrary(i32),
    /// A newer bankfeed wrote it.
    #[error("the database has migration {found}, and this program knows them up to {known}")]
    NewerDatabase {
        /// The newest migration in the database.
        found: u32,
        /// The newest migration in the program.
        known: u32,
    },
    /// It was migrated by something else than this program's migrations.
    #[error("migration {0} of the database is not the one of this program")]
    ChangedMigration(u32),
    /// It was sealed with another key.
    #[error("the seal key is not the one that the database was made with")]
    OtherSealKey,
    /// The database refused.
    #[error("could not open the database")]
    Database(#[from] rusqlite::Error),
}

/// A store. Clones are the same store.
#[derive(Clone)]
pub struct Store {
    backend: Backend,
    seal_key: [u8; 32],
}

#[derive(Clone)]
enum Backend {
    Sqlite(Arc<Sqlite>),
    Memory(Arc<Model>),
}

impl Store {
    /// Opens a database: takes its lock, migrates it, starts its writer.
    pub fn open(settings: StoreSettings) -> Result<Self, OpenError> {
        let seal_key = settings.seal_key;
        Ok(Self { backend: Backend::Sqlite(Arc::new(Sqlite::open(settings)?)), seal_key })
    }

    /// An empty store of plain collections, for tests: nothing is sealed, nothing is kept.
    pub fn memory_model(clock: Arc<dyn Clock>) -> Self {
        Self { backend: Backend::Memory(Arc::new(Model::empty(clock))), seal_key: [0; 32] }
    }

    /// A secret of this database for a purpose: the same at every start, and it tells nothing of
    /// the key that seals, nor of the secrets of other purposes.
    pub fn derived_key(&self, purpose: &str) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(b"derived key\0");
        hash.update(self.seal_key);
        hash.update(purpose.as_bytes());
        hash.finalize().into()
    }

    /// Runs a command that changes something; answers when it is committed. If the caller leaves,
    /// the command runs all the same.
    pub async fn write<C: Write>(&self, command: C) -> Result<C::Output, Error> {
        match &self.backend {
            Backend::Sqlite(sqlite) => sqlite.write(command).await,
            Backend::Memory(model) => Ok(model.write(&command)?),
        }
    }

    /// Runs a command that changes nothing, on a committed state. It runs on the calling thread:
    /// handing it to another would cost as much as the read.
    #[expect(clippy::unused_async, reason = "a database across a network will have to be awaited")]
    pub async fn read<C: Read>(&self, command: C) -> Result<C::Output, Error> {
        match &self.backend {
            Backend::Sqlite(sqlite) => Ok(sqlite.read(&command)?),
            Backend::Memory(model) => Ok(model.read(&command)?),
        }
    }

    /// Finishes the commands that wait, and closes the database. Later writes fail.
    pub async fn close(&self) {
        if let Backend::Sqlite(sqlite) = &self.backend {
            sqlite.close().await;
        }
    }

    /// True if the store accepts commands: its writer thread runs and has the database open.
    pub fn is_ready(&self) -> bool {
        match &self.backend {
            Backend::Sqlite(sqlite) => sqlite.is_ready(),
            Backend::Memory(_) => true,
        }
    }

    /// True if the writer thread runs. It ends when the store is closed, and when it panics outside
    /// of a command; then only a restart of the server helps.
    pub fn is_writer_alive(&self) -> bool {
        match &self.backend {
            Backend::Sqlite(sqlite) => sqlite.is_writer_alive(),
            Backend::Memory(_) => true,
        }
    }

    /// Counters of the writer, for metrics. The in-memory model counts nothing.
    pub fn writer_stats(&self) -> WriterStats {
        match &self.backend {
            Backend::Sqlite(sqlite) => sqlite.writer_stats(),
            Backend::Memory(_) => WriterStats::default(),
        }
    }
}
