//! A database as an earlier release wrote it, with many rows of the merchant of the crash test.
//!
//! The files of the migrations make the schema. One row of each table comes from the files with which
//! the tests of the store fill earlier databases. SQL copies that row, and gives each copy an id and
//! the merchant.

use super::client::API_KEY;
use crate::Failure;
use crate::process::root;
use crate::time::now_s;
use model::id::{AccountId, CustomerId, EventId, MerchantId};
use rusqlite::{Connection, params};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The newest migration with which such a database may end. Later ones need code of the store.
pub(super) const VERSION_MAX: u32 = 8;
/// The rows that are written.
pub(super) const CUSTOMERS: u32 = 1_500;
pub(super) const ACCOUNTS: u32 = 8;
pub(super) const TRANSACTIONS_OF_ACCOUNT: u32 = 500;
pub(super) const EVENTS: u32 = 400;

const SQL: &str = "crates/store/src/sqlite/migrations";
const ROWS: &str = "crates/store/src/sqlite/tests/migrations";
/// A byte of the key that sealed the secrets of the rows, in hexadecimal digits. All 32 are equal.
const SEAL_KEY: &str = "07";
/// The tables with copied rows.
const TABLES: &[&str] =
    &["objects", "accounts", "connections", "transactions", "events", "deliveries", "attempts"];

/// The rows of the merchant, by table.
pub(super) type Counts = BTreeMap<&'static str, u32>;

/// Writes a database that has had this many migrations, and its seal key beside it.
pub(super) fn write(path: &Path, version: u32) -> Result<(), Failure> {
    let connection = Connection::open(path).map_err(failed)?;
    connection
        .execute_batch("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF")
        .map_err(failed)?;
    connection.execute_batch("BEGIN").map_err(failed)?;
    migrate(&connection, version)?;
    for file in row_files(version)? {
        connection.execute_batch(&read(&file)?).map_err(failed)?;
    }
    copy_rows(&connection).map_err(failed)?;
    remove_others(&connection).map_err(failed)?;
    connection.execute_batch("COMMIT").map_err(failed)?;
    fs::write(key_of(path), SEAL_KEY.repeat(32)).map_err(|error| error.to_string())
}

/// The path of the seal key of a database.
pub(super) fn key_of(database: &Path) -> PathBuf {
    let mut path = database.as_os_str().to_owned();
    path.push(".key");
    path.into()
}

/// The number of migrations that a database has had, and the rows of the merchant.
pub(super) fn look(path: &Path) -> Result<(u32, Counts), Failure> {
    let connection = Connection::open(path).map_err(failed)?;
    let sql = "SELECT COUNT(*) FROM migrations";
    let version = connection.query_row(sql, [], |row| row.get::<_, u32>(0)).map_err(failed)?;
    let mut counts = Counts::new();
    for table in TABLES {
        let sql = format!("SELECT COUNT(*) FROM {table} WHERE merchant = ?1");
        let count = connection.query_row(&sql, [merchant()], |row| row.get(0)).map_err(failed)?;
        counts.insert(*table, count);
    }
    Ok((version, counts))
}

#[expect(clippy::needless_pass_by_value, reason = "the form that map_err takes")]
fn failed(error: rusqlite::Error) -> Failure {
    format!("a database of an earlier release: {error}")
}

fn merchant() -> i64 {
    column(MerchantId::of_key(API_KEY).number())
}

/// The number of an id as its column. These numbers have at most 63 bits.
fn column(number: u64) -> i64 {
    number.cast_signed()
}

fn read(path: &Path) -> Result<String, Failure> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

/// The files of a folder whose name ends so, with the number before their name, in order.
fn files(folder: &str, end: &str) -> Result<BTreeMap<u32, PathBuf>, Failure> {
    let folder = root().join(folder);
    let entries =
        fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let paths = entries.flatten().map(|entry| entry.path());
    let numbered = paths.filter_map(|path| {
        let name = path.file_name()?.to_str()?;
        let (number, rest) = name.split_once('_')?;
        Some((number.parse().ok().filter(|_| rest.ends_with(end))?, path.clone()))
    });
    Ok(numbered.collect())
}

/// Runs the first migrations, as the release of that time did.
fn migrate(connection: &Connection, version: u32) -> Result<(), Failure> {
    let table =
        "CREATE TABLE migrations (number INTEGER PRIMARY KEY, checksum BLOB NOT NULL) STRICT";
    connection.execute_batch(table).map_err(failed)?;
    for (number, file) in files(SQL, ".sql")?.range(..=version) {
        let sql = read(file)?;
        connection.execute_batch(&sql).map_err(failed)?;
        let checksum = Sha256::digest(sql.as_bytes()).to_vec();
        let insert = "INSERT INTO migrations (number, checksum) VALUES (?1, ?2)";
        connection.execute(insert, params![number, checksum]).map_err(failed)?;
    }
    Ok(())
}

/// The files with the rows of a version: the first one, the newest one with events, then the others.
fn row_files(version: u32) -> Result<Vec<PathBuf>, Failure> {
    let rows = files(ROWS, "rows.sql")?;
    let events = files(ROWS, "events.sql")?;
    let events = events.range(..=version).next_back().map(|(_, file)| file.clone());
    let mut rows = rows.range(..=version).map(|(_, file)| file.clone());
    Ok(rows.next().into_iter().chain(events).chain(rows).collect())
}

/// Copies of one row.
struct Copies {
    table: &'static str,
    /// The row of the first merchant, as `t`, and the kind of the copies, as `m`. Accounts are `a`.
    which: &'static str,
    /// The columns with another value in each copy.
    values: Vec<(&'static str, String)>,
}

impl Copies {
    fn of<const N: usize>(
        table: &'static str,
        which: &'static str,
        values: [(&'static str, &str); N],
    ) -> Self {
        let values = values.map(|(column, value)| (column, value.to_owned()));
        Self { table, which, values: values.into() }
    }
}

/// Copies one row of each table many times.
fn copy_rows(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute("INSERT INTO merchants (merchant) VALUES (?1)", [merchant()])?;
    make_ids(connection)?;
    for copies in all_copies() {
        copy(connection, &copies)?;
    }
    Ok(())
}

/// The ids of the customers. The first holds all accounts.
fn customer(n: u32) -> CustomerId {
    CustomerId::from_number(1_000 + u64::from(n))
}

/// Makes the ids of the copies.
fn make_ids(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(
        "CREATE TEMP TABLE made (kind TEXT, n INTEGER, number INTEGER, id TEXT, account INTEGER, \
             account_id TEXT)",
    )?;
    let mut insert = connection.prepare("INSERT INTO made VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?;
    let mut make = |kind: &str, n: u32, number: u64, id: String, of: Option<AccountId>| {
        let account = of.map(|of| (column(of.number()), of.to_string())).unzip();
        insert.execute(params![kind, n, column(number), id, account.0, account.1])
    };
    let account = |n: u32| AccountId::from_number(5_000 + u64::from(n % ACCOUNTS));
    for n in 0..CUSTOMERS {
        make("customer", n, customer(n).number(), customer(n).to_string(), None)?;
    }
    for n in 0..ACCOUNTS {
        make("account", n, account(n).number(), account(n).to_string(), None)?;
    }
    for n in 0..TRANSACTIONS_OF_ACCOUNT {
        make("row", n, 0, String::new(), None)?;
    }
    for n in 0..EVENTS {
        let id = EventId { shard: account(n).number(), number: 70_000 + u64::from(n) };
        make("event", n, id.number, id.to_string(), Some(account(n)))?;
    }
    Ok(())
}

/// The copied rows, with their values as expressions of SQL.
fn all_copies() -> Vec<Copies> {
    let owner = MerchantId::of_key(API_KEY);
    let body = format!("json_set(t.body, '$.id', m.id, '$.merchant', '{owner}'");
    let holder = customer(0);
    let account_body = format!(
        "{body}, '$.holder.Customer', '{holder}', '$.bank_account', 'bank account ' || m.number)"
    );
    let event_body = format!(
        "{body}, '$.account', m.account_id, '$.snapshot.Account.id', m.account_id, \
         '$.snapshot.Account.merchant', '{owner}')"
    );
    // Events with an old commit would be pruned.
    let position = format!("{} + m.n", now_s() * 1_000_000);
    let of_event = "t.shard = 11 AND t.endpoint = 1 AND m.kind = 'event'";
    let event_key = [("shard", "m.account"), ("number", "m.number")];
    vec![
        Copies::of(
            "objects",
            "t.kind = 'customer' AND t.number = 1 AND m.kind = 'customer'",
            [("number", "m.number"), ("body", &format!("{body})"))],
        ),
        Copies::of(
            "accounts",
            "t.account = 11 AND m.kind = 'account'",
            [
                ("account", "m.number"),
                ("customer", &holder.number().to_string()),
                ("bank_account", "'bank account ' || m.number"),
                ("body", &account_body),
            ],
        ),
        Copies::of(
            "connections",
            "t.account = 11 AND m.kind = 'account'",
            [("account", "m.number")],
        ),
        Copies::of(
            "transactions",
            "t.account = 11 AND t.ordinal = 1 AND m.kind = 'row' AND a.kind = 'account'",
            [
                ("listed_at", "t.listed_at + m.n"),
                ("ordinal", "1 + m.n"),
                ("transacted_at", "t.transacted_at + m.n"),
                ("bank_id", "'bank ' || m.n"),
                ("account", "a.number"),
            ],
        ),
        Copies::of(
            "events",
            "t.account = 11 AND t.type LIKE '%created' AND m.kind = 'event'",
            [
                ("position", &position),
                ("position_listed", &position),
                ("shard", "m.account"),
                ("number", "m.number"),
                ("account", "m.account"),
                ("undispatched", "0"),
                ("body", &event_body),
            ],
        ),
        Copies::of("deliveries", of_event, event_key),
        Copies::of("attempts", of_event, event_key),
    ]
}

/// Copies a row once for each id, or a row of an account once for each id and account.
fn copy(connection: &Connection, copies: &Copies) -> rusqlite::Result<()> {
    let Copies { table, which, values } = copies;
    let columns = columns(connection, table)?;
    let selected = columns.iter().map(|column| {
        let value = values.iter().find(|(name, _)| name == column);
        match value {
            Some((_, value)) => value.clone(),
            None if column == "merchant" => merchant().to_string(),
            None => format!("t.{column}"),
        }
    });
    let selected: Vec<String> = selected.collect();
    let accounts = if which.contains("a.kind") { ", made AS a" } else { "" };
    let sql = format!(
        "INSERT INTO {table} ({}) SELECT {} FROM {table} AS t, made AS m{accounts} \
         WHERE t.merchant = 1 AND {which}",
        columns.join(", "),
        selected.join(", "),
    );
    connection.execute(&sql, []).map(drop)
}

fn columns(connection: &Connection, table: &str) -> rusqlite::Result<Vec<String>> {
    let statement = connection.prepare(&format!("SELECT * FROM {table} LIMIT 0"))?;
    Ok(statement.column_names().map(str::to_owned).collect())
}

/// Removes the rows of all other merchants, so that the server has no work of theirs.
fn remove_others(connection: &Connection) -> rusqlite::Result<()> {
    let sql = "SELECT name FROM sqlite_master WHERE type = 'table'";
    let mut statement = connection.prepare(sql)?;
    let tables = statement.query_map([], |row| row.get::<_, String>(0))?;
    for table in tables.collect::<rusqlite::Result<Vec<_>>>()? {
        if columns(connection, &table)?.iter().any(|column| column == "merchant") {
            let sql = format!("DELETE FROM {table} WHERE merchant <> ?1");
            connection.execute(&sql, [merchant()])?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A database of each earlier version has all rows that the crash test looks for.
    #[test]
    fn each_version_has_all_rows() {
        let folder = tempfile::tempdir().unwrap();
        for version in 1..=VERSION_MAX {
            let path = folder.path().join(format!("{version}.db"));
            write(&path, version).unwrap();
            let (found, counts) = look(&path).unwrap();
            assert_eq!(found, version);
            let transactions = ACCOUNTS * TRANSACTIONS_OF_ACCOUNT;
            assert_eq!(counts["objects"], CUSTOMERS, "{version}");
            assert_eq!(counts["transactions"], transactions, "{version}");
            for table in ["accounts", "connections"] {
                assert_eq!(counts[table], ACCOUNTS, "{version}: {table}");
            }
            for table in ["events", "deliveries", "attempts"] {
                assert_eq!(counts[table], EVENTS, "{version}: {table}");
            }
        }
    }
}
