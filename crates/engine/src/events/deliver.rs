//! The deliver worker: signs, posts and settles due deliveries.
//!
//! Delivery is at least once. The attempt is recorded after it was made, so a crash in between
//! repeats it. The dispatcher stored the payload, so only timestamp and signature differ between
//! attempts.

use crate::hooks::AttemptChange;
use crate::metrics::outcome_of;
use crate::observer::DeliveryObservation;
use crate::settings::RetrySchedule;
use crate::worker::caught;
use crate::{Engine, Error};
use model::clock::ServerTime;
use model::delivery::{Attempt, Delivery, DeliveryStatus};
use model::endpoint::Endpoint;
use model::id::{EndpointId, hash_number};
use model::limits;
use std::collections::HashMap;
use std::sync::Arc;
use store::{ClaimDeliveries, ReleaseDelivery, SettleDelivery, Written};
use tokio::sync::OnceCell;
use tokio::task::{JoinError, JoinSet};
use tracing::Instrument;
use wire::signature::sign;

/// The result of an attempt.
struct Ended {
    livemode: bool,
    /// The status of the delivery after it.
    status: DeliveryStatus,
    /// The HTTP status. `None` without a response.
    response: Option<u16>,
    /// The reason of an attempt without a response.
    error: Option<String>,
    /// The duration, unless the delivery was canceled without an attempt.
    duration_us: Option<i64>,
}

/// The endpoint of deliveries that one claim returned, or `None` if it is gone. The first of them
/// reads it.
type Receiver = Arc<OnceCell<Option<Endpoint>>>;

/// Deliveries in progress, by endpoint.
#[derive(Debug, Default)]
pub struct InFlight {
    attempts: JoinSet<EndpointId>,
    by_endpoint: HashMap<EndpointId, usize>,
}

impl InFlight {
    /// Waits until an attempt ends, if one is in progress, and removes all that have ended with it.
    /// Positions that become free together are therefore filled by one claim instead of one commit
    /// each.
    pub async fn ended(&mut self) {
        let Some(first) = self.attempts.join_next().await else {
            return std::future::pending().await;
        };
        let mut next = Some(first);
        while let Some(ended) = next {
            self.count_out(&ended);
            next = self.attempts.try_join_next();
        }
    }

    fn count_out(&mut self, ended: &Result<EndpointId, JoinError>) {
        // A panicked attempt does not name its endpoint, so all counts are reset. At worst one
        // endpoint briefly has a few more attempts at once.
        let Ok(endpoint) = ended else {
            self.by_endpoint.clear();
            return;
        };
        if let Some(count) = self.by_endpoint.get_mut(endpoint) {
            *count -= 1;
            if *count == 0 {
                self.by_endpoint.remove(endpoint);
            }
        }
    }

    /// The number of attempts in progress.
    pub fn count(&self) -> usize {
        self.attempts.len()
    }
}

impl Engine {
    /// Delivers the due work and waits until it is complete. Returns the number of attempts.
    pub async fn run_deliver_once(self: &Arc<Self>) -> Result<usize, Error> {
        let mut in_flight = InFlight::default();
        let begun = self.begin_deliveries(&mut in_flight).await?;
        while in_flight.count() > 0 {
            in_flight.ended().await;
        }
        Ok(begun)
    }

    /// Claims due deliveries in addition to those in progress, and begins them. Each endpoint has
    /// its own share, so endpoints never wait for each other.
    pub async fn begin_deliveries(
        self: &Arc<Self>,
        in_flight: &mut InFlight,
    ) -> Result<usize, Error> {
        let room = limits::DELIVERIES_IN_FLIGHT_MAX.saturating_sub(in_flight.count());
        if room == 0 {
            return Ok(0);
        }
        let now = self.clock.server_now();
        let claim = ClaimDeliveries {
            now,
            leased_until: now.plus_ms(self.settings.lease_ms),
            limit: room,
            per_endpoint: limits::DELIVERIES_IN_FLIGHT_PER_ENDPOINT_MAX,
            in_flight: in_flight.by_endpoint.iter().map(|(id, count)| (*id, *count)).collect(),
        };
        let claimed = self.store.write(claim).await?;
        let begun = claimed.len();
        let mut receivers: HashMap<_, Receiver> = HashMap::new();
        for delivery in claimed {
            let endpoint = delivery.key.endpoint;
            let receiver = Arc::clone(receivers.entry((delivery.merchant, endpoint)).or_default());
            *in_flight.by_endpoint.entry(endpoint).or_default() += 1;
            let engine = Arc::clone(self);
            in_flight.attempts.spawn(async move {
                if let Err(error) = caught(Box::pin(engine.deliver(&delivery, &receiver))).await {
                    // The lease expires and the delivery is claimed again.
                    engine.metrics.count_worker_failure("deliver");
                    tracing::error!(
                        event.id = %delivery.key.event,
                        error = &error as &dyn std::error::Error,
                        "delivery could not be settled"
                    );
                }
                endpoint
            });
        }
        Ok(begun)
    }

    /// Makes an attempt at a claimed delivery, stores its result, and logs and counts it.
    async fn deliver(&self, delivery: &Delivery, receiver: &Receiver) -> Result<(), Error> {
        let span = tracing::info_span!(
            "attempt",
            event.id = %delivery.key.event,
            endpoint.id = %delivery.key.endpoint,
            job.attempt = delivery.attempts + 1
        );
        let ended = self.attempt_and_settle(delivery, receiver).instrument(span).await?;
        let Some(ended) = ended else { return Ok(()) };
        self.metrics.count_attempt(ended.livemode, ended.status, ended.duration_us);
        tracing::info!(
            event.id = %delivery.key.event,
            endpoint.id = %delivery.key.endpoint,
            merchant = %delivery.merchant,
            job.attempt = delivery.attempts + 1,
            status = ended.response,
            error = ended.error,
            duration_ms = ended.duration_us.map(|us| us / 1_000),
            "webhook attempt {}",
            outcome_of(ended.status)
        );
        Ok(())
    }

    /// Returns the result that was committed. After a version conflict it is `None`, because the
    /// lease expired, and the worker that took the delivery over settles it.
    async fn attempt_and_settle(
        &self,
        delivery: &Delivery,
        receiver: &Receiver,
    ) -> Result<Option<Ended>, Error> {
        let endpoint = receiver.get_or_try_init(|| self.endpoint_of(delivery)).await?;
        let livemode = endpoint.as_ref().is_some_and(|endpoint| endpoint.livemode);
        let began = self.clock.server_now();
        let mut attempted_at = began;
        let settle = match endpoint {
            Some(endpoint) if endpoint.is_open() => {
                let settle = self.attempt_delivery(delivery, endpoint).await;
                attempted_at = self.clock.server_now();
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
        let attempt = settle.attempt.as_ref();
        let ended = Ended {
            livemode,
            status: settle.status,
            response: attempt.and_then(|attempt| attempt.status),
            error: attempt.and_then(|attempt| attempt.error.clone()),
            duration_us: attempt.map(|_| attempted_at.0 - began.0),
        };
        self.failpoints.reach("before_settle");
        let written = self.store.write(settle).await?;
        if ended.status == DeliveryStatus::Succeeded {
            for (key, merchant) in self.hooks.after_success(delivery.key) {
                let release = ReleaseDelivery { key, merchant, now: self.clock.server_now() };
                self.store.write(release).await?;
                self.wake.deliver();
            }
        }
        let settled = DeliveryObservation::Settled { merchant: delivery.merchant };
        self.observer.on_delivery(&settled);
        Ok((written == Written::Done).then_some(ended))
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

    /// The endpoint of a delivery. It belongs to the merchant or to its platform.
    async fn endpoint_of(&self, delivery: &Delivery) -> Result<Option<Endpoint>, Error> {
        let number = delivery.key.endpoint.number();
        if let Some(own) = self.find::<Endpoint>(delivery.merchant, number).await? {
            return Ok(Some(own));
        }
        let Some(tie) = self.platform_of(delivery.merchant).await? else { return Ok(None) };
        let found = self.find::<Endpoint>(tie.platform, number).await?;
        Ok(found.filter(|endpoint| endpoint.connect))
    }

    async fn attempt_delivery(&self, delivery: &Delivery, endpoint: &Endpoint) -> SettleDelivery {
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
        let posted = self.outbound.post(&endpoint.url, &headers, delivery.payload.clone()).await;
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
