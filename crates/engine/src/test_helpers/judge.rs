//! The judge: watches what the client of a test merchant does, and says what would lose data in
//! production. docs/judge.md has the rules and their reasons.
//!
//! It hears of calls after they were answered and of deliveries while they are made, keeps a bounded
//! memory of each merchant, and finds by rules that are pure functions of what it heard. Nothing is
//! stored: a server that is started again, or a reset, begins anew.

mod account;
mod listing;
mod merchant;
mod seen;
mod stretches;
#[cfg(test)]
mod tests;

pub(crate) use seen::{Edge, Listed, What, read_payload};
pub use seen::{Ended, Seen};

use crate::context::render;
use crate::{Answer, Context, Engine};
use merchant::MerchantWatch;
use model::clock::ServerTime;
use model::delivery::{Delivery, DeliveryKey};
use model::event::Event;
use model::finding::Subject;
use model::id::{EventId, MerchantId, RequestId};
use model::limits::JUDGE_MERCHANTS_MAX;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Who is watched.
#[derive(Debug, Default)]
pub struct Judge(Mutex<HashMap<MerchantId, MerchantWatch>>);

impl Judge {
    /// Takes in what an answered call tells.
    pub fn saw(&self, merchant: MerchantId, request: RequestId, seen: &Seen, at: ServerTime) {
        let call = seen::Call { at, request };
        watch_of(&mut self.all(), merchant, at).saw(seen, call);
    }

    /// Takes in that a delivery is being attempted.
    pub(crate) fn attempt_began(&self, delivery: &Delivery, at: ServerTime) {
        let DeliveryKey { event, endpoint } = delivery.key;
        let (told, to) = (read_payload(event, &delivery.payload), Subject::Endpoint(endpoint));
        let is_first = delivery.attempts == 0;
        watch_of(&mut self.all(), delivery.merchant, at).attempt_began(to, told, is_first, at);
    }

    /// Takes in how the attempt ended.
    pub(crate) fn attempt_ended(&self, delivery: &Delivery, ended: &Ended) {
        let DeliveryKey { event, endpoint } = delivery.key;
        let to = Subject::Endpoint(endpoint);
        watch_of(&mut self.all(), delivery.merchant, ended.at).attempt_ended(event, to, ended);
    }

    /// Takes in that an event was given to a program that forwards it.
    pub(crate) fn forward_began(&self, event: &Event, payload: &[u8], at: ServerTime) {
        let told = read_payload(event.id, payload);
        let mut all = self.all();
        watch_of(&mut all, event.merchant, at).attempt_began(Subject::Listener, told, true, at);
    }

    /// Takes in what the program was answered; nothing is forwarded again.
    pub(crate) fn forward_ended(
        &self,
        merchant: MerchantId,
        event: EventId,
        status: u16,
        at: ServerTime,
    ) {
        let ended = Ended { at, status: Some(status), is_last: true, is_forged: false };
        watch_of(&mut self.all(), merchant, at).attempt_ended(event, Subject::Listener, &ended);
    }

    /// A rule that panicked has found nothing; the others go on.
    fn all(&self) -> MutexGuard<'_, HashMap<MerchantId, MerchantWatch>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Engine {
    /// Who watches the clients.
    pub fn judge(&self) -> &Judge {
        &self.judge
    }

    /// Shows what was found of the caller's own client. A client that has finished did all that it
    /// will: what it left open is judged at once, else when nothing followed for a while.
    pub fn report_consumer(&self, context: &Context, finished: bool) -> Answer {
        let now = self.clock.server_now();
        let report = match self.judge.all().get(&context.merchant) {
            Some(watch) => watch.report(now, finished),
            None => MerchantWatch::new(now).report(now, finished),
        };
        Answer::unchanged(render(|w| {
            wire::render::test_helpers::consumer_report::write(w, &report);
        }))
    }

    /// Forgets what was seen of a client whose objects were removed or replaced.
    pub(crate) fn forget_client(&self, merchant: MerchantId) {
        self.judge.all().remove(&merchant);
    }

    /// Forgets what was seen of the caller's client; answers the report that is left.
    pub fn reset_consumer_report(&self, context: &Context) -> Answer {
        let now = self.clock.server_now();
        self.judge.all().insert(context.merchant, MerchantWatch::new(now));
        self.report_consumer(context, false)
    }
}

/// The watch of a merchant. Of too many, the one heard of longest ago is forgotten.
fn watch_of(
    all: &mut HashMap<MerchantId, MerchantWatch>,
    merchant: MerchantId,
    now: ServerTime,
) -> &mut MerchantWatch {
    if all.len() >= JUDGE_MERCHANTS_MAX && !all.contains_key(&merchant) {
        let oldest = all.iter().min_by_key(|(_, watch)| watch.seen_at);
        if let Some(oldest) = oldest.map(|(merchant, _)| *merchant) {
            all.remove(&oldest);
        }
    }
    all.entry(merchant).or_insert_with(|| MerchantWatch::new(now))
}
