//! Restores and resets. The model replaces all rows when the database makes a generation current, so
//! the other steps do nothing.

use super::snapshot::{find_snapshot, merchants_of, split_off};
use super::{ClockJob, Memory, Rows, idempotency, place};
use crate::command::snapshot::may_be_replaced;
use crate::store::Failure;
use crate::{
    BeginReplacement, Begun, BuildGeneration, Built, Connection, MeasureCounts, Replacement,
    Snapshotted, SwitchGeneration,
};
use model::delivery::Delivery;
use model::id::MerchantId;
use model::refresh::RefreshJob;
use std::collections::BTreeSet;
use std::sync::Arc;

pub(crate) fn measure(command: &MeasureCounts, memory: &Memory) -> Result<u64, Failure> {
    let merchants = merchants_of(command.merchant, memory);
    // Rows that stay count as well, so that the floor is above all of a merchant's objects.
    let objects = memory.rows.objects.values().filter(|row| merchants.contains(&row.merchant()));
    let mut counts: Vec<u64> = objects.map(|row| row.version()).collect();
    let rows = split_off(&merchants, &mut memory.rows.clone());
    counts.extend(rows.accounts.values().map(|row| row.highest_count()));
    counts.extend(rows.connections.values().map(|row| row.version));
    counts.extend(rows.refreshes.values().map(|job| u64::from(job.claim.max(job.key.sequence))));
    counts.extend(rows.deliveries.values().map(|row| u64::from(row.claim)));
    counts.extend(rows.clock_jobs.values().map(|job| u64::from(job.claim)));
    let known = merchants.iter().filter_map(|merchant| memory.merchants.get(merchant));
    counts.extend(known.map(|row| u64::from(row.floor)));
    Ok(counts.into_iter().max().unwrap_or(0))
}

pub(crate) fn begin(command: &BeginReplacement, memory: &mut Memory) -> Result<Begun, Failure> {
    let replacement = Replacement { id: 0, opened: 0, changes: 0 };
    let Some(id) = command.snapshot else { return Ok(Begun::Done(replacement)) };
    let Some(snapshot) = find_snapshot(command.merchant, id, memory) else {
        return Ok(Begun::Rejected(Snapshotted::Missing));
    };
    for merchant in snapshot.size.merchants {
        if !place::take(merchant, memory) {
            return Ok(Begun::Rejected(Snapshotted::MerchantsFull));
        }
    }
    Ok(Begun::Done(replacement))
}

pub(crate) fn build(command: &BuildGeneration, _memory: &mut Memory) -> Result<Built, Failure> {
    Ok(Built::Done(command.from.clone()))
}

pub(crate) fn switch(
    command: &SwitchGeneration,
    memory: &mut Memory,
) -> Result<Snapshotted, Failure> {
    let SwitchGeneration { merchant: owner, snapshot, floor, reply, .. } = command;
    if !idempotency::record_optional(reply.as_ref(), memory) {
        return Ok(Snapshotted::KeyTaken);
    }
    let mut merchants: BTreeSet<MerchantId> = merchants_of(*owner, memory).into_iter().collect();
    let removed: Vec<MerchantId> = merchants_of(*owner, memory);
    let mut rows = None;
    if let Some(id) = snapshot {
        let Some(snapshot) = find_snapshot(*owner, *id, memory) else {
            return Ok(Snapshotted::Missing);
        };
        merchants.extend(snapshot.size.merchants);
        rows = memory.snapshots.get(&(*owner, *id)).map(Arc::clone);
    }
    if !may_be_replaced(&merchants) {
        return Ok(Snapshotted::TooLarge);
    }
    split_off(&removed, &mut memory.rows);
    for merchant in &merchants {
        if let Some(row) = memory.merchants.get_mut(merchant) {
            row.floor = row.floor.max(*floor);
            row.claim += 1;
            row.leased_until = None;
        }
    }
    if let Some(rows) = rows {
        put_back(&rows, *floor, memory);
    }
    if let Some(reply) = reply {
        let key = (reply.merchant, reply.key.clone());
        memory.rows.idempotency_records.insert(key, Arc::new(reply.clone()));
    }
    Ok(Snapshotted::Done)
}

/// Puts copied rows back, without leases. Their counts go on from the floor.
fn put_back(rows: &Rows, floor: u32, memory: &mut Memory) {
    for (key, object) in &rows.objects {
        let mut object = object.as_ref().clone();
        object.set_version(u64::from(floor));
        memory.rows.objects.insert(*key, Arc::new(object));
    }
    for (id, account) in &rows.accounts {
        memory.rows.accounts.insert(*id, Arc::new(account.as_ref().clone().restored(floor)));
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
