//! Advances of test clocks.

use super::{
    ClockJob, Memory, account, event, idempotency, is_free, object, precondition, refresh,
};
use crate::store::Failure;
use crate::{
    ClaimClocks, ClockClaim, ClockItem, DueOnClock, ListDueOnClock, Object, StartAdvance,
    StepClock, Written, due_at,
};
use model::clock::ClockStatus;
use model::refresh::{RefreshStatus, RunAt};
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
    let ClaimClocks { now, leased_until, after, limit } = *command;
    let after = after.map(|claim| (claim.merchant, claim.clock));
    let free = memory.rows.clock_jobs.iter_mut().filter(|(_, job)| is_free(job.leased_until, now));
    let mut free: Vec<_> = free.collect();
    free.sort_by_key(|(key, _)| (Some(**key) <= after, **key));
    let claims = free.into_iter().take(limit).map(|((merchant, clock), job)| {
        job.claim += 1;
        job.leased_until = Some(leased_until);
        ClockClaim { merchant: *merchant, clock: *clock, number: job.claim }
    });
    Ok(claims.collect())
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
