//! Generations of a sandbox: the steps of a restore and of a reset, and the rows that they leave.

use super::database::Database;
use super::rows::{linked, owner, sample};
use super::samples::{T0, row};
use super::{at, place, run};
use crate::sqlite::generation::{Generation, Known};
use crate::sqlite::replace::{self, GenerationRow};
use crate::sqlite::{Reading, transaction};
use crate::{
    BeginReplacement, Begun, BuildGeneration, BuildPosition, Built, ClaimRefreshes, CompleteLink,
    Connection, CreateObject, Cursor, DropSnapshot, Kind, ListAccounts, NewAccount, Page,
    RemoveGenerations, Replacement, ResetSandbox, Snapshotted, Store, SwitchGeneration, Written,
};
use model::account::Account;
use model::bank::Feature;
use model::clock::ServerTime;
use model::id::{AccountId, SnapshotId};
use model::limits::{REPLACE_LEASE_MS, REPLACE_ROWS_MAX};
use model::refresh::{RefreshJob, RefreshKey, RefreshStatus, RunAt};
use std::collections::BTreeMap;

/// The accounts of the sandbox, and the transactions of each.
pub(super) const ACCOUNTS: u64 = 3;
const ROWS: u32 = 700;

fn snapshot_id() -> SnapshotId {
    SnapshotId::from_number(1)
}

/// A new account with a refresh that is due.
fn new_account(number: u64) -> NewAccount {
    let account = linked(number);
    let connection = Connection {
        account: account.id,
        merchant: account.merchant,
        version: 1,
        relinked_at: T0,
        credential: vec![1],
        state: vec![2],
        cursors: BTreeMap::new(),
    };
    let job = RefreshJob {
        key: RefreshKey { account: account.id, feature: Feature::Balance, sequence: 1 },
        merchant: account.merchant,
        clock: None,
        status: RefreshStatus::Pending,
        started_at: T0,
        started_server: ServerTime(1),
        run_at: RunAt::Server(ServerTime(1)),
        claim: 0,
        leased_until: None,
        attempts: 0,
    };
    NewAccount { account, connection, started: vec![job], events: vec![] }
}

pub(super) fn link(number: u64) -> CompleteLink {
    CompleteLink::of(vec![], vec![new_account(number)])
}

impl Database {
    /// A database with a sandbox and a snapshot of it.
    pub(super) fn with_sandbox() -> Self {
        let database = Self::new();
        let object = sample(Kind::Customer, 1).unwrap();
        assert_eq!(database.write(&CreateObject::of(object)), crate::Created::Done);
        for number in 1..=ACCOUNTS {
            assert_eq!(database.write(&link(number)), Written::Done);
            let id = AccountId::from_number(number);
            let rows: Vec<_> = (1..=ROWS).map(|ordinal| row(id, T0.0, ordinal)).collect();
            database.batch(|batch| transaction::upsert_many(owner(), &rows, batch).unwrap());
        }
        assert_eq!(database.take(1), Snapshotted::Done);
        database
    }

    pub(super) fn begin(&self) -> Replacement {
        match self.write(&BeginReplacement { merchant: owner(), snapshot: Some(snapshot_id()) }) {
            Begun::Done(replacement) => replacement,
            Begun::Rejected(result) => panic!("{result:?}"),
        }
    }

    fn build(&self, replacement: Replacement, from: BuildPosition) -> Built {
        let (merchant, snapshot) = (owner(), snapshot_id());
        self.write(&BuildGeneration { merchant, snapshot, replacement, floor: 500, from })
    }

    /// Builds all rows, and calls the function before each step.
    pub(super) fn build_all(
        &self,
        replacement: Replacement,
        mut before: impl FnMut(),
    ) -> BuildPosition {
        let mut from = BuildPosition::default();
        loop {
            before();
            match self.build(replacement, from) {
                Built::Next(next) => from = next,
                Built::Done(end) => return end,
                Built::VersionConflict => panic!("the replacement was given up"),
            }
        }
    }

    pub(super) fn switch(&self, replacement: Replacement, built: BuildPosition) -> Snapshotted {
        self.write(&SwitchGeneration {
            merchant: owner(),
            snapshot: Some(snapshot_id()),
            replacement,
            built: Some(built),
            floor: 500,
            slack: 100,
            reply: None,
        })
    }

    /// Runs one step of a removal. Returns true if there may be more.
    pub(super) fn remove(&self, given_up: Option<Replacement>) -> bool {
        self.write(&RemoveGenerations { sandbox: Some(owner()), given_up }).has_more
    }

    /// The rows of each table that belong to merchants.
    pub(super) fn rows(&self) -> BTreeMap<String, i64> {
        let tables = "SELECT m.name FROM sqlite_schema AS m WHERE m.type = 'table' \
             AND EXISTS (SELECT 1 FROM pragma_table_info(m.name) WHERE name = 'merchant')";
        let mut statement = self.connection.prepare(tables).unwrap();
        let names = statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap);
        let count = |name: String| {
            let sql = format!("SELECT COUNT(*) FROM {name}");
            let rows = self.connection.query_row(&sql, [], |row| row.get(0)).unwrap();
            (name, rows)
        };
        names.map(count).filter(|(name, _)| name != "generations").collect()
    }

    pub(super) fn changes<T>(&self, write: impl FnOnce() -> T) -> (u64, T) {
        let before = self.connection.total_changes();
        let output = write();
        (self.connection.total_changes() - before, output)
    }
}

pub(super) fn list() -> ListAccounts {
    ListAccounts {
        merchant: owner(),
        of: crate::AccountsOf::Merchant,
        page: Page { limit: 9, cursor: Cursor::Newest },
    }
}

/// A step writes at most the rows that are allowed, whatever the size of the sandbox. Commands between
/// two steps see the old rows, and after the switch the restored ones. At the end only those are left.
#[test]
fn steps_are_bounded() {
    let database = Database::with_sandbox();
    let before = database.rows();
    assert_eq!(database.write(&link(9)), Written::Done);
    let replacement = database.begin();
    let mut steps = 0;
    let mut from = BuildPosition::default();
    let built = loop {
        steps += 1;
        assert_eq!(database.read(&list()).items.len(), 4, "the old rows");
        let (changes, step) = database.changes(|| database.build(replacement, from));
        // Each account has a link, and the step extends its lease.
        assert!(changes <= REPLACE_ROWS_MAX as u64 + ACCOUNTS + 1, "{changes}");
        match step {
            Built::Next(next) => from = next,
            Built::Done(end) => break end,
            Built::VersionConflict => panic!("the replacement was given up"),
        }
    };
    assert_eq!(steps, 11, "2,100 transactions and 10 other rows");
    let (changes, switched) = database.changes(|| database.switch(replacement, built));
    assert_eq!(switched, Snapshotted::Done);
    assert!(changes < 10, "{changes}");
    assert_eq!(database.read(&list()).items.len(), 3, "the restored rows");
    let mut removals = 0;
    loop {
        let (changes, has_more) = database.changes(|| database.remove(None));
        assert!(changes <= REPLACE_ROWS_MAX as u64 + 1, "{changes}");
        assert_eq!(database.read(&list()).items.len(), 3);
        if !has_more {
            break;
        }
        removals += 1;
    }
    assert_eq!(removals, 11);
    assert_eq!(database.rows(), before);
}

/// The refreshes of one account are removed in several steps, if there are many.
#[test]
fn many_refreshes_of_an_account_are_removed_in_steps() {
    let database = Database::with_sandbox();
    let sql = "WITH RECURSIVE n (value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM n WHERE value < 500) \
               INSERT INTO refreshes (bucket, account, feature, sequence, merchant, status, started_at, \
               claim, attempts, started_server) \
               SELECT bucket, account, feature, sequence + value, merchant, 'succeeded', started_at, \
               claim, attempts, started_server FROM refreshes, n WHERE account = 1";
    assert_eq!(database.connection.execute(sql, []).unwrap(), 500);
    let replacement = database.begin();
    let built = database.build_all(replacement, || {});
    assert_eq!(database.switch(replacement, built), Snapshotted::Done);
    loop {
        let (changes, has_more) = database.changes(|| database.remove(None));
        assert!(changes <= REPLACE_ROWS_MAX as u64 + 1, "{changes}");
        if !has_more {
            break;
        }
    }
    assert_eq!(database.rows()["refreshes"], ACCOUNTS.cast_signed(), "the restored rows");
}

/// Two restores in a row keep every row once, with the same id.
#[test]
fn restores_are_repeatable() {
    let database = Database::with_sandbox();
    let before = database.rows();
    let accounts = |database: &Database| -> Vec<Account> { database.read(&list()).items };
    let ids =
        |accounts: Vec<Account>| accounts.iter().map(|account| account.id).collect::<Vec<_>>();
    let old = ids(accounts(&database));
    for _ in 0..3 {
        let replacement = database.begin();
        let built = database.build_all(replacement, || {});
        assert_eq!(database.switch(replacement, built), Snapshotted::Done);
        while database.remove(None) {}
        assert_eq!(ids(accounts(&database)), old);
        assert_eq!(database.rows(), before);
    }
}

/// Rows of a generation that is not current are no work for anyone.
#[test]
fn workers_skip_rows_that_are_not_current() {
    let database = Database::with_sandbox();
    // As many as are current. Those that are not current come before some of them.
    let claim = ClaimRefreshes {
        now: ServerTime(2),
        leased_until: ServerTime(3),
        limit: 3,
        free: 999,
        in_progress: vec![],
    };
    let replacement = database.begin();
    let built = database.build_all(replacement, || {});
    assert_eq!(database.write(&claim).jobs.len(), 3, "each refresh is claimed once");
    assert_eq!(database.write(&claim).jobs.len(), 0);
    assert_eq!(database.switch(replacement, built), Snapshotted::Done);
    let restored = database.write(&claim);
    assert_eq!(restored.jobs.len(), 3, "the restored refreshes have no lease");
    assert!(
        restored.jobs.iter().all(|job| job.merchant == owner() && job.claim == 501),
        "{restored:?}"
    );
    assert_eq!(database.write(&claim).jobs.len(), 0);
}

/// A restore that was given up leaves the sandbox as it is. Its rows are removed after the lease, and
/// then its next step is a version conflict.
#[test]
fn abandoned_restores_are_removed() {
    let database = Database::with_sandbox();
    let before = database.rows();
    let replacement = database.begin();
    let Built::Next(next) = database.build(replacement, BuildPosition::default()) else {
        panic!("more rows follow");
    };
    assert!(!database.remove(None), "the lease has not expired");
    let later = ServerTime(T0.0 * 1_000_000).plus_ms(REPLACE_LEASE_MS);
    database
        .connection
        .execute("UPDATE generations SET leased_until = ?1", [later.0 - REPLACE_LEASE_MS * 1_000])
        .unwrap();
    assert!(database.remove(None), "the first rows are removed");
    assert_eq!(database.build(replacement, next.clone()), Built::VersionConflict);
    while database.remove(None) {}
    assert_eq!(database.rows(), before);
    assert_eq!(database.switch(replacement, next), Snapshotted::VersionConflict);
    let again = database.begin();
    let _ = database.build(again, BuildPosition::default());
    while database.remove(Some(again)) {}
    assert_eq!(database.rows(), before, "its caller need not wait for the lease");
}

/// A switch is a version conflict if others have changed so many rows that a count may have reached
/// the floor.
#[test]
fn the_floor_stays_above_all_counts() {
    for (others, expected) in [(100, Snapshotted::Done), (101, Snapshotted::VersionConflict)] {
        let database = Database::with_sandbox();
        let replacement = database.begin();
        let built = database.build_all(replacement, || {});
        for _ in 0..others {
            let sql = "UPDATE counts SET value = value WHERE name = 'merchants'";
            database.connection.execute(sql, []).unwrap();
        }
        assert_eq!(database.switch(replacement, built), expected, "{others}");
    }
}

/// The rows of a deleted snapshot are removed in steps, and no restore finds it meanwhile.
#[test]
fn snapshots_are_deleted_in_steps() {
    let database = Database::with_sandbox();
    let drop = DropSnapshot { merchant: owner(), snapshot: snapshot_id(), reply: None };
    let (changes, dropped) = database.changes(|| database.write(&drop));
    assert_eq!(dropped, Snapshotted::Done);
    assert!(changes < 5, "{changes}");
    let begin = BeginReplacement { merchant: owner(), snapshot: Some(snapshot_id()) };
    assert_eq!(database.write(&begin), Begun::Rejected(Snapshotted::Missing));
    let mut steps = 0;
    while database.changes(|| database.remove(None)).1 {
        steps += 1;
    }
    assert_eq!(steps, 11);
    let left = database
        .rows()
        .into_iter()
        .filter(|(name, rows)| name.starts_with("snapshot_") && *rows > 0);
    assert_eq!(left.count(), 0);
}

/// A read sees one state, also while another connection replaces the sandbox and removes the old rows.
#[test]
fn a_read_sees_one_state() {
    let (_folder, path) = place();
    let store = Store::open(at(&path)).unwrap();
    run(async {
        let object = sample(Kind::Customer, 1).unwrap();
        assert_eq!(store.write(CreateObject::of(object)).await.unwrap(), crate::Created::Done);
        assert_eq!(store.write(link(1)).await.unwrap(), Written::Done);
    });
    let connection = rusqlite::Connection::open(&path).unwrap();
    let seal =
        crate::seal::Sealer::new([7; 32], std::sync::Arc::new(testkit::rng::RepeatedByte(1)));
    let count =
        |reading: &Reading<'_>| crate::sqlite::account::list(&list(), reading).unwrap().items.len();
    Reading::of(&connection, &seal)
        .of_merchant(owner(), |reading| {
            assert_eq!(count(reading), 1);
            let reset = ResetSandbox { merchant: owner(), reply: None };
            assert_eq!(run(store.reset_sandbox(reset)).unwrap(), Snapshotted::Done);
            assert_eq!(count(reading), 1, "the state at the start of the read");
            Ok(())
        })
        .unwrap();
    Reading::of(&connection, &seal)
        .of_merchant(owner(), |reading| {
            assert_eq!(count(reading), 0);
            Ok(())
        })
        .unwrap();
}

/// A read that knows a generation runs again if another became current meanwhile.
#[test]
fn known_generations_are_checked_after_the_read() {
    let (_folder, path) = place();
    let store = Store::open(at(&path)).unwrap();
    run(async {
        let object = sample(Kind::Customer, 1).unwrap();
        assert_eq!(store.write(CreateObject::of(object)).await.unwrap(), crate::Created::Done);
        for number in [1, 2] {
            assert_eq!(store.write(link(number)).await.unwrap(), Written::Done);
            // The second read knows the generation.
            for _ in 0..2 {
                assert_eq!(store.read(list()).await.unwrap().items.len(), 1);
            }
            let reset = ResetSandbox { merchant: owner(), reply: None };
            assert_eq!(store.reset_sandbox(reset).await.unwrap(), Snapshotted::Done);
            assert_eq!(store.read(list()).await.unwrap().items.len(), 0);
        }
    });
}

/// A generation is known between two switches. While one is being committed, and after it, a read looks
/// the generation up.
#[test]
fn switches_make_generations_unknown() {
    let known = Known::default();
    let database = Database::with_sandbox();
    let reading = || Reading::of(&database.connection, &database.seal);
    let first = Generation::first(owner());
    let find = || known.switches().and_then(|switches| known.find(owner(), switches));
    assert_eq!(find(), None);
    reading().run(&list(), &known).unwrap();
    assert_eq!(find(), Some(first));
    known.begin_switch();
    reading().run(&list(), &known).unwrap();
    assert_eq!(find(), None, "a read during a switch makes no generation known");
    known.end_switch();
    assert_eq!(find(), None);
    reading().run(&list(), &known).unwrap();
    known.end_switch();
    assert_eq!(find(), Some(first), "no switch ran");
}

/// The old generation of a connected account belongs to the platform that replaces it, also if the
/// account itself was the last to replace it.
#[test]
fn a_platform_removes_the_rows_of_its_accounts() {
    let database = Database::new();
    let [own, platform] = [1, 2].map(model::id::MerchantId::from_number);
    let generation = Generation { owner: -7, turn: 7 };
    database.batch(|batch| {
        for (sandbox, state) in [(own, "current"), (platform, "retired")] {
            let row = GenerationRow { merchant: own, generation, state, snapshot: None };
            replace::put(&row, sandbox, -1, batch).unwrap();
        }
    });
    let remove = |sandbox| RemoveGenerations { sandbox: Some(sandbox), given_up: None };
    assert!(!database.write(&remove(own)).has_more);
    assert!(database.write(&remove(platform)).has_more);
}
