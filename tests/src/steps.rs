//! Workers, step by step: one round, an interrupted round, or rounds until all work is done.

use crate::app::App;
use std::future::Future;
use std::pin::Pin;
use std::task::Poll;

/// The number of rounds after which the workers are assumed to loop.
const ROUNDS_MAX: u32 = 500;

/// A worker of the engine, except the deliverer, because tests send deliveries themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Worker {
    /// Scheduled work that became due.
    Schedule,
    /// Refreshes.
    Refresh,
    /// Advances of test clocks.
    Clock,
    /// Deliveries of new events.
    Dispatch,
    /// Removal of expired rows.
    Prune,
}

/// Runs one round of a worker, and returns the number of jobs it found.
pub async fn run(app: &App, worker: Worker) -> usize {
    let engine = app.engine();
    let found = match worker {
        Worker::Schedule => engine.run_schedule_once().await,
        Worker::Refresh => engine.run_refresh_once().await,
        Worker::Clock => engine.run_clock_once().await,
        Worker::Dispatch => engine.run_dispatch_once().await,
        Worker::Prune => engine.run_prune_once().await,
    };
    found.expect("a worker finds its work")
}

/// Runs the workers that change accounts until they find no more work.
pub async fn run_until_idle(app: &App) {
    for _ in 0..ROUNDS_MAX {
        let mut found = 0;
        for worker in [Worker::Schedule, Worker::Clock, Worker::Refresh] {
            found += run(app, worker).await;
        }
        if found == 0 {
            return;
        }
    }
    panic!("the workers never came to rest");
}

/// Polls a future until it has waited this number of times, and pauses it there. Returns true if
/// the future ended before. Work that it has passed to others, such as a command to the writer,
/// continues.
pub async fn run_for<F: Future>(mut future: Pin<&mut F>, waits: u8) -> bool {
    let mut waited = 0;
    std::future::poll_fn(|context| {
        if waited == waits {
            return Poll::Ready(false);
        }
        if future.as_mut().poll(context).is_ready() {
            return Poll::Ready(true);
        }
        waited += 1;
        // Returns at the last wait, before the future is woken.
        if waited == waits { Poll::Ready(false) } else { Poll::Pending }
    })
    .await
}
