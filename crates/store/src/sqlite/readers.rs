//! Connections that read, used on the calling thread.
//!
//! A connection is opened when a read needs one, up to the number in the settings. A read that
//! finds no free connection waits for one. Reads keep a connection for microseconds and never wait
//! for anything else meanwhile, because a read ends when it exceeds its budget of steps.

use super::open::open_reader;
use crate::exact;
use crate::store::Failure;
use model::limits::READERS_MAX;
use rusqlite::{Connection, ErrorCode};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

pub(super) struct Readers {
    path: PathBuf,
    open_max: usize,
    pool: Mutex<Pool>,
    returned: Condvar,
}

/// Steps between two looks at the budget. `SQLite` counts the steps of a cached statement over all its
/// runs, so one run may use a look more or less than its own steps.
const STEPS: u32 = 250;

/// The result of a read with a budget.
pub(super) enum Budgeted<T> {
    /// The output of the read.
    Done(T),
    /// The read took more steps than it may.
    Exceeded,
}

/// A connection with the budget of its current read, in looks.
struct Reader {
    connection: Connection,
    left: Arc<AtomicU32>,
}

impl Reader {
    fn open(path: &Path) -> Result<Self, rusqlite::Error> {
        let mut connection = open_reader(path)?;
        let left = Arc::new(AtomicU32::new(u32::MAX));
        let budget = Arc::clone(&left);
        // Only the thread of the read changes the budget, so no ordering is needed.
        let exceeds = move || {
            let before = budget.load(Ordering::Relaxed);
            budget.store(before.saturating_sub(1), Ordering::Relaxed);
            before == 0
        };
        let steps = exact(STEPS, "a small constant");
        connection.progress_handler(steps, Some(exceeds))?;
        Ok(Self { connection, left })
    }
}

#[derive(Default)]
struct Pool {
    free: Vec<Reader>,
    open: usize,
    /// Reads that wait for a connection.
    waiting: usize,
    closed: bool,
}

/// The slot of a connection on loan. Dropping it returns the slot, and the connection if one was
/// put into it. After a panic the slot is empty, because the state of the connection is unknown.
struct Slot<'a> {
    readers: &'a Readers,
    reader: Option<Reader>,
}

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        self.readers.put_back(self.reader.take());
    }
}

impl Readers {
    pub(super) fn new(path: PathBuf, open_max: usize) -> Self {
        let open_max = open_max.clamp(1, READERS_MAX);
        Self { path, open_max, pool: Mutex::default(), returned: Condvar::new() }
    }

    /// Runs a read on a free connection, with a budget of steps if there is one.
    pub(super) fn with<T>(
        &self,
        steps_max: Option<u32>,
        read: impl FnOnce(&Connection) -> Result<T, Failure>,
    ) -> Result<Budgeted<T>, Failure> {
        let reader = self.take()?;
        let mut slot = Slot { readers: self, reader: None };
        let budget = steps_max.map_or(u32::MAX, |steps| steps.div_ceil(STEPS));
        reader.left.store(budget, Ordering::Relaxed);
        let output = read(&reader.connection);
        let exceeded =
            matches!(&output, Err(Failure::Statement(error)) if is_interrupted(&**error));
        // The state of a connection that failed is unknown. The next read opens a new one.
        if exceeded || !matches!(output, Err(Failure::Statement(_))) {
            slot.reader = Some(reader);
        }
        if exceeded { Ok(Budgeted::Exceeded) } else { output.map(Budgeted::Done) }
    }

    /// Closes the connections. Later reads fail.
    pub(super) fn close(&self) {
        let mut pool = self.lock();
        pool.closed = true;
        pool.open -= pool.free.len();
        pool.free.clear();
    }

    fn take(&self) -> Result<Reader, Failure> {
        let mut pool = self.lock();
        loop {
            if pool.closed {
                return Err(Failure::Closed);
            }
            if let Some(reader) = pool.free.pop() {
                return Ok(reader);
            }
            if pool.open < self.open_max {
                pool.open += 1;
                break;
            }
            pool.waiting += 1;
            pool = self.returned.wait(pool).unwrap_or_else(PoisonError::into_inner);
            pool.waiting -= 1;
        }
        drop(pool);
        Reader::open(&self.path).map_err(|error| {
            self.put_back(None);
            error.into()
        })
    }

    fn put_back(&self, reader: Option<Reader>) {
        let mut pool = self.lock();
        match reader {
            Some(reader) if !pool.closed => pool.free.push(reader),
            _ => pool.open -= 1,
        }
        // A wake-up is a system call, so it is made only if a read waits.
        let awaited = pool.waiting > 0;
        drop(pool);
        if awaited {
            self.returned.notify_one();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Pool> {
        self.pool.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// True if the error is that of a read which exceeded its budget.
fn is_interrupted(error: &(dyn std::error::Error + Send + Sync + 'static)) -> bool {
    let error = error.downcast_ref::<rusqlite::Error>();
    error.and_then(rusqlite::Error::sqlite_error_code) == Some(ErrorCode::OperationInterrupted)
}
