//! A new database, which is made by `schema.sql`, and a migrated one are equal.

use super::folder;
use crate::sqlite::migration::{MIGRATIONS, migrate};
use crate::sqlite::new_database::create;
use crate::sqlite::open::open_writer;
use rusqlite::Connection;
use std::fmt::Write as _;
use std::path::Path;

const HEAD: &str = "\
-- The schema of a new database, which is the result of all migrations. A test writes this file:
-- BANKFEED_WRITE_DOCS=1 cargo test -p bankfeed-store new_database
";
/// Reads the schema, tables first. The tables of migrations and of `SQLite` are made by others.
const LIST_SCHEMA: &str = "SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL \
    AND name <> 'migrations' AND name NOT LIKE 'sqlite_%' ORDER BY type <> 'table', rowid";

fn migrated() -> Connection {
    let mut connection = Connection::open_in_memory().unwrap();
    migrate(&mut connection, MIGRATIONS).unwrap();
    connection
}

/// Returns the type, the name and the statement of each table and index.
fn schema(connection: &Connection) -> Vec<[String; 3]> {
    let mut statement = connection.prepare(LIST_SCHEMA).unwrap();
    let rows = statement.query_map([], |row| Ok([row.get(0)?, row.get(1)?, row.get(2)?])).unwrap();
    rows.map(Result::unwrap).collect()
}

/// Returns the rows of a table, each as the values of an `INSERT`.
fn rows(connection: &Connection, table: &str) -> Vec<String> {
    let sql = format!("SELECT name FROM pragma_table_info('{table}')");
    let mut statement = connection.prepare(&sql).unwrap();
    let columns = statement.query_map([], |row| row.get::<_, String>(0)).unwrap();
    let quoted: Vec<String> = columns.map(|name| format!("quote({})", name.unwrap())).collect();
    let sql = format!("SELECT {} FROM {table}", quoted.join(" || ', ' || "));
    let mut statement = connection.prepare(&sql).unwrap();
    let rows = statement.query_map([], |row| row.get::<_, String>(0)).unwrap();
    let mut rows: Vec<String> = rows.map(Result::unwrap).collect();
    rows.sort();
    rows
}

/// Returns the statements that make this database.
fn dump(connection: &Connection) -> String {
    let mut text = HEAD.to_owned();
    let schema = schema(connection);
    for [_, _, sql] in &schema {
        let _ = write!(text, "\n{sql};\n");
    }
    let insert = |text: &mut String, table: &str| {
        for values in rows(connection, table) {
            let _ = writeln!(text, "INSERT INTO {table} VALUES ({values});");
        }
    };
    text.push('\n');
    for [_, table, _] in schema.iter().filter(|[kind, ..]| kind == "table") {
        insert(&mut text, table);
    }
    text.push_str(
        "\n-- This creates the table of sizes, which only SQLite can.\nANALYZE migrations;\n",
    );
    text.push_str("DELETE FROM sqlite_stat1;\n");
    insert(&mut text, "sqlite_stat1");
    text.push_str("ANALYZE sqlite_schema;\n");
    text
}

/// The file is the result of the migrations.
#[test]
fn the_schema_of_new_databases_is_current() {
    let text = dump(&migrated());
    let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/sqlite/schema.sql");
    if std::env::var_os("BANKFEED_WRITE_DOCS").is_some() {
        std::fs::write(&place, &text).unwrap();
    }
    let written = std::fs::read_to_string(&place).unwrap_or_default();
    assert!(written == text, "schema.sql is outdated; write it with BANKFEED_WRITE_DOCS=1");
}

/// A new database has the tables, indexes, rows and migrations of a migrated one. A later start
/// changes no part of it.
#[test]
fn a_new_database_equals_a_migrated_one() {
    let folder = folder();
    let mut new = open_writer(&folder.path().join("bank.db"), true).unwrap();
    create(&mut new).unwrap();
    let migrated = migrated();
    assert_eq!(schema(&new), schema(&migrated));
    let tables = schema(&new).into_iter().filter(|[kind, ..]| kind == "table");
    let names = tables.map(|[_, name, _]| name);
    for table in names.chain(["migrations", "sqlite_stat1"].map(str::to_owned)) {
        assert_eq!(rows(&new, &table), rows(&migrated, &table), "{table}");
    }
    create(&mut new).unwrap();
    assert!(!migrate(&mut new, MIGRATIONS).unwrap());
}
