//! The long forms of checks that CI runs in a short form. They take hours.

use crate::Failure;
use crate::counts::{Counts, counts_of};
use crate::process::{program, run_lines, say};
use crate::steps::{Group, Steps};
use crate::{bench, crash, fuzz};

/// Rounds of kills, each with a seed of its own.
const CRASH_ROUNDS: &str = "20";
/// Seconds for each fuzz target.
const FUZZ_SECONDS: &str = "600";
/// Cases of each property test that has no fixed number.
const PROPTEST_CASES: &str = "2000";

/// Runs all long forms. Prints the seconds of each, and the counts as the last line.
pub(crate) fn run() -> Result<(), Failure> {
    let mut steps = Steps::default();
    let outcome = run_steps(&mut steps);
    say(&steps.table());
    say(&outcome?.to_string());
    Ok(())
}

fn run_steps(steps: &mut Steps) -> Result<Counts, Failure> {
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let mut counts = steps.run(Group::Nightly, "property tests", property_tests)?;
    let rounds = words(&["--rounds", CRASH_ROUNDS]);
    counts += steps.run(Group::Nightly, "crash", || crash::run(&rounds))?;
    steps.run(Group::Nightly, "fuzz", || fuzz::fuzz(&words(&[FUZZ_SECONDS])))?;
    steps.run(Group::Nightly, "benches", || bench::run(&[]))?;
    steps.run(Group::Nightly, "bench of many accounts", || bench::run(&words(&["--scale"])))?;
    Ok(counts)
}

/// All tests of the workspace, with many cases in each property test.
fn property_tests() -> Result<Counts, Failure> {
    let mut counts = Counts::default();
    let mut command = program("cargo", &["test", "--workspace"]);
    command.env("PROPTEST_CASES", PROPTEST_CASES);
    let ended = run_lines(&mut command, |line| counts += counts_of(line));
    ended.map_err(|failure| format!("{failure} ({counts})"))?;
    Ok(counts)
}
