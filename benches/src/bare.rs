//! The ceiling of taking data in: the rows that a workload wrote, written once more with nothing
//! around them.
//!
//! A *tape* holds, for each refresh in the order of their commits, the rows that it left: its
//! transactions, and one row each of accounts, connections, refreshes and events. They are read
//! from the workload's own database and put into an empty one of the same tables and indexes, by
//! prepared statements, with the same durability, many refreshes to a commit. What is left out is
//! what bankfeed does: asking, claiming, fetching, comparing, and all reads.
//!
//! Columns are taken as the tables have them, so that a new column is on the tape by itself.

use crate::Failure;
use crate::measure::{Meter, Spent};
use rusqlite::types::Value;
use rusqlite::{Connection, Row, Statement, params, params_from_iter};
use std::collections::HashMap;
use std::path::Path;

/// Refreshes that share a commit.
const REFRESHES_IN_COMMIT: usize = 32;

const FIND_LAST_POSITION: &str = "SELECT COALESCE(MAX(position), 0) FROM events";
const LIST_LAST_SEQUENCES: &str =
    "SELECT account, MAX(sequence) FROM refreshes WHERE feature = 'transactions' GROUP BY account";
const LIST_REFRESHED: &str = "SELECT position, account FROM events WHERE position > ?1 AND type = \
     'financial_connections.account.refreshed_transactions' ORDER BY position";
const LIST_COLUMNS: &str = "SELECT name FROM pragma_table_info(?1) ORDER BY cid";

/// The tables of a tape.
const EVENTS: Table = Table { name: "events", picked: "position = ?1" };
const REFRESHES: Table = Table {
    name: "refreshes",
    picked: "account = ?1 AND feature = 'transactions' AND sequence = ?2",
};
const ACCOUNTS: Table = Table { name: "accounts", picked: "account = ?1" };
const CONNECTIONS: Table = Table { name: "connections", picked: "account = ?1" };
const TRANSACTIONS: Table =
    Table { name: "transactions", picked: "account = ?1 AND sequence = ?2" };

/// A table, and which of its rows belong to a refresh.
struct Table {
    name: &'static str,
    picked: &'static str,
}

/// How far a database had come.
pub(crate) struct Mark {
    position: i64,
    sequences: HashMap<i64, i64>,
}

type Values = Vec<Value>;

/// The rows of one refresh.
struct Refresh {
    event: Values,
    job: Values,
    account: Values,
    connection: Values,
    transactions: Vec<Values>,
}

/// What a workload wrote.
pub(crate) struct Tape {
    refreshes: Vec<Refresh>,
    columns: HashMap<&'static str, Vec<String>>,
}

/// Remembers how far a database has come.
pub(crate) fn mark(database: &Path) -> Result<Mark, Failure> {
    let connection = Connection::open(database)?;
    let position = connection.query_row(FIND_LAST_POSITION, [], |row| row.get(0))?;
    let mut statement = connection.prepare(LIST_LAST_SEQUENCES)?;
    let sequences = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(Mark { position, sequences: sequences.collect::<Result<_, _>>()? })
}

/// Reads what was written since a mark.
pub(crate) fn record(database: &Path, since: &Mark) -> Result<Tape, Failure> {
    let connection = Connection::open(database)?;
    let mut columns = HashMap::new();
    for table in [EVENTS, REFRESHES, ACCOUNTS, CONNECTIONS, TRANSACTIONS] {
        let mut statement = connection.prepare(LIST_COLUMNS)?;
        let names = statement.query_map([table.name], |row| row.get(0))?;
        columns.insert(table.name, names.collect::<Result<Vec<String>, _>>()?);
    }
    let mut events = picking(&connection, &columns, &EVENTS)?;
    let mut refreshes = picking(&connection, &columns, &REFRESHES)?;
    let mut accounts = picking(&connection, &columns, &ACCOUNTS)?;
    let mut connections = picking(&connection, &columns, &CONNECTIONS)?;
    let mut transactions = picking(&connection, &columns, &TRANSACTIONS)?;
    let mut statement = connection.prepare(LIST_REFRESHED)?;
    let found = statement.query_map([since.position], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let mut sequences = since.sequences.clone();
    let mut recorded = Vec::new();
    for event in found {
        let (position, account): (i64, i64) = event?;
        let sequence = sequences.entry(account).and_modify(|last| *last += 1).or_insert(1);
        let key = params![account, *sequence];
        recorded.push(Refresh {
            event: events.query_row([position], values)?,
            job: refreshes.query_row(key, values)?,
            account: accounts.query_row([account], values)?,
            connection: connections.query_row([account], values)?,
            transactions: transactions.query_map(key, values)?.collect::<Result<_, _>>()?,
        });
    }
    Ok(Tape { refreshes: recorded, columns })
}

/// The statement that reads a table's rows of a refresh.
fn picking<'a>(
    connection: &'a Connection,
    columns: &HashMap<&'static str, Vec<String>>,
    table: &Table,
) -> Result<Statement<'a>, Failure> {
    let Table { name, picked } = table;
    let columns = columns[name].join(", ");
    Ok(connection.prepare(&format!("SELECT {columns} FROM {name} WHERE {picked}"))?)
}

fn values(row: &Row<'_>) -> Result<Values, rusqlite::Error> {
    (0..row.as_ref().column_count()).map(|column| row.get(column)).collect()
}

impl Tape {
    /// How many refreshes it holds.
    pub(crate) fn refreshes(&self) -> usize {
        self.refreshes.len()
    }

    /// How many transactions it holds.
    pub(crate) fn rows(&self) -> usize {
        self.refreshes.iter().map(|refresh| refresh.transactions.len()).sum()
    }

    /// Writes it into an empty database. Answers what that took.
    pub(crate) async fn replay(&self, place: &Path, number: u32) -> Result<Spent, Failure> {
        let database = place.join(format!("bare-{number}.db"));
        crate::harness::make_empty(&database).await?;
        self.write(&database)
    }

    fn write(&self, database: &Path) -> Result<Spent, Failure> {
        let connection = Connection::open(database)?;
        // The same settings as the store's writer, but for checkpoints, which are left to SQLite.
        connection.execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY; \
             PRAGMA mmap_size = 2147418112; PRAGMA cache_size = -16384",
        )?;
        let mut refresh = self.inserting(&connection, &REFRESHES)?;
        let mut account = self.inserting(&connection, &ACCOUNTS)?;
        let mut at_bank = self.inserting(&connection, &CONNECTIONS)?;
        let mut event = self.inserting(&connection, &EVENTS)?;
        let mut transaction = self.inserting(&connection, &TRANSACTIONS)?;
        let mut begin = connection.prepare("BEGIN IMMEDIATE")?;
        let mut commit = connection.prepare("COMMIT")?;
        let meter = Meter::start()?;
        for together in self.refreshes.chunks(REFRESHES_IN_COMMIT) {
            begin.execute([])?;
            for rows in together {
                refresh.execute(params_from_iter(&rows.job))?;
                account.execute(params_from_iter(&rows.account))?;
                at_bank.execute(params_from_iter(&rows.connection))?;
                event.execute(params_from_iter(&rows.event))?;
                for row in &rows.transactions {
                    transaction.execute(params_from_iter(row))?;
                }
            }
            commit.execute([])?;
        }
        meter.spent()
    }

    fn inserting<'a>(
        &self,
        connection: &'a Connection,
        table: &Table,
    ) -> Result<Statement<'a>, Failure> {
        let columns = &self.columns[table.name];
        let places: Vec<String> = (1..=columns.len()).map(|place| format!("?{place}")).collect();
        let name = table.name;
        let (columns, places) = (columns.join(", "), places.join(", "));
        let sql = format!("INSERT OR REPLACE INTO {name} ({columns}) VALUES ({places})");
        Ok(connection.prepare(&sql)?)
    }
}
