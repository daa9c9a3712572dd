//! Events.

use super::event_list::{self, Found, edges, parts_by_statuses, parts_by_type};
use super::event_statuses::Statuses;
use super::list::Window;
use super::prepared::Part;
use super::{Batch, Failure, Reading, column, from_json, optional_number};
use crate::{FindEvent, ListEvents, Listed, StoredEvent};
use model::Word;
use model::clock::ServerTime;
use model::event::Event;
use rusqlite::{Row, named_params};

pub(super) const INSERT_EVENT: &str = "INSERT INTO events (bucket, shard, number, merchant, \
     account, created, type, committed_at, body) \
     VALUES (:bucket, :shard, :number, :merchant, :account, :created, :type, :committed_at, :body) \
     ON CONFLICT (bucket, shard, number) DO NOTHING";
pub(super) const FIND_EVENT: &str = "SELECT committed_at, feed, body, \
     (SELECT COUNT(*) FROM deliveries AS d WHERE d.bucket = ?1 AND d.shard = ?2 \
     AND d.number = ?3 AND d.merchant = ?4 AND d.status = 'pending') \
     FROM events AS e \
     WHERE e.bucket = ?1 AND e.shard = ?2 AND e.number = ?3 AND e.merchant = ?4";

/// Writes events. An event that exists already is ignored: it is the same change, reported again. For
/// example, every account of an authorization reports the authorization's dates.
pub(super) fn insert_many(events: &[Event], batch: &Batch<'_>) -> Result<(), Failure> {
    for event in events {
        let generation = batch.generation(event.merchant)?;
        batch.execute_named(
            INSERT_EVENT,
            &[named_params! {
                            ":bucket": generation.bucket(event.id.shard),
                            ":shard": column(event.id.shard),
                            ":number": column(event.id.number),
                            ":merchant": generation.owner,
                            ":account": event.account.map(|account| column(account.number())),
                            ":created": event.created.0,
                            ":type": event.event_type.word(),
                            ":committed_at": batch.next_commit().0,
                            ":body": batch.prepared.json(Part::Event(event.id), event)?,
            }],
        )?;
    }
    Ok(())
}

/// Lists a merchant's events.
pub(crate) fn list(
    command: &ListEvents,
    reading: &Reading<'_>,
) -> Result<Listed<StoredEvent>, Failure> {
    let ListEvents { merchant, types, created, delivery_success, page, .. } = command;
    let window = Window::of(edges(*page), *created);
    let generation = reading.generation(*merchant)?;
    reading.in_transaction(|| {
        let parts = match delivery_success {
            None => parts_by_type(types),
            Some(success) => {
                let fits = |statuses: Statuses| statuses.is_success() == *success;
                parts_by_statuses(*merchant, types, fits, reading)?
            }
        };
        let mut items = Vec::new();
        event_list::each(*merchant, &parts, &window, reading, |Found { id, .. }| {
            let found = reading.find(FIND_EVENT, generation.event_key(id), read)?;
            // The index led to this row, so a missing row means that the database is corrupt.
            let found = found.ok_or(Failure::Unreadable("events.number"))?;
            // The others are pings and events in preview, which are few.
            if command.lists(found.event.event_type) {
                items.push(found);
            }
            Ok(items.len() <= window.limit)
        })?;
        Ok(window.page(items))
    })
}

/// An event from its row: time of the commit, feed number, body, pending deliveries.
fn read(row: &Row<'_>) -> Result<StoredEvent, Failure> {
    Ok(StoredEvent {
        event: from_json(row, 2)?,
        committed_at: ServerTime(row.get(0)?),
        feed: optional_number(row, 1)?,
        pending: row.get(3)?,
    })
}

/// Finds an event.
pub(crate) fn find(
    command: &FindEvent,
    reading: &Reading<'_>,
) -> Result<Option<StoredEvent>, Failure> {
    let FindEvent { merchant, event } = command;
    reading.find(FIND_EVENT, reading.generation(*merchant)?.event_key(*event), read)
}
