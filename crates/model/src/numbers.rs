//! The numbers of new ids.

use crate::clock::{Clock, Rng};
use std::sync::atomic::{AtomicU64, Ordering};

/// 2020-01-01 in microseconds: numbers count from here.
const NUMBERS_BEGIN_US: i64 = 1_577_836_800_000_000;
/// The low bits of a number, which spread it between processes.
const RANDOM_BITS: u32 = 12;

/// Microseconds since 2020 by which new numbers are ordered: real time, whose microseconds a second
/// process does not live through again. On a server with a fixed time they are those of objects,
/// so that the same calls give the same ids.
fn ticks(clock: &dyn Clock) -> u64 {
    let account_us = clock.account_now().0.saturating_mul(1_000_000);
    let server_us = clock.server_now().0;
    // Objects show whole seconds, and the two clocks are read one after the other.
    let is_real = (server_us - account_us).abs() < 2_000_000;
    let now_us = if is_real { server_us } else { account_us };
    (now_us - NUMBERS_BEGIN_US).max(0).unsigned_abs() & ((1 << 51) - 1)
}

/// Gives numbers for new ids: rising within a process, and spread by random bits between processes.
#[derive(Debug, Default)]
pub struct Numbers {
    last: AtomicU64,
}

impl Numbers {
    /// The numbers of a server with a fixed time on a database that an earlier run has used: they
    /// begin as far behind the fixed time as real time has come since 2020, a thousandth of it, so
    /// that they pass those of every earlier run that made fewer than a thousand objects a second.
    pub fn after_restart(clock: &dyn Clock) -> Self {
        let passed_us = clock.server_now().0.saturating_sub(NUMBERS_BEGIN_US).max(0);
        let begin = ticks(clock).saturating_add(passed_us.unsigned_abs() / 1_000);
        Self { last: AtomicU64::new(begin << RANDOM_BITS) }
    }

    /// The next number: the time, then random bits; never below one given before.
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

    /// The worst case: no random bit ever tells two processes apart.
    struct NoRandomness;

    impl Rng for NoRandomness {
        fn fill(&self, buffer: &mut [u8]) {
            buffer.fill(0);
        }
    }

    proptest! {
        /// A server that starts again in the same second gives no number twice: its microseconds
        /// are later ones.
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

        /// With a fixed time the same calls give the same numbers, and a restart on the same
        /// database a second later gives none of them again.
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
