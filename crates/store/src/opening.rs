//! Opening a store: its settings, the check of a database, and the errors of both.

use crate::seal::Sealer;
use crate::{Failpoints, KeptMerchants};
use model::clock::{Clock, Rng};
use model::limits::{
    MERCHANTS_MAX, READ_STEPS_MAX, SANDBOX_IDLE_DAYS_DEFAULT, WRITER_QUEUE_BYTES_MAX,
    WRITER_QUEUE_MAX,
};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The location of a database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A durable file, created if it does not exist.
    File(PathBuf),
    /// A private temporary file without durability, removed with the store.
    Temporary,
}

/// The result of checking a database without changing it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkup {
    /// The number of migrations that the database has had.
    pub migrations_done: usize,
    /// The number of migrations in this program. A server runs the missing ones when it starts.
    pub migrations_known: usize,
    /// The faults that the database finds in its file.
    pub faults: Vec<String>,
    /// True if the seal key opens the database. `None` if there was no key to try, or no sealed
    /// value.
    pub opens: Option<bool>,
}

/// Checks the database in a file that exists, whether a server runs on it or not. `seal` is the
/// seal key to try, and a generator for a cipher that draws no random bytes here.
pub fn check_up(path: &Path, seal: Option<([u8; 32], Arc<dyn Rng>)>) -> Result<Checkup, OpenError> {
    let seal = seal.map(|(key, rng)| Sealer::new(key, rng));
    crate::sqlite::checkup::check_up(path, seal.as_ref())
}

/// The progress of a copy, in pages of the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CopyStep {
    /// The pages that are copied.
    pub pages_done: usize,
    /// All pages.
    pub pages: usize,
}

/// Copies the database of a file that exists into a new one, whether a server runs on it or not. The
/// copy has the state at its beginning. It is on disk once the caller has synchronised it. Calls
/// `report` after each step. Returns false if that ended the copy early.
pub fn copy_database(
    from: &Path,
    to: &Path,
    report: &mut dyn FnMut(CopyStep) -> ControlFlow<()>,
) -> Result<bool, OpenError> {
    crate::sqlite::backup::copy(from, to, report)
}

/// True if a seal key opens the database in a file that exists. It checks no page, so it takes the same
/// time for every size. `rng` is for a cipher that draws no random bytes here.
pub fn is_opened_by(path: &Path, key: [u8; 32], rng: Arc<dyn Rng>) -> Result<bool, OpenError> {
    crate::sqlite::checkup::is_opened_by(path, &Sealer::new(key, rng))
}

/// Checks a copy of a database like [`check_up`]. No process may change it meanwhile, and no file is
/// created beside it.
pub fn check_copy(
    path: &Path,
    seal: Option<([u8; 32], Arc<dyn Rng>)>,
) -> Result<Checkup, OpenError> {
    let seal = seal.map(|(key, rng)| Sealer::new(key, rng));
    crate::sqlite::backup::check_copy(path, seal.as_ref())
}

/// The settings of a store.
#[derive(Clone)]
pub struct StoreSettings {
    /// The location of the database.
    pub place: Place,
    /// The key that seals the columns with secrets.
    pub seal_key: [u8; 32],
    /// The failpoint at which a crash test stops a thread.
    pub failpoints: Failpoints,
    /// The source of random bytes for nonces.
    pub rng: Arc<dyn Rng>,
    /// The source of the time of commits.
    pub clock: Arc<dyn Clock>,
    /// The maximum number of connections that read, from 1 to [`model::limits::READERS_MAX`].
    pub readers: usize,
    /// The bounds of the database. A production server uses the default.
    pub bounds: StoreBounds,
    /// The merchants that are never removed.
    pub kept: Arc<dyn KeptMerchants>,
}

/// Bounds that a test makes small enough to reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoreBounds {
    /// Commands that may wait for the writer, at least 1. One more returns [`Error::Busy`].
    pub writer_queue_max: usize,
    /// The bytes of commands that may wait for the writer. One more returns [`Error::Busy`].
    pub writer_queue_bytes_max: usize,
    /// The maximum number of merchants of the database.
    pub merchants_max: u64,
    /// The days without a call after which a sandbox may give its place to another one. 0 for never.
    pub sandbox_idle_days: u32,
    /// The steps of the database after which a read leaves its serving thread.
    pub read_steps_max: u32,
}

impl Default for StoreBounds {
    fn default() -> Self {
        Self {
            writer_queue_max: WRITER_QUEUE_MAX,
            writer_queue_bytes_max: WRITER_QUEUE_BYTES_MAX,
            merchants_max: MERCHANTS_MAX,
            sandbox_idle_days: SANDBOX_IDLE_DAYS_DEFAULT,
            read_steps_max: READ_STEPS_MAX,
        }
    }
}

/// The reasons for which a database cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another server uses the database.
    #[error("another server uses this database; its lock file is {}", .0.display())]
    Locked(PathBuf),
    /// The database is missing, and its write-ahead log is not.
    #[error(
        "the database {} is missing, but its log {} is not empty; put the database back, or remove \
         the log to begin an empty database", .database.display(), .log.display()
    )]
    Lost {
        /// The database.
        database: PathBuf,
        /// Its write-ahead log.
        log: PathBuf,
    },
    /// A restore of the database did not come to its end.
    #[error(
        "a restore of the database {} did not come to its end; run `bankfeed restore` again",
        .0.display()
    )]
    Unfinished(PathBuf),
    /// Another process kept the database from being copied.
    #[error("another process keeps the database from being copied; try again")]
    CopyBlocked,
    /// A file operation failed.
    #[error("cannot use {}", .path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// The database library of this program is too old to store data safely.
    #[error("the {library} library has version {found}, but needs at least {needed}")]
    OldLibrary {
        /// The name of the library.
        library: &'static str,
        /// Its version.
        found: i32,
        /// The oldest version that is safe.
        needed: i32,
    },
    /// A newer bankfeed wrote the file.
    #[error(
        "the database has migration {found}, but this bankfeed only knows {known}; use a newer one"
    )]
    NewerDatabase {
        /// The newest migration in the database.
        found: u32,
        /// The newest migration in the program.
        known: u32,
    },
    /// The database was migrated by other migrations than this program's.
    #[error("migration {0} of the database differs from that of this bankfeed")]
    ChangedMigration(u32),
    /// The step of a migration failed, so no migration of this start has run.
    #[error("migration {number} failed")]
    Migration {
        /// The number of the migration.
        number: u32,
        /// The cause.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The database was sealed with another key.
    #[error("the database was created with another seal key")]
    OtherSealKey,
    /// A statement failed. The source is the error of the database.
    #[error("cannot open the database")]
    Database(#[source] Box<dyn std::error::Error + Send + Sync>),
}
