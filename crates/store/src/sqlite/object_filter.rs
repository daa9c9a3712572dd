//! The index of filters. Each entry is a row of `object_filters`, and the entries of an object are
//! also in its own row, as JSON.
//!
//! A change of an object compares this JSON and writes only the difference. Entries follow from the
//! objects alone, so a restore makes them from the restored rows.

use super::list::{Lists, Window, lists};
use super::merge::merge;
use super::object::{FIND_OBJECT, read};
use super::{Batch, Failure, Param, Reading, bind, column, number, word};
use crate::{CountObjects, FindOtherWithValue, Kind, Listed, Object, ObjectsOf};
use model::Word;
use model::clock::AccountTime;
use model::id::MerchantId;
use model::stored::Filter;
use rusqlite::{Connection, Row, named_params, params};

pub(super) const INSERT_ENTRY: &str = "INSERT INTO object_filters (merchant, kind, filter, value, \
     created, number) VALUES (:merchant, :kind, :filter, :value, :created, :number)";
pub(super) const DELETE_ENTRY: &str = "DELETE FROM object_filters \
     WHERE merchant = :merchant AND kind = :kind AND filter = :filter AND value = :value \
     AND created = :created AND number = :number";
pub(super) const FIND_ENTRIES: &str = "SELECT created, filters FROM objects \
     WHERE merchant = ?1 AND kind = ?2 AND number = ?3 AND version = ?4";
pub(super) const FIND_OTHER: &str = "SELECT number FROM object_filters \
     WHERE merchant = :merchant AND kind = :kind AND filter = :filter AND value = :value \
     AND number <> :except ORDER BY created DESC, number DESC LIMIT 1";
pub(super) const LIST_OBJECTS_BY_FILTER: Lists = lists!(
    "SELECT o.body, o.secret FROM object_filters AS f CROSS JOIN objects AS o \
     WHERE f.merchant = :merchant AND f.kind = :kind AND f.filter = :filter AND f.value = :value \
     AND o.merchant = :merchant AND o.kind = :kind AND o.number = f.number",
    "f.created",
    "f.number"
);
/// Lists positions, which the caller merges with those of other values.
pub(super) const LIST_PLACES_BY_FILTER: Lists = lists!(
    "SELECT created, number FROM object_filters \
     WHERE merchant = :merchant AND kind = :kind AND filter = :filter AND value = :value",
    "created",
    "number"
);
pub(super) const COUNT_BY_FILTER: &str = "SELECT COUNT(*) FROM (SELECT 1 FROM object_filters \
     WHERE merchant = :merchant AND kind = :kind AND filter = :filter AND value = :value \
     LIMIT :row_limit) AS c";
pub(super) const COUNT_BY_LOOKUP: &str = "SELECT COUNT(*) FROM (SELECT 1 FROM objects \
     WHERE merchant = ?1 AND kind = ?2 AND lookup = ?3 AND deleted = 0 LIMIT ?4) AS c";
pub(super) const COUNT_OF_CUSTOMER: &str = "SELECT COUNT(*) FROM (SELECT 1 FROM objects \
     WHERE merchant = ?1 AND kind = ?2 AND customer = ?3 AND deleted = 0 LIMIT ?4) AS c";
pub(super) const COUNT_ALL: &str = "SELECT COUNT(*) FROM (SELECT 1 FROM objects \
     WHERE merchant = ?1 AND kind = ?2 AND deleted = 0 LIMIT ?3) AS c";
pub(super) const INSERT_STORED_ENTRIES: &str = "INSERT INTO object_filters (merchant, kind, filter, \
     value, created, number) \
     SELECT o.merchant, o.kind, f.value ->> 0, f.value ->> 1, o.created, o.number \
     FROM objects AS o CROSS JOIN json_each(o.filters) AS f \
     WHERE o.merchant = ?1 AND o.kind = ?2 AND o.number = ?3";
/// The following four are exempt from the rule of the merchant, because a migration changes the
/// rows of all merchants.
pub(super) const LIST_BODIES: &str = "SELECT merchant, kind, number, body FROM objects \
     WHERE (merchant, kind, number) > (?1, ?2, ?3) ORDER BY merchant, kind, number LIMIT ?4";
pub(super) const SET_FILTERS: &str =
    "UPDATE objects SET filters = ?4 WHERE merchant = ?1 AND kind = ?2 AND number = ?3";
pub(super) const LIST_SNAPSHOT_BODIES: &str = "SELECT merchant, kind, number, body, snapshot \
     FROM snapshot_objects \
     WHERE (merchant, snapshot, kind, number) > (:merchant, :snapshot, :kind, :number) \
     ORDER BY merchant, snapshot, kind, number LIMIT :row_limit";
pub(super) const SET_SNAPSHOT_FILTERS: &str = "UPDATE snapshot_objects SET filters = :filters \
     WHERE merchant = :merchant AND snapshot = :snapshot AND kind = :kind AND number = :number";

/// The number of rows that a migration reads at once.
pub(super) const FILL_ROWS: usize = 1_000;

/// The entries of an object: filters as words and values, sorted.
#[derive(Debug)]
pub(super) struct Entries {
    pairs: Vec<(&'static str, String)>,
    /// The pairs as JSON, `[["active","true"]]`. `None` if there are none.
    pub(super) text: Option<String>,
}

impl Entries {
    /// The entries of an object.
    pub(super) fn of(object: &Object) -> Result<Self, Failure> {
        let values = object.filters().into_iter();
        let pairs: Vec<_> = values.map(|(filter, value)| (filter.word(), value)).collect();
        let text = if pairs.is_empty() { None } else { Some(serde_json::to_string(&pairs)?) };
        Ok(Self { pairs, text })
    }
}

/// The entries of a stored object, as they are in its row.
#[derive(Clone, Copy, Debug)]
pub(super) struct StoredEntries<'a> {
    /// The time of the object's creation.
    pub(super) created: AccountTime,
    /// The pairs as JSON.
    pub(super) text: Option<&'a str>,
}

/// The time of creation and the entries of a stored object with this version, or `None` if it has
/// another version or does not exist.
pub(super) fn find_entries(
    object: &Object,
    version: u64,
    batch: &Batch<'_>,
) -> Result<Option<(AccountTime, Option<String>)>, Failure> {
    let owner = batch.generation(object.merchant())?.owner;
    let key = params![owner, object.kind().word(), column(object.number()), column(version)];
    batch.reading().find(FIND_ENTRIES, key, |row| Ok((AccountTime(row.get(0)?), row.get(1)?)))
}

/// Writes the difference between the entries of an object before and after a change.
pub(super) fn write_difference(
    object: &Object,
    before: StoredEntries<'_>,
    after: &Entries,
    batch: &Batch<'_>,
) -> Result<(), Failure> {
    let row = (batch.generation(object.merchant())?.owner, object);
    let connection = batch.connection;
    let old: Vec<(String, String)> =
        before.text.map_or_else(|| Ok(Vec::new()), serde_json::from_str)?;
    let moved = before.created != object.created();
    let is_new = |filter: &str, value: &str| {
        moved || !old.iter().any(|(word, old)| word == filter && old == value)
    };
    for (filter, value) in &old {
        let goes_on = after.pairs.iter().any(|(word, new)| word == filter && new == value);
        if moved || !goes_on {
            write_entry(DELETE_ENTRY, row, (filter, value), before.created, connection)?;
        }
    }
    for (filter, value) in &after.pairs {
        if is_new(filter, value) {
            write_entry(INSERT_ENTRY, row, (filter, value), object.created(), connection)?;
        }
    }
    Ok(())
}

/// Writes all entries of a new object.
pub(super) fn insert_entries(
    object: &Object,
    entries: &Entries,
    batch: &Batch<'_>,
) -> Result<(), Failure> {
    let owner = batch.generation(object.merchant())?.owner;
    write_entries((owner, object), entries, batch.connection)
}

pub(super) fn write_entries(
    row: (i64, &Object),
    entries: &Entries,
    connection: &Connection,
) -> Result<(), Failure> {
    for (filter, value) in &entries.pairs {
        write_entry(INSERT_ENTRY, row, (filter, value), row.1.created(), connection)?;
    }
    Ok(())
}

fn write_entry(
    sql: &str,
    (owner, object): (i64, &Object),
    (filter, value): (&str, &str),
    created: AccountTime,
    connection: &Connection,
) -> Result<(), Failure> {
    let (kind, number) = (object.kind().word(), column(object.number()));
    let entry: [Param<'_>; 6] = [
        (":merchant", &owner),
        (":kind", &kind),
        (":filter", &filter),
        (":value", &value),
        (":created", &created.0),
        (":number", &number),
    ];
    let mut statement = connection.prepare_cached(sql)?;
    bind(&mut statement, &[&entry])?;
    statement.raw_execute()?;
    Ok(())
}

/// Makes the entries of a restored object from its row: owner, kind, number.
pub(super) fn insert_stored(
    (owner, kind, number): (i64, &str, i64),
    batch: &Batch<'_>,
) -> Result<(), Failure> {
    batch.execute(INSERT_STORED_ENTRIES, params![owner, kind, number])?;
    Ok(())
}

/// A page of the objects with one of these values of a filter.
pub(super) fn list(
    (merchant, kind): (MerchantId, Kind),
    filter: Filter,
    values: &[String],
    window: &Window,
    reading: &Reading<'_>,
) -> Result<Listed<Object>, Failure> {
    let owner = reading.generation(merchant)?.owner;
    let (kind_word, filter_word) = (kind.word(), filter.word());
    let [owner_of, kind_of, filter_of]: [Param<'_>; 3] =
        [(":merchant", &owner), (":kind", &kind_word), (":filter", &filter_word)];
    if let [value] = values {
        let of = [owner_of, kind_of, filter_of, (":value", value)];
        let read = |row: &Row<'_>| read(merchant, kind, row, reading.seal);
        return reading.page(LIST_OBJECTS_BY_FILTER, window, &of, read);
    }
    let slice = |value: &String, after: Option<(i64, i64)>, limit: usize| {
        let of = [owner_of, kind_of, filter_of, (":value", value)];
        let slice = Window { edge: after.unwrap_or(window.edge), limit, ..*window };
        list_places(&of, &slice, reading)
    };
    reading.in_transaction(|| {
        let mut items = Vec::with_capacity(window.limit + 1);
        let mut last = None;
        merge(values, window.order(), window.limit + 1, slice, |place| {
            // An object with several of the values is in several parts.
            if last != Some(place) {
                last = Some(place);
                let key = params![owner, kind_word, place.1];
                let found =
                    reading.find(FIND_OBJECT, key, |row| read(merchant, kind, row, reading.seal));
                items.extend(found?);
            }
            Ok(items.len() <= window.limit)
        })?;
        Ok(window.page(items))
    })
}

/// The first positions of a window among the objects with a value.
fn list_places(
    of: &[Param<'_>],
    window: &Window,
    reading: &Reading<'_>,
) -> Result<Vec<(i64, i64)>, Failure> {
    let mut statement = reading.connection.prepare_cached(window.pick(LIST_PLACES_BY_FILTER))?;
    let row_limit = super::limit(window.limit);
    bind(&mut statement, &[of, &window.params(), &[(":row_limit", &row_limit)]])?;
    let mut places = Vec::with_capacity(window.limit);
    let mut rows = statement.raw_query();
    while let Some(row) = rows.next()? {
        places.push((row.get(0)?, row.get(1)?));
    }
    Ok(places)
}

/// Finds another object with a value.
pub(crate) fn find_other(
    command: &FindOtherWithValue,
    reading: &Reading<'_>,
) -> Result<Option<u64>, Failure> {
    let FindOtherWithValue { merchant, kind, filter, value, except } = command;
    let key = named_params! {
        ":merchant": reading.generation(*merchant)?.owner,
        ":kind": kind.word(),
        ":filter": filter.word(),
        ":value": value,
        ":except": column(*except),
    };
    reading.find(FIND_OTHER, key, |row| number(row, 0))
}

/// Counts the objects of a list.
pub(crate) fn count(command: &CountObjects, reading: &Reading<'_>) -> Result<u32, Failure> {
    let CountObjects { merchant, kind, of, limit } = command;
    let (owner, kind) = (reading.generation(*merchant)?.owner, kind.word());
    match of {
        ObjectsOf::All => count_rows(COUNT_ALL, params![owner, kind, limit], reading),
        ObjectsOf::Lookup(lookup) => {
            count_rows(COUNT_BY_LOOKUP, params![owner, kind, lookup, limit], reading)
        }
        ObjectsOf::Customer(customer) => {
            let values = params![owner, kind, column(customer.number()), limit];
            count_rows(COUNT_OF_CUSTOMER, values, reading)
        }
        ObjectsOf::Filter(filter, values) => {
            let mut count = 0;
            for value in values {
                let left = limit - count;
                let values = named_params! {
                    ":merchant": owner,
                    ":kind": kind,
                    ":filter": filter.word(),
                    ":value": value,
                    ":row_limit": left,
                };
                count += count_rows(COUNT_BY_FILTER, values, reading)?;
            }
            Ok(count)
        }
        ObjectsOf::Numbers(numbers) => {
            Ok(u32::try_from(numbers.len()).map_or(*limit, |count| count.min(*limit)))
        }
    }
}

fn count_rows(
    sql: &'static str,
    params: impl rusqlite::Params,
    reading: &Reading<'_>,
) -> Result<u32, Failure> {
    let count = reading.find(sql, params, |row| Ok(row.get(0)?))?;
    let Some(count) = count else { unreachable!("a count without groups returns one row") };
    Ok(count)
}

/// Writes the entries of all rows, which a migration has added or changed. Calls the function after
/// each page of rows.
pub(super) fn fill(connection: &Connection, page_ended: &mut dyn FnMut()) -> Result<(), Failure> {
    fill_kinds(Kind::ALL, connection, page_ended)
}

/// Like [`fill`], for Setup Intents alone.
pub(super) fn fill_setup_intents(
    connection: &Connection,
    page_ended: &mut dyn FnMut(),
) -> Result<(), Failure> {
    fill_kinds(&[Kind::SetupIntent], connection, page_ended)
}

/// Like [`fill`], for sessions alone.
pub(super) fn fill_sessions(
    connection: &Connection,
    page_ended: &mut dyn FnMut(),
) -> Result<(), Failure> {
    fill_kinds(&[Kind::Session], connection, page_ended)
}

fn fill_kinds(
    kinds: &[Kind],
    connection: &Connection,
    page_ended: &mut dyn FnMut(),
) -> Result<(), Failure> {
    let mut last = (i64::MIN, String::new(), 0);
    loop {
        let after = params![last.0, last.1, last.2, super::limit(FILL_ROWS)];
        let rows = list_bodies(LIST_BODIES, after, connection)?;
        let Some(end) = rows.last() else { break };
        last = (end.merchant, end.kind.word().to_owned(), end.number);
        for row in rows.iter().filter(|row| kinds.contains(&row.kind)) {
            let Some((object, entries)) = row.entries()? else { continue };
            let key = params![row.merchant, row.kind.word(), row.number, entries.text];
            connection.prepare_cached(SET_FILTERS)?.execute(key)?;
            write_entries((row.merchant, &object), &entries, connection)?;
        }
        page_ended();
    }
    fill_snapshots(kinds, connection, page_ended)
}

fn fill_snapshots(
    kinds: &[Kind],
    connection: &Connection,
    page_ended: &mut dyn FnMut(),
) -> Result<(), Failure> {
    let mut last = (i64::MIN, 0, String::new(), 0);
    loop {
        let after = named_params! {
            ":merchant": last.0,
            ":snapshot": last.1,
            ":kind": last.2,
            ":number": last.3,
            ":row_limit": super::limit(FILL_ROWS),
        };
        let rows = list_bodies(LIST_SNAPSHOT_BODIES, after, connection)?;
        let Some(end) = rows.last() else { return Ok(()) };
        last = (end.merchant, end.snapshot, end.kind.word().to_owned(), end.number);
        for row in rows.iter().filter(|row| kinds.contains(&row.kind)) {
            let Some((_, entries)) = row.entries()? else { continue };
            connection.prepare_cached(SET_SNAPSHOT_FILTERS)?.execute(named_params! {
                ":filters": entries.text,
                ":merchant": row.merchant,
                ":snapshot": row.snapshot,
                ":kind": row.kind.word(),
                ":number": row.number,
            })?;
        }
        page_ended();
    }
}

/// A row whose entries a migration writes.
pub(super) struct Body {
    pub(super) merchant: i64,
    /// Zero for a row that is in no snapshot.
    pub(super) snapshot: i64,
    pub(super) kind: Kind,
    pub(super) number: i64,
    /// Empty for a kind without filters.
    pub(super) text: String,
}

impl Body {
    /// The object with its entries, or `None` if it has none.
    fn entries(&self) -> Result<Option<(Object, Entries)>, Failure> {
        if self.kind.filters().is_empty() {
            return Ok(None);
        }
        let object = Object::from_body(self.kind, &self.text)?;
        let entries = Entries::of(&object)?;
        Ok(entries.text.is_some().then_some((object, entries)))
    }
}

/// A page of the rows of all kinds.
pub(super) fn list_bodies(
    sql: &str,
    params: impl rusqlite::Params,
    connection: &Connection,
) -> Result<Vec<Body>, Failure> {
    let mut statement = connection.prepare_cached(sql)?;
    let in_snapshot = statement.column_count() == 5;
    let mut rows = statement.query(params)?;
    let mut bodies = Vec::new();
    while let Some(row) = rows.next()? {
        let kind: Kind = word(row, 1, "objects.kind")?;
        bodies.push(Body {
            merchant: row.get(0)?,
            snapshot: if in_snapshot { row.get(4)? } else { 0 },
            kind,
            number: row.get(2)?,
            text: if kind.filters().is_empty() { String::new() } else { row.get(3)? },
        });
    }
    Ok(bodies)
}
