//! Snapshots of sandboxes.

use super::{Memory, Rows, idempotency, object, place};
use crate::command::snapshot::{CopiedRows, may_be_taken};
use crate::store::Failure;
use crate::{
    BeginSnapshot, Begun, CopySandbox, DropSnapshot, FillSnapshot, FinishSnapshot, Kind,
    MeasureSandbox, Object, Replacement, SandboxCopy, Snapshotted, TakeSnapshot, Written,
};
use model::Word;
use model::id::{MerchantId, SnapshotId};
use model::snapshot::{SandboxSize, SandboxSnapshot};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Removes the matching rows from a map and returns them.
fn split<K: Ord + Clone, V>(
    map: &mut BTreeMap<K, V>,
    is_in: impl Fn(&K, &V) -> bool,
) -> BTreeMap<K, V> {
    let (inside, outside) = std::mem::take(map).into_iter().partition(|(key, row)| is_in(key, row));
    *map = outside;
    inside
}

/// Removes a sandbox from the collections and returns its rows.
pub(super) fn split_off(merchants: &[MerchantId], all: &mut Rows) -> Rows {
    let owner = merchants[0];
    let is_in = |merchant: &MerchantId| merchants.contains(merchant);
    let deliveries = split(&mut all.deliveries, |_, row| is_in(&row.merchant));
    Rows {
        objects: split(&mut all.objects, |(merchant, kind, _), _| {
            let stays = *kind == Kind::PlatformTie && *merchant == owner;
            is_in(merchant) && *kind != Kind::Snapshot && !stays
        }),
        accounts: split(&mut all.accounts, |_, row| is_in(&row.merchant)),
        connections: split(&mut all.connections, |_, row| is_in(&row.merchant)),
        ownerships: split(&mut all.ownerships, |_, (merchant, _)| is_in(merchant)),
        refreshes: split(&mut all.refreshes, |_, row| is_in(&row.merchant)),
        transactions: split(&mut all.transactions, |_, (merchant, _)| is_in(merchant)),
        events: split(&mut all.events, |_, row| is_in(&row.event.merchant)),
        attempts: split(&mut all.attempts, |(key, _), _| deliveries.contains_key(key)),
        deliveries,
        idempotency_records: split(&mut all.idempotency_records, |(merchant, _), _| {
            is_in(merchant)
        }),
        clock_jobs: split(&mut all.clock_jobs, |(merchant, _), _| is_in(merchant)),
    }
}

/// A copy of the rows of a sandbox.
fn copy_rows(merchants: &[MerchantId], memory: &Memory) -> Rows {
    split_off(merchants, &mut memory.rows.clone())
}

/// A platform, followed by the merchants of its connected accounts.
pub(super) fn merchants_of(owner: MerchantId, memory: &Memory) -> Vec<MerchantId> {
    let kind = Kind::ConnectedAccount;
    let rows = memory.rows.objects.range((owner, kind, 0)..=(owner, kind, u64::MAX));
    let connected: BTreeSet<MerchantId> = rows
        .map(|(_, object)| match object.as_ref() {
            Object::ConnectedAccount(account) => account.acts_as(),
            other => unreachable!("{:?} under the key of a connected account", other.kind()),
        })
        .collect();
    std::iter::once(owner).chain(connected).collect()
}

fn size_of(owner: MerchantId, memory: &Memory) -> Result<SandboxSize, Failure> {
    let merchants = merchants_of(owner, memory);
    let rows = copy_rows(&merchants, memory);
    let mut size = SandboxSize { merchants, counts: BTreeMap::new(), bytes: 0 };
    let mut count = |kind: &str, bytes: usize| {
        *size.counts.entry(kind.to_owned()).or_default() += 1;
        size.bytes += bytes as u64;
    };
    for object in rows.objects.values() {
        count(object.kind().word(), object.body()?.len());
    }
    for account in rows.accounts.values() {
        count("account", serde_json::to_string(account.as_ref())?.len());
    }
    rows.connections.values().for_each(|row| count("connection", row.state.len()));
    for (_, ownership) in rows.ownerships.values() {
        count("ownership", serde_json::to_string(ownership.as_ref())?.len());
    }
    rows.refreshes.values().for_each(|_| count("refresh", 0));
    for (_, row) in rows.transactions.values() {
        count("transaction", crate::sqlite::transaction_body_bytes(&row.shown));
    }
    for row in rows.events.values() {
        count("event", serde_json::to_string(row.event.as_ref())?.len());
    }
    rows.deliveries.values().for_each(|row| count("delivery", row.payload.len()));
    for attempt in rows.attempts.values() {
        count("attempt", serde_json::to_string(attempt.as_ref())?.len());
    }
    rows.clock_jobs.values().for_each(|_| count("clock_job", 0));
    Ok(size)
}

pub(crate) fn measure(command: &MeasureSandbox, memory: &Memory) -> Result<SandboxSize, Failure> {
    size_of(command.merchant, memory)
}

/// Reads the rows of a sandbox in one state.
pub(crate) fn copy(command: &CopySandbox, memory: &Memory) -> Result<SandboxCopy, Failure> {
    let size = size_of(command.merchant, memory)?;
    let rows = CopiedRows::Memory(Arc::new(copy_rows(&size.merchants, memory)));
    Ok(SandboxCopy { size, rows })
}

pub(crate) fn begin(command: &BeginSnapshot, memory: &mut Memory) -> Result<Begun, Failure> {
    let TakeSnapshot { copy, reply, .. } = &command.take;
    if reply.as_ref().is_some_and(|reply| idempotency::is_taken(reply, memory)) {
        return Ok(Begun::Rejected(Snapshotted::KeyTaken));
    }
    if !may_be_taken(&copy.size) {
        return Ok(Begun::Rejected(Snapshotted::TooLarge));
    }
    Ok(match find_full(&command.take, memory) {
        Some(full) => Begun::Rejected(full),
        None => Begun::Done(Replacement { id: 0, opened: 0, changes: 0 }),
    })
}

/// The result of a snapshot for which there is no room.
fn find_full(take: &TakeSnapshot, memory: &mut Memory) -> Option<Snapshotted> {
    let owner = take.snapshot.merchant;
    if !place::take(owner, memory) {
        return Some(Snapshotted::MerchantsFull);
    }
    let snapshots = object::live(memory, owner, Kind::Snapshot).count();
    (snapshots >= take.snapshots_max).then_some(Snapshotted::Full)
}

/// Stores no rows, because the model stores all rows when the snapshot becomes visible.
pub(crate) fn fill(_command: &FillSnapshot, _memory: &mut Memory) -> Result<Written, Failure> {
    Ok(Written::Done)
}

pub(crate) fn finish(
    command: &FinishSnapshot,
    memory: &mut Memory,
) -> Result<Snapshotted, Failure> {
    let TakeSnapshot { snapshot, copy, reply, .. } = &command.take;
    if !idempotency::record_optional(reply.as_ref(), memory) {
        return Ok(Snapshotted::KeyTaken);
    }
    if let Some(full) = find_full(&command.take, memory) {
        return Ok(full);
    }
    if !object::put_many(&[Object::Snapshot(snapshot.clone())], memory) {
        return Err(Failure::Exists);
    }
    let CopiedRows::Memory(rows) = &copy.rows else {
        unreachable!("the copy of a database cannot be stored in memory");
    };
    let mut rows = rows.as_ref().clone();
    if let Some(reply) = reply
        && copy.size.merchants.contains(&reply.merchant)
    {
        let key = (reply.merchant, reply.key.clone());
        rows.idempotency_records.insert(key, Arc::new(reply.clone()));
    }
    memory.snapshots.insert((snapshot.merchant, snapshot.id), Arc::new(rows));
    Ok(Snapshotted::Done)
}

pub(crate) fn drop_snapshot(
    command: &DropSnapshot,
    memory: &mut Memory,
) -> Result<Snapshotted, Failure> {
    let DropSnapshot { merchant: owner, snapshot, reply } = command;
    if !idempotency::record_optional(reply.as_ref(), memory) {
        return Ok(Snapshotted::KeyTaken);
    }
    memory.snapshots.remove(&(*owner, *snapshot));
    let object = memory.rows.objects.remove(&(*owner, Kind::Snapshot, snapshot.number()));
    Ok(if object.is_some() { Snapshotted::Done } else { Snapshotted::Missing })
}

pub(super) fn find_snapshot(
    owner: MerchantId,
    id: SnapshotId,
    memory: &Memory,
) -> Option<SandboxSnapshot> {
    let key = (owner, Kind::Snapshot, id.number());
    match memory.rows.objects.get(&key)?.as_ref() {
        Object::Snapshot(snapshot) => Some(snapshot.clone()),
        other => unreachable!("{:?} under the key of a snapshot", other.kind()),
    }
}
