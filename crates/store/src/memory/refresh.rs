//! Refreshes.

use super::{Memory, account, connection, in_turns, transaction};
use crate::store::Failure;
use crate::{ApplyRefresh, Claim, FailRefresh, ListDueAccounts, PutOffRefresh, Written, due_at};
use model::account::Account;
use model::refresh::{RefreshJob, RefreshStatus};
use std::sync::Arc;

/// The pending job of a claim, if the claim is the newest.
fn find_claimed<'a>(claim: &Claim, memory: &'a mut Memory) -> Option<&'a mut RefreshJob> {
    let job = memory.rows.refreshes.get_mut(&claim.key)?;
    let holds = job.merchant == claim.merchant
        && job.status == RefreshStatus::Pending
        && Some(job.claim) == claim.number;
    holds.then_some(job)
}

pub(crate) fn put_off(command: &PutOffRefresh, memory: &mut Memory) -> Result<Written, Failure> {
    let Some(job) = find_claimed(&command.claim, memory) else {
        return Ok(Written::VersionConflict);
    };
    job.run_at = command.run_at;
    job.attempts = command.attempts;
    job.leased_until = None;
    if let Some(connection) = &command.connection
        && !connection::replace(connection, memory)
    {
        return Ok(Written::VersionConflict);
    }
    Ok(Written::Done)
}

pub(crate) fn apply(command: &ApplyRefresh, memory: &mut Memory) -> Result<Written, Failure> {
    let ApplyRefresh { claim, change, rows, ownership } = command;
    if !end(claim, RefreshStatus::Succeeded, &change.started, memory) {
        return Ok(Written::VersionConflict);
    }
    let ended_now = Some((claim.key, RefreshStatus::Succeeded));
    if !account::apply_change(change, ended_now, memory)? {
        return Ok(Written::VersionConflict);
    }
    if let Some(ownership) = ownership {
        let row = (claim.merchant, Arc::new(ownership.clone()));
        memory.rows.ownerships.insert(ownership.id, row);
    }
    transaction::upsert_many(claim.merchant, rows, memory);
    Ok(Written::Done)
}

pub(crate) fn fail(command: &FailRefresh, memory: &mut Memory) -> Result<Written, Failure> {
    let FailRefresh { claim, change } = command;
    let ended_now = Some((claim.key, RefreshStatus::Failed));
    let fits = end(claim, RefreshStatus::Failed, &change.started, memory)
        && account::apply_change(change, ended_now, memory)?;
    Ok(if fits { Written::Done } else { Written::VersionConflict })
}

/// Ends the claimed job. Returns true if the claim is valid.
fn end(claim: &Claim, status: RefreshStatus, started: &[RefreshJob], memory: &mut Memory) -> bool {
    if claim.number.is_none() {
        return started.iter().any(|job| job.key == claim.key);
    }
    let Some(job) = find_claimed(claim, memory) else { return false };
    job.status = status;
    job.leased_until = None;
    true
}

pub(crate) fn list_due(
    command: &ListDueAccounts,
    memory: &Memory,
) -> Result<Vec<Account>, Failure> {
    let mut due: Vec<_> = memory
        .rows
        .accounts
        .values()
        .filter(|account| account.clock.is_none())
        .filter_map(|account| Some((due_at(account)?, account)))
        .filter(|(at, _)| *at <= command.now)
        .collect();
    due.sort_by_key(|(at, account)| (*at, account.id));
    let due = in_turns(due, |(_, account)| account.merchant).into_iter().take(command.limit);
    Ok(due.map(|(_, account)| account.as_ref().clone()).collect())
}
