//! `cargo xtask crash`: the real binary, killed with SIGKILL many times under load.
//!
//! Writers call the server, a receiver accepts its webhooks, and a follower keeps copies of the
//! transaction lists. Meanwhile the server is killed at random moments and at four failpoints. The
//! failpoints are moments that chance seldom hits: before a commit, between a commit and its response,
//! between an event and its deliveries, and between an attempt and its record. After each kill the
//! server starts on the same database and the writers continue.
//!
//! At the end all open work is completed and the results are compared. Acknowledged writes are stored
//! and return the same responses, no call took effect twice, and no refresh, event or delivery is
//! lost. The follower's copy, the server's list and the bank's ledger are equal.
//!
//! Further kills come while a sandbox is restored or reset, while a snapshot of it is taken, and while
//! a database of an earlier release is migrated. After each kill the server has all of it or no part of
//! it.
//!
//! The same load then runs on a simulated disk that loses its power (`cuts`). Writers run on a full disk,
//! and on one from which files are removed (`space`).
//!
//! Every wait is for a named condition and has a bound.

mod check;
mod client;
mod cuts;
mod fingerprint;
mod follower;
mod large;
mod load;
mod migrate;
mod old_database;
mod options;
mod power;
mod receiver;
mod replace;
pub(crate) mod server;
mod settle;
mod space;
mod take;

use crate::counts::Counts;
use crate::process::{self, built, say};
use crate::{Failure, time};
use check::{Trial, Verdict};
use client::{Client, text};
use follower::Follower;
use load::Load;
use options::{Options, Sabotaged};
use receiver::Receiver;
use server::Server;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use testkit::rng::SeededRng;

const HELPERS: &str = "/v1/test_helpers/financial_connections";
/// The failpoints at which the server is killed, each with its description and the bound of its
/// passes.
const FAILPOINTS: &[(&str, &str, u64)] = &[
    ("before_commit", "before a commit", 60),
    ("after_commit", "between a commit and its response", 60),
    ("before_dispatch", "between an event and its deliveries", 12),
    ("before_settle", "between an attempt and its record", 25),
];
const AT_RANDOM: &str = "at a random moment";
/// Kills at each failpoint.
const KILLS_PER_FAILPOINT: usize = 6;
/// Kills at random moments.
const KILLS_AT_RANDOM: usize = 12;
/// The most responses and milliseconds before a random kill.
const RESPONSES_MAX: u64 = 200;
const MOMENT_MS_MAX: u64 = 30;
/// The longest time until the load has these responses, or a call in flight.
const LOAD_MAX: Duration = Duration::from_secs(30);
/// The longest time of a whole run.
const RUN_MAX: Duration = Duration::from_mins(4);
/// Faults of a check that are printed.
const FAULTS_SHOWN_MAX: usize = 5;

/// One planned kill.
struct Kill {
    /// Its moment, as the report describes it.
    place: &'static str,
    /// The armed failpoint, as `name:passes`. None for a random moment.
    failpoint: Option<String>,
}

/// The result of a run.
struct Report {
    kills: BTreeMap<&'static str, usize>,
    verdicts: Vec<Verdict>,
    acknowledged: usize,
    events: usize,
    /// Deliveries of events that were delivered before.
    repeated: u64,
    start_ms_max: u128,
}

/// Builds the binary and runs all trials. [`Options`] describes the arguments.
pub(crate) fn run(arguments: &[String]) -> Result<Counts, Failure> {
    let options = Options::parse(arguments)?;
    process::build()?;
    if let Some(sabotaged) = options.sabotage {
        return match sabotaged {
            Sabotaged::Fsync | Sabotaged::FsyncFolder => cuts::run(&options),
            Sabotaged::Space | Sabotaged::Removed => space::run(&options),
        };
    }
    let mut counts = large::run(options.seed, options.large)?;
    for round in 0..options.rounds {
        counts += run_round(options.seed.wrapping_add(round))?;
    }
    counts += cuts::run(&options)?;
    counts += space::run(&options)?;
    Ok(counts)
}

/// Runs each sabotage, which must fail. A check that cannot fail proves nothing.
pub(crate) fn run_sabotages() -> Result<Counts, Failure> {
    let mut counts = Counts::default();
    for (name, _) in options::SABOTAGES {
        match run(&["--sabotage".to_owned(), (*name).to_owned()]) {
            Ok(_) => return Err(format!("crash --sabotage {name} passed")),
            Err(failure) => {
                say(&format!("crash: --sabotage {name} fails, as it must: {failure}"));
                counts.passed += 1;
            }
        }
    }
    Ok(counts)
}

fn run_round(seed: u64) -> Result<Counts, Failure> {
    say(&format!("crash: seed {seed}"));
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let mut server = Server::new(built("bankfeed"), folder.path().join("bank.db"));
    let runtime = tokio::runtime::Runtime::new().map_err(|error| error.to_string())?;
    let kills = plan(seed, KILLS_PER_FAILPOINT, KILLS_AT_RANDOM);
    runtime.block_on(try_kills(&mut server, seed, kills, RUN_MAX))
}

/// Runs a trial with these kills, and prints its report.
async fn try_kills(
    server: &mut Server,
    seed: u64,
    kills: Vec<Kill>,
    limit: Duration,
) -> Result<Counts, Failure> {
    let began = time::moment();
    let trial = Box::pin(trial(server, seed, kills));
    let counts = match time::bounded("the whole run", limit, trial).await {
        Ok(report) => print(&report),
        Err(failure) => {
            say(&format!("crash: {failure}"));
            Counts { passed: 0, failed: 1 }
        }
    };
    say(&format!("crash: {} s", began.elapsed().as_secs()));
    if counts.failed == 0 {
        return Ok(counts);
    }
    say(&format!("crash: the last lines of the server, seed {seed}:"));
    for line in server.last_lines() {
        say(&format!("  {line}"));
    }
    Err(format!("{counts}; seed {seed}"))
}

/// All kills in a shuffled order. The first is at a random moment, because the server then already
/// runs without a failpoint.
fn plan(seed: u64, per_failpoint: usize, at_random: usize) -> Vec<Kill> {
    let rng = SeededRng::of_lane(seed, 0);
    let mut kills = Vec::new();
    for (name, place, passes_max) in FAILPOINTS {
        for _ in 0..per_failpoint {
            let failpoint = Some(format!("{name}:{}", rng.below(*passes_max)));
            kills.push(Kill { place, failpoint });
        }
    }
    kills.extend((1..at_random).map(|_| Kill { place: AT_RANDOM, failpoint: None }));
    rng.shuffle(&mut kills);
    kills.insert(0, Kill { place: AT_RANDOM, failpoint: None });
    kills
}

async fn trial(server: &mut Server, seed: u64, kills: Vec<Kill>) -> Result<Report, Failure> {
    let client = Arc::new(Client::new(server.up()));
    let follower = Arc::new(Follower::new(Arc::clone(&client)));
    let receiver = Receiver::start(Arc::clone(&follower)).await?;
    server.start(None).await?;
    let form = [("url", receiver.url()), ("enabled_events[]", "*")];
    let endpoint = client.post("/v1/webhook_endpoints", &form).await?;
    receiver.trust(text(&endpoint, "secret"));
    let mut load = Load::start(&client, seed);
    let kills = tokio::select! {
        killed = kill_all(server, &client, kills, seed) => killed?,
        fault = load.fault() => return Err(fault),
    };
    load.stop().await?;
    say(&format!(
        "crash: {} posts are acknowledged, open work is completed",
        client.acknowledged().len()
    ));
    settle::settle(&client).await?;
    let trial = Trial {
        client: &client,
        receiver: &receiver,
        follower: &follower,
        acknowledged: client.acknowledged(),
    };
    let mut verdicts = vec![trial.responses_are_repeated().await?];
    verdicts.push(trial.writes_are_stored().await?);
    verdicts.push(trial.calls_took_effect_once().await?);
    verdicts.push(trial.lists_equal_ledgers().await?);
    let events = settle::delivered(&client).await?;
    verdicts.push(trial.refreshes_have_events(&events).await?);
    verdicts.push(trial.events_were_delivered(&events));
    verdicts.push(trial.copies_equal_lists().await?);
    verdicts.extend(trial.no_errors_occurred());
    server.stop().await?;
    Ok(Report {
        kills,
        verdicts,
        acknowledged: client.acknowledged().len(),
        events: events.len(),
        repeated: receiver.received().values().map(|event| event.posted.saturating_sub(1)).sum(),
        start_ms_max: server.start_ms_max,
    })
}

/// Kills the running server as planned, and restarts it after each kill.
async fn kill_all(
    server: &mut Server,
    client: &Client,
    kills: Vec<Kill>,
    seed: u64,
) -> Result<BTreeMap<&'static str, usize>, Failure> {
    let rng = SeededRng::of_lane(seed, u64::MAX);
    let mut survived = BTreeMap::new();
    let count = kills.len();
    let mut kills = kills.into_iter().peekable();
    let mut number = 0;
    while let Some(kill) = kills.next() {
        number += 1;
        let named = |failure: Failure| format!("kill {number}, {}: {failure}", kill.place);
        if kill.failpoint.is_some() {
            server.reached().await.map_err(named)?;
        } else {
            let responses = 1 + rng.below(RESPONSES_MAX);
            client.more_responses(responses, LOAD_MAX).await.map_err(named)?;
            // This wait has no condition, because it chooses the random moment.
            time::pass(Duration::from_millis(rng.below(MOMENT_MS_MAX))).await;
        }
        let in_flight = client.busy(LOAD_MAX).await.map_err(named)?;
        server.kill().await.map_err(named)?;
        let next = kills.peek().and_then(|kill| kill.failpoint.as_deref());
        server.start(next).await.map_err(named)?;
        *survived.entry(kill.place).or_default() += 1;
        say(&format!(
            "crash: kill {number} of {count}, {} ({}), {in_flight} calls in flight",
            kill.place,
            kill.failpoint.as_deref().unwrap_or("no failpoint"),
        ));
    }
    Ok(survived)
}

/// Prints the report. Each survived kill and each check without a fault counts as passed.
fn print(report: &Report) -> Counts {
    let mut counts = Counts::default();
    for (place, kills) in &report.kills {
        say(&format!("crash: {kills} kills {place}"));
        counts.passed += u32::try_from(*kills).unwrap_or(u32::MAX);
    }
    say(&format!(
        "crash: {} requests acknowledged, {} events, {} repeated deliveries, slowest start {} ms",
        report.acknowledged, report.events, report.repeated, report.start_ms_max
    ));
    for verdict in &report.verdicts {
        if verdict.faults.is_empty() {
            counts.passed += 1;
            say(&format!("crash: ok: {}", verdict.what));
            continue;
        }
        counts.failed += 1;
        say(&format!("crash: FAULT: it is not true that {}", verdict.what));
        for fault in verdict.faults.iter().take(FAULTS_SHOWN_MAX) {
            say(&format!("crash:   {fault}"));
        }
        if verdict.faults.len() > FAULTS_SHOWN_MAX {
            say(&format!("crash:   and {} more", verdict.faults.len() - FAULTS_SHOWN_MAX));
        }
    }
    say(&counts.to_string());
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A plan kills several times at each failpoint, begins with a random moment, and follows from its
    /// seed.
    #[test]
    fn a_plan_kills_at_every_failpoint() {
        let kills = plan(1, 6, 12);
        assert!(kills.len() >= 20);
        assert!(kills[0].failpoint.is_none());
        for (name, place, _) in FAILPOINTS {
            let here = kills.iter().filter(|kill| kill.place == *place);
            let armed = here.filter_map(|kill| kill.failpoint.as_deref());
            assert!(armed.filter(|armed| armed.starts_with(name)).count() >= 3, "{place}");
        }
        let places =
            |seed| plan(seed, 6, 12).into_iter().map(|kill| kill.place).collect::<Vec<_>>();
        assert_eq!(places(1), places(1));
        assert_ne!(places(1), places(2));
    }
}
