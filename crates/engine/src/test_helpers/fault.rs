//! Faults on demand: what a client has to bear in production, in a test.
//!
//! A webhook's fault is decided when its event is dispatched and stands in the row of the delivery;
//! a call's when it arrives. The places of what fits are counted in memory, so a server that starts
//! anew counts from the beginning. There are none in live mode.

use crate::context::{made, render, settled, tries};
use crate::list::list_body;
use crate::{Answer, Context, Engine, Error};
use model::clock::AccountTime;
use model::delivery::DeliveryKey;
use model::event::Event;
use model::fault::{Fault, FaultKind, Hit, Share};
use model::id::{EndpointId, FaultId, MerchantId};
use model::limits::{FAULT_HELD_MAX, FAULT_MERCHANTS_HELD_MAX, FAULTS_MAX, PAGE_ROWS_MAX};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use store::{
    Bounds, ChangeObject, CreateObject, Cursor, FindObject, Kind, ListObjects, Object, ObjectsOf,
    Page, ReleaseDelivery,
};
use wire::error::Error as Refusal;
use wire::list::PageParams;

/// What a fault is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultInput {
    /// What goes wrong.
    pub kind: FaultKind,
    /// Of webhooks: only these types.
    pub event_types: Vec<String>,
    /// Of webhooks: only those to this endpoint.
    pub endpoint: Option<String>,
    /// Of calls: only those with this method.
    pub method: Option<String>,
    /// Of calls: only those whose path begins so.
    pub path: Option<String>,
    /// Which of those that fit are hit.
    pub share: Share,
    /// Picks among them.
    pub seed: u64,
    /// How long what waits is held.
    pub delay_ms: u32,
    /// After so many hits it is over.
    pub hits_max: Option<u32>,
}

impl FaultInput {
    /// The fault of this id; of which endpoint, the caller finds.
    fn fault(&self, id: FaultId, merchant: MerchantId, created: AccountTime) -> Fault {
        Fault {
            id,
            merchant,
            version: 1,
            created,
            deleted: false,
            kind: self.kind,
            event_types: self.event_types.clone(),
            endpoint: None,
            method: self.method.clone(),
            path: self.path.clone(),
            share: self.share,
            seed: self.seed,
            delay_ms: self.delay_ms,
            hits_max: self.hits_max,
        }
    }
}

/// What hits a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallFault {
    /// What goes wrong.
    pub kind: FaultKind,
    /// How long it is held, where that goes wrong.
    pub delay_ms: u32,
}

/// How far the things that fit a fault were counted.
#[derive(Clone, Copy, Debug, Default)]
struct Count {
    fitting: u64,
    hits: u32,
}

/// The faults of a merchant, the oldest first.
pub(crate) type FaultsOf = Arc<[Fault]>;

/// What is kept of faults in memory.
#[derive(Default)]
pub(crate) struct Faults {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Raised by each change, so that what was read before it is not kept after it.
    changes: u64,
    held: HashMap<MerchantId, FaultsOf>,
    counts: HashMap<(MerchantId, FaultId), Count>,
    /// Webhooks that wait for the next one to their endpoint.
    back: Vec<(DeliveryKey, MerchantId)>,
}

impl Faults {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn changed(&self, merchant: MerchantId) {
        let mut state = self.state();
        state.changes += 1;
        state.held.remove(&merchant);
    }

    /// Begins anew for a merchant whose rows were removed or replaced. Others' faults are read again
    /// too: those of its connected accounts went with it.
    pub(crate) fn begin_anew(&self, merchant: MerchantId) {
        let mut state = self.state();
        state.changes += 1;
        state.held.clear();
        state.counts.retain(|(of, _), _| *of != merchant);
    }

    /// Counts a thing for each fault that it fits, until one takes it and hits it: the younger ones
    /// count what is left, so that none stands in the shadow of another.
    fn count<'a>(&self, mut fitting: impl Iterator<Item = &'a Fault>) -> Option<&'a Fault> {
        let mut state = self.state();
        fitting.find(|fault| {
            let count = state.counts.entry((fault.merchant, fault.id)).or_default();
            count.fitting += 1;
            let takes = fault.share.takes(fault.seed, fault.kind, count.fitting);
            let hits = takes && !fault.is_over(count.fitting - 1, count.hits);
            count.hits += u32::from(hits);
            hits
        })
    }

    /// Holds a webhook back until the next one to its endpoint was delivered. One for which there is
    /// no room goes out when its time is over.
    pub(crate) fn hold_back(&self, key: DeliveryKey, merchant: MerchantId) {
        let mut state = self.state();
        if state.back.len() < FAULT_HELD_MAX {
            state.back.push((key, merchant));
        }
    }

    /// Takes the webhooks that waited for this one.
    fn let_go(&self, delivered: DeliveryKey) -> Vec<(DeliveryKey, MerchantId)> {
        let mut state = self.state();
        let waited = |key: &DeliveryKey| key.endpoint == delivered.endpoint && *key != delivered;
        state.back.extract_if(.., |(key, _)| waited(key)).collect()
    }
}

impl Engine {
    /// Makes a fault.
    pub async fn create_fault(
        &self,
        context: &Context,
        input: &FaultInput,
    ) -> Result<Answer, Error> {
        let endpoint = match &input.endpoint {
            Some(given) => Some(self.own_endpoint(context, given).await?),
            None => None,
        };
        let id = FaultId::from_number(self.next_number());
        let now = self.clock.account_now();
        let fault = Fault { endpoint, ..input.fault(id, context.merchant, now) };
        let body = self.fault_body(&fault);
        let create = CreateObject {
            object: Object::Fault(fault),
            kind_max: Some(FAULTS_MAX),
            events: Vec::new(),
            reply: context.reply(self, &body),
        };
        made(self.store.write(create).await?)?;
        self.faults.changed(context.merchant);
        Ok(Answer::committed(body))
    }

    /// Shows a fault.
    pub async fn retrieve_fault(&self, context: &Context, id: &str) -> Result<Answer, Error> {
        let fault = self.get_fault(context, id).await?;
        Ok(Answer::unchanged(self.fault_body(&fault)))
    }

    /// Lists faults, the newest first.
    pub async fn list_faults(&self, context: &Context, page: &PageParams) -> Result<Answer, Error> {
        let page = self.object_page(context, Kind::Fault, page).await?;
        let (faults, has_more) = self.read_faults(context.merchant, page).await?;
        let bodies: Vec<Vec<u8>> = faults.iter().map(|fault| self.fault_body(fault)).collect();
        Ok(Answer::unchanged(list_body("/v1/test_helpers/faults", has_more, &bodies)))
    }

    /// Takes a fault away. What it hit before stays hit.
    pub async fn delete_fault(&self, context: &Context, id: &str) -> Result<Answer, Error> {
        for _ in tries() {
            let mut fault = self.get_fault(context, id).await?;
            fault.deleted = true;
            fault.version += 1;
            let id = fault.id;
            let body = render(|w| {
                wire::render::deleted::write(w, &id, wire::render::test_helpers::fault::OBJECT);
            });
            let change = ChangeObject {
                object: Object::Fault(fault),
                events: Vec::new(),
                reply: context.reply(self, &body),
            };
            if settled(self.store.write(change).await?)? {
                self.faults.changed(context.merchant);
                self.faults.state().counts.remove(&(context.merchant, id));
                return Ok(Answer::committed(body));
            }
        }
        Err(Error::Locked)
    }

    /// What hits a call that acts as this merchant.
    pub async fn fault_of_call(
        &self,
        context: &Context,
        method: &str,
        path: &str,
    ) -> Result<Option<CallFault>, Error> {
        if context.livemode || path.starts_with("/v1/test_helpers/faults") {
            return Ok(None);
        }
        let faults = self.faults_of(context.merchant).await?;
        if faults.is_empty() {
            return Ok(None);
        }
        let fits = |fault: &&Fault| {
            !fault.kind.is_of_webhooks()
                && fault.method.as_deref().is_none_or(|one| one == method)
                && match &fault.path {
                    Some(begin) => path.starts_with(begin.as_str()),
                    None => !path.starts_with("/v1/test_helpers/"),
                }
        };
        let hit = self.faults.count(faults.iter().filter(fits));
        Ok(hit.map(|fault| CallFault { kind: fault.kind, delay_ms: fault.delay_ms }))
    }

    /// Holds a call for as long as its fault says.
    pub async fn hold_call(&self, fault: CallFault) {
        let time = Duration::from_millis(u64::from(fault.delay_ms));
        let _ = tokio::time::timeout(time, std::future::pending::<()>()).await;
    }

    /// What hits the delivery of an event to an endpoint whose owner has these faults, and how long
    /// it is held.
    pub(crate) fn fault_of_webhook(
        &self,
        faults: &FaultsOf,
        event: &Event,
        endpoint: EndpointId,
    ) -> Option<(Hit, u32)> {
        let event_type = model::Word::word(event.event_type);
        let fits = |fault: &&Fault| {
            fault.kind.is_of_webhooks()
                && fault.endpoint.is_none_or(|one| one == endpoint)
                && store::takes_type(&fault.event_types, event_type)
        };
        let fault = self.faults.count(faults.iter().filter(fits))?;
        Some((Hit { fault: fault.id, kind: fault.kind }, fault.delay_ms))
    }

    /// Lets go of what waited for this delivery.
    pub(crate) async fn release_after(&self, delivered: DeliveryKey) -> Result<(), Error> {
        for (key, merchant) in self.faults.let_go(delivered) {
            let release = ReleaseDelivery { key, merchant, now: self.clock.server_now() };
            self.store.write(release).await?;
            self.wake.deliver();
        }
        Ok(())
    }

    /// The faults of a merchant, from memory where they were read before.
    pub(crate) async fn faults_of(&self, merchant: MerchantId) -> Result<FaultsOf, Error> {
        let changes = {
            let state = self.faults.state();
            if let Some(held) = state.held.get(&merchant) {
                return Ok(Arc::clone(held));
            }
            state.changes
        };
        let page = Page { limit: PAGE_ROWS_MAX, cursor: Cursor::Newest };
        let (own, _) = self.read_faults(merchant, page).await?;
        // Those of the server are older than any, and count for each merchant apart.
        let of_server = self.settings.faults.iter().zip(1..).map(|(input, number)| {
            input.fault(FaultId::from_number(number), merchant, AccountTime(0))
        });
        let faults: FaultsOf = of_server.chain(own.into_iter().rev()).collect();
        let mut state = self.faults.state();
        if state.changes == changes {
            if state.held.len() >= FAULT_MERCHANTS_HELD_MAX {
                state.held.clear();
            }
            state.held.insert(merchant, Arc::clone(&faults));
        }
        Ok(faults)
    }

    async fn read_faults(
        &self,
        merchant: MerchantId,
        page: Page<store::ObjectPlace>,
    ) -> Result<(Vec<Fault>, bool), Error> {
        let list = ListObjects {
            merchant,
            kind: Kind::Fault,
            of: ObjectsOf::All,
            created: Bounds::default(),
            page,
        };
        let listed = self.store.read(list).await?;
        let faults = listed.items.into_iter().filter_map(|object| match object {
            Object::Fault(fault) => Some(fault),
            _ => None,
        });
        Ok((faults.collect(), listed.has_more))
    }

    async fn get_fault(&self, context: &Context, given: &str) -> Result<Fault, Error> {
        let missing = || Refusal::no_such("fault", given, "id").into();
        let id: FaultId = given.parse().map_err(|_| missing())?;
        let merchant = context.merchant;
        let find = FindObject { merchant, kind: Kind::Fault, number: id.number() };
        match self.store.read(find).await? {
            Some(Object::Fault(fault)) if !fault.deleted => Ok(fault),
            _ => Err(missing()),
        }
    }

    /// An endpoint of the merchant's own, of which alone its faults are.
    async fn own_endpoint(&self, context: &Context, given: &str) -> Result<EndpointId, Error> {
        let missing = || Refusal::no_such("webhook endpoint", given, "webhook_endpoint").into();
        let id: EndpointId = given.parse().map_err(|_| missing())?;
        let merchant = context.merchant;
        let find = FindObject { merchant, kind: Kind::Endpoint, number: id.number() };
        match self.store.read(find).await? {
            Some(Object::Endpoint(endpoint)) if !endpoint.deleted => Ok(endpoint.id),
            _ => Err(missing()),
        }
    }

    fn fault_body(&self, fault: &Fault) -> Vec<u8> {
        let count = self
            .faults
            .state()
            .counts
            .get(&(fault.merchant, fault.id))
            .copied()
            .unwrap_or_default();
        render(|w| wire::render::test_helpers::fault::write(w, fault, count.fitting, count.hits))
    }
}
