//! Snapshots of sandboxes.

use super::{ClockJob, Memory, Rows, idempotency, object};
use crate::command::snapshot::{floor_above, may_be_removed, may_be_taken};
use crate::store::Failure;
use crate::{
    Connection, DropSnapshot, IdempotencyRecord, Kind, MeasureSandbox, Object, ResetSandbox,
    RestoreSnapshot, Snapshotted, TakeSnapshot,
};
use model::Word;
use model::delivery::Delivery;
use model::id::{MerchantId, SnapshotId};
use model::refresh::RefreshJob;
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
fn split_off(merchants: &[MerchantId], all: &mut Rows) -> Rows {
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
fn copy(merchants: &[MerchantId], memory: &Memory) -> Rows {
    split_off(merchants, &mut memory.rows.clone())
}

/// A platform, followed by the merchants of its connected accounts.
fn merchants_of(owner: MerchantId, memory: &Memory) -> Vec<MerchantId> {
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
    let rows = copy(&merchants, memory);
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

pub(crate) fn take(command: &TakeSnapshot, memory: &mut Memory) -> Result<Snapshotted, Failure> {
    let TakeSnapshot { snapshot, snapshots_max, reply } = command;
    let owner = snapshot.merchant;
    if !idempotency::record_optional(reply.as_ref(), memory) {
        return Ok(Snapshotted::KeyTaken);
    }
    let size = size_of(owner, memory)?;
    if !may_be_taken(&size) {
        return Ok(Snapshotted::TooLarge);
    }
    if size != snapshot.size {
        return Ok(Snapshotted::VersionConflict);
    }
    if !object::has_room(owner, memory) {
        return Ok(Snapshotted::MerchantsFull);
    }
    if object::live(memory, owner, Kind::Snapshot).count() >= *snapshots_max {
        return Ok(Snapshotted::Full);
    }
    if !object::put_many(&[Object::Snapshot(snapshot.clone())], memory) {
        return Err(Failure::Exists);
    }
    let rows = copy(&size.merchants, memory);
    memory.snapshots.insert((owner, snapshot.id), Arc::new(rows));
    Ok(Snapshotted::Done)
}

pub(crate) fn restore(
    command: &RestoreSnapshot,
    memory: &mut Memory,
) -> Result<Snapshotted, Failure> {
    let RestoreSnapshot { merchant: owner, snapshot, reply } = command;
    if !idempotency::record_optional(reply.as_ref(), memory) {
        return Ok(Snapshotted::KeyTaken);
    }
    let Some(snapshot) = find_snapshot(*owner, *snapshot, memory) else {
        return Ok(Snapshotted::Missing);
    };
    let Some((floor, removed)) = clear(*owner, memory)? else {
        return Ok(Snapshotted::TooLarge);
    };
    for merchant in &snapshot.size.merchants {
        if !object::has_room(*merchant, memory) {
            return Ok(Snapshotted::MerchantsFull);
        }
    }
    if let Some(rows) = memory.snapshots.get(&(*owner, snapshot.id)).map(Arc::clone) {
        // The numbers of ids are used once, so a removed row cannot exist again.
        let taken = rows.accounts.keys().any(|id| memory.rows.accounts.contains_key(id))
            || rows.events.keys().any(|id| memory.rows.events.contains_key(id));
        if taken {
            return Err(Failure::Exists);
        }
        put_back(&rows, floor, &removed, memory);
    }
    record_last(reply.as_ref(), memory);
    Ok(Snapshotted::Done)
}

/// Puts copied rows back, without leases. Their counts go on from the floor.
fn put_back(rows: &Rows, floor: u32, removed: &Rows, memory: &mut Memory) {
    for (key, object) in &rows.objects {
        let mut object = object.as_ref().clone();
        object.set_version(u64::from(floor));
        memory.rows.objects.insert(*key, Arc::new(object));
    }
    for (id, account) in &rows.accounts {
        let known = removed.accounts.get(id).map(|account| account.rows);
        memory.rows.accounts.insert(*id, Arc::new(account.as_ref().clone().restored(floor, known)));
    }
    for (id, connection) in &rows.connections {
        let version = u64::from(floor);
        let connection = Connection { version, ..connection.as_ref().clone() };
        memory.rows.connections.insert(*id, Arc::new(connection));
    }
    for (key, job) in &rows.refreshes {
        let job = RefreshJob { claim: floor, leased_until: None, ..job.clone() };
        memory.rows.refreshes.insert(*key, job);
    }
    for (key, delivery) in &rows.deliveries {
        let delivery = Delivery { claim: floor, leased_until: None, ..delivery.as_ref().clone() };
        memory.rows.deliveries.insert(*key, Arc::new(delivery));
    }
    for key in rows.clock_jobs.keys() {
        memory.rows.clock_jobs.insert(*key, ClockJob { claim: floor, leased_until: None });
    }
    memory.rows.ownerships.extend(rows.ownerships.iter().map(|(id, row)| (*id, row.clone())));
    memory.rows.transactions.extend(rows.transactions.iter().map(|(id, row)| (*id, row.clone())));
    memory.rows.events.extend(rows.events.iter().map(|(id, row)| (*id, row.clone())));
    memory.rows.attempts.extend(rows.attempts.iter().map(|(key, row)| (*key, row.clone())));
    memory
        .rows
        .idempotency_records
        .extend(rows.idempotency_records.iter().map(|(key, row)| (key.clone(), row.clone())));
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

pub(crate) fn reset(command: &ResetSandbox, memory: &mut Memory) -> Result<Snapshotted, Failure> {
    let ResetSandbox { merchant, reply } = command;
    if !idempotency::record_optional(reply.as_ref(), memory) {
        return Ok(Snapshotted::KeyTaken);
    }
    if clear(*merchant, memory)?.is_none() {
        return Ok(Snapshotted::TooLarge);
    }
    record_last(reply.as_ref(), memory);
    Ok(Snapshotted::Done)
}

/// Removes a sandbox. Returns the floor above all counts of its rows, and the rows. Returns `None`
/// if the sandbox is too large.
fn clear(owner: MerchantId, memory: &mut Memory) -> Result<Option<(u32, Rows)>, Failure> {
    let size = size_of(owner, memory)?;
    if !may_be_removed(&size) {
        return Ok(None);
    }
    let merchants = &size.merchants;
    // Rows that stay count as well, so that the floor is above all of a merchant's objects.
    let objects = memory.rows.objects.values().filter(|row| merchants.contains(&row.merchant()));
    let mut counts: Vec<u64> = objects.map(|row| row.version()).collect();
    let rows = split_off(merchants, &mut memory.rows);
    counts.extend(rows.accounts.values().map(|row| row.highest_count()));
    counts.extend(rows.connections.values().map(|row| row.version));
    counts.extend(rows.refreshes.values().map(|job| u64::from(job.claim.max(job.key.sequence))));
    counts.extend(rows.deliveries.values().map(|row| u64::from(row.claim)));
    counts.extend(rows.clock_jobs.values().map(|job| u64::from(job.claim)));
    let known = merchants.iter().filter_map(|merchant| memory.merchants.get(merchant));
    counts.extend(known.map(|row| u64::from(row.floor)));
    let floor = floor_above(counts)?;
    for merchant in merchants {
        if let Some(row) = memory.merchants.get_mut(merchant) {
            row.floor = floor;
            row.claim += 1;
            row.leased_until = None;
        }
    }
    Ok(Some((floor, rows)))
}

/// Stores the record of a command that has removed or replaced all others. It replaces a restored
/// record of the same key.
fn record_last(reply: Option<&IdempotencyRecord>, memory: &mut Memory) {
    if let Some(reply) = reply {
        let key = (reply.merchant, reply.key.clone());
        memory.rows.idempotency_records.insert(key, Arc::new(reply.clone()));
    }
}

fn find_snapshot(owner: MerchantId, id: SnapshotId, memory: &Memory) -> Option<SandboxSnapshot> {
    let key = (owner, Kind::Snapshot, id.number());
    match memory.rows.objects.get(&key)?.as_ref() {
        Object::Snapshot(snapshot) => Some(snapshot.clone()),
        other => unreachable!("{:?} under the key of a snapshot", other.kind()),
    }
}
