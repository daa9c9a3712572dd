//! Events and their dispatch.

use super::{EventRow, Memory, page};
use crate::command::event::takes_type;
use crate::store::Failure;
use crate::{
    DispatchEvent, EventPlace, FindEvent, ListEvents, ListEventsAfter, ListUndispatched, Listed,
    StoredEvent, exact,
};
use model::Word;
use model::clock::ServerTime;
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
        let row = EventRow {
            position: memory.position,
            undispatched: true,
            event: Arc::new(event.clone()),
        };
        memory.rows.events.insert(event.id, row);
    }
    Ok(())
}

/// The deliveries of an event.
pub(super) fn deliveries(memory: &Memory, event: EventId) -> impl Iterator<Item = &Delivery> {
    let key = move |number| DeliveryKey { event, endpoint: EndpointId::from_number(number) };
    memory.rows.deliveries.range(key(0)..=key(u64::MAX)).map(|(_, delivery)| delivery.as_ref())
}

fn stored(row: &EventRow, memory: &Memory) -> StoredEvent {
    let pending = deliveries(memory, row.event.id)
        .filter(|delivery| delivery.status == DeliveryStatus::Pending)
        .count();
    StoredEvent {
        event: row.event.as_ref().clone(),
        position: row.position,
        undispatched: row.undispatched,
        pending: exact(pending, "an event has one delivery for each endpoint"),
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

pub(crate) fn list_after(
    command: &ListEventsAfter,
    memory: &Memory,
) -> Result<Vec<StoredEvent>, Failure> {
    let ListEventsAfter { merchant, account, types, after, limit } = command;
    let rows = memory.rows.events.values().filter(|row| row.event.merchant == *merchant);
    let rows = rows.filter(|row| account.is_none() || row.event.account == *account);
    let rows = rows.filter(|row| takes_type(types, row.event.event_type.word()));
    let mut rows: Vec<_> = rows.filter(|row| row.position > *after).collect();
    rows.sort_by_key(|row| row.position);
    Ok(rows.into_iter().take(*limit).map(|row| stored(row, memory)).collect())
}

pub(crate) fn find(command: &FindEvent, memory: &Memory) -> Result<Option<StoredEvent>, Failure> {
    let found = memory.rows.events.get(&command.event);
    let found = found.filter(|row| row.event.merchant == command.merchant);
    Ok(found.map(|row| stored(row, memory)))
}

pub(crate) fn list_undispatched(
    &ListUndispatched { limit }: &ListUndispatched,
    memory: &Memory,
) -> Result<Vec<(Event, ServerTime)>, Failure> {
    let mut waiting: Vec<&EventRow> =
        memory.rows.events.values().filter(|row| row.undispatched).collect();
    waiting.sort_by_key(|row| row.position);
    let waiting = waiting.into_iter().take(limit);
    Ok(waiting.map(|row| (row.event.as_ref().clone(), ServerTime(row.position))).collect())
}

pub(crate) fn dispatch(command: &DispatchEvent, memory: &mut Memory) -> Result<(), Failure> {
    let DispatchEvent { merchant, event, deliveries } = command;
    let found = memory.rows.events.get_mut(event).filter(|row| row.event.merchant == *merchant);
    let Some(row) = found else { return Ok(()) };
    row.undispatched = false;
    for delivery in deliveries {
        let key = DeliveryKey { event: *event, endpoint: delivery.key.endpoint };
        let delivery = Delivery { key, merchant: *merchant, ..delivery.clone() };
        memory.rows.deliveries.entry(key).or_insert(Arc::new(delivery));
    }
    Ok(())
}
