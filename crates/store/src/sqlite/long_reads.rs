//! The pool of long reads.
//!
//! A read begins on the serving thread, with a budget of steps. A read that exceeds it is abandoned
//! and runs again here, on a thread and a connection of its own, without a budget. So single rows
//! and health checks never wait for a long list. Each merchant runs one long read at a time, and the
//! merchants take turns, because both semaphores are fair. After a crash nothing has to be repaired,
//! because a read changes nothing.

use super::readers::{Budgeted, Readers};
use super::{Reading, Sqlite};
use crate::stats::Counter;
use crate::store::Failure;
use crate::{Error, Read};
use model::id::MerchantId;
use model::limits::{LONG_READS_MAX, LONG_READS_WAITING_MAX};
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use tokio::sync::Semaphore;

pub(super) struct LongReads {
    pub(super) readers: Readers,
    /// The permits to run.
    pub(super) running: Arc<Semaphore>,
    /// The permits to run or wait.
    admitted: Arc<Semaphore>,
    /// One permit for each merchant with long reads. Workers, which read for all merchants, share
    /// one.
    shares: Mutex<HashMap<Option<MerchantId>, Weak<Semaphore>>>,
    pub(super) count: Counter,
}

impl LongReads {
    pub(super) fn new(path: PathBuf) -> Self {
        Self {
            readers: Readers::new(path, LONG_READS_MAX),
            running: Arc::new(Semaphore::new(LONG_READS_MAX)),
            admitted: Arc::new(Semaphore::new(LONG_READS_WAITING_MAX)),
            shares: Mutex::default(),
            count: Counter::default(),
        }
    }

    /// The permit of a merchant. Permits that no read uses are forgotten.
    fn share(&self, merchant: Option<MerchantId>) -> Arc<Semaphore> {
        let mut shares = self.shares.lock().unwrap_or_else(PoisonError::into_inner);
        shares.retain(|_, share| share.strong_count() > 0);
        if let Some(share) = shares.get(&merchant).and_then(Weak::upgrade) {
            return share;
        }
        let share = Arc::new(Semaphore::new(1));
        shares.insert(merchant, Arc::downgrade(&share));
        share
    }

    /// Runs a read when the merchant and the pool have a permit for it. It also ends if its caller
    /// is dropped.
    pub(super) async fn run<C: Read>(sqlite: Arc<Sqlite>, command: C) -> Result<C::Output, Error> {
        let pool = &sqlite.long_reads;
        pool.count.raise();
        let admitted = Arc::clone(&pool.admitted).try_acquire_owned().map_err(|_| Error::Busy)?;
        // The semaphores are never closed.
        let closed = |_| Error::from(Failure::Closed);
        let share = pool.share(command.merchant()).acquire_owned().await.map_err(closed)?;
        let running = Arc::clone(&pool.running).acquire_owned().await.map_err(closed)?;
        let reading = tokio::task::spawn_blocking(move || {
            let output = sqlite.long_reads.readers.with(None, |connection| {
                Reading::of(connection, &sqlite.seal).run(&command, &sqlite.known)
            });
            drop((running, share, admitted));
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
