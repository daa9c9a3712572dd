//! The steps that must pass before a change lands.

use crate::Failure;
use crate::counts::{Counts, counts_of};
use crate::process::{self, built, program, run_lines, say};
use crate::steps::{Group, Steps};
use crate::{
    assets, bench, book, browser, clients, crash, deny, dist, hostile, instructions, kits, parity,
    programs, tidy, weeks,
};

/// Runs all steps, the quickest first. Prints the seconds of each, and the counts as the last line.
pub(crate) fn run() -> Result<(), Failure> {
    let mut steps = Steps::default();
    let outcome = run_steps(&mut steps);
    say(&steps.table());
    say(&outcome?.to_string());
    Ok(())
}

fn run_steps(steps: &mut Steps) -> Result<Counts, Failure> {
    steps.run(Group::LintAndTests, "lint", lint)?;
    steps.run(Group::LintAndTests, "tidy", tidy::run)?;
    steps.run(Group::LintAndTests, "deny", deny::run)?;
    steps.run(Group::LintAndTests, "book", book::run)?;
    steps.run(Group::LintAndTests, "assets", assets::check)?;
    let mut counts = steps.run(Group::LintAndTests, "test", test)?;
    counts += steps.run(Group::ClientsAndPrograms, "clients", || clients::run(&[]))?;
    counts += steps.run(Group::ClientsAndPrograms, "programs", || programs::run(&[]))?;
    counts += steps.run(Group::ClientsAndPrograms, "kits", || kits::run(&[]))?;
    counts += steps.run(Group::ClientsAndPrograms, "weeks", || weeks::run(&[]))?;
    steps.run(Group::ClientsAndPrograms, "example for CI services", example)?;
    steps.run(Group::ClientsAndPrograms, "parity", parity::check_recorded)?;
    counts += steps.run(Group::Browser, "browser", browser::run)?;
    counts += steps.run(Group::CrashAndHostile, "crash", || crash::run(&[]))?;
    counts += steps.run(Group::CrashAndHostile, "hostile", || hostile::run(&[]))?;
    counts += steps.run(Group::CrashAndHostile, "planted faults", planted_faults)?;
    steps.run(Group::CrashAndHostile, "benches, short", bench::run_short)?;
    counts += steps.run(Group::Packages, "dist", || dist::run(&[]))?;
    counts += steps.run(Group::CrashAndHostile, "instructions", || instructions::run(&[]))?;
    Ok(counts)
}

/// Formatting and clippy.
pub(crate) fn lint() -> Result<(), Failure> {
    process::run(&mut program("cargo", &["fmt", "--all", "--check"]))?;
    process::run(&mut program(
        "cargo",
        &["clippy", "--workspace", "--all-targets", "--", "--deny", "warnings"],
    ))
}

/// All tests, by the command that the README names.
pub(crate) fn test() -> Result<Counts, Failure> {
    let mut counts = Counts::default();
    let mut command = program("cargo", &["test", "--workspace"]);
    command.env(parity::TESTS_VARIABLE, parity::fresh_records("tests")?);
    let ended = run_lines(&mut command, |line| counts += counts_of(line));
    ended.map_err(|failure| format!("{failure} ({counts})"))?;
    if counts.passed == 0 { Err("no test ran".to_owned()) } else { Ok(counts) }
}

/// The checks of crashes and of hostile clients with planted faults, each of which must be found.
fn planted_faults() -> Result<Counts, Failure> {
    let mut counts = crash::run_sabotages()?;
    counts += hostile::run_sabotages()?;
    Ok(counts)
}

/// The smoke test that the documents show for CI services.
fn example() -> Result<(), Failure> {
    process::run(program("examples/ci-service.sh", &[]).arg(built("bankfeed")))
}
