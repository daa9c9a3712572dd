//! Many followers of a week in parallel against one server, in Python and Node.
//!
//! Each follows a bank account on a test clock and compares its copy with the server's list, without
//! a sleep or a retry (`tests/clients/week`). All must pass, because a test suite of a user must not
//! fail at random.

use crate::Failure;
use crate::clients::run_against;
use crate::counts::Counts;
use crate::install;
use crate::process::{self, build_release, built, built_release, program};
use crate::time::moment;
use std::path::Path;

/// The flows of a run in CI.
const FLOWS: &str = "50";
/// The flows of a nightly run.
const FLOWS_NIGHTLY: &str = "1000";

/// Runs this number of flows, 50 by default.
pub(crate) fn run(arguments: &[String]) -> Result<Counts, Failure> {
    process::run(&mut program("cargo", &["build", "--package", "bankfeed"]))?;
    run_flows(arguments.first().map_or(FLOWS, String::as_str), &built("bankfeed"))
}

/// Runs the flows of a nightly run on an optimised build. The advances of a thousand test clocks at the
/// same time take longer than a wait on the usual one.
pub(crate) fn run_nightly() -> Result<Counts, Failure> {
    build_release()?;
    run_flows(FLOWS_NIGHTLY, &built_release("bankfeed"))
}

fn run_flows(flows: &str, binary: &Path) -> Result<Counts, Failure> {
    let expected: u32 = flows.parse().map_err(|_| format!("{flows:?} is no number of flows"))?;
    install::programs(&[("node", "nodejs")])?;
    let begun = moment();
    let mut flows = program("python3", &["tests/clients/week/main.py", flows]);
    let counts = run_against(binary, "weeks", &mut flows)?;
    process::say(&format!("weeks: {counts} in {} s", begun.elapsed().as_secs()));
    if counts.passed == expected {
        Ok(counts)
    } else {
        Err(format!("{} of {expected} flows ran", counts.passed))
    }
}
