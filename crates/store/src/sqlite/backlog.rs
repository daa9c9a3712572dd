//! The backlog. Every statement here is exempt from the rule of the merchant, because metrics are
//! about all merchants. They skip rows of generations that are not current.

use super::delivery_claim::FIND_NEXT_ENDPOINT;
use super::generation::Idle;
use super::{Failure, Reading, feed, refresh_claim};
use crate::{Backlog, DueWork, MeasureBacklog, exact};
use model::clock::ServerTime;
use model::limits::BACKLOG_ROWS_MAX;
use rusqlite::{Params, params};

pub(super) const COUNT_REFRESHES_OF_MERCHANT: &str = "SELECT COUNT(*), MIN(at) FROM \
     (SELECT r.run_server AS at FROM refreshes AS r \
     WHERE r.status = 'pending' AND r.run_server IS NOT NULL AND r.merchant = ?1 \
     AND r.run_server <= ?2 AND (r.leased_until IS NULL OR r.leased_until <= ?2) \
     AND NOT EXISTS (SELECT 1 FROM clock_jobs AS j \
     WHERE j.merchant = ?1 AND j.clock = r.clock) \
     ORDER BY r.run_server LIMIT ?3) AS c";
pub(super) const COUNT_EVENTS_OF_MERCHANT: &str = "SELECT COUNT(*), MIN(at) FROM \
     (SELECT committed_at AS at FROM events WHERE merchant = ?1 AND feed IS NULL \
     ORDER BY committed_at LIMIT ?2) AS c";
pub(super) const COUNT_DELIVERIES_OF_ENDPOINT: &str = "SELECT COUNT(*), MIN(at) FROM \
     (SELECT due_at AS at FROM deliveries \
     WHERE status = 'pending' AND endpoint = ?1 AND due_at <= ?2 \
     AND merchant NOT IN (SELECT g.owner FROM generations AS g WHERE g.state <> 'current') \
     AND (leased_until IS NULL OR leased_until <= ?2) \
     ORDER BY due_at, shard, number LIMIT ?3) AS c";
pub(super) const COUNT_ACCOUNTS: &str = "SELECT COUNT(*), MIN(at) FROM \
     (SELECT due_at AS at FROM accounts \
     WHERE clock IS NULL AND due_at IS NOT NULL AND due_at <= ?1 \
     AND merchant NOT IN (SELECT g.owner FROM generations AS g WHERE g.state <> 'current') \
     ORDER BY due_at LIMIT ?2) AS c";
pub(super) const COUNT_OBJECTS: &str = "SELECT COUNT(*), MIN(at) FROM \
     (SELECT due_at AS at FROM objects \
     WHERE clock IS NULL AND due_at IS NOT NULL AND due_at <= ?1 \
     AND merchant NOT IN (SELECT g.owner FROM generations AS g WHERE g.state <> 'current') \
     ORDER BY due_at LIMIT ?2) AS c";
pub(super) const COUNT_CLOCKS: &str = "SELECT COUNT(*) FROM \
     (SELECT 1 FROM clock_jobs WHERE (leased_until IS NULL OR leased_until <= ?1) \
     AND merchant NOT IN (SELECT g.owner FROM generations AS g WHERE g.state <> 'current') LIMIT ?2) AS c";
/// The time of the oldest event with a pending delivery.
pub(super) const FIND_OLDEST_UNDELIVERED: &str = "SELECT committed_at FROM deliveries WHERE status = 'pending' \
     AND merchant NOT IN (SELECT g.owner FROM generations AS g WHERE g.state <> 'current') \
     ORDER BY committed_at LIMIT 1";

/// Measures the due work of all merchants.
pub(crate) fn measure(command: &MeasureBacklog, reading: &Reading<'_>) -> Result<Backlog, Failure> {
    let MeasureBacklog { now, account_now } = *command;
    let server_age_ms = |at: i64| now.ms_since(ServerTime(at));
    let account_age_ms = |at: i64| (account_now.0 - at).max(0) * 1_000;
    let (events, oldest_event) = count_events(reading)?;
    let undelivered = reading.find(FIND_OLDEST_UNDELIVERED, [], |row| Ok(row.get(0)?))?.flatten();
    let on_server = |(count, oldest): Counted| due_work(count, oldest, server_age_ms);
    let on_account = |(count, oldest): Counted| due_work(count, oldest, account_age_ms);
    let until = params![now.0, BACKLOG_ROWS_MAX];
    let account_until = params![account_now.0, BACKLOG_ROWS_MAX];
    Ok(Backlog {
        refreshes: on_server(count_refreshes(now, reading)?),
        events: on_server((events, oldest_event)),
        deliveries: on_server(count_deliveries(now, reading)?),
        accounts: on_account(count(COUNT_ACCOUNTS, account_until, reading)?),
        objects: on_account(count(COUNT_OBJECTS, account_until, reading)?),
        clocks: reading.find(COUNT_CLOCKS, until, |row| Ok(rows(row.get(0)?)))?.unwrap_or(0),
        oldest_undelivered_ms: oldest_event.into_iter().chain(undelivered).min().map(server_age_ms),
    })
}

/// A number of rows, and the time of the oldest in the unit of its column.
type Counted = (u64, Option<i64>);

fn count(sql: &'static str, key: impl Params, reading: &Reading<'_>) -> Result<Counted, Failure> {
    let counted = reading.find(sql, key, |row| Ok((rows(row.get(0)?), row.get(1)?)))?;
    Ok(counted.unwrap_or_default())
}

/// Counts merchant by merchant, because the index of waiting events begins with the merchant.
fn count_events(reading: &Reading<'_>) -> Result<Counted, Failure> {
    let (mut total, mut oldest) = (0, None);
    let idle = Idle::list(reading)?;
    let mut last = i64::MIN;
    while total < u64::from(BACKLOG_ROWS_MAX)
        && let Some(merchant) = feed::next_waiting(last, reading)?
    {
        last = merchant;
        if idle.has(merchant) {
            continue;
        }
        let left: i64 = exact(u64::from(BACKLOG_ROWS_MAX) - total, "the bound is small");
        let (count, first) = count(COUNT_EVENTS_OF_MERCHANT, [merchant, left], reading)?;
        total += count;
        oldest = oldest.into_iter().chain(first).min();
    }
    Ok((total, oldest))
}

/// Counts merchant by merchant, because the index of due refreshes begins with the merchant.
fn count_refreshes(now: ServerTime, reading: &Reading<'_>) -> Result<Counted, Failure> {
    let (mut total, mut oldest) = (0, None);
    let idle = Idle::list(reading)?;
    let mut last = i64::MIN;
    while total < u64::from(BACKLOG_ROWS_MAX)
        && let Some((merchant, run_server)) = refresh_claim::next_merchant(last, reading)?
    {
        last = merchant;
        if run_server > now.0 || idle.has(merchant) {
            continue;
        }
        let left: i64 = exact(u64::from(BACKLOG_ROWS_MAX) - total, "the bound is small");
        let key = params![merchant, now.0, left];
        let (count, first) = count(COUNT_REFRESHES_OF_MERCHANT, key, reading)?;
        total += count;
        oldest = oldest.into_iter().chain(first).min();
    }
    Ok((total, oldest))
}

/// Counts endpoint by endpoint, because the index of due deliveries begins with the endpoint.
fn count_deliveries(now: ServerTime, reading: &Reading<'_>) -> Result<Counted, Failure> {
    let (mut total, mut oldest) = (0, None);
    let mut last = i64::MIN;
    while total < u64::from(BACKLOG_ROWS_MAX)
        && let Some(endpoint) = reading
            .find(FIND_NEXT_ENDPOINT, [last], |row| Ok(row.get::<_, Option<i64>>(0)?))?
            .flatten()
    {
        let left = u64::from(BACKLOG_ROWS_MAX) - total;
        let left: i64 = exact(left, "the bound is small");
        let key = params![endpoint, now.0, left];
        let (count, first) = count(COUNT_DELIVERIES_OF_ENDPOINT, key, reading)?;
        total += count;
        oldest = oldest.into_iter().chain(first).min();
        last = endpoint;
    }
    Ok((total, oldest))
}

fn rows(count: i64) -> u64 {
    exact(count, "a count is not negative")
}

fn due_work(count: u64, oldest: Option<i64>, age_ms: impl Fn(i64) -> i64) -> DueWork {
    DueWork { count, oldest_ms: oldest.map_or(0, age_ms) }
}
