//! Clients that people use against the real binary: Stripe's guide by curl, and official SDKs, each in a
//! virtual environment of its own under `target/`. Every program ends with `N passed, M failed`.

use crate::Failure;
use crate::counts::{Counts, plain_counts};
use crate::process::{self, built, program, root, run_lines};
use std::path::Path;
use std::process::Command;

/// A client by its name, and what its program is started with.
type Client = (&'static str, fn() -> Result<Command, Failure>);

/// The quickest first.
const CLIENTS: &[Client] = &[("curl", curl), ("python", python)];

/// Runs the named clients, or all of them.
pub(crate) fn run(names: &[String]) -> Result<Counts, Failure> {
    if let Some(unknown) = names.iter().find(|name| CLIENTS.iter().all(|client| client.0 != **name))
    {
        let known: Vec<&str> = CLIENTS.iter().map(|client| client.0).collect();
        return Err(format!("no client {unknown:?}; there are: {}", known.join(", ")));
    }
    process::run(&mut program("cargo", &["build", "--package", "bankfeed"]))?;
    let mut counts = Counts::default();
    for (name, prepare) in CLIENTS {
        if names.is_empty() || names.iter().any(|chosen| chosen == name) {
            let client = run_client(name, &mut prepare()?)?;
            process::say(&format!("{name}: {client}"));
            counts += client;
        }
    }
    Ok(counts)
}

fn run_client(name: &str, command: &mut Command) -> Result<Counts, Failure> {
    let mut counts = Counts::default();
    let ended = run_lines(command.env("BANKFEED_BINARY", built("bankfeed")), |line| {
        if let Some(count) = plain_counts(line) {
            counts += count;
        }
    });
    ended.map_err(|failure| format!("{failure} ({counts})"))?;
    match counts {
        Counts { failed: 0, passed: 1.. } => Ok(counts),
        Counts { failed: 0, .. } => Err(format!("no test of {name} ran")),
        // A program that says so and ends with status 0 all the same.
        Counts { .. } => Err(format!("{name}: {counts}")),
    }
}

/// The calls of Stripe's guide, sent by curl. Needs nothing beside Python's own library, bash and curl.
#[expect(clippy::unnecessary_wraps, reason = "other clients have something to prepare")]
fn curl() -> Result<Command, Failure> {
    Ok(program("python3", &["tests/clients/curl/main.py"]))
}

/// The Python SDK, with the packages that its `requirements.txt` pins.
fn python() -> Result<Command, Failure> {
    let environment = root().join("target/clients/python");
    let python = environment.join("bin/python");
    if !python.exists() {
        let place = text(&environment)?;
        process::run(&mut program("python3", &["-m", "venv", place]))?;
    }
    let requirements = root().join("tests/clients/python/requirements.txt");
    let pip = ["-m", "pip", "install", "--quiet", "--requirement", text(&requirements)?];
    process::run(&mut program(text(&python)?, &pip))?;
    Ok(program(text(&python)?, &["tests/clients/python/main_job.py"]))
}

fn text(path: &Path) -> Result<&str, Failure> {
    path.to_str().ok_or_else(|| format!("{} is not UTF-8", path.display()))
}
