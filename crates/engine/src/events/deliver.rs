//! The deliver worker: a due delivery is signed, posted and settled.
//!
//! At least once: the attempt is recorded after it was made, so a crash in between repeats it. The
//! payload was frozen by the dispatcher; only timestamp and signature are new in each attempt.

use crate::hooks::AttemptChange;
use crate::observer::DeliveryObservation;
use crate::settings::RetrySchedule;
use crate::{Engine, Error};
use model::clock::ServerTime;
use model::delivery::{Attempt, Delivery, DeliveryStatus};
use model::endpoint::Endpoint;
use model::id::{EndpointId, hash_number};
use model::limits;
use std::collections::HashMap;
use std::sync::Arc;
use store::{ClaimDeliveries, ReleaseDelivery, SettleDelivery};
use tokio::task::{JoinError, JoinSet};
use wire::signature::sign;

/// Deliveries under way, by endpoint.
#[derive(Debug, Default)]
pub struct InFlight {
    attempts: JoinSet<EndpointId>,
    by_endpoint: HashMap<EndpointId, usize>,
}

impl InFlight {
    /// Waits until an attempt ends, if any is under way, and counts out all that have ended with
    /// it: places that became free together are filled by one claim, not by one commit each.
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
        // An attempt that panicked does not say whose it was; all counts begin anew, which at
        // worst lets one endpoint have a few more at once.
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

    /// Attempts under way.
    pub fn count(&self) -> usize {
        self.attempts.len()
    }
}

impl Engine {
    /// Delivers what is due and waits for all of it. Answers how many attempts were made.
    pub async fn run_deliver_once(self: &Arc<Self>) -> Result<usize, Error> {
        let mut in_flight = InFlight::default();
        let begun = self.begin_deliveries(&mut in_flight).await?;
        while in_flight.count() > 0 {
            in_flight.ended().await;
        }
        Ok(begun)
    }

    /// Claims what is due beside what is under way, and begins it. Endpoints never wait for each
    /// other: each has a share of its own.
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
        for delivery in claimed {
            let endpoint = delivery.key.endpoint;
            *in_flight.by_endpoint.entry(endpoint).or_default() += 1;
            let engine = Arc::clone(self);
            in_flight.attempts.spawn(async move {
                if let Err(error) = engine.deliver(&delivery).await {
                    // The lease runs out and the delivery is claimed again.
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

    async fn deliver(&self, delivery: &Delivery) -> Result<(), Error> {
        let settle = match self.endpoint_of(delivery).await? {
            Some(endpoint) if endpoint.is_open() => {
                let settle = self.attempt_delivery(delivery, &endpoint).await;
                self.unless_closed(delivery, settle).await?
            }
            // Deleted or disabled since: it gets nothing more.
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
        // Stale: another worker took the delivery over when the lease ran out, and settles it.
        let delivered = settle.status == DeliveryStatus::Succeeded;
        let _ = self.store.write(settle).await?;
        if delivered {
            for (key, merchant) in self.hooks.after_success(delivery.key) {
                let release = ReleaseDelivery { key, merchant, now: self.clock.server_now() };
                self.store.write(release).await?;
                self.wake.deliver();
            }
        }
        let settled = DeliveryObservation::Settled { merchant: delivery.merchant };
        self.observer.on_delivery(&settled);
        Ok(())
    }

    /// A further attempt only if the endpoint gets one: it may have been deleted or disabled while
    /// this one was under way.
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

    /// The endpoint of a delivery: the merchant's own, or its platform's.
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
        tracing::info!(
            event.id = %delivery.key.event,
            endpoint.id = %delivery.key.endpoint,
            job.attempt = number,
            status,
            duration_ms,
            "webhook attempt {}",
            model::Word::word(outcome)
        );
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

    /// Where a delivery stands after an attempt was answered so, and when the next one is due.
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

/// When the next attempt is due after `number` failed ones; none when it was the last.
fn next_attempt(
    schedule: &RetrySchedule,
    delivery: &Delivery,
    number: u32,
    now: ServerTime,
) -> Option<ServerTime> {
    // One that was sent again on demand goes through the schedule once more.
    let since = number.saturating_sub(delivery.resent_from.unwrap_or(0)).max(1);
    let wait_ms = *schedule.waits_ms.get(since as usize - 1)?;
    // The jitter is a hash, not a draw: the same on whichever server settles the attempt, and
    // different for each delivery, which is what keeps a crowd from coming back at once.
    let key = delivery.key;
    let place = hash_number(&[
        &key.event.number.to_le_bytes(),
        &key.endpoint.number().to_le_bytes(),
        &number.to_le_bytes(),
    ]);
    let percent = i64::try_from(place % 1_000).unwrap_or(0) * schedule.jitter_percent / 1_000;
    Some(now.plus_ms(wait_ms + wait_ms / 100 * percent))
}
