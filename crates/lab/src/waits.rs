//! Waiting calls: their places and their wake-ups.
//!
//! A waiting call subscribes to the wake-ups of its merchant before it first looks. After the commit
//! of each dispatch and of each settled delivery, it looks again. If it cannot process all wake-ups,
//! it looks once for all of them. It also looks at an interval, for work that another server did or
//! that has no wake-up. A wait is not stored, so it ends if the server dies.

use engine::Error;
use model::id::MerchantId;
use model::limits::{
    EVENT_NEWS_MAX, EVENT_WAIT_POLL_MS, EVENT_WAITS_MAX, EVENT_WAITS_PER_MERCHANT_MAX,
};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::sync::broadcast::{Receiver, Sender};
use tokio::sync::watch;
use wire::error::Error as ApiError;

/// The calls that wait, by merchant.
type Waiting = HashMap<MerchantId, usize>;

/// The calls that wait, and their wake-ups.
pub(crate) struct Waits {
    news: Sender<MerchantId>,
    waiting: Arc<Mutex<Waiting>>,
    ended: watch::Sender<bool>,
}

/// The place of a waiting call. Dropping it makes room for another call.
pub(crate) struct Place {
    merchant: MerchantId,
    waiting: Arc<Mutex<Waiting>>,
    news: Receiver<MerchantId>,
}

impl Default for Waits {
    fn default() -> Self {
        Self {
            news: Sender::new(EVENT_NEWS_MAX),
            waiting: Arc::default(),
            ended: watch::Sender::new(false),
        }
    }
}

impl Waits {
    /// Wakes the waiting calls of a merchant, because events were dispatched or a delivery was
    /// settled.
    pub(crate) fn notify(&self, merchant: MerchantId) {
        // Sending fails only if no call waits.
        let _ = self.news.send(merchant);
    }

    /// Ends all current and future waits.
    pub(crate) fn end(&self) {
        self.ended.send_replace(true);
    }

    /// Takes a place, subscribed to the wake-ups of the merchant from now on. Each merchant has a
    /// share of the places of the server.
    pub(crate) fn enter(&self, merchant: MerchantId) -> Result<Place, ApiError> {
        let mut waiting = all(&self.waiting);
        let own = waiting.get(&merchant).copied().unwrap_or_default();
        if own >= EVENT_WAITS_PER_MERCHANT_MAX || waiting.values().sum::<usize>() >= EVENT_WAITS_MAX
        {
            return Err(ApiError::rate_limited("global-concurrency"));
        }
        waiting.insert(merchant, own + 1);
        Ok(Place { merchant, waiting: Arc::clone(&self.waiting), news: self.news.subscribe() })
    }

    /// Runs the looks of a waiting call, at most this long. The end of all waits ends them earlier.
    pub(crate) async fn within(
        &self,
        timeout_s: u64,
        looking: impl Future<Output = Result<(), Error>>,
    ) -> Result<(), Error> {
        let mut ended = self.ended.subscribe();
        tokio::select! {
            looked = tokio::time::timeout(Duration::from_secs(timeout_s), looking) => {
                looked.unwrap_or(Ok(()))
            }
            _ = ended.wait_for(|ended| *ended) => Ok(()),
        }
    }
}

impl Place {
    /// Waits for a wake-up of the merchant, at most for the interval at which a call looks anyway.
    pub(crate) async fn wake_up(&mut self) {
        let poll = Duration::from_millis(EVENT_WAIT_POLL_MS);
        let woken = wake_up(self.merchant, &mut self.news);
        // Without a wake-up the call looks all the same.
        let _ = tokio::time::timeout(poll, woken).await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut waiting = all(&self.waiting);
        if let Some(own) = waiting.get_mut(&self.merchant) {
            *own -= 1;
            if *own == 0 {
                waiting.remove(&self.merchant);
            }
        }
    }
}

fn all(waiting: &Mutex<Waiting>) -> MutexGuard<'_, Waiting> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits for a wake-up of this merchant, and takes the others that are already there.
async fn wake_up(merchant: MerchantId, news: &mut Receiver<MerchantId>) {
    loop {
        match news.recv().await {
            Ok(other) if other != merchant => {}
            Ok(_) | Err(RecvError::Lagged(_)) => break,
            // The sender lives as long as the engine, which the caller borrows.
            Err(RecvError::Closed) => std::future::pending().await,
        }
    }
    while !matches!(news.try_recv(), Err(TryRecvError::Empty)) {}
}
