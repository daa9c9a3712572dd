//! Power cuts: the real binary on a disk that keeps synchronised bytes only (`power`).
//!
//! The power fails directly after commands of the operator, during the first start of a server, and
//! under the load of the other kills. Each acknowledged change is then stored, the databases pass
//! SQLite's check of integrity, and the server starts without help.

use super::options::{Options, Sabotaged};
use super::power::{Disk, Sabotage, in_rounds};
use super::server::Server;
use super::{RUN_MAX, plan, try_kills};
use crate::Failure;
use crate::counts::Counts;
use crate::process::{built, say};
use crate::time::{bounded, moment, pass};
use serde_json::Value;
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use testkit::rng::SeededRng;

/// Keys that are created and revoked, each with a power cut after each change.
const KEYS: usize = 6;
/// First starts that lose power.
const FIRST_STARTS: usize = 6;
/// Power cuts at each failpoint, and at random moments.
const CUTS_PER_FAILPOINT: usize = 1;
const CUTS_AT_RANDOM: usize = 4;
/// The longest time of the first two parts.
const PARTS_MAX: Duration = Duration::from_mins(2);
/// The time that all cuts may take in addition for each mebibyte of the database.
const MEBIBYTE_MAX: Duration = Duration::from_millis(500);

/// Runs all power cuts.
pub(super) fn run(options: &Options) -> Result<Counts, Failure> {
    in_rounds(options, async |seed, library| run_round(options, seed, library).await)
}

async fn run_round(options: &Options, seed: u64, library: &Path) -> Result<Counts, Failure> {
    say(&format!("crash: power cuts, seed {seed}"));
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let sabotage = match options.sabotage {
        Some(Sabotaged::FsyncFolder) => Some(Sabotage::Names),
        Some(_) => Some(Sabotage::Files),
        None => None,
    };
    let disk = |name: &str, lane: u64| {
        let rng = SeededRng::of_lane(seed, u64::MAX - 10 - lane);
        Disk::new(&folder.path().join(name), library, rng, sabotage)
    };
    let mut counts = Counts::default();
    // The planted fault is for the load. The first parts would find it too.
    if options.sabotage != Some(Sabotaged::Fsync) {
        let mut keys = disk("keys", 0)?;
        counts += operator_commands(&mut keys)?;
        let rng = SeededRng::of_lane(seed, u64::MAX - 20);
        let starts = first_starts(|number| disk(&format!("start-{number}"), 1 + number), &rng);
        counts += bounded("power cuts in first starts", PARTS_MAX, starts).await?;
    }
    let mut server = Server::on_disk(built("bankfeed"), disk("load", 100)?);
    if options.mebibytes > 0 {
        server.start(None).await?;
        server.stop().await?;
        enlarge(server.database(), options.mebibytes)?;
        server.disk()?.remember()?;
    }
    let more = MEBIBYTE_MAX * u32::try_from(options.mebibytes).unwrap_or(u32::MAX);
    let limit = RUN_MAX.saturating_add(more);
    let kills = plan(seed, CUTS_PER_FAILPOINT, CUTS_AT_RANDOM);
    counts += Box::pin(try_kills(&mut server, seed, kills, limit)).await?;
    let disk = server.disk()?;
    for (kind, cuts) in &disk.cuts {
        say(&format!("crash: {cuts} {kind} power cuts under load"));
    }
    say(&format!("crash: {} names, files and blocks were not synchronised", disk.lost));
    Ok(counts)
}

/// Cuts the power after each command of the operator. The change of the command is then stored.
fn operator_commands(disk: &mut Disk) -> Result<Counts, Failure> {
    let mut counts = Counts::default();
    for number in 0..KEYS {
        let created = command(disk, &["--json", "key", "create"])?;
        let created: Value = serde_json::from_str(&created).map_err(|error| error.to_string())?;
        let [id, merchant] =
            ["id", "merchant"].map(|name| created[name].as_str().unwrap_or_default());
        disk.cut()?;
        if !shows(&command(disk, &["key", "list"])?, id, "active") {
            return Err(format!("key {id}, number {number}, is lost after a power cut"));
        }
        // The output has the merchant's id of live mode.
        let set = command(disk, &["registration", "set", merchant, "balances=active"])?;
        let merchant = set.split_whitespace().next().unwrap_or_default();
        disk.cut()?;
        if !shows(&command(disk, &["registration", "list"])?, merchant, "active") {
            return Err(format!("the registration of {merchant} is lost after a power cut"));
        }
        command(disk, &["key", "revoke", id])?;
        disk.cut()?;
        if !shows(&command(disk, &["key", "list"])?, id, "revoked") {
            return Err(format!("key {id} is active again after a power cut"));
        }
        counts.passed += 3;
    }
    say(&format!("crash: {} power cuts after commands of the operator", counts.passed));
    Ok(counts)
}

/// True if a line of the output has both words.
fn shows(output: &str, first: &str, second: &str) -> bool {
    output.lines().any(|line| line.contains(first) && line.contains(second))
}

/// Runs a command with the files of the disk. Returns its output.
fn command(disk: &Disk, words: &[&str]) -> Result<String, Failure> {
    let mut command = Command::new(built("bankfeed"));
    command.args(words).arg("--db").arg(disk.database()).envs(disk.environment());
    let output = command.output().map_err(|error| format!("{words:?}: {error}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(format!("{words:?}: {}", String::from_utf8_lossy(&output.stderr)))
}

/// Cuts the power at random moments of first starts. The next start then works.
async fn first_starts(
    disk: impl Fn(u64) -> Result<Disk, Failure>,
    rng: &SeededRng,
) -> Result<Counts, Failure> {
    let mut whole = Server::on_disk(built("bankfeed"), disk(0)?);
    let began = moment();
    whole.start(None).await?;
    let took_us = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
    whole.stop().await?;
    let mut counts = Counts::default();
    for number in 1..=FIRST_STARTS {
        let mut server = Server::on_disk(built("bankfeed"), disk(number as u64)?);
        server.launch(None)?;
        // This wait has no condition, because it chooses the random moment.
        pass(Duration::from_micros(rng.below(took_us))).await;
        server.kill().await?;
        if let Err(failure) = server.start(None).await {
            let lines = server.last_lines().join("\n  ");
            return Err(format!("after a power cut in a first start: {failure}\n  {lines}"));
        }
        server.stop().await?;
        counts.passed += 1;
    }
    say(&format!("crash: {} power cuts in first starts", counts.passed));
    Ok(counts)
}

/// Adds rows to the database and removes them, so that its file has this size at least.
fn enlarge(database: &Path, mebibytes: u64) -> Result<(), Failure> {
    let failed = |error: rusqlite::Error| format!("a larger database: {error}");
    let database = rusqlite::Connection::open(database).map_err(failed)?;
    database
        .execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE padding (x)")
        .map_err(failed)?;
    for _ in 0..mebibytes {
        database.execute("INSERT INTO padding VALUES (randomblob(1048576))", []).map_err(failed)?;
    }
    database.execute_batch("DROP TABLE padding").map_err(failed)
}
