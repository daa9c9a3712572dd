//! The dispatch worker: creates one delivery of an event per subscribed endpoint.
//!
//! Events are found by their mark. The command that writes the deliveries clears it, and leaves
//! existing deliveries unchanged. A crash in between repeats the work without an effect. After its
//! mark is cleared, an event is offered to the event streams, which do not survive a crash.

use crate::events::event::{Listeners, subscribed};
use crate::hooks::DeliveryDraft;
use crate::observer::DeliveryObservation;
use crate::{Engine, Error};
use model::clock::ServerTime;
use model::delivery::{Delivery, DeliveryKey, DeliveryStatus};
use model::endpoint::Endpoint;
use model::event::Event;
use model::id::MerchantId;
use model::limits;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;
use store::{DispatchEvent, ListUndispatched};
use tokio::task::JoinSet;
use wire::version::Version;

impl Engine {
    /// Dispatches a batch. Returns the number of events that it found.
    pub async fn run_dispatch_once(self: &Arc<Self>) -> Result<usize, Error> {
        let list = ListUndispatched { limit: limits::DISPATCH_BATCH_MAX };
        let events = self.store.read(list).await?;
        let found = events.len();
        if found > 0 {
            self.failpoints.reach("before_dispatch");
        }
        let mut listeners: HashMap<MerchantId, Listeners> = HashMap::new();
        let mut writing = JoinSet::new();
        for (place, (event, committed_at)) in events.iter().enumerate() {
            let of_merchant = match listeners.entry(event.merchant) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(unknown) => unknown.insert(self.listeners_of(event.merchant).await?),
            };
            let dispatch = DispatchEvent {
                merchant: event.merchant,
                event: event.id,
                deliveries: self.deliveries(event, committed_at.0, of_merchant).await?,
            };
            // Written concurrently, so that the writer commits them together.
            let engine = Arc::clone(self);
            writing.spawn(async move {
                let (merchant, taken) = (dispatch.merchant, !dispatch.deliveries.is_empty());
                let written = engine.store.write(dispatch).await;
                if written.is_ok() && !taken {
                    engine.observer.on_delivery(&DeliveryObservation::NoTakers { merchant });
                }
                (place, written)
            });
        }
        let (mut dispatched, mut failed) = (Vec::with_capacity(found), None);
        while let Some(written) = writing.join_next().await {
            match written {
                Ok((place, Ok(()))) => dispatched.push(place),
                Ok((_, Err(error))) => failed = Some(error),
                Err(_) => {}
            }
        }
        dispatched.sort_unstable();
        for (event, committed_at) in dispatched.iter().filter_map(|place| events.get(*place)) {
            if let Some(of_merchant) = listeners.get(&event.merchant) {
                self.offer(event, *committed_at, of_merchant);
            }
        }
        if let Some(error) = failed {
            return Err(error.into());
        }
        if found > 0 {
            self.wake.deliver();
        }
        Ok(found)
    }

    async fn deliveries(
        &self,
        event: &Event,
        position: i64,
        listeners: &Listeners,
    ) -> Result<Vec<Delivery>, Error> {
        let takers: Vec<&Endpoint> = subscribed(&listeners.endpoints, event, position).collect();
        let now = self.clock.server_now();
        let connected = listeners.connected.as_deref();
        let payload =
            |version: &Version| self.render_event(event, version, takers.len(), connected);
        let drafts = takers.iter().map(|&endpoint| DeliveryDraft {
            endpoint,
            delivery: delivery_to(event, endpoint, now, payload),
        });
        let mut drafts: Vec<DeliveryDraft<'_>> = drafts.collect();
        self.hooks.before_deliveries(event, &mut drafts).await?;
        Ok(drafts.into_iter().map(|draft| draft.delivery).collect())
    }
}

/// Creates a delivery of an event, due at once.
pub fn delivery_to(
    event: &Event,
    endpoint: &Endpoint,
    now: ServerTime,
    payload: impl Fn(&Version) -> Vec<u8>,
) -> Delivery {
    let version = endpoint
        .api_version
        .as_deref()
        .and_then(|text| Version::parse(text).ok())
        .unwrap_or_default();
    Delivery {
        key: DeliveryKey { event: event.id, endpoint: endpoint.id },
        merchant: event.merchant,
        status: DeliveryStatus::Pending,
        attempts: 0,
        due_at: now,
        claim: 0,
        leased_until: None,
        payload: payload(&version),
        resent_from: None,
        mark: None,
    }
}
