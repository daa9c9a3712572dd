//! The dispatch worker: creates one delivery of an event per subscribed endpoint. A destination may get
//! one for each of the two thin events.
//!
//! | word | meaning |
//! |---|---|
//! | feed | a merchant's events, numbered in the order of their dispatch |
//! | claim | the right to dispatch a merchant's events, with a number and a lease |
//! | turn | a bounded part of a feed that is dispatched under one claim |
//!
//! An event waits until the command that writes its deliveries gives it a feed number. Turns of
//! different merchants run side by side, so a long feed does not delay the others. A claim that was
//! released stays valid until the feed is claimed again, so a merchant's next events need no new
//! claim.
//!
//! After a crash the events still wait. If the feed was leased, it is claimed again when the lease
//! has expired. A late dispatcher has an older claim, and its command is rejected.

use crate::events::event::Listeners;
use crate::events::thin::{notification, takers};
use crate::hooks::{DeliveryDraft, EventDraft};
use crate::observer::DeliveryObservation;
use crate::worker::in_task;
use crate::{Engine, Error};
use model::clock::ServerTime;
use model::delivery::{Delivery, DeliveryKey, DeliveryStatus};
use model::endpoint::{Endpoint, EventForm};
use model::event::Event;
use model::id::{EventId, MerchantId, ThinEventId};
use model::limits;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use store::{
    ClaimFeeds, DispatchEvents, FeedClaim, ListUndispatched, ListWaitingFeeds, WaitingFeed, Written,
};
use tokio::task::{JoinError, JoinSet};
use wire::version::Version;

/// The newest claims of this process, which stay valid until another process claims their feeds.
#[derive(Debug, Default)]
pub(crate) struct FeedClaims(Mutex<HashMap<MerchantId, u32>>);

impl FeedClaims {
    fn with<T>(&self, run: impl FnOnce(&mut HashMap<MerchantId, u32>) -> T) -> T {
        run(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn keep(&self, claim: FeedClaim) {
        self.with(|claims| {
            if claims.len() >= limits::FEED_CLAIMS_CACHED_MAX {
                claims.clear();
            }
            claims.insert(claim.merchant, claim.number);
        });
    }

    /// Removes and returns the claim of a feed if it is the feed's newest.
    fn take(&self, feed: &WaitingFeed) -> Option<FeedClaim> {
        let kept = self.with(|claims| claims.remove(&feed.merchant));
        let number = kept.filter(|number| *number == feed.claim)?;
        Some(FeedClaim { merchant: feed.merchant, number })
    }
}

/// The result of a turn.
type TurnEnded = (MerchantId, Result<usize, Error>);

/// Turns in progress.
#[derive(Debug, Default)]
pub struct Turns {
    running: JoinSet<TurnEnded>,
    merchants: HashSet<MerchantId>,
    /// The merchant after which the next search begins, so that all merchants take turns.
    after: Option<MerchantId>,
}

impl Turns {
    /// Waits until a turn ends, if one is in progress, and removes all that have ended with it.
    pub async fn ended(&mut self) {
        let Some(first) = self.running.join_next().await else {
            return std::future::pending().await;
        };
        // The turn has logged its error.
        let _ = self.count_out(first);
        while let Some(next) = self.running.try_join_next() {
            let _ = self.count_out(next);
        }
    }

    fn count_out(&mut self, ended: Result<TurnEnded, JoinError>) -> Result<usize, Error> {
        // A turn catches its panics, so it always names its merchant.
        let Ok((merchant, ended)) = ended else {
            self.merchants.clear();
            return Err(Error::Panicked);
        };
        self.merchants.remove(&merchant);
        ended
    }

    /// The number of turns in progress.
    pub fn count(&self) -> usize {
        self.running.len()
    }
}

/// A dispatched batch.
enum Batch {
    /// The number of events, and true if more wait.
    Done(usize, bool),
    /// The feed was claimed by another dispatcher, or its rows were replaced.
    VersionConflict,
}

impl Engine {
    /// Dispatches a turn of each waiting feed and waits until all are complete. Returns the number
    /// of events.
    pub async fn run_dispatch_once(self: &Arc<Self>) -> Result<usize, Error> {
        let mut turns = Turns::default();
        let mut dispatched = 0;
        while self.begin_turns(&mut turns).await? > 0 {
            let mut failed = None;
            while let Some(ended) = turns.running.join_next().await {
                match turns.count_out(ended) {
                    Ok(events) => dispatched += events,
                    Err(error) => failed = Some(error),
                }
            }
            if let Some(error) = failed {
                return Err(error);
            }
        }
        Ok(dispatched)
    }

    /// Begins turns of waiting feeds in addition to those in progress, at most one per merchant.
    /// Returns the number of turns that it began.
    pub async fn begin_turns(self: &Arc<Self>, turns: &mut Turns) -> Result<usize, Error> {
        let most = if self.settings.in_order { 1 } else { limits::FEED_TURNS_MAX };
        let room = most.saturating_sub(turns.count());
        if room == 0 {
            return Ok(0);
        }
        let now = self.clock.server_now();
        let (mut claims, mut merchants) = (Vec::new(), Vec::new());
        for feed in self.waiting_feeds(turns).await? {
            let is_leased = feed.leased_until.is_some_and(|until| until > now);
            if is_leased || claims.len() + merchants.len() == room {
                continue;
            }
            match self.feed_claims.take(&feed) {
                Some(claim) => claims.push(claim),
                None => merchants.push(feed.merchant),
            }
            turns.after = Some(feed.merchant);
        }
        if !merchants.is_empty() {
            let leased_until = now.plus_ms(limits::FEED_LEASE_MS);
            let claim = ClaimFeeds { merchants, now, leased_until, forced: false };
            claims.extend(self.store.write(claim).await?);
        }
        let begun = claims.len();
        for claim in claims {
            turns.merchants.insert(claim.merchant);
            let engine = Arc::clone(self);
            turns.running.spawn(async move {
                let turn = engine.dispatch_turn(claim);
                (claim.merchant, in_task(&engine, "dispatch", claim.merchant, turn).await)
            });
        }
        Ok(begun)
    }

    /// Waiting feeds without a turn in progress. The search begins after the last merchant that had
    /// a turn, and continues with the first one.
    async fn waiting_feeds(&self, turns: &Turns) -> Result<Vec<WaitingFeed>, Error> {
        let limit = limits::FEEDS_LISTED_MAX;
        let mut feeds = Vec::new();
        let starts: &[_] = if turns.after.is_some() { &[turns.after, None] } else { &[None] };
        for after in starts {
            let list = ListWaitingFeeds { after: *after, limit };
            feeds.extend(self.store.read(list).await?);
            if feeds.len() >= limit {
                break;
            }
        }
        let mut known = turns.merchants.clone();
        feeds.retain(|feed| known.insert(feed.merchant));
        Ok(feeds)
    }

    /// Dispatches batches of a feed under a claim, and releases it.
    async fn dispatch_turn(&self, claim: FeedClaim) -> Result<usize, Error> {
        let (mut dispatched, mut conflicts) = (0, 0);
        for batch in 1..=limits::FEED_TURN_BATCHES_MAX {
            let is_last = batch == limits::FEED_TURN_BATCHES_MAX;
            match self.dispatch_batch(claim, is_last).await? {
                // A counter may have changed. If the claim is older, the repetition fails too.
                Batch::VersionConflict if conflicts < limits::STALE_RETRIES_MAX => conflicts += 1,
                Batch::VersionConflict => return Ok(dispatched),
                Batch::Done(events, has_more) => {
                    dispatched += events;
                    if !has_more {
                        break;
                    }
                }
            }
        }
        self.feed_claims.keep(claim);
        Ok(dispatched)
    }

    /// Dispatches a batch of a feed. The claim is released after the last batch.
    async fn dispatch_batch(&self, claim: FeedClaim, is_last: bool) -> Result<Batch, Error> {
        let merchant = claim.merchant;
        let waiting = self
            .store
            .read(ListUndispatched {
                merchant,
                limit: limits::DISPATCH_BATCH_MAX,
                bytes_max: limits::DISPATCH_BYTES_MAX,
            })
            .await?;
        self.failpoints.reach("before_dispatch");
        // Endpoints are read after the events, so an event that follows the creation of an endpoint
        // goes to it.
        let listeners = self.listeners_of(merchant).await?;
        let drafts = waiting.events.iter().map(|event| self.draft(event, &listeners));
        let mut drafts: Vec<EventDraft<'_>> = drafts.collect();
        let objects = self.hooks.before_deliveries(&mut drafts).await?;
        let events = drafts.into_iter().map(|draft| {
            let deliveries = draft.deliveries.into_iter().map(|draft| draft.delivery);
            (draft.event.id, deliveries.collect())
        });
        let events: Vec<(EventId, Vec<Delivery>)> = events.collect();
        let now = self.clock.server_now();
        self.event_streams.expect(now, &listeners, waiting.feed).await;
        let goes_on = waiting.has_more && !is_last;
        let leased_until = goes_on.then(|| now.plus_ms(limits::FEED_LEASE_MS));
        let count = events.len();
        match self.store.write(DispatchEvents { claim, events, objects, leased_until }).await? {
            Written::Done => {}
            Written::VersionConflict | Written::KeyTaken => return Ok(Batch::VersionConflict),
        }
        if count > 0 {
            self.observer.on_delivery(&DeliveryObservation::Dispatched { merchant });
            self.wake.deliver();
            self.feed_streams(&listeners).await?;
        }
        Ok(Batch::Done(count, waiting.has_more))
    }

    /// Dispatches the events of a merchant that are committed by now, under a claim of its own. So
    /// an endpoint or an event stream that is created next receives only later events.
    pub async fn dispatch_committed(&self, merchant: MerchantId) -> Result<(), Error> {
        for _ in 0..limits::FEED_BATCHES_AT_ONCE_MAX {
            let now = self.clock.server_now();
            let claim = ClaimFeeds {
                merchants: vec![merchant],
                now,
                leased_until: now.plus_ms(limits::FEED_LEASE_MS),
                forced: true,
            };
            // Without a claim, no event waits.
            let Some(claim) = self.store.write(claim).await?.pop() else { return Ok(()) };
            if let Batch::Done(_, false) = self.dispatch_batch(claim, true).await? {
                return Ok(());
            }
        }
        Err(Error::Locked)
    }

    /// Does the same for the connected accounts of a platform.
    pub(crate) async fn dispatch_connected(&self, platform: MerchantId) -> Result<(), Error> {
        let limit = limits::FEEDS_LISTED_MAX;
        let mut after = None;
        loop {
            let feeds = self.store.read(ListWaitingFeeds { after, limit }).await?;
            for feed in &feeds {
                let tie = self.platform_of(feed.merchant).await?;
                if tie.is_some_and(|tie| tie.platform == platform) {
                    self.dispatch_committed(feed.merchant).await?;
                }
            }
            if feeds.len() < limit {
                return Ok(());
            }
            after = feeds.last().map(|feed| feed.merchant);
        }
    }

    /// The deliveries of an event before the hooks have changed them.
    fn draft<'a>(&self, event: &'a Event, listeners: &'a Listeners) -> EventDraft<'a> {
        let takers = takers(&listeners.endpoints, event);
        let pending = takers.len();
        let delay_ms = if event.livemode { 0 } else { self.settings.webhook_delay_ms };
        let due_at = self.clock.server_now().plus_ms(delay_ms);
        let connected = listeners.connected.as_deref();
        let deliveries = takers.into_iter().map(|(endpoint, form)| DeliveryDraft {
            endpoint,
            form,
            delivery: self.delivery_to(event, (endpoint, form), due_at, pending, connected),
        });
        EventDraft { event, deliveries: deliveries.collect() }
    }

    /// Creates a delivery of a form of an event, due at this time. An event with the copy of its object
    /// shows the number of pending deliveries.
    pub fn delivery_to(
        &self,
        event: &Event,
        (endpoint, form): (&Endpoint, EventForm),
        due_at: ServerTime,
        pending: usize,
        connected: Option<&str>,
    ) -> Delivery {
        let payload = match form {
            EventForm::Snapshot => {
                let version = endpoint.api_version.as_deref();
                let version = version.and_then(|text| Version::parse(text).ok());
                self.render_event(event, &version.unwrap_or_default(), pending, connected)
            }
            EventForm::Thin(id) => notification(event, id, connected),
        };
        let outcome = matches!(form, EventForm::Thin(ThinEventId { outcome: true, .. }));
        Delivery {
            key: DeliveryKey { event: event.id, endpoint: endpoint.id, outcome },
            merchant: event.merchant,
            status: DeliveryStatus::Pending,
            attempts: 0,
            due_at,
            claim: 0,
            leased_until: None,
            payload,
            resent_from: None,
            mark: None,
        }
    }
}
