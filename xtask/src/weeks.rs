//! Many followers of a week in parallel against one server, in Python and Node.
//!
//! Each follows a bank account on a test clock and compares its copy with the server's list, without
//! a sleep or a retry (`tests/clients/week`). All must pass, because a test suite of a user must not
//! fail at random.

use crate::Failure;
use crate::clients::run_client;
use crate::counts::Counts;
use crate::install;
use crate::process::{self, program};
use crate::time::moment;

/// The flows of a run in CI.
const FLOWS: &str = "50";
/// The flows of a nightly run.
pub(crate) const FLOWS_NIGHTLY: &str = "1000";

/// Runs this number of flows, 50 by default.
pub(crate) fn run(arguments: &[String]) -> Result<Counts, Failure> {
    let flows = arguments.first().map_or(FLOWS, String::as_str);
    let expected: u32 = flows.parse().map_err(|_| format!("{flows:?} is no number of flows"))?;
    install::programs(&[("node", "nodejs")])?;
    process::run(&mut program("cargo", &["build", "--package", "bankfeed"]))?;
    let begun = moment();
    let counts =
        run_client("weeks", &mut program("python3", &["tests/clients/week/main.py", flows]))?;
    process::say(&format!("weeks: {counts} in {} s", begun.elapsed().as_secs()));
    if counts.passed == expected {
        Ok(counts)
    } else {
        Err(format!("{} of {expected} flows ran", counts.passed))
    }
}
