//! The search for broken pairs: many overlapping runs, each compared with both serial orders.

use crate::pairs::kinds::CallKind;
use crate::pairs::lane::{Lane, Order};
use crate::pairs::outcome::Outcome;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use testkit::Backend;

/// The maximum number of writes of a first call after which it is held back.
const WRITES_MAX: usize = 8;
/// The beginning of a response to a call that conflicted too often, or on an advancing clock.
const LOCKED: &str = "429 ";
/// The number of threads of a lane.
const THREADS: usize = 2;

/// The way in which the calls of a pair overlap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overlap {
    /// The first call is held back after this number of writes, while the second call runs.
    HeldAfter(usize),
    /// Both calls meet before their first writes.
    AtOnce,
}

/// An overlapping run whose outcome is that of neither order.
#[derive(Clone, Debug)]
pub struct Broken {
    /// The names of the calls.
    pub pair: [&'static str; 2],
    /// The way in which they overlapped.
    pub overlap: Overlap,
    /// The differences from the outcomes of both orders.
    pub shown: String,
}

/// The counts of a search, and the broken pairs.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// The number of pairs that were tried.
    pub pairs: usize,
    /// The number of runs in which both calls were in progress at once.
    pub overlapped: usize,
    /// The same, for each kind of calls.
    pub of_kind: BTreeMap<&'static str, usize>,
    /// The broken pairs.
    pub broken: Vec<Broken>,
}

impl Found {
    /// Adds the results of another search.
    pub fn add(&mut self, other: Self) {
        self.pairs += other.pairs;
        self.overlapped += other.overlapped;
        for (kind, count) in other.of_kind {
            *self.of_kind.entry(kind).or_default() += count;
        }
        self.broken.extend(other.broken);
    }

    /// Counts an overlapping run of a pair.
    fn count(&mut self, pair: &[CallKind; 2]) {
        self.overlapped += 1;
        for kind in pair {
            *self.of_kind.entry(kind.name).or_default() += 1;
        }
    }

    /// The names and differences of the broken pairs.
    pub fn report(&self) -> String {
        let line = |broken: &Broken| {
            let [first, second] = broken.pair;
            format!("{first} + {second} ({:?})\n{}", broken.overlap, broken.shown)
        };
        self.broken.iter().map(line).collect()
    }
}

/// Searches on several lanes at once, each with a runtime of its own. Returns the results in the order
/// of the back ends. The work gets the number of its lane.
pub fn on_lanes(
    backends: &[Backend],
    work: impl AsyncFn(usize, &mut Lane) -> Found + Sync,
) -> Vec<Found> {
    let search = |(number, backend): (usize, &Backend)| {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(THREADS)
            .enable_all()
            .build()
            .expect("a runtime starts");
        runtime.block_on(async {
            let mut lane = Lane::start(backend.clone()).await;
            work(number, &mut lane).await
        })
    };
    let search = &search;
    std::thread::scope(|scope| {
        let lanes = backends.iter().enumerate();
        let lanes: Vec<_> = lanes.map(|lane| scope.spawn(move || search(lane))).collect();
        lanes.into_iter().map(|lane| lane.join().expect("a lane ends")).collect()
    })
}

/// Runs a pair in every way of overlapping.
pub async fn try_pair(lane: &mut Lane, pair: &[CallKind; 2]) -> Found {
    let mut found = Found { pairs: 1, ..Found::default() };
    for writes in 0..WRITES_MAX {
        let Some(outcome) = lane.held(pair, writes).await else { break };
        found.count(pair);
        check(lane, pair, Overlap::HeldAfter(writes), &outcome, &mut found).await;
    }
    if let Some(outcome) = lane.at_once(pair).await {
        found.count(pair);
        check(lane, pair, Overlap::AtOnce, &outcome, &mut found).await;
    }
    found
}

/// Adds a run to the broken ones, unless its outcome is that of one order. A call returns 429 only on
/// an advancing test clock, because one other call never conflicts with it 16 times.
async fn check(
    lane: &mut Lane,
    pair: &[CallKind; 2],
    overlap: Overlap,
    outcome: &Outcome,
    found: &mut Found,
) {
    let mut shown = String::new();
    let is_locked = outcome.responses.iter().any(|response| response.starts_with(LOCKED));
    let may_be_locked = pair.iter().any(CallKind::advances_a_clock);
    for order in [Order::Swapped, Order::AsNamed] {
        let serial = lane.serial(pair, order).await;
        if serial == *outcome && (may_be_locked || !is_locked) {
            return;
        }
        // Writing to a String cannot fail.
        let _ = writeln!(shown, " {order:?}:\n{}", outcome.difference(&serial));
    }
    found.broken.push(Broken { pair: [pair[0].name, pair[1].name], overlap, shown });
}
