//! Clean-up in bounded batches. Statements that find old rows are exempt from the rules of the
//! bucket and the merchant, because the pruner works for all merchants.

use super::{Batch, Failure};
use crate::{Prune, Pruned, ShrinkFile, exact};
use model::limits::{
    EVENT_AGE_MS_MAX, FREE_PAGES_MIN, FREE_PAGES_PART, FREED_PAGES_MAX, IDEMPOTENCY_AGE_MS_MAX,
    PRUNE_ROWS_MAX, REFRESH_DETAIL_AGE_MS_MAX,
};
use rusqlite::{Row, params, params_from_iter};

pub(super) const DELETE_RECORDS: &str = "DELETE FROM replies WHERE (merchant, key) IN \
     (SELECT merchant, key FROM replies WHERE at <= ?1 ORDER BY at LIMIT ?2)";
pub(super) const LIST_OLD_EVENTS: &str = "SELECT bucket, shard, number, merchant FROM events AS e \
     WHERE e.committed_at <= ?1 AND e.feed IS NOT NULL \
     AND NOT EXISTS (SELECT 1 FROM deliveries AS d \
     WHERE d.bucket = e.bucket AND d.shard = e.shard AND d.number = e.number AND d.status = 'pending') \
     ORDER BY e.committed_at, e.shard, e.number LIMIT ?2";
pub(super) const DELETE_EVENT: &str =
    "DELETE FROM events WHERE bucket = ?1 AND shard = ?2 AND number = ?3 AND merchant = ?4";
pub(super) const DELETE_DELIVERIES: &str =
    "DELETE FROM deliveries WHERE bucket = ?1 AND shard = ?2 AND number = ?3 AND merchant = ?4";
pub(super) const DELETE_ATTEMPTS: &str =
    "DELETE FROM attempts WHERE bucket = ?1 AND shard = ?2 AND number = ?3 AND merchant = ?4";
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

pub(super) const COUNT_FREE_PAGES: &str = "PRAGMA freelist_count";
pub(super) const COUNT_PAGES: &str = "PRAGMA page_count";
/// Frees one page in each step of the statement, and none in a database of an earlier release.
pub(super) const FREE_PAGES: &str = "PRAGMA incremental_vacuum";

/// Gives free pages back to the disk.
pub(crate) fn shrink(_command: &ShrinkFile, batch: &Batch<'_>) -> Result<u32, Failure> {
    let count = |sql| batch.reading().find(sql, [], |row| Ok(row.get::<_, u32>(0)?));
    let pages = count(COUNT_PAGES)?.unwrap_or(0);
    let free = count(COUNT_FREE_PAGES)?.unwrap_or(0);
    let spare = FREE_PAGES_MIN.max(pages / FREE_PAGES_PART);
    let most = free.saturating_sub(spare).min(FREED_PAGES_MAX);
    if most == 0 {
        return Ok(0);
    }
    let mut statement = batch.connection.prepare_cached(FREE_PAGES)?;
    let mut steps = statement.query([])?;
    for _ in 0..most {
        if steps.next()?.is_none() {
            break;
        }
    }
    drop(steps);
    let freed = pages - count(COUNT_PAGES)?.unwrap_or(pages);
    batch.file_changed.set(freed > 0);
    Ok(freed)
}

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
    let key = |row: &Row<'_>| Ok([row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?]);
    let events: Vec<[i64; 4]> = batch.reading().list(LIST_OLD_EVENTS, old, key)?;
    for key in &events {
        for sql in [DELETE_ATTEMPTS, DELETE_DELIVERIES, DELETE_EVENT] {
            batch.execute(sql, params_from_iter(key))?;
        }
    }
    let count = |rows: usize| exact(rows, "a batch has at most PRUNE_ROWS_MAX rows");
    Ok(Pruned {
        replies: count(records),
        events: count(events.len()),
        refreshes: count(refreshes),
        objects: count(objects),
    })
}
