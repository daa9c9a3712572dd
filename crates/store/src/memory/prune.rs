//! Clean-up in bounded batches.

use super::{Memory, event};
use crate::store::Failure;
use crate::{Prune, Pruned, ShrinkFile, exact};
use model::delivery::DeliveryStatus;
use model::limits::{
    EVENT_AGE_MS_MAX, IDEMPOTENCY_AGE_MS_MAX, PRUNE_ROWS_MAX, REFRESH_DETAIL_AGE_MS_MAX,
};
use model::refresh::RefreshStatus;

pub(crate) fn prune(command: &Prune, memory: &mut Memory) -> Result<Pruned, Failure> {
    let Prune { now } = *command;
    let records_until = now.plus_ms(-IDEMPOTENCY_AGE_MS_MAX);
    let records =
        memory.rows.idempotency_records.values().filter(|reply| reply.at <= records_until);
    let records = oldest(records.map(|reply| (reply.at, (reply.merchant, reply.key.clone()))));
    for key in &records {
        memory.rows.idempotency_records.remove(key);
    }
    let events_until = now.plus_ms(-EVENT_AGE_MS_MAX);
    let events = memory.rows.events.values().filter(|row| {
        let unsettled = event::deliveries(memory, row.event.id)
            .any(|delivery| delivery.status == DeliveryStatus::Pending);
        row.committed_at <= events_until && row.feed.is_some() && !unsettled
    });
    let events = oldest(events.map(|row| (row.committed_at, row.event.id)));
    for id in &events {
        memory.rows.events.remove(id);
        memory.rows.deliveries.retain(|key, _| key.event != *id);
        memory.rows.attempts.retain(|(key, _), _| key.event != *id);
    }
    let refreshes_until = now.plus_ms(-REFRESH_DETAIL_AGE_MS_MAX);
    let refreshes = memory.rows.refreshes.values().filter(|job| {
        job.started_server <= refreshes_until && job.status != RefreshStatus::Pending
    });
    let refreshes = oldest(refreshes.map(|job| (job.started_server, job.key)));
    for key in &refreshes {
        memory.rows.refreshes.remove(key);
    }
    let objects =
        memory.rows.objects.iter().filter_map(|(key, object)| Some((object.forget_at()?, *key)));
    let objects = oldest(objects.filter(|(at, _)| *at <= now));
    for key in &objects {
        memory.rows.objects.remove(key);
    }
    let count = |rows: usize| exact(rows, "a batch has at most PRUNE_ROWS_MAX rows");
    Ok(Pruned {
        replies: count(records.len()),
        events: count(events.len()),
        refreshes: count(refreshes.len()),
        objects: count(objects.len()),
    })
}

/// The keys of the oldest rows, at most one batch.
fn oldest<T: Ord, K: Ord>(rows: impl Iterator<Item = (T, K)>) -> Vec<K> {
    let mut rows: Vec<(T, K)> = rows.collect();
    rows.sort();
    let batch = exact(PRUNE_ROWS_MAX, "the constant is small");
    rows.into_iter().take(batch).map(|(_, key)| key).collect()
}

pub(crate) fn shrink(_command: &ShrinkFile, _memory: &mut Memory) -> Result<u32, Failure> {
    Ok(0)
}
