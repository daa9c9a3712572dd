//! The interface of the store, and the traits of commands.
//!
//! A command runs on either of two back ends with equal results. The database stores committed data
//! durably, and the in-memory model serves tests and the simulation. Both implementations of a
//! command are named beside its struct. Code outside this crate cannot add a command, because it
//! cannot name the arguments of these traits.

use crate::memory::{Memory, Model};
use crate::sqlite::prepared::Preparing;
use crate::sqlite::{Batch, Reading, Sqlite};
use crate::turns::Turns;
use crate::uses::Places;
use crate::{
    Changed, Created, Error, OpenError, Snapshotted, StoreBounds, StoreSettings, Summary,
    WriterStats, Written,
};
use model::clock::Clock;
use model::id::MerchantId;
use model::limits::COPY_STEPS_MAX;
use sha2::{Digest, Sha256};
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;

/// A command that writes.
pub trait Write: Send + 'static {
    /// The output of the command.
    type Output: Outcome + Send + 'static;

    /// Runs in the writer's transaction, which undoes its writes if it is rejected. It reads nothing
    /// but the database, because the writer may roll back and run it again.
    #[doc(hidden)]
    fn sqlite(&self, batch: &Batch<'_>) -> Result<Self::Output, Failure>;

    /// Makes values that the command stores, on the thread of the caller.
    #[doc(hidden)]
    fn prepare(&self, _preparing: &mut Preparing<'_>) -> Result<(), Failure> {
        Ok(())
    }

    /// Runs on a copy of the collections, which is dropped if the command is rejected.
    #[doc(hidden)]
    fn memory(&self, memory: &mut Memory) -> Result<Self::Output, Failure>;

    /// The summary of the command that a gate sees. A command without preconditions has only its
    /// name.
    #[doc(hidden)]
    fn summary(&self) -> Summary {
        Summary { command: command_name::<Self>(), ..Summary::default() }
    }
}

/// A command that only reads.
pub trait Read: Send + Sync + 'static {
    /// The output of the command.
    type Output: Send + 'static;

    /// The owner of the rows. `None` for a read of workers, which is about all merchants.
    #[doc(hidden)]
    fn merchant(&self) -> Option<MerchantId>;

    /// True if it reads a whole sandbox.
    #[doc(hidden)]
    fn is_copy(&self) -> bool {
        false
    }

    /// Runs on a reader's connection.
    #[doc(hidden)]
    fn sqlite(&self, reading: &Reading<'_>) -> Result<Self::Output, Failure>;

    /// Runs on the collections.
    #[doc(hidden)]
    fn memory(&self, memory: &Memory) -> Result<Self::Output, Failure>;
}

/// The name of a command's type, such as `CreateObject`.
pub(crate) fn command_name<C: ?Sized>() -> &'static str {
    let path = std::any::type_name::<C>();
    path.rsplit("::").next().unwrap_or(path)
}

/// The properties of an output that the writer needs.
pub trait Outcome {
    /// True if the writes of the command are kept. A rejected command writes nothing.
    fn stays(&self) -> bool {
        true
    }

    /// True if the command was rejected because of a version conflict.
    fn is_version_conflict(&self) -> bool {
        false
    }
}

impl Outcome for () {}
impl Outcome for u32 {}
impl<T> Outcome for Vec<T> {}
impl Outcome for crate::Pruned {}
impl Outcome for crate::ClaimedRefreshes {}
impl Outcome for crate::Continued {}
impl Outcome for crate::Removed {}
impl Outcome for crate::Begun {
    fn stays(&self) -> bool {
        matches!(self, Self::Done(_))
    }
}
impl Outcome for crate::Built {
    fn stays(&self) -> bool {
        !self.is_version_conflict()
    }

    fn is_version_conflict(&self) -> bool {
        matches!(self, Self::VersionConflict)
    }
}
impl Outcome for Written {
    fn stays(&self) -> bool {
        *self == Written::Done
    }

    fn is_version_conflict(&self) -> bool {
        *self == Written::VersionConflict
    }
}
impl Outcome for Created {
    fn stays(&self) -> bool {
        *self == Created::Done
    }

    fn is_version_conflict(&self) -> bool {
        *self == Created::VersionConflict
    }
}
impl Outcome for Snapshotted {
    fn stays(&self) -> bool {
        *self == Snapshotted::Done
    }

    fn is_version_conflict(&self) -> bool {
        *self == Snapshotted::VersionConflict
    }
}
impl Outcome for Changed {
    fn stays(&self) -> bool {
        *self == Changed::Done
    }

    fn is_version_conflict(&self) -> bool {
        *self == Changed::VersionConflict
    }
}

/// The reasons for which a command failed. Callers see one as the source of [`Error::Internal`].
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// A statement failed. The source is the error of the database.
    #[error("a statement failed")]
    Statement(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A value could not be converted to or from its body.
    #[error("a body could not be converted")]
    Body(#[from] serde_json::Error),
    /// A sealed column could not be opened.
    #[error("the sealed column {0} cannot be opened with the seal key")]
    Sealed(&'static str),
    /// The copy of a sandbox could not be written or read.
    #[error("the temporary file beside the database failed; check the disk")]
    Copy(#[from] std::io::Error),
    /// A column has a value that this program never writes.
    #[error("the column {0} has an invalid value")]
    Unreadable(&'static str),
    /// A column has a number that this program never writes.
    #[error("the column {column} has the value {value}, which is out of range")]
    OutOfRange {
        /// The column's name.
        column: String,
        /// The number.
        value: i64,
    },
    /// A new row has the key of an existing one.
    #[error("the row exists already")]
    Exists,
    /// A file of the database was removed or replaced while it was open.
    #[error("{} was removed or replaced while the server ran; put it back and restart", .0.display())]
    FileLost(PathBuf),
    /// The commit of the command's group failed.
    #[error("the commit failed")]
    Commit,
    /// The writer could not open the database again after a commit failed.
    #[error("the writer has no open database; check the disk and the log")]
    NotOpen,
    /// The store was closed.
    #[error("the store is closed")]
    Closed,
    /// An object is larger than [`model::limits::OBJECT_BYTES_MAX`].
    #[error("an object is larger than {} bytes", model::limits::OBJECT_BYTES_MAX)]
    ObjectTooLarge,
    /// The command panicked. Its writes were rolled back.
    #[error("the command {0} panicked")]
    Panicked(&'static str),
    /// The writer thread panicked.
    #[error("the writer thread died; restart the server")]
    WriterDied,
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::ObjectTooLarge => Self::ObjectTooLarge,
            failure => Self::Internal(Box::new(failure)),
        }
    }
}

/// A place where a test holds commands back before they reach the store, so that it decides the
/// order of calls that overlap.
pub trait WriteGate: Send + Sync {
    /// Returns when the command may go on.
    fn pass(&self, command: Summary) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;
}

/// A store. Clones share one store.
#[derive(Clone)]
pub struct Store {
    backend: Backend,
    seal_key: [u8; 32],
    gate: Option<Arc<dyn WriteGate>>,
    /// The steps of copies of sandboxes.
    copies: Arc<Turns>,
    pub(crate) places: Places,
}

#[derive(Clone)]
enum Backend {
    Sqlite(Arc<Sqlite>),
    Memory(Arc<Model>),
}

fn copies() -> Arc<Turns> {
    Arc::new(Turns::new(COPY_STEPS_MAX))
}

impl Store {
    /// Opens a database: takes its lock, migrates it, starts its writer.
    pub fn open(settings: StoreSettings) -> Result<Self, OpenError> {
        let seal_key = settings.seal_key;
        let places = Places::of(&settings.bounds, Arc::clone(&settings.kept));
        let backend = Backend::Sqlite(Arc::new(Sqlite::open(settings, places.clone())?));
        Ok(Self { backend, seal_key, gate: None, copies: copies(), places })
    }

    /// An empty in-memory model, for tests. It seals no columns and stores no files.
    pub fn memory_model(clock: Arc<dyn Clock>) -> Self {
        Self::memory_model_within(clock, &StoreBounds::default())
    }

    /// The same with these bounds of merchants.
    pub fn memory_model_within(clock: Arc<dyn Clock>, bounds: &StoreBounds) -> Self {
        let places = Places::of(bounds, Arc::new(()));
        let backend = Backend::Memory(Arc::new(Model::empty(clock, places.clone())));
        Self { backend, seal_key: [0; 32], gate: None, copies: copies(), places }
    }

    /// The same store through a gate, for tests. Other clones of it are not held back.
    #[must_use]
    pub fn behind(self, gate: Arc<dyn WriteGate>) -> Self {
        Self { gate: Some(gate), ..self }
    }

    /// Derives a secret of this database for a purpose. It is equal at every start, and reveals
    /// neither the seal key nor the secrets of other purposes.
    pub fn derived_key(&self, purpose: &str) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(b"derived key\0");
        hash.update(self.seal_key);
        hash.update(purpose.as_bytes());
        hash.finalize().into()
    }

    /// Runs a command that writes, and returns after its commit. The command also runs if its
    /// caller is dropped.
    pub async fn write<C: Write>(&self, command: C) -> Result<C::Output, Error> {
        if let Some(gate) = &self.gate {
            gate.pass(command.summary()).await;
        }
        self.write_at_once(command).await
    }

    /// Runs a command that writes, which no gate holds back.
    pub(crate) async fn write_at_once<C: Write>(&self, command: C) -> Result<C::Output, Error> {
        match &self.backend {
            Backend::Sqlite(sqlite) => sqlite.write(command).await,
            Backend::Memory(model) => Ok(model.write(&command)?),
        }
    }

    /// Runs one step of a copy of a sandbox, or of a removal of its rows. Few steps run at once, and the
    /// merchants take turns, so that other commands wait for few steps, however many copies there are.
    pub(crate) async fn write_step<C: Write>(
        &self,
        sandbox: MerchantId,
        command: C,
    ) -> Result<C::Output, Error> {
        if let Some(gate) = &self.gate {
            gate.pass(command.summary()).await;
        }
        let turn = self.copies.take(self.copies.join(Some(sandbox))).await;
        let written = self.write_at_once(command).await;
        drop(turn);
        written
    }

    /// Runs a command that only reads, on a committed state. It runs on the calling thread, because
    /// another thread would cost as much as the read. A read that takes too many steps runs again on
    /// another thread.
    pub async fn read<C: Read>(&self, command: C) -> Result<C::Output, Error> {
        match &self.backend {
            Backend::Sqlite(sqlite) => sqlite.read(command).await,
            Backend::Memory(model) => Ok(model.read(&command)?),
        }
    }

    /// Runs a command that only reads on another thread from the start, for a search that has taken
    /// many reads already.
    pub async fn read_long<C: Read>(&self, command: C) -> Result<C::Output, Error> {
        match &self.backend {
            Backend::Sqlite(sqlite) => sqlite.read_long(command).await,
            Backend::Memory(model) => Ok(model.read(&command)?),
        }
    }

    /// Runs the waiting commands and closes the database. Later writes fail.
    pub async fn close(&self) {
        if let Backend::Sqlite(sqlite) = &self.backend {
            sqlite.close().await;
        }
    }

    /// Waits until the writer thread ends: because the store was closed, because a file of the
    /// database was removed, or because the thread panicked.
    pub async fn writer_ended(&self) {
        match &self.backend {
            Backend::Sqlite(sqlite) => sqlite.writer_ended().await,
            Backend::Memory(_) => std::future::pending().await,
        }
    }

    /// True if the store accepts commands: its writer thread runs and its last commit succeeded.
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

    /// The number of reads that took too many steps for a serving thread. The in-memory model counts
    /// nothing.
    pub fn long_reads(&self) -> u64 {
        match &self.backend {
            Backend::Sqlite(sqlite) => sqlite.long_reads(),
            Backend::Memory(_) => 0,
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
