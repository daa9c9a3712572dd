//! Deliveries and their attempts.

use super::{Memory, event, is_free};
use crate::store::Failure;
use crate::{ClaimDeliveries, ListDeliveries, SettleDelivery, Written};
use model::delivery::{Attempt, Delivery, DeliveryStatus};
use model::id::EndpointId;
use std::collections::BTreeMap;
use std::sync::Arc;

pub(crate) fn claim(
    command: &ClaimDeliveries,
    memory: &mut Memory,
) -> Result<Vec<Delivery>, Failure> {
    let mut by_endpoint: BTreeMap<EndpointId, Vec<&mut Arc<Delivery>>> = BTreeMap::new();
    for delivery in memory.deliveries.values_mut() {
        if delivery.status == DeliveryStatus::Pending
            && delivery.due_at <= command.now
            && is_free(delivery.leased_until, command.now)
        {
            by_endpoint.entry(delivery.key.endpoint).or_default().push(delivery);
        }
    }
    let mut due = Vec::new();
    for (endpoint, mut deliveries) in by_endpoint {
        let in_flight = command.in_flight.iter().filter(|(other, _)| *other == endpoint);
        let in_flight = in_flight.map(|(_, count)| count).sum();
        deliveries.sort_by_key(|delivery| (delivery.due_at, delivery.key));
        let free = command.per_endpoint.saturating_sub(in_flight);
        due.extend(deliveries.into_iter().take(free).enumerate());
    }
    due.sort_by_key(|(rank, delivery)| (*rank, delivery.due_at, delivery.key.endpoint));
    let claimed = due.into_iter().take(command.limit).map(|(_, delivery)| {
        let delivery = Arc::make_mut(delivery);
        delivery.claim += 1;
        delivery.leased_until = Some(command.leased_until);
        delivery.clone()
    });
    Ok(claimed.collect())
}

pub(crate) fn settle(command: &SettleDelivery, memory: &mut Memory) -> Result<Written, Failure> {
    let SettleDelivery { key, merchant, claim, attempt, status, due_at } = command;
    let held = memory.deliveries.get_mut(key).filter(|delivery| {
        delivery.merchant == *merchant
            && delivery.claim == *claim
            && delivery.status == DeliveryStatus::Pending
    });
    let Some(delivery) = held else { return Ok(Written::Stale) };
    let delivery = Arc::make_mut(delivery);
    delivery.status = *status;
    delivery.due_at = *due_at;
    delivery.leased_until = None;
    delivery.attempts += u32::from(attempt.is_some());
    if let Some(attempt) = attempt {
        memory.attempts.insert((*key, attempt.number), Arc::new(attempt.clone()));
    }
    Ok(Written::Done)
}

pub(crate) fn list(
    command: &ListDeliveries,
    memory: &Memory,
) -> Result<Vec<(Delivery, Vec<Attempt>)>, Failure> {
    let of_event = event::deliveries(memory, command.event)
        .filter(|delivery| delivery.merchant == command.merchant);
    let with_attempts = of_event.map(|delivery| {
        let attempts = memory.attempts.range((delivery.key, 0)..=(delivery.key, u32::MAX));
        let attempts = attempts.map(|(_, attempt)| attempt.as_ref().clone()).collect();
        (delivery.clone(), attempts)
    });
    Ok(with_attempts.collect())
}
