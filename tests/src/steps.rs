//! Workers, step by step: a round of one, a round cut short, rounds until nothing is left to do.

use crate::app::App;
use std::future::Future;
use std::pin::Pin;
use std::task::Poll;

/// Rounds of all workers after which something goes round in circles.
const ROUNDS_MAX: u32 = 500;

/// A worker of the engine, but for the deliverer: tests take deliveries by themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Worker {
    /// What falls due by itself.
    Schedule,
    /// Refreshes.
    Refresh,
    /// Advances of test clocks.
    Clock,
    /// Events to deliveries.
    Dispatch,
    /// What is past its age.
    Prune,
}

/// Lets a worker look once; answers how much it found.
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

/// Lets the workers that change accounts look until they find nothing more.
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

/// Lets a future go on until it has waited so often, and leaves it there; answers whether it ended
/// before. What it has handed to others, as a command to the writer, goes on without it.
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
        // The last wait is not waited for.
        if waited == waits { Poll::Ready(false) } else { Poll::Pending }
    })
    .await
}
