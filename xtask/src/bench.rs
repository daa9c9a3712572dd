//! The workloads and their ratios. Both programs are built in one go, optimised, so that the
//! server under test lies beside the program that starts it.

use crate::Failure;
use crate::process::{self, program};

/// Builds the server and the workloads, and runs them. Arguments are handed on.
pub(crate) fn run(arguments: &[String]) -> Result<(), Failure> {
    let packages = ["--package", "bankfeed", "--package", "bankfeed-benches"];
    process::run(program("cargo", &["build", "--release"]).args(packages))?;
    let run = ["run", "--quiet", "--release", "--package", "bankfeed-benches", "--"];
    process::run(program("cargo", &run).args(arguments))
}
