//! Time and randomness of the benches: a stopwatch, the clock and the generator that are handed
//! to the engine, and bounded waits.
//!
//! Real time is read here and nowhere else. The time of objects stands still until a workload
//! moves it, so that a run finds the same rows at its test banks every time.

use crate::Failure;
use crate::proc;
use model::clock::{AccountTime, Clock, Rng, ServerTime};
use std::ops::AddAssign;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The time of objects at the start of every workload: 2026-11-23.
pub(crate) const START: AccountTime = AccountTime(1_795_392_000);

/// Measures how long something takes.
#[derive(Clone, Copy)]
pub(crate) struct Stopwatch {
    began: Instant,
}

impl Stopwatch {
    /// Starts to measure.
    #[expect(clippy::disallowed_methods, reason = "measuring real time is what benches are for")]
    pub(crate) fn start() -> Self {
        Self { began: Instant::now() }
    }

    /// The time since the start.
    pub(crate) fn elapsed(self) -> Duration {
        self.began.elapsed()
    }
}

/// What a part of a workload took of this process.
#[derive(Clone, Copy, Default)]
pub(crate) struct Spent {
    /// Real time, which is what a user waits.
    pub(crate) time: Duration,
    /// Processor time of all threads, which other programs on the machine disturb least.
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
    /// Starts to measure.
    pub(crate) fn start() -> Result<Self, Failure> {
        Ok(Self { cpu_before: proc::cpu(std::process::id())?, watch: Stopwatch::start() })
    }

    /// What was spent since the start.
    pub(crate) fn spent(&self) -> Result<Spent, Failure> {
        let time = self.watch.elapsed();
        let cpu = proc::cpu(std::process::id())?.saturating_sub(self.cpu_before);
        Ok(Spent { time, cpu })
    }
}

/// Real time, beside a time of objects that moves by hand.
pub(crate) struct BenchClock {
    account_now: AtomicI64,
}

impl BenchClock {
    /// A clock whose objects are at [`START`].
    pub(crate) fn new() -> Self {
        Self { account_now: AtomicI64::new(START.0) }
    }

    /// Moves the time of objects on.
    pub(crate) fn pass(&self, seconds: i64) {
        self.account_now.fetch_add(seconds, Ordering::Relaxed);
    }
}

impl Clock for BenchClock {
    #[expect(clippy::disallowed_methods, reason = "the benches' one entry of real time")]
    fn server_now(&self) -> ServerTime {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        ServerTime(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
    }

    fn account_now(&self) -> AccountTime {
        AccountTime(self.account_now.load(Ordering::Relaxed))
    }
}

/// Numbers that only look random, which is all that a bench needs.
pub(crate) struct BenchRng {
    state: AtomicU64,
}

impl BenchRng {
    /// The same numbers in every run.
    pub(crate) fn new() -> Self {
        Self { state: AtomicU64::new(1) }
    }
}

impl Rng for BenchRng {
    fn fill(&self, buffer: &mut [u8]) {
        for chunk in buffer.chunks_mut(8) {
            let step = 0x9E37_79B9_7F4A_7C15;
            let mut word = self.state.fetch_add(step, Ordering::Relaxed).wrapping_add(step);
            word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            word ^= word >> 31;
            chunk.copy_from_slice(&word.to_le_bytes()[..chunk.len()]);
        }
    }
}

/// Looks again and again until there is an answer, at most this long.
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
    Err(format!("waited in vain for {} seconds until {what}", patience.as_secs()).into())
}

/// Lets a bounded time pass.
pub(crate) async fn pause(time: Duration) {
    // The pending future never comes, so the time always runs out.
    let _ = tokio::time::timeout(time, std::future::pending::<()>()).await;
}

/// The middle one.
pub(crate) fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}
