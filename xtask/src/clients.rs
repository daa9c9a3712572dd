//! Official SDKs against the real binary: each in a virtual environment of its own under `target/`.

use crate::Failure;
use crate::counts::{Counts, plain_counts};
use crate::process;
use crate::process::{program, root, run_lines};
use std::path::Path;

/// Runs the client programs. Arguments are handed on to them.
pub(crate) fn run(arguments: &[String]) -> Result<Counts, Failure> {
    run_step_build()?;
    python(arguments)
}

fn run_step_build() -> Result<(), Failure> {
    process::run(&mut program("cargo", &["build", "--package", "bankfeed"]))
}

/// The Python program, with the packages that its `requirements.txt` pins.
fn python(arguments: &[String]) -> Result<Counts, Failure> {
    let environment = root().join("target/clients/python");
    let python = environment.join("bin/python");
    if !python.exists() {
        let place = text(&environment)?;
        process::run(&mut program("python3", &["-m", "venv", place]))?;
    }
    let requirements = root().join("tests/clients/python/requirements.txt");
    let pip = ["-m", "pip", "install", "--quiet", "--requirement", text(&requirements)?];
    process::run(&mut program(text(&python)?, &pip))?;
    let mut counts = Counts::default();
    let mut command = program(text(&python)?, &["tests/clients/python/main_job.py"]);
    command.args(arguments);
    let ended = run_lines(&mut command, |line| {
        if let Some(count) = plain_counts(line) {
            counts += count;
        }
    });
    ended.map_err(|failure| format!("{failure} ({counts})"))?;
    if counts.passed == 0 { Err("no client test ran".to_owned()) } else { Ok(counts) }
}

fn text(path: &Path) -> Result<&str, Failure> {
    path.to_str().ok_or_else(|| format!("{} is not UTF-8", path.display()))
}
