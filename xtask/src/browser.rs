//! The link flow in Debian's Chromium against the real binary. Missing programs are installed: the
//! browser by name, and the packages of `tests/browser/package-lock.json` next to the tests.

use crate::Failure;
use crate::counts::{Counts, plain_counts};
use crate::install;
use crate::process::{self, built, program, root, run_lines};

/// Installs missing programs, then runs the tests. They save screenshots in `target/browser/`.
pub(crate) fn run() -> Result<Counts, Failure> {
    process::run(&mut program("cargo", &["build", "--package", "bankfeed"]))?;
    install::programs(&[("chromium", "chromium"), ("node", "nodejs"), ("npm", "npm")])?;
    install::npm_packages(&root().join("tests/browser"))?;
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
