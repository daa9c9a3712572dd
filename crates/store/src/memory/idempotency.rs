//! Idempotency records.

use super::Memory;
use crate::store::Failure;
use crate::{CreateIdempotencyRecord, FindIdempotencyRecord, IdempotencyRecord, Written};
use model::clock::ServerTime;
use model::limits::IDEMPOTENCY_AGE_MS_MAX;
use std::sync::Arc;

pub(crate) fn record(
    command: &CreateIdempotencyRecord,
    memory: &mut Memory,
) -> Result<Written, Failure> {
    let free = record_optional(Some(&command.record), memory);
    Ok(if free { Written::Done } else { Written::KeyTaken })
}

/// Stores the record of a command, if it carries one. Returns true if the key was free.
pub(super) fn record_optional(record: Option<&IdempotencyRecord>, memory: &mut Memory) -> bool {
    let Some(record) = record else { return true };
    let free = !is_taken(record, memory);
    if free {
        let key = (record.merchant, record.key.clone());
        memory.rows.idempotency_records.insert(key, Arc::new(record.clone()));
    }
    free
}

/// True if the key of a record has a record that is not too old.
pub(super) fn is_taken(record: &IdempotencyRecord, memory: &Memory) -> bool {
    let key = (record.merchant, record.key.clone());
    let stored = memory.rows.idempotency_records.get(&key);
    stored.is_some_and(|stored| is_valid(stored, record.at))
}

/// True if a record is still valid at `now`.
fn is_valid(record: &IdempotencyRecord, now: ServerTime) -> bool {
    record.at > now.plus_ms(-IDEMPOTENCY_AGE_MS_MAX)
}

pub(crate) fn find(
    command: &FindIdempotencyRecord,
    memory: &Memory,
) -> Result<Option<IdempotencyRecord>, Failure> {
    let FindIdempotencyRecord { merchant, key, now } = command;
    let found = memory.rows.idempotency_records.get(&(*merchant, key.clone()));
    Ok(found.filter(|record| is_valid(record, *now)).map(|record| record.as_ref().clone()))
}
