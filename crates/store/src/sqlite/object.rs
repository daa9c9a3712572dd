//! Objects that are read and replaced as a whole.

use super::list::{Lists, Window, lists};
use super::{
    Batch, Failure, Param, Reading, column, event, idempotency, number, precondition, word,
};
use crate::seal::{CellPosition, Sealer};
use crate::{
    ChangeObject, ChangeObjects, Changed, CreateObject, Created, Cursor, FindObject,
    FindObjectByLookup, Kind, ListDueObjects, ListObjects, Listed, Object, ObjectPlace, ObjectsOf,
    Page, Written,
};
use model::Word;
use model::id::{CustomerId, MerchantId};
use rusqlite::{Row, ToSql, named_params, params};

pub(super) const INSERT_MERCHANT: &str =
    "INSERT INTO merchants (merchant) VALUES (?1) ON CONFLICT DO NOTHING";
/// Exempt from the rule of the merchant, because it counts merchants.
pub(super) const COUNT_MERCHANTS: &str = "SELECT COUNT(*) FROM merchants";
pub(super) const COUNT_KIND: &str =
    "SELECT COUNT(*) FROM objects WHERE merchant = ?1 AND kind = ?2 AND deleted = 0";
pub(super) const INSERT_OBJECT: &str = "INSERT INTO objects (merchant, kind, number, version, \
     created, deleted, customer, clock, lookup, due_at, forget_at, secret, body) \
     VALUES (:merchant, :kind, :number, :version, :created, :deleted, :customer, :clock, :lookup, \
     :due_at, :forget_at, :secret, :body) ON CONFLICT DO NOTHING";
pub(super) const UPDATE_OBJECT: &str = "UPDATE objects SET version = :version, created = :created, \
     deleted = :deleted, customer = :customer, clock = :clock, lookup = :lookup, \
     due_at = :due_at, forget_at = :forget_at, secret = :secret, body = :body \
     WHERE merchant = :merchant AND kind = :kind AND number = :number AND version = :version - 1";
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
pub(super) const LIST_OBJECTS_ON_CLOCK: Lists = lists!(
    "SELECT body, secret FROM objects WHERE merchant = :merchant AND kind = :kind \
     AND clock = :clock AND (:lookup IS NULL OR lookup = :lookup) AND deleted = 0",
    "created",
    "number"
);
pub(super) const LIST_OBJECTS_ON_NO_CLOCK: Lists = lists!(
    "SELECT body, secret FROM objects WHERE merchant = :merchant AND kind = :kind \
     AND clock IS NULL \
     AND deleted = 0",
    "created",
    "number"
);
pub(super) const LIST_OBJECTS_ON_NO_CLOCK_BY_LOOKUP: Lists = lists!(
    "SELECT body, secret FROM objects WHERE merchant = :merchant AND kind = :kind \
     AND lookup = :lookup \
     AND clock IS NULL AND deleted = 0",
    "created",
    "number"
);
/// Exempt, because the scheduler works for all merchants.
pub(super) const LIST_DUE_OBJECTS: &str = "SELECT body, secret, kind, merchant FROM objects \
     WHERE clock IS NULL AND due_at IS NOT NULL AND due_at <= ?1 \
     ORDER BY due_at, number, merchant, kind LIMIT ?2";

/// Creates an object.
pub(crate) fn create(command: &CreateObject, batch: &Batch<'_>) -> Result<Created, Failure> {
    if !idempotency::record_optional(command.reply.as_ref(), batch)? {
        return Ok(Created::KeyTaken);
    }
    let object = &command.object;
    if !precondition::all_hold(&command.requires, batch)? {
        return Ok(Created::VersionConflict);
    }
    if !has_room(object.merchant(), batch)? {
        return Ok(Created::MerchantsFull);
    }
    if let Some(kind_max) = command.kind_max {
        let there = count_kind(object.merchant(), object.kind(), batch)?;
        if there >= kind_max as u64 {
            return Ok(Created::KindFull);
        }
    }
    if store(object, INSERT_OBJECT, batch)? == 0 {
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
        if admitted.replace(merchant) != Some(merchant) && !has_room(merchant, batch)? {
            return Ok(Changed::MerchantsFull);
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
        let sql = if object.version() == 1 { INSERT_OBJECT } else { UPDATE_OBJECT };
        if store(object, sql, batch)? == 0 {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Creates the merchant's row if it does not exist. Returns true if the server has room for it.
pub(super) fn has_room(merchant: MerchantId, batch: &Batch<'_>) -> Result<bool, Failure> {
    Ok(batch.execute(INSERT_MERCHANT, [column(merchant.number())])? == 0
        || count(batch, COUNT_MERCHANTS, params![])? <= batch.merchants_max)
}

/// Replaces an object. Returns true if its version is one above the stored one.
pub(super) fn replace(object: &Object, batch: &Batch<'_>) -> Result<bool, Failure> {
    Ok(store(object, UPDATE_OBJECT, batch)? == 1)
}

/// The objects of a kind that are not deleted.
pub(super) fn count_kind(
    merchant: MerchantId,
    kind: Kind,
    batch: &Batch<'_>,
) -> Result<u64, Failure> {
    count(batch, COUNT_KIND, params![column(merchant.number()), kind.word()])
}

fn count(batch: &Batch<'_>, sql: &str, params: impl rusqlite::Params) -> Result<u64, Failure> {
    let count = batch.reading().find(sql, params, |row| super::number(row, 0))?;
    let Some(count) = count else { unreachable!("a count without groups returns one row") };
    Ok(count)
}

/// Runs a statement that takes all columns of an object.
fn store(object: &Object, sql: &str, batch: &Batch<'_>) -> Result<usize, Failure> {
    batch.execute(
        sql,
        named_params! {
            ":merchant": column(object.merchant().number()),
            ":kind": object.kind().word(),
            ":number": column(object.number()),
            ":version": column(object.version()),
            ":created": object.created().0,
            ":deleted": object.deleted(),
            ":customer": object.customer().map(CustomerId::number).map(column),
            ":clock": object.clock().map(|clock| column(clock.number())),
            ":lookup": object.lookup(),
            ":due_at": object.due_at().map(|at| at.0),
            ":forget_at": object.forget_at().map(|at| at.0),
            ":secret": seal_secret(object, batch.seal)?,
            ":body": object.body()?,
        },
    )
}

/// The sealed secret of an object, which is not part of its body.
fn seal_secret(object: &Object, seal: &Sealer) -> Result<Option<Vec<u8>>, Failure> {
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
fn read(merchant: MerchantId, kind: Kind, row: &Row<'_>, seal: &Sealer) -> Result<Object, Failure> {
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
    let key = params![column(merchant.number()), kind.word(), column(number)];
    reading.find(FIND_OBJECT, key, |row| read(merchant, kind, row, reading.seal))
}

/// Finds the newest object with a lookup text.
pub(crate) fn find_by_lookup(
    command: &FindObjectByLookup,
    reading: &Reading<'_>,
) -> Result<Option<Object>, Failure> {
    let FindObjectByLookup { merchant, kind, lookup } = command;
    let key = params![column(merchant.number()), kind.word(), lookup];
    reading.find(FIND_OBJECT_BY_LOOKUP, key, |row| read(*merchant, *kind, row, reading.seal))
}

/// Lists objects of a kind.
pub(crate) fn list(
    command: &ListObjects,
    reading: &Reading<'_>,
) -> Result<Listed<Object>, Failure> {
    let ListObjects { merchant, kind, of, created, page } = command;
    let window = Window::of(pair_page(*page), *created);
    let owner = column(merchant.number());
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
        ObjectsOf::Clock { clock, lookup } => {
            page(LIST_OBJECTS_ON_CLOCK, &[(":clock", &column(clock.number())), (":lookup", lookup)])
        }
        ObjectsOf::NoClock { lookup: None } => page(LIST_OBJECTS_ON_NO_CLOCK, &[]),
        ObjectsOf::NoClock { lookup: Some(lookup) } => {
            page(LIST_OBJECTS_ON_NO_CLOCK_BY_LOOKUP, &[(":lookup", lookup)])
        }
    }
}

/// Lists objects with due work.
pub(crate) fn list_due(
    command: &ListDueObjects,
    reading: &Reading<'_>,
) -> Result<Vec<Object>, Failure> {
    let limit = super::limit(command.limit);
    reading.list(LIST_DUE_OBJECTS, params![command.now.0, limit], |row| {
        read_of_any_kind(MerchantId::from_number(number(row, 3)?), row, reading.seal)
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
