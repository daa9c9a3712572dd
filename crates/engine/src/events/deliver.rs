//! The deliver worker: signs, posts and settles due deliveries.
//!
//! Delivery is at least once. The attempt is recorded after it was made, so a crash in between
//! repeats it. The dispatcher stored the payload, so only timestamp and signature differ between
//! attempts.
//!
//! The attempts that have ended meanwhile are recorded together, in the commit that claims the next
//! deliveries.
//!
//! A receiver may accept a post and never respond. So each endpoint and each merchant has a share of the
//! places for attempts, and a place stays free for merchants without attempts.

use crate::hooks::AttemptChange;
use crate::metrics::outcome_of;
use crate::observer::DeliveryObservation;
use crate::settings::RetrySchedule;
use crate::worker::caught;
use crate::{Engine, Error};
use model::clock::ServerTime;
use model::delivery::{Attempt, Delivery, DeliveryKey, DeliveryStatus};
use model::endpoint::{Endpoint, EventSource};
use model::id::{EndpointId, IdText, MerchantId, hash_number};
use model::limits;
use outbound::{OutboundError, Target};
use std::collections::HashMap;
use std::sync::Arc;
use store::{
    ClaimDeliveries, ContinueDeliveries, Continued, EndpointLoad, ReleaseDelivery, SettleDelivery,
    Written,
};
use tokio::sync::OnceCell;
use tokio::task::{JoinError, JoinSet};
use tracing::Instrument;
use wire::signature::sign;

/// An attempt that was made, and is not recorded yet.
#[derive(Debug)]
struct Made {
    settle: SettleDelivery,
    /// Its number.
    number: u32,
    livemode: bool,
    /// The id of the endpoint, as clients see it.
    endpoint: IdText,
    /// The duration, unless the delivery was canceled without an attempt.
    duration_us: Option<i64>,
}

/// The endpoint of deliveries that one claim returned, or `None` if it is gone. The first of them
/// reads it.
type Receiver = Arc<OnceCell<Option<Address>>>;

/// An endpoint with its checked URL.
struct Address {
    endpoint: Endpoint,
    target: Result<Target, OutboundError>,
}

/// Deliveries in progress, by endpoint.
#[derive(Debug, Default)]
pub struct InFlight {
    /// An attempt is `None` after an error or a panic.
    attempts: JoinSet<(EndpointId, Option<Made>)>,
    by_endpoint: HashMap<EndpointId, EndpointLoad>,
    /// Attempts that have ended and are not recorded.
    made: Vec<Made>,
    has_more: bool,
}

impl InFlight {
    /// Waits until an attempt ends, if one is in progress, and collects all that have ended with it.
    /// They are recorded together, and one claim fills their positions.
    pub async fn ended(&mut self) {
        let mut next = self.attempts.try_join_next();
        if next.is_none() && self.made.is_empty() {
            next = self.attempts.join_next().await;
            if next.is_none() {
                return std::future::pending().await;
            }
        }
        while let Some(ended) = next {
            self.take(ended);
            next = self.attempts.try_join_next();
        }
    }

    fn take(&mut self, ended: Result<(EndpointId, Option<Made>), JoinError>) {
        // A panicked attempt does not name its endpoint, so all counts are reset. At worst one
        // endpoint briefly has a few more attempts at once.
        let Ok((endpoint, made)) = ended else {
            self.by_endpoint.clear();
            return;
        };
        self.made.extend(made);
        if let Some(load) = self.by_endpoint.get_mut(&endpoint) {
            load.deliveries -= 1;
            if load.deliveries == 0 {
                self.by_endpoint.remove(&endpoint);
            }
        }
    }

    /// Takes attempts to record in one command. The rest is recorded in the next one.
    fn take_made(&mut self) -> Vec<Made> {
        let rest = self.made.len().min(limits::DELIVERY_CLAIMS_MAX);
        let rest = self.made.split_off(rest);
        std::mem::replace(&mut self.made, rest)
    }

    /// The number of attempts in progress, including those that are not recorded yet.
    pub fn count(&self) -> usize {
        self.attempts.len() + self.made.len()
    }

    /// True if the last claim was as large as it could be, so more deliveries may be due.
    pub fn has_more(&self) -> bool {
        self.has_more
    }
}

impl Engine {
    /// Delivers the due work and waits until it is complete. Returns the number of attempts.
    pub async fn run_deliver_once(self: &Arc<Self>) -> Result<usize, Error> {
        let mut in_flight = InFlight::default();
        let begun = self.begin_deliveries(&mut in_flight).await?;
        self.end_deliveries(&mut in_flight).await;
        Ok(begun)
    }

    /// Waits for the deliveries in progress, and records each.
    pub async fn end_deliveries(&self, in_flight: &mut InFlight) {
        while in_flight.count() > 0 {
            in_flight.ended().await;
            let made = in_flight.take_made();
            // Each delivery that could not be recorded is logged and counted already.
            let _ = self.record(made, None).await;
        }
    }

    /// Records the attempts that have ended, claims due deliveries in addition to those in progress,
    /// and begins them. Each merchant and each endpoint has its own share, so they never wait for each
    /// other. Returns the number of deliveries that begin.
    pub async fn begin_deliveries(
        self: &Arc<Self>,
        in_flight: &mut InFlight,
    ) -> Result<usize, Error> {
        in_flight.has_more = false;
        let free = limits::DELIVERIES_IN_FLIGHT_MAX.saturating_sub(in_flight.attempts.len());
        let limit = free.min(limits::DELIVERY_CLAIMS_MAX);
        let now = self.clock.server_now();
        let claim = (free > 0).then(|| ClaimDeliveries {
            now,
            leased_until: now.plus_ms(self.settings.lease_ms),
            limit,
            free,
            per_endpoint: limits::DELIVERIES_IN_FLIGHT_PER_ENDPOINT_MAX,
            in_flight: in_flight.by_endpoint.values().copied().collect(),
        });
        let made = in_flight.take_made();
        let claimed = self.record(made, claim).await?;
        let begun = claimed.len();
        in_flight.has_more = begun > 0 && begun == limit;
        let mut receivers: HashMap<_, Receiver> = HashMap::new();
        for (delivery, owner) in claimed {
            let endpoint = delivery.key.endpoint;
            let receiver = Arc::clone(receivers.entry((delivery.merchant, endpoint)).or_default());
            let load = EndpointLoad { endpoint, owner, deliveries: 0 };
            in_flight.by_endpoint.entry(endpoint).or_insert(load).deliveries += 1;
            let engine = Arc::clone(self);
            in_flight.attempts.spawn(async move {
                let attempt = caught(Box::pin(engine.attempt(&delivery, &receiver))).await;
                // Otherwise the lease expires and the delivery is claimed again.
                let failed = |error: &Error| engine.could_not_settle(delivery.key, error);
                (endpoint, attempt.inspect_err(failed).ok())
            });
        }
        Ok(begun)
    }

    /// Records attempts and claims further deliveries. Returns the claimed ones with their owners.
    async fn record(
        &self,
        made: Vec<Made>,
        claim: Option<ClaimDeliveries>,
    ) -> Result<Vec<(Delivery, MerchantId)>, Error> {
        if made.is_empty() && claim.is_none() {
            return Ok(Vec::new());
        }
        let (settled, facts): (Vec<_>, Vec<_>) = made
            .into_iter()
            .map(|Made { settle, number, livemode, endpoint, duration_us }| {
                (settle, (number, livemode, endpoint, duration_us))
            })
            .unzip();
        let settled: Arc<[SettleDelivery]> = settled.into();
        let together = ContinueDeliveries { settled: Arc::clone(&settled), claim };
        let (written, claimed) = match self.store.write(together).await {
            Ok(Continued { written, claimed, owners }) => {
                let claimed = claimed.into_iter().zip(owners).collect();
                (written.into_iter().map(Some).collect(), Ok(claimed))
            }
            Err(error) => (self.record_each(&settled).await, Err(error.into())),
        };
        for ((settle, facts), written) in settled.iter().zip(facts).zip(written) {
            if let Some(written) = written {
                self.after_record(settle, facts, written).await;
            }
        }
        claimed
    }

    /// Records attempts one by one, so that one which cannot be recorded does not affect the others.
    async fn record_each(&self, settled: &[SettleDelivery]) -> Vec<Option<Written>> {
        let mut written = Vec::with_capacity(settled.len());
        for settle in settled {
            let one = self.store.write(settle.clone()).await.map_err(Error::from);
            let failed = |error: &Error| self.could_not_settle(settle.key, error);
            written.push(one.inspect_err(failed).ok());
        }
        written
    }

    fn could_not_settle(&self, key: DeliveryKey, error: &Error) {
        self.metrics.count_worker_failure("deliver");
        tracing::error!(
            event.id = %key.event,
            error = error as &dyn std::error::Error,
            "delivery could not be settled"
        );
    }

    /// Makes an attempt at a claimed delivery.
    async fn attempt(&self, delivery: &Delivery, receiver: &Receiver) -> Result<Made, Error> {
        let number = delivery.attempts + 1;
        let span = tracing::info_span!(
            "attempt",
            event.id = %delivery.key.event,
            endpoint.id = %delivery.key.endpoint,
            job.attempt = number
        );
        async {
            let address = receiver.get_or_try_init(|| self.address_of(delivery)).await?;
            let livemode = address.as_ref().is_some_and(|address| address.endpoint.livemode);
            let endpoint = match address {
                Some(address) => address.endpoint.shown_id(),
                None => delivery.key.endpoint.text(),
            };
            let began = self.clock.server_now();
            let mut duration_us = None;
            let settle = match address {
                Some(address) if address.endpoint.is_open() => {
                    let settle = self.attempt_delivery(delivery, address).await;
                    duration_us = Some(self.clock.server_now().0 - began.0);
                    self.unless_closed(delivery, settle).await?
                }
                // Deleted or disabled since the claim, so it receives no more events.
                _ => SettleDelivery {
                    key: delivery.key,
                    merchant: delivery.merchant,
                    claim: delivery.claim,
                    attempt: None,
                    status: DeliveryStatus::Canceled,
                    due_at: delivery.due_at,
                },
            };
            self.failpoints.reach("before_settle");
            Ok(Made { settle, number, livemode, endpoint, duration_us })
        }
        .instrument(span)
        .await
    }

    /// Reports an attempt whose record was committed. After a version conflict it is not logged and
    /// counted, because the lease expired, and the worker that took the delivery over settles it.
    async fn after_record(
        &self,
        settle: &SettleDelivery,
        (number, livemode, endpoint, duration_us): (u32, bool, IdText, Option<i64>),
        written: Written,
    ) {
        let SettleDelivery { key, merchant, status, ref attempt, .. } = *settle;
        if status == DeliveryStatus::Succeeded {
            for (key, merchant) in self.hooks.after_success(key) {
                let release = ReleaseDelivery { key, merchant, now: self.clock.server_now() };
                match self.store.write(release).await {
                    Ok(()) => self.wake.deliver(),
                    Err(error) => self.could_not_settle(key, &error.into()),
                }
            }
        }
        self.observer.on_delivery(&DeliveryObservation::Settled { merchant });
        if written != Written::Done {
            return;
        }
        self.metrics.count_attempt(livemode, status, duration_us);
        tracing::info!(
            event.id = %key.event,
            endpoint.id = endpoint.as_str(),
            merchant = %merchant,
            job.attempt = number,
            status = attempt.as_ref().and_then(|attempt| attempt.status),
            error = attempt.as_ref().and_then(|attempt| attempt.error.as_deref()),
            duration_ms = duration_us.map(|us| us / 1_000),
            "webhook attempt {}",
            outcome_of(status)
        );
    }

    /// Returns the next attempt only if the endpoint still accepts events, because it may have been
    /// deleted or disabled during this attempt.
    async fn unless_closed(
        &self,
        delivery: &Delivery,
        settle: SettleDelivery,
    ) -> Result<SettleDelivery, Error> {
        if settle.status != DeliveryStatus::Pending
            || self.endpoint_of(delivery).await?.is_some_and(|endpoint| endpoint.is_open())
        {
            return Ok(settle);
        }
        Ok(SettleDelivery { status: DeliveryStatus::Canceled, ..settle })
    }

    async fn address_of(&self, delivery: &Delivery) -> Result<Option<Address>, Error> {
        let endpoint = self.endpoint_of(delivery).await?;
        Ok(endpoint.map(|endpoint| {
            let target = self.outbound.of(endpoint.livemode).target(&endpoint.url);
            Address { endpoint, target }
        }))
    }

    /// The endpoint of a delivery, deleted or not. It belongs to the merchant or to its platform.
    pub async fn endpoint_of(&self, delivery: &Delivery) -> Result<Option<Endpoint>, Error> {
        let number = delivery.key.endpoint.number();
        if let Some(own) = self.find::<Endpoint>(delivery.merchant, number).await? {
            return Ok(Some(own));
        }
        let Some(tie) = self.platform_of(delivery.merchant).await? else { return Ok(None) };
        let found = self.find::<Endpoint>(tie.platform, number).await?;
        Ok(found.filter(|endpoint| endpoint.receives_from(EventSource::Accounts)))
    }

    async fn attempt_delivery(&self, delivery: &Delivery, address: &Address) -> SettleDelivery {
        let Address { endpoint, target } = address;
        let at = self.clock.server_now();
        let AttemptChange { secrets, repeat, mark } = self.hooks.before_attempt(delivery);
        let secrets: Vec<&str> = match &secrets {
            Some(secrets) => secrets.iter().map(String::as_str).collect(),
            None => endpoint.active_secrets(at).collect(),
        };
        let signature = sign(&secrets, at.seconds(), &delivery.payload);
        let headers = [
            ("Content-Type", "application/json; charset=utf-8"),
            ("Stripe-Signature", signature.as_str()),
            ("User-Agent", "bankfeed/1.0 (webhooks)"),
        ];
        let started = DeliveryObservation::AttemptStarted { delivery, endpoint, at };
        self.observer.on_delivery(&started);
        let posted = self
            .outbound
            .of(endpoint.livemode)
            .post_to(target, &headers, delivery.payload.clone())
            .await;
        let duration_ms = self.clock.server_now().ms_since(at);
        let (status, error) = match posted.status {
            Ok(status) => (Some(status), None),
            Err(error) => (None, Some(error)),
        };
        let number = delivery.attempts + 1;
        let (outcome, due_at) = self.outcome_of(delivery, endpoint.livemode, repeat, status);
        self.observer.on_delivery(&DeliveryObservation::AttemptEnded {
            delivery,
            endpoint,
            at: self.clock.server_now(),
            status,
            is_last: outcome != DeliveryStatus::Pending,
        });
        let attempt = Attempt {
            number,
            at,
            status,
            duration_ms: u32::try_from(duration_ms).unwrap_or(u32::MAX),
            body: posted.body,
            error,
            signature: Some(signature),
            resent: delivery.resent_from.is_some(),
            mark,
        };
        SettleDelivery {
            key: delivery.key,
            merchant: delivery.merchant,
            claim: delivery.claim,
            attempt: Some(attempt),
            status: outcome,
            due_at,
        }
    }

    /// Determines the status of a delivery after an attempt, and the time of the next attempt.
    fn outcome_of(
        &self,
        delivery: &Delivery,
        livemode: bool,
        repeat: bool,
        status: Option<u16>,
    ) -> (DeliveryStatus, ServerTime) {
        let schedule = if livemode { &self.settings.retry_live } else { &self.settings.retry_test };
        let accepted = status.is_some_and(|status| (200..300).contains(&status));
        if accepted {
            let outcome = if repeat { DeliveryStatus::Pending } else { DeliveryStatus::Succeeded };
            return (outcome, delivery.due_at);
        }
        let now = self.clock.server_now();
        match next_attempt(schedule, delivery, delivery.attempts + 1, now) {
            Some(due_at) => (DeliveryStatus::Pending, due_at),
            None => (DeliveryStatus::Failed, delivery.due_at),
        }
    }
}

/// The time of the next attempt after `number` failed ones. `None` after the last.
fn next_attempt(
    schedule: &RetrySchedule,
    delivery: &Delivery,
    number: u32,
    now: ServerTime,
) -> Option<ServerTime> {
    // A delivery that was sent again on demand repeats the schedule.
    let since = number.saturating_sub(delivery.resent_from.unwrap_or(0)).max(1);
    let wait_ms = *schedule.waits_ms.get(since as usize - 1)?;
    // The jitter is a hash instead of a random number, so every server computes the same value. It
    // differs between deliveries, so many failed deliveries do not return at once.
    let key = delivery.key;
    let place = hash_number(&[
        &key.event.number.to_le_bytes(),
        &key.endpoint.number().to_le_bytes(),
        &number.to_le_bytes(),
    ]);
    let percent = i64::try_from(place % 1_000).unwrap_or(0) * schedule.jitter_percent / 1_000;
    Some(now.plus_ms(wait_ms + wait_ms / 100 * percent))
}
