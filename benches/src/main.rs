//! `cargo xtask bench`: the speed of bankfeed as a ratio to the limits of this machine.
//!
//! Absolute figures of a shared machine vary by a factor of two within hours. So each workload also
//! measures its own ceiling, in alternation: a static response of the same bytes, a bare copy of the
//! rows, posts without a database. Speed is not asserted. The program fails only if a workload does.
//!
//! A *workload* writes to a temporary folder beside this program, on the same disk. Other processes
//! (the server, the static server) are children that end with their workload. The short form runs
//! each workload once and small. CI runs it, so that no workload breaks unnoticed.

mod bare;
mod changes;
mod client;
mod clock;
mod deep;
mod deliver;
mod emulators;
mod harness;
mod ingest;
mod instructions;
mod measure;
mod pages;
mod proc;
mod report;
mod restore;
mod scale;
mod server;
mod start;
mod static_response;

use measure::Form;
use mimalloc::MiMalloc;
use report::Report;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// The allocator of the program. With the system's allocator, instruction counts would depend on
/// the addresses of unrelated allocations, because some buffers grow in place and others are copied.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// An error, for the person who reads it.
pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;

const USAGE: &str = "\
cargo xtask bench [WORKLOAD …] [--short] [--scale] [--accounts N]

  pages     pages of 100 and of 10 transactions, a customer, an account, over HTTP
  deep      the last page of an account with 10,000 rows
  delta     refreshes that bring 5 changed rows
  snapshot  refreshes that list 600 rows of which 5 changed
  first     first refreshes of 180 days
  clock     30 days of 10 subscribed accounts on a test clock
  deliver   webhook deliveries
  start     start and idle memory
  emulators a customer, compared with other emulators of Stripe's API
  scale     10,000 accounts with 180 days each (or N); takes minutes

Without a name all workloads run except scale. --short runs each once and small, also scale.
";

/// The argument that makes this program the static server.
const STATIC_RESPONSE: &str = "static-response";
/// The argument that runs one operation for `cargo xtask instructions`.
const INSTRUCTIONS: &str = "instructions";
const WORKLOADS: &[&str] = &[
    "pages",
    "deep",
    "delta",
    "snapshot",
    "first",
    "clock",
    "deliver",
    "restore",
    "start",
    "emulators",
];
const SCALE: &str = "scale";
/// Accounts of the scale workload: long form, short form.
const SCALE_ACCOUNTS: (u32, u32) = (10_000, 20);

/// The command line's options.
struct Options {
    workloads: Vec<&'static str>,
    accounts: u32,
    form: Form,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let ended = match arguments.as_slice() {
        [word, operation, count] if word == INSTRUCTIONS => instructions::run(operation, count),
        [word, file] if word == STATIC_RESPONSE => {
            with_runtime(static_response::serve(Path::new(file)))
        }
        _ => match options(&arguments) {
            Some(options) => with_runtime(run(&options)),
            None => return failed(USAGE),
        },
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&chain(&*error)),
    }
}

fn with_runtime(work: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    tokio::runtime::Runtime::new()?.block_on(work)
}

/// An error with all its causes.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

fn failed(message: &str) -> ExitCode {
    // If standard error is closed, there is no reader to inform.
    let _ = writeln!(std::io::stderr(), "{message}");
    ExitCode::FAILURE
}

fn options(arguments: &[String]) -> Option<Options> {
    let (mut workloads, mut accounts, mut form) = (Vec::new(), None, Form::Long);
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        match argument.as_str() {
            "--accounts" => accounts = Some(rest.next()?.parse().ok()?),
            "--short" => form = Form::Short,
            "--scale" | SCALE => workloads.push(SCALE),
            name => workloads.push(WORKLOADS.iter().find(|known| **known == name)?),
        }
    }
    if workloads.is_empty() {
        workloads.extend(WORKLOADS);
        workloads.extend((form == Form::Short).then_some(SCALE));
    }
    let accounts = accounts.unwrap_or(form.pick(SCALE_ACCOUNTS));
    Some(Options { workloads, accounts, form })
}

/// Runs the chosen workloads and prints the table.
async fn run(options: &Options) -> Result<(), Failure> {
    let folder = tempfile::Builder::new().prefix("bench-").tempdir_in(beside()?)?;
    let mut report = Report::start(options.form);
    let form = options.form;
    for name in &options.workloads {
        let place = folder.path().join(name);
        std::fs::create_dir_all(&place)?;
        let rows = match *name {
            "pages" => pages::run(&place, form).await,
            "deep" => deep::run(&place, form).await,
            "delta" => ingest::delta(&place, form).await,
            "snapshot" => ingest::snapshot(&place, form).await,
            "first" => ingest::first(&place, form).await,
            "clock" => clock::run(&place, form).await,
            "deliver" => deliver::run(&place, form).await,
            "restore" => restore::run(&place, form).await,
            "start" => start::run(&place, form).await,
            "emulators" => emulators::run(&place, form).await,
            _ => scale::run(&place, options.accounts, form).await,
        };
        report.add(name, rows.map_err(|error| format!("{name}: {}", chain(&*error)))?)?;
        // A workload leaves hundreds of megabytes, which would fill the next one's page cache.
        std::fs::remove_dir_all(&place)?;
    }
    report.end()
}

/// The folder of this program, which also contains the server's program.
pub(crate) fn beside() -> Result<PathBuf, Failure> {
    let program = std::env::current_exe()?;
    Ok(program.parent().ok_or("the program is in no folder")?.to_path_buf())
}
