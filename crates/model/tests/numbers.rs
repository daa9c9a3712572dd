//! The numbers of new ids, across restarts of the process.

use model::clock::AccountTime;
use model::numbers::Numbers;
use proptest::prelude::*;
use testkit::clock::ManualClock;
use testkit::rng::RepeatedByte;

/// A source without randomness, the worst case for two processes.
const WORST: RepeatedByte = RepeatedByte(0);

fn clock_at(account_s: i64, server_us: i64) -> ManualClock {
    ManualClock::at_us(server_us).with_fixed(AccountTime(account_s))
}

proptest! {
    /// A server that restarts within the same second repeats no number, because its
    /// microseconds are later.
    #[test]
    fn a_restart_within_a_second_repeats_nothing(
        second in 1_700_000_000..1_900_000_000_i64, count in 1..200_i64,
    ) {
        let given = |numbers: &Numbers, us: i64| {
            numbers.next(&clock_at(second, second * 1_000_000 + us), &WORST)
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
        let clock = |seconds: i64| clock_at(fixed, (real + seconds) * 1_000_000);
        let run = |numbers: &Numbers, clock: &ManualClock| -> Vec<u64> {
            (0..100).map(|_| numbers.next(clock, &WORST)).collect()
        };
        let first = run(&Numbers::default(), &clock(0));
        prop_assert_eq!(&first, &run(&Numbers::default(), &clock(7)));
        let later = run(&Numbers::after_restart(&clock(7)), &clock(7));
        let latest = run(&Numbers::after_restart(&clock(8)), &clock(8));
        prop_assert!(first.iter().max() < later.iter().min());
        prop_assert!(later.iter().max() < latest.iter().min());
    }
}
