//! The numbers of new ids.

use crate::clock::{Clock, Rng};
use std::sync::atomic::{AtomicU64, Ordering};

/// 2020-01-01 in microseconds. Numbers count from this time.
const NUMBERS_BEGIN_US: i64 = 1_577_836_800_000_000;
/// The number of random low bits, which keep the numbers of two processes apart.
const RANDOM_BITS: u32 = 12;

/// Returns the microseconds since 2020 that order new numbers. They are real time, so that a
/// restarted process never repeats a microsecond. On a server with a fixed time they are the time
/// of objects, so that the same calls give the same ids.
fn ticks(clock: &dyn Clock) -> u64 {
    let account_us = clock.account_now().0.saturating_mul(1_000_000);
    let server_us = clock.server_now().0;
    // Objects show whole seconds, and the two clocks are read one after the other.
    let is_real = (server_us - account_us).abs() < 2_000_000;
    let now_us = if is_real { server_us } else { account_us };
    (now_us - NUMBERS_BEGIN_US).max(0).unsigned_abs() & ((1 << 51) - 1)
}

/// The source of numbers for new ids. Numbers rise within a process, and random bits keep those of
/// two processes apart.
#[derive(Debug, Default)]
pub struct Numbers {
    last: AtomicU64,
}

impl Numbers {
    /// Creates the numbers of a server with a fixed time on a database that an earlier process has
    /// used. They begin after the fixed time, by a thousandth of the real time since 2020. They
    /// therefore pass the numbers of every earlier process that created fewer than a thousand
    /// objects per second.
    pub fn after_restart(clock: &dyn Clock) -> Self {
        let passed_us = clock.server_now().0.saturating_sub(NUMBERS_BEGIN_US).max(0);
        let begin = ticks(clock).saturating_add(passed_us.unsigned_abs() / 1_000);
        Self { last: AtomicU64::new(begin << RANDOM_BITS) }
    }

    /// Returns the next number: the time, then random bits. It is greater than every number before.
    pub fn next(&self, clock: &dyn Clock, rng: &dyn Rng) -> u64 {
        let mut random = [0; 2];
        rng.fill(&mut random);
        let random = u64::from(u16::from_le_bytes(random)) & ((1 << RANDOM_BITS) - 1);
        let ticks = ticks(clock);
        let following = |last| (ticks.max((last >> RANDOM_BITS) + 1) << RANDOM_BITS) | random;
        following(self.last.update(Ordering::Relaxed, Ordering::Relaxed, following))
    }
}
