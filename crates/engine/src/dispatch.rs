//! The dispatch worker: an event becomes one delivery per subscribed endpoint.
//!
//! Events are found by their mark, which the command that writes the deliveries clears; deliveries
//! that exist stay as they are. A crash in between repeats the work and changes nothing.

use crate::event::subscribed;
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
    /// Dispatches a batch. Answers how many events it found.
    pub async fn run_dispatch_once(self: &Arc<Self>) -> Result<usize, Error> {
        let list = ListUndispatched { limit: limits::DISPATCH_BATCH_MAX };
        let events = self.store.read(list).await?;
        let found = events.len();
        if found > 0 {
            self.failpoints.reach("before_dispatch");
        }
        let mut endpoints: HashMap<MerchantId, Vec<Endpoint>> = HashMap::new();
        let mut writing = JoinSet::new();
        for (event, committed_at) in events {
            let of_merchant = match endpoints.entry(event.merchant) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(unknown) => unknown.insert(self.endpoints_of(event.merchant).await?),
            };
            let dispatch = DispatchEvent {
                merchant: event.merchant,
                event: event.id,
                deliveries: self.deliveries(&event, committed_at.0, of_merchant),
            };
            // Written together, so that the writer commits them together.
            let engine = Arc::clone(self);
            writing.spawn(async move { engine.store.write(dispatch).await });
        }
        while let Some(written) = writing.join_next().await {
            if let Ok(written) = written {
                written?;
            }
        }
        if found > 0 {
            self.wake.deliver();
        }
        Ok(found)
    }

    fn deliveries(&self, event: &Event, position: i64, endpoints: &[Endpoint]) -> Vec<Delivery> {
        let takers: Vec<&Endpoint> = subscribed(endpoints, event, position).collect();
        let now = self.clock.server_now();
        takers.iter().map(|endpoint| self.delivery(event, endpoint, takers.len(), now)).collect()
    }

    fn delivery(
        &self,
        event: &Event,
        endpoint: &Endpoint,
        pending: usize,
        now: ServerTime,
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
            payload: self.render_event(event, &version, pending),
        }
    }
}
