//! The steps that must pass before a change lands.

use crate::Failure;
use crate::process::{self, program, run_lines, say};
use crate::{clients, crash, tidy};
use std::fmt;
use std::ops::AddAssign;

/// How many tests ran.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) passed: u32,
    pub(crate) failed: u32,
}

impl fmt::Display for Counts {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} passed, {} failed", self.passed, self.failed)
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

/// Everything, the quickest first.
pub(crate) fn run() -> Result<(), Failure> {
    lint()?;
    tidy::run()?;
    let mut counts = test()?;
    say(&format!("cargo test: {counts}"));
    let clients = clients::run(&[])?;
    say(&format!("clients: {clients}"));
    counts += clients;
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
    let command = &mut program("cargo", &["test", "--workspace"]);
    let ended = run_lines(command, |line| counts += counts_of(line));
    ended.map_err(|failure| format!("{failure} ({counts})"))?;
    if counts.passed == 0 { Err("no test ran".to_owned()) } else { Ok(counts) }
}

/// The counts of a line `test result: ok. 3 passed; 0 failed; …`.
fn counts_of(line: &str) -> Counts {
    let Some(result) = line.strip_prefix("test result: ") else {
        return Counts::default();
    };
    let number = |word: &str| {
        let before = result.split(word).next().unwrap_or_default();
        before.trim_end().rsplit(' ').next().and_then(|text| text.parse().ok()).unwrap_or(0)
    };
    Counts { passed: number("passed"), failed: number("failed") }
}

#[cfg(test)]
mod tests {
    use super::counts_of;

    /// The counts are those that cargo prints.
    #[test]
    fn reads_what_cargo_prints() {
        let counts = counts_of("test result: ok. 12 passed; 3 failed; 0 ignored; 0 measured");
        assert_eq!((counts.passed, counts.failed), (12, 3));
        assert_eq!(counts_of("running 4 tests").passed, 0);
    }
}
