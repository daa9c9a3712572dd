//! The claim of due refreshes.

use super::generation::Idle;
use super::refresh::read;
use super::share::share_owner;
use super::{Batch, Failure, Reading, column, next_claim, optional_number};
use crate::command::share::{Candidate, Choice, choose};
use crate::{ClaimRefreshes, ClaimedRefreshes, RefreshLoad};
use model::Word;
use model::id::{InstitutionId, MerchantId};
use model::limits::REFRESHES_READ_MAX;
use model::refresh::RefreshJob;
use model::share::has_share;
use rusqlite::{named_params, params};

/// Exempt, because workers claim for all merchants. The order is that of the index.
pub(super) const FIND_NEXT_MERCHANT: &str = "SELECT merchant, run_server FROM refreshes \
     WHERE status = 'pending' AND run_server IS NOT NULL AND merchant > ?1 \
     ORDER BY merchant, run_server LIMIT 1";
/// Reads across the accounts of the merchant.
pub(super) const LIST_CLAIMABLE: &str = "SELECT r.account, r.feature, r.sequence, r.merchant, \
     r.clock, r.status, r.started_at, r.run_server, r.run_clock, r.claim, r.leased_until, \
     r.attempts, r.started_server, (SELECT a.institution FROM accounts AS a \
     WHERE a.bucket = r.bucket AND a.account = r.account AND a.merchant = ?1) \
     FROM refreshes AS r \
     WHERE r.status = 'pending' AND r.run_server IS NOT NULL AND r.merchant = ?1 \
     AND r.run_server <= ?2 AND (r.leased_until IS NULL OR r.leased_until <= ?2) \
     AND NOT EXISTS (SELECT 1 FROM clock_jobs AS j \
     WHERE j.merchant = ?1 AND j.clock = r.clock) \
     ORDER BY r.run_server, r.account, r.feature LIMIT ?3";
pub(super) const CLAIM_REFRESH: &str = "UPDATE refreshes SET claim = :claim, attempts = :attempts, \
     leased_until = :leased_until WHERE bucket = :bucket AND account = :account \
     AND feature = :feature AND sequence = :sequence AND merchant = :merchant";

/// A merchant with due refreshes.
#[derive(Clone, Copy)]
struct Due {
    merchant: MerchantId,
    /// The owner of its current generation.
    row_owner: i64,
    /// The owner of its share.
    owner: MerchantId,
}

/// A job with the institution of its account and its position among those of its merchant.
struct DueRefresh {
    of: Due,
    job: RefreshJob,
    institution: InstitutionId,
    rank: usize,
}

/// Claims refreshes that may run.
pub(crate) fn claim(
    command: &ClaimRefreshes,
    batch: &Batch<'_>,
) -> Result<ClaimedRefreshes, Failure> {
    let mut claimed = ClaimedRefreshes::default();
    for DueRefresh { of, mut job, institution, .. } in list_due(command, &batch.reading())? {
        job.claim = next_claim(job.claim)?;
        job.attempts = next_claim(job.attempts)?;
        job.leased_until = Some(command.leased_until);
        let key = job.key;
        let generation = batch.generation(job.merchant)?;
        batch.execute_named(
            CLAIM_REFRESH,
            &[named_params! {
                ":claim": job.claim,
                ":attempts": job.attempts,
                ":leased_until": command.leased_until.0,
                ":bucket": generation.bucket(key.account.number()),
                ":account": column(key.account.number()),
                ":feature": key.feature.word(),
                ":sequence": key.sequence,
                ":merchant": generation.owner,
            }],
        )?;
        claimed.jobs.push(job);
        claimed.loads.push(RefreshLoad { owner: of.owner, institution, refreshes: 1 });
    }
    Ok(claimed)
}

/// The jobs that a claim takes, in the order of their turns.
///
/// Each merchant is read as far as an equal part of the claim. A merchant that has more is read again,
/// twice as far, if it ran out of jobs before the claim was full. That happens when the shares of its
/// first institutions are used up. A claim reads at most [`REFRESHES_READ_MAX`] jobs of a merchant.
fn list_due(command: &ClaimRefreshes, reading: &Reading<'_>) -> Result<Vec<DueRefresh>, Failure> {
    let mut open = merchants_with_due(command, reading)?;
    let mut jobs: Vec<DueRefresh> = Vec::new();
    let mut depth = 0;
    loop {
        depth = command.limit.div_ceil(open.len().max(1)).max(2 * depth).min(REFRESHES_READ_MAX);
        jobs.retain(|job| !open.iter().any(|due| due.merchant == job.of.merchant));
        let mut with_more = Vec::new();
        for due in open {
            let before = jobs.len();
            list_of(due, command, depth, &mut jobs, reading)?;
            if jobs.len() - before == depth && depth < REFRESHES_READ_MAX {
                with_more.push(due);
            }
        }
        let candidates = jobs.iter().map(|DueRefresh { of, job, institution, rank }| {
            ClaimRefreshes::candidate((job, *institution), *rank, of.owner)
        });
        let candidates: Vec<Candidate<InstitutionId>> = candidates.collect();
        let choice = choose(&candidates, command.limit, command.shares(), ClaimRefreshes::allows);
        open = with_more;
        open.retain(|due| may_have_more(due.owner, &choice));
        if open.is_empty() {
            let mut jobs: Vec<_> = jobs.into_iter().map(Some).collect();
            return Ok(choice.taken.into_iter().filter_map(|at| jobs[at].take()).collect());
        }
    }
}

/// True if an owner ran out of jobs and has a share for others.
fn may_have_more(owner: MerchantId, choice: &Choice<InstitutionId>) -> bool {
    choice.ran_out.contains(&owner) && has_share(choice.shares.places_of(owner), choice.shares.free)
}

/// The merchants with refreshes that may run, except those without a free share.
fn merchants_with_due(
    command: &ClaimRefreshes,
    reading: &Reading<'_>,
) -> Result<Vec<Due>, Failure> {
    let idle = Idle::list(reading)?;
    let shares = command.shares();
    let mut open = Vec::new();
    let mut last = i64::MIN;
    while let Some((row_owner, run_server)) = next_merchant(last, reading)? {
        last = row_owner;
        if run_server > command.now.0 || idle.has(row_owner) {
            continue;
        }
        let merchant = reading.merchant(row_owner)?;
        let owner = share_owner(merchant, row_owner, reading)?;
        if has_share(shares.places_of(owner), command.free) {
            open.push(Due { merchant, row_owner, owner });
        }
    }
    Ok(open)
}

/// The next merchant with a pending refresh in real time, and the first time at which one may run.
pub(super) fn next_merchant(
    after: i64,
    reading: &Reading<'_>,
) -> Result<Option<(i64, i64)>, Failure> {
    reading.find(FIND_NEXT_MERCHANT, [after], |row| Ok((row.get(0)?, row.get(1)?)))
}

/// Adds the first due jobs of a merchant.
fn list_of(
    of: Due,
    command: &ClaimRefreshes,
    depth: usize,
    jobs: &mut Vec<DueRefresh>,
    reading: &Reading<'_>,
) -> Result<(), Failure> {
    let key = params![of.row_owner, command.now.0, super::limit(depth)];
    let listed = reading.list(LIST_CLAIMABLE, key, |row| {
        let institution = InstitutionId::from_number(optional_number(row, 13)?.unwrap_or(0));
        Ok((read(of.merchant, row)?, institution))
    })?;
    let listed = listed.into_iter().enumerate();
    jobs.extend(listed.map(|(rank, (job, institution))| DueRefresh { of, job, institution, rank }));
    Ok(())
}
