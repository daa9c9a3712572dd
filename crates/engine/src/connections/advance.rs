//! The clock worker: claims advances of test clocks, and carries each to its end.
//!
//! Advances run side by side, at most [`limits::ADVANCES_MAX`], so a long advance does not delay the
//! others and steps of several advances share commits. Each merchant has a share of the places. A claim
//! lasts until the end of the advance, because each step extends its lease. When an advance ends, the next
//! one in turn takes its place.
//!
//! After a crash, an advance continues when its lease has expired. A late worker has an older claim,
//! and its step is rejected.

use crate::connections::clock::{Step, events_of};
use crate::connections::row_cache::RowCache;
use crate::worker::{caught, in_task};
use crate::{Engine, Error};
use model::clock::ClockStatus;
use model::event::EventType;
use model::id::MerchantId;
use model::limits;
use std::sync::Arc;
use store::{ClaimClocks, ClockClaim, StepClock, Written};
use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet};
use tracing::Instrument;

/// Advances in progress.
#[derive(Debug, Default)]
pub struct Advances {
    running: JoinSet<MerchantId>,
    /// The merchant of each.
    merchants: Vec<MerchantId>,
    /// The last claim, after which the next search begins, so that all advances take turns.
    after: Option<ClockClaim>,
}

impl Advances {
    /// The number of advances in progress, and of those that have ended since the last claim.
    pub fn count(&self) -> usize {
        self.running.len()
    }

    /// Waits until an advance ends, if one is in progress.
    pub async fn ended(&mut self) {
        match self.running.join_next().await {
            Some(ended) => self.free(&ended),
            None => std::future::pending().await,
        }
    }

    /// Makes room for others in the place of those that have ended.
    fn remove_ended(&mut self) {
        while let Some(ended) = self.running.try_join_next() {
            self.free(&ended);
        }
    }

    /// Waits until all advances have ended.
    pub async fn all_ended(&mut self) {
        while let Some(ended) = self.running.join_next().await {
            self.free(&ended);
        }
    }

    fn free(&mut self, ended: &Result<MerchantId, JoinError>) {
        // An advance catches its panics, so it always names its merchant.
        let Ok(merchant) = ended else { return self.merchants.clear() };
        if let Some(place) = self.merchants.iter().position(|one| one == merchant) {
            self.merchants.swap_remove(place);
        }
    }
}

impl Engine {
    /// Claims advances and works on them in addition to those in progress, until `stop` is true.
    /// Returns the number of claimed advances.
    pub async fn begin_advances(
        self: &Arc<Self>,
        advances: &mut Advances,
        stop: &watch::Receiver<bool>,
    ) -> Result<usize, Error> {
        advances.remove_ended();
        let room = limits::ADVANCES_MAX.saturating_sub(advances.count());
        if room == 0 {
            return Ok(0);
        }
        let in_progress = advances.merchants.clone();
        let claims = self.claim_clocks(advances.after, room, (room, in_progress)).await?;
        for claim in &claims {
            advances.after = Some(*claim);
            advances.merchants.push(claim.merchant);
            let (engine, claim, stop) = (Arc::clone(self), *claim, stop.clone());
            advances.running.spawn(async move {
                let work = engine.advance(claim, || *stop.borrow());
                // The advance continues when its lease has expired.
                let _ = in_task(&engine, "clock", claim.merchant, work).await;
                claim.merchant
            });
        }
        Ok(claims.len())
    }

    /// Advances clocks to the ends of their advances, one after the other. Returns the number of
    /// steps.
    pub async fn run_clock_once(&self) -> Result<usize, Error> {
        self.run_clock_until(|| false).await
    }

    /// The same until `is_stopping` returns true. Each claimed clock then makes one more step, which
    /// ends its lease, so that the next start continues the advance at once.
    pub async fn run_clock_until(&self, is_stopping: impl Fn() -> bool) -> Result<usize, Error> {
        let (mut steps, mut failed) = (0, None);
        let all = (usize::MAX, Vec::new());
        for claim in self.claim_clocks(None, limits::CLOCK_CLAIMS_MAX, all).await? {
            match Box::pin(self.advance(claim, &is_stopping)).await {
                Ok(made) => steps += made,
                // Other clocks do not wait for this one.
                Err(error) => failed = Some(error),
            }
        }
        failed.map_or(Ok(steps), Err)
    }

    async fn claim_clocks(
        &self,
        after: Option<ClockClaim>,
        limit: usize,
        (free, in_progress): (usize, Vec<MerchantId>),
    ) -> Result<Vec<ClockClaim>, Error> {
        let now = self.clock.server_now();
        let leased_until = now.plus_ms(self.settings.lease_ms);
        let claim = ClaimClocks { now, leased_until, after, limit, free, in_progress };
        Ok(self.store.write(claim).await?)
    }

    /// Continues an advance to its end. Returns the number of steps. An advance that cannot continue
    /// ends as a failure, unless the store fails.
    async fn advance(
        &self,
        claim: ClockClaim,
        is_stopping: impl Fn() -> bool,
    ) -> Result<usize, Error> {
        let span = tracing::info_span!("advance", clock.id = %claim.clock);
        match caught(Box::pin(self.work_clock(claim, is_stopping))).instrument(span).await {
            Ok(steps) => Ok(steps),
            Err(error @ Error::Store(_)) => Err(error),
            Err(error) => {
                log_failure(claim, &error);
                self.fail_clock(claim).await?;
                Ok(1)
            }
        }
    }

    /// Continues an advance. Returns the number of steps.
    async fn work_clock(
        &self,
        claim: ClockClaim,
        is_stopping: impl Fn() -> bool,
    ) -> Result<usize, Error> {
        let (mut steps, mut conflicts) = (0, 0);
        let mut known = RowCache::default();
        // A step conflicts when a worker ends a refresh that it claimed before the advance began. If
        // steps conflict again and again, another worker holds the claim.
        while conflicts < limits::STALE_RETRIES_MAX {
            steps += 1;
            let is_last = is_stopping();
            match self.step_clock(claim, &mut known, is_last).await? {
                Step::More if is_last => break,
                Step::More => conflicts = 0,
                Step::Conflict => {
                    conflicts += 1;
                    // The cache includes the rows of the step that was not written.
                    known = RowCache::default();
                }
                Step::Done => break,
            }
        }
        Ok(steps)
    }

    /// Ends an advance that cannot continue. The clock keeps its time, and its objects can be used
    /// and deleted again.
    async fn fail_clock(&self, claim: ClockClaim) -> Result<(), Error> {
        let failed = self.change("fail_clock", async || {
            let Some(mut clock) = self.find_clock(claim.merchant, claim.clock).await? else {
                return Ok(Some(()));
            };
            if clock.status != ClockStatus::Advancing {
                return Ok(Some(()));
            }
            clock.version += 1;
            clock.status = ClockStatus::InternalFailure;
            clock.target = None;
            let failure = EventType::TestClockInternalFailure;
            let events = events_of(&clock, failure, clock.frozen_time, None);
            let leased_until = self.clock.server_now();
            let step = StepClock { claim, clock, items: Vec::new(), events, leased_until };
            if self.store.write(step).await? != Written::Done {
                return Ok(None);
            }
            self.wake.dispatch();
            Ok(Some(()))
        });
        match failed.await {
            // Another server holds the claim, and ends the advance.
            Err(Error::Locked) => Ok(()),
            ended => ended,
        }
    }
}

fn log_failure(claim: ClockClaim, error: &Error) {
    let (clock, error) = (claim.clock.to_string(), error as &dyn std::error::Error);
    tracing::error!(clock, error, "the advance of a clock failed");
}
