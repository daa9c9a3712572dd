//! The steps in which a snapshot is taken, and the rows of snapshots that were given up.

use super::database::Database;
use super::generations::{ACCOUNTS, link, list};
use super::rows::owner;
use super::samples::{T0, row};
use super::{at, place, run};
use crate::seal::Sealer;
use crate::sqlite::{Reading, snapshot, transaction};
use crate::{
    BeginReplacement, BeginSnapshot, Begun, CopySandbox, FillSnapshot, FindObject, FinishSnapshot,
    Kind, RemoveGenerations, Replacement, SandboxCopy, Snapshotted, Store, TakeSnapshot, Written,
};
use model::id::{AccountId, SnapshotId};
use model::limits::{REPLACE_LEASE_MS, REPLACE_ROWS_MAX, SNAPSHOTS_MAX};
use model::snapshot::SandboxSnapshot;
use rusqlite::Connection;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use testkit::rng::RepeatedByte;

/// A snapshot of a copy.
fn of_copy(number: u64, copy: SandboxCopy) -> TakeSnapshot {
    let snapshot = SandboxSnapshot {
        id: SnapshotId::from_number(number),
        merchant: owner(),
        version: 1,
        created: T0,
        name: None,
        metadata: BTreeMap::new(),
        size: copy.size.clone(),
    };
    TakeSnapshot { snapshot, copy, snapshots_max: SNAPSHOTS_MAX, reply: None }
}

impl Database {
    /// A snapshot of the current state, which has not begun.
    fn copied(&self, number: u64) -> TakeSnapshot {
        of_copy(number, self.read(&CopySandbox { merchant: owner() }))
    }

    fn begin_snapshot(&self, take: &TakeSnapshot) -> Replacement {
        match self.write(&BeginSnapshot { take: take.clone() }) {
            Begun::Done(series) => series,
            Begun::Rejected(result) => panic!("{result:?}"),
        }
    }

    /// The commands that store the rows, in their order.
    fn fills(take: &TakeSnapshot, replacement: Replacement) -> Vec<FillSnapshot> {
        let mut fills = Vec::new();
        let mut at = 0;
        while let Some((rows, next)) = take.copy.step(at).unwrap() {
            fills.push(FillSnapshot { snapshot: take.snapshot.id, replacement, rows });
            at = next;
        }
        fills
    }

    fn finish(&self, take: &TakeSnapshot, replacement: Replacement) -> Snapshotted {
        self.write(&FinishSnapshot { take: take.clone(), replacement })
    }

    /// Stores the copy of a sandbox, and calls the function before each command.
    fn take_copied(&self, take: &TakeSnapshot, mut before: impl FnMut()) -> Snapshotted {
        before();
        let series = self.begin_snapshot(take);
        for fill in Self::fills(take, series) {
            before();
            assert_eq!(self.write(&fill), Written::Done);
        }
        before();
        self.finish(take, series)
    }

    /// Takes a snapshot.
    pub(super) fn take(&self, number: u64) -> Snapshotted {
        self.take_copied(&self.copied(number), || {})
    }

    /// True if a command finds the snapshot.
    fn is_visible(&self, number: u64) -> bool {
        let find = FindObject { merchant: owner(), kind: Kind::Snapshot, number };
        self.read(&find).is_some()
    }

    /// The snapshot tables in which two snapshots have different rows.
    fn different_tables(&self, one: u64, other: u64) -> Vec<String> {
        let texts = |sql: &str| -> Vec<String> {
            let mut statement = self.connection.prepare(sql).unwrap();
            statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
        };
        let tables = texts(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name LIKE 'snapshot_%' \
                   ORDER BY name",
        );
        assert_eq!(tables.len(), 11);
        let differs = |table: &String| {
            let columns = texts(&format!(
                "SELECT name FROM pragma_table_info('{table}') WHERE name <> 'snapshot'"
            ));
            let rows = |number: u64| {
                format!("SELECT {} FROM {table} WHERE snapshot = {number}", columns.join(", "))
            };
            [(one, other), (other, one)].into_iter().any(|(left, right)| {
                let sql = format!("{} EXCEPT {}", rows(left), rows(right));
                self.connection.prepare(&sql).unwrap().exists([]).unwrap()
            })
        };
        tables.into_iter().filter(differs).collect()
    }
}

/// A command writes at most the rows that are allowed, whatever the size of the sandbox. No command
/// finds the snapshot before the last one.
#[test]
fn steps_are_bounded() {
    let database = Database::with_sandbox();
    let take = database.copied(2);
    let (changes, series) = database.changes(|| database.begin_snapshot(&take));
    assert!(changes < 5, "{changes}");
    let fills = Database::fills(&take, series);
    assert_eq!(fills.len(), 11, "2,100 transactions and 10 other rows");
    for fill in fills {
        let (changes, filled) = database.changes(|| database.write(&fill));
        assert_eq!(filled, Written::Done);
        // The step extends its lease.
        assert!(changes <= REPLACE_ROWS_MAX as u64 + 1, "{changes}");
        assert!(!database.is_visible(2));
        let begin =
            BeginReplacement { merchant: owner(), snapshot: Some(SnapshotId::from_number(2)) };
        assert_eq!(database.write(&begin), Begun::Rejected(Snapshotted::Missing));
    }
    let (changes, finished) = database.changes(|| database.finish(&take, series));
    assert_eq!(finished, Snapshotted::Done);
    assert!(changes < 5, "{changes}");
    assert!(database.is_visible(2));
    assert!(!database.remove(None), "no rows are left");
    assert_eq!(database.different_tables(1, 2), [""; 0]);
}

/// A snapshot has the state of its copy, whatever other commands write between two of its steps. The
/// turn of the current generation makes no difference.
#[test]
fn a_snapshot_has_the_state_of_its_copy() {
    let database = Database::with_sandbox();
    for number in [2, 3] {
        let take = database.copied(number);
        let mut linked = 10 * number;
        let mut others = || {
            linked += 1;
            assert_eq!(database.write(&link(linked)), Written::Done);
            let id = AccountId::from_number(1);
            let rows: Vec<_> = (1..=50).map(|ordinal| row(id, T0.0 + 1, ordinal)).collect();
            database.batch(|batch| transaction::upsert_many(owner(), &rows, batch).unwrap());
        };
        assert_eq!(database.take_copied(&take, &mut others), Snapshotted::Done);
        if number == 2 {
            assert_eq!(database.different_tables(1, 2), [""; 0]);
            let replacement = database.begin();
            let built = database.build_all(replacement, || {});
            assert_eq!(database.switch(replacement, built), Snapshotted::Done);
            while database.remove(None) {}
        }
    }
    // The third snapshot is one of restored rows, which have other counts.
    let with_counts = ["accounts", "connections", "objects", "refreshes"];
    let with_counts = with_counts.map(|table| format!("snapshot_{table}"));
    assert_eq!(database.different_tables(1, 3), with_counts);
    let sql = "SELECT COUNT(*) FROM snapshot_accounts AS one JOIN snapshot_accounts AS three \
               ON one.bucket = three.bucket AND one.account = three.account \
               WHERE one.snapshot = 1 AND three.snapshot = 3";
    let equal: i64 = database.connection.query_row(sql, [], |row| row.get(0)).unwrap();
    assert_eq!(equal, ACCOUNTS.cast_signed(), "the buckets have no turn");
}

/// A restore that ends between two steps changes neither the rows of the snapshot nor its end.
#[test]
fn a_snapshot_outlives_a_restore_meanwhile() {
    let database = Database::with_sandbox();
    assert_eq!(database.write(&link(9)), Written::Done);
    let take = database.copied(2);
    let mut steps = 0;
    let restore = || {
        steps += 1;
        if steps == 5 {
            let replacement = database.begin();
            let built = database.build_all(replacement, || {});
            assert_eq!(database.switch(replacement, built), Snapshotted::Done);
            while database.remove(None) {}
            assert_eq!(database.read(&list()).items.len(), 3);
        }
    };
    assert_eq!(database.take_copied(&take, restore), Snapshotted::Done);
    assert!(database.is_visible(1) && database.is_visible(2));
    let sql = "SELECT COUNT(*) FROM snapshot_accounts WHERE snapshot = 2";
    let rows: i64 = database.connection.query_row(sql, [], |row| row.get(0)).unwrap();
    assert_eq!(rows, ACCOUNTS.cast_signed() + 1);
}

/// The rows of a snapshot that was given up are removed in steps after its lease. Then its next step and
/// its end are version conflicts.
#[test]
fn abandoned_snapshots_are_removed() {
    let database = Database::with_sandbox();
    let before = database.rows();
    let take = database.copied(2);
    let series = database.begin_snapshot(&take);
    let fills = Database::fills(&take, series);
    let (last, first) = fills.split_last().unwrap();
    for fill in first {
        assert_eq!(database.write(fill), Written::Done);
    }
    assert!(!database.remove(None), "the lease has not expired");
    let sql = "UPDATE generations SET leased_until = leased_until - ?1";
    database.connection.execute(sql, [REPLACE_LEASE_MS * 1_000]).unwrap();
    let mut steps = 0;
    loop {
        let (changes, has_more) = database.changes(|| database.remove(None));
        assert!(changes <= REPLACE_ROWS_MAX as u64 + 1, "{changes}");
        if !has_more {
            break;
        }
        if steps == 0 {
            assert_eq!(database.write(last), Written::VersionConflict);
        }
        assert_eq!(database.finish(&take, series), Snapshotted::VersionConflict);
        steps += 1;
    }
    assert_eq!(steps, 11);
    assert_eq!(database.rows(), before);
    assert!(database.is_visible(1) && !database.is_visible(2));
}

/// The caller of a snapshot that was given up need not wait for the lease, and another snapshot of the
/// sandbox keeps its rows.
#[test]
fn a_snapshot_is_given_up_at_once() {
    let database = Database::with_sandbox();
    let [one, other] = [2, 3].map(|number| {
        let mut take = database.copied(number);
        take.snapshots_max = 2;
        let series = database.begin_snapshot(&take);
        for fill in Database::fills(&take, series) {
            assert_eq!(database.write(&fill), Written::Done);
        }
        (take, series)
    });
    assert_eq!(database.finish(&one.0, one.1), Snapshotted::Done);
    // The writer undoes a command that is rejected.
    database.connection.execute_batch("SAVEPOINT command").unwrap();
    assert_eq!(database.finish(&other.0, other.1), Snapshotted::Full);
    database.connection.execute_batch("ROLLBACK TO command; RELEASE command").unwrap();
    let give_up = RemoveGenerations { sandbox: Some(owner()), given_up: Some(other.1) };
    while database.write(&give_up).has_more {}
    assert_eq!(database.different_tables(1, 2), [""; 0]);
    assert!(!database.is_visible(3));
}

/// A copy has the rows of one state, although another connection commits while it is made.
#[test]
fn a_copy_has_one_state() {
    let (_folder, path) = place();
    let store = Store::open(at(&path)).unwrap();
    assert_eq!(run(store.write(link(1))).unwrap(), Written::Done);
    let mut connection = Connection::open(&path).unwrap();
    let writes = Arc::new(AtomicU64::new(1));
    let (other, counted) = (store.clone(), Arc::clone(&writes));
    let write = move || {
        let number = 1 + counted.fetch_add(1, Ordering::Relaxed);
        assert_eq!(run(other.write(link(number))).unwrap(), Written::Done);
        false
    };
    connection.progress_handler(100, Some(write)).unwrap();
    let seal = Sealer::new([7; 32], Arc::new(RepeatedByte(1)));
    let command = CopySandbox { merchant: owner() };
    let copy = snapshot::copy(&command, &Reading::of(&connection, &seal)).unwrap();
    connection.progress_handler(0, None::<fn() -> bool>).unwrap();
    let accounts = copy.size.counts["account"];
    let writes = writes.load(Ordering::Relaxed);
    assert!(writes > accounts + 1, "{writes} accounts exist, {accounts} are in the copy");
    assert_eq!(run(store.take_snapshot(of_copy(1, copy))).unwrap(), Snapshotted::Done);
    for table in ["accounts", "connections", "refreshes"] {
        let sql = format!("SELECT COUNT(*) FROM snapshot_{table}");
        let rows: i64 = connection.query_row(&sql, [], |row| row.get(0)).unwrap();
        assert_eq!(rows, accounts.cast_signed(), "{table}");
    }
}
