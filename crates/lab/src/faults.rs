//! Faults on demand: production failures that a test requests.
//!
//! The fault of a webhook is chosen when its event is dispatched, and the row of the delivery names
//! it. The fault of a call is chosen when the call arrives. Matches are counted in memory, so the
//! counts begin again after a restart. There are no faults in live mode.

use crate::fault::{Fault, FaultKind, FaultRule, Hit};
use crate::{Instruments, Lab};
use engine::{ApiResponse, Context, Error, list_body, made, render, settled};
use model::Word;
use model::clock::AccountTime;
use model::delivery::DeliveryKey;
use model::endpoint::Endpoint;
use model::event::Event;
use model::id::{EndpointId, FaultId, MerchantId};
use model::limits::{FAULT_HELD_MAX, FAULT_MERCHANTS_CACHED_MAX, FAULTS_MAX, PAGE_ROWS_MAX};
use model::opaque::OpaqueObject;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use store::{
    Bounds, ChangeObject, CreateObject, Cursor, Kind, ListObjects, Object, ObjectsOf, Page,
};
use wire::list::PageParams;

/// A fault as a stored object.
type StoredFault = OpaqueObject<FaultId>;

/// The fault that hits a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallFault {
    /// The kind of failure.
    pub kind: FaultKind,
    /// The delay in milliseconds, if the kind has one.
    pub delay_ms: u32,
}

/// The number of matches and hits of a fault.
#[derive(Clone, Copy, Debug, Default)]
struct Count {
    fitting: u64,
    hits: u32,
}

/// The faults of a merchant, the oldest first.
pub(crate) type FaultsOf = Arc<[Fault]>;

/// The faults in memory.
#[derive(Default)]
pub(crate) struct FaultCounts {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Raised by each change, so that an older read is not cached after it.
    changes: u64,
    cached: HashMap<MerchantId, FaultsOf>,
    counts: HashMap<(MerchantId, FaultId), Count>,
    /// Webhooks that wait for the next one to their endpoint.
    back: Vec<(DeliveryKey, MerchantId)>,
}

impl FaultCounts {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn changed(&self, merchant: MerchantId) {
        let mut state = self.state();
        state.changes += 1;
        state.cached.remove(&merchant);
    }

    /// Forgets the counts of a merchant after its rows were removed or replaced. The cached faults
    /// of all merchants are dropped too, because the merchant's connected accounts lost theirs.
    pub(crate) fn forget(&self, merchant: MerchantId) {
        let mut state = self.state();
        state.changes += 1;
        state.cached.clear();
        state.counts.retain(|(of, _), _| *of != merchant);
    }

    /// Counts a call or webhook for each matching fault, up to the first one that hits it. Younger
    /// faults count only the rest, so that every fault gets its hits.
    fn count<'a>(&self, mut fitting: impl Iterator<Item = &'a Fault>) -> Option<&'a Fault> {
        let mut state = self.state();
        fitting.find(|fault| {
            let count = state.counts.entry((fault.merchant, fault.id)).or_default();
            count.fitting += 1;
            let takes = fault.rule.share.takes(fault.rule.seed, fault.rule.kind, count.fitting);
            let hits = takes && !fault.is_over(count.fitting - 1, count.hits);
            count.hits += u32::from(hits);
            hits
        })
    }

    /// Holds a webhook back until the next one to its endpoint was delivered. If there is no room,
    /// it is sent after its delay.
    pub(crate) fn hold_back(&self, key: DeliveryKey, merchant: MerchantId) {
        let mut state = self.state();
        if state.back.len() < FAULT_HELD_MAX {
            state.back.push((key, merchant));
        }
    }

    /// Removes and returns the webhooks that waited for this one.
    pub(crate) fn release(&self, delivered: DeliveryKey) -> Vec<(DeliveryKey, MerchantId)> {
        let mut state = self.state();
        let waited = |key: &DeliveryKey| key.endpoint == delivered.endpoint && *key != delivered;
        state.back.extract_if(.., |(key, _)| waited(key)).collect()
    }
}

impl Lab {
    /// Creates a fault. `endpoint` is the text of the id of an endpoint of the merchant.
    pub async fn create_fault(
        &self,
        context: &Context,
        rule: &FaultRule,
        endpoint: Option<&str>,
    ) -> Result<ApiResponse, Error> {
        let endpoint = match endpoint {
            Some(id) => Some(self.own_endpoint(context, id).await?),
            None => None,
        };
        let fault = Fault {
            id: FaultId::from_number(self.engine.next_number()),
            merchant: context.merchant,
            version: 1,
            created: self.engine.clock().account_now(),
            deleted: false,
            rule: FaultRule { endpoint, ..rule.clone() },
        };
        let body = self.fault_body(&fault);
        let create = CreateObject {
            object: Object::Fault(fault.object()),
            kind_max: Some(FAULTS_MAX),
            events: Vec::new(),
            reply: context.reply(&self.engine, &body),
            requires: Vec::new(),
        };
        made(self.engine.store().write(create).await?)?;
        self.instruments.faults.changed(context.merchant);
        Ok(ApiResponse::committed(body))
    }

    /// Shows a fault.
    pub async fn retrieve_fault(&self, context: &Context, id: &str) -> Result<ApiResponse, Error> {
        let fault = self.get_fault(context, id).await?;
        Ok(ApiResponse::unchanged(self.fault_body(&fault)))
    }

    /// Lists faults, the newest first.
    pub async fn list_faults(
        &self,
        context: &Context,
        page: &PageParams,
    ) -> Result<ApiResponse, Error> {
        let (all, created) = (ObjectsOf::All, Bounds::default());
        let listed = self.engine.list::<StoredFault>(context, all, created, page).await?;
        let mut bodies = Vec::with_capacity(listed.items.len());
        for stored in listed.items {
            bodies.push(self.fault_body(&Fault::read(stored)?));
        }
        let url = "/v1/test_helpers/faults";
        Ok(ApiResponse::unchanged(list_body(url, listed.has_more, &bodies)))
    }

    /// Deletes a fault. Its earlier hits stay.
    pub async fn delete_fault(&self, context: &Context, id: &str) -> Result<ApiResponse, Error> {
        self.engine
            .change("delete_fault", async || {
                let mut fault = self.get_fault(context, id).await?;
                fault.deleted = true;
                fault.version += 1;
                let id = fault.id;
                let body = render(|w| {
                    wire::render::deleted::write(w, &id, crate::render::fault::OBJECT);
                });
                let change = ChangeObject {
                    object: Object::Fault(fault.object()),
                    events: Vec::new(),
                    reply: context.reply(&self.engine, &body),
                    requires: Vec::new(),
                };
                if settled(self.engine.store().write(change).await?)? {
                    self.instruments.faults.changed(context.merchant);
                    self.instruments.faults.state().counts.remove(&(context.merchant, id));
                    return Ok(Some(ApiResponse::committed(body)));
                }
                Ok(None)
            })
            .await
    }

    /// Returns the fault that hits a call that acts as this merchant.
    pub async fn fault_of_call(
        &self,
        context: &Context,
        method: &str,
        path: &str,
    ) -> Result<Option<CallFault>, Error> {
        if context.livemode || path.starts_with("/v1/test_helpers/faults") {
            return Ok(None);
        }
        let faults = self.instruments.faults_of(context.merchant).await?;
        if faults.is_empty() {
            return Ok(None);
        }
        let fits = |fault: &&Fault| {
            !fault.rule.kind.is_of_webhooks()
                && fault.rule.method.as_deref().is_none_or(|one| one == method)
                && match &fault.rule.path {
                    Some(begin) => path.starts_with(begin.as_str()),
                    None => !path.starts_with("/v1/test_helpers/"),
                }
        };
        let hit = self.instruments.faults.count(faults.iter().filter(fits));
        Ok(hit.map(|fault| CallFault { kind: fault.rule.kind, delay_ms: fault.rule.delay_ms }))
    }

    /// Delays a call for as long as its fault demands.
    pub async fn hold_call(&self, fault: CallFault) {
        let time = Duration::from_millis(u64::from(fault.delay_ms));
        let _ = tokio::time::timeout(time, std::future::pending::<()>()).await;
    }

    async fn get_fault(&self, context: &Context, id: &str) -> Result<Fault, Error> {
        Fault::read(self.engine.get::<StoredFault>(context, id, "id").await?)
    }

    /// Resolves the id of an endpoint that belongs to the merchant itself.
    async fn own_endpoint(&self, context: &Context, id: &str) -> Result<EndpointId, Error> {
        Ok(self.engine.get::<Endpoint>(context, id, "webhook_endpoint").await?.id)
    }

    fn fault_body(&self, fault: &Fault) -> Vec<u8> {
        let count = self
            .instruments
            .faults
            .state()
            .counts
            .get(&(fault.merchant, fault.id))
            .copied()
            .unwrap_or_default();
        render(|w| crate::render::fault::write(w, fault, count.fitting, count.hits))
    }
}

impl Instruments {
    /// Returns the fault that hits the delivery of an event to an endpoint, and its delay in
    /// milliseconds. `faults` are those of the endpoint's owner.
    pub(crate) fn fault_of_webhook(
        &self,
        faults: &FaultsOf,
        event: &Event,
        endpoint: EndpointId,
    ) -> Option<(Hit, u32)> {
        let event_type = event.event_type.word();
        let fits = |fault: &&Fault| {
            fault.rule.kind.is_of_webhooks()
                && fault.rule.endpoint.is_none_or(|one| one == endpoint)
                && store::takes_type(&fault.rule.event_types, event_type)
        };
        let fault = self.faults.count(faults.iter().filter(fits))?;
        Some((Hit { fault: fault.id, kind: fault.rule.kind }, fault.rule.delay_ms))
    }

    /// Returns the faults of a merchant, from the cache if possible.
    pub(crate) async fn faults_of(&self, merchant: MerchantId) -> Result<FaultsOf, Error> {
        let changes = {
            let state = self.faults.state();
            if let Some(cached) = state.cached.get(&merchant) {
                return Ok(Arc::clone(cached));
            }
            state.changes
        };
        let list = ListObjects {
            merchant,
            kind: Kind::Fault,
            of: ObjectsOf::All,
            created: Bounds::default(),
            page: Page { limit: PAGE_ROWS_MAX, cursor: Cursor::Newest },
        };
        let listed = self.store.read(list).await?;
        // Faults of the server precede all others, and each merchant has its own counts of them.
        let of_server = self.settings.faults.iter().zip(1..).map(|(rule, number)| {
            Ok(Fault {
                id: FaultId::from_number(number),
                merchant,
                version: 1,
                created: AccountTime(0),
                deleted: false,
                rule: rule.clone(),
            })
        });
        let own = listed.items.into_iter().rev().filter_map(|object| match object {
            Object::Fault(stored) => Some(Fault::read(stored)),
            _ => None,
        });
        let faults: FaultsOf = of_server.chain(own).collect::<Result<_, Error>>()?;
        let mut state = self.faults.state();
        if state.changes == changes {
            if state.cached.len() >= FAULT_MERCHANTS_CACHED_MAX {
                state.cached.clear();
            }
            state.cached.insert(merchant, Arc::clone(&faults));
        }
        Ok(faults)
    }
}
