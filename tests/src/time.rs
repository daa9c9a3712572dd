//! Time that only a test moves, and repeatable randomness.

use model::clock::{AccountTime, Clock, DAY_S, Rng, ServerTime};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

/// The first time of the server's clock, in seconds since 1970.
const BEGIN_S: i64 = 1_780_000_000;
/// The offset of the time of objects from the server's, as in a server with a fixed time. Code that
/// confuses the two kinds of time is off by this.
const AHEAD_S: i64 = 40 * DAY_S + 12_345;

/// A clock that only its caller moves.
#[derive(Debug)]
pub struct ManualClock {
    server_us: AtomicI64,
}

impl Default for ManualClock {
    fn default() -> Self {
        Self { server_us: AtomicI64::new(BEGIN_S * 1_000_000) }
    }
}

impl ManualClock {
    /// Moves both kinds of time by milliseconds.
    pub fn pass_ms(&self, time_ms: i64) {
        self.server_us.fetch_add(time_ms * 1_000, Ordering::Relaxed);
    }
}

impl Clock for ManualClock {
    fn server_now(&self) -> ServerTime {
        ServerTime(self.server_us.load(Ordering::Relaxed))
    }

    fn account_now(&self) -> AccountTime {
        AccountTime(self.server_now().seconds() + AHEAD_S)
    }
}

/// Random bytes from a seed.
#[derive(Debug)]
pub struct SeededRng {
    state: AtomicU64,
}

impl SeededRng {
    /// The random bytes of a seed.
    pub fn new(seed: u64) -> Self {
        Self { state: AtomicU64::new(seed) }
    }

    /// One step of `SplitMix64`.
    fn next(&self) -> u64 {
        const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
        let state = self.state.fetch_add(STEP, Ordering::Relaxed).wrapping_add(STEP);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

impl Rng for SeededRng {
    fn fill(&self, buffer: &mut [u8]) {
        for chunk in buffer.chunks_mut(8) {
            chunk.copy_from_slice(&self.next().to_le_bytes()[..chunk.len()]);
        }
    }
}
