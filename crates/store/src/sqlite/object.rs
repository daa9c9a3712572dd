//! Objects that are looked up and changed whole.

use super::list::{Lists, Window, lists};
use super::{Batch, Failure, Reading, column, event, from_json, reply};
use crate::seal::{Sealer, Spot};
use crate::{
    ChangeObject, CreateObject, Created, Cursor, FindObject, FindObjectByLookup, Kind, ListObjects,
    Listed, Object, ObjectPlace, Page, Written,
};
use model::endpoint::EndpointSecret;
use model::id::{CustomerId, MerchantId};
use rusqlite::{Row, params};

pub(super) const INSERT_MERCHANT: &str =
    "INSERT INTO merchants (merchant) VALUES (?1) ON CONFLICT DO NOTHING";
/// Exempt from the rule of the merchant: it counts merchants.
pub(super) const COUNT_MERCHANTS: &str = "SELECT COUNT(*) FROM merchants";
pub(super) const COUNT_KIND: &str =
    "SELECT COUNT(*) FROM objects WHERE merchant = ?1 AND kind = ?2 AND deleted = 0";
pub(super) const INSERT_OBJECT: &str = "INSERT INTO objects (merchant, kind, number, version, \
     created, deleted, customer, clock, lookup, secret, body) \
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) ON CONFLICT DO NOTHING";
pub(super) const UPDATE_OBJECT: &str = "UPDATE objects SET version = ?4, created = ?5, \
     deleted = ?6, customer = ?7, clock = ?8, lookup = ?9, secret = ?10, body = ?11 \
     WHERE merchant = ?1 AND kind = ?2 AND number = ?3 AND version = ?4 - 1";
pub(super) const FIND_OBJECT: &str =
    "SELECT body, secret FROM objects WHERE merchant = ?1 AND kind = ?2 AND number = ?3";
pub(super) const FIND_OBJECT_BY_LOOKUP: &str = "SELECT body, secret FROM objects \
     WHERE merchant = ?1 AND kind = ?2 AND lookup = ?3 AND deleted = 0 \
     ORDER BY created DESC, number DESC LIMIT 1";
pub(super) const LIST_OBJECTS: Lists = lists!(
    "SELECT body, secret FROM objects WHERE merchant = ?5 AND kind = ?6 AND clock IS NULL \
     AND deleted = 0",
    "created",
    "number"
);
pub(super) const LIST_OBJECTS_BY_LOOKUP: Lists = lists!(
    "SELECT body, secret FROM objects WHERE merchant = ?5 AND kind = ?6 AND lookup = ?7 \
     AND clock IS NULL AND deleted = 0",
    "created",
    "number"
);
pub(super) const LIST_OBJECTS_BY_CLOCK: Lists = lists!(
    "SELECT body, secret FROM objects WHERE merchant = ?5 AND kind = ?6 AND clock = ?7 \
     AND (?8 IS NULL OR lookup = ?8) AND deleted = 0",
    "created",
    "number"
);

/// Makes an object.
pub(crate) fn create(command: &CreateObject, batch: &Batch<'_>) -> Result<Created, Failure> {
    if !reply::record_optional(command.reply.as_ref(), batch)? {
        return Ok(Created::KeyTaken);
    }
    let object = &command.object;
    let merchant = column(object.merchant().number());
    if batch.execute(INSERT_MERCHANT, [merchant])? == 1
        && count(batch, COUNT_MERCHANTS, params![])? > batch.merchants_max
    {
        return Ok(Created::MerchantsFull);
    }
    if let Some(kind_max) = command.kind_max {
        let there = count(batch, COUNT_KIND, params![merchant, object.kind().word()])?;
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
    if !reply::record_optional(command.reply.as_ref(), batch)? {
        return Ok(Written::KeyTaken);
    }
    if !replace(&command.object, batch)? {
        return Ok(Written::Stale);
    }
    event::insert_many(&command.events, batch)?;
    Ok(Written::Done)
}

/// Replaces an object if its version is one above the stored one; answers whether it is.
pub(super) fn replace(object: &Object, batch: &Batch<'_>) -> Result<bool, Failure> {
    Ok(store(object, UPDATE_OBJECT, batch)? == 1)
}

fn count(batch: &Batch<'_>, sql: &str, params: impl rusqlite::Params) -> Result<u64, Failure> {
    let count = batch.reading().find(sql, params, |row| super::number(row, 0))?;
    Ok(count.unwrap_or(0))
}

/// Runs a statement that takes all columns of an object.
fn store(object: &Object, sql: &str, batch: &Batch<'_>) -> Result<usize, Failure> {
    let body = match object {
        Object::Customer(customer) => serde_json::to_string(customer)?,
        Object::Session(session) => serde_json::to_string(session)?,
        Object::Endpoint(endpoint) => serde_json::to_string(endpoint)?,
        Object::TestClock(clock) => serde_json::to_string(clock)?,
    };
    batch.execute(
        sql,
        params![
            column(object.merchant().number()),
            object.kind().word(),
            column(object.number()),
            column(object.version()),
            object.created().0,
            object.deleted(),
            object.customer().map(CustomerId::number).map(column),
            object.clock().map(|clock| column(clock.number())),
            object.lookup(),
            seal_secret(object, batch.seal)?,
            body,
        ],
    )
}

/// What an object holds that must not stand in its body, sealed.
fn seal_secret(object: &Object, seal: &Sealer) -> Result<Option<Vec<u8>>, Failure> {
    let secret = match object {
        Object::Session(session) => session.client_secret.clone().into_bytes(),
        Object::Endpoint(endpoint) => serde_json::to_vec(&endpoint.secrets)?,
        Object::Customer(_) | Object::TestClock(_) => return Ok(None),
    };
    let row = row_key(object.merchant(), object.kind(), object.number());
    seal.seal(spot(&[&row]), &secret).map(Some)
}

fn spot<'a>(row: &'a [&'a [u8]]) -> Spot<'a> {
    Spot { column: "objects.secret", row }
}

fn row_key(merchant: MerchantId, kind: Kind, number: u64) -> Vec<u8> {
    let numbers = [merchant.number().to_be_bytes(), number.to_be_bytes()].concat();
    [numbers.as_slice(), kind.word().as_bytes()].concat()
}

/// An object from its row: body, secret.
fn read(merchant: MerchantId, kind: Kind, row: &Row<'_>, seal: &Sealer) -> Result<Object, Failure> {
    let open = |number: u64| -> Result<Vec<u8>, Failure> {
        let stored = row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?;
        seal.open(spot(&[&row_key(merchant, kind, number)]), stored)
    };
    Ok(match kind {
        Kind::Customer => Object::Customer(from_json(row, 0)?),
        Kind::TestClock => Object::TestClock(from_json(row, 0)?),
        Kind::Session => {
            let mut session: model::session::Session = from_json(row, 0)?;
            session.client_secret = String::from_utf8(open(session.id.number())?)
                .map_err(|_| Failure::Unreadable("objects.secret"))?;
            Object::Session(session)
        }
        Kind::Endpoint => {
            let mut endpoint: model::endpoint::Endpoint = from_json(row, 0)?;
            let secrets: Vec<EndpointSecret> =
                serde_json::from_slice(&open(endpoint.id.number())?)?;
            endpoint.secrets = secrets;
            Object::Endpoint(endpoint)
        }
    })
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
    let ListObjects { merchant, kind, lookup, clock, created, page } = command;
    let window = Window::of(pair_page(*page), *created);
    let owner = column(merchant.number());
    let word = kind.word();
    let read = |row: &Row<'_>| read(*merchant, *kind, row, reading.seal);
    match (clock, lookup) {
        (None, None) => reading.page(LIST_OBJECTS, &window, &[&owner, &word], read),
        (None, Some(lookup)) => {
            reading.page(LIST_OBJECTS_BY_LOOKUP, &window, &[&owner, &word, lookup], read)
        }
        (Some(clock), lookup) => {
            let clock = column(clock.number());
            reading.page(LIST_OBJECTS_BY_CLOCK, &window, &[&owner, &word, &clock, lookup], read)
        }
    }
}

/// A page of places as a page of pairs.
pub(super) fn pair_page(page: Page<ObjectPlace>) -> Page<(i64, i64)> {
    let pair = |place: ObjectPlace| (place.created.0, column(place.number));
    let cursor = match page.cursor {
        Cursor::Newest => Cursor::Newest,
        Cursor::After(place) => Cursor::After(pair(place)),
        Cursor::Before(place) => Cursor::Before(pair(place)),
    };
    Page { limit: page.limit, cursor }
}
