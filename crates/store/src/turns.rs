//! Turns: work of which a few pieces run at once, one of each merchant. All others wait, and merchants
//! take turns, because the semaphores are fair. A turn ends when it is dropped. After a crash nothing has
//! to be repaired, because turns are in memory only.

use model::id::MerchantId;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The places for one sort of work.
pub(crate) struct Turns {
    /// The permits to run.
    pub(crate) running: Arc<Semaphore>,
    /// One permit for each merchant with work. Workers, which work for all merchants, share one.
    shares: Mutex<HashMap<Option<MerchantId>, Weak<Semaphore>>>,
}

/// A place in the queue of a merchant.
pub(crate) struct Queued(Arc<Semaphore>);

/// A piece of work that may run.
pub(crate) struct Turn {
    _share: OwnedSemaphorePermit,
    _running: OwnedSemaphorePermit,
}

impl Turns {
    pub(crate) fn new(places: usize) -> Self {
        Self { running: Arc::new(Semaphore::new(places)), shares: Mutex::default() }
    }

    fn shares(&self) -> MutexGuard<'_, HashMap<Option<MerchantId>, Weak<Semaphore>>> {
        self.shares.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The number of pieces of work of a merchant that run or wait.
    pub(crate) fn count(&self, merchant: Option<MerchantId>) -> usize {
        self.shares().get(&merchant).map_or(0, Weak::strong_count)
    }

    /// Joins the queue of a merchant. Queues without work are forgotten.
    pub(crate) fn join(&self, merchant: Option<MerchantId>) -> Queued {
        let mut shares = self.shares();
        shares.retain(|_, share| share.strong_count() > 0);
        if let Some(share) = shares.get(&merchant).and_then(Weak::upgrade) {
            return Queued(share);
        }
        let share = Arc::new(Semaphore::new(1));
        shares.insert(merchant, Arc::downgrade(&share));
        Queued(share)
    }

    /// Waits until the merchant and the server have a permit.
    pub(crate) async fn take(&self, queued: Queued) -> Turn {
        self.take_with(queued, None).await.0
    }

    /// The same with one of other permits, if there are any.
    pub(crate) async fn take_with(
        &self,
        queued: Queued,
        others: Option<Arc<Semaphore>>,
    ) -> (Turn, Option<OwnedSemaphorePermit>) {
        let share = taken(queued.0).await;
        let other = match others {
            Some(others) => Some(taken(others).await),
            None => None,
        };
        (Turn { _share: share, _running: taken(Arc::clone(&self.running)).await }, other)
    }
}

/// Takes a permit.
async fn taken(permits: Arc<Semaphore>) -> OwnedSemaphorePermit {
    match permits.acquire_owned().await {
        Ok(permit) => permit,
        Err(_) => unreachable!("the semaphore is never closed"),
    }
}
