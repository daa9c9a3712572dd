//! The ceiling of a refresh: a bare copy of the rows that a workload wrote.
//!
//! A *tape* holds the rows of each refresh in the order of the commits: its transactions, and one
//! row each of accounts, connections, refreshes and events. The rows are read from the workload's
//! database and written to an empty database with the same tables and indexes. The copy uses
//! prepared statements and the same durability, and commits many refreshes together. It does none
//! of the server's own work: no request, no claim, no fetch, no comparison and no read.
//!
//! The list of columns is read from the tables, so a tape includes new columns without a change here.

use crate::Failure;
use crate::measure::{Meter, Spent};
use rusqlite::types::Value;
use rusqlite::{Connection, Row, Statement, params, params_from_iter};
use std::collections::HashMap;
use std::path::Path;

/// Refreshes in one commit.
const REFRESHES_IN_COMMIT: usize = 32;

const FIND_LAST_POSITION: &str = "SELECT COALESCE(MAX(rowid), 0) FROM events";
const LIST_LAST_SEQUENCES: &str =
    "SELECT account, MAX(sequence) FROM refreshes WHERE feature = 'transactions' GROUP BY account";
const LIST_REFRESHED: &str = "SELECT rowid, bucket, account FROM events WHERE rowid > ?1 AND type = \
     'financial_connections.account.refreshed_transactions' ORDER BY rowid";
const LIST_COLUMNS: &str = "SELECT name FROM pragma_table_info(?1) ORDER BY cid";

// The tables of a tape.
const EVENTS: Table = Table { name: "events", condition: "rowid = ?1" };
const REFRESHES: Table = Table {
    name: "refreshes",
    condition: "bucket = ?1 AND account = ?2 AND feature = 'transactions' AND sequence = ?3",
};
const ACCOUNTS: Table = Table { name: "accounts", condition: "bucket = ?1 AND account = ?2" };
const CONNECTIONS: Table = Table { name: "connections", condition: "bucket = ?1 AND account = ?2" };
const TRANSACTIONS: Table =
    Table { name: "transactions", condition: "bucket = ?1 AND account = ?2 AND sequence = ?3" };

/// A table, and the SQL condition that selects the rows of one refresh.
struct Table {
    name: &'static str,
    condition: &'static str,
}

/// The end of a database's history at one moment.
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

/// The rows that a workload wrote.
pub(crate) struct Tape {
    refreshes: Vec<Refresh>,
    columns: HashMap<&'static str, Vec<String>>,
}

/// Reads the current end of a database's history.
pub(crate) fn mark(database: &Path) -> Result<Mark, Failure> {
    let connection = Connection::open(database)?;
    let position = connection.query_row(FIND_LAST_POSITION, [], |row| row.get(0))?;
    let mut statement = connection.prepare(LIST_LAST_SEQUENCES)?;
    let sequences = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(Mark { position, sequences: sequences.collect::<Result<_, _>>()? })
}

/// Reads the rows written since a mark.
pub(crate) fn record(database: &Path, since: &Mark) -> Result<Tape, Failure> {
    let connection = Connection::open(database)?;
    let mut columns = HashMap::new();
    for table in [EVENTS, REFRESHES, ACCOUNTS, CONNECTIONS, TRANSACTIONS] {
        let mut statement = connection.prepare(LIST_COLUMNS)?;
        let names = statement.query_map([table.name], |row| row.get(0))?;
        columns.insert(table.name, names.collect::<Result<Vec<String>, _>>()?);
    }
    let mut events = prepare_read(&connection, &columns, &EVENTS)?;
    let mut refreshes = prepare_read(&connection, &columns, &REFRESHES)?;
    let mut accounts = prepare_read(&connection, &columns, &ACCOUNTS)?;
    let mut connections = prepare_read(&connection, &columns, &CONNECTIONS)?;
    let mut transactions = prepare_read(&connection, &columns, &TRANSACTIONS)?;
    let mut statement = connection.prepare(LIST_REFRESHED)?;
    let read = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
    let found = statement.query_map([since.position], read)?;
    let mut sequences = since.sequences.clone();
    let mut recorded = Vec::new();
    for event in found {
        let (position, bucket, account): (i64, i64, i64) = event?;
        let sequence = sequences.entry(account).and_modify(|last| *last += 1).or_insert(1);
        let key = params![bucket, account, *sequence];
        recorded.push(Refresh {
            event: events.query_row([position], values)?,
            job: refreshes.query_row(key, values)?,
            account: accounts.query_row([bucket, account], values)?,
            connection: connections.query_row([bucket, account], values)?,
            transactions: transactions.query_map(key, values)?.collect::<Result<_, _>>()?,
        });
    }
    Ok(Tape { refreshes: recorded, columns })
}

/// Prepares the statement that reads a table's rows of one refresh.
fn prepare_read<'a>(
    connection: &'a Connection,
    columns: &HashMap<&'static str, Vec<String>>,
    table: &Table,
) -> Result<Statement<'a>, Failure> {
    let Table { name, condition } = table;
    let columns = columns[name].join(", ");
    Ok(connection.prepare(&format!("SELECT {columns} FROM {name} WHERE {condition}"))?)
}

fn values(row: &Row<'_>) -> Result<Values, rusqlite::Error> {
    (0..row.as_ref().column_count()).map(|column| row.get(column)).collect()
}

impl Tape {
    /// The number of refreshes on the tape.
    pub(crate) fn refreshes(&self) -> usize {
        self.refreshes.len()
    }

    /// The number of transactions on the tape.
    pub(crate) fn rows(&self) -> usize {
        self.refreshes.iter().map(|refresh| refresh.transactions.len()).sum()
    }

    /// Writes the tape to an empty database. Returns the time that this took.
    pub(crate) async fn replay(&self, place: &Path, number: u32) -> Result<Spent, Failure> {
        let database = place.join(format!("bare-{number}.db"));
        crate::harness::make_empty(&database).await?;
        self.write(&database)
    }

    fn write(&self, database: &Path) -> Result<Spent, Failure> {
        let connection = Connection::open(database)?;
        // The same settings as the store's writer, except that SQLite does the checkpoints.
        connection.execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY; \
             PRAGMA mmap_size = 2147418112; PRAGMA cache_size = -16384",
        )?;
        let mut refresh = self.prepare_insert(&connection, &REFRESHES)?;
        let mut account = self.prepare_insert(&connection, &ACCOUNTS)?;
        let mut at_bank = self.prepare_insert(&connection, &CONNECTIONS)?;
        let mut event = self.prepare_insert(&connection, &EVENTS)?;
        let mut transaction = self.prepare_insert(&connection, &TRANSACTIONS)?;
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

    fn prepare_insert<'a>(
        &self,
        connection: &'a Connection,
        table: &Table,
    ) -> Result<Statement<'a>, Failure> {
        let columns = &self.columns[table.name];
        let values: Vec<String> = (1..=columns.len()).map(|number| format!("?{number}")).collect();
        let name = table.name;
        let (columns, values) = (columns.join(", "), values.join(", "));
        let sql = format!("INSERT OR REPLACE INTO {name} ({columns}) VALUES ({values})");
        Ok(connection.prepare(&sql)?)
    }
}
