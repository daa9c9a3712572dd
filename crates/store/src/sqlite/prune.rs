//! Clean-up in bounded batches. Every statement here is exempt from the rule of the merchant,
//! because the pruner works for all merchants.

use super::{Batch, Failure};
use crate::{Prune, Pruned, exact};
use model::limits::{
    EVENT_AGE_MS_MAX, IDEMPOTENCY_AGE_MS_MAX, PRUNE_ROWS_MAX, REFRESH_DETAIL_AGE_MS_MAX,
};
use rusqlite::params;

pub(super) const DELETE_RECORDS: &str = "DELETE FROM replies WHERE (merchant, key) IN \
     (SELECT merchant, key FROM replies WHERE at <= ?1 ORDER BY at LIMIT ?2)";
pub(super) const LIST_OLD_EVENTS: &str = "SELECT shard, number FROM events AS e \
     WHERE e.committed_at <= ?1 AND e.feed IS NOT NULL \
     AND NOT EXISTS (SELECT 1 FROM deliveries AS d \
     WHERE d.shard = e.shard AND d.number = e.number AND d.status = 'pending') \
     ORDER BY e.committed_at, e.shard, e.number LIMIT ?2";
pub(super) const DELETE_EVENT: &str = "DELETE FROM events WHERE shard = ?1 AND number = ?2";
pub(super) const DELETE_DELIVERIES: &str =
    "DELETE FROM deliveries WHERE shard = ?1 AND number = ?2";
pub(super) const DELETE_ATTEMPTS: &str = "DELETE FROM attempts WHERE shard = ?1 AND number = ?2";
pub(super) const DELETE_REFRESHES: &str = "DELETE FROM refreshes \
     WHERE (bucket, account, feature, sequence) IN \
     (SELECT bucket, account, feature, sequence FROM refreshes \
     WHERE started_server <= ?1 AND status <> 'pending' \
     ORDER BY started_server, bucket, account, feature, sequence LIMIT ?2)";
/// Only kinds without filters are deleted by their age, so no filter entries remain.
pub(super) const DELETE_OBJECTS: &str = "DELETE FROM objects \
     WHERE (merchant, kind, number) IN (SELECT merchant, kind, number FROM objects \
     WHERE forget_at IS NOT NULL AND forget_at <= ?1 \
     ORDER BY forget_at, merchant, kind, number LIMIT ?2)";

/// Deletes rows past their age.
pub(crate) fn prune(command: &Prune, batch: &Batch<'_>) -> Result<Pruned, Failure> {
    let Prune { now } = *command;
    let records_until = now.plus_ms(-IDEMPOTENCY_AGE_MS_MAX).0;
    let events_until = now.plus_ms(-EVENT_AGE_MS_MAX).0;
    let refreshes_until = now.plus_ms(-REFRESH_DETAIL_AGE_MS_MAX).0;
    let records = batch.execute(DELETE_RECORDS, params![records_until, PRUNE_ROWS_MAX])?;
    let refreshes = batch.execute(DELETE_REFRESHES, params![refreshes_until, PRUNE_ROWS_MAX])?;
    let objects = batch.execute(DELETE_OBJECTS, params![now.0, PRUNE_ROWS_MAX])?;
    let old = params![events_until, PRUNE_ROWS_MAX];
    let events = batch
        .reading()
        .list(LIST_OLD_EVENTS, old, |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)))?;
    for (shard, number) in &events {
        batch.execute(DELETE_ATTEMPTS, params![shard, number])?;
        batch.execute(DELETE_DELIVERIES, params![shard, number])?;
        batch.execute(DELETE_EVENT, params![shard, number])?;
    }
    let count = |rows: usize| exact(rows, "a batch has at most PRUNE_ROWS_MAX rows");
    Ok(Pruned {
        replies: count(records),
        events: count(events.len()),
        refreshes: count(refreshes),
        objects: count(objects),
    })
}
