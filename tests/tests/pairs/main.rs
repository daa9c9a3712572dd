//! Pairs of API calls at once. Each outcome must be that of one order or of the other.
//!
//! CI runs a thousand overlapping pairs, one half on each of two back ends. `BANKFEED_PAIRS=20000`
//! runs this number of them, and uses a database in a file. `BANKFEED_PAIRS_SEED` chooses other
//! pairs.
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test that cannot go on stops")]
#![allow(clippy::print_stdout, reason = "the counts are a result of the long form")]

mod deletions;
mod lookups;
mod replacements;

use bankfeed_tests::pairs::kinds::{CallKind, KINDS, kind};
use bankfeed_tests::pairs::lane::Lane;
use bankfeed_tests::pairs::search::{Found, on_lanes, try_pair};
use deletions::overlap;
use std::fmt::Write as _;
use testkit::Backend;
use testkit::rng::SeededRng;

const SEED: u64 = 20_260_101;
/// The number of overlapping runs in CI.
const RUNS: usize = 1_000;
/// The long form needs at least one run of each kind for this number of runs on each back end. Of
/// 20,000 runs each kind has 50.
const RUNS_FOR_ONE: usize = 200;
/// The minimum number of kinds.
const KINDS_MIN: usize = 60;

/// A number from the environment.
fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap())
}

/// Every kind of calls succeeds alone.
#[tokio::test]
async fn every_call_succeeds_alone() {
    let lane = Lane::start(Backend::Memory).await;
    let mut failed = String::new();
    for kind in KINDS {
        let response = lane.alone(kind).await;
        if response.status != 200 {
            let _ = writeln!(failed, "{}: {}", kind.name, response.body);
        }
    }
    assert!(failed.is_empty(), "{failed}");
}

/// Equal runs have equal outcomes, so a difference is caused by the overlap.
#[tokio::test]
async fn outcomes_are_repeatable() {
    let mut lane = Lane::start(Backend::Temporary).await;
    let pair = [kind("create_checkout"), kind("delete_customer")];
    let first = lane.held(&pair, 0).await.unwrap();
    lane.alone(&kind("link_session")).await.ok();
    let second = lane.held(&pair, 0).await.unwrap();
    assert_eq!(first, second, "{}", first.difference(&second));
    assert!(try_pair(&mut lane, &pair).await.broken.is_empty());
}

/// A call for a customer returns 429 if the test clock of the customer begins to advance meanwhile. An
/// advance begins after a call that ended meanwhile.
#[tokio::test]
async fn an_advancing_clock_locks_its_customers() {
    let lane = deletions::lane().await;
    let locked = "429 \"lock_timeout\" null".to_owned();
    let pair = ["update_clock_customer", "advance_clock"];
    assert_eq!(overlap(&lane, pair[0], pair[1]).await, [locked, "200".into()]);
    assert_eq!(overlap(&lane, pair[1], pair[0]).await, ["200", "200"]);
}

/// Two refunds that overlap never exceed their charge. The later one is rejected with what is left, by
/// Stripe's rule that a charge is refunded up to its remaining amount.
#[tokio::test]
async fn refunds_never_exceed_a_charge() {
    let (one, other) = ("create_refund", "create_other_refund");
    for backend in [Backend::Memory, Backend::Temporary] {
        let mut lane = Lane::start(backend).await;
        for pair in [[one, other], [other, one], [one, one]] {
            let found = try_pair(&mut lane, &pair.map(kind)).await;
            assert!(found.overlapped > 0, "{pair:?}");
            assert!(found.broken.is_empty(), "{}", found.report());
        }
    }
}

/// Generated pairs of calls that overlap have the outcome of one of their two orders.
#[test]
fn generated_pairs_equal_one_order() {
    let folder = tempfile::tempdir().unwrap();
    let long = number("BANKFEED_PAIRS").map(|runs| usize::try_from(runs).unwrap());
    let seed = number("BANKFEED_PAIRS_SEED").unwrap_or(SEED);
    let database = match long {
        Some(_) => Backend::File(folder.path().join("pairs.db")),
        None => Backend::Temporary,
    };
    let backends = [Backend::Memory, database];
    let runs = long.unwrap_or(RUNS) / backends.len();
    let pairs = dealt(seed, backends.len());
    let found = on_lanes(&backends, async |number, lane| search(lane, &pairs[number], runs).await);
    let mut all = Found::default();
    for (backend, found) in backends.iter().zip(found) {
        let fewest = KINDS.iter().map(|kind| found.of_kind.get(kind.name).copied().unwrap_or(0));
        let fewest = fewest.min().unwrap_or(0);
        println!(
            "pairs: seed {seed}, {} overlapping runs of {} pairs on {backend:?}, {} kinds, \
             each in at least {fewest} runs",
            found.overlapped,
            found.pairs,
            found.of_kind.len()
        );
        assert!(found.overlapped >= runs);
        assert!(found.of_kind.len() >= KINDS_MIN);
        assert!(long.is_none() || fewest >= runs / RUNS_FOR_ONE);
        all.add(found);
    }
    println!("pairs: {} broken runs", all.broken.len());
    assert!(all.broken.is_empty(), "{}", all.report());
}

/// Runs the pairs of a lane until this number of runs has overlapped.
async fn search(lane: &mut Lane, pairs: &[[CallKind; 2]], runs: usize) -> Found {
    let mut found = Found::default();
    for pair in pairs {
        if found.overlapped >= runs {
            break;
        }
        let tried = try_pair(lane, pair).await;
        if !tried.broken.is_empty() {
            // The long form takes long, so a broken pair is reported at once.
            println!("{}", tried.report());
        }
        found.add(tried);
    }
    found
}

/// All pairs, dealt to this number of lanes. Pairs whose second call ends an object that the first
/// call depends on come first, because most preconditions are about such objects. All others follow
/// in a random order.
fn dealt(seed: u64, lanes: usize) -> Vec<Vec<[CallKind; 2]>> {
    let all = KINDS.iter().flat_map(|first| KINDS.iter().map(|second| [*first, *second]));
    let is_near =
        |[first, second]: &[CallKind; 2]| second.ended().is_some_and(|name| first.depends_on(name));
    let (mut near, mut others): (Vec<_>, Vec<_>) = all.partition(is_near);
    let rng = SeededRng::new(seed);
    rng.shuffle(&mut near);
    rng.shuffle(&mut others);
    let mut dealt = vec![Vec::new(); lanes];
    for (place, pair) in near.into_iter().chain(others).enumerate() {
        dealt[place % lanes].push(pair);
    }
    dealt
}

/// The short form begins with every pair whose second call ends an object of the first.
#[test]
fn near_pairs_come_first() {
    let near = ["attach_method", "create_checkout", "create_session"];
    let dealt = dealt(SEED, 2);
    let tried: Vec<[&str; 2]> = dealt
        .iter()
        .flat_map(|lane| lane.iter().take(RUNS / 10))
        .map(|[first, second]| [first.name, second.name])
        .collect();
    for first in near {
        assert!(tried.contains(&[first, "delete_customer"]), "{first}");
    }
    assert!(tried.contains(&["create_customer_inside", "delete_connected"]));
}
