//! The client checker: observes the client of a test merchant and reports habits that would lose
//! data in production. docs/judge.md has the rules and their reasons.
//!
//! It observes calls after their response and deliveries while they are made, and keeps a bounded
//! memory of each merchant. The rules are pure functions of these observations. Nothing is stored,
//! so a restart of the server or a reset begins with an empty memory.

mod account;
mod facts;
mod listing;
mod merchant;
mod requested;
mod stretches;
#[cfg(test)]
mod tests;

use crate::diagnostic::Subject;
use crate::fault::is_wrongly_signed;
use crate::{Lab, render};
use engine::observer::{CallObservation, DeliveryObservation};
use engine::{ApiResponse, Context};
use facts::{Call, Ended, Observed, read_payload};
use merchant::MerchantWatch;
use model::bank::Feature;
use model::clock::ServerTime;
use model::event::Event;
use model::id::MerchantId;
use model::limits::CHECKER_MERCHANTS_MAX;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The clients under observation, by merchant.
#[derive(Debug, Default)]
pub(crate) struct ClientChecker(Mutex<HashMap<MerchantId, MerchantWatch>>);

impl ClientChecker {
    /// Adds a call after the client received its response. `left_out` is the newest refresh that
    /// touched a row which a page of transactions excludes by the bank's time.
    pub(crate) fn call(
        &self,
        merchant: MerchantId,
        observation: &CallObservation,
        left_out: Option<u32>,
        at: ServerTime,
    ) {
        let call = Call { at, request: observation.request };
        let CallObservation { account, fact, .. } = observation;
        let observed = Observed { account: *account, fact, left_out };
        watch_of(&mut self.all(), merchant, at).call(&observed, call);
    }

    /// Adds a step of a delivery. Deliveries in live mode are ignored. So are deliveries to an
    /// endpoint that only prints, because they show nothing about a client.
    pub(crate) fn delivery(&self, observation: &DeliveryObservation<'_>) {
        match *observation {
            DeliveryObservation::AttemptStarted { delivery, endpoint, at } => {
                if endpoint.livemode || endpoint.only_prints() {
                    return;
                }
                let event = delivery.key.event;
                let news = read_payload(event, &delivery.payload);
                let (to, is_first) = (Subject::of(endpoint), delivery.attempts == 0);
                let mut all = self.all();
                watch_of(&mut all, delivery.merchant, at).attempt_started(to, news, is_first, at);
            }
            DeliveryObservation::AttemptEnded { delivery, endpoint, at, status, is_last } => {
                if endpoint.livemode || endpoint.only_prints() {
                    return;
                }
                let event = delivery.key.event;
                let to = Subject::of(endpoint);
                let ended = Ended { at, status, is_last, is_forged: is_wrongly_signed(delivery) };
                watch_of(&mut self.all(), delivery.merchant, at).attempt_ended(event, to, &ended);
            }
            DeliveryObservation::Forwarded { event, payload, at } => {
                let (news, to) = (read_payload(event.id, payload), Subject::Listener);
                watch_of(&mut self.all(), event.merchant, at).attempt_started(to, news, true, at);
            }
            DeliveryObservation::ForwardEnded { merchant, event, status, at } => {
                // A forwarded event is not sent again.
                let ended = Ended { at, status: Some(status), is_last: true, is_forged: false };
                let to = Subject::Listener;
                watch_of(&mut self.all(), merchant, at).attempt_ended(event, to, &ended);
            }
            DeliveryObservation::Settled { .. } | DeliveryObservation::Dispatched { .. } => {}
        }
    }

    /// Adds an event about a refresh that no endpoint receives. A program that listens may still
    /// receive it.
    pub(crate) fn unreceived(&self, event: &Event, feature: Feature, at: ServerTime) {
        let Some(account) = event.account else { return };
        watch_of(&mut self.all(), event.merchant, at).unreceived(account, feature, event.id, at);
    }

    /// Notes that the client of a merchant waits for events by a test helper.
    pub(crate) fn waits(&self, merchant: MerchantId, at: ServerTime) {
        watch_of(&mut self.all(), merchant, at).waits();
    }

    /// Forgets the client of a merchant after the merchant's objects were removed or replaced.
    pub(crate) fn forget(&self, merchant: MerchantId) {
        self.all().remove(&merchant);
    }

    /// Locks the observations. If a rule panicked, the others still run.
    fn all(&self) -> MutexGuard<'_, HashMap<MerchantId, MerchantWatch>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lab {
    /// Shows the diagnostics of the caller's own client. If the client has finished, its open work
    /// counts as abandoned at once. Otherwise it counts as abandoned after a quiet period.
    pub fn report_consumer(&self, context: &Context, finished: bool) -> ApiResponse {
        let now = self.engine.clock().server_now();
        let report = match self.instruments.checker.all().get(&context.merchant) {
            Some(watch) => watch.report(now, finished),
            None => MerchantWatch::new(now).report(now, finished),
        };
        ApiResponse::unchanged(engine::render(|w| render::consumer_report::write(w, &report)))
    }

    /// Forgets the observations of the caller's client and returns the empty report.
    pub fn reset_consumer_report(&self, context: &Context) -> ApiResponse {
        let now = self.engine.clock().server_now();
        self.instruments.checker.all().insert(context.merchant, MerchantWatch::new(now));
        self.report_consumer(context, false)
    }
}

/// Returns the observations of a merchant. If there are too many merchants, the one observed
/// longest ago is forgotten.
fn watch_of(
    all: &mut HashMap<MerchantId, MerchantWatch>,
    merchant: MerchantId,
    now: ServerTime,
) -> &mut MerchantWatch {
    if all.len() >= CHECKER_MERCHANTS_MAX && !all.contains_key(&merchant) {
        let oldest = all.iter().min_by_key(|(_, watch)| watch.last_observed_at);
        if let Some(oldest) = oldest.map(|(merchant, _)| *merchant) {
            all.remove(&oldest);
        }
    }
    all.entry(merchant).or_insert_with(|| MerchantWatch::new(now))
}
