//! The charges of payments of earlier releases, which stored none. A migration writes a charge for
//! each Payment Intent with a debit that is processing or has succeeded, and its id into the intent.
//! The id follows from the intent's.
//!
//! An intent does not name the payment method of a failed debit any more, so failed debits of earlier
//! releases have no charge. The start of a debit was not stored either, and the charge has the time
//! of the intent's creation.

use super::object_filter::{
    Body, Entries, FILL_ROWS, LIST_BODIES, LIST_SNAPSHOT_BODIES, list_bodies, write_entries,
};
use super::{column, limit};
use crate::store::Failure;
use crate::{Kind, Object};
use model::Word;
use model::id::{ChargeId, PaymentIntentId};
use model::payments::charge::Charge;
use model::payments::intent::{Intent, IntentStatus};
use model::payments::payment_method::{PaymentBehavior, PaymentMethod};
use rusqlite::{Connection, OptionalExtension, named_params, params};

pub(super) const FIND_BODY: &str =
    "SELECT body FROM objects WHERE merchant = ?1 AND kind = ?2 AND number = ?3";
pub(super) const SET_BODY: &str =
    "UPDATE objects SET body = ?4 WHERE merchant = ?1 AND kind = ?2 AND number = ?3";
pub(super) const INSERT_CHARGE: &str = "INSERT INTO objects (merchant, kind, number, version, \
     created, deleted, customer, clock, lookup, filters, body) \
     VALUES (:merchant, :kind, :number, :version, :created, 0, :customer, :clock, :lookup, \
     :filters, :body)";
pub(super) const FIND_SNAPSHOT_BODY: &str = "SELECT body FROM snapshot_objects \
     WHERE merchant = ?1 AND snapshot = ?2 AND kind = ?3 AND number = ?4";
pub(super) const SET_SNAPSHOT_BODY: &str = "UPDATE snapshot_objects SET body = :body \
     WHERE merchant = :merchant AND snapshot = :snapshot AND kind = :kind AND number = :number";
pub(super) const INSERT_SNAPSHOT_CHARGE: &str = "INSERT INTO snapshot_objects (merchant, snapshot, \
     kind, number, version, created, deleted, customer, clock, lookup, filters, body) \
     VALUES (:merchant, :snapshot, :kind, :number, :version, :created, 0, :customer, :clock, \
     :lookup, :filters, :body)";

/// Writes the charges of all payments. Calls the function after each page of rows.
pub(super) fn fill(connection: &Connection, page_ended: &mut dyn FnMut()) -> Result<(), Failure> {
    let mut last = (i64::MIN, String::new(), 0);
    loop {
        let after = params![last.0, last.1, last.2, limit(FILL_ROWS)];
        let rows = list_bodies(LIST_BODIES, after, connection)?;
        let Some(end) = rows.last() else { break };
        last = (end.merchant, end.kind.word().to_owned(), end.number);
        fill_page(&rows, connection)?;
        page_ended();
    }
    let mut last = (i64::MIN, 0, String::new(), 0);
    loop {
        let after = named_params! {
            ":merchant": last.0,
            ":snapshot": last.1,
            ":kind": last.2,
            ":number": last.3,
            ":row_limit": limit(FILL_ROWS),
        };
        let rows = list_bodies(LIST_SNAPSHOT_BODIES, after, connection)?;
        let Some(end) = rows.last() else { return Ok(()) };
        last = (end.merchant, end.snapshot, end.kind.word().to_owned(), end.number);
        fill_page(&rows, connection)?;
        page_ended();
    }
}

fn fill_page(rows: &[Body], connection: &Connection) -> Result<(), Failure> {
    for row in rows.iter().filter(|row| row.kind == Kind::PaymentIntent) {
        let intent: Intent = serde_json::from_str(&row.text)?;
        let status = intent.status;
        let is_debited = matches!(status, IntentStatus::Processing | IntentStatus::Succeeded);
        if !is_debited || intent.latest_charge.is_some() {
            continue;
        }
        let Some(method) = find_method(row, &intent, connection)? else { continue };
        write_charge(row, intent, &method, connection)?;
    }
    Ok(())
}

fn find_method(
    row: &Body,
    intent: &Intent,
    connection: &Connection,
) -> Result<Option<PaymentMethod>, Failure> {
    let Some(id) = intent.payment_method else { return Ok(None) };
    let (kind, number) = (Kind::PaymentMethod.word(), column(id.number()));
    let read = |row: &rusqlite::Row<'_>| row.get::<_, String>(0);
    let body = if row.snapshot == 0 {
        let key = params![row.merchant, kind, number];
        connection.prepare_cached(FIND_BODY)?.query_row(key, read).optional()?
    } else {
        let key = params![row.merchant, row.snapshot, kind, number];
        connection.prepare_cached(FIND_SNAPSHOT_BODY)?.query_row(key, read).optional()?
    };
    Ok(body.map(|body| serde_json::from_str(&body)).transpose()?)
}

/// Writes the charge of an intent, and its id into the intent.
fn write_charge(
    row: &Body,
    mut intent: Intent,
    method: &PaymentMethod,
    connection: &Connection,
) -> Result<(), Failure> {
    let id = ChargeId::of_earlier(PaymentIntentId::from_number(intent.number));
    let Some(mut charge) = Charge::of(&intent, method, id, intent.created) else { return Ok(()) };
    if intent.status == IntentStatus::Succeeded {
        charge.end(&intent);
        let comes_later = intent.disputed_at.is_some();
        charge.disputed = method.behavior == PaymentBehavior::Disputed && !comes_later;
    }
    intent.latest_charge = Some(id);
    let body = serde_json::to_string(&intent)?;
    let object = Object::Charge(charge);
    let entries = Entries::of(&object)?;
    let (customer, clock) = (object.customer(), object.clock());
    let customer = customer.map(|customer| column(customer.number()));
    let clock = clock.map(|clock| column(clock.number()));
    let (kind, charge_body) = (row.kind.word(), object.body()?);
    let common: [(&str, &dyn rusqlite::ToSql); 10] = [
        (":merchant", &row.merchant),
        (":kind", &object.kind().word()),
        (":number", &column(object.number())),
        (":version", &column(object.version())),
        (":created", &object.created().0),
        (":customer", &customer),
        (":clock", &clock),
        (":lookup", &object.lookup()),
        (":filters", &entries.text),
        (":body", &charge_body),
    ];
    if row.snapshot == 0 {
        connection.prepare_cached(SET_BODY)?.execute(params![
            row.merchant,
            kind,
            row.number,
            body
        ])?;
        connection.prepare_cached(INSERT_CHARGE)?.execute(&common[..])?;
        return write_entries((row.merchant, &object), &entries, connection);
    }
    connection.prepare_cached(SET_SNAPSHOT_BODY)?.execute(named_params! {
        ":merchant": row.merchant,
        ":snapshot": row.snapshot,
        ":kind": kind,
        ":number": row.number,
        ":body": body,
    })?;
    let snapshot: [(&str, &dyn rusqlite::ToSql); 1] = [(":snapshot", &row.snapshot)];
    let columns = [&common[..], &snapshot[..]].concat();
    connection.prepare_cached(INSERT_SNAPSHOT_CHARGE)?.execute(&columns[..])?;
    Ok(())
}
