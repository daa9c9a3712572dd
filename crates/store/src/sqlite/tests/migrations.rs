//! Databases of earlier releases: each is migrated, keeps every row, and survives an interruption at
//! any point.
//!
//! A database of a release has rows of every table and objects of every kind. SQL that was valid in
//! that release writes them. `migrations/NNNN_rows.sql` runs from migration NNNN on, after the files
//! before it. Of the files `migrations/NNNN_events.sql` only the newest one runs, because two
//! migrations changed the columns of events.
//!
//! A new migration needs no file: the database before it has the rows of [`ROWS_UNTIL`], migrated.
//! Once a release has it, its own rows need a file if they have a new table or column.

use super::migrated::{FROM, Rows, read_all, restore};
use super::{at, place, run};
use crate::sqlite::migration::{MIGRATIONS, Progress, State, migrate, migrate_with};
use crate::sqlite::open::open_writer;
use crate::{OpenError, Store};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// The newest migration whose rows the files can write.
const ROWS_UNTIL: usize = 13;

const ROWS: [(usize, &str); 10] = [
    (1, include_str!("migrations/0001_rows.sql")),
    (2, include_str!("migrations/0002_rows.sql")),
    (3, include_str!("migrations/0003_rows.sql")),
    (4, include_str!("migrations/0004_rows.sql")),
    (5, include_str!("migrations/0005_rows.sql")),
    (6, include_str!("migrations/0006_rows.sql")),
    (7, include_str!("migrations/0007_rows.sql")),
    (9, include_str!("migrations/0009_rows.sql")),
    (11, include_str!("migrations/0011_rows.sql")),
    (12, include_str!("migrations/0012_rows.sql")),
];

const EVENTS: [(usize, &str); 4] = [
    (1, include_str!("migrations/0001_events.sql")),
    (6, include_str!("migrations/0006_events.sql")),
    (12, include_str!("migrations/0012_events.sql")),
    (13, include_str!("migrations/0013_events.sql")),
];

/// The numbers of migrations with which a database may begin.
fn versions() -> std::ops::Range<usize> {
    1..MIGRATIONS.len()
}

/// Makes a database that has had this many migrations. Returns its rows as they were written.
fn fill(connection: &mut Connection, version: usize) -> Rows {
    let written = version.min(ROWS_UNTIL);
    migrate(connection, &MIGRATIONS[..written]).unwrap();
    let of_version = |(from, _): &&(usize, &str)| *from <= written;
    let events = EVENTS.iter().rev().find(of_version).unwrap();
    let [first, later @ ..] = &ROWS;
    for (from, sql) in [first, events].into_iter().chain(later.iter().filter(of_version)) {
        connection.execute_batch(sql).unwrap_or_else(|error| panic!("{from}: {error}"));
    }
    let rows = Rows::of(connection);
    migrate(connection, &MIGRATIONS[..version]).unwrap();
    rows
}

/// A database in memory that has had this many migrations.
fn in_memory(version: usize) -> Connection {
    let mut connection = Connection::open_in_memory().unwrap();
    fill(&mut connection, version);
    connection
}

/// The hashes of the schema and of all rows of a database, for comparisons.
fn dump(connection: &Connection) -> Vec<u64> {
    let hashes = |sql: &str| -> Vec<u64> {
        let mut statement = connection.prepare(sql).unwrap();
        let columns = statement.column_count();
        let hash = |row: &Row<'_>| {
            let mut hash = DefaultHasher::new();
            sql.hash(&mut hash);
            for column in 0..columns {
                match row.get_ref(column)? {
                    ValueRef::Null => 0.hash(&mut hash),
                    ValueRef::Integer(integer) => integer.hash(&mut hash),
                    ValueRef::Real(real) => real.to_bits().hash(&mut hash),
                    ValueRef::Text(bytes) | ValueRef::Blob(bytes) => bytes.hash(&mut hash),
                }
            }
            Ok(hash.finish())
        };
        statement.query_map([], hash).unwrap().map(Result::unwrap).collect()
    };
    let mut all = hashes("SELECT type, name, sql FROM sqlite_schema");
    for table in tables(connection) {
        all.append(&mut hashes(&format!("SELECT * FROM \"{table}\"")));
    }
    all.sort_unstable();
    all
}

/// The names of all tables of a database.
fn tables(connection: &Connection) -> Vec<String> {
    let sql = "SELECT name FROM sqlite_schema WHERE type = 'table'";
    let mut statement = connection.prepare(sql).unwrap();
    let names = statement.query_map([], |row| row.get(0)).unwrap();
    names.map(Result::unwrap).collect()
}

/// The databases of the test have rows in every table, and an object of every kind.
#[test]
fn databases_have_rows_of_every_table() {
    for version in versions().filter(|version| *version <= ROWS_UNTIL) {
        let connection = in_memory(version);
        for name in tables(&connection) {
            let sql = format!("SELECT EXISTS (SELECT 1 FROM \"{name}\")");
            let is_filled: bool = connection.query_row(&sql, [], |row| row.get(0)).unwrap();
            assert!(is_filled, "migration {version}: the table {name} has no rows");
        }
    }
}

/// A database of any earlier release is migrated at the start. The read commands then return every
/// row with the values that were written, and a snapshot brings its rows back. Rows do not depend on
/// the release that wrote them.
#[test]
fn every_release_keeps_its_rows() {
    let mut newest = None;
    for version in versions().rev() {
        let (_folder, path) = place();
        let rows = fill(&mut open_writer(&path, false).unwrap(), version);
        run(async {
            let store = Store::open(at(&path)).unwrap();
            rows.assert_objects_found(&store, version).await;
            rows.assert_others_found(&store, version).await;
            let mut found = read_all(&store, &rows).await;
            found.extend(restore(&store, &rows).await);
            store.close().await;
            let newest = newest.get_or_insert_with(|| found.clone());
            for (part, expected) in newest {
                let from = FROM.iter().find(|(name, _)| name == part).map_or(1, |(_, from)| *from);
                if version >= from {
                    assert_eq!(found.get(part), Some(&*expected), "migration {version}: {part}");
                }
            }
        });
    }
}

/// The progress of a migration names its number, and counts its rows after each statement and page.
#[test]
fn progress_is_reported() {
    for version in versions() {
        let mut connection = in_memory(version);
        let mut seen: Vec<Progress> = Vec::new();
        migrate_with(&mut connection, MIGRATIONS, &mut |progress| seen.push(progress)).unwrap();
        let known = u32::try_from(MIGRATIONS.len()).unwrap();
        assert!(seen.iter().all(|progress| progress.known == known));
        let with = |state| {
            let seen = seen.iter().filter(move |progress| progress.state == state);
            seen.map(|progress| progress.number as usize).collect::<Vec<_>>()
        };
        let run: Vec<usize> = (version + 1..=MIGRATIONS.len()).collect();
        assert_eq!((with(State::Begun), with(State::Ended)), (run.clone(), run));
        for pair in seen.windows(2).filter(|pair| pair[0].number == pair[1].number) {
            assert!(pair[0].rows <= pair[1].rows, "{pair:?}");
        }
    }
    let mut connection = in_memory(8);
    let mut rows = 0;
    migrate_with(&mut connection, &MIGRATIONS[..9], &mut |progress| rows = progress.rows).unwrap();
    assert!(rows > 50, "{rows}");
}

/// The state of a database before and after the missing migrations, and the length of the next one.
struct Expected {
    before: Vec<u64>,
    after: Vec<u64>,
    /// The reports of the next migration.
    reports: usize,
    /// Its steps in `SQLite`'s virtual machine.
    steps: u32,
}

impl Expected {
    fn of(version: usize) -> Self {
        let mut connection = in_memory(version);
        let before = dump(&connection);
        let mut reports = 0;
        let steps = interrupt(&mut connection, version, u32::MAX, &mut |_| reports += 1).unwrap();
        migrate(&mut connection, MIGRATIONS).unwrap();
        Self { before, after: dump(&connection), reports, steps }
    }

    /// Asserts that an interrupted start has changed no row, and that the next one migrates the
    /// database.
    fn assert_goes_on(&self, connection: &mut Connection, at: &str) {
        assert!(dump(connection) == self.before, "{at}: rows have changed");
        migrate(connection, MIGRATIONS).unwrap();
        assert!(dump(connection) == self.after, "{at}: the next start has other rows");
    }
}

/// Runs the next migration and interrupts it at a step of `SQLite`'s virtual machine. Returns the
/// steps that it took.
fn interrupt(
    connection: &mut Connection,
    version: usize,
    at: u32,
    report: &mut dyn FnMut(Progress),
) -> Result<u32, OpenError> {
    let steps = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&steps);
    let is_end = move || counted.fetch_add(1, Ordering::Relaxed) == at;
    connection.progress_handler(1, Some(is_end)).unwrap();
    let migrated = migrate_with(connection, &MIGRATIONS[..=version], report);
    connection.progress_handler(0, None::<fn() -> bool>).unwrap();
    migrated.map(|_| steps.load(Ordering::Relaxed))
}

/// A start that ends after any statement of any migration changes no row. The next start runs all
/// missing migrations.
#[test]
fn a_migration_can_stop_after_each_statement() {
    for version in versions() {
        let expected = Expected::of(version);
        let mut connection = in_memory(version);
        for stop in 0..expected.reports {
            let mut passed = 0;
            let mut report = |_| {
                // Unlike a panic, this does not print a message.
                if passed == stop {
                    resume_unwind(Box::new("stopped by the test"));
                }
                passed += 1;
            };
            let next = &MIGRATIONS[..=version];
            let start = AssertUnwindSafe(|| migrate_with(&mut connection, next, &mut report));
            assert!(catch_unwind(start).is_err());
            let at = format!("migration {}, step {stop}", version + 1);
            assert!(dump(&connection) == expected.before, "{at}: rows have changed");
        }
        expected.assert_goes_on(&mut connection, &format!("migration {}", version + 1));
    }
}

/// The number of points within the statements of a migration at which a test interrupts it.
const POINTS: u32 = 8;

/// A statement of a migration can be interrupted at any of its steps.
#[test]
fn a_migration_can_stop_within_a_statement() {
    for version in versions() {
        let expected = Expected::of(version);
        let mut connection = in_memory(version);
        for point in 1..=POINTS {
            let step = expected.steps / (POINTS + 1) * point;
            let error = interrupt(&mut connection, version, step, &mut |_| {}).unwrap_err();
            assert!(matches!(error, OpenError::Database(_) | OpenError::Migration { .. }));
            let at = format!("migration {}, step {step}", version + 1);
            assert!(dump(&connection) == expected.before, "{at}: rows have changed");
        }
        expected.assert_goes_on(&mut connection, &format!("migration {}", version + 1));
    }
}

/// Copies the files of a database, as a process that is killed at this moment leaves them.
fn copy_files(from: &Path, to: &Path) {
    for name in ["bank.db", "bank.db-wal"] {
        std::fs::copy(from.join(name), to.join(name)).unwrap();
    }
}

/// A process that is killed during a migration leaves files with the rows from before. The next start
/// migrates them.
#[test]
fn a_killed_process_leaves_a_database_that_migrates() {
    for version in versions() {
        let expected = Expected::of(version);
        let (folder, path) = place();
        let mut connection = open_writer(&path, false).unwrap();
        fill(&mut connection, version);
        // Pages that do not fit are written to the log before the commit.
        connection.execute_batch("PRAGMA cache_size = 1").unwrap();
        let (copied, copy) = place();
        let mut report = |progress: Progress| {
            if progress.state == State::Ended {
                copy_files(folder.path(), copied.path());
            }
        };
        migrate_with(&mut connection, &MIGRATIONS[..=version], &mut report).unwrap();
        let mut connection = open_writer(&copy, false).unwrap();
        expected.assert_goes_on(&mut connection, &format!("killed in migration {}", version + 1));
    }
}
