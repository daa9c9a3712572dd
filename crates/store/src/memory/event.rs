//! Events.

use super::{EventRow, Memory, page};
use crate::command::event::takes_type;
use crate::store::Failure;
use crate::{FindEvent, ListEvents, Listed, StoredEvent, exact};
use model::Word;
use model::clock::ServerTime;
use model::delivery::{Delivery, DeliveryKey, DeliveryStatus};
use model::event::Event;
use model::id::{EndpointId, EventId};
use std::sync::Arc;

/// Writes events. The time of the commit rises with each of them.
pub(super) fn insert_many(events: &[Event], memory: &mut Memory) -> Result<(), Failure> {
    for event in events {
        let next = ServerTime(memory.last_commit.0 + 1);
        let committed_at = memory.clock.server_now().max(next);
        memory.last_commit = committed_at;
        // An event that exists is the same change, reported before.
        let row = EventRow { committed_at, feed: None, event: Arc::new(event.clone()) };
        memory.rows.events.entry(event.id).or_insert(row);
    }
    Ok(())
}

/// The deliveries of an event.
pub(super) fn deliveries(memory: &Memory, event: EventId) -> impl Iterator<Item = &Delivery> {
    let key = move |number, outcome| {
        let endpoint = EndpointId::from_number(number);
        DeliveryKey { event, endpoint, outcome }
    };
    memory
        .rows
        .deliveries
        .range(key(0, false)..=key(u64::MAX, true))
        .map(|(_, delivery)| delivery.as_ref())
}

/// The number of an event's pending deliveries.
pub(super) fn pending(row: &EventRow, memory: &Memory) -> u32 {
    let pending = deliveries(memory, row.event.id)
        .filter(|delivery| delivery.status == DeliveryStatus::Pending)
        .count();
    exact(pending, "an event has at most two deliveries for each endpoint")
}

fn stored(row: &EventRow, memory: &Memory) -> StoredEvent {
    StoredEvent {
        event: row.event.as_ref().clone(),
        committed_at: row.committed_at,
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
        .filter(|row| command.lists(row.event.event_type))
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
            let stored = stored(row, memory);
            (stored.place(), stored)
        });
    Ok(page(rows, command.page))
}

pub(crate) fn find(command: &FindEvent, memory: &Memory) -> Result<Option<StoredEvent>, Failure> {
    let found = memory.rows.events.get(&command.event);
    let found = found.filter(|row| row.event.merchant == command.merchant);
    Ok(found.map(|row| stored(row, memory)))
}
