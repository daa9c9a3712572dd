//! The benches. One cargo call builds the server and the workloads, so that the server's program is
//! in the folder of the program that starts it.

use crate::Failure;
use crate::install;
use crate::process::{self, built, program, root};

/// The workload that needs other programs.
const EMULATORS: &str = "emulators";
/// The option of the short form.
const SHORT: &str = "--short";

/// Builds the server and the workloads, and runs them with these arguments. The short form uses the
/// build of the tests, because its speeds mean nothing. The long form uses the build of packages, `dist`.
pub(crate) fn run(arguments: &[String]) -> Result<(), Failure> {
    let has_option = |option: &str| arguments.iter().any(|argument| argument == option);
    // Without a name all workloads run.
    let names_none = arguments.iter().all(|argument| argument == SHORT);
    if names_none || has_option(EMULATORS) {
        emulators()?;
    }
    if has_option(SHORT) {
        process::build()?;
        return process::run(
            program(&built("bankfeed-benches").to_string_lossy(), &[]).args(arguments),
        );
    }
    let packages = ["--package", "bankfeed", "--package", "bankfeed-benches"];
    process::run(program("cargo", &["build", "--profile", "dist"]).args(packages))?;
    let run = ["run", "--quiet", "--profile", "dist", "--package", "bankfeed-benches", "--"];
    process::run(program("cargo", &run).args(arguments))
}

/// Runs each workload once and small, which shows that it works.
pub(crate) fn run_short() -> Result<(), Failure> {
    run(&[SHORT.to_owned()])
}

/// Installs other emulators of Stripe's API in pinned versions.
fn emulators() -> Result<(), Failure> {
    let place = root().join("benches/emulators");
    install::programs(&[("node", "nodejs"), ("npm", "npm")])?;
    install::npm_packages(&place)?;
    let python = place.join("python");
    install::virtual_environment(&python)?;
    install::by_pip(&python, &["--requirement", "benches/emulators/requirements.txt"])
}
