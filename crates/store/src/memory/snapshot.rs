//! Snapshots of sandboxes.

use super::{Memory, Rows, idempotency, object};
use crate::command::snapshot::may_be_taken;
use crate::store::Failure;
use crate::{DropSnapshot, Kind, MeasureSandbox, Object, Snapshotted, TakeSnapshot};
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
fn copy(merchants: &[MerchantId], memory: &Memory) -> Rows {
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
