//! The steps that must pass before a change lands.

use crate::Failure;
use crate::counts::{Counts, counts_of};
use crate::process::{self, built, program, run_lines, say};
use crate::{browser, clients, crash, deny, parity, tidy};

/// Everything, the quickest first.
pub(crate) fn run() -> Result<(), Failure> {
    lint()?;
    tidy::run()?;
    deny::run()?;
    let mut counts = test()?;
    say(&format!("cargo test: {counts}"));
    let clients = clients::run(&[])?;
    say(&format!("clients: {clients}"));
    // The steps of the example for CI services, so that what it shows works.
    process::run(program("examples/ci-service.sh", &[]).arg(built("bankfeed")))?;
    counts += clients;
    parity::check_recorded()?;
    let browser = browser::run()?;
    say(&format!("browser: {browser}"));
    counts += browser;
    let crash = crash::run(&[])?;
    say(&format!("crash: {crash}"));
    counts += crash;
    say(&counts.to_string());
    Ok(())
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
