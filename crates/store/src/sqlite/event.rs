//! Events.

use super::list::{Lists, Window};
use super::{Batch, Failure, Reading, bind, column, from_json, optional_number};
use crate::command::event::takes_type;
use crate::{Cursor, EventPlace, FindEvent, ListEvents, Listed, Page, StoredEvent};
use model::Word;
use model::event::Event;
use rusqlite::{Row, named_params, params};

pub(super) const INSERT_EVENT: &str = "INSERT INTO events (position, shard, number, merchant, \
     account, created, type, position_listed, body) \
     VALUES (:position, :shard, :number, :merchant, :account, :created, :type, :position, :body) \
     ON CONFLICT (shard, number) DO NOTHING";
pub(super) const FIND_EVENT: &str = "SELECT position, feed, body, \
     (SELECT COUNT(*) FROM deliveries AS d WHERE d.shard = e.shard AND d.number = e.number \
     AND d.merchant = e.merchant AND d.status = 'pending') \
     FROM events AS e WHERE e.shard = ?1 AND e.number = ?2 AND e.merchant = ?3";
/// Finds an event by its position, for the list, which is exempt from the rule of the shard.
pub(super) const GET_LISTED_EVENT: &str = "SELECT position, feed, body, \
     (SELECT COUNT(*) FROM deliveries AS d WHERE d.shard = e.shard AND d.number = e.number \
     AND d.merchant = e.merchant AND d.status = 'pending'), \
     (SELECT COUNT(*) FROM deliveries AS d WHERE d.shard = e.shard AND d.number = e.number \
     AND d.merchant = e.merchant AND d.status <> 'succeeded'), \
     (SELECT COUNT(*) FROM deliveries AS d WHERE d.shard = e.shard AND d.number = e.number \
     AND d.merchant = e.merchant) \
     FROM events AS e WHERE e.position = ?1 AND e.merchant = ?2";
/// Has no limit, because types are filtered while the index is read. Exempt from the rule of the
/// shard, like every list of a merchant's events.
pub(super) const LIST_EVENTS: Lists = Lists {
    older: "SELECT position, type FROM events WHERE merchant = :merchant \
        AND (created, position_listed) < (:edge_first, :edge_second) AND created >= :end \
        ORDER BY created DESC, position_listed DESC",
    newer: "SELECT position, type FROM events WHERE merchant = :merchant \
        AND (created, position_listed) > (:edge_first, :edge_second) AND created <= :end \
        ORDER BY created, position_listed",
};

/// Writes events, each with the next position in the order of commits. An event that exists already
/// is ignored: it is the same change, reported again. For example, every account of an
/// authorization reports the authorization's dates.
pub(super) fn insert_many(events: &[Event], batch: &Batch<'_>) -> Result<(), Failure> {
    for event in events {
        batch.execute(
            INSERT_EVENT,
            named_params! {
                ":position": batch.next_position()?,
                ":shard": column(event.id.shard),
                ":number": column(event.id.number),
                ":merchant": column(event.merchant.number()),
                ":account": event.account.map(|account| column(account.number())),
                ":created": event.created.0,
                ":type": event.event_type.word(),
                ":body": serde_json::to_string(event)?,
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
    let window = Window::of(pair_page(*page), *created);
    let owner = column(merchant.number());
    // While this statement is open, the statements within it read the same state.
    let mut statement = reading.connection.prepare_cached(window.pick(LIST_EVENTS))?;
    bind(&mut statement, &[&[(":merchant", &owner)], &window.params()])?;
    let mut rows = statement.raw_query();
    let mut items = Vec::new();
    while items.len() <= window.limit
        && let Some(row) = rows.next()?
    {
        let event_type = row.get_ref(1)?.as_str().map_err(rusqlite::Error::from)?;
        if !takes_type(types, event_type) {
            continue;
        }
        let key = params![row.get::<_, i64>(0)?, owner];
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
        items.extend(found.ok_or(Failure::Unreadable("events.position_listed"))?);
    }
    Ok(window.page(items))
}

fn pair_page(page: Page<EventPlace>) -> Page<(i64, i64)> {
    let pair = |position: EventPlace| (position.created.0, position.position);
    let cursor = match page.cursor {
        Cursor::Newest => Cursor::Newest,
        Cursor::After(position) => Cursor::After(pair(position)),
        Cursor::Before(position) => Cursor::Before(pair(position)),
    };
    Page { limit: page.limit, cursor }
}

/// An event from its row: position, feed number, body, pending deliveries.
fn read(row: &Row<'_>) -> Result<StoredEvent, Failure> {
    Ok(StoredEvent {
        event: from_json(row, 2)?,
        position: row.get(0)?,
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
    let key = params![column(event.shard), column(event.number), column(merchant.number())];
    reading.find(FIND_EVENT, key, read)
}
