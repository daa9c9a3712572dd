//! Snapshots of sandboxes: rows are copied from table to table, within the database. Restores are in
//! `replace.rs`.

use super::generation::Generation;
use super::replace::{self, GenerationRow};
use super::snapshot_table::{SNAPSHOT_TABLES, SnapshotTable};
use super::{Batch, Failure, Param, Reading, column, from_json, idempotency, number, object};
use crate::command::snapshot::may_be_taken;
use crate::{DropSnapshot, FindObject, Kind, MeasureSandbox, Object, Snapshotted, TakeSnapshot};
use model::Word;
use model::id::{MerchantId, SnapshotId};
use model::limits::BUCKETS;
use model::snapshot::{SandboxSize, SandboxSnapshot};
use rusqlite::{Statement, params};
use std::collections::{BTreeMap, BTreeSet};

pub(super) const LIST_CONNECTED: &str =
    "SELECT body FROM objects WHERE merchant = ?1 AND kind = 'connected_account'";
pub(super) const DELETE_SNAPSHOT: &str =
    "DELETE FROM objects WHERE merchant = ?1 AND kind = 'snapshot' AND number = ?2";

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
        let Generation { owner: rows, turn } = batch.generation(*merchant)?;
        let number = column(merchant.number());
        for table in SNAPSHOT_TABLES {
            let values: [Param<'_>; 5] = [
                (":owner", &rows),
                (":left_out", &left_out(owner, *merchant)),
                (":snapshot", &id),
                // A turn back is a turn by the rest of the buckets.
                (":turn", &(BUCKETS - turn)),
                (":merchant", &number),
            ];
            run(table.take, &values, batch)?;
        }
    }
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
    for merchant in snapshot.size.merchants {
        let generation = replace::new_generation(batch)?;
        let row =
            GenerationRow { merchant, generation, state: "dropped", snapshot: Some(snapshot.id) };
        replace::put(&row, *owner, generation.owner, batch)?;
    }
    let sandbox = batch.generation(*owner)?.owner;
    batch.execute(DELETE_SNAPSHOT, params![sandbox, column(snapshot.id.number())])?;
    Ok(Snapshotted::Done)
}

pub(super) fn find_snapshot(
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

/// A platform, followed by the merchants of its connected accounts.
pub(super) fn merchants_of(
    owner: MerchantId,
    reading: &Reading<'_>,
) -> Result<Vec<MerchantId>, Failure> {
    let rows_of = reading.generation(owner)?.owner;
    let connected = reading.list(LIST_CONNECTED, [rows_of], |row| {
        let account: model::connected_account::ConnectedAccount = from_json(row, 0)?;
        Ok(account.acts_as())
    })?;
    let connected: BTreeSet<MerchantId> = connected.into_iter().collect();
    Ok(std::iter::once(owner).chain(connected).collect())
}

fn size_of(owner: MerchantId, reading: &Reading<'_>) -> Result<SandboxSize, Failure> {
    let merchants = merchants_of(owner, reading)?;
    let mut size = SandboxSize { merchants, counts: BTreeMap::new(), bytes: 0 };
    for merchant in &size.merchants {
        let left_out = left_out(owner, *merchant);
        let rows_of = reading.generation(*merchant)?.owner;
        for SnapshotTable { measure, .. } in SNAPSHOT_TABLES {
            let mut statement = reading.connection.prepare_cached(measure)?;
            bind_some(&mut statement, &[(":owner", &rows_of), (":left_out", &left_out)])?;
            let mut found = statement.raw_query();
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
pub(super) fn left_out(owner: MerchantId, merchant: MerchantId) -> &'static str {
    if merchant == owner { Kind::PlatformTie.word() } else { Kind::Snapshot.word() }
}

/// Runs a statement of a table with the parameters that it has. Returns the number of changed rows.
pub(super) fn run(
    sql: &'static str,
    values: &[Param<'_>],
    batch: &Batch<'_>,
) -> Result<usize, Failure> {
    let mut statement = batch.connection.prepare_cached(sql)?;
    bind_some(&mut statement, values)?;
    Ok(statement.raw_execute()?)
}

/// Binds the parameters that a statement of a table has.
pub(super) fn bind_some(
    statement: &mut Statement<'_>,
    values: &[Param<'_>],
) -> Result<(), Failure> {
    for (name, value) in values {
        if let Some(index) = statement.parameter_index(name)? {
            statement.raw_bind_parameter(index, value)?;
        }
    }
    Ok(())
}
