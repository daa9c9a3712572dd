//! Idempotency records.

use super::{Batch, Failure, Reading, column};
use crate::seal::CellPosition;
use crate::{FindReply, RecordReply, Reply, Written};
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
pub(crate) fn record(command: &RecordReply, batch: &Batch<'_>) -> Result<Written, Failure> {
    let free = insert(&command.reply, batch)?;
    Ok(if free { Written::Done } else { Written::KeyTaken })
}

/// Stores the record of a command, if it carries one. Returns true if the key was free.
pub(super) fn record_optional(reply: Option<&Reply>, batch: &Batch<'_>) -> Result<bool, Failure> {
    reply.map_or(Ok(true), |reply| insert(reply, batch))
}

fn insert(reply: &Reply, batch: &Batch<'_>) -> Result<bool, Failure> {
    let merchant = reply.merchant.number();
    let row = [&merchant.to_be_bytes()[..], reply.key.as_bytes()];
    let body = batch.seal.seal(CellPosition { column: "replies.body", row: &row }, &reply.body)?;
    let inserted = batch.execute(
        INSERT_RECORD,
        named_params! {
            ":merchant": column(merchant),
            ":key": reply.key,
            ":fingerprint": reply.fingerprint,
            ":request_id": reply.request_id,
            ":status": reply.status,
            ":body": body,
            ":at": reply.at.0,
            ":expired_at": reply.at.plus_ms(-IDEMPOTENCY_AGE_MS_MAX).0,
        },
    )?;
    Ok(inserted == 1)
}

/// Finds a record, unless it is too old.
pub(crate) fn find(command: &FindReply, reading: &Reading<'_>) -> Result<Option<Reply>, Failure> {
    let FindReply { merchant, key, now } = command;
    let oldest = now.plus_ms(-IDEMPOTENCY_AGE_MS_MAX);
    let number = merchant.number();
    reading.find(FIND_RECORD, params![column(number), key, oldest.0], |row| {
        let row_key = [&number.to_be_bytes()[..], key.as_bytes()];
        let position = CellPosition { column: "replies.body", row: &row_key };
        let sealed = row.get_ref(3)?.as_blob().map_err(rusqlite::Error::from)?;
        Ok(Reply {
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
