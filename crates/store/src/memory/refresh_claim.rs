//! The claim of due refreshes.

use super::{Memory, is_free, owner};
use crate::command::share::choose;
use crate::store::Failure;
use crate::{ClaimRefreshes, ClaimedRefreshes, RefreshLoad};
use model::id::MerchantId;
use model::refresh::{RefreshJob, RefreshStatus, RunAt};
use std::collections::BTreeMap;

pub(crate) fn claim(
    command: &ClaimRefreshes,
    memory: &mut Memory,
) -> Result<ClaimedRefreshes, Failure> {
    let now = command.now;
    let clock_jobs = &memory.rows.clock_jobs;
    let mut due: Vec<&RefreshJob> = memory
        .rows
        .refreshes
        .values()
        .filter(|job| job.status == RefreshStatus::Pending && is_free(job.leased_until, now))
        .filter(|job| {
            let advancing = |clock| clock_jobs.contains_key(&(job.merchant, clock));
            !job.clock.is_some_and(advancing)
        })
        .filter(|job| matches!(job.run_at, RunAt::Server(at) if at <= now))
        .collect();
    due.sort_by_key(|job| {
        let at = if let RunAt::Server(at) = job.run_at { Some(at) } else { None };
        (at, job.key)
    });
    let mut ranks: BTreeMap<MerchantId, usize> = BTreeMap::new();
    let candidates = due.iter().map(|job| {
        let rank = ranks.entry(job.merchant).or_default();
        *rank += 1;
        let institution = memory.rows.accounts[&job.key.account].institution;
        let owner = owner(&memory.rows, job.merchant);
        ClaimRefreshes::candidate((job, institution), *rank - 1, owner)
    });
    let candidates: Vec<_> = candidates.collect();
    let keys: Vec<_> = due.iter().map(|job| job.key).collect();
    let choice = choose(&candidates, command.limit, command.shares(), ClaimRefreshes::allows);
    let mut claimed = ClaimedRefreshes::default();
    for at in choice.taken {
        let Some(job) = memory.rows.refreshes.get_mut(&keys[at]) else { continue };
        job.claim += 1;
        job.attempts += 1;
        job.leased_until = Some(command.leased_until);
        claimed.jobs.push(job.clone());
        let (owner, institution) = (candidates[at].owner, candidates[at].part);
        claimed.loads.push(RefreshLoad { owner, institution, refreshes: 1 });
    }
    Ok(claimed)
}
