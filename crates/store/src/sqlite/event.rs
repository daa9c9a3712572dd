//! Events.

use super::list::{Lists, Window};
use super::prepared::Part;
use super::{Batch, Failure, Reading, bind, bucket, column, from_json, number, optional_number};
use crate::command::event::takes_type;
use crate::{Cursor, EventPlace, FindEvent, ListEvents, Listed, Page, StoredEvent};
use model::Word;
use model::clock::ServerTime;
use model::event::Event;
use rusqlite::{Row, named_params, params};

pub(super) const INSERT_EVENT: &str = "INSERT INTO events (bucket, shard, number, merchant, \
     account, created, type, committed_at, body) \
     VALUES (:bucket, :shard, :number, :merchant, :account, :created, :type, :committed_at, :body) \
     ON CONFLICT (bucket, shard, number) DO NOTHING";
pub(super) const FIND_EVENT: &str = "SELECT committed_at, feed, body, \
     (SELECT COUNT(*) FROM deliveries AS d WHERE d.bucket = ?1 AND d.shard = ?2 \
     AND d.number = ?3 AND d.merchant = ?4 AND d.status = 'pending') \
     FROM events AS e \
     WHERE e.bucket = ?1 AND e.shard = ?2 AND e.number = ?3 AND e.merchant = ?4";
/// The same, with the numbers of deliveries without success and of all.
pub(super) const GET_LISTED_EVENT: &str = "SELECT committed_at, feed, body, \
     (SELECT COUNT(*) FROM deliveries AS d WHERE d.bucket = ?1 AND d.shard = ?2 \
     AND d.number = ?3 AND d.merchant = ?4 AND d.status = 'pending'), \
     (SELECT COUNT(*) FROM deliveries AS d WHERE d.bucket = ?1 AND d.shard = ?2 \
     AND d.number = ?3 AND d.merchant = ?4 AND d.status <> 'succeeded'), \
     (SELECT COUNT(*) FROM deliveries AS d WHERE d.bucket = ?1 AND d.shard = ?2 \
     AND d.number = ?3 AND d.merchant = ?4) \
     FROM events AS e \
     WHERE e.bucket = ?1 AND e.shard = ?2 AND e.number = ?3 AND e.merchant = ?4";
/// Has no limit, because types are filtered while the index is read. Exempt from the rule of the
/// shard, like every list of a merchant's events.
pub(super) const LIST_EVENTS: Lists = Lists {
    older: "SELECT shard, number, type, created, committed_at FROM events WHERE merchant = :merchant \
        AND (created, committed_at, shard) < (:edge_first, :edge_second, :edge_third) \
        AND created >= :end ORDER BY created DESC, committed_at DESC, shard DESC",
    newer: "SELECT shard, number, type, created, committed_at FROM events WHERE merchant = :merchant \
        AND (created, committed_at, shard) > (:edge_first, :edge_second, :edge_third) \
        AND created <= :end ORDER BY created, committed_at, shard",
};

/// Writes events. An event that exists already is ignored: it is the same change, reported again. For
/// example, every account of an authorization reports the authorization's dates.
pub(super) fn insert_many(events: &[Event], batch: &Batch<'_>) -> Result<(), Failure> {
    for event in events {
        batch.execute(
            INSERT_EVENT,
            named_params! {
                ":bucket": event.id.bucket(),
                ":shard": column(event.id.shard),
                ":number": column(event.id.number),
                ":merchant": column(event.merchant.number()),
                ":account": event.account.map(|account| column(account.number())),
                ":created": event.created.0,
                ":type": event.event_type.word(),
                ":committed_at": batch.next_commit().0,
                ":body": batch.prepared.json(Part::Event(event.id), event)?,
            },
        )?;
    }
    Ok(())
}

/// Lists a merchant's events.
pub(crate) fn list(
    command: &ListEvents,
    reading: &Reading<'_>,
) -> Result<Listed<StoredEvent>, Failure> {
    let ListEvents { merchant, types, created, delivery_success, page } = command;
    let window = Window::of(edges(*page), *created);
    let owner = column(merchant.number());
    // While this statement is open, the statements within it read the same state.
    let mut statement = reading.connection.prepare_cached(window.pick(LIST_EVENTS))?;
    bind(&mut statement, &[&[(":merchant", &owner)], &window.params()])?;
    let mut rows = statement.raw_query();
    let mut items = Vec::new();
    while items.len() <= window.limit
        && let Some(row) = rows.next()?
    {
        let event_type = row.get_ref(2)?.as_str().map_err(rusqlite::Error::from)?;
        if !takes_type(types, event_type) {
            continue;
        }
        let shard = number(row, 0)?;
        let key = params![bucket(shard), column(shard), row.get::<_, i64>(1)?, owner];
        let found = reading.find(GET_LISTED_EVENT, key, |row| {
            let unsuccessful: u32 = row.get(4)?;
            let deliveries: u32 = row.get(5)?;
            let shown = match delivery_success {
                None => true,
                Some(true) => deliveries > 0 && unsuccessful == 0,
                Some(false) => unsuccessful > 0,
            };
            if shown { read(row).map(Some) } else { Ok(None) }
        })?;
        // The index led to this row, so a missing row means that the database is corrupt.
        items.extend(found.ok_or(Failure::Unreadable("events.number"))?);
    }
    Ok(window.page(items))
}

/// A page of positions as integers.
fn edges(page: Page<EventPlace>) -> Page<(i64, i64, i64)> {
    let cursor = match page.cursor {
        Cursor::Newest => Cursor::Newest,
        Cursor::After(place) => Cursor::After(edge(place)),
        Cursor::Before(place) => Cursor::Before(edge(place)),
    };
    Page { limit: page.limit, cursor }
}

/// A position as integers.
pub(super) fn edge(place: EventPlace) -> (i64, i64, i64) {
    (place.created.0, place.committed_at.0, column(place.shard))
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
    let (shard, number, owner) =
        (column(event.shard), column(event.number), column(merchant.number()));
    let key = params![event.bucket(), shard, number, owner];
    reading.find(FIND_EVENT, key, read)
}
