//! The central promise: a follower's copy equals the server's list and the bank's own ledger. It
//! holds despite retries, repeated and late events, page boundaries and crashes. `PROPTEST_CASES`
//! sets a larger number of cases.

use bankfeed_tests::app::Kept;
use bankfeed_tests::operation::{Setup, operations, setup};
use bankfeed_tests::world::simulate;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use std::collections::BTreeMap;

/// The maximum number of operations in one case.
const OPERATIONS_MAX: usize = 80;

/// The cases that a simulation must reach now and then.
const SIGHTS: [&str; 23] = [
    "a row newer than the event",
    "a row once more",
    "a row with other facts",
    "a second page",
    "access_denied",
    "account_closed",
    "alive, then void",
    "an account that is gone",
    "financial_connections.account.created",
    "financial_connections.account.deactivated",
    "financial_connections.account.disconnected",
    "financial_connections.account.reactivated",
    "financial_connections.account.refreshed_balance",
    "financial_connections.account.refreshed_ownership",
    "financial_connections.account.refreshed_transactions",
    "institution_unavailable",
    "interrupted",
    "login_required",
    "no success yet",
    "pending, then posted",
    "test_helpers.test_clock.ready",
    "unsupported",
    "void, then alive",
];

/// The number of cases, unless the environment sets another. A failing case is printed, and belongs
/// into `reproductions.rs` rather than into a file of seeds.
fn config(cases: u32) -> ProptestConfig {
    let usual = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    if std::env::var_os("PROPTEST_CASES").is_some() {
        return usual;
    }
    ProptestConfig { cases, ..usual }
}

fn follows(kept: Kept, cases: u32) {
    let any = (setup(), operations(OPERATIONS_MAX));
    let result = TestRunner::new(config(cases)).run(&any, |(setup, operations)| {
        simulate(kept, setup, &operations);
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
}

/// The promise on plain collections, which are fast enough for most of the cases.
#[test]
fn a_follower_stays_in_step_on_the_memory_model() {
    follows(Kept::Memory, 80);
}

/// The promise on the real store, where workers also die and race while they wait for the writer.
#[test]
fn a_follower_stays_in_step_on_sqlite() {
    follows(Kept::Sqlite, 40);
}

/// The same operations give the same bytes of all responses, events and payloads.
#[test]
fn the_same_operations_give_the_same_bytes() {
    let any = (setup(), operations(OPERATIONS_MAX));
    let result = TestRunner::new(config(8)).run(&any, |(setup, operations)| {
        let first = simulate(Kept::Memory, setup, &operations);
        let second = simulate(Kept::Memory, setup, &operations);
        prop_assert!(first.transcript == second.transcript, "two runs differ");
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
}

/// The simulation is thorough: a fixed hundred of cases reaches every case of a follower.
#[test]
fn a_hundred_cases_meet_everything() {
    let mut runner = TestRunner::deterministic();
    let any = (setup(), operations(OPERATIONS_MAX));
    let mut sights: BTreeMap<&'static str, u32> = BTreeMap::new();
    for _ in 0..100 {
        let (setup, operations) = any.new_tree(&mut runner).expect("values are made").current();
        for (sight, count) in simulate(Kept::Memory, setup, &operations).sights {
            *sights.entry(sight).or_default() += count;
        }
    }
    let missed: Vec<&str> =
        SIGHTS.into_iter().filter(|sight| !sights.contains_key(sight)).collect();
    assert_eq!(missed, Vec::<&str>::new(), "seen: {sights:#?}");
}

/// Without operations, all work completes and the copies agree.
#[test]
fn an_uneventful_life_agrees() {
    for kept in [Kept::Memory, Kept::Sqlite] {
        simulate(kept, Setup::default(), &[]);
    }
}
