//! Rows of refreshes that are written together with their account.

use super::Memory;
use model::id::MerchantId;
use model::refresh::{RefreshJob, RefreshKey, RefreshStatus};

/// Stores started refreshes. Returns false if one conflicts with a stored job.
pub(super) fn insert_many(
    jobs: &[RefreshJob],
    ended_now: Option<(RefreshKey, RefreshStatus)>,
    memory: &mut Memory,
) -> bool {
    jobs.iter().all(|job| {
        let status = match ended_now {
            Some((key, status)) if key == job.key => status,
            _ => job.status,
        };
        let is_pending = |other: &RefreshJob| other.status == RefreshStatus::Pending;
        let other_pending = memory.rows.refreshes.values().any(|other| {
            is_pending(other)
                && other.key.account == job.key.account
                && other.key.feature == job.key.feature
        });
        let job = RefreshJob { status, ..job.clone() };
        if memory.rows.refreshes.contains_key(&job.key) || (is_pending(&job) && other_pending) {
            return false;
        }
        memory.rows.refreshes.insert(job.key, job);
        true
    })
}

/// Ends a pending refresh, claimed or not. Returns true if it was pending.
pub(super) fn interrupt(
    key: RefreshKey,
    merchant: MerchantId,
    status: RefreshStatus,
    memory: &mut Memory,
) -> bool {
    let Some(job) = memory.rows.refreshes.get_mut(&key) else { return false };
    let fits = job.merchant == merchant && job.status == RefreshStatus::Pending;
    if fits {
        job.status = status;
        job.leased_until = None;
    }
    fits
}
