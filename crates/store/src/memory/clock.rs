//! Advances of test clocks.

use super::{
    ClockJob, Memory, account, event, idempotency, is_free, object, owner, precondition, refresh,
};
use crate::store::Failure;
use crate::{
    ClaimClocks, ClockClaim, ClockItem, DueOnClock, ListDueOnClock, Object, StartAdvance,
    StepClock, Written, due_at,
};
use model::clock::ClockStatus;
use model::id::MerchantId;
use model::refresh::{RefreshStatus, RunAt};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

pub(crate) fn start(command: &StartAdvance, memory: &mut Memory) -> Result<Written, Failure> {
    let StartAdvance { clock, events, reply } = command;
    if !idempotency::record_optional(reply.as_ref(), memory) {
        return Ok(Written::KeyTaken);
    }
    if !object::replace(&Object::TestClock(clock.clone()), memory) {
        return Ok(Written::VersionConflict);
    }
    let claim = memory.merchants.get(&clock.merchant).map_or(0, |row| row.floor);
    match memory.rows.clock_jobs.entry((clock.merchant, clock.id)) {
        Entry::Occupied(_) => return Ok(Written::VersionConflict),
        Entry::Vacant(free) => free.insert(ClockJob { claim, leased_until: None }),
    };
    event::insert_many(events, memory)?;
    Ok(Written::Done)
}

pub(crate) fn claim(
    command: &ClaimClocks,
    memory: &mut Memory,
) -> Result<Vec<ClockClaim>, Failure> {
    let ClaimClocks { now, leased_until, ref after, .. } = *command;
    let after = after.map(|claim| (claim.merchant, claim.clock));
    let rows = &mut memory.rows;
    let free = rows.clock_jobs.iter().filter(|(_, job)| is_free(job.leased_until, now));
    let mut free: Vec<_> = free.map(|(key, _)| *key).collect();
    free.sort_by_key(|key| (Some(*key) <= after, *key));
    let mut ranks: BTreeMap<MerchantId, usize> = BTreeMap::new();
    let due = free.iter().map(|(merchant, _)| {
        let rank = ranks.entry(*merchant).or_default();
        *rank += 1;
        (*merchant, owner(rows, *merchant), *rank - 1)
    });
    let in_progress = command.in_progress.iter().map(|merchant| owner(rows, *merchant));
    let mut claims = Vec::new();
    for at in command.choose(in_progress, due) {
        let (merchant, clock) = free[at];
        let Some(job) = rows.clock_jobs.get_mut(&free[at]) else { continue };
        job.claim += 1;
        job.leased_until = Some(leased_until);
        claims.push(ClockClaim { merchant, clock, number: job.claim });
    }
    Ok(claims)
}

pub(crate) fn list_due(command: &ListDueOnClock, memory: &Memory) -> Result<DueOnClock, Failure> {
    let ListDueOnClock { merchant, clock, until, limit } = *command;
    let mut accounts: Vec<_> = memory
        .rows
        .accounts
        .values()
        .filter(|account| account.merchant == merchant && account.clock == Some(clock))
        .filter_map(|account| Some((due_at(account)?, account)))
        .filter(|(at, _)| *at <= until)
        .collect();
    accounts.sort_by_key(|(at, account)| (*at, account.id));
    let mut refreshes: Vec<_> = memory
        .rows
        .refreshes
        .values()
        .filter(|job| job.merchant == merchant && job.clock == Some(clock))
        .filter(|job| job.status == RefreshStatus::Pending)
        .filter_map(|job| match job.run_at {
            RunAt::Server(at) => Some(((None, at.0, job.key), job)),
            RunAt::Clock(at) if at <= until => Some(((Some(at), 0, job.key), job)),
            RunAt::Clock(_) => None,
        })
        .collect();
    refreshes.sort_by_key(|(order, _)| *order);
    Ok(DueOnClock {
        accounts: accounts.into_iter().take(limit).map(|(_, row)| row.as_ref().clone()).collect(),
        refreshes: refreshes.into_iter().take(limit).map(|(_, job)| job.clone()).collect(),
        objects: object::due(memory, until, limit, |object| {
            object.merchant() == merchant && object.clock() == Some(clock)
        }),
    })
}

pub(crate) fn step(command: &StepClock, memory: &mut Memory) -> Result<Written, Failure> {
    let StepClock { claim, clock, items, events, leased_until } = command;
    let key = (claim.merchant, claim.clock);
    let claimed = memory.rows.clock_jobs.get_mut(&key).filter(|job| job.claim == claim.number);
    let Some(job) = claimed else { return Ok(Written::VersionConflict) };
    if clock.status == ClockStatus::Advancing {
        job.leased_until = Some(*leased_until);
    } else {
        memory.rows.clock_jobs.remove(&key);
    }
    if !object::replace(&Object::TestClock(clock.clone()), memory) {
        return Ok(Written::VersionConflict);
    }
    for item in items {
        let written = match item {
            ClockItem::Change(change) => {
                let fits = account::apply_change(change, None, memory)?;
                if fits { Written::Done } else { Written::VersionConflict }
            }
            ClockItem::Apply(apply) => refresh::apply(apply, memory)?,
            ClockItem::Fail(fail) => refresh::fail(fail, memory)?,
            ClockItem::PutOff(put_off) => refresh::put_off(put_off, memory)?,
            ClockItem::Objects { objects, requires, events } => {
                let fits =
                    precondition::all_hold(requires, memory) && object::put_many(objects, memory);
                event::insert_many(events, memory)?;
                if fits { Written::Done } else { Written::VersionConflict }
            }
        };
        if written != Written::Done {
            return Ok(written);
        }
    }
    event::insert_many(events, memory)?;
    Ok(Written::Done)
}
