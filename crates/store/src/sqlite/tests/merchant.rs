//! Every level of a statement names its bucket and its merchant as parameters. So no row is read or
//! written with the key of another merchant, and each level reaches one shard of a database on several
//! machines.
//!
//! A level that names an *account table* compares `bucket` and `merchant` with a parameter. Its key
//! begins with the bucket. A level that names any other table compares `merchant`. An INSERT names
//! both columns, and may change an existing row only if these are equal. Exempt statements are listed
//! with reasons, and an exemption that is not needed, or is too wide, fails the test.

use super::folder;
use super::levels::Parsed;
use super::statements::{LISTS, STATEMENTS, database, snapshot_statements};
use crate::sqlite::list::Lists;
use crate::sqlite::snapshot_table::{SNAPSHOT_TABLES, SnapshotTable};

/// The tables whose keys begin with a bucket.
const ACCOUNT_TABLES: &[&str] = &[
    "accounts",
    "attempts",
    "connections",
    "deliveries",
    "events",
    "ownerships",
    "refreshes",
    "transactions",
];

/// Tables about the database itself or about the generations of merchants, and a function in place of a
/// table.
const OF_NO_MERCHANT: &[&str] =
    &["counts", "facts", "generations", "json_each", "migrations", "sqlite_schema"];

/// The first words of statements that are not about rows.
const NOT_OF_ROWS: &[&str] =
    &["BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE", "PRAGMA", "CREATE"];

/// The columns that a statement does not name in some of its levels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Missing {
    bucket: bool,
    merchant: bool,
}

/// An exempt statement reads across the accounts of its merchant.
const BUCKET: Missing = Missing { bucket: true, merchant: false };
/// An exempt statement reads tables without buckets, of all merchants. Or it reads rows of one
/// account, and compares the merchant in another level.
const MERCHANT: Missing = Missing { bucket: false, merchant: true };
/// An exempt statement reads across accounts of all merchants.
const BOTH: Missing = Missing { bucket: true, merchant: true };

const OF_MERCHANT: &str = "a merchant's list reads across its accounts";
const OF_CLOCK: &str = "a clock moves many accounts";
const METRICS: &str = "metrics are about all merchants";
const WORKERS: &str = "workers claim for all merchants";
const PRUNER: &str = "the pruner works for all merchants";
const SANDBOX: &str = "all of a merchant's sandbox";

/// The exempt statements. No other statement may lack a column.
const EXEMPT: &[(&str, Missing, &str)] = &[
    ("account::LIST_ACCOUNTS", BUCKET, OF_MERCHANT),
    ("account::LIST_ACCOUNTS_OF_AUTHORIZATION", BUCKET, OF_MERCHANT),
    ("account::LIST_ACCOUNTS_OF_CUSTOMER", BUCKET, OF_MERCHANT),
    ("account::LIST_ACCOUNTS_OF_HOLDER_ACCOUNT", BUCKET, OF_MERCHANT),
    ("account::LIST_ACCOUNTS_ON_CLOCK", BUCKET, OF_MERCHANT),
    ("backlog::COUNT_ACCOUNTS", BOTH, METRICS),
    ("backlog::COUNT_CLOCKS", MERCHANT, METRICS),
    ("backlog::COUNT_DELIVERIES_OF_ENDPOINT", BOTH, METRICS),
    ("backlog::COUNT_EVENTS_OF_MERCHANT", BUCKET, METRICS),
    ("backlog::COUNT_OBJECTS", MERCHANT, METRICS),
    ("backlog::COUNT_REFRESHES_OF_MERCHANT", BUCKET, METRICS),
    ("backlog::FIND_OLDEST_UNDELIVERED", BOTH, METRICS),
    ("clock::LIST_CLAIMABLE_CLOCKS", MERCHANT, WORKERS),
    ("clock::LIST_DUE_ACCOUNTS_ON_CLOCK", BUCKET, OF_CLOCK),
    ("clock::LIST_DUE_REFRESHES_ON_CLOCK", BUCKET, OF_CLOCK),
    ("delivery_claim::FIND_NEXT_ENDPOINT", BOTH, WORKERS),
    ("delivery_claim::LIST_DUE_OF_ENDPOINT", BOTH, WORKERS),
    ("delivery::RELEASE_ENDPOINT", BOTH, "an endpoint also receives events of connected accounts"),
    ("event_list::FIND_NEXT_STATUSES", BUCKET, OF_MERCHANT),
    ("event_list::FIND_NEXT_TYPE_WITH_STATUSES", BUCKET, OF_MERCHANT),
    ("event_list::LIST_EVENTS", BUCKET, OF_MERCHANT),
    ("event_list::LIST_EVENTS_OF_ENDPOINT", BUCKET, OF_MERCHANT),
    ("event_list::LIST_EVENTS_OF_TYPE", BUCKET, OF_MERCHANT),
    ("event_list::LIST_EVENTS_WITH_STATUSES", BUCKET, OF_MERCHANT),
    ("feed::FIND_NEXT_TYPE", BUCKET, OF_MERCHANT),
    ("feed::FIND_NEXT_WAITING", BOTH, "the dispatcher works for all merchants"),
    ("feed::FIND_WAITING_EVENT", BUCKET, OF_MERCHANT),
    ("feed::LIST_FEED", BUCKET, OF_MERCHANT),
    ("feed::LIST_UNDISPATCHED", BUCKET, OF_MERCHANT),
    ("object::LIST_DUE_OBJECTS", MERCHANT, "the scheduler works for all merchants"),
    ("object_filter::LIST_BODIES", MERCHANT, "a migration changes the rows of all merchants"),
    (
        "object_filter::LIST_SNAPSHOT_BODIES",
        MERCHANT,
        "a migration changes the rows of all merchants",
    ),
    ("open_work::LIST_OPEN_ACCOUNTS", BUCKET, OF_MERCHANT),
    ("open_work::LIST_OPEN_REFRESHES", BUCKET, OF_MERCHANT),
    ("open_work::LIST_UNATTEMPTED", BUCKET, OF_MERCHANT),
    ("place::FIND_OLDEST_USED", MERCHANT, "the search for a place is among all merchants"),
    ("prune::DELETE_OBJECTS", MERCHANT, PRUNER),
    ("prune::DELETE_RECORDS", MERCHANT, PRUNER),
    ("prune::DELETE_REFRESHES", BOTH, PRUNER),
    ("prune::LIST_OLD_EVENTS", BOTH, PRUNER),
    ("refresh_claim::FIND_NEXT_MERCHANT", BOTH, WORKERS),
    ("refresh_claim::LIST_CLAIMABLE", BUCKET, OF_MERCHANT),
    ("refresh::LIST_DUE_ACCOUNTS", BOTH, "the scheduler works for all merchants"),
    ("replace::FIND_HIGHEST_CONNECTION", BUCKET, SANDBOX),
    ("replace::FIND_HIGHEST_DELIVERY", BUCKET, SANDBOX),
    ("replace::FIND_HIGHEST_REFRESH", BUCKET, SANDBOX),
    ("removal::LIST_ACCOUNT_KEYS", BUCKET, SANDBOX),
    ("replace::LIST_ALL_ACCOUNTS", BUCKET, SANDBOX),
    ("removal::LIST_EVENT_KEYS", BUCKET, SANDBOX),
    (
        "transaction::LIST_CHANGED",
        MERCHANT,
        "its index has no merchant, so the next level compares it",
    ),
    ("writer::FIND_LAST_COMMIT", BOTH, "reads only the newest time"),
];

/// The columns that a statement does not name in some of its levels.
fn missing(sql: &str) -> Missing {
    let mut all = Missing::default();
    if NOT_OF_ROWS.iter().any(|word| sql.starts_with(word)) {
        return all;
    }
    let Parsed { levels, forbidden, .. } = Parsed::of(sql);
    assert_eq!(forbidden, [""; 0], "{sql}");
    assert!(levels.iter().any(|level| !level.tables.is_empty()), "no table in {sql}");
    for level in &levels {
        for table in &level.tables {
            if OF_NO_MERCHANT.contains(&table.name.as_str()) {
                continue;
            }
            let of_accounts = ACCOUNT_TABLES.contains(&table.name.as_str());
            all.bucket |= of_accounts && !level.names(table, "bucket");
            all.merchant |= !level.names(table, "merchant");
        }
    }
    all
}

/// Every level of every statement names its bucket and its merchant, unless the statement is exempt
/// and lacks exactly the columns in the list.
#[test]
fn every_level_names_bucket_and_merchant() {
    let lists =
        LISTS.iter().flat_map(|(name, Lists { older, newer })| [(*name, *older), (*name, *newer)]);
    for (name, sql) in STATEMENTS.iter().copied().chain(lists) {
        let exempt = EXEMPT.iter().find(|(exempt, ..)| *exempt == name);
        let expected = exempt.map_or(Missing::default(), |(_, missing, _)| *missing);
        assert_eq!(missing(sql), expected, "{name}: {sql}");
    }
    for (name, _, reason) in EXEMPT {
        let known = STATEMENTS.iter().any(|(known, _)| known == name)
            || LISTS.iter().any(|(known, _)| known == name);
        assert!(known, "{name} ({reason}) is no statement");
    }
}

/// Statements of snapshots never reach another merchant. Those that read or remove a merchant's rows
/// reach all of its accounts.
#[test]
fn snapshots_stay_within_the_merchant() {
    for SnapshotTable { table, measure, take, store, read, insert, drop, .. } in SNAPSHOT_TABLES {
        let across = if ACCOUNT_TABLES.contains(table) { BUCKET } else { Missing::default() };
        for sql in [measure, take] {
            assert_eq!(missing(sql), across, "{sql}");
        }
        for sql in [store, read, insert, drop] {
            assert_eq!(missing(sql), Missing::default(), "{sql}");
        }
    }
    assert_eq!(snapshot_statements().count(), SNAPSHOT_TABLES.len() * 6);
}

/// The rule finds levels without their bucket or merchant.
#[test]
fn missing_columns_are_found() {
    let none = Missing::default();
    let cases = [
        ("SELECT body FROM accounts WHERE bucket = ?1 AND account = ?2 AND merchant = ?3", none),
        (
            "SELECT body FROM accounts AS a WHERE a.bucket = :bucket AND a.merchant = :merchant",
            none,
        ),
        ("SELECT body FROM accounts WHERE (bucket = ?1 AND merchant = ?2) AND version > 1", none),
        ("SELECT body FROM objects WHERE merchant = ?1", none),
        ("DELETE FROM events WHERE bucket = ?1 AND merchant = ?2", none),
        ("UPDATE merchants SET floor = 1 WHERE merchant = ?1", none),
        ("INSERT INTO ownerships (bucket, merchant) VALUES (?1, ?2)", none),
        // One of the columns is not compared.
        ("SELECT body FROM accounts WHERE bucket = ?1", MERCHANT),
        ("SELECT body FROM accounts WHERE merchant = ?1", BUCKET),
        ("SELECT bucket, merchant FROM accounts", BOTH),
        ("SELECT body FROM objects WHERE kind = ?1", MERCHANT),
        // It is compared, but not with `=`, or not with a parameter, or not always.
        ("DELETE FROM accounts WHERE bucket = ?1 AND merchant >= ?2", MERCHANT),
        ("SELECT body FROM accounts WHERE bucket = 7 AND merchant = ?1", BUCKET),
        ("SELECT body FROM accounts WHERE bucket IN (?1, ?2) AND merchant = ?3", BUCKET),
        ("SELECT body FROM accounts WHERE bucket = ?1 OR merchant = ?2", BOTH),
        ("SELECT body FROM accounts WHERE NOT (bucket = ?1) AND merchant = ?2", BUCKET),
        ("UPDATE accounts SET bucket = ?1 WHERE merchant = ?2", BUCKET),
        // It is compared for another table of the level.
        ("SELECT 1 FROM events AS e WHERE d.bucket = ?1 AND e.merchant = ?2", BUCKET),
        (
            "SELECT 1 FROM events AS e JOIN deliveries AS d ON d.bucket = e.bucket \
             AND d.merchant = ?1 WHERE e.bucket = ?2 AND e.merchant = ?1",
            BUCKET,
        ),
        (
            "SELECT 1 FROM events AS e LEFT JOIN deliveries AS d \
             ON d.bucket = ?2 AND d.merchant = ?1 WHERE e.bucket = ?2 AND e.merchant = ?1",
            BOTH,
        ),
        // It is compared in another level.
        (
            "SELECT (SELECT COUNT(*) FROM deliveries AS d WHERE d.bucket = e.bucket \
             AND d.merchant = ?2) FROM events AS e WHERE e.bucket = ?1 AND e.merchant = ?2",
            BUCKET,
        ),
        (
            "SELECT 1 FROM objects WHERE merchant = ?1 AND EXISTS \
             (SELECT 1 FROM clock_jobs WHERE clock = ?2)",
            MERCHANT,
        ),
        (
            "SELECT t.body FROM (SELECT listed_at FROM transactions WHERE merchant = ?1) AS c \
             CROSS JOIN transactions AS t WHERE t.bucket = ?2 AND t.merchant = ?1",
            BUCKET,
        ),
        (
            "DELETE FROM accounts WHERE bucket = ?1 AND merchant = ?2 \
             AND account IN (SELECT account FROM accounts WHERE merchant = ?2)",
            BUCKET,
        ),
        (
            "SELECT 1 FROM events WHERE bucket = ?1 AND merchant = ?2 \
             UNION ALL SELECT 1 FROM events WHERE merchant = ?2",
            BUCKET,
        ),
        ("WITH old AS (SELECT number FROM events) SELECT 1 FROM objects WHERE merchant = ?1", BOTH),
        // An INSERT leaves it out, or changes a row of another merchant.
        ("INSERT INTO ownerships (bucket, body) VALUES (?1, ?2)", MERCHANT),
        ("INSERT INTO ownerships (merchant, body) VALUES (?1, ?2)", BUCKET),
        (
            "INSERT INTO attempts (bucket, merchant) SELECT bucket, merchant FROM attempts \
             WHERE merchant = ?1",
            BUCKET,
        ),
        (
            "INSERT INTO attempts (bucket, merchant) VALUES (?1, ?2) \
             ON CONFLICT (bucket) DO UPDATE SET body = excluded.body",
            MERCHANT,
        ),
        (
            "INSERT INTO attempts (bucket, merchant) VALUES (?1, ?2) ON CONFLICT (number) \
             DO UPDATE SET body = excluded.body WHERE attempts.merchant = excluded.merchant",
            BUCKET,
        ),
    ];
    for (sql, expected) in cases {
        assert_eq!(missing(sql), expected, "{sql}");
    }
}

/// The rule finds parts of statements that only one database has, or that reach all machines of a
/// database.
#[test]
fn forbidden_parts_are_found() {
    let own = "the row's own number";
    let cases = [
        ("SELECT rowid FROM events", own),
        ("DELETE FROM events WHERE ctid = ?1", own),
        ("SELECT 1 FROM events AS e ORDER BY e.ROWID", own),
        ("SELECT 1 FROM events INDEXED BY events_listed WHERE merchant = ?1", "INDEXED BY"),
        ("UPDATE OR IGNORE events SET feed = 1 WHERE merchant = ?1", "UPDATE OR"),
        ("INSERT OR REPLACE INTO events (merchant) VALUES (?1)", "INSERT OR"),
        ("REPLACE INTO events (merchant) VALUES (?1)", "INSERT OR"),
        (
            "UPDATE events SET feed = o.number FROM objects AS o WHERE o.merchant = ?1",
            "UPDATE FROM",
        ),
        (
            "WITH gone AS (DELETE FROM events RETURNING number) SELECT number FROM gone",
            "a write within a statement",
        ),
        (
            "MERGE INTO events USING objects ON events.number = objects.number \
             WHEN MATCHED THEN DELETE",
            "MERGE",
        ),
    ];
    for (sql, expected) in cases {
        assert!(Parsed::of(sql).forbidden.contains(&expected), "{sql}");
    }
    let allowed = "SELECT merchant FROM events WHERE merchant = ?1";
    assert_eq!(Parsed::of(allowed).forbidden, [""; 0]);
}

/// Each table has a merchant and a unique key, and the key begins with the bucket in account tables
/// and with the merchant in all others.
#[test]
fn keys_begin_with_the_shard() {
    let folder = folder();
    let connection = database(&folder);
    let texts = |sql: &str, of: &str| -> Vec<String> {
        let mut statement = connection.prepare(sql).unwrap();
        statement.query_map([of], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    let all = "SELECT name FROM sqlite_schema WHERE type = ?1 AND name NOT LIKE 'sqlite_%'";
    for table in texts(all, "table") {
        if OF_NO_MERCHANT.contains(&table.as_str()) {
            continue;
        }
        let columns = texts("SELECT name FROM pragma_table_info(?1)", &table);
        assert!(columns.iter().any(|column| column == "merchant"), "{table}");
        let of_accounts = ACCOUNT_TABLES.contains(&table.as_str());
        let shard = if of_accounts { "bucket" } else { "merchant" };
        let key = "SELECT name FROM pragma_table_info(?1) WHERE pk = 1 UNION ALL \
             SELECT i.name FROM pragma_index_list(?1) AS l, pragma_index_info(l.name) AS i \
             WHERE l.origin = 'u' AND i.seqno = 0";
        assert!(texts(key, &table).iter().any(|column| column == shard), "{table}");
        // A unique index of a divided table must begin with the bucket too.
        let unique = "SELECT i.name FROM pragma_index_list(?1) AS l, pragma_index_info(l.name) AS i \
             WHERE l.[unique] AND i.seqno = 0";
        assert!(texts(unique, &table).iter().all(|column| column == shard), "{table}");
    }
}
