//! The instruments of the laboratory in the engine: its observer and its hooks.

use crate::call::WatchedCalls;
use crate::checker::ClientChecker;
use crate::fault::{FaultKind, Hit, fault_of_attempt, is_wrongly_signed};
use crate::faults::{FaultsInMemory, FaultsRead};
use crate::waits::Waits;
use crate::{Settings, scenario};
use connectors::Connector;
use engine::Parts;
use engine::hooks::{AttemptChange, DeliveryDraft, EventDraft, HookFuture, Hooks};
use engine::observer::{CallObservation, DeliveryObservation, Observer};
use model::Word;
use model::clock::Clock;
use model::delivery::{Delivery, DeliveryKey, DeliveryStatus};
use model::id::MerchantId;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;
use store::{Object, Store};

/// A signing secret that no endpoint has.
const WRONG_SECRET: &str = "whsec_of_nobody";

/// The observer and the hooks of an engine with a laboratory.
pub struct Instruments {
    pub(crate) store: Store,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) settings: Settings,
    pub(crate) calls: WatchedCalls,
    pub(crate) checker: ClientChecker,
    pub(crate) waits: Waits,
    pub(crate) faults: FaultsInMemory,
}

impl Instruments {
    /// Makes instruments on the store and the clock of these parts, and makes them the observer and
    /// the hooks of the engine to be built.
    pub fn install(parts: &mut Parts, settings: Settings) -> Arc<Self> {
        let instruments = Arc::new(Self {
            store: parts.store.clone(),
            clock: Arc::clone(&parts.clock),
            settings,
            calls: WatchedCalls::default(),
            checker: ClientChecker::default(),
            waits: Waits::default(),
            faults: FaultsInMemory::default(),
        });
        parts.observer = Arc::clone(&instruments) as Arc<_>;
        parts.hooks = Arc::clone(&instruments) as Arc<_>;
        instruments
    }
}

impl Observer for Instruments {
    fn on_call(&self, observation: CallObservation) {
        self.calls.keep(observation);
    }

    fn on_delivery(&self, observation: &DeliveryObservation<'_>) {
        match observation {
            DeliveryObservation::Settled { merchant }
            | DeliveryObservation::Dispatched { merchant } => {
                self.waits.notify(*merchant);
            }
            _ => self.checker.delivery(observation),
        }
    }
}

impl Hooks for Instruments {
    fn before_deliveries<'a>(
        &'a self,
        drafts: &'a mut [EventDraft<'_>],
    ) -> HookFuture<'a, Vec<Object>> {
        Box::pin(async move {
            let mut faults: BTreeMap<MerchantId, FaultsRead> = BTreeMap::new();
            for draft in drafts.iter_mut().filter(|draft| !draft.event.livemode) {
                self.check_receivers(draft);
                for to_endpoint in &mut draft.deliveries {
                    // The fault belongs to the owner of the endpoint: the merchant or its platform.
                    let owner = to_endpoint.endpoint.merchant;
                    let of_owner = match faults.entry(owner) {
                        Entry::Occupied(read) => read.into_mut(),
                        Entry::Vacant(unread) => unread.insert(self.read_faults(owner).await?),
                    };
                    let DeliveryDraft { endpoint, form, .. } = *to_endpoint;
                    let hit = of_owner.hit_webhook(draft.event, form, endpoint.id);
                    if let Some((hit, delay_ms)) = hit {
                        self.apply_fault(&mut to_endpoint.delivery, hit, delay_ms);
                    }
                }
            }
            Ok(faults.into_values().flat_map(FaultsRead::into_changed).collect())
        })
    }

    fn before_attempt(&self, delivery: &Delivery) -> AttemptChange {
        let Some(kind) = fault_of_attempt(delivery) else { return AttemptChange::default() };
        AttemptChange {
            secrets: is_wrongly_signed(delivery).then(|| vec![WRONG_SECRET.to_owned()]),
            repeat: kind == FaultKind::WebhookDoubled && delivery.attempts == 0,
            mark: Some(kind.word().to_owned()),
        }
    }

    fn after_success(&self, delivered: DeliveryKey) -> Vec<(DeliveryKey, MerchantId)> {
        self.faults.release(delivered)
    }

    fn connector_for<'a>(
        &'a self,
        merchant: MerchantId,
        connector: &'a Connector,
    ) -> HookFuture<'a, Connector> {
        Box::pin(async move {
            let Connector::Sandbox(sandbox) = connector;
            let scenarios = scenario::banks_of(&self.store, merchant).await?;
            Ok(Connector::Sandbox(sandbox.clone().with_scenarios(scenarios)))
        })
    }
}

impl Instruments {
    /// Notes an event about a refresh that no endpoint receives. An endpoint that only prints shows
    /// nothing about a client.
    fn check_receivers(&self, draft: &EventDraft<'_>) {
        let Some(feature) = draft.event.event_type.refreshed_feature() else { return };
        if draft.deliveries.iter().all(|draft| draft.endpoint.only_prints()) {
            self.checker.unreceived(draft.event, feature, self.clock.server_now());
        }
    }

    /// Applies the part of a fault that takes effect before the first attempt.
    fn apply_fault(&self, delivery: &mut Delivery, hit: Hit, delay_ms: u32) {
        delivery.mark = Some(hit.mark());
        match hit.kind {
            FaultKind::WebhookLost => delivery.status = DeliveryStatus::Lost,
            FaultKind::WebhookDelayed => {
                delivery.due_at = delivery.due_at.plus_ms(i64::from(delay_ms));
            }
            FaultKind::WebhookReordered => {
                delivery.due_at = delivery.due_at.plus_ms(i64::from(delay_ms));
                self.faults.hold_back(delivery.key, delivery.merchant);
            }
            _ => {}
        }
    }
}
