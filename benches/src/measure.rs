//! Time of the benches: a stopwatch, the engine's clock, and bounded waits.
//!
//! Only this module reads real time. Account time changes only when a workload advances it, so the
//! test banks have the same rows in every run.

use crate::Failure;
use crate::proc;
use model::clock::{AccountTime, Clock, ServerTime};
use server::clock::SystemClock;
use std::ops::AddAssign;
use std::time::{Duration, Instant};
use testkit::clock::ManualClock;

/// Account time at the start of every workload: 2026-11-23.
pub(crate) const START: AccountTime = AccountTime(1_795_392_000);

/// The length of a run.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// Counts and times that give usable figures.
    Long,
    /// Each workload once and small, which only shows that it works.
    Short,
}

impl Form {
    /// The value of this form.
    pub(crate) fn pick<T>(self, (long, short): (T, T)) -> T {
        match self {
            Self::Long => long,
            Self::Short => short,
        }
    }
}

/// Measures elapsed time.
#[derive(Clone, Copy)]
pub(crate) struct Stopwatch {
    began: Instant,
}

impl Stopwatch {
    /// Starts the measurement.
    #[expect(clippy::disallowed_methods, reason = "measuring real time is what benches are for")]
    pub(crate) fn start() -> Self {
        Self { began: Instant::now() }
    }

    /// The time since the start.
    pub(crate) fn elapsed(self) -> Duration {
        self.began.elapsed()
    }
}

/// Time that a part of a workload took in this process.
#[derive(Clone, Copy, Default)]
pub(crate) struct Spent {
    /// Real time, which a user waits.
    pub(crate) time: Duration,
    /// Processor time of all threads. Other programs on the machine disturb it less.
    pub(crate) cpu: Duration,
}

impl AddAssign for Spent {
    fn add_assign(&mut self, other: Self) {
        self.time += other.time;
        self.cpu += other.cpu;
    }
}

/// Measures time and processor time of this process.
pub(crate) struct Meter {
    watch: Stopwatch,
    cpu_before: Duration,
}

impl Meter {
    /// Starts the measurement.
    pub(crate) fn start() -> Result<Self, Failure> {
        Ok(Self { cpu_before: proc::cpu(std::process::id())?, watch: Stopwatch::start() })
    }

    /// The time since the start.
    pub(crate) fn spent(&self) -> Result<Spent, Failure> {
        let time = self.watch.elapsed();
        let cpu = proc::cpu(std::process::id())?.saturating_sub(self.cpu_before);
        Ok(Spent { time, cpu })
    }
}

/// Real server time, and an account time that only the workload advances.
pub(crate) struct BenchClock {
    account: ManualClock,
}

impl BenchClock {
    /// A clock with the account time [`START`].
    pub(crate) fn new() -> Self {
        Self { account: ManualClock::at(START.0) }
    }

    /// Advances account time.
    pub(crate) fn pass(&self, seconds: i64) {
        self.account.pass_ms(seconds * 1_000);
    }
}

impl Clock for BenchClock {
    fn server_now(&self) -> ServerTime {
        SystemClock::default().server_now()
    }

    fn account_now(&self) -> AccountTime {
        self.account.account_now()
    }
}

/// Polls a condition until it returns a value, for at most this time.
pub(crate) async fn wait_for<T>(
    what: &str,
    patience: Duration,
    mut look: impl AsyncFnMut() -> Result<Option<T>, Failure>,
) -> Result<T, Failure> {
    let watch = Stopwatch::start();
    while watch.elapsed() < patience {
        if let Some(found) = look().await? {
            return Ok(found);
        }
        pause(Duration::from_millis(2)).await;
    }
    Err(format!("waited {} seconds until {what}", patience.as_secs()).into())
}

/// Waits for a fixed time.
pub(crate) async fn pause(time: Duration) {
    // The future never completes, so the timeout always ends the wait.
    let _ = tokio::time::timeout(time, std::future::pending::<()>()).await;
}

/// The median.
pub(crate) fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}
