//! Waiting calls: their places and their wake-ups.
//!
//! A waiting call subscribes to the wake-ups of its merchant before it first looks. After the commit
//! of each dispatch and of each settled delivery, it looks again. Wake-ups of other merchants cost it
//! no work, and several wake-ups during one look lead to one more look. It also looks at an interval,
//! for work that another server did or that has no wake-up. A wait is not stored, so it ends if the
//! server dies.

use engine::Error;
use model::id::MerchantId;
use model::limits::{EVENT_WAIT_POLL_MS, EVENT_WAITS_MAX, EVENT_WAITS_PER_MERCHANT_MAX};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use wire::error::Error as ApiError;

/// The wake-ups of the merchants with waiting calls. The number of receivers is the number of calls.
type Waiting = HashMap<MerchantId, watch::Sender<()>>;

/// The calls that wait, and their wake-ups.
#[derive(Default)]
pub(crate) struct Waits {
    waiting: Mutex<Waiting>,
    ended: watch::Sender<bool>,
}

/// The place of a waiting call. Dropping it makes room for another call.
pub(crate) struct Place(watch::Receiver<()>);

impl Waits {
    /// Wakes the waiting calls of a merchant, because events were dispatched or a delivery was
    /// settled.
    pub(crate) fn notify(&self, merchant: MerchantId) {
        if let Some(wake_ups) = all(&self.waiting).get(&merchant) {
            wake_ups.send_replace(());
        }
    }

    /// Ends all current and future waits.
    pub(crate) fn end(&self) {
        self.ended.send_replace(true);
    }

    /// Takes a place, subscribed to the wake-ups of the merchant from now on. Each merchant has a
    /// share of the places of the server.
    pub(crate) fn enter(&self, merchant: MerchantId) -> Result<Place, ApiError> {
        let mut waiting = all(&self.waiting);
        waiting.retain(|_, wake_ups| wake_ups.receiver_count() > 0);
        let calls: usize = waiting.values().map(watch::Sender::receiver_count).sum();
        let own = waiting.get(&merchant).map_or(0, watch::Sender::receiver_count);
        if own >= EVENT_WAITS_PER_MERCHANT_MAX || calls >= EVENT_WAITS_MAX {
            return Err(ApiError::rate_limited("global-concurrency"));
        }
        Ok(Place(waiting.entry(merchant).or_default().subscribe()))
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
        // Without a wake-up the call looks all the same. The sender exists as long as this receiver.
        let _ = tokio::time::timeout(poll, self.0.changed()).await;
    }
}

fn all(waiting: &Mutex<Waiting>) -> MutexGuard<'_, Waiting> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::poll_fn;
    use std::pin::pin;
    use std::task::Poll;

    fn merchants() -> (MerchantId, MerchantId) {
        (MerchantId::from_number(1), MerchantId::from_number(2))
    }

    /// A wake-up reaches the calls of its merchant, and several lead to one look.
    #[tokio::test]
    async fn wakes_its_merchant() {
        let ((one, other), waits) = (merchants(), Waits::default());
        let mut place = waits.enter(one).unwrap();
        {
            let mut woken = pin!(place.wake_up());
            let mut look = async || poll_fn(|task| Poll::Ready(woken.as_mut().poll(task))).await;
            waits.notify(other);
            assert!(look().await.is_pending());
            waits.notify(one);
            waits.notify(one);
            assert!(look().await.is_ready());
        }
        let mut next = pin!(place.wake_up());
        assert!(poll_fn(|task| Poll::Ready(next.as_mut().poll(task))).await.is_pending());
    }

    /// A call that ended makes room for another one, and its merchant is forgotten.
    #[test]
    fn ended_calls_make_room() {
        let ((one, other), waits) = (merchants(), Waits::default());
        let places: Vec<Place> =
            (0..EVENT_WAITS_PER_MERCHANT_MAX).map(|_| waits.enter(one).unwrap()).collect();
        assert!(waits.enter(one).is_err());
        drop(waits.enter(other).unwrap());
        drop(places);
        let _place = waits.enter(one).unwrap();
        assert_eq!(all(&waits.waiting).len(), 1);
    }
}
