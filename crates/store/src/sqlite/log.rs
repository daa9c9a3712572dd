//! The write-ahead log: its length, and when it is copied to the database.

use rusqlite::Connection;
use rusqlite::hooks::Wal;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// Pages of the write-ahead log that are not in the database yet, from which the writer starts a
/// checkpoint.
const CHECKPOINT_PAGES_MIN: i64 = 1_000;

pub(super) const CHECKPOINT: &str = "PRAGMA wal_checkpoint(PASSIVE)";
pub(super) const CHECKPOINT_WHOLE: &str = "PRAGMA wal_checkpoint(TRUNCATE)";

/// The write-ahead log, as the writer sees it.
#[derive(Default)]
pub(super) struct Log {
    /// Pages in the log after the last commit. `SQLite` reports them, because to ask for them costs
    /// more than a small commit.
    pages: Arc<AtomicI64>,
    /// Pages of the log that are in the database too.
    copied: i64,
}

impl Log {
    /// Starts the reports of a connection.
    pub(super) fn follow(&self, connection: &mut Connection) -> Result<(), rusqlite::Error> {
        let pages = Arc::clone(&self.pages);
        connection.wal_hook(Some(move |_: &mut Wal, now: i32| {
            pages.store(i64::from(now), Ordering::Relaxed);
            Ok(())
        }))
    }

    /// Starts a checkpoint if the log has grown. It is small and never waits for readers.
    pub(super) fn checkpoint_early(
        &mut self,
        connection: &Connection,
    ) -> Result<(), rusqlite::Error> {
        let pages = self.pages.load(Ordering::Relaxed);
        if pages < self.copied {
            // SQLite has started the log again.
            self.copied = 0;
        }
        if pages - self.copied >= CHECKPOINT_PAGES_MIN {
            self.copied = checkpoint(connection, CHECKPOINT)?;
        }
        Ok(())
    }
}

/// Runs a checkpoint. Returns the number of pages of the log that are copied.
pub(super) fn checkpoint(connection: &Connection, sql: &str) -> Result<i64, rusqlite::Error> {
    connection.prepare_cached(sql)?.query_row([], |row| row.get(2))
}
