//! Objects that are read and replaced as a whole.

use super::generation::Idle;
use super::list::{Lists, Window, lists};
use super::object_filter::{Entries, StoredEntries};
use super::prepared::Part;
use super::{
    Batch, Failure, Param, Reading, column, event, idempotency, object_filter, place, precondition,
    word,
};
use crate::seal::{CellPosition, Sealer};
use crate::{
    Bounds, ChangeObject, ChangeObjects, Changed, CreateObject, Created, Cursor, FindObject,
    FindObjectByLookup, Kind, ListDueObjects, ListObjects, Listed, Object, ObjectPlace, ObjectsOf,
    Page, Written,
};
use model::Word;
use model::id::{CustomerId, MerchantId};
use rusqlite::{Row, ToSql, named_params, params};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// The count is at most the maximum of the kind, because each creation of such an object checks it.
pub(super) const COUNT_KIND: &str =
    "SELECT COUNT(*) FROM objects WHERE merchant = ?1 AND kind = ?2 AND deleted = 0";
pub(super) const INSERT_OBJECT: &str = "INSERT INTO objects (merchant, kind, number, version, \
     created, deleted, customer, clock, lookup, due_at, forget_at, secret, filters, body) \
     VALUES (:merchant, :kind, :number, :version, :created, :deleted, :customer, :clock, :lookup, \
     :due_at, :forget_at, :secret, :filters, :body) ON CONFLICT DO NOTHING";
/// Replaces an object that has these filter entries.
pub(super) const UPDATE_OBJECT: &str = "UPDATE objects SET version = :version, created = :created, \
     deleted = :deleted, customer = :customer, clock = :clock, lookup = :lookup, \
     due_at = :due_at, forget_at = :forget_at, secret = :secret, filters = :filters, body = :body \
     WHERE merchant = :merchant AND kind = :kind AND number = :number AND version = :version - 1 \
     AND created = :created_before AND filters IS NOT DISTINCT FROM :filters_before";
pub(super) const FIND_OBJECT: &str =
    "SELECT body, secret FROM objects WHERE merchant = ?1 AND kind = ?2 AND number = ?3";
pub(super) const FIND_OBJECT_BY_LOOKUP: &str = "SELECT body, secret FROM objects \
     WHERE merchant = ?1 AND kind = ?2 AND lookup = ?3 AND deleted = 0 \
     ORDER BY created DESC, number DESC LIMIT 1";
pub(super) const LIST_OBJECTS: Lists = lists!(
    "SELECT body, secret FROM objects WHERE merchant = :merchant AND kind = :kind AND deleted = 0",
    "created",
    "number"
);
pub(super) const LIST_OBJECTS_BY_LOOKUP: Lists = lists!(
    "SELECT body, secret FROM objects WHERE merchant = :merchant AND kind = :kind \
     AND lookup = :lookup AND deleted = 0",
    "created",
    "number"
);
pub(super) const LIST_OBJECTS_OF_CUSTOMER: Lists = lists!(
    "SELECT body, secret FROM objects WHERE merchant = :merchant AND kind = :kind \
     AND customer = :customer AND deleted = 0",
    "created",
    "number"
);
/// Exempt, because the scheduler works for all merchants.
pub(super) const LIST_DUE_OBJECTS: &str = "SELECT merchant, kind, number FROM \
     (SELECT merchant, kind, number, due_at, \
     ROW_NUMBER() OVER (PARTITION BY merchant ORDER BY due_at, number, kind) AS turn FROM objects \
     WHERE clock IS NULL AND due_at IS NOT NULL AND due_at <= ?1) AS d \
     ORDER BY turn, due_at, number, merchant, kind LIMIT ?2";

/// Creates an object.
pub(crate) fn create(command: &CreateObject, batch: &Batch<'_>) -> Result<Created, Failure> {
    if !idempotency::record_optional(command.reply.as_ref(), batch)? {
        return Ok(Created::KeyTaken);
    }
    let object = &command.object;
    if !precondition::all_hold(&command.requires, batch)? {
        return Ok(Created::VersionConflict);
    }
    if !place::take(object.merchant(), batch)? {
        return Ok(Created::MerchantsFull);
    }
    if let Some(kind_max) = command.kind_max {
        let there = count_kind(object.merchant(), object.kind(), batch)?;
        if there >= kind_max as u64 {
            return Ok(Created::KindFull);
        }
    }
    if !insert(object, batch)? {
        return Err(Failure::Exists);
    }
    event::insert_many(&command.events, batch)?;
    Ok(Created::Done)
}

/// Replaces an object.
pub(crate) fn change(command: &ChangeObject, batch: &Batch<'_>) -> Result<Written, Failure> {
    if !idempotency::record_optional(command.reply.as_ref(), batch)? {
        return Ok(Written::KeyTaken);
    }
    if !precondition::all_hold(&command.requires, batch)? || !replace(&command.object, batch)? {
        return Ok(Written::VersionConflict);
    }
    event::insert_many(&command.events, batch)?;
    Ok(Written::Done)
}

/// Creates and replaces objects.
pub(crate) fn change_many(command: &ChangeObjects, batch: &Batch<'_>) -> Result<Changed, Failure> {
    if !idempotency::record_optional(command.reply.as_ref(), batch)? {
        return Ok(Changed::KeyTaken);
    }
    let mut admitted = None;
    for merchant in command.objects.iter().map(Object::merchant) {
        if admitted.replace(merchant) != Some(merchant) && !place::take(merchant, batch)? {
            return Ok(Changed::MerchantsFull);
        }
    }
    for object in &command.objects {
        if let Object::PlatformTie(tie) = object
            && tie.version == 1
        {
            place::keep(object.merchant(), batch)?;
        }
    }
    let holds = precondition::all_hold(&command.requires, batch)?;
    if !holds || !put_many(&command.objects, batch)? {
        return Ok(Changed::VersionConflict);
    }
    event::insert_many(&command.events, batch)?;
    Ok(Changed::Done)
}

/// Creates the objects at version 1 and replaces the others. Returns true if all match.
pub(super) fn put_many(objects: &[Object], batch: &Batch<'_>) -> Result<bool, Failure> {
    for object in objects {
        let fits =
            if object.version() == 1 { insert(object, batch)? } else { replace(object, batch)? };
        if !fits {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Inserts an object with its filter entries. Returns true if it did not exist.
fn insert(object: &Object, batch: &Batch<'_>) -> Result<bool, Failure> {
    let columns = Columns::of(object, batch)?;
    let inserted = columns.write(INSERT_OBJECT, None, batch)? == 1;
    if inserted {
        object_filter::insert_entries(object, &columns.entries, batch)?;
    }
    Ok(inserted)
}

/// Replaces an object. Returns true if its version is one above the stored one. Most changes leave
/// the filter entries as they are, and then one statement is enough.
pub(super) fn replace(object: &Object, batch: &Batch<'_>) -> Result<bool, Failure> {
    let columns = Columns::of(object, batch)?;
    let (created, text) = (object.created(), columns.entries.text.as_deref());
    if columns.write(UPDATE_OBJECT, Some(StoredEntries { created, text }), batch)? == 1 {
        return Ok(true);
    }
    let Some(version) = object.version().checked_sub(1) else { return Ok(false) };
    let Some((created, text)) = object_filter::find_entries(object, version, batch)? else {
        return Ok(false);
    };
    let before = StoredEntries { created, text: text.as_deref() };
    object_filter::write_difference(object, before, &columns.entries, batch)?;
    Ok(columns.write(UPDATE_OBJECT, Some(before), batch)? == 1)
}

/// The objects of a kind that are not deleted.
pub(super) fn count_kind(
    merchant: MerchantId,
    kind: Kind,
    batch: &Batch<'_>,
) -> Result<u64, Failure> {
    count(batch, COUNT_KIND, params![batch.generation(merchant)?.owner, kind.word()])
}

fn count(
    batch: &Batch<'_>,
    sql: &'static str,
    params: impl rusqlite::Params,
) -> Result<u64, Failure> {
    let count = batch.reading().find(sql, params, |row| super::number(row, 0))?;
    let Some(count) = count else { unreachable!("a count always has one row") };
    Ok(count)
}

/// The columns of an object, with those that take time to make.
struct Columns<'a> {
    object: &'a Object,
    entries: Entries,
    secret: Option<Cow<'a, [u8]>>,
    body: Cow<'a, str>,
}

impl<'a> Columns<'a> {
    fn of(object: &'a Object, batch: &'a Batch<'_>) -> Result<Self, Failure> {
        let part = Part::of_object(object);
        let Batch { prepared, seal, .. } = batch;
        Ok(Self {
            object,
            entries: Entries::of(object)?,
            secret: prepared.sealed_optional(part, || seal_secret(object, seal))?,
            body: prepared.text(part, || Ok(object.body()?))?,
        })
    }

    /// Runs a statement that takes all columns. An update also takes the entries that it expects.
    fn write(
        &self,
        sql: &'static str,
        before: Option<StoredEntries<'_>>,
        batch: &Batch<'_>,
    ) -> Result<usize, Failure> {
        let object = self.object;
        let owner = batch.generation(object.merchant())?.owner;
        let number = column(object.number());
        let customer = object.customer().map(CustomerId::number).map(column);
        let clock = object.clock().map(|clock| column(clock.number()));
        let (kind, version) = (object.kind().word(), column(object.version()));
        let (deleted, lookup) = (object.deleted(), object.lookup());
        let (due_at, forget_at) = (object.due_at(), object.forget_at());
        let (due_at, forget_at) = (due_at.map(|at| at.0), forget_at.map(|at| at.0));
        let columns: &[Param<'_>] = named_params! {
            ":merchant": owner,
            ":kind": kind,
            ":number": number,
            ":version": version,
            ":created": object.created().0,
            ":deleted": deleted,
            ":customer": customer,
            ":clock": clock,
            ":lookup": lookup,
            ":due_at": due_at,
            ":forget_at": forget_at,
            ":secret": self.secret.as_deref(),
            ":filters": self.entries.text,
            ":body": self.body,
        };
        let Some(before) = before else { return batch.execute(sql, columns) };
        let expected: &[Param<'_>] = named_params! {
            ":created_before": before.created.0,
            ":filters_before": before.text,
        };
        batch.execute(sql, [columns, expected].concat().as_slice())
    }
}

/// The sealed secret of an object, which is not part of its body.
pub(super) fn seal_secret(object: &Object, seal: &Sealer) -> Result<Option<Vec<u8>>, Failure> {
    let Some(secret) = object.secret() else { return Ok(None) };
    let row = row_key(object.merchant(), object.kind(), object.number());
    seal.seal(secret_position(&[&row]), &secret).map(Some)
}

fn secret_position<'a>(row: &'a [&'a [u8]]) -> CellPosition<'a> {
    CellPosition { column: "objects.secret", row }
}

fn row_key(merchant: MerchantId, kind: Kind, number: u64) -> Vec<u8> {
    let numbers = [merchant.number().to_be_bytes(), number.to_be_bytes()].concat();
    [numbers.as_slice(), kind.word().as_bytes()].concat()
}

/// An object from its row: body, secret.
pub(super) fn read(
    merchant: MerchantId,
    kind: Kind,
    row: &Row<'_>,
    seal: &Sealer,
) -> Result<Object, Failure> {
    let body = row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?;
    let mut object = Object::from_body(kind, body)?;
    let stored = row.get_ref(1)?.as_blob_or_null().map_err(rusqlite::Error::from)?;
    let whole = match stored {
        Some(stored) => {
            let row = row_key(merchant, kind, object.number());
            object.restore_secret(seal.open(secret_position(&[&row]), stored)?)
        }
        None => object.secret().is_none(),
    };
    if whole { Ok(object) } else { Err(Failure::Unreadable("objects.secret")) }
}

/// An object from its row: body, secret, kind.
pub(super) fn read_of_any_kind(
    merchant: MerchantId,
    row: &Row<'_>,
    seal: &Sealer,
) -> Result<Object, Failure> {
    read(merchant, word(row, 2, "objects.kind")?, row, seal)
}

/// Finds an object by its number.
pub(crate) fn find(command: &FindObject, reading: &Reading<'_>) -> Result<Option<Object>, Failure> {
    let &FindObject { merchant, kind, number } = command;
    let key = params![reading.generation(merchant)?.owner, kind.word(), column(number)];
    reading.find(FIND_OBJECT, key, |row| read(merchant, kind, row, reading.seal))
}

/// Finds the newest object with a lookup text.
pub(crate) fn find_by_lookup(
    command: &FindObjectByLookup,
    reading: &Reading<'_>,
) -> Result<Option<Object>, Failure> {
    let FindObjectByLookup { merchant, kind, lookup } = command;
    let key = params![reading.generation(*merchant)?.owner, kind.word(), lookup];
    reading.find(FIND_OBJECT_BY_LOOKUP, key, |row| read(*merchant, *kind, row, reading.seal))
}

/// Lists objects of a kind.
pub(crate) fn list(
    command: &ListObjects,
    reading: &Reading<'_>,
) -> Result<Listed<Object>, Failure> {
    let ListObjects { merchant, kind, of, created, page } = command;
    let window = Window::of(pair_page(*page), *created);
    let owner = reading.generation(*merchant)?.owner;
    let word = kind.word();
    let page = |lists, own: &[Param<'_>]| {
        let own = [&[(":merchant", &owner as &dyn ToSql), (":kind", &word)], own].concat();
        reading.page(lists, &window, &own, |row| read(*merchant, *kind, row, reading.seal))
    };
    match of {
        ObjectsOf::All => page(LIST_OBJECTS, &[]),
        ObjectsOf::Lookup(lookup) => page(LIST_OBJECTS_BY_LOOKUP, &[(":lookup", lookup)]),
        ObjectsOf::Customer(customer) => {
            page(LIST_OBJECTS_OF_CUSTOMER, &[(":customer", &column(customer.number()))])
        }
        ObjectsOf::Filter(filter, values) => {
            object_filter::list((*merchant, *kind), *filter, values, &window, reading)
        }
        ObjectsOf::Numbers(numbers) => {
            list_numbers((*merchant, *kind), numbers, (&window, *created), reading)
        }
    }
}

/// The page of the objects with these numbers.
fn list_numbers(
    (merchant, kind): (MerchantId, Kind),
    numbers: &[u64],
    (window, created): (&Window, Bounds),
    reading: &Reading<'_>,
) -> Result<Listed<Object>, Failure> {
    let mut found = BTreeMap::new();
    reading.in_transaction(|| {
        for &number in numbers {
            let object = find(&FindObject { merchant, kind, number }, reading)?;
            let listed = object.filter(|object| !object.deleted());
            found.extend(listed.map(|object| (object.place(), object)));
        }
        Ok(())
    })?;
    found.retain(|place, _| created.contains(place.created.0));
    let pair = |place: &ObjectPlace| (place.created.0, column(place.number));
    let items: Vec<Object> = if window.upward {
        let newer = found.into_iter().filter(|(place, _)| pair(place) > window.edge);
        newer.map(|(_, object)| object).take(window.limit + 1).collect()
    } else {
        let older = found.into_iter().rev().filter(|(place, _)| pair(place) < window.edge);
        older.map(|(_, object)| object).take(window.limit + 1).collect()
    };
    Ok(window.page(items))
}

/// Lists objects with due work.
pub(crate) fn list_due(
    command: &ListDueObjects,
    reading: &Reading<'_>,
) -> Result<Vec<Object>, Failure> {
    let idle = Idle::list(reading)?;
    let due = params![command.now.0, idle.limit(command.limit)];
    reading.in_transaction(|| {
        let keys = reading.list(LIST_DUE_OBJECTS, due, |row| {
            let owner = row.get(0)?;
            let read = |merchant| {
                let kind: Kind = word(row, 1, "objects.kind")?;
                Ok((merchant, kind, (owner, kind.word(), row.get::<_, i64>(2)?)))
            };
            idle.pass(owner, reading, read)
        })?;
        let mut objects = Vec::new();
        for (merchant, kind, key) in keys.into_iter().flatten().take(command.limit) {
            let found =
                reading.find(FIND_OBJECT, key, |row| read(merchant, kind, row, reading.seal))?;
            objects.extend(found);
        }
        Ok(objects)
    })
}

/// A page of positions as a page of pairs.
pub(super) fn pair_page(page: Page<ObjectPlace>) -> Page<(i64, i64)> {
    let pair = |position: ObjectPlace| (position.created.0, column(position.number));
    let cursor = match page.cursor {
        Cursor::Newest => Cursor::Newest,
        Cursor::After(position) => Cursor::After(pair(position)),
        Cursor::Before(position) => Cursor::Before(pair(position)),
    };
    Page { limit: page.limit, cursor }
}
