//! Faults on demand: production failures that a test requests.
//!
//! The fault of a webhook is chosen when its event is dispatched, in the order of the feed, and the
//! row of the delivery names it. The fault of a call is chosen when the call arrives. The row of a
//! fault counts its matches. The command that dispatches an event stores the counts of its
//! deliveries, so a crash or a second server neither loses nor repeats a count. There are no faults
//! in live mode.
//!
//! A fault of the server has a row for each merchant that it has matched. The row is stored as
//! deleted, so that no list shows it.

use crate::fault::{Count, Fault, FaultKind, FaultRule, Hit};
use crate::{Instruments, Lab};
use engine::events::thin::name_in;
use engine::{ApiResponse, Context, Error, list_body, made_within, render, settled};
use model::clock::{AccountTime, ServerTime};
use model::delivery::DeliveryKey;
use model::endpoint::{Endpoint, EventForm};
use model::event::Event;
use model::id::{EndpointId, FaultId, MerchantId};
use model::limits::{
    FAULT_HELD_MAX, FAULT_MERCHANTS_CACHED_MAX, FAULTS_CACHED_MAX, FAULTS_CACHED_MS_MAX,
    FAULTS_MAX, PAGE_ROWS_MAX,
};
use model::opaque::OpaqueObject;
use model::share::has_share;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use store::{
    Bounds, ChangeObject, ChangeObjects, Changed, CreateObject, Cursor, FindObject, Kind,
    ListObjects, Object, ObjectsOf, Page,
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

/// The faults of a merchant, the oldest first.
pub(crate) type FaultsOf = Arc<[Fault]>;

/// The parts of faults in memory: cached rules, and webhooks that wait for another one. They belong
/// to this process. Another server notices a new rule after [`FAULTS_CACHED_MS_MAX`], and sends a
/// webhook that waits when its delay is over.
#[derive(Default)]
pub(crate) struct FaultsInMemory {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Raised by each change, so that an older read is not cached after it.
    changes: u64,
    cached: HashMap<MerchantId, (ServerTime, FaultsOf)>,
    /// Webhooks that wait for the next one to their endpoint.
    back: Vec<(DeliveryKey, MerchantId)>,
}

impl FaultsInMemory {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn changed(&self, merchant: MerchantId) {
        let mut state = self.state();
        state.changes += 1;
        state.cached.remove(&merchant);
    }

    /// Drops the cached faults after the rows of a merchant were removed or replaced. Those of all
    /// merchants are dropped, because the merchant's connected accounts lost theirs.
    pub(crate) fn forget_all(&self) {
        let mut state = self.state();
        state.changes += 1;
        state.cached.clear();
    }

    /// Holds a webhook back until the next one to its endpoint was delivered. If the merchant has no
    /// share for it, it is sent after its delay.
    pub(crate) fn hold_back(&self, key: DeliveryKey, merchant: MerchantId) {
        let mut state = self.state();
        let own = state.back.iter().filter(|(_, owner)| *owner == merchant).count();
        if has_share(own, FAULT_HELD_MAX.saturating_sub(state.back.len())) {
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
            rule: FaultRule {
                endpoint: endpoint.as_ref().map(|endpoint| endpoint.id),
                of_destination: endpoint.is_some_and(|endpoint| endpoint.destination.is_some()),
                ..rule.clone()
            },
            count: Count::default(),
        };
        let body = fault_body(&fault);
        let create = CreateObject {
            kind_max: Some(FAULTS_MAX),
            reply: context.reply(&self.engine, &body),
            ..CreateObject::of(Object::Fault(fault.object()))
        };
        made_within(self.engine.store().write(create).await?, FAULTS_MAX, "faults")?;
        self.instruments.faults.changed(context.merchant);
        Ok(ApiResponse::committed(body))
    }

    /// Shows a fault.
    pub async fn retrieve_fault(&self, context: &Context, id: &str) -> Result<ApiResponse, Error> {
        let fault = self.get_fault(context, id).await?;
        Ok(ApiResponse::unchanged(fault_body(&fault)))
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
            bodies.push(fault_body(&Fault::read(stored)?));
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
                    reply: context.reply(&self.engine, &body),
                    ..ChangeObject::of(Object::Fault(fault.object()))
                };
                if settled(self.engine.store().write(change).await?)? {
                    self.instruments.faults.changed(context.merchant);
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
        let matches = |fault: &Fault| {
            !fault.rule.kind.is_of_webhooks()
                && fault.rule.method.as_deref().is_none_or(|one| one == method)
                && match &fault.rule.path {
                    Some(begin) => path.starts_with(begin.as_str()),
                    None => !path.starts_with("/v1/test_helpers/"),
                }
        };
        let cached = self.instruments.cached_faults(context.merchant).await?;
        if !cached.iter().any(matches) {
            return Ok(None);
        }
        let hit = self
            .engine
            .change("count_fault", async || {
                let mut faults = self.instruments.read_faults(context.merchant).await?;
                let hit = faults.hit(matches);
                let hit = hit.map(|fault| (fault.rule.kind, fault.rule.delay_ms));
                let change = ChangeObjects::of(faults.into_changed());
                Ok(match self.engine.store().write(change).await? {
                    Changed::VersionConflict => None,
                    _ => Some(hit),
                })
            })
            .await?;
        Ok(hit.map(|(kind, delay_ms)| CallFault { kind, delay_ms }))
    }

    /// Delays a call for as long as its fault demands.
    pub async fn hold_call(&self, fault: CallFault) {
        let time = Duration::from_millis(u64::from(fault.delay_ms));
        let _ = tokio::time::timeout(time, std::future::pending::<()>()).await;
    }

    async fn get_fault(&self, context: &Context, id: &str) -> Result<Fault, Error> {
        Fault::read(self.engine.get::<StoredFault>(context, id, "id").await?)
    }

    /// Finds an endpoint or a destination that belongs to the merchant itself.
    async fn own_endpoint(&self, context: &Context, id: &str) -> Result<Endpoint, Error> {
        self.engine.get_endpoint_of_any_kind(context, id, "webhook_endpoint").await
    }
}

fn fault_body(fault: &Fault) -> Vec<u8> {
    render(|w| crate::render::fault::write(w, fault))
}

/// The faults of a merchant as they were read, the oldest first.
pub(crate) struct FaultsRead {
    faults: Vec<Fault>,
    /// Their counts at that time.
    before: Vec<Count>,
}

impl FaultsRead {
    fn new(faults: Vec<Fault>) -> Self {
        let before = faults.iter().map(|fault| fault.count).collect();
        Self { faults, before }
    }

    /// Counts a call or webhook for each matching fault, up to the first one that hits it. Younger
    /// faults count only the rest, so that every fault gets its hits.
    fn hit(&mut self, matches: impl Fn(&Fault) -> bool) -> Option<&Fault> {
        self.faults.iter_mut().filter(|fault| matches(fault)).find_map(|fault| {
            let hits = fault.hits_next();
            hits.then_some(&*fault)
        })
    }

    /// Returns the fault that hits the delivery of an event to an endpoint, and its delay in
    /// milliseconds.
    pub(crate) fn hit_webhook(
        &mut self,
        event: &Event,
        form: EventForm,
        endpoint: EndpointId,
    ) -> Option<(Hit, u32)> {
        let name = name_in(event, form);
        let fault = self.hit(|fault| {
            fault.rule.kind.is_of_webhooks()
                && fault.rule.endpoint.is_none_or(|one| one == endpoint)
                && store::takes_type(&fault.rule.event_types, &name)
        })?;
        Some((Hit { fault: fault.id, kind: fault.rule.kind }, fault.rule.delay_ms))
    }

    /// The faults with other counts than at first, to store.
    pub(crate) fn into_changed(self) -> Vec<Object> {
        let faults = self.faults.into_iter().zip(self.before);
        let changed = faults.filter(|(fault, before)| fault.count != *before);
        let stored = changed.map(|(mut fault, _)| {
            fault.version += 1;
            Object::Fault(fault.object())
        });
        stored.collect()
    }
}

impl Instruments {
    /// Returns the faults of a merchant, from the cache if possible. Their counts may be old.
    async fn cached_faults(&self, merchant: MerchantId) -> Result<FaultsOf, Error> {
        let now = self.clock.server_now();
        let changes = {
            let state = self.faults.state();
            if let Some((at, cached)) = state.cached.get(&merchant)
                && now.ms_since(*at) < FAULTS_CACHED_MS_MAX
            {
                return Ok(Arc::clone(cached));
            }
            state.changes
        };
        let faults: FaultsOf = self.read_faults(merchant).await?.faults.into();
        let mut state = self.faults.state();
        if state.changes == changes {
            let cached: usize = state.cached.values().map(|(_, faults)| faults.len()).sum();
            if state.cached.len() >= FAULT_MERCHANTS_CACHED_MAX
                || cached + faults.len() > FAULTS_CACHED_MAX
            {
                state.cached.clear();
            }
            state.cached.insert(merchant, (now, Arc::clone(&faults)));
        }
        Ok(faults)
    }

    /// Reads the faults of a merchant with their counts. Faults of the server precede all others.
    pub(crate) async fn read_faults(&self, merchant: MerchantId) -> Result<FaultsRead, Error> {
        let mut faults = Vec::with_capacity(self.settings.faults.len());
        for (number, rule) in (1..).zip(&self.settings.faults) {
            let find = FindObject { merchant, kind: Kind::Fault, number };
            let (mut version, mut count) = (0, Count::default());
            if let Some(Object::Fault(stored)) = self.store.read(find).await? {
                let stored = Fault::read(stored)?;
                version = stored.version;
                // A server that was started with another rule counts from the beginning.
                if stored.rule == *rule {
                    count = stored.count;
                }
            }
            faults.push(Fault {
                id: FaultId::from_number(number),
                merchant,
                version,
                created: AccountTime(0),
                deleted: true,
                rule: rule.clone(),
                count,
            });
        }
        let list = ListObjects {
            merchant,
            kind: Kind::Fault,
            of: ObjectsOf::All,
            created: Bounds::default(),
            page: Page { limit: PAGE_ROWS_MAX, cursor: Cursor::Newest },
        };
        for object in self.store.read(list).await?.items.into_iter().rev() {
            if let Object::Fault(stored) = object {
                faults.push(Fault::read(stored)?);
            }
        }
        Ok(FaultsRead::new(faults))
    }
}
