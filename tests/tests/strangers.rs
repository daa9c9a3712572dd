//! The checks of the fuzz targets as property tests. The texts are the seeds of each target with
//! changes at random places, so most of them reach code behind the first error.

#[path = "../../fuzz/src/lib.rs"]
#[expect(unreachable_pub, reason = "the code belongs to the fuzz targets")]
mod targets;

use proptest::prelude::*;
use proptest::sample::Index;
use targets::TARGETS;

/// A change of a text.
#[derive(Clone, Debug)]
enum Change {
    Remove(Index, usize),
    Insert(Index, String),
    Copy(Index, Index, usize),
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let piece = prop_oneof![
        "[\\[\\]{}\"=&,:.;\\\\%0-9a-z _-]{1,6}",
        any::<char>().prop_map(String::from),
        "-?[0-9]{1,25}",
        Just("\u{0}".to_owned()),
        Just("\u{feff}".to_owned()),
    ];
    let change = prop_oneof![
        (any::<Index>(), 1..40_usize).prop_map(|(at, length)| Change::Remove(at, length)),
        (any::<Index>(), piece).prop_map(|(at, text)| Change::Insert(at, text)),
        (any::<Index>(), any::<Index>(), 1..60_usize)
            .prop_map(|(from, to, length)| Change::Copy(from, to, length)),
    ];
    proptest::collection::vec(change, 0..8)
}

fn changed(seed: &str, changes: &[Change]) -> String {
    let mut letters: Vec<char> = seed.chars().collect();
    for change in changes {
        match change {
            Change::Remove(at, length) => {
                let at = at.index(letters.len() + 1);
                let end = letters.len().min(at + length);
                letters.drain(at..end);
            }
            Change::Insert(at, text) => {
                let at = at.index(letters.len() + 1);
                letters.splice(at..at, text.chars());
            }
            Change::Copy(from, to, length) => {
                let from = from.index(letters.len() + 1);
                let copied = letters[from..letters.len().min(from + length)].to_vec();
                let to = to.index(letters.len() + 1);
                letters.splice(to..to, copied);
            }
        }
    }
    letters.into_iter().collect()
}

/// Every target has seeds, and its check accepts them.
#[test]
fn seeds_pass() {
    for target in TARGETS {
        let seeds = (target.seeds)();
        assert!(seeds.len() >= 3, "{} has {} seeds", target.name, seeds.len());
        for seed in seeds {
            (target.check)(&seed);
        }
    }
}

proptest! {
    /// The check of a target holds for changed seeds.
    #[test]
    fn changed_seeds_pass(target: Index, seed: Index, changes in changes()) {
        let target = &TARGETS[target.index(TARGETS.len())];
        let seeds = (target.seeds)();
        (target.check)(&changed(&seeds[seed.index(seeds.len())], &changes));
    }
}
