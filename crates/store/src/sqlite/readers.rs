//! Connections that read, used on the calling thread.
//!
//! A connection is opened when a read needs one, up to the number in the settings. A read that
//! finds no free connection waits for one. Reads keep a connection for microseconds and never wait
//! for anything else meanwhile.

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

/// The slot of a connection on loan. Dropping it returns the slot, and the connection if one was
/// put into it. After a panic the slot is empty, because the state of the connection is unknown.
struct Slot<'a> {
    readers: &'a Readers,
    connection: Option<Connection>,
}

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        self.readers.put_back(self.connection.take());
    }
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
        let mut slot = Slot { readers: self, connection: None };
        let output = read(&connection);
        // The state of a connection that failed is unknown. The next read opens a new one.
        if !matches!(output, Err(Failure::Sqlite(_))) {
            slot.connection = Some(connection);
        }
        output
    }

    /// Closes the connections. Later reads fail.
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
