//! Counters of the writer, for a metrics endpoint.
//!
//! The writer thread adds to atomic counters with relaxed ordering. A reader may see one counter
//! before and another after a command, because no lock joins them. Counters start at 0 when the
//! store is opened.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// The state of the writer at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WriterStats {
    /// Commands that wait in the queue.
    pub queue_length: usize,
    /// Groups of commands that the writer has run.
    pub groups: u64,
    /// Commands of the last group.
    pub last_group_commands: u64,
    /// Commands that the writer has run, including those that failed.
    pub commands: u64,
    /// Commands that returned an error. Panics are not counted here.
    pub commands_failed: u64,
    /// Commands that panicked.
    pub commands_panicked: u64,
    /// Commands that were rejected because of a version conflict.
    pub version_conflicts: u64,
    /// Groups with a failed commit.
    pub commits_failed: u64,
    /// Bytes of the database file. `None` if its size cannot be read.
    pub database_bytes: Option<u64>,
    /// Bytes of the write-ahead log. `None` if its size cannot be read.
    pub wal_bytes: Option<u64>,
}

/// The counters that the writer thread adds to.
#[derive(Debug, Default)]
pub(crate) struct WriterCounters {
    groups: AtomicU64,
    last_group_commands: AtomicU64,
    commands: AtomicU64,
    pub(crate) commands_failed: Counter,
    pub(crate) commands_panicked: Counter,
    pub(crate) version_conflicts: Counter,
    pub(crate) commits_failed: Counter,
}

/// A number that only rises.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    /// Adds one.
    pub(crate) fn raise(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl WriterCounters {
    /// Counts a group that is about to run.
    pub(crate) fn start_group(&self, commands: usize) {
        let commands = commands as u64;
        self.groups.fetch_add(1, Ordering::Relaxed);
        self.last_group_commands.store(commands, Ordering::Relaxed);
        self.commands.fetch_add(commands, Ordering::Relaxed);
    }

    /// The counters as plain data, with the sizes of the files of a database.
    pub(crate) fn read(&self, queue_length: usize, database: &Path) -> WriterStats {
        WriterStats {
            queue_length,
            groups: self.groups.load(Ordering::Relaxed),
            last_group_commands: self.last_group_commands.load(Ordering::Relaxed),
            commands: self.commands.load(Ordering::Relaxed),
            commands_failed: self.commands_failed.get(),
            commands_panicked: self.commands_panicked.get(),
            version_conflicts: self.version_conflicts.get(),
            commits_failed: self.commits_failed.get(),
            database_bytes: file_bytes(database),
            wal_bytes: file_bytes(&wal_path(database)),
        }
    }
}

/// The path that `SQLite` gives to the write-ahead log of a database.
fn wal_path(database: &Path) -> PathBuf {
    let mut path = database.as_os_str().to_owned();
    path.push("-wal");
    path.into()
}

/// The size of a file. A file that does not exist has 0 bytes, because `SQLite` removes the
/// write-ahead log when the last connection closes.
fn file_bytes(path: &Path) -> Option<u64> {
    match std::fs::metadata(path) {
        Ok(metadata) => Some(metadata.len()),
        Err(error) if error.kind() == ErrorKind::NotFound => Some(0),
        Err(_) => None,
    }
}
