//! Connections that read, used on the thread that asks.
//!
//! Opened when needed, at most as many as the settings say. A read that finds none free waits for
//! one: reads hold theirs for microseconds, and never while they wait for something else.

use super::open::open_reader;
use crate::store::Failure;
use model::limits::READERS_MAX;
use rusqlite::Connection;
use std::path::PathBuf;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

pub(super) struct Readers {
    path: PathBuf,
    open_max: usize,
    pool: Mutex<Pool>,
    returned: Condvar,
}

#[derive(Default)]
struct Pool {
    free: Vec<Connection>,
    open: usize,
    /// Reads that wait for a connection.
    waiting: usize,
    closed: bool,
}

impl Readers {
    pub(super) fn new(path: PathBuf, open_max: usize) -> Self {
        let open_max = open_max.clamp(1, READERS_MAX);
        Self { path, open_max, pool: Mutex::default(), returned: Condvar::new() }
    }

    /// Runs a read on a free connection.
    pub(super) fn with<T>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let connection = self.take()?;
        let answer = read(&connection);
        // A connection that failed may be in any state; the next read opens a new one.
        let kept = if matches!(answer, Err(Failure::Sqlite(_))) { None } else { Some(connection) };
        self.put_back(kept);
        answer
    }

    /// Closes the connections; later reads are refused.
    pub(super) fn close(&self) {
        let mut pool = self.lock();
        pool.closed = true;
        pool.open -= pool.free.len();
        pool.free.clear();
    }

    fn take(&self) -> Result<Connection, Failure> {
        let mut pool = self.lock();
        loop {
            if pool.closed {
                return Err(Failure::Closed);
            }
            if let Some(connection) = pool.free.pop() {
                return Ok(connection);
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
        open_reader(&self.path).map_err(|error| {
            self.put_back(None);
            error.into()
        })
    }

    fn put_back(&self, connection: Option<Connection>) {
        let mut pool = self.lock();
        match connection {
            Some(connection) if !pool.closed => pool.free.push(connection),
            _ => pool.open -= 1,
        }
        // Waking costs a call of the system, whether somebody waits or not.
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
