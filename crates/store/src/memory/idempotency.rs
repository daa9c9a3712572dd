//! Idempotency records.

use super::Memory;
use crate::store::Failure;
use crate::{FindReply, RecordReply, Reply, Written};
use model::clock::ServerTime;
use model::limits::IDEMPOTENCY_AGE_MS_MAX;
use std::sync::Arc;

pub(crate) fn record(command: &RecordReply, memory: &mut Memory) -> Result<Written, Failure> {
    let free = record_optional(Some(&command.reply), memory);
    Ok(if free { Written::Done } else { Written::KeyTaken })
}

/// Stores the record of a command, if it carries one. Returns true if the key was free.
pub(super) fn record_optional(reply: Option<&Reply>, memory: &mut Memory) -> bool {
    let Some(reply) = reply else { return true };
    let key = (reply.merchant, reply.key.clone());
    let free =
        !memory.rows.idempotency_records.get(&key).is_some_and(|stored| is_valid(stored, reply.at));
    if free {
        memory.rows.idempotency_records.insert(key, Arc::new(reply.clone()));
    }
    free
}

/// True if a record is still valid at `now`.
fn is_valid(reply: &Reply, now: ServerTime) -> bool {
    reply.at > now.plus_ms(-IDEMPOTENCY_AGE_MS_MAX)
}

pub(crate) fn find(command: &FindReply, memory: &Memory) -> Result<Option<Reply>, Failure> {
    let FindReply { merchant, key, now } = command;
    let found = memory.rows.idempotency_records.get(&(*merchant, key.clone()));
    Ok(found.filter(|reply| is_valid(reply, *now)).map(|reply| reply.as_ref().clone()))
}
