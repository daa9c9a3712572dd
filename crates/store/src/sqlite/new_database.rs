//! A new database: the schema in one step.
//!
//! The migrations would make it too, but they change tables of earlier releases many times, which
//! takes longer than the rest of a start. `schema.sql` has the result of all migrations. A test
//! writes it, and compares a new database with a migrated one.

use super::migration::{CREATE_MIGRATIONS, INSERT_MIGRATION, MIGRATIONS, checksum_of};
use crate::OpenError;
use rusqlite::{Connection, params};

const SCHEMA: &str = include_str!("schema.sql");

/// Makes the schema of an empty database, with one commit, and marks all migrations as done. Does
/// nothing to any other database.
pub(super) fn create(connection: &mut Connection) -> Result<(), OpenError> {
    let transaction = connection.transaction()?;
    // Each change of the schema raises this number.
    let changes: i64 = transaction.pragma_query_value(None, "schema_version", |row| row.get(0))?;
    if changes > 0 {
        return Ok(());
    }
    transaction.execute(CREATE_MIGRATIONS, [])?;
    transaction.execute_batch(SCHEMA)?;
    for (number, migration) in (1_u32..).zip(MIGRATIONS) {
        transaction.execute(INSERT_MIGRATION, params![number, checksum_of(migration.sql)])?;
    }
    Ok(transaction.commit()?)
}
