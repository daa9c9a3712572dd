//! Migrations: numbered SQL files, each run once, in order. A migration that SQL cannot express has
//! a step in Rust, which runs after its file. The missing migrations of a database run in one
//! transaction. A new database is made in one step instead ([`new_database`](super::new_database)).
//!
//! The database stores their checksums. A database with an unknown or a different migration is
//! rejected before it is changed. A crash in the middle of migrations undoes all of them, and the
//! next start runs them again.
//!
//! A migration reports its progress after each statement and after each page of its step. The
//! progress of an existing database is logged.

use super::{bucket, earlier_charge, object_filter};
use crate::store::Failure;
use crate::{OpenError, exact};
use rusqlite::fallible_iterator::FallibleIterator;
use rusqlite::functions::FunctionFlags;
use rusqlite::{Batch, Connection, Error, params};
use sha2::{Digest, Sha256};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// The step of a migration in Rust. It calls the function after each page of rows.
type Step = fn(&Connection, &mut dyn FnMut()) -> Result<(), Failure>;

/// The rows that a migration writes between two lines of the log.
const LOGGED_ROWS: u64 = 100_000;
/// The steps of `SQLite`'s virtual machine after which the log shows that one statement still runs.
/// They take about ten seconds.
const LOGGED_STEPS: i32 = 1_000_000_000;

/// One migration.
#[derive(Clone, Copy)]
pub(super) struct Migration {
    /// The statements.
    pub(super) sql: &'static str,
    /// The step after them. It may use only columns that exist by then.
    step: Option<Step>,
}

impl Migration {
    const fn of(sql: &'static str) -> Self {
        Self { sql, step: None }
    }
}

/// Every migration, oldest first.
pub(super) const MIGRATIONS: &[Migration] = &[
    Migration::of(include_str!("migrations/0001_first.sql")),
    Migration::of(include_str!("migrations/0002_objects_due.sql")),
    Migration::of(include_str!("migrations/0003_refreshes_server_time.sql")),
    Migration::of(include_str!("migrations/0004_objects_forgotten.sql")),
    Migration::of(include_str!("migrations/0005_deliveries_sent_again.sql")),
    Migration::of(include_str!("migrations/0006_snapshots.sql")),
    Migration::of(include_str!("migrations/0007_accounts_by_authorization.sql")),
    Migration::of(include_str!("migrations/0008_deliveries_pending.sql")),
    Migration {
        sql: include_str!("migrations/0009_object_filters.sql"),
        step: Some(object_filter::fill),
    },
    Migration::of(include_str!("migrations/0010_accounts_listed.sql")),
    Migration::of(include_str!("migrations/0011_counts.sql")),
    Migration::of(include_str!("migrations/0012_feeds.sql")),
    Migration::of(include_str!("migrations/0013_event_order.sql")),
    Migration::of(include_str!("migrations/0014_buckets.sql")),
    Migration {
        sql: include_str!("migrations/0015_event_filters.sql"),
        step: Some(object_filter::fill),
    },
    Migration::of(include_str!("migrations/0016_generations.sql")),
    Migration {
        sql: include_str!("migrations/0017_charges.sql"),
        step: Some(earlier_charge::fill),
    },
    Migration {
        sql: include_str!("migrations/0018_setup_intent_methods.sql"),
        step: Some(object_filter::fill_setup_intents),
    },
    Migration {
        sql: include_str!("migrations/0019_mandates.sql"),
        step: Some(object_filter::fill),
    },
    Migration {
        sql: include_str!("migrations/0020_hosted_relinks.sql"),
        step: Some(object_filter::fill_sessions),
    },
    Migration { sql: include_str!("migrations/0021_refreshes_by_merchant.sql"), step: None },
    Migration { sql: include_str!("migrations/0022_places.sql"), step: None },
];

pub(super) const CREATE_MIGRATIONS: &str = "CREATE TABLE IF NOT EXISTS migrations (number INTEGER PRIMARY KEY, checksum BLOB NOT NULL) \
     STRICT";
pub(super) const LIST_MIGRATIONS: &str =
    "SELECT number, checksum FROM migrations ORDER BY number DESC";
pub(super) const INSERT_MIGRATION: &str =
    "INSERT INTO migrations (number, checksum) VALUES (?1, ?2)";

/// The progress of the migrations of one start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Progress {
    /// The number of the migration that is running.
    pub(super) number: u32,
    /// The number of migrations in the program.
    pub(super) known: u32,
    /// The rows that the migration has written, changed or deleted.
    pub(super) rows: u64,
    /// The state of the migration.
    pub(super) state: State,
}

/// The state of a migration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Its first statement is next.
    Begun,
    /// A statement or a page of rows has ended.
    Running,
    /// All its statements have ended. The commit follows the last migration.
    Ended,
}

/// Runs the missing migrations and logs their progress. Returns true if there were any.
pub(super) fn migrate(
    connection: &mut Connection,
    migrations: &[Migration],
) -> Result<bool, OpenError> {
    let mut log = ProgressLog::default();
    let running = Arc::clone(&log.running);
    let still_running = move || {
        let migration = running.load(Ordering::Relaxed);
        if migration > 0 {
            tracing::info!(migration, "a statement of the migration is still running");
        }
        false
    };
    connection.progress_handler(LOGGED_STEPS, Some(still_running))?;
    let migrated = migrate_with(connection, migrations, &mut |progress| log.write(progress));
    connection.progress_handler(0, None::<fn() -> bool>)?;
    migrated
}

/// Runs the missing migrations and reports their progress. Returns true if there were any.
pub(super) fn migrate_with(
    connection: &mut Connection,
    migrations: &[Migration],
    report: &mut dyn FnMut(Progress),
) -> Result<bool, OpenError> {
    define_bucket_of(connection)?;
    let transaction = connection.transaction()?;
    transaction.execute(CREATE_MIGRATIONS, [])?;
    let done = count_done(&transaction, migrations)?;
    let known = exact(migrations.len(), "there are few migrations");
    for (number, Migration { sql, step }) in (1_u32..).zip(migrations).skip(done) {
        let before = transaction.total_changes();
        let mut report = |state| {
            let rows = transaction.total_changes() - before;
            report(Progress { number, known, rows, state });
        };
        report(State::Begun);
        let mut statements = Batch::new(&transaction, sql);
        while let Some(mut statement) = statements.next()? {
            let mut rows = statement.query([])?;
            while rows.next()?.is_some() {}
            report(State::Running);
        }
        if let Some(step) = step {
            step(&transaction, &mut || report(State::Running))
                .map_err(|failure| OpenError::Migration { number, source: Box::new(failure) })?;
        }
        transaction.execute(INSERT_MIGRATION, params![number, checksum_of(sql)])?;
        report(State::Ended);
    }
    transaction.commit()?;
    Ok(done < migrations.len())
}

/// Defines the function with which migrations compute the buckets of rows.
fn define_bucket_of(connection: &Connection) -> Result<(), OpenError> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    Ok(connection.create_scalar_function("bucket_of", 1, flags, |context| {
        let shard = context.get::<i64>(0)?;
        Ok(bucket(u64::try_from(shard).map_err(|_| Error::IntegralValueOutOfRange(0, shard))?))
    })?)
}

/// The lines of the log about the migrations of one start.
#[derive(Default)]
struct ProgressLog {
    /// The number of the running migration. Zero for a new database, which has no rows to migrate.
    running: Arc<AtomicU32>,
    is_new: bool,
    /// The rows of the running migration at its last line.
    logged: u64,
}

impl ProgressLog {
    fn write(&mut self, progress: Progress) {
        let Progress { number: migration, known, rows, state } = progress;
        self.is_new |= migration == 1;
        if self.is_new {
            return;
        }
        match state {
            State::Begun => {
                self.running.store(migration, Ordering::Relaxed);
                self.logged = 0;
                tracing::info!(migration, known, "the migration of the database begins");
            }
            State::Running if rows - self.logged >= LOGGED_ROWS => {
                self.logged = rows;
                tracing::info!(migration, known, rows, "the migration goes on");
            }
            State::Running => {}
            State::Ended => tracing::info!(migration, known, rows, "the migration has ended"),
        }
    }
}

/// The number of `migrations` that a database has had. A database with other migrations is an
/// error.
pub(super) fn count_done(
    connection: &Connection,
    migrations: &[Migration],
) -> Result<usize, OpenError> {
    let known = exact(migrations.len(), "there are few migrations");
    let mut done = 0;
    for (number, checksum) in list(connection)? {
        let index: usize = exact(number, "a usize has at least 32 bits");
        let Some(Migration { sql, .. }) =
            index.checked_sub(1).and_then(|index| migrations.get(index))
        else {
            return Err(OpenError::NewerDatabase { found: number, known });
        };
        if checksum != checksum_of(sql) {
            return Err(OpenError::ChangedMigration(number));
        }
        done = done.max(index);
    }
    Ok(done)
}

/// The migrations of the database, newest first.
fn list(connection: &Connection) -> Result<Vec<(u32, Vec<u8>)>, OpenError> {
    let mut statement = connection.prepare(LIST_MIGRATIONS)?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(super) fn checksum_of(sql: &str) -> Vec<u8> {
    Sha256::digest(sql.as_bytes()).to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Migrations run once, in order, and a second run changes no data.
    #[test]
    fn missing_migrations_run_once() {
        let mut connection = Connection::open_in_memory().unwrap();
        let one = "CREATE TABLE one (a INTEGER) STRICT";
        let two = "CREATE TABLE two (a INTEGER) STRICT; INSERT INTO one VALUES (2)";
        migrate(&mut connection, &[Migration::of(one)]).unwrap();
        migrate(&mut connection, &[Migration::of(one), Migration::of(two)]).unwrap();
        migrate(&mut connection, &[Migration::of(one), Migration::of(two)]).unwrap();
        let rows: u32 =
            connection.query_row("SELECT COUNT(*) FROM one", [], |row| row.get(0)).unwrap();
        assert_eq!(rows, 1);
    }

    /// A database of a newer program is rejected with both numbers.
    #[test]
    fn a_newer_database_is_rejected() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection, &[Migration::of("SELECT 1"), Migration::of("SELECT 2")]).unwrap();
        let error = migrate(&mut connection, &[Migration::of("SELECT 1")]).unwrap_err();
        insta::assert_snapshot!(error, @"the database has migration 2, but this bankfeed only knows 1; use a newer one");
    }

    /// A database with another migration is rejected with its number.
    #[test]
    fn a_changed_migration_is_rejected() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection, &[Migration::of("SELECT 1")]).unwrap();
        let error = migrate(&mut connection, &[Migration::of("SELECT 2")]).unwrap_err();
        insta::assert_snapshot!(error, @"migration 1 of the database differs from that of this bankfeed");
    }

    /// A failing migration also undoes the migrations that ran before it.
    #[test]
    fn failed_migrations_are_rolled_back() {
        let mut connection = Connection::open_in_memory().unwrap();
        let one = "CREATE TABLE one (a INTEGER) STRICT";
        let broken = "CREATE TABLE two (a INTEGER) STRICT; nonsense";
        assert!(migrate(&mut connection, &[Migration::of(one), Migration::of(broken)]).is_err());
        migrate(
            &mut connection,
            &[Migration::of(one), Migration::of("CREATE TABLE two (a INTEGER) STRICT")],
        )
        .unwrap();
    }

    /// Jobs from before their server time was stored age by the time of their account.
    #[test]
    fn older_jobs_age_by_the_time_of_their_account() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection, &MIGRATIONS[..2]).unwrap();
        let job = "INSERT INTO refreshes (account, feature, sequence, merchant, status, started_at, \
                   claim, attempts) VALUES (1, 'transactions', 1, 1, 'pending', 1700000000, 0, 0)";
        connection.execute(job, []).unwrap();
        migrate(&mut connection, MIGRATIONS).unwrap();
        let started: i64 = connection
            .query_row("SELECT started_server FROM refreshes", [], |row| row.get(0))
            .unwrap();
        assert_eq!(started, 1_700_000_000_000_000);
    }

    /// Events of earlier releases are numbered in the order of their commits, also those in
    /// snapshots. Events without deliveries still wait, and later numbers are above all others.
    #[test]
    fn older_events_get_feed_numbers() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection, &MIGRATIONS[..11]).unwrap();
        let rows = "INSERT INTO merchants (merchant) VALUES (1), (2);
             INSERT INTO events (position, shard, number, merchant, account, created, type,
                undispatched, position_listed, body)
             VALUES (10, 5, 3, 1, 5, 9, 'a', 0, 10, '{}'), (20, 1, 1, 1, NULL, 1, 'b', 1, 20, '{}'),
                (30, 5, 1, 1, 5, 5, 'c', 0, 30, '{}'), (40, 2, 1, 2, NULL, 1, 'd', 0, 40, '{}');
             INSERT INTO snapshot_events (merchant, snapshot, position, shard, number, account,
                created, type, undispatched, position_listed, body)
             VALUES (1, 7, 10, 5, 3, 5, 9, 'a', 1, 10, '{}'), (1, 7, 5, 1, 9, NULL, 1, 'e', 0, 5, '{}'),
                (1, 8, 30, 5, 1, 5, 5, 'c', 0, 30, '{}');";
        connection.execute_batch(rows).unwrap();
        migrate(&mut connection, MIGRATIONS).unwrap();
        let numbers = |sql: &str| -> Vec<(String, Option<i64>)> {
            let mut statement = connection.prepare(sql).unwrap();
            let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
            rows.map(Result::unwrap).collect()
        };
        let numbered = |name: &str, feed| (name.to_owned(), feed);
        assert_eq!(
            numbers("SELECT type, feed FROM events ORDER BY type"),
            [
                numbered("a", Some(2)),
                numbered("b", None),
                numbered("c", Some(3)),
                numbered("d", Some(1))
            ]
        );
        assert_eq!(
            numbers("SELECT type, feed FROM snapshot_events ORDER BY type"),
            [numbered("a", None), numbered("c", Some(3)), numbered("e", Some(1))]
        );
        let counters = "SELECT CAST(merchant AS TEXT), feed FROM merchants ORDER BY merchant";
        assert_eq!(numbers(counters), [numbered("1", Some(3)), numbered("2", Some(1))]);
    }

    /// Events of earlier releases keep the order of their lists, also those in snapshots. Their
    /// position becomes the time of their commit.
    #[test]
    fn older_events_keep_their_order() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection, &MIGRATIONS[..12]).unwrap();
        let rows = "INSERT INTO events (position, shard, number, merchant, account, created, type,
                position_listed, body, feed)
             VALUES (10, 5, 3, 1, 5, 9, 'a', 10, '{}', 1), (20, 1, 1, 1, NULL, 9, 'b', 20, '{}', NULL),
                (30, 5, 2, 1, 5, 9, 'c', 30, '{}', NULL), (40, 1, 9, 1, NULL, 8, 'd', 40, '{}', 2);
             INSERT INTO snapshot_events (merchant, snapshot, position, shard, number, account,
                created, type, position_listed, body, feed)
             VALUES (1, 7, 40, 1, 9, NULL, 8, 'd', 40, '{}', 2),
                (1, 7, 50, 1, 5, NULL, 9, 'e', 50, '{}', 4),
                (1, 8, 40, 1, 9, NULL, 8, 'd', 40, '{}', NULL);";
        connection.execute_batch(rows).unwrap();
        migrate(&mut connection, MIGRATIONS).unwrap();
        let listed = |table: &str| -> Vec<(String, i64, Option<i64>, i64)> {
            let sql = format!(
                "SELECT type, committed_at, feed, number FROM {table} \
                 ORDER BY created, committed_at, shard"
            );
            let mut statement = connection.prepare(&sql).unwrap();
            let rows = statement
                .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)));
            rows.unwrap().map(Result::unwrap).collect()
        };
        let row = |name: &str, at, feed, number| (name.to_owned(), at, feed, number);
        let events = [
            row("d", 40, Some(2), 9),
            row("a", 10, Some(1), 3),
            row("b", 20, None, 1),
            row("c", 30, None, 2),
        ];
        assert_eq!(listed("events"), events);
        let mut copied = listed("snapshot_events");
        copied.sort();
        let expected = [row("d", 40, None, 9), row("d", 40, Some(2), 9), row("e", 50, Some(4), 5)];
        assert_eq!(copied, expected);
    }
}
