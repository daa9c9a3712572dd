//! The backlog.

use super::{Memory, feed, is_free};
use crate::store::Failure;
use crate::{Backlog, DueWork, MeasureBacklog, due_at};
use model::clock::{AccountTime, ServerTime};
use model::delivery::DeliveryStatus;
use model::limits::BACKLOG_ROWS_MAX;
use model::refresh::{RefreshStatus, RunAt};

pub(crate) fn measure(command: &MeasureBacklog, memory: &Memory) -> Result<Backlog, Failure> {
    let MeasureBacklog { now, account_now } = *command;
    let rows = &memory.rows;
    let server_age_ms = |at| now.ms_since(at);
    let account_age_ms = |at: AccountTime| (account_now.0 - at.0).max(0) * 1_000;
    let refreshes = rows.refreshes.values().filter(|job| {
        let advancing = |clock| rows.clock_jobs.contains_key(&(job.merchant, clock));
        job.status == RefreshStatus::Pending
            && is_free(job.leased_until, now)
            && !job.clock.is_some_and(advancing)
    });
    let refreshes = refreshes.filter_map(|job| match job.run_at {
        RunAt::Server(at) => Some(at),
        RunAt::Clock(_) => None,
    });
    let waiting: Vec<ServerTime> = feed::waiting(memory).map(|row| row.committed_at).collect();
    let pending = || {
        let deliveries = rows.deliveries.values();
        deliveries.filter(|delivery| delivery.status == DeliveryStatus::Pending)
    };
    let deliveries = pending().filter(|delivery| is_free(delivery.leased_until, now));
    let undelivered = pending().filter_map(|delivery| rows.events.get(&delivery.key.event));
    let undelivered = undelivered.map(|row| row.committed_at);
    let accounts = rows.accounts.values().filter(|account| account.clock.is_none());
    let objects = rows.objects.values().filter(|object| object.clock().is_none());
    let clocks = rows.clock_jobs.values().filter(|job| is_free(job.leased_until, now)).count();
    Ok(Backlog {
        refreshes: due(refreshes, now, server_age_ms),
        events: due(waiting.iter().copied(), ServerTime(i64::MAX), server_age_ms),
        deliveries: due(deliveries.map(|delivery| delivery.due_at), now, server_age_ms),
        accounts: due(accounts.filter_map(|account| due_at(account)), account_now, account_age_ms),
        objects: due(objects.filter_map(|object| object.due_at()), account_now, account_age_ms),
        clocks: (clocks as u64).min(BACKLOG_ROWS_MAX.into()),
        oldest_undelivered_ms: waiting.iter().copied().chain(undelivered).min().map(server_age_ms),
    })
}

/// Counts the times that are not after `until`.
fn due<T: Ord + Copy>(
    times: impl Iterator<Item = T>,
    until: T,
    age_ms: impl Fn(T) -> i64,
) -> DueWork {
    let due: Vec<T> = times.filter(|at| *at <= until).collect();
    DueWork {
        count: (due.len() as u64).min(BACKLOG_ROWS_MAX.into()),
        oldest_ms: due.into_iter().min().map_or(0, age_ms),
    }
}
