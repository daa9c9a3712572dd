//! The workloads and their ratios. Both programs are built in one go, optimised, so that the
//! server under test lies beside the program that starts it.

use crate::Failure;
use crate::install;
use crate::process::{self, program, root};

/// The workload that needs other programs.
const EMULATORS: &str = "emulators";

/// Builds the server and the workloads, and runs them. Arguments are handed on.
pub(crate) fn run(arguments: &[String]) -> Result<(), Failure> {
    // Without a name all workloads run.
    if arguments.is_empty() || arguments.iter().any(|argument| argument == EMULATORS) {
        emulators()?;
    }
    let packages = ["--package", "bankfeed", "--package", "bankfeed-benches"];
    process::run(program("cargo", &["build", "--release"]).args(packages))?;
    let run = ["run", "--quiet", "--release", "--package", "bankfeed-benches", "--"];
    process::run(program("cargo", &run).args(arguments))
}

/// Other emulators of Stripe's API, in pinned versions.
fn emulators() -> Result<(), Failure> {
    let place = root().join("benches/emulators");
    install::programs(&[("node", "nodejs"), ("npm", "npm")])?;
    install::npm_packages(&place)?;
    let python = place.join("python");
    install::virtual_environment(&python)?;
    install::by_pip(&python, &["--requirement", "benches/emulators/requirements.txt"])
}
