//! The numbers of new ids.

use crate::clock::{Clock, Rng};
use std::sync::atomic::{AtomicU64, Ordering};

/// 2020-01-01 in microseconds: numbers count from here.
const NUMBERS_BEGIN_US: i64 = 1_577_836_800_000_000;
/// The low bits of a number, which spread it between processes.
const RANDOM_BITS: u32 = 12;

/// Gives numbers for new ids: rising within a process, and spread by random bits between processes.
#[derive(Debug, Default)]
pub struct Numbers {
    last: AtomicU64,
}

impl Numbers {
    /// The next number: the time, then random bits; never below one given before.
    pub fn next(&self, clock: &dyn Clock, rng: &dyn Rng) -> u64 {
        let mut random = [0; 2];
        rng.fill(&mut random);
        let random = u64::from(u16::from_le_bytes(random)) & ((1 << RANDOM_BITS) - 1);
        // The time of objects, not the server's, so that a server with a fixed time and seed
        // gives the same ids for the same calls.
        let now_us = clock.account_now().0.saturating_mul(1_000_000).max(NUMBERS_BEGIN_US);
        let ticks = (now_us - NUMBERS_BEGIN_US).unsigned_abs() & ((1 << 51) - 1);
        let mut given = 0;
        // The closure always answers Some, so the update cannot fail.
        let _ = self.last.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last| {
            let tick = ticks.max((last >> RANDOM_BITS) + 1);
            given = (tick << RANDOM_BITS) | random;
            Some(given)
        });
        given
    }
}
