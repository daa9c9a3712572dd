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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{AccountTime, Rng, ServerTime};
    use proptest::prelude::*;

    struct Fixed(i64, i64);

    impl Clock for Fixed {
        fn server_now(&self) -> ServerTime {
            ServerTime(self.1)
        }

        fn account_now(&self) -> AccountTime {
            AccountTime(self.0)
        }
    }

    /// A source without randomness, the worst case for two processes.
    struct NoRandomness;

    impl Rng for NoRandomness {
        fn fill(&self, buffer: &mut [u8]) {
            buffer.fill(0);
        }
    }

    proptest! {
        /// A server that restarts within the same second repeats no number, because its
        /// microseconds are later.
        #[test]
        fn a_restart_within_a_second_repeats_nothing(
            second in 1_700_000_000..1_900_000_000_i64, count in 1..200_i64,
        ) {
            let given = |numbers: &Numbers, us: i64| {
                numbers.next(&Fixed(second, second * 1_000_000 + us), &NoRandomness)
            };
            let first = Numbers::default();
            let before: Vec<u64> = (0..count).map(|us| given(&first, us)).collect();
            let second = Numbers::default();
            let after: Vec<u64> = (count..2 * count).map(|us| given(&second, us)).collect();
            prop_assert!(before.iter().max() < after.iter().min());
        }

        /// With a fixed time the same calls give the same numbers. A restart on the same database a
        /// second later repeats none of them.
        #[test]
        fn fixed_time_repeats_on_an_empty_database_only(
            fixed in 1_700_000_000..1_900_000_000_i64,
            real in 2_000_000_000..2_100_000_000_i64,
        ) {
            let clock = |seconds: i64| Fixed(fixed, (real + seconds) * 1_000_000);
            let run = |numbers: &Numbers, clock: &Fixed| -> Vec<u64> {
                (0..100).map(|_| numbers.next(clock, &NoRandomness)).collect()
            };
            let first = run(&Numbers::default(), &clock(0));
            prop_assert_eq!(&first, &run(&Numbers::default(), &clock(7)));
            let later = run(&Numbers::after_restart(&clock(7)), &clock(7));
            let latest = run(&Numbers::after_restart(&clock(8)), &clock(8));
            prop_assert!(first.iter().max() < later.iter().min());
            prop_assert!(later.iter().max() < latest.iter().min());
        }
    }
}
