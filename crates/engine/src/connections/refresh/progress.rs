//! Refreshes in progress: claimed, and settled side by side.
//!
//! When a refresh ends, the next one takes its place, so a slow bank holds only the places of its own
//! refreshes. Each merchant and each institution has a share of the places, and merchants take turns.

use crate::worker::caught;
use crate::{Engine, Error};
use model::id::{InstitutionId, MerchantId};
use model::limits;
use model::refresh::RefreshJob;
use std::collections::HashMap;
use std::sync::Arc;
use store::{ClaimRefreshes, ClaimedRefreshes, RefreshLoad};
use tokio::task::{JoinError, JoinSet};

/// A place for a refresh, by the owner of the share and the institution.
type Place = (MerchantId, InstitutionId);

/// Refreshes in progress.
#[derive(Debug, Default)]
pub struct InProgress {
    running: JoinSet<Place>,
    places: HashMap<Place, usize>,
}

impl InProgress {
    /// Waits until a refresh ends, if one is in progress, and removes all that have ended with it.
    pub async fn ended(&mut self) {
        let Some(first) = self.running.join_next().await else {
            return std::future::pending().await;
        };
        self.free(&first);
        while let Some(next) = self.running.try_join_next() {
            self.free(&next);
        }
    }

    fn free(&mut self, ended: &Result<Place, JoinError>) {
        // The work catches its panics, so it always names its place.
        let Ok(place) = ended else { return self.places.clear() };
        if let Some(count) = self.places.get_mut(place) {
            *count -= 1;
            if *count == 0 {
                self.places.remove(place);
            }
        }
    }

    /// The number of refreshes in progress.
    pub fn count(&self) -> usize {
        self.running.len()
    }

    fn loads(&self) -> Vec<RefreshLoad> {
        let places = self.places.iter();
        let load = |(&(owner, institution), &refreshes): (&Place, &usize)| RefreshLoad {
            owner,
            institution,
            refreshes,
        };
        places.map(load).collect()
    }
}

impl Engine {
    /// Claims due refreshes, works on them and waits until all have ended. Returns their number.
    pub async fn run_refresh_once(self: &Arc<Self>) -> Result<usize, Error> {
        if self.settings.in_order {
            return self.run_refreshes_in_order().await;
        }
        let mut in_progress = InProgress::default();
        let begun = self.begin_refreshes(&mut in_progress).await?;
        while in_progress.count() > 0 {
            in_progress.ended().await;
        }
        Ok(begun)
    }

    /// Claims due refreshes in addition to those in progress, and begins them. Returns their number.
    pub async fn begin_refreshes(
        self: &Arc<Self>,
        in_progress: &mut InProgress,
    ) -> Result<usize, Error> {
        let free = limits::REFRESHES_IN_PROGRESS_MAX.saturating_sub(in_progress.count());
        if free == 0 {
            return Ok(0);
        }
        let ClaimedRefreshes { jobs, loads } =
            self.claim_refreshes(free, free, in_progress.loads()).await?;
        let begun = jobs.len();
        for (job, load) in jobs.into_iter().zip(loads) {
            let place = (load.owner, load.institution);
            *in_progress.places.entry(place).or_default() += 1;
            let engine = Arc::clone(self);
            in_progress.running.spawn(async move {
                engine.settle_or_log(&job).await;
                place
            });
        }
        Ok(begun)
    }

    /// Works on one refresh after the other, without shares, so that the order never depends on speed.
    async fn run_refreshes_in_order(&self) -> Result<usize, Error> {
        let limit = limits::REFRESHES_IN_PROGRESS_MAX;
        let mut jobs = self.claim_refreshes(limit, usize::MAX, Vec::new()).await?.jobs;
        // Jobs of one call may have started in the same microsecond or not.
        jobs.sort_by_key(|job| (job.merchant, job.key));
        for job in &jobs {
            self.settle_or_log(job).await;
        }
        Ok(jobs.len())
    }

    async fn claim_refreshes(
        &self,
        limit: usize,
        free: usize,
        in_progress: Vec<RefreshLoad>,
    ) -> Result<ClaimedRefreshes, Error> {
        let now = self.clock.server_now();
        let leased_until = now.plus_ms(self.settings.lease_ms);
        Ok(self.store.write(ClaimRefreshes { now, leased_until, limit, free, in_progress }).await?)
    }

    /// Works on a claimed refresh. After an error the lease expires, and the job is claimed again.
    async fn settle_or_log(&self, job: &RefreshJob) {
        if let Err(error) = caught(Box::pin(self.settle_refresh(job))).await {
            self.metrics.count_worker_failure("refresh");
            tracing::error!(
                account.id = %job.key.account,
                error = &error as &dyn std::error::Error,
                "refresh could not be settled"
            );
        }
    }
}
