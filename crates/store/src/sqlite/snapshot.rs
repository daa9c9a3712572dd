//! Snapshots of sandboxes. Restores are in `replace.rs`.
//!
//! A read copies the rows of one state, and the writer stores them in steps, so that it serves other
//! merchants between two of them. Until the last step no command finds the snapshot. After a crash its
//! rows stay until their lease has expired, and then the pruner removes them.

use super::generation::Generation;
use super::replace::{self, GenerationRow};
use super::sandbox_copy::CopyWriter;
use super::snapshot_table::{SNAPSHOT_TABLES, SnapshotTable};
use super::{
    Batch, Failure, Param, Reading, column, from_json, idempotency, number, object, place,
};
use crate::command::snapshot::{CopiedRows, may_be_taken};
use crate::{
    BeginSnapshot, Begun, CopySandbox, DropSnapshot, FillSnapshot, FindObject, FinishSnapshot,
    Kind, MeasureSandbox, Object, Replacement, SandboxCopy, Snapshotted, TakeSnapshot, Written,
};
use model::Word;
use model::id::{MerchantId, SnapshotId};
use model::limits::BUCKETS;
use model::snapshot::{SandboxSize, SandboxSnapshot};
use rusqlite::types::ToSqlOutput;
use rusqlite::{Statement, params};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub(super) const LIST_CONNECTED: &str =
    "SELECT body FROM objects WHERE merchant = ?1 AND kind = 'connected_account'";
pub(super) const DELETE_SNAPSHOT: &str =
    "DELETE FROM objects WHERE merchant = ?1 AND kind = 'snapshot' AND number = ?2";

/// Changes no row if the snapshot was given up.
pub(super) const EXTEND_FILLING: &str = "UPDATE generations SET leased_until = ?2 \
     WHERE state = 'filling' AND state <> 'current' AND replacement = ?1";
pub(super) const END_FILLING: &str = "DELETE FROM generations \
     WHERE state = 'filling' AND state <> 'current' AND replacement = ?1";
/// The record of the call that takes the snapshot, which may replace a record that has expired.
pub(super) const COPY_RECORD: &str = "INSERT INTO snapshot_replies (merchant, snapshot, key, \
     fingerprint, request_id, status, body, at) \
     SELECT ?1, ?2, key, fingerprint, request_id, status, body, at FROM replies \
     WHERE merchant = ?3 AND key = ?4 \
     ON CONFLICT (merchant, snapshot, key) DO UPDATE SET fingerprint = excluded.fingerprint, \
     request_id = excluded.request_id, status = excluded.status, body = excluded.body, \
     at = excluded.at";

/// Measures a sandbox.
pub(crate) fn measure(
    command: &MeasureSandbox,
    reading: &Reading<'_>,
) -> Result<SandboxSize, Failure> {
    reading.in_transaction(|| size_of(command.merchant, reading))
}

/// Reads the rows of a sandbox in one state.
pub(crate) fn copy(command: &CopySandbox, reading: &Reading<'_>) -> Result<SandboxCopy, Failure> {
    reading.in_transaction(|| {
        let size = size_of(command.merchant, reading)?;
        let mut writer = CopyWriter::beside(reading.connection);
        if may_be_taken(&size) {
            for merchant in &size.merchants {
                copy_rows(command.merchant, *merchant, &mut writer, reading)?;
            }
        }
        Ok(SandboxCopy { size, rows: CopiedRows::Database(Arc::new(writer.finish()?)) })
    })
}

/// Reads the rows of one merchant of a sandbox.
fn copy_rows(
    owner: MerchantId,
    merchant: MerchantId,
    writer: &mut CopyWriter,
    reading: &Reading<'_>,
) -> Result<(), Failure> {
    let Generation { owner: rows_of, turn } = reading.generation(merchant)?;
    let values: [Param<'_>; 4] = [
        (":merchant", &column(merchant.number())),
        (":owner", &rows_of),
        (":left_out", &left_out(owner, merchant)),
        // A turn back is a turn by the rest of the buckets.
        (":turn", &(BUCKETS - turn)),
    ];
    for (index, table) in SNAPSHOT_TABLES.iter().enumerate() {
        let mut statement = reading.connection.prepare_cached(table.take)?;
        bind_some(&mut statement, &values)?;
        let mut rows = statement.raw_query();
        while let Some(row) = rows.next()? {
            writer.push(index, row)?;
        }
    }
    Ok(())
}

/// Begins to take a snapshot.
pub(crate) fn begin(command: &BeginSnapshot, batch: &Batch<'_>) -> Result<Begun, Failure> {
    let TakeSnapshot { snapshot, copy, reply, .. } = &command.take;
    if let Some(reply) = reply
        && idempotency::is_taken(reply, batch)?
    {
        return Ok(Begun::Rejected(Snapshotted::KeyTaken));
    }
    if !may_be_taken(&copy.size) {
        return Ok(Begun::Rejected(Snapshotted::TooLarge));
    }
    if let Some(full) = find_full(&command.take, batch)? {
        return Ok(Begun::Rejected(full));
    }
    let mut series = Replacement { id: 0, opened: batch.opened, changes: 0 };
    for merchant in &copy.size.merchants {
        let generation = replace::new_generation(batch)?;
        if series.id == 0 {
            series.id = generation.owner;
        }
        let (merchant, snapshot_id) = (*merchant, Some(snapshot.id));
        let row = GenerationRow { merchant, generation, state: "filling", snapshot: snapshot_id };
        replace::put(&row, snapshot.merchant, series.id, batch)?;
    }
    Ok(Begun::Done(series))
}

/// The result of a snapshot for which there is no room.
fn find_full(take: &TakeSnapshot, batch: &Batch<'_>) -> Result<Option<Snapshotted>, Failure> {
    let owner = take.snapshot.merchant;
    if !place::take(owner, batch)? {
        return Ok(Some(Snapshotted::MerchantsFull));
    }
    let snapshots = object::count_kind(owner, Kind::Snapshot, batch)?;
    Ok((snapshots >= take.snapshots_max as u64).then_some(Snapshotted::Full))
}

/// Stores the rows of one step.
pub(crate) fn fill(command: &FillSnapshot, batch: &Batch<'_>) -> Result<Written, Failure> {
    let FillSnapshot { snapshot, replacement: series, rows } = command;
    if batch.execute(EXTEND_FILLING, params![series.id, replace::lease(batch)])? == 0 {
        return Ok(Written::VersionConflict);
    }
    let snapshot = column(snapshot.number());
    let mut rows = rows.reader();
    let mut next = rows.next_row();
    while let Some(index) = next {
        let mut insert = batch.connection.prepare_cached(SNAPSHOT_TABLES[index].store)?;
        let last = insert.parameter_count();
        insert.raw_bind_parameter(last, snapshot)?;
        // Rows of one table follow each other.
        while next == Some(index) {
            for position in 1..last {
                insert.raw_bind_parameter(position, ToSqlOutput::Borrowed(rows.next_value()))?;
            }
            insert.raw_execute()?;
            next = rows.next_row();
        }
    }
    Ok(Written::Done)
}

/// Makes a snapshot visible.
pub(crate) fn finish(command: &FinishSnapshot, batch: &Batch<'_>) -> Result<Snapshotted, Failure> {
    let FinishSnapshot { take, replacement: series } = command;
    let TakeSnapshot { snapshot, copy, reply, .. } = take;
    if !idempotency::record_optional(reply.as_ref(), batch)? {
        return Ok(Snapshotted::KeyTaken);
    }
    if batch.execute(END_FILLING, [series.id])? != copy.size.merchants.len() {
        return Ok(Snapshotted::VersionConflict);
    }
    if let Some(full) = find_full(take, batch)? {
        return Ok(full);
    }
    if !object::put_many(&[Object::Snapshot(snapshot.clone())], batch)? {
        return Err(Failure::Exists);
    }
    if let Some(reply) = reply
        && copy.size.merchants.contains(&reply.merchant)
    {
        let [merchant, id] = [reply.merchant.number(), snapshot.id.number()].map(column);
        let rows_of = batch.generation(reply.merchant)?.owner;
        batch.execute(COPY_RECORD, params![merchant, id, rows_of, reply.key])?;
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
