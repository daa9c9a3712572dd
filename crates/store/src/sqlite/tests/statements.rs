//! The statements: each can be prepared, all are listed here, and the frequent ones seek.

use super::{at, folder};
use crate::Store;
use crate::sqlite::list::Lists;
use crate::sqlite::open::open_writer;
use crate::sqlite::snapshot_table::{SNAPSHOT_TABLES, SnapshotTable};
use crate::sqlite::{
    account, backlog, backup, clock, connection, delivery, delivery_claim, earlier_charge, event,
    event_list, event_statuses, feed, generation, idempotency, log, migration, object,
    object_filter, open, open_work, place, precondition, probe, prune, refresh, refresh_claim,
    removal, replace, share, snapshot, transaction, writer,
};
use rusqlite::Connection;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Statements with their names.
macro_rules! named {
    ($($family:ident::$name:ident),+ $(,)?) => {
        &[$((concat!(stringify!($family), "::", stringify!($name)), $family::$name)),+]
    };
}

pub(super) const STATEMENTS: &[(&str, &str)] = named![
    account::INSERT_ACCOUNT,
    account::UPDATE_ACCOUNT_BODY,
    account::UPDATE_ACCOUNT,
    account::FIND_ACCOUNT,
    account::INSERT_ACCOUNT_LINK,
    account::DELETE_ACCOUNT_LINK,
    account::FIND_LINKED_ACCOUNT,
    connection::INSERT_CONNECTION,
    connection::UPDATE_CONNECTION,
    connection::UPDATE_CURSORS,
    connection::FIND_CONNECTION,
    account::UPSERT_OWNERSHIP,
    account::FIND_OWNERSHIP,
    backup::BEGIN_READING,
    backlog::COUNT_REFRESHES_OF_MERCHANT,
    backlog::COUNT_EVENTS_OF_MERCHANT,
    backlog::COUNT_DELIVERIES_OF_ENDPOINT,
    backlog::COUNT_ACCOUNTS,
    backlog::COUNT_OBJECTS,
    backlog::COUNT_CLOCKS,
    backlog::FIND_OLDEST_UNDELIVERED,
    open_work::LIST_OPEN_CLOCKS,
    open_work::LIST_OPEN_OBJECTS,
    open_work::LIST_OPEN_ACCOUNTS,
    open_work::LIST_OPEN_REFRESHES,
    open_work::LIST_UNATTEMPTED,
    clock::INSERT_CLOCK_JOB,
    clock::LIST_CLAIMABLE_CLOCKS,
    clock::CLAIM_CLOCK,
    clock::CONTINUE_CLOCK,
    clock::DELETE_CLOCK_JOB,
    clock::LIST_DUE_ACCOUNTS_ON_CLOCK,
    clock::LIST_DUE_REFRESHES_ON_CLOCK,
    clock::LIST_DUE_OBJECTS_ON_CLOCK,
    delivery::INSERT_DELIVERY,
    delivery_claim::FIND_NEXT_ENDPOINT,
    delivery_claim::LIST_DUE_OF_ENDPOINT,
    delivery_claim::CLAIM_DELIVERY,
    share::FIND_TIE,
    delivery::SETTLE_DELIVERY,
    delivery::INSERT_ATTEMPT,
    delivery::LIST_DELIVERIES,
    delivery::FIND_DELIVERY,
    delivery::LIST_ATTEMPTS,
    delivery::RESEND_DELIVERY,
    delivery::RELEASE_DELIVERY,
    delivery::RELEASE_ENDPOINT,
    event::INSERT_EVENT,
    event::FIND_EVENT,
    event_list::FIND_NEXT_STATUSES,
    event_list::FIND_NEXT_TYPE_WITH_STATUSES,
    event_statuses::LIST_STATUSES,
    event_statuses::SET_STATUSES,
    generation::FIND_GENERATION,
    generation::FIND_MERCHANT,
    generation::LIST_IDLE,
    feed::FIND_NEXT_WAITING,
    feed::FIND_FEED,
    feed::FIND_WAITING_EVENT,
    feed::CLAIM_FEED,
    feed::LIST_UNDISPATCHED,
    feed::FIND_WAITING_PLACE,
    feed::SET_FEED,
    feed::SET_FEED_AND_STATUSES,
    feed::CONTINUE_FEED,
    feed::LIST_FEED,
    feed::LIST_FEED_OF_ACCOUNT,
    feed::FIND_NEXT_TYPE,
    feed::FIND_NEXT_TYPE_OF_ACCOUNT,
    feed::FIND_FEED_EVENT,
    migration::CREATE_MIGRATIONS,
    migration::LIST_MIGRATIONS,
    migration::INSERT_MIGRATION,
    object::COUNT_KIND,
    object::INSERT_OBJECT,
    object::UPDATE_OBJECT,
    object::FIND_OBJECT,
    object::FIND_OBJECT_BY_LOOKUP,
    object::LIST_DUE_OBJECTS,
    earlier_charge::FIND_BODY,
    earlier_charge::SET_BODY,
    earlier_charge::INSERT_CHARGE,
    earlier_charge::FIND_SNAPSHOT_BODY,
    earlier_charge::SET_SNAPSHOT_BODY,
    earlier_charge::INSERT_SNAPSHOT_CHARGE,
    object_filter::INSERT_ENTRY,
    object_filter::DELETE_ENTRY,
    object_filter::FIND_ENTRIES,
    object_filter::FIND_OTHER,
    object_filter::COUNT_BY_FILTER,
    object_filter::COUNT_BY_LOOKUP,
    object_filter::COUNT_OF_CUSTOMER,
    object_filter::COUNT_ALL,
    object_filter::INSERT_STORED_ENTRIES,
    object_filter::LIST_BODIES,
    object_filter::SET_FILTERS,
    object_filter::LIST_SNAPSHOT_BODIES,
    object_filter::SET_SNAPSHOT_FILTERS,
    open::FIND_SEAL_CHECK,
    open::INSERT_SEAL_CHECK,
    precondition::FIND_OBJECT_STATE,
    precondition::FIND_ACCOUNT_VERSION,
    precondition::FIND_LOOKUP,
    precondition::LIST_NUMBERS,
    probe::REWRITE_FACTS,
    prune::DELETE_RECORDS,
    prune::LIST_OLD_EVENTS,
    prune::DELETE_EVENT,
    prune::DELETE_DELIVERIES,
    prune::DELETE_ATTEMPTS,
    prune::DELETE_REFRESHES,
    prune::DELETE_OBJECTS,
    prune::COUNT_FREE_PAGES,
    prune::COUNT_PAGES,
    prune::FREE_PAGES,
    refresh::INSERT_REFRESH,
    refresh_claim::FIND_NEXT_MERCHANT,
    refresh_claim::LIST_CLAIMABLE,
    refresh_claim::CLAIM_REFRESH,
    refresh::PUT_OFF_REFRESH,
    refresh::END_REFRESH,
    refresh::INTERRUPT_REFRESH,
    refresh::LIST_DUE_ACCOUNTS,
    replace::FIND_FLOOR,
    replace::FIND_HIGHEST_OBJECT,
    replace::FIND_HIGHEST_CLOCK_JOB,
    replace::FIND_HIGHEST_CONNECTION,
    replace::FIND_HIGHEST_REFRESH,
    replace::FIND_HIGHEST_DELIVERY,
    place::TAKE_PLACE,
    place::COUNT_PLACE,
    place::FIND_PLACES,
    place::USE_MERCHANT,
    place::FIND_OLDEST_USED,
    place::KEEP_MERCHANT,
    place::VACATE_MERCHANT,
    place::DELETE_VACANT,
    replace::LIST_ALL_ACCOUNTS,
    replace::COUNT_GENERATION,
    replace::PUT_GENERATION,
    replace::LIST_BUILDING,
    replace::EXTEND_LEASE,
    replace::SET_GENERATION,
    replace::COPY_STAYING,
    replace::DELETE_RECORD,
    removal::FIND_REMOVABLE,
    removal::GIVE_UP,
    removal::GIVE_UP_FILLING,
    removal::DELETE_GENERATION,
    removal::REMOVE_CLOCK_JOBS,
    removal::REMOVE_OBJECTS,
    removal::REMOVE_ENTRIES,
    removal::REMOVE_LINKS,
    removal::REMOVE_RECORDS,
    removal::LIST_EVENT_KEYS,
    removal::LIST_ACCOUNT_KEYS,
    removal::REMOVE_TRANSACTIONS,
    removal::REMOVE_OWNERSHIPS,
    removal::REMOVE_REFRESHES,
    removal::REMOVE_CONNECTION,
    removal::REMOVE_ACCOUNT,
    idempotency::INSERT_RECORD,
    idempotency::FIND_RECORD,
    log::CHECKPOINT,
    log::CHECKPOINT_WHOLE,
    snapshot::EXTEND_FILLING,
    snapshot::END_FILLING,
    snapshot::COPY_RECORD,
    snapshot::LIST_CONNECTED,
    snapshot::DELETE_SNAPSHOT,
    transaction::FIND_TRANSACTION,
    transaction::FIND_BANK_ID,
    transaction::FIND_BY_BANK_ID,
    transaction::FIND_EARLIEST,
    transaction::FIND_LATEST,
    transaction::FIND_LEFT_OUT,
    transaction::LIST_ACCOUNT,
    transaction::UPSERT_TRANSACTION,
    writer::BEGIN,
    writer::COMMIT,
    writer::ROLLBACK,
    writer::SAVE,
    writer::RELEASE,
    writer::UNDO,
    writer::FIND_LAST_COMMIT,
];

pub(super) const LISTS: &[(&str, Lists)] = named![
    account::LIST_ACCOUNTS,
    account::LIST_ACCOUNTS_OF_AUTHORIZATION,
    account::LIST_ACCOUNTS_OF_CUSTOMER,
    account::LIST_ACCOUNTS_OF_HOLDER_ACCOUNT,
    account::LIST_ACCOUNTS_ON_CLOCK,
    event_list::LIST_EVENTS,
    event_list::LIST_EVENTS_OF_TYPE,
    event_list::LIST_EVENTS_WITH_STATUSES,
    event_list::LIST_EVENTS_OF_ENDPOINT,
    object::LIST_OBJECTS,
    object::LIST_OBJECTS_BY_LOOKUP,
    object::LIST_OBJECTS_OF_CUSTOMER,
    object_filter::LIST_OBJECTS_BY_FILTER,
    object_filter::LIST_PLACES_BY_FILTER,
    transaction::LIST_TRANSACTIONS,
    transaction::LIST_CHANGED,
];

/// The statements of snapshots, which a macro builds, each with its table.
pub(super) fn snapshot_statements() -> impl Iterator<Item = (&'static str, &'static str)> {
    SNAPSHOT_TABLES.iter().flat_map(|of| {
        let SnapshotTable { table, measure, take, store, read, insert, drop, .. } = *of;
        [measure, take, store, read, insert, drop].map(|sql| (table, sql))
    })
}

/// The first words of statements about rows.
const VERBS: &[&str] = &["SELECT", "INSERT", "UPDATE", "DELETE"];

/// A connection to an empty database with all migrations.
pub(super) fn database(folder: &tempfile::TempDir) -> Connection {
    let path = folder.path().join("bank.db");
    drop(Store::open(at(&path)).unwrap());
    open_writer(&path, true).unwrap()
}

/// Every statement can be prepared on a database with all migrations.
#[test]
fn every_statement_can_be_prepared() {
    let folder = folder();
    let connection = database(&folder);
    connection.execute_batch("SAVEPOINT command").unwrap();
    for (name, sql) in STATEMENTS {
        assert!(connection.prepare(sql).is_ok(), "{name}: {:?}", connection.prepare(sql).err());
    }
    for (name, Lists { older, newer }) in LISTS {
        for sql in [older, newer] {
            assert!(connection.prepare(sql).is_ok(), "{name}: {:?}", connection.prepare(sql).err());
        }
    }
    for (table, sql) in snapshot_statements() {
        assert!(connection.prepare(sql).is_ok(), "{table}: {:?}", connection.prepare(sql).err());
    }
}

/// A statement with more than four parameters names each of them, and statements list their
/// columns.
#[test]
fn long_statements_name_their_parameters() {
    let folder = folder();
    let connection = database(&folder);
    connection.execute_batch("SAVEPOINT command").unwrap();
    let lists =
        LISTS.iter().flat_map(|(name, Lists { older, newer })| [(*name, *older), (*name, *newer)]);
    for (name, sql) in STATEMENTS.iter().copied().chain(lists).chain(snapshot_statements()) {
        let statement = connection.prepare(sql).unwrap();
        let parameters = statement.parameter_count();
        let named = (1..=parameters)
            .filter(|index| statement.parameter_name(*index).is_some_and(|of| of.starts_with(':')));
        let named = named.count();
        assert!(named == parameters || (named == 0 && parameters <= 4), "{name}: {sql}");
        assert!(!sql.contains("SELECT *") && !sql.contains(".*"), "{name}: {sql}");
    }
}

/// A snapshot has every table with rows of merchants, and every column, so a restore loses no data.
#[test]
fn snapshots_hold_every_table() {
    let folder = folder();
    let connection = database(&folder);
    let texts = |sql: &str, of: &str| -> BTreeSet<String> {
        let mut statement = connection.prepare(sql).unwrap();
        statement.query_map([of], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    let tables = texts("SELECT name FROM sqlite_schema WHERE type = ?1", "table");
    let columns = |table: &str| texts("SELECT name FROM pragma_table_info(?1)", table);
    let with_merchants = tables.iter().filter(|table| {
        let of_merchants = columns(table).contains("merchant");
        // A restore makes the filter entries from the restored objects, and the links from the
        // restored accounts.
        let made = ["merchants", "generations", "object_filters", "account_links"];
        let made = made.contains(&table.as_str());
        of_merchants && !table.starts_with("snapshot_") && !made
    });
    let with_merchants: BTreeSet<&str> = with_merchants.map(String::as_str).collect();
    let copied: BTreeSet<&str> = SNAPSHOT_TABLES.iter().map(|of| of.table).collect();
    assert_eq!(with_merchants, copied);
    for SnapshotTable { table, take, store, insert, .. } in SNAPSHOT_TABLES {
        let mut copied = columns(&format!("snapshot_{table}"));
        assert!(copied.remove("snapshot"), "{table}");
        assert_eq!(copied, columns(table), "{table}");
        let named = |sql: &str| -> Vec<String> {
            let (_, behind) = sql.split_once('(').unwrap();
            let list = behind.split(')').next().unwrap();
            list.split(", ").filter(|name| *name != "snapshot").map(str::to_owned).collect()
        };
        let read = connection.prepare(take).unwrap();
        assert!(read.column_names().eq(named(store)), "{take}");
        for sql in [store, insert] {
            assert_eq!(BTreeSet::from_iter(named(sql)), copied, "{sql}");
        }
    }
}

/// One statement writes current rows of transactions, and only a refresh uses it. Besides, a restore
/// inserts rows into a generation before it is current, and rows are removed from generations that
/// are not current.
#[test]
fn transactions_have_one_writer() {
    let named = STATEMENTS.iter().copied();
    let writing: BTreeSet<&str> = named
        .chain(snapshot_statements())
        .filter(|(_, sql)| {
            ["INTO", "UPDATE", "DELETE FROM"]
                .iter()
                .any(|verb| sql.contains(&format!("{verb} transactions ")))
        })
        .map(|(_, sql)| sql)
        .collect();
    let of_snapshots = SNAPSHOT_TABLES.iter().find(|of| of.table == "transactions").unwrap();
    let allowed =
        [transaction::UPSERT_TRANSACTION, of_snapshots.insert, removal::REMOVE_TRANSACTIONS];
    assert_eq!(writing, BTreeSet::from(allowed));
    assert!(removal::FIND_REMOVABLE.contains("WHERE state <> 'current' AND"));
    assert!(replace::LIST_BUILDING.contains("WHERE state = 'building' AND"));
}

/// The lists above are complete, and every statement is a named constant.
#[test]
fn every_statement_is_listed() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/sqlite");
    let mut files = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "rs") {
            continue;
        }
        files += 1;
        let family = path.file_stem().unwrap().to_str().unwrap();
        // A macro builds and lists its statements.
        if family == "snapshot_table" {
            continue;
        }
        let source = fs::read_to_string(&path).unwrap();
        let source = source.split("#[cfg(test)]\nmod tests {").next().unwrap();
        let mut texts = 0;
        for line in source.lines() {
            let Some(rest) = line.strip_prefix("pub(super) const ") else { continue };
            let Some((name, kind)) = rest.split_once(": ") else { continue };
            let name = format!("{family}::{name}");
            if kind.starts_with("&str") {
                let known = STATEMENTS.iter().find(|(known, _)| *known == name);
                let (_, sql) = known.unwrap_or_else(|| panic!("{name}"));
                texts += usize::from(VERBS.iter().any(|verb| sql.starts_with(verb)));
            } else if kind.starts_with("Lists") {
                assert!(LISTS.iter().any(|(known, _)| *known == name), "{name}");
                texts += if kind.contains("Lists = Lists {") { 2 } else { 1 };
            }
        }
        let written: usize =
            VERBS.iter().map(|verb| source.matches(&format!("\"{verb} ")).count()).sum();
        assert_eq!(written, texts, "a statement in {family}.rs is not a named constant");
    }
    assert!(files > 10, "the statements were not found");
}

/// The steps of a statement's query plan.
fn plan(connection: &Connection, sql: &str) -> Vec<String> {
    let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
    let mut rows = statement.raw_query();
    let mut steps = Vec::new();
    while let Some(row) = rows.next().unwrap() {
        steps.push(row.get(3).unwrap());
    }
    steps
}

/// Statements of requests and jobs never read a whole table. Lists are not sorted after they are
/// read, except the list of changed rows, which is sorted within its index.
#[test]
fn statements_seek() {
    let folder = folder();
    let connection = database(&folder);
    let lists =
        LISTS.iter().flat_map(|(name, Lists { older, newer })| [(*name, *older), (*name, *newer)]);
    let whole = [
        // These read small tables, or only the end of a table.
        "migration::",
        "clock::LIST_CLAIMABLE_CLOCKS",
        "object::LIST_DUE_OBJECTS",
        "refresh::LIST_DUE_ACCOUNTS",
        "backlog::COUNT_CLOCKS",
        "backup::",
        "writer::",
        "open::",
    ];
    for (name, sql) in STATEMENTS.iter().copied().chain(lists).chain(snapshot_statements()) {
        if whole.iter().any(|prefix| name.starts_with(prefix)) {
            continue;
        }
        for step in plan(&connection, sql) {
            let scans = step.starts_with("SCAN") && !step.contains("INDEX") && step != "SCAN c";
            assert!(!scans, "{name}: {step}");
            let sorts = step.contains("TEMP B-TREE") && name != "transaction::LIST_CHANGED";
            assert!(!sorts, "{name}: {step}");
        }
    }
}

/// The full plans of the most frequent statements.
#[test]
fn hot_plans() {
    let folder = folder();
    let connection = database(&folder);
    let plans = |sql| plan(&connection, sql).join("\n");
    insta::assert_snapshot!(plans(transaction::LIST_TRANSACTIONS.older), @"SEARCH transactions USING PRIMARY KEY (bucket=? AND account=? AND listed_at>? AND (listed_at,ordinal)<(?,?))");
    insta::assert_snapshot!(plans(transaction::LIST_CHANGED.older), @"
    CO-ROUTINE c
    SEARCH transactions USING COVERING INDEX transactions_changed (account=? AND sequence>?)
    USE TEMP B-TREE FOR ORDER BY
    SCAN c
    SEARCH t USING PRIMARY KEY (bucket=? AND account=? AND listed_at=? AND ordinal=?)
    ");
    insta::assert_snapshot!(plans(transaction::FIND_EARLIEST), @"SEARCH transactions USING INDEX transactions_moved (bucket=? AND account=?)");
    insta::assert_snapshot!(plans(transaction::FIND_LATEST), @"SEARCH transactions USING INDEX transactions_moved (bucket=? AND account=?)");
    insta::assert_snapshot!(plans(transaction::FIND_LEFT_OUT), @"SEARCH transactions USING INDEX transactions_changed (account=? AND sequence>?)");
    insta::assert_snapshot!(plans(transaction::FIND_BY_BANK_ID), @"SEARCH transactions USING INDEX transactions_by_bank_id (account=? AND bank_id=? AND bucket=?)");
    insta::assert_snapshot!(plans(refresh_claim::FIND_NEXT_MERCHANT), @"SEARCH refreshes USING COVERING INDEX refreshes_due (merchant>?)");
    insta::assert_snapshot!(plans(refresh_claim::LIST_CLAIMABLE), @"
    SEARCH r USING INDEX refreshes_due (merchant=? AND run_server>? AND run_server<?)
    CORRELATED SCALAR SUBQUERY 2
    SEARCH j USING PRIMARY KEY (merchant=? AND clock=?)
    CORRELATED SCALAR SUBQUERY 1
    SEARCH a USING INDEX sqlite_autoindex_accounts_1 (bucket=? AND account=?)
    ");
    insta::assert_snapshot!(plans(delivery_claim::FIND_NEXT_ENDPOINT), @"SEARCH deliveries USING COVERING INDEX deliveries_due (endpoint>?)");
    insta::assert_snapshot!(plans(delivery_claim::LIST_DUE_OF_ENDPOINT), @"SEARCH deliveries USING INDEX deliveries_due (endpoint=? AND due_at<?)");
    insta::assert_snapshot!(plans(delivery::RELEASE_ENDPOINT), @"
    SEARCH deliveries USING COVERING INDEX sqlite_autoindex_deliveries_1 (bucket=? AND shard=? AND number=? AND endpoint=?)
    LIST SUBQUERY 2
    SEARCH d USING INDEX deliveries_due (endpoint=? AND due_at>?)
    ");
    insta::assert_snapshot!(plans(event_list::LIST_EVENTS.older), @"SEARCH events USING COVERING INDEX events_listed (merchant=? AND created>? AND (created,committed_at,shard)<(?,?,?))");
    insta::assert_snapshot!(plans(event_list::LIST_EVENTS_OF_TYPE.older), @"SEARCH events USING COVERING INDEX events_by_type (merchant=? AND type=? AND created>? AND (created,committed_at,shard)<(?,?,?))");
    insta::assert_snapshot!(plans(event_list::LIST_EVENTS_WITH_STATUSES.newer), @"SEARCH events USING COVERING INDEX events_by_statuses (merchant=? AND statuses=? AND type=? AND (created,committed_at,shard)>(?,?,?) AND created<?)");
    insta::assert_snapshot!(plans(event_list::LIST_EVENTS_OF_ENDPOINT.older), @"SEARCH deliveries USING COVERING INDEX deliveries_by_endpoint (endpoint=? AND merchant=? AND status=? AND event_created>? AND (event_created,committed_at,shard)<(?,?,?))");
    insta::assert_snapshot!(plans(event_list::FIND_NEXT_STATUSES), @"SEARCH events USING COVERING INDEX events_by_statuses (merchant=? AND statuses>?)");
    insta::assert_snapshot!(plans(event_list::FIND_NEXT_TYPE_WITH_STATUSES), @"SEARCH events USING COVERING INDEX events_by_statuses (merchant=? AND statuses=? AND type>?)");
    insta::assert_snapshot!(plans(event_statuses::LIST_STATUSES), @"SEARCH deliveries USING INDEX sqlite_autoindex_deliveries_1 (bucket=? AND shard=? AND number=?)");
    insta::assert_snapshot!(plans(feed::LIST_FEED), @"SEARCH events USING INDEX events_in_feed (merchant=? AND type=? AND feed>?)");
    insta::assert_snapshot!(plans(feed::LIST_FEED_OF_ACCOUNT), @"SEARCH events USING INDEX events_in_feed_of_account (bucket=? AND shard=? AND type=? AND feed>?)");
    insta::assert_snapshot!(plans(feed::FIND_NEXT_TYPE), @"SEARCH events USING COVERING INDEX events_in_feed (merchant=? AND type>?)");
    insta::assert_snapshot!(plans(feed::FIND_NEXT_TYPE_OF_ACCOUNT), @"SEARCH events USING INDEX events_in_feed_of_account (bucket=? AND shard=? AND type>?)");
    insta::assert_snapshot!(plans(delivery::LIST_DELIVERIES), @"SEARCH deliveries USING INDEX sqlite_autoindex_deliveries_1 (bucket=? AND shard=? AND number=?)");
    insta::assert_snapshot!(plans(object::LIST_OBJECTS_BY_LOOKUP.newer), @"SEARCH objects USING INDEX objects_by_lookup (merchant=? AND kind=? AND lookup=? AND (created,number)>(?,?) AND created<?)");
    insta::assert_snapshot!(plans(object::LIST_OBJECTS_OF_CUSTOMER.older), @"SEARCH objects USING INDEX objects_by_customer (merchant=? AND kind=? AND customer=? AND created>? AND (created,number)<(?,?))");
    insta::assert_snapshot!(plans(object::LIST_DUE_OBJECTS), @"
    CO-ROUTINE d
    CO-ROUTINE (subquery-3)
    SEARCH objects USING INDEX objects_due (due_at>? AND due_at<?)
    USE TEMP B-TREE FOR ORDER BY
    SCAN (subquery-3)
    SCAN d
    USE TEMP B-TREE FOR ORDER BY
    ");
    insta::assert_snapshot!(plans(open_work::LIST_OPEN_REFRESHES), @"SEARCH refreshes USING INDEX refreshes_due (merchant=? AND run_server>? AND run_server<?)");
    insta::assert_snapshot!(plans(open_work::LIST_OPEN_ACCOUNTS), @"SEARCH accounts USING INDEX accounts_due (due_at>? AND due_at<?)");
    insta::assert_snapshot!(plans(open_work::LIST_OPEN_OBJECTS), @"SEARCH objects USING INDEX objects_due (due_at>? AND due_at<?)");
    insta::assert_snapshot!(plans(open_work::LIST_UNATTEMPTED), @"SEARCH deliveries USING INDEX deliveries_by_endpoint (endpoint=? AND merchant=? AND status=?)");
    insta::assert_snapshot!(plans(clock::LIST_DUE_OBJECTS_ON_CLOCK), @"SEARCH objects USING INDEX objects_due_on_clock (merchant=? AND clock=? AND due_at>? AND due_at<?)");
}
