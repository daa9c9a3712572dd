//! The six workers: schedule, refresh, clock, dispatch, deliver, prune.
//!
//! Each is a `run_…_once` that takes no input and asks the store what is due; around it a loop that
//! waits until it is woken or a poll is over. A lost wake-up costs that wait and nothing else. A
//! panic costs the work that it came upon, never a worker. At shutdown each finishes what it holds.

use crate::events::deliver::InFlight;
use crate::{Engine, Error};
use futures_util::FutureExt;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;

/// How often the pruner looks.
const PRUNE_EVERY: Duration = Duration::from_mins(1);
/// How long a worker waits after an error before it tries again.
const AFTER_ERROR: Duration = Duration::from_millis(500);

/// Hints that something may be due.
#[derive(Debug, Default)]
pub(crate) struct Wake {
    refresh: Notify,
    clock: Notify,
    dispatch: Notify,
    deliver: Notify,
}

impl Wake {
    /// A refresh was started.
    pub(crate) fn refresh(&self) {
        self.refresh.notify_one();
    }

    /// A test clock is to be advanced.
    pub(crate) fn clock(&self) {
        self.clock.notify_one();
    }

    /// An event was written.
    pub(crate) fn dispatch(&self) {
        self.dispatch.notify_one();
    }

    /// A delivery was written.
    pub(crate) fn deliver(&self) {
        self.deliver.notify_one();
    }

    /// Anything may be due: a snapshot was restored.
    pub(crate) fn all(&self) {
        self.refresh();
        self.clock();
        self.dispatch();
        self.deliver();
    }
}

/// Runs the workers until `stop` says true, then lets each finish.
pub async fn run(engine: Arc<Engine>, stop: watch::Receiver<bool>) {
    let poll = Duration::from_millis(engine.settings.poll_ms);
    let mut workers = JoinSet::new();
    workers.spawn(schedule(Arc::clone(&engine), stop.clone(), poll));
    workers.spawn(refresh(Arc::clone(&engine), stop.clone(), poll));
    workers.spawn(clock(Arc::clone(&engine), stop.clone(), poll));
    workers.spawn(dispatch(Arc::clone(&engine), stop.clone(), poll));
    workers.spawn(deliver(Arc::clone(&engine), stop.clone(), poll));
    workers.spawn(prune(engine, stop));
    while workers.join_next().await.is_some() {}
}

/// Waits until woken, until the time is over, or until the server stops; answers whether to go on.
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

/// Does this work; a panic in it is an error of this work alone, so that whoever does it for many
/// goes on with the others. What it held in memory is given up, and the store has whole commits.
pub(crate) async fn caught<T>(work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    AssertUnwindSafe(work).catch_unwind().await.unwrap_or(Err(Error::Panicked))
}

/// Logs what a worker could not do; the next round tries again.
fn done(worker: &str, result: Result<usize, Error>) -> Option<usize> {
    result
        .inspect_err(|error| {
            let error = error as &dyn std::error::Error;
            tracing::error!(worker, error, "worker failed");
        })
        .ok()
}

/// How long a worker waits after a round: not at all while there is work.
fn pause(worked: Option<usize>, poll: Duration) -> Option<Duration> {
    match worked {
        Some(0) => Some(poll),
        Some(_) => None,
        None => Some(AFTER_ERROR),
    }
}

async fn schedule(engine: Arc<Engine>, mut stop: watch::Receiver<bool>, poll: Duration) {
    while !*stop.borrow() {
        let worked = done("schedule", caught(Box::pin(engine.run_schedule_once())).await);
        if let Some(time) = pause(worked, poll) {
            wait(None, time, &mut stop).await;
        }
    }
}

async fn refresh(engine: Arc<Engine>, mut stop: watch::Receiver<bool>, poll: Duration) {
    while !*stop.borrow() {
        let worked = done("refresh", caught(engine.run_refresh_once()).await);
        if let Some(time) = pause(worked, poll) {
            wait(Some(&engine.wake.refresh), time, &mut stop).await;
        }
    }
}

async fn clock(engine: Arc<Engine>, mut stop: watch::Receiver<bool>, poll: Duration) {
    while !*stop.borrow() {
        let worked = done("clock", caught(Box::pin(engine.run_clock_once())).await);
        if let Some(time) = pause(worked, poll) {
            wait(Some(&engine.wake.clock), time, &mut stop).await;
        }
    }
}

async fn dispatch(engine: Arc<Engine>, mut stop: watch::Receiver<bool>, poll: Duration) {
    while !*stop.borrow() {
        let worked = done("dispatch", caught(engine.run_dispatch_once()).await);
        if let Some(time) = pause(worked, poll) {
            wait(Some(&engine.wake.dispatch), time, &mut stop).await;
        }
    }
}

async fn deliver(engine: Arc<Engine>, mut stop: watch::Receiver<bool>, poll: Duration) {
    let mut in_flight = InFlight::default();
    while !*stop.borrow() {
        let worked = done("deliver", caught(engine.begin_deliveries(&mut in_flight)).await);
        if let Some(time) = pause(worked, poll) {
            tokio::select! {
                _ = wait(Some(&engine.wake.deliver), time, &mut stop) => {}
                // A place became free; what waits for it may be due.
                () = in_flight.ended() => {}
            }
        }
    }
    while in_flight.count() > 0 {
        in_flight.ended().await;
    }
}

async fn prune(engine: Arc<Engine>, mut stop: watch::Receiver<bool>) {
    while !*stop.borrow() {
        let worked = done("prune", caught(engine.run_prune_once()).await);
        if let Some(time) = pause(worked, PRUNE_EVERY) {
            wait(None, time, &mut stop).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A panic is an error of the work that it came upon; other work ends as it does.
    #[tokio::test]
    async fn goes_on_after_a_panic() {
        let panicked: Result<(), Error> = caught(async { panic!("seen by a test") }).await;
        assert!(matches!(panicked, Err(Error::Panicked)));
        assert!(matches!(caught(async { Ok(1) }).await, Ok(1)));
    }
}
