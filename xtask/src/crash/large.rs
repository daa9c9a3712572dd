//! Kills while the server replaces a whole sandbox, takes a snapshot of it or migrates a whole database.
//! One commit decides each of these, so a kill leaves all of it or no part of it.

use super::server::Server;
use super::{migrate, replace};
use crate::counts::Counts;
use crate::process::{built, say};
use crate::{Failure, time};
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;
use testkit::rng::SeededRng;

/// Kills of one run without an option. A quarter are of each kind.
pub(super) const KILLS: u64 = 24;
/// With fewer kills some kind would have none within its transaction.
const KILLS_MIN: u64 = 8;
/// The longest time of a run, besides that of its kills.
const RUN_MAX: Duration = Duration::from_mins(2);
/// The longest average time of a kill.
const KILL_MAX: Duration = Duration::from_secs(10);

/// The kind of a killed transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Restore,
    Reset,
    Snapshot,
    Migration,
}

/// The moment of a kill, as the state after the restart and the response show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum When {
    /// The transaction had not begun.
    Before,
    /// The transaction had not committed. If the moment was random, it may not have begun.
    BeforeCommit,
    /// The transaction had begun and had not committed.
    Within,
    /// The transaction had committed, but the client had no response.
    BeforeResponse,
    /// The client had the response, or the server had started.
    After,
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Restore => "restore",
            Self::Reset => "reset",
            Self::Snapshot => "snapshot",
            Self::Migration => "migration",
        })
    }
}

impl fmt::Display for When {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Before => "before it began",
            Self::BeforeCommit => "at a random moment before its commit",
            Self::Within => "within its transaction",
            Self::BeforeResponse => "between commit and response",
            Self::After => "after it had ended",
        })
    }
}

/// The kills of a run and its faults.
#[derive(Debug, Default)]
pub(super) struct Tally {
    kills: BTreeMap<(Kind, When), u32>,
    faults: Vec<String>,
}

impl Tally {
    /// Counts a kill that left the old or the new state.
    pub(super) fn add(&mut self, kind: Kind, when: When) {
        *self.kills.entry((kind, when)).or_default() += 1;
    }

    /// Adds a fault.
    pub(super) fn fault(&mut self, fault: String) {
        self.faults.push(fault);
    }

    /// Adds a fault for each kind without a kill within its transaction.
    fn require_hits(&mut self) {
        for kind in [Kind::Restore, Kind::Reset, Kind::Snapshot, Kind::Migration] {
            if !self.kills.contains_key(&(kind, When::Within)) {
                self.faults.push(format!("no kill was within the transaction of a {kind}"));
            }
        }
    }

    /// Prints the kills and the faults.
    fn print(&self) -> Counts {
        let mut counts = Counts::default();
        for ((kind, when), kills) in &self.kills {
            say(&format!("crash: {kind}: {kills} kills {when}"));
            counts.passed += kills;
        }
        for fault in &self.faults {
            say(&format!("crash: FAULT: {fault}"));
            counts.failed += 1;
        }
        counts
    }
}

/// Kills the server this many times, in restores, resets, snapshots and migrations.
pub(super) fn run(seed: u64, kills: u64) -> Result<Counts, Failure> {
    if kills == 0 {
        return Ok(Counts::default());
    }
    if kills < KILLS_MIN {
        return Err(format!("--large needs 0 or at least {KILLS_MIN}"));
    }
    say(&format!(
        "crash: {kills} kills in restores, resets, snapshots and migrations, seed {seed}"
    ));
    let runtime = tokio::runtime::Runtime::new().map_err(|error| error.to_string())?;
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let began = time::moment();
    let mut tally = Tally::default();
    let mut server = Server::new(built("bankfeed"), folder.path().join("bank.db"));
    let each = usize::try_from(kills / 4).map_err(|error| error.to_string())?;
    let rest = usize::try_from(kills % 4).map_err(|error| error.to_string())?;
    // Draws in restores depend on the moments of kills, so migrations have a lane of their own.
    let [of_calls, of_starts] = [1, 2].map(|lane| SeededRng::of_lane(seed, u64::MAX - lane));
    let killed = async {
        replace::run(&mut server, &of_calls, each, &mut tally).await?;
        let replaced = began.elapsed();
        migrate::run(folder.path(), &mut server, &of_starts, each + rest, &mut tally).await?;
        Ok::<_, Failure>(replaced)
    };
    let limit = RUN_MAX + KILL_MAX * u32::try_from(kills).unwrap_or(u32::MAX);
    let outcome =
        runtime.block_on(async { time::bounded("all kills", limit, Box::pin(killed)).await });
    match outcome {
        Ok(replaced) => {
            tally.require_hits();
            let (all, first) = (began.elapsed().as_secs(), replaced.as_secs());
            say(&format!(
                "crash: {first} s for restores, resets and snapshots, {} s for migrations",
                all - first
            ));
        }
        Err(failure) => {
            tally.fault(failure);
            say(&format!("crash: the last lines of the server, seed {seed}:"));
            for line in server.last_lines() {
                say(&format!("  {line}"));
            }
        }
    }
    let counts = tally.print();
    say(&counts.to_string());
    if counts.failed == 0 { Ok(counts) } else { Err(format!("{counts}; seed {seed}")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A run needs a kill within the transaction of each kind.
    #[test]
    fn a_run_needs_a_kill_within_each_transaction() {
        let mut tally = Tally::default();
        tally.add(Kind::Restore, When::Within);
        tally.add(Kind::Reset, When::After);
        tally.require_hits();
        assert_eq!(tally.faults.len(), 3, "{:?}", tally.faults);
    }
}
