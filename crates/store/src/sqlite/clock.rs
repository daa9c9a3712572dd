//! Advances of test clocks.

use super::generation::Idle;
use super::share::Owners;
use super::{
    Batch, Failure, Reading, account, column, event, feed, from_json, idempotency, next_claim,
    number, object, precondition, refresh,
};
use crate::{
    ClaimClocks, ClockClaim, ClockItem, DueOnClock, ListDueOnClock, Object, StartAdvance,
    StepClock, Written,
};
use model::clock::ClockStatus;
use model::id::{ClockId, MerchantId};
use rusqlite::params;
use std::collections::HashMap;

pub(super) const INSERT_CLOCK_JOB: &str = "INSERT INTO clock_jobs (merchant, clock, claim, \
     leased_until) VALUES (?1, ?2, ?3, NULL) ON CONFLICT DO NOTHING";
/// Exempt, because workers claim for all merchants.
pub(super) const LIST_CLAIMABLE_CLOCKS: &str = "SELECT merchant, clock, claim FROM clock_jobs \
     WHERE leased_until IS NULL OR leased_until <= ?1 \
     ORDER BY (merchant, clock) <= (?2, ?3), merchant, clock";
pub(super) const CLAIM_CLOCK: &str = "UPDATE clock_jobs SET claim = ?3, leased_until = ?4 \
     WHERE merchant = ?1 AND clock = ?2";
pub(super) const CONTINUE_CLOCK: &str = "UPDATE clock_jobs SET leased_until = ?4 \
     WHERE merchant = ?1 AND clock = ?2 AND claim = ?3";
pub(super) const DELETE_CLOCK_JOB: &str =
    "DELETE FROM clock_jobs WHERE merchant = ?1 AND clock = ?2 AND claim = ?3";
pub(super) const LIST_DUE_ACCOUNTS_ON_CLOCK: &str = "SELECT body FROM accounts \
     WHERE merchant = ?1 AND clock = ?2 AND due_at IS NOT NULL AND due_at <= ?3 \
     ORDER BY due_at, account LIMIT ?4";
pub(super) const LIST_DUE_REFRESHES_ON_CLOCK: &str = "SELECT account, feature, sequence, \
     merchant, clock, status, started_at, run_server, run_clock, claim, leased_until, attempts, \
     started_server FROM refreshes WHERE merchant = ?1 AND clock = ?2 AND status = 'pending' \
     AND (run_clock IS NULL OR run_clock <= ?3) \
     ORDER BY run_clock, run_server, account, feature LIMIT ?4";
pub(super) const LIST_DUE_OBJECTS_ON_CLOCK: &str = "SELECT body, secret, kind FROM objects \
     WHERE merchant = ?1 AND clock = ?2 AND due_at IS NOT NULL AND due_at <= ?3 \
     ORDER BY due_at, number, kind LIMIT ?4";

/// Starts an advance.
pub(crate) fn start(command: &StartAdvance, batch: &Batch<'_>) -> Result<Written, Failure> {
    if !idempotency::record_optional(command.reply.as_ref(), batch)? {
        return Ok(Written::KeyTaken);
    }
    let clock = &command.clock;
    let key = params![
        batch.generation(clock.merchant)?.owner,
        column(clock.id.number()),
        feed::floor(clock.merchant, batch)?,
    ];
    if !object::replace(&Object::TestClock(clock.clone()), batch)?
        || batch.execute(INSERT_CLOCK_JOB, key)? == 0
    {
        return Ok(Written::VersionConflict);
    }
    event::insert_many(&command.events, batch)?;
    Ok(Written::Done)
}

/// Claims advances.
pub(crate) fn claim(command: &ClaimClocks, batch: &Batch<'_>) -> Result<Vec<ClockClaim>, Failure> {
    let reading = batch.reading();
    let idle = Idle::list(&reading)?;
    let after = match command.after {
        Some(claim) => (batch.generation(claim.merchant)?.owner, column(claim.clock.number())),
        None => (i64::MIN, i64::MIN),
    };
    let due = params![command.now.0, after.0, after.1];
    let rows: Vec<Option<(i64, ClockClaim)>> = reading.list(LIST_CLAIMABLE_CLOCKS, due, |row| {
        idle.pass(row.get(0)?, &reading, |merchant| {
            let clock = ClockId::from_number(number(row, 1)?);
            let number = next_claim(row.get(2)?)?;
            Ok((row.get(0)?, ClockClaim { merchant, clock, number }))
        })
    })?;
    let rows: Vec<_> = rows.into_iter().flatten().collect();
    let mut owners = Owners::default();
    let mut in_progress = Vec::new();
    for &merchant in &command.in_progress {
        let row_owner = batch.generation(merchant)?.owner;
        in_progress.push(owners.of(merchant, row_owner, &reading)?);
    }
    let mut ranks: HashMap<MerchantId, usize> = HashMap::new();
    let mut due = Vec::new();
    for (row_owner, claim) in &rows {
        let rank = ranks.entry(claim.merchant).or_default();
        due.push((claim.merchant, owners.of(claim.merchant, *row_owner, &reading)?, *rank));
        *rank += 1;
    }
    let mut claims = Vec::new();
    for at in command.choose(in_progress.into_iter(), due.into_iter()) {
        let (owner, claim) = rows[at];
        let clock = column(claim.clock.number());
        let values = params![owner, clock, claim.number, command.leased_until.0];
        batch.execute(CLAIM_CLOCK, values)?;
        claims.push(claim);
    }
    Ok(claims)
}

/// Lists the due work of a clock.
pub(crate) fn list_due(
    command: &ListDueOnClock,
    reading: &Reading<'_>,
) -> Result<DueOnClock, Failure> {
    let ListDueOnClock { merchant, clock, until, limit } = command;
    let owner = reading.generation(*merchant)?.owner;
    let key = params![owner, column(clock.number()), until.0, super::limit(*limit)];
    reading.in_transaction(|| {
        let accounts = reading.list(LIST_DUE_ACCOUNTS_ON_CLOCK, key, |row| from_json(row, 0))?;
        let refreshes =
            reading.list(LIST_DUE_REFRESHES_ON_CLOCK, key, |row| refresh::read(*merchant, row))?;
        let objects = reading.list(LIST_DUE_OBJECTS_ON_CLOCK, key, |row| {
            object::read_of_any_kind(*merchant, row, reading.seal)
        })?;
        Ok(DueOnClock { accounts, refreshes, objects })
    })
}

/// Stores a step of an advance.
pub(crate) fn step(command: &StepClock, batch: &Batch<'_>) -> Result<Written, Failure> {
    let StepClock { claim, clock, items, events, leased_until } = command;
    let merchant = batch.generation(claim.merchant)?.owner;
    let number = column(claim.clock.number());
    let changed = if clock.status == ClockStatus::Advancing {
        let values = params![merchant, number, claim.number, leased_until.0];
        batch.execute(CONTINUE_CLOCK, values)?
    } else {
        batch.execute(DELETE_CLOCK_JOB, params![merchant, number, claim.number])?
    };
    if changed == 0 || !object::replace(&Object::TestClock(clock.clone()), batch)? {
        return Ok(Written::VersionConflict);
    }
    for item in items {
        let written = match item {
            ClockItem::Change(change) => {
                let fits = account::apply_change(change, None, batch)?;
                if fits { Written::Done } else { Written::VersionConflict }
            }
            ClockItem::Apply(apply) => refresh::apply(apply, batch)?,
            ClockItem::Fail(fail) => refresh::fail(fail, batch)?,
            ClockItem::PutOff(put_off) => refresh::put_off(put_off, batch)?,
            ClockItem::Objects { objects, requires, events } => {
                let fits =
                    precondition::all_hold(requires, batch)? && object::put_many(objects, batch)?;
                event::insert_many(events, batch)?;
                if fits { Written::Done } else { Written::VersionConflict }
            }
        };
        if written != Written::Done {
            return Ok(written);
        }
    }
    event::insert_many(events, batch)?;
    Ok(Written::Done)
}
