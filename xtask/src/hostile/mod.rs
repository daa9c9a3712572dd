//! `cargo xtask hostile`: the real binary among hostile clients, neighbours and receivers.
//!
//! | kind | statement |
//! |---|---|
//! | `neighbours` | A merchant with hanging endpoints, many events, waits and refreshes delays no other merchant |
//! | `floods` | Idle, slow and unread connections, and thousands of keys, leave `/healthz` and calls of others served |
//! | `bytes` | Malformed requests get Stripe's envelope or a closed connection, never 5xx, and change no data |
//! | `addresses` | Foreign hosts, private receivers, credentials in URLs and line breaks are refused |
//!
//! `--sabotage KIND` plants a fault, which must make this kind fail. Each wait is for a named condition and
//! has a bound, and no check compares a measured time.

mod addresses;
mod bytes;
mod floods;
mod generator;
mod neighbours;
mod raw;

use crate::counts::Counts;
use crate::crash::server::Server;
use crate::process::{self, built, say};
use crate::{Failure, time};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::collections::BTreeMap;
use std::time::Duration;

/// The longest time of a kind, in the short and in the long form.
const SHORT_MAX: Duration = Duration::from_mins(3);
const LONG_MAX: Duration = Duration::from_mins(40);
/// Files that a flood opens.
const FILES_MIN: u64 = 6_000;
/// Faults that are printed.
const FAULTS_SHOWN_MAX: usize = 10;

/// A kind of hostile behaviour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Neighbours,
    Floods,
    Bytes,
    Addresses,
}

impl Kind {
    const ALL: [Self; 4] = [Self::Neighbours, Self::Floods, Self::Bytes, Self::Addresses];

    fn word(self) -> &'static str {
        match self {
            Self::Neighbours => "neighbours",
            Self::Floods => "floods",
            Self::Bytes => "bytes",
            Self::Addresses => "addresses",
        }
    }
}

/// The command line.
#[derive(Debug, PartialEq, Eq)]
struct Options {
    /// The seed of generated requests: `--seed N`.
    seed: u64,
    /// True for many more calls: `--long`.
    long: bool,
    /// The kinds that run: `--only KIND`.
    kinds: Vec<Kind>,
    /// True to plant a fault in these kinds: `--sabotage KIND`.
    sabotage: bool,
}

impl Options {
    fn parse(arguments: &[String]) -> Result<Self, Failure> {
        let mut options = Self {
            seed: time::fresh_seed(),
            long: false,
            kinds: Kind::ALL.to_vec(),
            sabotage: false,
        };
        let mut words = arguments.iter();
        while let Some(flag) = words.next() {
            let mut value = || words.next().ok_or_else(|| format!("{flag} needs a value"));
            match flag.as_str() {
                "--long" => options.long = true,
                "--seed" => {
                    let text = value()?;
                    options.seed = text.parse().map_err(|_| format!("{text:?} is not a number"))?;
                }
                "--only" => options.kinds = vec![kind(value()?)?],
                "--sabotage" => {
                    options.kinds = vec![kind(value()?)?];
                    options.sabotage = true;
                }
                _ => {
                    return Err("the options are --long, --seed N, --only KIND and \
                         --sabotage KIND"
                        .to_owned());
                }
            }
        }
        Ok(options)
    }
}

fn kind(word: &str) -> Result<Kind, Failure> {
    Kind::ALL.into_iter().find(|kind| kind.word() == word).ok_or_else(|| {
        format!("no kind {word:?}; the kinds are neighbours, floods, bytes and addresses")
    })
}

/// The results of one kind.
#[derive(Debug, Default)]
struct Tally {
    /// Numbers for the report, such as calls and connections.
    numbers: BTreeMap<&'static str, u64>,
    checks: u32,
    faults: Vec<String>,
}

impl Tally {
    /// Adds to a number of the report.
    fn add(&mut self, what: &'static str, number: u64) {
        *self.numbers.entry(what).or_default() += number;
    }

    /// Records a check.
    fn check(&mut self, is_true: bool, fault: impl FnOnce() -> String) {
        if is_true {
            self.checks += 1;
        } else {
            self.faults.push(fault());
        }
    }

    fn print(&self, kind: Kind, seconds: u64) -> Counts {
        let numbers: Vec<String> =
            self.numbers.iter().map(|(what, number)| format!("{number} {what}")).collect();
        let word = kind.word();
        say(&format!(
            "hostile: {word}: {} checks, {}, {seconds} s",
            self.checks,
            numbers.join(", ")
        ));
        for fault in self.faults.iter().take(FAULTS_SHOWN_MAX) {
            say(&format!("hostile: FAULT: {word}: {fault}"));
        }
        let more = self.faults.len().saturating_sub(FAULTS_SHOWN_MAX);
        if more > 0 {
            say(&format!("hostile: {word}: {more} more faults"));
        }
        Counts { passed: self.checks, failed: u32::try_from(self.faults.len()).unwrap_or(u32::MAX) }
    }
}

/// The plan of a kind.
#[derive(Clone, Copy, Debug)]
struct Plan {
    seed: u64,
    long: bool,
    sabotage: bool,
}

/// Builds the binary and runs the kinds.
pub(crate) fn run(arguments: &[String]) -> Result<Counts, Failure> {
    let options = Options::parse(arguments)?;
    process::build()?;
    allow_files()?;
    run_kinds(&options)
}

/// Raises the number of files that this process and the server may open, which floods need.
fn allow_files() -> Result<(), Failure> {
    let limit = getrlimit(Resource::Nofile);
    if limit.maximum.is_some_and(|maximum| maximum < FILES_MIN) {
        return Err(format!(
            "the checks need {FILES_MIN} open files. Raise the limit by `ulimit -n`"
        ));
    }
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    setrlimit(Resource::Nofile, raised).map_err(|error| format!("open files: {error}"))
}

/// Runs each sabotage, which must fail. A check that cannot fail proves nothing.
pub(crate) fn run_sabotages() -> Result<Counts, Failure> {
    allow_files()?;
    let mut counts = Counts::default();
    for kind in Kind::ALL {
        let options = Options { seed: 1, long: false, kinds: vec![kind], sabotage: true };
        if run_kinds(&options).is_ok() {
            return Err(format!("hostile --sabotage {} passed", kind.word()));
        }
        say(&format!("hostile: --sabotage {} fails, as it must", kind.word()));
        counts.passed += 1;
    }
    Ok(counts)
}

fn run_kinds(options: &Options) -> Result<Counts, Failure> {
    say(&format!("hostile: seed {}", options.seed));
    let runtime = tokio::runtime::Runtime::new().map_err(|error| error.to_string())?;
    let plan = Plan { seed: options.seed, long: options.long, sabotage: options.sabotage };
    let limit = if options.long { LONG_MAX } else { SHORT_MAX };
    let mut counts = Counts::default();
    for kind in &options.kinds {
        let began = time::moment();
        let mut tally = Tally::default();
        let ran =
            runtime.block_on(time::bounded(kind.word(), limit, run_kind(*kind, plan, &mut tally)));
        if let Err(failure) = ran {
            tally.faults.push(failure);
        }
        counts += tally.print(*kind, began.elapsed().as_secs());
    }
    say(&counts.to_string());
    if counts.failed == 0 { Ok(counts) } else { Err(format!("{counts}; seed {}", options.seed)) }
}

async fn run_kind(kind: Kind, plan: Plan, tally: &mut Tally) -> Result<(), Failure> {
    match kind {
        Kind::Neighbours => neighbours::run(plan, tally).await,
        Kind::Floods => floods::run(plan, tally).await,
        Kind::Bytes => bytes::run(plan, tally).await,
        Kind::Addresses => addresses::run(plan, tally).await,
    }
}

/// A new server with these flags and variables, on a database that is removed with the folder.
async fn start(
    folder: &tempfile::TempDir,
    flags: &[&str],
    environment: &'static [(&'static str, &'static str)],
) -> Result<Server, Failure> {
    let mut server = Server::new(built("bankfeed"), folder.path().join("bank.db"))
        .with_flags(flags)
        .with_environment(environment);
    server.start(None).await?;
    Ok(server)
}

fn new_folder() -> Result<tempfile::TempDir, Failure> {
    tempfile::tempdir().map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Options are parsed. Unknown kinds, options and missing values are errors.
    #[test]
    fn options_are_parsed() {
        let parse = |line: &str| {
            Options::parse(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
        };
        let expected = Options { seed: 5, long: true, kinds: vec![Kind::Bytes], sabotage: true };
        assert_eq!(parse("--long --seed 5 --sabotage bytes"), Ok(expected));
        assert_eq!(parse("").map(|options| options.kinds.len()), Ok(4));
        for line in ["--only nothing", "--seed", "--seed x", "--fast", "--sabotage"] {
            assert!(parse(line).is_err(), "{line}");
        }
    }
}
