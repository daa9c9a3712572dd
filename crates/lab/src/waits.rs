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
use model::share::has_share;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use wire::error::Error as ApiError;

/// The merchants with waiting calls.
type Waiting = HashMap<MerchantId, OfMerchant>;

/// The waiting calls of a merchant.
struct OfMerchant {
    /// The owner of their share of the places.
    owner: MerchantId,
    /// Their wake-ups. The number of receivers is the number of calls.
    wake_ups: watch::Sender<()>,
}

impl OfMerchant {
    fn calls(&self) -> usize {
        self.wake_ups.receiver_count()
    }
}

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
        if let Some(of_merchant) = all(&self.waiting).get(&merchant) {
            of_merchant.wake_ups.send_replace(());
        }
    }

    /// Ends all current and future waits.
    pub(crate) fn end(&self) {
        self.ended.send_replace(true);
    }

    /// Takes a place, subscribed to the wake-ups of the merchant from now on. `owner` is the
    /// owner of its share of the places.
    pub(crate) fn enter(&self, merchant: MerchantId, owner: MerchantId) -> Result<Place, ApiError> {
        let mut waiting = all(&self.waiting);
        waiting.retain(|_, of_merchant| of_merchant.calls() > 0);
        let calls: usize = waiting.values().map(OfMerchant::calls).sum();
        let of_owner = waiting.values().filter(|of_merchant| of_merchant.owner == owner);
        let own = of_owner.map(OfMerchant::calls).sum();
        let has_share = has_share(own, EVENT_WAITS_MAX.saturating_sub(calls));
        if own >= EVENT_WAITS_PER_MERCHANT_MAX || !has_share {
            return Err(ApiError::share_used(EVENT_WAITS_PER_MERCHANT_MAX, "waiting calls"));
        }
        let new = || OfMerchant { owner, wake_ups: watch::Sender::default() };
        Ok(Place(waiting.entry(merchant).or_insert_with(new).wake_ups.subscribe()))
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
        let mut place = waits.enter(one, one).unwrap();
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
            (0..EVENT_WAITS_PER_MERCHANT_MAX).map(|_| waits.enter(one, one).unwrap()).collect();
        assert!(waits.enter(one, one).is_err());
        drop(waits.enter(other, other).unwrap());
        drop(places);
        let _place = waits.enter(one, one).unwrap();
        assert_eq!(all(&waits.waiting).len(), 1);
    }

    /// Connected accounts wait in the share of their platform, and merchants that wait leave places to
    /// one that does not wait yet.
    #[test]
    fn merchants_leave_places_to_others() {
        let waits = Waits::default();
        let merchant = MerchantId::from_number;
        let platform = merchant(1);
        let mut places: Vec<Place> = (0..EVENT_WAITS_PER_MERCHANT_MAX as u64)
            .map(|account| waits.enter(merchant(1_000 + account), platform).unwrap())
            .collect();
        assert!(waits.enter(platform, platform).is_err());
        // Without the rule, these merchants would take all places.
        for number in 2..=(EVENT_WAITS_MAX / EVENT_WAITS_PER_MERCHANT_MAX) as u64 {
            let own = merchant(number);
            places.extend(std::iter::from_fn(|| waits.enter(own, own).ok()));
        }
        places.push(waits.enter(merchant(99), merchant(99)).unwrap());
        assert!(places.len() < EVENT_WAITS_MAX);
    }
}
