//! Deliveries and their attempts.

use super::{Memory, delivery_claim, event, idempotency, is_free, page};
use crate::store::Failure;
use crate::{
    ContinueDeliveries, Continued, DeliveryPlace, EventPlace, ListDeliveries, ListLedger, Listed,
    ReleaseDelivery, ReleaseEndpoint, ResendDeliveries, SettleDelivery, WithAttempts, Written,
    exact,
};
use model::delivery::{Delivery, DeliveryKey, DeliveryStatus};
use model::limits::{DELIVERY_ATTEMPTS_MAX, RELEASE_ROWS_MAX};
use std::sync::Arc;

pub(crate) fn settle(command: &SettleDelivery, memory: &mut Memory) -> Result<Written, Failure> {
    let SettleDelivery { key, merchant, claim, attempt, status, due_at } = command;
    let stored = memory.rows.deliveries.get_mut(key).filter(|delivery| {
        delivery.merchant == *merchant
            && delivery.claim == *claim
            && delivery.status == DeliveryStatus::Pending
    });
    let Some(delivery) = stored else { return Ok(Written::VersionConflict) };
    let delivery = Arc::make_mut(delivery);
    delivery.status = *status;
    delivery.due_at = *due_at;
    delivery.leased_until = None;
    delivery.attempts += u32::from(attempt.is_some());
    if let Some(attempt) = attempt {
        memory.rows.attempts.insert((*key, attempt.number), Arc::new(attempt.clone()));
    }
    Ok(Written::Done)
}

pub(crate) fn continue_with(
    command: &ContinueDeliveries,
    memory: &mut Memory,
) -> Result<Continued, Failure> {
    let ContinueDeliveries { settled, claim: next } = command;
    let written = settled.iter().map(|one| settle(one, memory)).collect::<Result<_, _>>()?;
    let claimed = match next {
        Some(next) => delivery_claim::claim_with_owners(next, memory),
        None => Vec::new(),
    };
    let (claimed, owners) = claimed.into_iter().unzip();
    Ok(Continued { written, claimed, owners })
}

pub(crate) fn list(
    command: &ListDeliveries,
    memory: &Memory,
) -> Result<Vec<WithAttempts>, Failure> {
    let of_event = event::deliveries(memory, command.event)
        .filter(|delivery| delivery.merchant == command.merchant);
    Ok(of_event.map(|delivery| with_attempts(delivery, memory)).collect())
}

fn with_attempts(delivery: &Delivery, memory: &Memory) -> WithAttempts {
    let attempts = memory.rows.attempts.range((delivery.key, 0)..=(delivery.key, u32::MAX));
    (delivery.clone(), attempts.map(|(_, attempt)| attempt.as_ref().clone()).collect())
}

pub(crate) fn list_ledger(
    command: &ListLedger,
    memory: &Memory,
) -> Result<Listed<WithAttempts>, Failure> {
    let ListLedger { merchant, endpoint, status, page: wanted } = command;
    let rows = memory.rows.events.values().filter(|row| row.event.merchant == *merchant);
    let rows = rows.flat_map(|row| {
        let list_position = EventPlace {
            created: row.event.created,
            committed_at: row.committed_at,
            shard: row.event.id.shard,
        };
        event::deliveries(memory, row.event.id).map(move |delivery| (list_position, delivery))
    });
    let rows = rows
        .filter(|(_, delivery)| delivery.merchant == *merchant)
        .filter(|(_, delivery)| endpoint.is_none_or(|one| one == delivery.key.endpoint))
        .filter(|(_, delivery)| status.is_none_or(|status| status == delivery.status))
        .map(|(event, delivery)| {
            let list_position = DeliveryPlace::of(event, delivery.key);
            (list_position, with_attempts(delivery, memory))
        });
    Ok(page(rows, *wanted))
}

pub(crate) fn resend(command: &ResendDeliveries, memory: &mut Memory) -> Result<Written, Failure> {
    let ResendDeliveries { merchant, event, deliveries, now, reply } = command;
    if !idempotency::record_optional(reply.as_ref(), memory) {
        return Ok(Written::KeyTaken);
    }
    if memory.rows.events.get(event).is_none_or(|row| row.event.merchant != *merchant) {
        return Ok(Written::VersionConflict);
    }
    let floor = memory.merchants.get(merchant).map_or(0, |row| row.floor);
    for delivery in deliveries {
        let key = DeliveryKey { event: *event, ..delivery.key };
        let Some(stored) = memory.rows.deliveries.get_mut(&key) else {
            let claim = delivery.claim.max(floor);
            let delivery = Delivery { key, merchant: *merchant, claim, ..delivery.clone() };
            memory.rows.deliveries.insert(key, Arc::new(delivery));
            continue;
        };
        let free = stored.merchant == *merchant
            && is_free(stored.leased_until, *now)
            && stored.attempts < DELIVERY_ATTEMPTS_MAX;
        if !free {
            return Ok(Written::VersionConflict);
        }
        let stored = Arc::make_mut(stored);
        stored.status = DeliveryStatus::Pending;
        stored.due_at = *now;
        stored.leased_until = None;
        stored.resent_from = Some(stored.attempts);
    }
    Ok(Written::Done)
}

pub(crate) fn release(command: &ReleaseDelivery, memory: &mut Memory) -> Result<(), Failure> {
    let ReleaseDelivery { key, merchant, now } = command;
    let stored = memory.rows.deliveries.get_mut(key).filter(|delivery| {
        delivery.merchant == *merchant
            && delivery.status == DeliveryStatus::Pending
            && delivery.attempts == 0
            && delivery.leased_until.is_none()
            && delivery.due_at > *now
    });
    if let Some(delivery) = stored {
        Arc::make_mut(delivery).due_at = *now;
    }
    Ok(())
}

pub(crate) fn release_endpoint(
    command: &ReleaseEndpoint,
    memory: &mut Memory,
) -> Result<u32, Failure> {
    let ReleaseEndpoint { endpoint, now } = *command;
    let waits = |delivery: &Delivery| {
        delivery.key.endpoint == endpoint
            && delivery.status == DeliveryStatus::Pending
            && delivery.due_at > now
    };
    let mut waiting: Vec<&mut Arc<Delivery>> =
        memory.rows.deliveries.values_mut().filter(|delivery| waits(delivery)).collect();
    waiting.sort_by_key(|delivery| {
        (delivery.due_at, delivery.key.event.shard, delivery.key.event.number)
    });
    waiting.truncate(exact(RELEASE_ROWS_MAX, "the constant is small"));
    for delivery in &mut waiting {
        Arc::make_mut(delivery).due_at = now;
    }
    Ok(exact(waiting.len(), "a command releases at most RELEASE_ROWS_MAX rows"))
}
