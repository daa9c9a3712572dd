//! A restore and a reset: another generation of a sandbox becomes current.
//!
//! A restore builds the rows of the new generation beside the current ones, in steps, so that the
//! writer serves other merchants between two of them. One small commit makes the generation current,
//! and the rows of the old one are removed in steps. A crash leaves the old or the new state, and
//! rows that are not current. The pruner removes those.

use super::generation::Generation;
use super::snapshot::{bind_some, find_snapshot, left_out, merchants_of};
use super::snapshot_table::{SNAPSHOT_TABLES, SnapshotTable};
use super::{
    Batch, Failure, Param, Reading, account, column, from_json, idempotency, number, object_filter,
    optional_number, place,
};
use crate::command::snapshot::{KeyPart, may_be_replaced};
use crate::failpoint::BETWEEN_TABLES;
use crate::{
    BeginReplacement, Begun, BuildGeneration, BuildPosition, Built, IdempotencyRecord,
    MeasureCounts, Replacement, Snapshotted, SwitchGeneration, exact,
};
use model::account::Account;
use model::id::{MerchantId, SnapshotId};
use model::limits::{BUCKETS, REPLACE_BYTES_MAX, REPLACE_LEASE_MS, REPLACE_ROWS_MAX};
use rusqlite::types::{FromSql, FromSqlResult, ToSqlOutput, ValueRef};
use rusqlite::{Row, ToSql, named_params, params};
use std::collections::{BTreeMap, BTreeSet};

pub(super) const FIND_FLOOR: &str = "SELECT floor FROM merchants WHERE merchant = ?1";
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
pub(super) const COUNT_GENERATION: &str =
    "UPDATE counts SET value = value + 1 WHERE name = 'generations' RETURNING value";
pub(super) const PUT_GENERATION: &str = "INSERT INTO generations (owner, merchant, turn, state, \
     sandbox, replacement, snapshot, leased_until) \
     VALUES (:owner, :merchant, :turn, :state, :sandbox, :replacement, :snapshot, :leased_until) \
     ON CONFLICT (owner) DO UPDATE SET state = excluded.state, sandbox = excluded.sandbox, \
     replacement = excluded.replacement";
pub(super) const LIST_BUILDING: &str = "SELECT merchant, owner, turn FROM generations \
     WHERE state = 'building' AND state <> 'current' AND replacement = ?1";
pub(super) const EXTEND_LEASE: &str = "UPDATE generations SET leased_until = ?2 \
     WHERE state = 'building' AND state <> 'current' AND replacement = ?1";
/// A claim of the feed from before is rejected too.
pub(super) const SET_GENERATION: &str = "UPDATE merchants SET owner = ?2, turn = ?3, \
     floor = MAX(floor, ?4), dispatch_claim = dispatch_claim + 1, dispatch_leased_until = NULL \
     WHERE merchant = ?1";
/// Snapshots stay, and so does the tie of the sandbox's owner to its platform. They have no filters.
pub(super) const COPY_STAYING: &str = "INSERT INTO objects (merchant, kind, number, version, created, \
     deleted, customer, clock, lookup, secret, body, due_at, forget_at, filters) \
     SELECT ?2, kind, number, version, created, deleted, customer, clock, lookup, secret, body, \
     due_at, forget_at, filters FROM objects WHERE merchant = ?1 AND kind IN ('snapshot', ?3)";
pub(super) const DELETE_RECORD: &str = "DELETE FROM replies WHERE merchant = ?1 AND key = ?2";
const HIGHEST: [&str; 5] = [
    FIND_HIGHEST_OBJECT,
    FIND_HIGHEST_CLOCK_JOB,
    FIND_HIGHEST_CONNECTION,
    FIND_HIGHEST_REFRESH,
    FIND_HIGHEST_DELIVERY,
];

/// Finds the highest count of a sandbox.
pub(crate) fn measure(command: &MeasureCounts, reading: &Reading<'_>) -> Result<u64, Failure> {
    reading.in_transaction(|| {
        let mut counts = Vec::new();
        for merchant in merchants_of(command.merchant, reading)? {
            let known = column(merchant.number());
            let floor = reading.find(FIND_FLOOR, [known], |row| optional_number(row, 0))?;
            counts.extend(floor.flatten());
            let owner = reading.generation(merchant)?.owner;
            for sql in HIGHEST {
                let highest = reading.find(sql, [owner], |row| optional_number(row, 0))?;
                counts.extend(highest.flatten());
            }
            let count = |row: &Row<'_>| Ok(from_json::<Account>(row, 0)?.highest_count());
            counts.extend(reading.list(LIST_ALL_ACCOUNTS, [owner], count)?);
        }
        Ok(counts.into_iter().max().unwrap_or(0))
    })
}

/// Begins to replace a sandbox.
pub(crate) fn begin(command: &BeginReplacement, batch: &Batch<'_>) -> Result<Begun, Failure> {
    let BeginReplacement { merchant: sandbox, snapshot } = *command;
    let mut replacement = Replacement { id: 0, opened: batch.opened, changes: 0 };
    let Some(id) = snapshot else {
        replacement.changes = batch.connection.total_changes();
        return Ok(Begun::Done(replacement));
    };
    let Some(snapshot) = find_snapshot(sandbox, id, batch)? else {
        return Ok(Begun::Rejected(Snapshotted::Missing));
    };
    for merchant in snapshot.size.merchants {
        if !place::take(merchant, batch)? {
            return Ok(Begun::Rejected(Snapshotted::MerchantsFull));
        }
        let generation = new_generation(batch)?;
        if replacement.id == 0 {
            replacement.id = generation.owner;
        }
        let row = GenerationRow { merchant, generation, state: "building", snapshot: Some(id) };
        put(&row, sandbox, replacement.id, batch)?;
    }
    replacement.changes = batch.connection.total_changes();
    Ok(Begun::Done(replacement))
}

/// A generation that has never had rows. The turns of two successive ones of a merchant differ.
pub(super) fn new_generation(batch: &Batch<'_>) -> Result<Generation, Failure> {
    let counted = batch.reading().find(COUNT_GENERATION, [], |row| number(row, 0))?;
    let Some(counted) = counted else { return Err(Failure::Unreadable("counts.value")) };
    let turn = 1 + (counted - 1) % u64::from(BUCKETS - 1);
    Ok(Generation { owner: -column(counted), turn: exact(turn, "a turn is below BUCKETS") })
}

/// A row of the table of generations.
pub(super) struct GenerationRow {
    pub(super) merchant: MerchantId,
    pub(super) generation: Generation,
    pub(super) state: &'static str,
    pub(super) snapshot: Option<SnapshotId>,
}

/// Stores a generation of a sandbox, or gives a stored one another state.
pub(super) fn put(
    row: &GenerationRow,
    sandbox: MerchantId,
    replacement: i64,
    batch: &Batch<'_>,
) -> Result<(), Failure> {
    let GenerationRow { merchant, generation, state, snapshot } = row;
    let values = named_params! {
        ":owner": generation.owner,
        ":merchant": column(merchant.number()),
        ":turn": generation.turn,
        ":state": state,
        ":sandbox": column(sandbox.number()),
        ":replacement": replacement,
        ":snapshot": snapshot.map(|snapshot| column(snapshot.number())),
        ":leased_until": lease(batch),
    };
    batch.execute_named(PUT_GENERATION, &[values])?;
    Ok(())
}

/// The time until which the pruner leaves rows that a series is writing.
pub(super) fn lease(batch: &Batch<'_>) -> i64 {
    batch.now.plus_ms(REPLACE_LEASE_MS).0
}

/// The generations that a replacement builds.
fn building(
    replacement: &Replacement,
    batch: &Batch<'_>,
) -> Result<Vec<(MerchantId, Generation)>, Failure> {
    let mut building = batch.reading().list(LIST_BUILDING, [replacement.id], |row| {
        let generation = Generation { owner: row.get(1)?, turn: row.get(2)? };
        Ok((MerchantId::from_number(number(row, 0)?), generation))
    })?;
    building.sort_unstable_by_key(|(merchant, _)| *merchant);
    Ok(building)
}

/// Copies the next rows of a snapshot into the generations of a replacement.
pub(crate) fn build(command: &BuildGeneration, batch: &Batch<'_>) -> Result<Built, Failure> {
    let BuildGeneration { replacement, from, .. } = command;
    let building = building(replacement, batch)?;
    if building.is_empty() {
        return Ok(Built::VersionConflict);
    }
    let before = batch.connection.total_changes();
    batch.execute(EXTEND_LEASE, params![replacement.id, lease(batch)])?;
    let mut at = from.clone();
    let has_more = build_step(command, &building, &mut at, batch)?;
    at.changed += batch.connection.total_changes() - before;
    Ok(if has_more { Built::Next(at) } else { Built::Done(at) })
}

/// Copies rows from a position on until the step has done its work. Returns true if more may follow.
fn build_step(
    command: &BuildGeneration,
    building: &[(MerchantId, Generation)],
    at: &mut BuildPosition,
    batch: &Batch<'_>,
) -> Result<bool, Failure> {
    let BuildGeneration { snapshot, floor, .. } = *command;
    let mut budget = Budget { rows: REPLACE_ROWS_MAX, bytes: REPLACE_BYTES_MAX };
    for &(merchant, generation) in building.iter().skip(at.merchant) {
        let restored = RestoredRows { merchant, generation, snapshot, floor };
        for table in &SNAPSHOT_TABLES[at.table..] {
            at.key = restored.copy(table, at.key.take(), &mut budget, batch)?;
            if at.key.is_some() {
                return Ok(true);
            }
            at.table += 1;
            batch.failpoints.reach(BETWEEN_TABLES);
        }
        (at.merchant, at.table) = (at.merchant + 1, 0);
    }
    Ok(false)
}

/// The work that one step may still do.
struct Budget {
    rows: usize,
    bytes: usize,
}

impl Budget {
    fn spend(&mut self, bytes: usize) {
        self.rows -= 1;
        self.bytes = self.bytes.saturating_sub(bytes);
    }

    fn is_spent(&self) -> bool {
        self.rows == 0 || self.bytes == 0
    }
}

impl FromSql for KeyPart {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        match value {
            ValueRef::Integer(number) => Ok(Self::Number(number)),
            _ => value.as_str().map(|text| Self::Text(text.to_owned())),
        }
    }
}

impl ToSql for KeyPart {
    fn to_sql(&self) -> Result<ToSqlOutput<'_>, rusqlite::Error> {
        match self {
            Self::Number(number) => number.to_sql(),
            Self::Text(text) => text.to_sql(),
        }
    }
}

/// The rows of a merchant that are copied from a snapshot.
struct RestoredRows {
    merchant: MerchantId,
    generation: Generation,
    snapshot: SnapshotId,
    floor: u32,
}

impl RestoredRows {
    /// Copies rows of a table behind a key. Returns the last key if the budget is spent.
    fn copy(
        &self,
        table: &SnapshotTable,
        after: Option<Vec<KeyPart>>,
        budget: &mut Budget,
        batch: &Batch<'_>,
    ) -> Result<Option<Vec<KeyPart>>, Failure> {
        let after = after.unwrap_or_else(|| table.lowest_key());
        if budget.is_spent() {
            return Ok(Some(after));
        }
        let [merchant, snapshot] = [self.merchant.number(), self.snapshot.number()].map(column);
        let Generation { owner, turn } = self.generation;
        let limit = super::limit(budget.rows);
        let mut read = batch.connection.prepare_cached(table.read)?;
        let values: [Param<'_>; 5] = [
            (":merchant", &merchant),
            (":snapshot", &snapshot),
            (":floor", &self.floor),
            (":turn", &turn),
            (":row_limit", &limit),
        ];
        bind_some(&mut read, &values)?;
        for (column, part) in table.key.iter().zip(&after) {
            bind_some(&mut read, &[(&format!(":after_{column}"), part)])?;
        }
        let body = read.column_index("body").ok();
        let columns = read.column_count();
        let mut rows = read.raw_query();
        let mut insert = batch.connection.prepare_cached(table.insert)?;
        while let Some(row) = rows.next()? {
            let restored = match (table.table, body) {
                ("accounts", Some(body)) => Some(self.restore_account(row, body, batch)?),
                _ => None,
            };
            insert.raw_bind_parameter(1, owner)?;
            let mut bytes = 0;
            for (index, position) in (table.key.len()..columns).zip(2..) {
                let value = row.get_ref(index)?;
                bytes += value.as_bytes_or_null().ok().flatten().map_or(8, <[u8]>::len);
                match &restored {
                    Some(restored) if body == Some(index) => {
                        insert.raw_bind_parameter(position, restored)?;
                    }
                    _ => insert.raw_bind_parameter(position, ToSqlOutput::Borrowed(value))?,
                }
            }
            insert.raw_execute()?;
            if table.table == "objects" {
                let key: (String, i64) = (row.get(0)?, row.get(1)?);
                object_filter::insert_stored((owner, &key.0, key.1), batch)?;
            }
            budget.spend(bytes);
            if budget.is_spent() {
                let key = (0..table.key.len()).map(|index| row.get(index));
                return Ok(Some(key.collect::<Result<_, _>>()?));
            }
        }
        Ok(None)
    }

    /// Returns the restored body of an account, and stores its link.
    fn restore_account(
        &self,
        row: &Row<'_>,
        body: usize,
        batch: &Batch<'_>,
    ) -> Result<String, Failure> {
        let account: Account = from_json(row, body)?;
        let account = account.restored(self.floor);
        batch.generation.set(Some((self.merchant, self.generation)));
        let linked = account::insert_link(&account, batch);
        batch.generation.set(None);
        if linked? { Ok(serde_json::to_string(&account)?) } else { Err(Failure::Exists) }
    }
}

/// Makes the generations of a replacement current.
pub(crate) fn switch(
    command: &SwitchGeneration,
    batch: &Batch<'_>,
) -> Result<Snapshotted, Failure> {
    let SwitchGeneration { merchant: sandbox, snapshot, replacement, built, floor, slack, reply } =
        command;
    if !idempotency::record_optional(reply.as_ref(), batch)? {
        return Ok(Snapshotted::KeyTaken);
    }
    let mut building: BTreeMap<MerchantId, Generation> =
        building(replacement, batch)?.into_iter().collect();
    if let Some(snapshot) = snapshot {
        let Some(snapshot) = find_snapshot(*sandbox, *snapshot, batch)? else {
            return Ok(Snapshotted::Missing);
        };
        if building.len() != snapshot.size.merchants.len() {
            return Ok(Snapshotted::VersionConflict);
        }
    }
    // Each count grows by at most one with each changed row, so the floor is above all counts.
    let own = built.as_ref().map_or(0, |built| built.changed);
    let grown = batch.connection.total_changes() - replacement.changes - own;
    if batch.opened != replacement.opened || grown > u64::from(*slack) {
        return Ok(Snapshotted::VersionConflict);
    }
    let mut merchants: BTreeSet<MerchantId> = building.keys().copied().collect();
    merchants.extend(merchants_of(*sandbox, &batch.reading())?);
    if !may_be_replaced(&merchants) {
        return Ok(Snapshotted::TooLarge);
    }
    for merchant in merchants {
        let old = batch.generation(merchant)?;
        let new = match building.remove(&merchant) {
            Some(built) => built,
            None => new_generation(batch)?,
        };
        for (generation, state) in [(old, "retired"), (new, "current")] {
            let row = GenerationRow { merchant, generation, state, snapshot: None };
            put(&row, *sandbox, replacement.id, batch)?;
        }
        let values = params![column(merchant.number()), new.owner, new.turn, floor];
        batch.execute(SET_GENERATION, values)?;
        let kind = left_out(*sandbox, merchant);
        batch.execute(COPY_STAYING, params![old.owner, new.owner, kind])?;
    }
    batch.generation.set(None);
    batch.known.begin_switch();
    record_last(reply.as_ref(), batch)?;
    Ok(Snapshotted::Done)
}

/// Stores the record of a command that has replaced all others. It replaces a restored record of the
/// same key.
fn record_last(reply: Option<&IdempotencyRecord>, batch: &Batch<'_>) -> Result<(), Failure> {
    if let Some(reply) = reply {
        let owner = batch.generation(reply.merchant)?.owner;
        batch.execute(DELETE_RECORD, params![owner, reply.key])?;
    }
    let free = idempotency::record_optional(reply, batch)?;
    assert!(free, "the key was freed in this very command");
    Ok(())
}
