//! The migration to buckets: rows that earlier releases wrote keep their data and their order.

use crate::sqlite::bucket;
use crate::sqlite::migration::{MIGRATIONS, migrate};
use rusqlite::Connection;
use rusqlite::types::Value;
use std::collections::BTreeMap;

/// The migrations before buckets.
const EARLIER: usize = 13;

/// The tables that have buckets, each with the column that the bucket follows from.
const TABLES: &[(&str, &str)] = &[
    ("accounts", "account"),
    ("connections", "account"),
    ("ownerships", "account"),
    ("refreshes", "account"),
    ("transactions", "account"),
    ("events", "shard"),
    ("deliveries", "shard"),
    ("attempts", "shard"),
];

/// Rows of three accounts, two of which are linked to one bank account, one after the other. The
/// events are written in another order than that of their keys. The third one is about no account,
/// and is not dispatched.
const ROWS: &str = "
    INSERT INTO merchants (merchant) VALUES (1);
    INSERT INTO accounts (account, merchant, customer, institution, bank_account, created, bucket,
        version, status, due_at, body, authorized_by)
    VALUES (11, 1, 5, 7, 'one', 100, 3, 2, 'active', 500, '{}', 'fcauth_1'),
        (12, 1, 5, 7, 'one', 90, 4, 3, 'disconnected', NULL, '{}', 'fcauth_1'),
        (9000000000000000013, 1, NULL, 7, 'one', 110, 5, 1, 'inactive', NULL, '{}', 'fcauth_2');
    INSERT INTO connections (account, merchant, version, relinked_at, credential, state)
    VALUES (11, 1, 1, 100, x'01', x'02'), (12, 1, 1, 90, x'03', x'04');
    INSERT INTO ownerships (account, sequence, merchant, body)
    VALUES (11, 1, 1, '{}'), (9000000000000000013, 2, 1, '{}');
    INSERT INTO refreshes (account, feature, sequence, merchant, status, started_at, run_server,
        claim, attempts, started_server)
    VALUES (11, 'transactions', 1, 1, 'succeeded', 100, 1, 1, 1, 100000000),
        (11, 'transactions', 2, 1, 'pending', 101, 2, 0, 0, 101000000),
        (12, 'balance', 1, 1, 'failed', 90, 3, 1, 1, 90000000);
    INSERT INTO transactions (account, listed_at, ordinal, merchant, transacted_at, sequence, bank_id,
        body)
    VALUES (11, 50, 1, 1, 50, 1, 'a', x'05'), (11, 50, 2, 1, 49, 1, 'b', x'06'),
        (11, 51, 3, 1, 51, 1, 'c', x'07'), (12, 40, 1, 1, 40, 1, 'a', x'08'),
        (9000000000000000013, 60, 1, 1, 60, 1, 'a', x'09');
    INSERT INTO events (shard, number, merchant, account, created, type, committed_at, feed, body)
    VALUES (12, 300, 1, 12, 90, 'x', 1000, 1, '{}'), (11, 200, 1, 11, 100, 'y', 1001, 2, '{}'),
        (1, 100, 1, NULL, 101, 'z', 1002, NULL, '{}');
    INSERT INTO deliveries (shard, number, endpoint, merchant, status, attempts, due_at, claim, payload)
    VALUES (12, 300, 6, 1, 'succeeded', 1, 1000, 1, x'0a'), (11, 200, 6, 1, 'pending', 0, 1001, 0, x'0b');
    INSERT INTO attempts (shard, number, endpoint, attempt, merchant, body)
    VALUES (12, 300, 6, 1, 1, '{}');
";

/// The columns of a table, in the order of their names.
fn columns(connection: &Connection, table: &str) -> Vec<String> {
    let sql = "SELECT name FROM pragma_table_info(?1) ORDER BY name";
    let mut statement = connection.prepare(sql).unwrap();
    statement.query_map([table], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

/// The rows of a table as texts.
fn rows(connection: &Connection, table: &str, columns: &[String], order: &str) -> Vec<String> {
    let sql = format!("SELECT {} FROM {table} {order}", columns.join(", "));
    let mut statement = connection.prepare(&sql).unwrap();
    let read = |row: &rusqlite::Row<'_>| {
        let values: Vec<Value> =
            (0..columns.len()).map(|index| row.get(index)).collect::<Result<_, _>>()?;
        Ok(format!("{values:?}"))
    };
    statement.query_map([], read).unwrap().map(Result::unwrap).collect()
}

/// A database of the release before buckets, with a snapshot of its rows.
fn earlier() -> Connection {
    let mut connection = Connection::open_in_memory().unwrap();
    migrate(&mut connection, &MIGRATIONS[..EARLIER]).unwrap();
    connection.execute_batch(ROWS).unwrap();
    for (table, _) in TABLES {
        let mut columns = columns(&connection, table);
        columns.retain(|column| column != "account_listed");
        let columns = columns.join(", ");
        let copy = format!(
            "INSERT INTO snapshot_{table} (snapshot, {columns}) SELECT 8, {columns} FROM {table}"
        );
        connection.execute(&copy, []).unwrap();
    }
    connection
}

/// Every row has the bucket of its account or its shard, in the tables and in snapshots. Its other
/// columns are as before.
#[test]
fn earlier_rows_get_their_bucket() {
    let mut connection = earlier();
    let both = || {
        TABLES
            .iter()
            .flat_map(|(of, key)| [(of.to_string(), *key), (format!("snapshot_{of}"), *key)])
    };
    let mut before = BTreeMap::new();
    for (table, _) in both() {
        let mut columns = columns(&connection, &table);
        columns.retain(|column| column != "bucket");
        let mut rows = rows(&connection, &table, &columns, "");
        rows.sort();
        before.insert(table, (columns, rows));
    }
    migrate(&mut connection, MIGRATIONS).unwrap();
    for (table, key) in both() {
        let (columns, expected) = &before[&table];
        let mut found = rows(&connection, &table, columns, "");
        found.sort();
        assert_eq!(&found, expected, "{table}");
        assert!(!found.is_empty(), "{table}");
        let sql = format!("SELECT {key}, bucket FROM {table}");
        let mut statement = connection.prepare(&sql).unwrap();
        let mut rows = statement.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            let shard: i64 = row.get(0).unwrap();
            let expected = bucket(u64::try_from(shard).unwrap());
            assert_eq!(row.get::<_, i64>(1).unwrap(), expected, "{table}");
        }
    }
}

/// Events and deliveries stay in the order in which they were written, and deliveries have the times
/// of their events.
#[test]
fn earlier_rows_keep_their_order() {
    let mut connection = earlier();
    migrate(&mut connection, MIGRATIONS).unwrap();
    let texts = |sql: &str| -> Vec<i64> {
        let mut statement = connection.prepare(sql).unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    assert_eq!(texts("SELECT number FROM events ORDER BY rowid"), [300, 200, 100]);
    assert_eq!(texts("SELECT number FROM deliveries ORDER BY rowid"), [300, 200]);
    assert_eq!(texts("SELECT committed_at FROM deliveries ORDER BY rowid"), [1000, 1001]);
    let of_snapshot = "SELECT committed_at FROM snapshot_deliveries ORDER BY committed_at";
    assert_eq!(texts(of_snapshot), [1000, 1001]);
}

/// Customers' accounts that are not disconnected have links.
#[test]
fn earlier_accounts_get_their_links() {
    let mut connection = earlier();
    migrate(&mut connection, MIGRATIONS).unwrap();
    let columns = ["merchant", "customer", "institution", "bank_account", "account"];
    let links = rows(&connection, "account_links", &columns.map(str::to_owned), "");
    insta::assert_snapshot!(links.join("\n"), @r#"[Integer(1), Integer(5), Integer(7), Text("one"), Integer(11)]"#);
}

/// A number that no program writes has no bucket, so the migration fails and changes nothing.
#[test]
fn a_corrupt_number_fails_the_migration() {
    let mut connection = earlier();
    let corrupt = "INSERT INTO attempts (shard, number, endpoint, attempt, merchant, body) \
         VALUES (-1, 1, 1, 1, 1, '{}')";
    connection.execute(corrupt, []).unwrap();
    assert!(migrate(&mut connection, MIGRATIONS).is_err());
    assert!(!columns(&connection, "accounts").is_empty());
    assert!(!columns(&connection, "attempts").contains(&"bucket".to_owned()));
}
