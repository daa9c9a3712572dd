//! Fuzzing of what reads bytes from strangers.

use crate::Failure;
use crate::process::{program, run};

/// Every target under `fuzz/`.
const TARGETS: &[&str] = &["params", "signature", "ids"];
/// Seconds a target runs unless the caller says otherwise.
const SECONDS_DEFAULT: u64 = 60;

/// Runs each target for some seconds: `cargo xtask fuzz [SECONDS]`. Needs `cargo install cargo-fuzz`.
pub(crate) fn fuzz(arguments: &[String]) -> Result<(), Failure> {
    let seconds = match arguments.first() {
        Some(text) => text.parse().map_err(|_| format!("{text} is not a number of seconds"))?,
        None => SECONDS_DEFAULT,
    };
    for target in TARGETS {
        let time = format!("-max_total_time={seconds}");
        // Sanitizers are unstable flags; this lets a stable toolchain take them.
        run(program("cargo", &["fuzz", "run", target, "--", &time]).env("RUSTC_BOOTSTRAP", "1"))?;
    }
    Ok(())
}
