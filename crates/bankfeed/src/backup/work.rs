//! Long work on files that a signal ends in order, so that its unfinished files are removed.

use super::BackupError;
use crate::error::CommandError;
use cli::output::Progress;
use cli::process::{EndSignals, runtime};
use sha2::{Digest as _, Sha256};
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The bytes that are read at once.
const CHUNK_BYTES: usize = 1 << 20;

/// Work that a signal can stop.
pub(super) struct Work(AtomicBool);

/// Runs work on a thread of its own. A signal stops it at its next step.
pub(super) fn run<T: Send + 'static>(
    work: impl FnOnce(&Work) -> Result<T, BackupError> + Send + 'static,
) -> Result<T, CommandError> {
    runtime()?.block_on(async {
        let mut signals = EndSignals::listen()?;
        let state = Arc::new(Work(AtomicBool::new(false)));
        let mut working = tokio::task::spawn_blocking({
            let state = Arc::clone(&state);
            move || work(&state)
        });
        let (done, signal) = tokio::select! {
            done = &mut working => (done, None),
            signal = signals.next() => {
                state.0.store(true, Ordering::Relaxed);
                (working.await, Some(signal))
            }
        };
        let done = done.unwrap_or_else(|ended| Err(BackupError::Ended(io::Error::other(ended))));
        match (done, signal) {
            (Err(BackupError::Stopped), Some(signal)) => Err(CommandError::Interrupted(signal)),
            (done, _) => Ok(done?),
        }
    })
}

impl Work {
    /// True if a signal wants the work to end.
    pub(super) fn is_stopped(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Reads a file to its end. Returns its size and its SHA-256, and writes its bytes to `copy`.
    pub(super) fn hash(
        &self,
        path: &Path,
        mut file: &File,
        mut copy: Option<&mut File>,
    ) -> Result<(u64, String), BackupError> {
        let failed = |error| BackupError::file(path, error);
        let all = file.metadata().map_err(failed)?.len();
        let shown = usize::try_from(all).unwrap_or(usize::MAX);
        let progress = Progress::new("checking", shown);
        let (mut hash, mut chunk) = (Sha256::new(), vec![0; CHUNK_BYTES]);
        let mut bytes = 0;
        loop {
            if self.is_stopped() {
                return Err(BackupError::Stopped);
            }
            let count = file.read(&mut chunk).map_err(failed)?;
            if count == 0 {
                return Ok((bytes as u64, hex::encode(hash.finalize())));
            }
            hash.update(&chunk[..count]);
            if let Some(copy) = &mut copy {
                copy.write_all(&chunk[..count]).map_err(BackupError::Write)?;
            }
            bytes += count;
            progress.at(bytes);
        }
    }
}
