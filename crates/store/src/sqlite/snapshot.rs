//! Snapshots of sandboxes: rows are copied from table to table, within the database.
//!
//! Only this module removes and restores rows of transactions, and always all of a merchant's in
//! one command.

use super::snapshot_table::{SNAPSHOT_TABLES, SnapshotTable};
use super::{
    Batch, Failure, Reading, account, column, from_json, idempotency, number, object,
    object_filter, optional_number,
};
use crate::command::snapshot::{floor_above, may_be_removed, may_be_taken};
use crate::{
    DropSnapshot, FindObject, IdempotencyRecord, Kind, MeasureSandbox, Object, ResetSandbox,
    RestoreSnapshot, Snapshotted, TakeSnapshot,
};
use model::Word;
use model::account::Account;
use model::id::{AccountId, MerchantId, SnapshotId};
use model::snapshot::{SandboxSize, SandboxSnapshot};
use rusqlite::{ToSql, params};
use std::collections::{BTreeMap, BTreeSet};

pub(super) const LIST_CONNECTED: &str =
    "SELECT body FROM objects WHERE merchant = ?1 AND kind = 'connected_account'";
pub(super) const FIND_FLOOR: &str = "SELECT floor FROM merchants WHERE merchant = ?1";
/// A claim of the feed from before is rejected too.
pub(super) const RAISE_FLOOR: &str = "UPDATE merchants SET floor = MAX(floor, ?2), \
     dispatch_claim = dispatch_claim + 1, dispatch_leased_until = NULL WHERE merchant = ?1";
/// Covers the counts that accounts do not report. Those of accounts are read from their bodies.
pub(super) const FIND_HIGHEST_OBJECT: &str = "SELECT MAX(version) FROM objects WHERE merchant = ?1";
pub(super) const FIND_HIGHEST_CLOCK_JOB: &str =
    "SELECT MAX(claim) FROM clock_jobs WHERE merchant = ?1";
/// The following three read across the accounts and events of the merchant.
pub(super) const FIND_HIGHEST_CONNECTION: &str = "SELECT MAX(version) FROM connections \
     WHERE (bucket, account) IN \
     (SELECT a.bucket, a.account FROM accounts AS a WHERE a.merchant = ?1) \
     AND merchant = ?1";
pub(super) const FIND_HIGHEST_REFRESH: &str = "SELECT MAX(MAX(claim, sequence)) FROM refreshes \
     WHERE (bucket, account) IN \
     (SELECT a.bucket, a.account FROM accounts AS a WHERE a.merchant = ?1) \
     AND merchant = ?1";
pub(super) const FIND_HIGHEST_DELIVERY: &str = "SELECT MAX(claim) FROM deliveries \
     WHERE (bucket, shard, number) IN \
     (SELECT e.bucket, e.shard, e.number FROM events AS e WHERE e.merchant = ?1) \
     AND merchant = ?1";
pub(super) const LIST_ALL_ACCOUNTS: &str = "SELECT body FROM accounts WHERE merchant = ?1";
pub(super) const SET_ACCOUNT_BODY: &str =
    "UPDATE accounts SET body = ?4 WHERE bucket = ?1 AND account = ?2 AND merchant = ?3";
/// A restore makes the links of the restored accounts.
pub(super) const DELETE_ACCOUNT_LINKS: &str = "DELETE FROM account_links WHERE merchant = ?1";
pub(super) const DELETE_RECORD: &str = "DELETE FROM replies WHERE merchant = ?1 AND key = ?2";
pub(super) const DELETE_SNAPSHOT: &str =
    "DELETE FROM objects WHERE merchant = ?1 AND kind = 'snapshot' AND number = ?2";

/// The failpoint after each table that a restore or a reset clears, and after each that a restore
/// fills.
const BETWEEN_TABLES: &str = "between_tables";

const HIGHEST: [&str; 5] = [
    FIND_HIGHEST_OBJECT,
    FIND_HIGHEST_CLOCK_JOB,
    FIND_HIGHEST_CONNECTION,
    FIND_HIGHEST_REFRESH,
    FIND_HIGHEST_DELIVERY,
];

/// Measures a sandbox.
pub(crate) fn measure(
    command: &MeasureSandbox,
    reading: &Reading<'_>,
) -> Result<SandboxSize, Failure> {
    reading.in_transaction(|| size_of(command.merchant, reading))
}

/// Copies a sandbox.
pub(crate) fn take(command: &TakeSnapshot, batch: &Batch<'_>) -> Result<Snapshotted, Failure> {
    let TakeSnapshot { snapshot, snapshots_max, reply } = command;
    let owner = snapshot.merchant;
    let size = size_of(owner, &batch.reading())?;
    if !idempotency::record_optional(reply.as_ref(), batch)? {
        return Ok(Snapshotted::KeyTaken);
    }
    if !may_be_taken(&size) {
        return Ok(Snapshotted::TooLarge);
    }
    if size != snapshot.size {
        return Ok(Snapshotted::VersionConflict);
    }
    if !object::has_room(owner, batch)? {
        return Ok(Snapshotted::MerchantsFull);
    }
    if object::count_kind(owner, Kind::Snapshot, batch)? >= *snapshots_max as u64 {
        return Ok(Snapshotted::Full);
    }
    if !object::put_many(&[Object::Snapshot(snapshot.clone())], batch)? {
        return Err(Failure::Exists);
    }
    let id = column(snapshot.id.number());
    for merchant in &size.merchants {
        for table in SNAPSHOT_TABLES {
            let left_out = left_out(owner, *merchant);
            run(table.take, &[&column(merchant.number()), &left_out, &id], batch)?;
        }
    }
    Ok(Snapshotted::Done)
}

/// Removes a sandbox and restores a snapshot of it.
pub(crate) fn restore(
    command: &RestoreSnapshot,
    batch: &Batch<'_>,
) -> Result<Snapshotted, Failure> {
    let RestoreSnapshot { merchant: owner, snapshot, reply } = command;
    if !idempotency::record_optional(reply.as_ref(), batch)? {
        return Ok(Snapshotted::KeyTaken);
    }
    let Some(snapshot) = find_snapshot(*owner, *snapshot, batch)? else {
        return Ok(Snapshotted::Missing);
    };
    let Some(Cleared { floor, rows }) = clear(*owner, batch)? else {
        return Ok(Snapshotted::TooLarge);
    };
    let id = column(snapshot.id.number());
    for merchant in &snapshot.size.merchants {
        if !object::has_room(*merchant, batch)? {
            return Ok(Snapshotted::MerchantsFull);
        }
        let owner = *merchant;
        let merchant = column(merchant.number());
        for table in SNAPSHOT_TABLES {
            run(table.restore, &[&merchant, &id, &floor], batch)?;
            batch.failpoints.reach(BETWEEN_TABLES);
        }
        object_filter::rebuild(owner, batch)?;
        for account in list_accounts(merchant, batch)? {
            let known = rows.get(&account.id).copied();
            let account = account.restored(floor, known);
            let body = serde_json::to_string(&account)?;
            let values = params![account.id.bucket(), column(account.id.number()), merchant, body];
            batch.execute(SET_ACCOUNT_BODY, values)?;
            if !account::insert_link(&account, batch)? {
                return Err(Failure::Exists);
            }
        }
    }
    record_last(reply.as_ref(), batch)?;
    Ok(Snapshotted::Done)
}

/// Deletes a snapshot.
pub(crate) fn drop_snapshot(
    command: &DropSnapshot,
    batch: &Batch<'_>,
) -> Result<Snapshotted, Failure> {
    let DropSnapshot { merchant: owner, snapshot, reply } = command;
    if !idempotency::record_optional(reply.as_ref(), batch)? {
        return Ok(Snapshotted::KeyTaken);
    }
    let Some(snapshot) = find_snapshot(*owner, *snapshot, batch)? else {
        return Ok(Snapshotted::Missing);
    };
    let id = column(snapshot.id.number());
    for merchant in &snapshot.size.merchants {
        for table in SNAPSHOT_TABLES {
            run(table.drop, &[&column(merchant.number()), &id], batch)?;
        }
    }
    batch.execute(DELETE_SNAPSHOT, params![column(owner.number()), id])?;
    Ok(Snapshotted::Done)
}

/// Removes a sandbox.
pub(crate) fn reset(command: &ResetSandbox, batch: &Batch<'_>) -> Result<Snapshotted, Failure> {
    let ResetSandbox { merchant, reply } = command;
    if !idempotency::record_optional(reply.as_ref(), batch)? {
        return Ok(Snapshotted::KeyTaken);
    }
    if clear(*merchant, batch)?.is_none() {
        return Ok(Snapshotted::TooLarge);
    }
    record_last(reply.as_ref(), batch)?;
    Ok(Snapshotted::Done)
}

/// The counts of a sandbox that was removed.
struct Cleared {
    /// The number above all counts of its rows.
    floor: u32,
    /// The newest ordinal of each of its accounts.
    rows: BTreeMap<AccountId, u32>,
}

/// Removes a sandbox. Returns `None` if it is too large.
fn clear(owner: MerchantId, batch: &Batch<'_>) -> Result<Option<Cleared>, Failure> {
    let reading = batch.reading();
    let size = size_of(owner, &reading)?;
    if !may_be_removed(&size) {
        return Ok(None);
    }
    let mut counts = Vec::new();
    let mut rows = BTreeMap::new();
    for merchant in &size.merchants {
        let number = column(merchant.number());
        for sql in HIGHEST.into_iter().chain([FIND_FLOOR]) {
            let highest = reading.find(sql, [number], |row| optional_number(row, 0))?;
            counts.extend(highest.flatten());
        }
        for account in list_accounts(number, batch)? {
            counts.push(account.highest_count());
            rows.insert(account.id, account.rows);
        }
        for table in SNAPSHOT_TABLES {
            run(table.clear, &[&number, &left_out(owner, *merchant)], batch)?;
            batch.failpoints.reach(BETWEEN_TABLES);
        }
        batch.execute(DELETE_ACCOUNT_LINKS, [number])?;
        object_filter::rebuild(*merchant, batch)?;
    }
    let floor = floor_above(counts)?;
    for merchant in &size.merchants {
        batch.execute(RAISE_FLOOR, params![column(merchant.number()), floor])?;
    }
    Ok(Some(Cleared { floor, rows }))
}

/// Stores the record of a command that has removed or replaced all others. It replaces a restored
/// record of the same key.
fn record_last(reply: Option<&IdempotencyRecord>, batch: &Batch<'_>) -> Result<(), Failure> {
    if let Some(reply) = reply {
        let key = params![column(reply.merchant.number()), reply.key];
        batch.execute(DELETE_RECORD, key)?;
    }
    let free = idempotency::record_optional(reply, batch)?;
    assert!(free, "the key was freed in this very command");
    Ok(())
}

fn find_snapshot(
    owner: MerchantId,
    id: SnapshotId,
    batch: &Batch<'_>,
) -> Result<Option<SandboxSnapshot>, Failure> {
    let find = FindObject { merchant: owner, kind: Kind::Snapshot, number: id.number() };
    Ok(match object::find(&find, &batch.reading())? {
        Some(Object::Snapshot(snapshot)) => Some(snapshot),
        Some(other) => unreachable!("a row of kind snapshot was read as {:?}", other.kind()),
        None => None,
    })
}

fn size_of(owner: MerchantId, reading: &Reading<'_>) -> Result<SandboxSize, Failure> {
    let connected = reading.list(LIST_CONNECTED, [column(owner.number())], |row| {
        let account: model::connected_account::ConnectedAccount = from_json(row, 0)?;
        Ok(account.acts_as())
    })?;
    let connected: BTreeSet<MerchantId> = connected.into_iter().collect();
    let mut merchants = vec![owner];
    merchants.extend(connected);
    let mut size = SandboxSize { merchants, counts: BTreeMap::new(), bytes: 0 };
    for merchant in &size.merchants {
        let left_out = left_out(owner, *merchant);
        for SnapshotTable { measure, .. } in SNAPSHOT_TABLES {
            let mut statement = reading.connection.prepare_cached(measure)?;
            let values: [&dyn ToSql; 2] = [&column(merchant.number()), &left_out];
            let taken = &values[..statement.parameter_count()];
            let mut found = statement.query(taken)?;
            while let Some(row) = found.next()? {
                let kind: String = row.get(0)?;
                let rows = number(row, 1)?;
                if rows > 0 && kind != "idempotency_record" {
                    *size.counts.entry(kind).or_default() += rows;
                    size.bytes += number(row, 2)?;
                }
            }
        }
    }
    Ok(size)
}

/// The kind of object that stays, besides snapshots. The tie of a sandbox's owner to its platform
/// is not part of the sandbox.
fn left_out(owner: MerchantId, merchant: MerchantId) -> &'static str {
    if merchant == owner { Kind::PlatformTie.word() } else { Kind::Snapshot.word() }
}

fn list_accounts(merchant: i64, batch: &Batch<'_>) -> Result<Vec<Account>, Failure> {
    batch.reading().list(LIST_ALL_ACCOUNTS, [merchant], |row| from_json(row, 0))
}

/// Runs a statement with as many of the values as it takes.
fn run(sql: &str, values: &[&dyn ToSql], batch: &Batch<'_>) -> Result<(), Failure> {
    let mut statement = batch.connection.prepare_cached(sql)?;
    let taken = &values[..statement.parameter_count()];
    statement.execute(taken)?;
    Ok(())
}
