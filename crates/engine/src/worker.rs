//! The seven workers: schedule, refresh, clock, dispatch, deliver, prune, recover.
//!
//! Each is a `run_…_once` without input that reads due work from the store. A loop around it waits
//! for a wake-up or for the poll interval. A lost wake-up costs one poll interval. A panic fails
//! the current work and not the worker. At shutdown each worker finishes its current work. An advance
//! of a test clock ends at its next step, and continues at the next start.
//!
//! On a server with a seed, one worker does the work of the first four in a fixed order, and each
//! API call waits for it. So equal calls find equal objects, whatever the speed of the machine.

use crate::connections::advance::Advances;
use crate::connections::refresh::InProgress;
use crate::events::deliver::InFlight;
use crate::events::dispatch::Turns;
use crate::{Engine, Error};
use futures_util::FutureExt;
use model::id::MerchantId;
use model::limits::CATCH_UP_ROUNDS_MAX;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use store::TryCommit;
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tracing::Instrument;

/// The interval of the pruner.
const PRUNE_EVERY: Duration = Duration::from_mins(1);
/// The interval at which a store is tried whose last commit failed.
const RECOVER_EVERY: Duration = Duration::from_secs(1);
/// The delay of a worker after an error.
const AFTER_ERROR: Duration = Duration::from_millis(500);

/// Hints that work may be due.
#[derive(Debug, Default)]
pub struct Wake {
    refresh: Notify,
    clock: Notify,
    dispatch: Notify,
    deliver: Notify,
}

impl Wake {
    /// A refresh was started.
    pub fn refresh(&self) {
        self.refresh.notify_one();
    }

    /// A test clock is to advance.
    pub fn clock(&self) {
        self.clock.notify_one();
    }

    /// An event was written.
    pub fn dispatch(&self) {
        self.dispatch.notify_one();
    }

    /// A delivery was written.
    pub fn deliver(&self) {
        self.deliver.notify_one();
    }

    /// Any work may be due, because a snapshot was restored.
    pub fn all(&self) {
        self.refresh();
        self.clock();
        self.dispatch();
        self.deliver();
    }
}

/// Runs the workers until `stop` is true, then lets each finish.
pub async fn run(engine: Arc<Engine>, stop: watch::Receiver<bool>) {
    let poll = Duration::from_millis(engine.settings.poll_ms);
    let mut workers = JoinSet::new();
    if engine.settings.in_order {
        workers.spawn(in_order(Arc::clone(&engine), stop.clone(), poll));
    } else {
        workers.spawn(schedule(Arc::clone(&engine), stop.clone(), poll));
        workers.spawn(refresh(Arc::clone(&engine), stop.clone(), poll));
        workers.spawn(clock(Arc::clone(&engine), stop.clone(), poll));
        workers.spawn(dispatch(Arc::clone(&engine), stop.clone(), poll));
    }
    workers.spawn(deliver(Arc::clone(&engine), stop.clone(), poll));
    workers.spawn(recover(Arc::clone(&engine), stop.clone()));
    workers.spawn(prune(engine, stop));
    while workers.join_next().await.is_some() {}
}

/// Waits for a wake-up, for the end of the time, or for the shutdown. Returns true if the worker
/// continues.
async fn wait(wake: Option<&Notify>, time: Duration, stop: &mut watch::Receiver<bool>) -> bool {
    let woken = async {
        match wake {
            Some(wake) => wake.notified().await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        () = woken => {}
        _ = tokio::time::timeout(time, std::future::pending::<()>()) => {}
        _ = stop.changed() => {}
    }
    !*stop.borrow()
}

/// Runs this work and turns a panic into an error, so that a worker continues with other work.
/// State in memory is dropped, and the store contains whole commits only.
pub(crate) fn caught<T>(
    work: impl Future<Output = Result<T, Error>>,
) -> impl Future<Output = Result<T, Error>> {
    // Not an async function, because that would store and move the work twice.
    AssertUnwindSafe(work).catch_unwind().map(|ended| ended.unwrap_or(Err(Error::Panicked)))
}

/// Runs one round of a worker in a span. Logs and counts a failure. The next round retries.
async fn round(
    engine: &Engine,
    worker: &'static str,
    work: impl Future<Output = Result<usize, Error>>,
) -> Option<usize> {
    let span = tracing::debug_span!("job", worker);
    let result = pin!(caught(work)).instrument(span).await;
    result
        .inspect_err(|error| {
            engine.metrics.count_worker_failure(worker);
            let error = error as &dyn std::error::Error;
            tracing::error!(worker, error, "worker failed");
        })
        .ok()
}

/// Runs work of one merchant in a task of its own. Logs and counts a failure. The task then ends after
/// a delay, so that only this merchant waits before its next turn.
pub(crate) async fn in_task<T>(
    engine: &Engine,
    worker: &'static str,
    merchant: MerchantId,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    let ended = caught(Box::pin(work)).await.inspect_err(|error| {
        engine.metrics.count_worker_failure(worker);
        let error = error as &dyn std::error::Error;
        tracing::error!(worker, %merchant, error, "worker failed");
    });
    if ended.is_err() {
        let _ = tokio::time::timeout(AFTER_ERROR, std::future::pending::<()>()).await;
    }
    ended
}

/// The delay of a worker after a round, or `None` while it has work.
fn pause(worked: Option<usize>, poll: Duration) -> Option<Duration> {
    match worked {
        Some(0) => Some(poll),
        Some(_) => None,
        None => Some(AFTER_ERROR),
    }
}

impl Engine {
    /// Does all due work except deliveries, on a server with a seed. A call that follows does not
    /// depend on the speed of the workers. Failed work stays due, and the call does not wait for it.
    pub async fn catch_up(self: &Arc<Self>) {
        if !self.settings.in_order {
            return;
        }
        let engine = Arc::clone(self);
        // The work has a task of its own, so a client that disconnects does not interrupt it.
        let working =
            async move { round(&engine, "in order", engine.run_in_order(|| false)).await };
        // A panic in the work was caught and logged.
        let _ = tokio::spawn(working).await;
    }

    /// Does due work in a fixed order until no more is due, or until `is_stopping` returns true.
    /// Returns the number of changes.
    async fn run_in_order(
        self: &Arc<Self>,
        is_stopping: impl Fn() -> bool,
    ) -> Result<usize, Error> {
        let _turn = self.turn.lock().await;
        let mut all = 0;
        for _ in 0..CATCH_UP_ROUNDS_MAX {
            let worked = Box::pin(self.run_clock_until(&is_stopping)).await?
                + Box::pin(self.run_schedule_once()).await?
                + self.run_refresh_once().await?
                + self.run_dispatch_once().await?;
            all += worked;
            if worked == 0 || is_stopping() {
                break;
            }
        }
        Ok(all)
    }
}

/// The worker of a server with a seed.
async fn in_order(engine: Arc<Engine>, mut stop: watch::Receiver<bool>, poll: Duration) {
    while !*stop.borrow() {
        let is_stopping = || *stop.borrow();
        let worked = round(&engine, "in order", engine.run_in_order(is_stopping)).await;
        if let Some(time) = pause(worked, poll) {
            tokio::select! {
                _ = wait(None, time, &mut stop) => {}
                () = engine.wake.refresh.notified() => {}
                () = engine.wake.clock.notified() => {}
                () = engine.wake.dispatch.notified() => {}
            }
        }
    }
}

async fn schedule(engine: Arc<Engine>, mut stop: watch::Receiver<bool>, poll: Duration) {
    while !*stop.borrow() {
        let worked = round(&engine, "schedule", Box::pin(engine.run_schedule_once())).await;
        if let Some(time) = pause(worked, poll) {
            wait(None, time, &mut stop).await;
        }
    }
}

async fn refresh(engine: Arc<Engine>, mut stop: watch::Receiver<bool>, poll: Duration) {
    let mut in_progress = InProgress::default();
    while !*stop.borrow() {
        let begun = round(&engine, "refresh", engine.begin_refreshes(&mut in_progress)).await;
        if let Some(time) = pause(begun, poll) {
            tokio::select! {
                _ = wait(Some(&engine.wake.refresh), time, &mut stop) => {}
                // A due refresh may take the place.
                () = in_progress.ended() => {}
            }
        }
    }
    while in_progress.count() > 0 {
        in_progress.ended().await;
    }
}

async fn clock(engine: Arc<Engine>, mut stop: watch::Receiver<bool>, poll: Duration) {
    let mut advances = Advances::default();
    while !*stop.borrow() {
        let begun = round(&engine, "clock", engine.begin_advances(&mut advances, &stop)).await;
        if let Some(time) = pause(begun, poll) {
            tokio::select! {
                _ = wait(Some(&engine.wake.clock), time, &mut stop) => {}
                // The next advance takes the place.
                () = advances.ended() => {}
            }
        }
    }
    advances.all_ended().await;
}

async fn dispatch(engine: Arc<Engine>, mut stop: watch::Receiver<bool>, poll: Duration) {
    let mut turns = Turns::default();
    while !*stop.borrow() {
        let worked = round(&engine, "dispatch", engine.begin_turns(&mut turns)).await;
        if let Some(time) = pause(worked, poll) {
            tokio::select! {
                _ = wait(Some(&engine.wake.dispatch), time, &mut stop) => {}
                // The feed may have more events, and another merchant may begin.
                () = turns.ended() => {}
            }
        }
    }
    while turns.count() > 0 {
        turns.ended().await;
    }
}

async fn deliver(engine: Arc<Engine>, mut stop: watch::Receiver<bool>, poll: Duration) {
    let mut in_flight = InFlight::default();
    while !*stop.borrow() {
        let begun = round(&engine, "deliver", engine.begin_deliveries(&mut in_flight)).await;
        // A claim below its bound has found all due deliveries that it may take.
        let worked = begun.map(|begun| if in_flight.has_more() { begun } else { 0 });
        if let Some(time) = pause(worked, poll) {
            tokio::select! {
                _ = wait(Some(&engine.wake.deliver), time, &mut stop) => {}
                // The attempt is to be recorded, and a waiting delivery may take its place.
                () = in_flight.ended() => {}
            }
        }
    }
    engine.end_deliveries(&mut in_flight).await;
}

/// Commits a row at an interval while the last commit has failed. So the server is ready again soon
/// after the disk takes commits, even if no client writes.
async fn recover(engine: Arc<Engine>, mut stop: watch::Receiver<bool>) {
    while wait(None, RECOVER_EVERY, &mut stop).await {
        if !engine.store.is_ready() {
            // The writer logs and counts a failed commit.
            let _ = engine.store.write(TryCommit).await;
        }
    }
}

async fn prune(engine: Arc<Engine>, mut stop: watch::Receiver<bool>) {
    while !*stop.borrow() {
        let worked = round(&engine, "prune", engine.run_prune_once()).await;
        if let Some(time) = pause(worked, PRUNE_EVERY) {
            wait(None, time, &mut stop).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A panic becomes an error of its own work, and other work continues.
    #[tokio::test]
    async fn goes_on_after_a_panic() {
        let panicked: Result<(), Error> = caught(async { panic!("seen by a test") }).await;
        assert!(matches!(panicked, Err(Error::Panicked)));
        assert!(matches!(caught(async { Ok(1) }).await, Ok(1)));
    }
}
