//! The state that the writer thread shares with the callers. It is gone with the process, and the next
//! start begins with a new one.

use super::files::FileIds;
use crate::stats::WriterCounters;
use crate::store::Failure;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use tokio::sync::watch;

/// State that the writer thread shares with the callers.
pub(super) struct Shared {
    /// True while the thread runs and its last commit has succeeded.
    pub(super) ready: AtomicBool,
    /// True while the thread runs.
    pub(super) alive: watch::Sender<bool>,
    /// The identities of the open files.
    pub(super) files: Mutex<FileIds>,
    /// The file that was removed or replaced, which ended the thread.
    pub(super) lost: OnceLock<PathBuf>,
    /// True after [`Writer::close`](super::writer::Writer::close) was called.
    pub(super) closing: AtomicBool,
    pub(super) counters: WriterCounters,
}

impl Shared {
    /// True if the files are still at their paths.
    pub(super) fn has_files(&self) -> bool {
        self.files.lock().unwrap_or_else(PoisonError::into_inner).check().is_ok()
    }

    /// The reason for which the queue accepts no commands.
    pub(super) fn closed(&self) -> Failure {
        if self.closing.load(Ordering::Acquire) {
            return Failure::Closed;
        }
        self.lost.get().map_or(Failure::WriterDied, |path| Failure::FileLost(path.clone()))
    }
}

/// Marks the thread as dead when it is dropped, which also happens while the thread unwinds.
pub(super) struct AliveGuard(pub(super) Arc<Shared>);

impl Drop for AliveGuard {
    fn drop(&mut self) {
        self.0.ready.store(false, Ordering::Release);
        self.0.alive.send_replace(false);
    }
}
