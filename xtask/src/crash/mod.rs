//! `cargo xtask crash`: the real binary, killed with SIGKILL again and again under load.
//!
//! Writers call the server, a receiver takes its webhooks, a follower keeps copies of the feeds.
//! Meanwhile the server is killed: at random moments, and at four places where it is stopped
//! first, because chance seldom hits them: before a commit, between a commit and its answer,
//! between an event and its deliveries, and between an attempt and its record. After each kill it
//! is started on the same database and the writers go on. At the end everything is led to its end
//! and compared: what was acknowledged is there and is answered the same, nothing was done twice,
//! no refresh, event or delivery is lost, and copy, list and the bank's own ledger are one.
//!
//! Nothing here sleeps for a guessed time: every wait is for a named condition and has a bound.

mod check;
mod client;
mod follower;
mod load;
mod receiver;
mod rng;
mod server;
mod settle;

use crate::counts::Counts;
use crate::process::{self, built, program, say};
use crate::{Failure, time};
use check::{Asked, Verdict};
use client::{Client, text};
use follower::Follower;
use load::Load;
use receiver::Receiver;
use rng::Dice;
use server::Server;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

const HELPERS: &str = "/v1/test_helpers/financial_connections";
/// The places at which the server is stopped and killed, and what stands between which steps there.
const PLACES: &[(&str, &str, u64)] = &[
    ("before_commit", "before commit", 60),
    ("after_commit", "between commit and answer", 60),
    ("before_dispatch", "between event and delivery", 12),
    ("before_settle", "between attempt and record", 25),
];
const AT_RANDOM: &str = "at a random moment";
/// Kills at each place.
const KILLS_PER_PLACE: usize = 6;
/// Kills at random moments.
const KILLS_AT_RANDOM: usize = 12;
/// Before a random kill come so many answers at most, and so many milliseconds.
const ANSWERS_MAX: u64 = 200;
const MOMENT_MS_MAX: u64 = 30;
/// What the load may take to bring those answers, or to call at all.
const LOAD_MAX: Duration = Duration::from_secs(30);
/// What the whole run may take.
const RUN_MAX: Duration = Duration::from_mins(4);
/// Faults of a check that are told.
const FAULTS_TOLD_MAX: usize = 5;

/// When the server is killed.
struct Kill {
    /// Where, in the words of the report.
    place: &'static str,
    /// What is armed, as `name:passes`; nothing for a random moment.
    failpoint: Option<String>,
}

/// What a run came to.
struct Report {
    kills: BTreeMap<&'static str, usize>,
    verdicts: Vec<Verdict>,
    acknowledged: usize,
    events: usize,
    /// Posts of events that had come before.
    repeated: u64,
    start_ms_max: u128,
}

/// Builds the binary and runs the trial. `--seed N` repeats a plan.
pub(crate) fn run(arguments: &[String]) -> Result<Counts, Failure> {
    let seed = seed_of(arguments)?;
    process::run(&mut program("cargo", &["build", "--package", "bankfeed"]))?;
    say(&format!("crash: seed {seed}"));
    let runtime = tokio::runtime::Runtime::new().map_err(|error| error.to_string())?;
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let began = time::moment();
    let port = u16::try_from(seed % 10_000).unwrap_or(0);
    let mut server = Server::new(built("bankfeed"), folder.path().join("bank.db"), port)?;
    let trial = time::bounded("the whole run", RUN_MAX, trial(&mut server, seed));
    let outcome = runtime.block_on(trial);
    let counts = match outcome {
        Ok(report) => tell(&report),
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

fn seed_of(arguments: &[String]) -> Result<u64, Failure> {
    match arguments {
        [] => Ok(time::fresh_seed()),
        [flag, seed] if flag == "--seed" => {
            seed.parse().map_err(|_| format!("{seed:?} is no seed"))
        }
        _ => Err("the only option is --seed N".to_owned()),
    }
}

/// All kills in a shuffled order. The first is at a random moment: the server runs already then.
fn plan(seed: u64) -> Vec<Kill> {
    let mut dice = Dice::of(seed, 0);
    let mut kills = Vec::new();
    for (name, place, passes_max) in PLACES {
        for _ in 0..KILLS_PER_PLACE {
            let failpoint = Some(format!("{name}:{}", dice.below(*passes_max)));
            kills.push(Kill { place, failpoint });
        }
    }
    kills.extend((1..KILLS_AT_RANDOM).map(|_| Kill { place: AT_RANDOM, failpoint: None }));
    dice.shuffle(&mut kills);
    kills.insert(0, Kill { place: AT_RANDOM, failpoint: None });
    kills
}

async fn trial(server: &mut Server, seed: u64) -> Result<Report, Failure> {
    let client = Arc::new(Client::new(server.url(), server.up())?);
    let follower = Arc::new(Follower::new(Arc::clone(&client)));
    let receiver = Receiver::start(Arc::clone(&follower)).await?;
    server.start(None).await?;
    let form = [("url", receiver.url.as_str()), ("enabled_events[]", "*")];
    let endpoint = client.post("/v1/webhook_endpoints", &form).await?;
    receiver.trust(text(&endpoint, "secret"));
    let mut load = Load::start(&client, seed);
    let kills = tokio::select! {
        killed = kill_all(server, &client, plan(seed), seed) => killed?,
        fault = load.fault() => return Err(fault),
    };
    load.stop().await?;
    say(&format!(
        "crash: {} posts are acknowledged; all is led to its end",
        client.acknowledged().len()
    ));
    settle::settle(&client).await?;
    let asked = Asked {
        client: &client,
        receiver: &receiver,
        follower: &follower,
        acknowledged: client.acknowledged(),
    };
    let mut verdicts = vec![asked.answers_are_repeated().await?];
    verdicts.push(asked.writes_are_there().await?);
    verdicts.push(asked.nothing_was_done_twice().await?);
    verdicts.push(asked.lists_equal_ledgers().await?);
    let events = settle::delivered(&client).await?;
    verdicts.push(asked.refreshes_have_events(&events).await?);
    verdicts.push(asked.events_were_delivered(&events));
    verdicts.push(asked.copies_equal_lists().await?);
    verdicts.extend(asked.nothing_broke());
    server.stop().await?;
    Ok(Report {
        kills,
        verdicts,
        acknowledged: client.acknowledged().len(),
        events: events.len(),
        repeated: receiver.came().values().map(|came| came.posted.saturating_sub(1)).sum(),
        start_ms_max: server.start_ms_max,
    })
}

/// Kills the running server as planned, and starts it again after each kill.
async fn kill_all(
    server: &mut Server,
    client: &Client,
    kills: Vec<Kill>,
    seed: u64,
) -> Result<BTreeMap<&'static str, usize>, Failure> {
    let mut dice = Dice::of(seed, u64::MAX);
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
            let answers = 1 + dice.below(ANSWERS_MAX);
            client.more_answers(answers, LOAD_MAX).await.map_err(named)?;
            // The moment is what is drawn here; nothing waits for it.
            time::pass(Duration::from_millis(dice.below(MOMENT_MS_MAX))).await;
        }
        let in_flight = client.busy(LOAD_MAX).await.map_err(named)?;
        server.kill().await.map_err(named)?;
        let next = kills.peek().and_then(|kill| kill.failpoint.as_deref());
        server.start(next).await.map_err(named)?;
        *survived.entry(kill.place).or_default() += 1;
        say(&format!(
            "crash: kill {number} of {count}, {} ({}), {in_flight} calls under way",
            kill.place,
            kill.failpoint.as_deref().unwrap_or("by chance"),
        ));
    }
    Ok(survived)
}

/// Prints the report. Each kill that was survived and each check that found no fault passed.
fn tell(report: &Report) -> Counts {
    let mut counts = Counts::default();
    for (place, kills) in &report.kills {
        say(&format!("crash: {kills} kills {place}"));
        counts.passed += u32::try_from(*kills).unwrap_or(u32::MAX);
    }
    say(&format!(
        "crash: {} requests acknowledged, {} events, {} deliveries repeated, the slowest start {} ms",
        report.acknowledged, report.events, report.repeated, report.start_ms_max
    ));
    for verdict in &report.verdicts {
        if verdict.faults.is_empty() {
            counts.passed += 1;
            say(&format!("crash: ok: {}", verdict.what));
            continue;
        }
        counts.failed += 1;
        say(&format!("crash: FAULT: not true that {}", verdict.what));
        for fault in verdict.faults.iter().take(FAULTS_TOLD_MAX) {
            say(&format!("crash:   {fault}"));
        }
        if verdict.faults.len() > FAULTS_TOLD_MAX {
            say(&format!("crash:   and {} more", verdict.faults.len() - FAULTS_TOLD_MAX));
        }
    }
    say(&counts.to_string());
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A plan kills often enough at each place, begins by chance, and follows from its seed.
    #[test]
    fn a_plan_kills_at_every_place() {
        let kills = plan(1);
        assert!(kills.len() >= 20);
        assert!(kills[0].failpoint.is_none());
        for (name, place, _) in PLACES {
            let here = kills.iter().filter(|kill| kill.place == *place);
            let armed = here.filter_map(|kill| kill.failpoint.as_deref());
            assert!(armed.filter(|armed| armed.starts_with(name)).count() >= 3, "{place}");
        }
        let places = |seed| plan(seed).into_iter().map(|kill| kill.place).collect::<Vec<_>>();
        assert_eq!(places(1), places(1));
        assert_ne!(places(1), places(2));
    }

    /// A seed is a number; nothing else is taken.
    #[test]
    fn options_are_few() {
        let taken = |words: &[&str]| {
            seed_of(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>())
        };
        assert_eq!(taken(&["--seed", "12"]), Ok(12));
        assert!(taken(&["--seed", "x"]).is_err());
        assert!(taken(&["--kills", "3"]).is_err());
        assert!(taken(&[]).is_ok());
    }
}
