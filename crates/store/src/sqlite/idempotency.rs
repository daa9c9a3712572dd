//! Idempotency records.

use super::prepared::Part;
use super::{Batch, Failure, Reading};
use crate::seal::{CellPosition, Sealer};
use crate::{CreateIdempotencyRecord, FindIdempotencyRecord, IdempotencyRecord, Written};
use model::clock::ServerTime;
use model::limits::IDEMPOTENCY_AGE_MS_MAX;
use rusqlite::{named_params, params};

/// A record that is too old is replaced by the new one.
pub(super) const INSERT_RECORD: &str = "INSERT INTO replies (merchant, key, fingerprint, \
     request_id, status, body, at) VALUES (:merchant, :key, :fingerprint, :request_id, :status, \
     :body, :at) \
     ON CONFLICT (merchant, key) DO UPDATE SET fingerprint = excluded.fingerprint, \
     request_id = excluded.request_id, status = excluded.status, body = excluded.body, \
     at = excluded.at WHERE replies.at <= :expired_at";
pub(super) const FIND_RECORD: &str = "SELECT fingerprint, request_id, status, body, at \
     FROM replies WHERE merchant = ?1 AND key = ?2 AND at > ?3";

/// Stores a record without another change.
pub(crate) fn record(
    command: &CreateIdempotencyRecord,
    batch: &Batch<'_>,
) -> Result<Written, Failure> {
    let free = insert(&command.record, batch)?;
    Ok(if free { Written::Done } else { Written::KeyTaken })
}

/// Stores the record of a command, if it carries one. Returns true if the key was free.
pub(super) fn record_optional(
    record: Option<&IdempotencyRecord>,
    batch: &Batch<'_>,
) -> Result<bool, Failure> {
    record.map_or(Ok(true), |record| insert(record, batch))
}

fn insert(record: &IdempotencyRecord, batch: &Batch<'_>) -> Result<bool, Failure> {
    let owner = batch.generation(record.merchant)?.owner;
    let body = batch.prepared.sealed(Part::Record, || seal_body(record, batch.seal))?;
    let inserted = batch.execute(
        INSERT_RECORD,
        named_params! {
            ":merchant": owner,
            ":key": record.key,
            ":fingerprint": record.fingerprint,
            ":request_id": record.request_id,
            ":status": record.status,
            ":body": &*body,
            ":at": record.at.0,
            ":expired_at": record.at.plus_ms(-IDEMPOTENCY_AGE_MS_MAX).0,
        },
    )?;
    Ok(inserted == 1)
}

/// The sealed body of a record.
pub(super) fn seal_body(record: &IdempotencyRecord, seal: &Sealer) -> Result<Vec<u8>, Failure> {
    let row = [&record.merchant.number().to_be_bytes()[..], record.key.as_bytes()];
    seal.seal(CellPosition { column: "replies.body", row: &row }, &record.body)
}

/// True if the key of a record has a record that is not too old.
pub(super) fn is_taken(record: &IdempotencyRecord, batch: &Batch<'_>) -> Result<bool, Failure> {
    let IdempotencyRecord { merchant, key, at: now, .. } = record;
    let find = FindIdempotencyRecord { merchant: *merchant, key: key.clone(), now: *now };
    Ok(self::find(&find, &batch.reading())?.is_some())
}

/// Finds a record, unless it is too old.
pub(crate) fn find(
    command: &FindIdempotencyRecord,
    reading: &Reading<'_>,
) -> Result<Option<IdempotencyRecord>, Failure> {
    let FindIdempotencyRecord { merchant, key, now } = command;
    let oldest = now.plus_ms(-IDEMPOTENCY_AGE_MS_MAX);
    let number = merchant.number();
    let owner = reading.generation(*merchant)?.owner;
    reading.find(FIND_RECORD, params![owner, key, oldest.0], |row| {
        let row_key = [&number.to_be_bytes()[..], key.as_bytes()];
        let position = CellPosition { column: "replies.body", row: &row_key };
        let sealed = row.get_ref(3)?.as_blob().map_err(rusqlite::Error::from)?;
        Ok(IdempotencyRecord {
            merchant: *merchant,
            key: key.clone(),
            fingerprint: row.get(0)?,
            request_id: row.get(1)?,
            status: row.get(2)?,
            body: reading.seal.open(position, sealed)?,
            at: ServerTime(row.get(4)?),
        })
    })
}
