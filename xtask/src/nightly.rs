//! The long forms of checks that CI runs in a short form. They take hours.

use crate::Failure;
use crate::counts::{Counts, counts_of};
use crate::process::{program, run_lines, say};
use crate::steps::{Group, Steps};
use crate::{bench, crash, fuzz, hostile, weeks};

/// Rounds of kills, each with a seed of its own.
const CRASH_ROUNDS: &str = "20";
/// Kills in restores, resets and migrations.
const LARGE_KILLS: &str = "200";
/// Runs of power cuts and full disks, each with a seed of its own.
const CUT_ROUNDS: &str = "20";
/// Mebibytes that a run of power cuts adds to the database.
const LARGE_MEBIBYTES: &str = "1100";
/// Seconds for each fuzz target.
const FUZZ_SECONDS: &str = "600";
/// Cases of each property test that has no fixed number.
const PROPTEST_CASES: &str = "2000";
/// Overlapping runs of pairs of API calls.
const PAIRS: &str = "20000";
/// The beginning of a line in which the test of pairs prints its counts.
const PAIRS_LINE: &str = "pairs: ";

/// Runs all long forms. Prints the seconds of each, and the counts as the last lines.
pub(crate) fn run() -> Result<(), Failure> {
    let (mut steps, mut pairs) = (Steps::default(), Vec::new());
    let outcome = run_steps(&mut steps, &mut pairs);
    say(&steps.table());
    for line in &pairs {
        say(line);
    }
    say(&outcome?.to_string());
    Ok(())
}

fn run_steps(steps: &mut Steps, pairs: &mut Vec<String>) -> Result<Counts, Failure> {
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let mut counts = steps.run(Group::Nightly, "property tests", property_tests)?;
    counts += steps.run(Group::Nightly, "pairs of calls", || pairs_of_calls(pairs))?;
    let kills = words(&["--rounds", CRASH_ROUNDS, "--large", LARGE_KILLS, "--cuts", CUT_ROUNDS]);
    counts += steps.run(Group::Nightly, "crash", || crash::run(&kills))?;
    let of_large = words(&["--rounds", "0", "--large", "0", "--mebibytes", LARGE_MEBIBYTES]);
    counts += steps.run(Group::Nightly, "power cuts, large database", || crash::run(&of_large))?;
    counts += steps.run(Group::Nightly, "hostile", || hostile::run(&words(&["--long"])))?;
    counts += steps.run(Group::Nightly, "weeks", weeks::run_nightly)?;
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

/// The long form of the test of pairs of calls. Adds its counts to `pairs`.
fn pairs_of_calls(pairs: &mut Vec<String>) -> Result<Counts, Failure> {
    let mut counts = Counts::default();
    let arguments = [
        "test",
        "--package",
        "bankfeed-tests",
        "--test",
        "pairs",
        "generated",
        "--",
        "--nocapture",
    ];
    let mut command = program("cargo", &arguments);
    command.env("BANKFEED_PAIRS", PAIRS);
    let ended = run_lines(&mut command, |line| {
        counts += counts_of(line);
        pairs.extend(line.starts_with(PAIRS_LINE).then(|| line.to_owned()));
    });
    ended.map_err(|failure| format!("{failure} ({counts})"))?;
    Ok(counts)
}
