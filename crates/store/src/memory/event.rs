//! Events.

use super::{EventRow, Memory, page};
use crate::command::event::takes_type;
use crate::store::Failure;
use crate::{EventPlace, FindEvent, ListEvents, Listed, StoredEvent, exact};
use model::Word;
use model::delivery::{Delivery, DeliveryKey, DeliveryStatus};
use model::event::Event;
use model::id::{EndpointId, EventId};
use std::sync::Arc;

/// Writes events, each with the next position in the order of commits.
pub(super) fn insert_many(events: &[Event], memory: &mut Memory) -> Result<(), Failure> {
    for event in events {
        memory.position = memory.clock.server_now().0.max(memory.position + 1);
        if memory.rows.events.contains_key(&event.id) {
            // The same change was reported before.
            continue;
        }
        let row =
            EventRow { position: memory.position, feed: None, event: Arc::new(event.clone()) };
        memory.rows.events.insert(event.id, row);
    }
    Ok(())
}

/// The deliveries of an event.
pub(super) fn deliveries(memory: &Memory, event: EventId) -> impl Iterator<Item = &Delivery> {
    let key = move |number| DeliveryKey { event, endpoint: EndpointId::from_number(number) };
    memory.rows.deliveries.range(key(0)..=key(u64::MAX)).map(|(_, delivery)| delivery.as_ref())
}

/// The number of an event's pending deliveries.
pub(super) fn pending(row: &EventRow, memory: &Memory) -> u32 {
    let pending = deliveries(memory, row.event.id)
        .filter(|delivery| delivery.status == DeliveryStatus::Pending)
        .count();
    exact(pending, "an event has one delivery for each endpoint")
}

fn stored(row: &EventRow, memory: &Memory) -> StoredEvent {
    StoredEvent {
        event: row.event.as_ref().clone(),
        position: row.position,
        feed: row.feed,
        pending: pending(row, memory),
    }
}

pub(crate) fn list(command: &ListEvents, memory: &Memory) -> Result<Listed<StoredEvent>, Failure> {
    let succeeded = |delivery: &Delivery| delivery.status == DeliveryStatus::Succeeded;
    let rows = memory
        .rows
        .events
        .values()
        .filter(|row| row.event.merchant == command.merchant)
        .filter(|row| takes_type(&command.types, row.event.event_type.word()))
        .filter(|row| command.created.contains(row.event.created.0))
        .filter(|row| {
            let mut of_event = deliveries(memory, row.event.id);
            match command.delivery_success {
                None => true,
                Some(true) => of_event.next().is_some_and(succeeded) && of_event.all(succeeded),
                Some(false) => of_event.any(|delivery| !succeeded(delivery)),
            }
        })
        .map(|row| {
            let position = EventPlace { created: row.event.created, position: row.position };
            (position, stored(row, memory))
        });
    Ok(page(rows, command.page))
}

pub(crate) fn find(command: &FindEvent, memory: &Memory) -> Result<Option<StoredEvent>, Failure> {
    let found = memory.rows.events.get(&command.event);
    let found = found.filter(|row| row.event.merchant == command.merchant);
    Ok(found.map(|row| stored(row, memory)))
}
