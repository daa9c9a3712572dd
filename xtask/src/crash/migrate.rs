//! Kills while the server migrates the database of an earlier release at its start. A kill leaves the
//! database with none or with all of the migrations. After the next start every row is readable.
//!
//! Every fourth kill comes when the log shows the first migration. The others come at random moments
//! of the start.

use super::client::Client;
use super::fingerprint::Fingerprint;
use super::large::{Kind, Tally, When};
use super::old_database::{
    ACCOUNTS, CUSTOMERS, Counts, EVENTS, TRANSACTIONS_OF_ACCOUNT, VERSION_MAX, key_of, look, write,
};
use super::server::Server;
use crate::Failure;
use crate::process::{built, say};
use crate::time::{moment, pass};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;
use testkit::rng::SeededRng;

/// Kills with a database of one version. Then another version follows.
const KILLS_OF_VERSION: usize = 8;

/// A database of an earlier release, and its content after the migration.
struct Original {
    path: PathBuf,
    version: u32,
    newest: u32,
    counts: Counts,
    content: Fingerprint,
    /// The measured time of a start that migrates.
    start_us: u64,
}

/// Kills starts of the server, each on a copy of the database of an earlier release.
pub(super) async fn run(
    folder: &Path,
    last: &mut Server,
    rng: &SeededRng,
    kills: usize,
    tally: &mut Tally,
) -> Result<(), Failure> {
    let mut original = None;
    // The versions follow each other, from a random one.
    let mut version = u32::try_from(rng.below(VERSION_MAX.into())).unwrap_or(0);
    for number in 0..kills {
        if number % KILLS_OF_VERSION == 0 {
            version = 1 + version % VERSION_MAX;
            original = Some(Original::make(folder, version, number).await?);
        }
        let Some(original) = &original else { continue };
        let path = folder.join(format!("migrated-{number}.db"));
        original.copy(&path)?;
        *last = Server::new(built("bankfeed"), path.clone());
        let at_first_migration = number % 4 == 0;
        original.kill(last, &path, rng, at_first_migration, tally).await?;
    }
    Ok(())
}

impl Original {
    /// Writes a database, and migrates a copy of it without a kill.
    async fn make(folder: &Path, version: u32, number: usize) -> Result<Self, Failure> {
        let path = folder.join(format!("version-{version}-{number}.db"));
        write(&path, version)?;
        let (_, counts) = look(&path)?;
        let mut original =
            Self { path, version, newest: 0, counts, content: Fingerprint::default(), start_us: 0 };
        let copy = folder.join(format!("whole-{version}-{number}.db"));
        original.copy(&copy)?;
        let mut server = Server::new(built("bankfeed"), copy.clone());
        let began = moment();
        server.start(None).await?;
        original.start_us = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
        let client = Client::new(server.up());
        original.content = Fingerprint::read(&client, false).await?;
        server.stop().await?;
        let (newest, counts) = look(&copy)?;
        original.newest = newest;
        let transactions = ACCOUNTS * TRANSACTIONS_OF_ACCOUNT;
        let expected = [
            ("/v1/customers", CUSTOMERS),
            ("/v1/financial_connections/accounts", ACCOUNTS),
            ("/v1/financial_connections/transactions", transactions),
            ("/v1/events", EVENTS),
            ("/v1/test_helpers/deliveries", EVENTS),
        ];
        for (list, rows) in expected {
            let found = original.content.rows_of(list);
            if found != rows as usize {
                return Err(format!("{list} has {found} rows after a migration, not {rows}"));
            }
        }
        if counts != original.counts || newest <= version {
            return Err(format!("{:?} became {counts:?} by a migration", original.counts));
        }
        say(&format!(
            "crash: a start migrates {} rows from version {version} to {newest} in {} ms",
            counts.values().sum::<u32>(),
            original.start_us / 1_000
        ));
        Ok(original)
    }

    /// Copies the database and its seal key.
    fn copy(&self, to: &Path) -> Result<(), Failure> {
        let copied = |from: &Path, to: &Path| {
            fs::copy(from, to).map_err(|error| format!("{}: {error}", from.display()))
        };
        copied(&self.path, to)?;
        copied(&key_of(&self.path), &key_of(to)).map(drop)
    }

    /// Kills a start, looks at the files and starts the server again.
    async fn kill(
        &self,
        server: &mut Server,
        path: &Path,
        rng: &SeededRng,
        at_first_migration: bool,
        tally: &mut Tally,
    ) -> Result<(), Failure> {
        server.launch(None)?;
        let delay = Duration::from_micros(rng.below(self.start_us));
        if at_first_migration {
            server.migrating().await?;
        } else {
            // This wait has no condition, because it chooses the random moment.
            pass(delay).await;
        }
        let state = server.kill().await?;
        let left = look_at_copy(path)?;
        server.start(None).await?;
        let content = Fingerprint::read(&Client::new(server.up()), false).await?;
        server.stop().await?;
        let at = if at_first_migration {
            "at its beginning".to_owned()
        } else {
            format!("after {delay:?}")
        };
        let at = format!("a migration from version {}, killed {at}", self.version);
        let (version, counts) = look(path)?;
        let mut faults = Vec::new();
        if left.0 != self.version && left.0 != self.newest {
            faults.push(format!("{} migrations are left of {}", left.0, self.newest));
        }
        if version != self.newest || left.1 != self.counts || counts != self.counts {
            let left = left.1;
            faults
                .push(format!("rows {:?}, {left:?} after the kill, then {counts:?}", self.counts));
        }
        if content != self.content {
            faults.push(format!("lists differ: {}", content.difference(&self.content)));
        }
        if faults.is_empty() {
            tally.add(
                Kind::Migration,
                match (left.0 == self.newest, state.url, state.migrates) {
                    (true, Some(_), _) => When::After,
                    (true, None, _) => When::BeforeResponse,
                    (false, _, true) => When::Within,
                    (false, _, false) => When::Before,
                },
            );
        }
        for fault in faults {
            tally.fault(format!("{at}: {fault}"));
        }
        Ok(())
    }
}

/// Looks at a copy of the files of a killed server. A look at the files themselves would repair
/// them, which the next start must do.
fn look_at_copy(path: &Path) -> Result<(u32, Counts), Failure> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let copy = folder.path().join("bank.db");
    for end in ["", "-wal", "-journal"] {
        let with_end = |path: &Path| {
            let mut path = path.as_os_str().to_owned();
            path.push(end);
            PathBuf::from(path)
        };
        let from = with_end(path);
        if from.exists() {
            fs::copy(&from, with_end(&copy)).map_err(|error| error.to_string())?;
        }
    }
    look(&copy)
}
