//! `cargo xtask bench`: what bankfeed does, as a ratio to what this machine allows.
//!
//! Absolute figures of a shared machine drift by a factor of two within hours, so each workload
//! measures its own ceiling beside itself, in turns: a static answer of the same bytes, the bare
//! rows without anything around them, posts without a database. Nothing is asserted; the program
//! fails only if something does not work.
//!
//! A *workload* makes what it needs in a temporary folder beside this program, on the same disk.
//! Other processes (the server, the static server) are children that end with their workload.

mod bare;
mod changes;
mod client;
mod clock;
mod deep;
mod deliver;
mod emulators;
mod harness;
mod ingest;
mod measure;
mod pages;
mod proc;
mod report;
mod scale;
mod server;
mod start;
mod static_response;

use report::Report;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// What went wrong, for the person who reads it.
pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;

const USAGE: &str = "\
cargo xtask bench [WORKLOAD …] [--scale] [--accounts N]

  pages     pages of 100 and of 10 transactions, a customer, an account, over HTTP
  deep      the last page of an account with 10,000 rows
  delta     refreshes that bring 5 changed rows
  snapshot  refreshes that list 600 rows of which 5 changed
  first     first refreshes of 180 days
  clock     30 days of 10 subscribed accounts on a test clock
  deliver   webhook deliveries
  start     start and idle memory
  emulators a customer beside other emulators of Stripe's API
  scale     10,000 accounts with 180 days each (or N); takes minutes, so only when asked for

Without a name: all but the last.
";

/// The argument that makes this program the static server.
const STATIC_ANSWER: &str = "static-answer";
const WORKLOADS: &[&str] =
    &["pages", "deep", "delta", "snapshot", "first", "clock", "deliver", "start", "emulators"];
const SCALE: &str = "scale";
const SCALE_ACCOUNTS: u32 = 10_000;

/// What the command line asks for.
struct Asked {
    workloads: Vec<String>,
    accounts: u32,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error.to_string()),
    };
    let ended = match arguments.as_slice() {
        [word, file] if word == STATIC_ANSWER => {
            runtime.block_on(static_response::serve(Path::new(file)))
        }
        _ => match asked(&arguments) {
            Some(asked) => runtime.block_on(run(&asked)),
            None => return failed(USAGE),
        },
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&chain(&*error)),
    }
}

/// An error with all its causes.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

fn failed(message: &str) -> ExitCode {
    // Nobody is left to be told when standard error is closed.
    let _ = writeln!(std::io::stderr(), "{message}");
    ExitCode::FAILURE
}

fn asked(arguments: &[String]) -> Option<Asked> {
    let mut asked = Asked { workloads: Vec::new(), accounts: SCALE_ACCOUNTS };
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        match argument.as_str() {
            "--accounts" => asked.accounts = rest.next()?.parse().ok()?,
            "--scale" | SCALE => asked.workloads.push(SCALE.to_owned()),
            name if WORKLOADS.contains(&name) => asked.workloads.push(name.to_owned()),
            _ => return None,
        }
    }
    if asked.workloads.is_empty() {
        asked.workloads = WORKLOADS.iter().map(|name| (*name).to_owned()).collect();
    }
    Some(asked)
}

/// Runs the workloads that were asked for, and prints the table.
async fn run(asked: &Asked) -> Result<(), Failure> {
    let folder = tempfile::Builder::new().prefix("bench-").tempdir_in(beside()?)?;
    let mut report = Report::start();
    for name in &asked.workloads {
        let place = folder.path().join(name);
        std::fs::create_dir_all(&place)?;
        let rows = match name.as_str() {
            "pages" => pages::run(&place).await,
            "deep" => deep::run(&place).await,
            "delta" => ingest::delta(&place).await,
            "snapshot" => ingest::snapshot(&place).await,
            "first" => ingest::first(&place).await,
            "clock" => clock::run(&place).await,
            "deliver" => deliver::run(&place).await,
            "start" => start::run(&place).await,
            "emulators" => emulators::run(&place).await,
            _ => scale::run(&place, asked.accounts).await,
        };
        report.add(name, rows.map_err(|error| format!("{name}: {}", chain(&*error)))?)?;
        // A workload leaves hundreds of megabytes behind, which the next one need not share
        // the page cache with.
        std::fs::remove_dir_all(&place)?;
    }
    report.end()
}

/// The folder of this program, in which the server's program lies too.
pub(crate) fn beside() -> Result<PathBuf, Failure> {
    let program = std::env::current_exe()?;
    Ok(program.parent().ok_or("the program lies in no folder")?.to_path_buf())
}
