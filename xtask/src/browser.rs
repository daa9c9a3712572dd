//! The link flow in Debian's Chromium against the real binary. What is missing is installed: the
//! browser by name, the packages of `tests/browser/package-lock.json` beside the tests.

use crate::Failure;
use crate::counts::{Counts, plain_counts};
use crate::process::{self, built, program, root, run_lines};
use std::process::Stdio;

/// Installs what is missing, then runs the tests. Pictures are left in `target/browser/`.
pub(crate) fn run() -> Result<Counts, Failure> {
    process::run(&mut program("cargo", &["build", "--package", "bankfeed"]))?;
    install_programs()?;
    install_packages()?;
    let mut counts = Counts::default();
    let mut command = program("node", &["tests/browser/main.js"]);
    let ended = run_lines(command.env("BANKFEED_BINARY", built("bankfeed")), |line| {
        if let Some(count) = plain_counts(line) {
            counts += count;
        }
    });
    ended.map_err(|failure| format!("{failure} ({counts})"))?;
    if counts.passed == 0 { Err("no test ran in the browser".to_owned()) } else { Ok(counts) }
}

/// The browser and what drives it, from the machine's own distribution.
fn install_programs() -> Result<(), Failure> {
    let missing: Vec<&str> = [("chromium", "chromium"), ("node", "nodejs"), ("npm", "npm")]
        .into_iter()
        .filter(|(name, _)| !answers(name))
        .map(|(_, package)| package)
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    process::run(&mut program("apt-get", &["update", "-qq"]))?;
    let mut install = program("apt-get", &["install", "-y", "-qq"]);
    process::run(install.args(missing).env("DEBIAN_FRONTEND", "noninteractive"))
}

fn answers(name: &str) -> bool {
    let mut asked = program(name, &["--version"]);
    asked.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

/// The packages that the lock file pins; installed anew only when it changed.
fn install_packages() -> Result<(), Failure> {
    let tests = root().join("tests/browser");
    let changed = |name: &str| tests.join(name).metadata().and_then(|file| file.modified()).ok();
    // npm writes this file last.
    let installed = changed("node_modules/.package-lock.json");
    if installed.is_some() && installed >= changed("package-lock.json") {
        return Ok(());
    }
    process::run(program("npm", &["ci", "--no-audit", "--no-fund"]).current_dir(tests))
}
