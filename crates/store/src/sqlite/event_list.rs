//! The order of lists of events, which is also that of the ledger of deliveries. A list with filters
//! consists of parts, each of which is a range of an index.

use super::event_statuses::Statuses;
use super::list::{Lists, Window, lists};
use super::merge::merge;
use super::{Failure, Param, Reading, bind, column};
use crate::command::event::takes_type;
use crate::{Cursor, EventPlace, Page};
use model::Word;
use model::clock::{AccountTime, ServerTime};
use model::delivery::DeliveryStatus;
use model::event::EventType;
use model::id::{EventId, MerchantId};
use rusqlite::{Row, params};

/// The lists are exempt from the rule of the shard, because they read across the accounts of the
/// merchant.
pub(super) const LIST_EVENTS: Lists = lists!(
    "SELECT created, committed_at, shard, number FROM events WHERE merchant = :merchant",
    "created",
    "committed_at",
    "shard"
);
pub(super) const LIST_EVENTS_OF_TYPE: Lists = lists!(
    "SELECT created, committed_at, shard, number FROM events \
     WHERE merchant = :merchant AND type = :type",
    "created",
    "committed_at",
    "shard"
);
pub(super) const LIST_EVENTS_WITH_STATUSES: Lists = lists!(
    "SELECT created, committed_at, shard, number FROM events \
     WHERE merchant = :merchant AND statuses = :statuses AND type = :type",
    "created",
    "committed_at",
    "shard"
);
/// An event has one delivery to a target at most.
pub(super) const LIST_EVENTS_OF_ENDPOINT: Lists = lists!(
    "SELECT event_created, committed_at, shard, number FROM deliveries \
     WHERE merchant = :merchant AND endpoint = :endpoint AND status = :status",
    "event_created",
    "committed_at",
    "shard"
);
/// Passes the events of one set in one step, as a comparison of set and type together would not.
pub(super) const FIND_NEXT_STATUSES: &str =
    "SELECT MIN(statuses) FROM events WHERE merchant = ?1 AND statuses > ?2";
pub(super) const FIND_NEXT_TYPE_WITH_STATUSES: &str =
    "SELECT MIN(type) FROM events WHERE merchant = ?1 AND statuses = ?2 AND type > ?3";

/// A position as integers.
pub(super) type Edge = (i64, i64, i64);

/// A position with the number of its event.
type Position = (i64, i64, i64, i64);

/// An event in a list.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found {
    pub(super) id: EventId,
    pub(super) place: EventPlace,
}

/// A part of a list.
#[derive(Clone, Debug)]
pub(super) enum Part {
    /// All events.
    All,
    /// The events of a type.
    Type(&'static str),
    /// The events of a type with this set of statuses.
    Statuses(Statuses, String),
    /// The events with a delivery to a target, by the value of its column, that has this status.
    Target(i64, DeliveryStatus),
}

/// The parts of a list of some types, of all types if the list is empty.
pub(super) fn parts_by_type(types: &[String]) -> Vec<Part> {
    if types.is_empty() {
        return vec![Part::All];
    }
    words_of(types).map(Part::Type).collect()
}

/// The types that a filter matches.
pub(super) fn words_of(types: &[String]) -> impl Iterator<Item = &'static str> {
    let words = EventType::ALL.iter().map(|event_type| event_type.word());
    words.filter(|word| takes_type(types, word))
}

/// The parts of a list of the events of some types with deliveries that `fits` accepts. A merchant has
/// few combinations of a set and a type, and each takes one look-up.
pub(super) fn parts_by_statuses(
    merchant: MerchantId,
    types: &[String],
    fits: impl Fn(Statuses) -> bool,
    reading: &Reading<'_>,
) -> Result<Vec<Part>, Failure> {
    let owner = reading.generation(merchant)?.owner;
    let mut parts = Vec::new();
    let mut statuses = Statuses::default();
    let next = |row: &Row<'_>| Ok(row.get(0)?);
    while let Some(next) =
        reading.find(FIND_NEXT_STATUSES, params![owner, statuses.0], next)?.flatten()
    {
        statuses = Statuses(next);
        if !fits(statuses) {
            continue;
        }
        let of_set = list_types(|last| {
            let key = params![owner, statuses.0, last];
            let next = |row: &Row<'_>| Ok(row.get(0)?);
            Ok(reading.find(FIND_NEXT_TYPE_WITH_STATUSES, key, next)?.flatten())
        })?;
        let of_set = of_set.into_iter().filter(|word| takes_type(types, word));
        parts.extend(of_set.map(|word| Part::Statuses(statuses, word)));
    }
    Ok(parts)
}

/// The types that `next` finds, each after the one before.
pub(super) fn list_types(
    next: impl Fn(&str) -> Result<Option<String>, Failure>,
) -> Result<Vec<String>, Failure> {
    let mut types: Vec<String> = Vec::new();
    while let Some(found) = next(types.last().map_or("", String::as_str))? {
        types.push(found);
    }
    Ok(types)
}

/// Calls `take` with the events of all parts in the direction of the window, until it returns false
/// or the list ends.
pub(super) fn each(
    merchant: MerchantId,
    parts: &[Part],
    window: &Window<Edge>,
    reading: &Reading<'_>,
    mut take: impl FnMut(Found) -> Result<bool, Failure>,
) -> Result<(), Failure> {
    let read = |part: &Part, after: Option<Position>, limit: usize| {
        let edge = after.map_or(window.edge, |(created, at, shard, _)| (created, at, shard));
        part.read(merchant, &Window { edge, limit, ..*window }, reading)
    };
    merge(parts, window.order(), window.limit + 1, read, |(created, at, shard, number)| {
        let unsigned =
            |number: i64| u64::try_from(number).map_err(|_| Failure::Unreadable("events.number"));
        let shard = unsigned(shard)?;
        let place =
            EventPlace { created: AccountTime(created), committed_at: ServerTime(at), shard };
        take(Found { id: EventId { shard, number: unsigned(number)? }, place })
    })
}

impl Part {
    /// The first rows of a window.
    fn read(
        &self,
        merchant: MerchantId,
        window: &Window<Edge>,
        reading: &Reading<'_>,
    ) -> Result<Vec<Position>, Failure> {
        let owner = reading.generation(merchant)?.owner;
        let owner: Param<'_> = (":merchant", &owner);
        let rows = |lists, own: &[Param<'_>]| rows(lists, own, window, reading);
        match self {
            Self::All => rows(LIST_EVENTS, &[owner]),
            Self::Type(word) => rows(LIST_EVENTS_OF_TYPE, &[owner, (":type", word)]),
            Self::Statuses(statuses, word) => {
                let own = [owner, (":statuses", &statuses.0), (":type", word)];
                rows(LIST_EVENTS_WITH_STATUSES, &own)
            }
            Self::Target(target, status) => {
                let status = status.word();
                let own = [owner, (":endpoint", target), (":status", &status)];
                rows(LIST_EVENTS_OF_ENDPOINT, &own)
            }
        }
    }
}

fn rows(
    lists: Lists,
    own: &[Param<'_>],
    window: &Window<Edge>,
    reading: &Reading<'_>,
) -> Result<Vec<Position>, Failure> {
    let mut statement = reading.connection.prepare_cached(window.pick(lists))?;
    let row_limit = super::limit(window.limit);
    bind(&mut statement, &[own, &window.params(), &[(":row_limit", &row_limit)]])?;
    let mut positions = Vec::with_capacity(window.limit);
    let mut rows = statement.raw_query();
    while let Some(row) = rows.next()? {
        positions.push((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?));
    }
    Ok(positions)
}

/// A page of positions as integers.
pub(super) fn edges(page: Page<EventPlace>) -> Page<Edge> {
    let cursor = match page.cursor {
        Cursor::Newest => Cursor::Newest,
        Cursor::After(place) => Cursor::After(edge(place)),
        Cursor::Before(place) => Cursor::Before(edge(place)),
    };
    Page { limit: page.limit, cursor }
}

/// A position as integers.
pub(super) fn edge(place: EventPlace) -> Edge {
    (place.created.0, place.committed_at.0, column(place.shard))
}
