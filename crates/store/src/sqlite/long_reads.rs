//! The pool of long reads.
//!
//! A read begins on the serving thread, with a budget of steps. A read that exceeds it is abandoned
//! and runs again here, on a thread and a connection of its own, without a budget. So single rows
//! and health checks never wait for a long list. Each merchant runs one long read at a time, and the
//! merchants take turns. Copies of sandboxes take seconds, so a list does not wait for them either: they
//! have one of the two threads at most. After a crash nothing has to be repaired, because a read changes
//! nothing.

use super::readers::{Budgeted, Readers};
use super::{Reading, Sqlite};
use crate::stats::Counter;
use crate::store::Failure;
use crate::turns::Turns;
use crate::{Error, Read};
use model::limits::{COPY_READS_MAX, LONG_READS_MAX, LONG_READS_WAITING_MAX};
use model::share::has_share;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::Semaphore;

pub(super) struct LongReads {
    pub(super) readers: Readers,
    pub(super) turns: Turns,
    /// The permits to run or wait.
    admitted: Arc<Semaphore>,
    /// The permits to copy a sandbox.
    copying: Arc<Semaphore>,
    pub(super) count: Counter,
}

impl LongReads {
    pub(super) fn new(path: PathBuf) -> Self {
        Self {
            readers: Readers::new(path, LONG_READS_MAX),
            turns: Turns::new(LONG_READS_MAX),
            admitted: Arc::new(Semaphore::new(LONG_READS_WAITING_MAX)),
            copying: Arc::new(Semaphore::new(COPY_READS_MAX)),
            count: Counter::default(),
        }
    }

    /// Runs a read when the merchant and the pool have a permit for it. It also ends if its caller
    /// is dropped.
    pub(super) async fn run<C: Read>(sqlite: Arc<Sqlite>, command: C) -> Result<C::Output, Error> {
        let pool = &sqlite.long_reads;
        pool.count.raise();
        let merchant = command.merchant();
        let used = || Error::ShareUsed { most: LONG_READS_WAITING_MAX / 2, what: "long reads" };
        if !has_share(pool.turns.count(merchant), pool.admitted.available_permits()) {
            return Err(used());
        }
        let queued = pool.turns.join(merchant);
        let admitted = Arc::clone(&pool.admitted).try_acquire_owned().map_err(|_| used())?;
        let copies = command.is_copy().then(|| Arc::clone(&pool.copying));
        let (turn, copying) = pool.turns.take_with(queued, copies).await;
        let reading = tokio::task::spawn_blocking(move || {
            let output = sqlite.long_reads.readers.with(None, |connection| {
                Reading::of(connection, &sqlite.seal).run(&command, &sqlite.known)
            });
            drop((turn, copying, admitted));
            output
        });
        match reading.await {
            Ok(Ok(Budgeted::Done(output))) => Ok(output),
            Ok(Ok(Budgeted::Exceeded)) => unreachable!("a long read has no budget"),
            Ok(Err(failure)) => Err(failure.into()),
            // The read panicked, or the runtime is shutting down.
            Err(_) => Err(Failure::Closed.into()),
        }
    }
}
