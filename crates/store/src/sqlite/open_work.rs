//! The open work of one merchant. Rows of different accounts are listed together, so the statements
//! have no bucket.

use super::target::Target;
use super::{Failure, Reading, from_json, number, object, refresh};
use crate::{ListOpenWork, OpenWork};
use model::delivery::DeliveryKey;
use model::id::{ClockId, EventId};
use rusqlite::params;

pub(super) const LIST_OPEN_CLOCKS: &str =
    "SELECT clock FROM clock_jobs WHERE merchant = ?1 ORDER BY clock LIMIT ?2";
/// The plus sign prevents `SQLite` from reading all objects of the merchant.
pub(super) const LIST_OPEN_OBJECTS: &str = "SELECT body, secret, kind FROM objects \
     WHERE +merchant = ?1 AND clock IS NULL AND due_at IS NOT NULL AND due_at <= ?2 \
     ORDER BY due_at, number, merchant, kind LIMIT ?3";
/// The plus sign has the same reason.
pub(super) const LIST_OPEN_ACCOUNTS: &str = "SELECT body FROM accounts \
     WHERE +merchant = ?1 AND clock IS NULL AND due_at IS NOT NULL AND due_at <= ?2 \
     ORDER BY due_at, account LIMIT ?3";
pub(super) const LIST_OPEN_REFRESHES: &str = "SELECT account, feature, sequence, merchant, clock, \
     status, started_at, run_server, run_clock, claim, leased_until, attempts, started_server \
     FROM refreshes WHERE merchant = ?1 AND status = 'pending' AND run_server IS NOT NULL \
     AND run_server <= ?2 ORDER BY run_server, account, feature LIMIT ?3";
pub(super) const LIST_UNATTEMPTED: &str = "SELECT shard, number FROM deliveries \
     WHERE endpoint = ?1 AND merchant = ?2 AND status = 'pending' \
     AND attempts <= COALESCE(resent_from, 0) \
     ORDER BY event_created, committed_at, shard, number LIMIT ?3";

/// Lists the open work of a merchant.
pub(crate) fn list(command: &ListOpenWork, reading: &Reading<'_>) -> Result<OpenWork, Failure> {
    let ListOpenWork { merchant, endpoints, now, account_now, limit } = command;
    reading.in_transaction(|| {
        let owner = reading.generation(*merchant)?.owner;
        let limit = super::limit(*limit);
        let clocks = reading.list(LIST_OPEN_CLOCKS, params![owner, limit], |row| {
            Ok(ClockId::from_number(number(row, 0)?))
        })?;
        let due = params![owner, account_now.0, limit];
        let objects = reading.list(LIST_OPEN_OBJECTS, due, |row| {
            object::read_of_any_kind(*merchant, row, reading.seal)
        })?;
        let accounts = reading.list(LIST_OPEN_ACCOUNTS, due, |row| from_json(row, 0))?;
        let refreshes = reading.list(LIST_OPEN_REFRESHES, params![owner, now.0, limit], |row| {
            refresh::read(*merchant, row)
        })?;
        let mut deliveries = Vec::new();
        for target in endpoints.iter().flat_map(|endpoint| Target::both(*endpoint)) {
            deliveries.extend(unattempted(target, (owner, limit), reading)?);
        }
        Ok(OpenWork { clocks, objects, accounts, refreshes, deliveries })
    })
}

fn unattempted(
    target: Target,
    (owner, limit): (i64, i64),
    reading: &Reading<'_>,
) -> Result<Vec<DeliveryKey>, Failure> {
    let key = params![target.column(), owner, limit];
    reading.list(LIST_UNATTEMPTED, key, |row| {
        let event = EventId { shard: number(row, 0)?, number: number(row, 1)? };
        Ok(target.key(event))
    })
}
