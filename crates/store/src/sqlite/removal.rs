//! The removal of rows that no command sees: those of generations that are not current, and those of
//! snapshots that were deleted or given up. Rows with due work are removed before the others.

use super::place;
use super::prune::{DELETE_ATTEMPTS, DELETE_DELIVERIES, DELETE_EVENT};
use super::snapshot;
use super::snapshot_table::SNAPSHOT_TABLES;
use super::{Batch, Failure, Param, column};
use crate::failpoint::BETWEEN_TABLES;
use crate::{RemoveGenerations, Removed, exact};
use model::limits::REPLACE_ROWS_MAX;
use rusqlite::{Row, params};

pub(super) const FIND_REMOVABLE: &str = "SELECT owner, merchant, state, snapshot, replacement \
     FROM generations \
     WHERE state <> 'current' \
     AND (state NOT IN ('building', 'filling') OR leased_until <= ?1 OR replacement = ?3) \
     AND (?2 IS NULL OR sandbox = ?2) LIMIT 1";
/// After this, the replacement can no longer be built or made current, although rows are missing.
pub(super) const GIVE_UP: &str = "UPDATE generations SET state = 'retired' \
     WHERE state = 'building' AND state <> 'current' AND replacement = ?1";
/// The same for a snapshot that is being taken.
pub(super) const GIVE_UP_FILLING: &str = "UPDATE generations SET state = 'dropped' \
     WHERE state = 'filling' AND state <> 'current' AND replacement = ?1";
pub(super) const DELETE_GENERATION: &str = "DELETE FROM generations WHERE owner = ?1";
pub(super) const REMOVE_CLOCK_JOBS: &str = "DELETE FROM clock_jobs WHERE merchant = ?1 AND clock IN \
     (SELECT j.clock FROM clock_jobs AS j WHERE j.merchant = ?1 LIMIT ?2)";
pub(super) const REMOVE_OBJECTS: &str = "DELETE FROM objects \
     WHERE merchant = ?1 AND (kind, number) IN \
     (SELECT o.kind, o.number FROM objects AS o WHERE o.merchant = ?1 LIMIT ?2)";
pub(super) const REMOVE_ENTRIES: &str = "DELETE FROM object_filters \
     WHERE merchant = ?1 AND (kind, filter, value, created, number) IN \
     (SELECT f.kind, f.filter, f.value, f.created, f.number FROM object_filters AS f \
     WHERE f.merchant = ?1 LIMIT ?2)";
pub(super) const REMOVE_LINKS: &str = "DELETE FROM account_links \
     WHERE merchant = ?1 AND (customer, institution, bank_account) IN \
     (SELECT l.customer, l.institution, l.bank_account FROM account_links AS l \
     WHERE l.merchant = ?1 LIMIT ?2)";
pub(super) const REMOVE_RECORDS: &str = "DELETE FROM replies WHERE merchant = ?1 AND key IN \
     (SELECT r.key FROM replies AS r WHERE r.merchant = ?1 LIMIT ?2)";
/// The following two read across the accounts and events of the merchant.
pub(super) const LIST_EVENT_KEYS: &str =
    "SELECT bucket, shard, number FROM events WHERE merchant = ?1 LIMIT ?2";
pub(super) const LIST_ACCOUNT_KEYS: &str =
    "SELECT bucket, account FROM accounts WHERE merchant = ?1 LIMIT ?2";
pub(super) const REMOVE_TRANSACTIONS: &str = "DELETE FROM transactions \
     WHERE bucket = ?1 AND account = ?2 AND merchant = ?3 AND (listed_at, ordinal) IN \
     (SELECT t.listed_at, t.ordinal FROM transactions AS t \
     WHERE t.bucket = ?1 AND t.account = ?2 AND t.merchant = ?3 LIMIT ?4)";
pub(super) const REMOVE_OWNERSHIPS: &str = "DELETE FROM ownerships \
     WHERE bucket = ?1 AND account = ?2 AND merchant = ?3 AND sequence IN \
     (SELECT o.sequence FROM ownerships AS o \
     WHERE o.bucket = ?1 AND o.account = ?2 AND o.merchant = ?3 LIMIT ?4)";
pub(super) const REMOVE_REFRESHES: &str = "DELETE FROM refreshes \
     WHERE bucket = ?1 AND account = ?2 AND merchant = ?3 AND (feature, sequence) IN \
     (SELECT r.feature, r.sequence FROM refreshes AS r \
     WHERE r.bucket = ?1 AND r.account = ?2 AND r.merchant = ?3 LIMIT ?4)";
pub(super) const REMOVE_CONNECTION: &str =
    "DELETE FROM connections WHERE bucket = ?1 AND account = ?2 AND merchant = ?3";
pub(super) const REMOVE_ACCOUNT: &str =
    "DELETE FROM accounts WHERE bucket = ?1 AND account = ?2 AND merchant = ?3";

/// The statements that remove rows of tables whose keys begin with the merchant.
const REMOVALS: [&str; 5] =
    [REMOVE_CLOCK_JOBS, REMOVE_OBJECTS, REMOVE_ENTRIES, REMOVE_LINKS, REMOVE_RECORDS];

/// Removes rows of generations that are not current, and of snapshots that were deleted or given up.
pub(crate) fn remove(command: &RemoveGenerations, batch: &Batch<'_>) -> Result<Removed, Failure> {
    let sandbox = command.sandbox.map(|sandbox| column(sandbox.number()));
    let given_up = command.given_up.map(|replacement| replacement.id);
    let key = params![batch.now.0, sandbox, given_up];
    let found = batch.reading().find(FIND_REMOVABLE, key, |row| {
        let state: String = row.get(2)?;
        let (owner, merchant): (i64, i64) = (row.get(0)?, row.get(1)?);
        let (snapshot, replacement): (Option<i64>, i64) = (row.get(3)?, row.get(4)?);
        Ok((owner, merchant, state, snapshot, replacement))
    })?;
    let Some((owner, merchant, state, snapshot, replacement)) = found else {
        return Ok(Removed { rows: 0, has_more: false });
    };
    let is_filling = state == "filling";
    if is_filling {
        batch.execute(GIVE_UP_FILLING, [replacement])?;
    } else if state == "building" {
        batch.execute(GIVE_UP, [replacement])?;
    }
    let mut left = REPLACE_ROWS_MAX;
    if is_filling || state == "dropped" {
        for table in SNAPSHOT_TABLES {
            let limit = super::limit(left);
            let values: [Param<'_>; 3] =
                [(":merchant", &merchant), (":snapshot", &snapshot), (":row_limit", &limit)];
            left -= snapshot::run(table.drop, &values, batch)?;
        }
    } else {
        for sql in REMOVALS {
            left = left.saturating_sub(batch.execute(sql, params![owner, super::limit(left)])?);
            batch.failpoints.reach(BETWEEN_TABLES);
        }
        remove_events(owner, &mut left, batch)?;
        batch.failpoints.reach(BETWEEN_TABLES);
        remove_accounts(owner, &mut left, batch)?;
    }
    if left > 0 {
        batch.execute(DELETE_GENERATION, [owner])?;
        place::delete_vacant(merchant, batch)?;
    }
    let rows = exact(REPLACE_ROWS_MAX - left, "a step removes few rows");
    Ok(Removed { rows, has_more: true })
}

fn remove_events(owner: i64, left: &mut usize, batch: &Batch<'_>) -> Result<(), Failure> {
    let key = |row: &Row<'_>| Ok([row.get(0)?, row.get(1)?, row.get(2)?]);
    let keys: Vec<[i64; 3]> =
        batch.reading().list(LIST_EVENT_KEYS, params![owner, super::limit(*left)], key)?;
    for [bucket, shard, number] in keys {
        if *left == 0 {
            break;
        }
        for sql in [DELETE_ATTEMPTS, DELETE_DELIVERIES, DELETE_EVENT] {
            let removed = batch.execute(sql, params![bucket, shard, number, owner])?;
            *left = left.saturating_sub(removed);
        }
    }
    Ok(())
}

fn remove_accounts(owner: i64, left: &mut usize, batch: &Batch<'_>) -> Result<(), Failure> {
    let key = |row: &Row<'_>| Ok([row.get(0)?, row.get(1)?]);
    let keys: Vec<[i64; 2]> =
        batch.reading().list(LIST_ACCOUNT_KEYS, params![owner, super::limit(*left)], key)?;
    for [bucket, account] in keys {
        for sql in [REMOVE_REFRESHES, REMOVE_OWNERSHIPS, REMOVE_TRANSACTIONS] {
            let values = params![bucket, account, owner, super::limit(*left)];
            *left -= batch.execute(sql, values)?;
        }
        // The account goes last, because it leads to the other rows.
        for sql in [REMOVE_CONNECTION, REMOVE_ACCOUNT] {
            if *left == 0 {
                return Ok(());
            }
            *left -= batch.execute(sql, params![bucket, account, owner])?;
        }
        if *left == 0 {
            break;
        }
    }
    Ok(())
}
