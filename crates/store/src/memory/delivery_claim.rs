//! The claim of due deliveries.

use super::{Memory, is_free};
use crate::ClaimDeliveries;
use crate::store::Failure;
use model::delivery::{Delivery, DeliveryKey, DeliveryStatus};
use model::id::EndpointId;
use std::collections::BTreeMap;
use std::sync::Arc;

pub(crate) fn claim(
    command: &ClaimDeliveries,
    memory: &mut Memory,
) -> Result<Vec<Delivery>, Failure> {
    let mut by_target: BTreeMap<(EndpointId, bool), Vec<&mut Arc<Delivery>>> = BTreeMap::new();
    for delivery in memory.rows.deliveries.values_mut() {
        if delivery.status == DeliveryStatus::Pending
            && delivery.due_at <= command.now
            && is_free(delivery.leased_until, command.now)
        {
            let DeliveryKey { endpoint, outcome, .. } = delivery.key;
            by_target.entry((endpoint, outcome)).or_default().push(delivery);
        }
    }
    let free_of = |endpoint| {
        let in_flight = command.in_flight.iter().filter(|(other, _)| *other == endpoint);
        command.per_endpoint.saturating_sub(in_flight.map(|(_, count)| count).sum())
    };
    let mut due = Vec::new();
    for ((endpoint, _), mut deliveries) in by_target {
        deliveries.sort_by_key(|delivery| (delivery.due_at, delivery.key));
        due.extend(deliveries.into_iter().take(free_of(endpoint)).enumerate());
    }
    due.sort_by_key(|(rank, delivery)| {
        (*rank, delivery.due_at, delivery.key.endpoint, delivery.key.outcome)
    });
    // Both targets of an endpoint share its room.
    let mut free: BTreeMap<EndpointId, usize> = BTreeMap::new();
    due.retain(|(_, delivery)| {
        let endpoint = delivery.key.endpoint;
        let free = free.entry(endpoint).or_insert_with(|| free_of(endpoint));
        let has_room = *free > 0;
        *free = free.saturating_sub(1);
        has_room
    });
    let claimed = due.into_iter().take(command.limit).map(|(_, delivery)| {
        let delivery = Arc::make_mut(delivery);
        delivery.claim += 1;
        delivery.leased_until = Some(command.leased_until);
        delivery.clone()
    });
    Ok(claimed.collect())
}
