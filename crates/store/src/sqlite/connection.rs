//! Connections: the connector's data of accounts.

use super::prepared::Part;
use super::{Batch, Failure, Param, Reading, column, idempotency, number, precondition};
use crate::seal::{CellPosition, Sealer};
use crate::{ChangeConnection, Connection, Cursors, FindConnection, Written};
use model::account::Account;
use model::bank::Feature;
use model::clock::AccountTime;
use rusqlite::named_params;
use std::collections::BTreeMap;

pub(super) const INSERT_CONNECTION: &str = "INSERT INTO connections (bucket, account, merchant, \
     version, relinked_at, credential, state, balance_cursor, ownership_cursor, \
     transactions_cursor) \
     VALUES (:bucket, :account, :merchant, :version, :relinked_at, :credential, :state, \
     :balance_cursor, :ownership_cursor, :transactions_cursor) ON CONFLICT DO NOTHING";
pub(super) const UPDATE_CONNECTION: &str = "UPDATE connections SET version = :version, \
     relinked_at = :relinked_at, credential = :credential, state = :state, \
     balance_cursor = :balance_cursor, ownership_cursor = :ownership_cursor, \
     transactions_cursor = :transactions_cursor \
     WHERE bucket = :bucket AND account = :account AND merchant = :merchant \
     AND version = :version - 1";
/// Leaves the credential as it is, because sealing it takes longer than this statement.
pub(super) const UPDATE_CURSORS: &str = "UPDATE connections SET version = :version, \
     balance_cursor = :balance_cursor, ownership_cursor = :ownership_cursor, \
     transactions_cursor = :transactions_cursor \
     WHERE bucket = :bucket AND account = :account AND merchant = :merchant \
     AND version = :version - 1";
pub(super) const FIND_CONNECTION: &str = "SELECT version, relinked_at, credential, state, \
     balance_cursor, ownership_cursor, transactions_cursor FROM connections \
     WHERE bucket = ?1 AND account = ?2 AND merchant = ?3";

fn credential_position<'a>(row: &'a [&'a [u8]]) -> CellPosition<'a> {
    CellPosition { column: "connections.credential", row }
}

/// The sealed credential of a connection.
pub(super) fn seal_credential(connection: &Connection, seal: &Sealer) -> Result<Vec<u8>, Failure> {
    let row = [&connection.account.number().to_be_bytes()[..]];
    seal.seal(credential_position(&row), &connection.credential)
}

/// Replaces a connection. Returns true if its version is one above the stored one.
pub(super) fn replace(connection: &Connection, batch: &Batch<'_>) -> Result<bool, Failure> {
    store(connection, UPDATE_CONNECTION, batch)
}

/// Replaces the cursors of a connection. Returns true if its version is one above the stored one.
pub(super) fn replace_cursors(
    account: &Account,
    cursors: &Cursors,
    batch: &Batch<'_>,
) -> Result<bool, Failure> {
    let cursor = |feature| cursors.by_feature.get(&feature);
    let generation = batch.generation(account.merchant)?;
    let values = named_params! {
        ":version": column(cursors.version),
        ":balance_cursor": cursor(Feature::Balance),
        ":ownership_cursor": cursor(Feature::Ownership),
        ":transactions_cursor": cursor(Feature::Transactions),
        ":bucket": generation.bucket(account.id.number()),
        ":account": column(account.id.number()),
        ":merchant": generation.owner,
    };
    Ok(batch.execute_named(UPDATE_CURSORS, &[values])? == 1)
}

/// Runs a statement that takes all columns of a connection.
pub(super) fn store(
    connection: &Connection,
    sql: &'static str,
    batch: &Batch<'_>,
) -> Result<bool, Failure> {
    let Connection { account, merchant, version, relinked_at, state, cursors, .. } = connection;
    let generation = batch.generation(*merchant)?;
    let (bucket, account) = (generation.bucket(account.number()), account.number());
    let part = Part::of_connection(connection);
    let credential = batch.prepared.sealed(part, || seal_credential(connection, batch.seal))?;
    let cursor = |feature| cursors.get(&feature);
    let key: &[Param<'_>] = named_params! {
        ":bucket": bucket,
        ":account": column(account),
        ":merchant": generation.owner,
    };
    let columns: &[Param<'_>] = named_params! {
        ":version": column(*version),
        ":relinked_at": relinked_at.0,
        ":credential": &*credential,
        ":state": state,
        ":balance_cursor": cursor(Feature::Balance),
        ":ownership_cursor": cursor(Feature::Ownership),
        ":transactions_cursor": cursor(Feature::Transactions),
    };
    // The statements name their parameters in different orders.
    let values = if sql == INSERT_CONNECTION { [key, columns] } else { [columns, key] };
    let stored = batch.execute_named(sql, &values)?;
    Ok(stored == 1)
}

/// Replaces a connection.
pub(crate) fn change(command: &ChangeConnection, batch: &Batch<'_>) -> Result<Written, Failure> {
    if !idempotency::record_optional(command.reply.as_ref(), batch)? {
        return Ok(Written::KeyTaken);
    }
    let fits =
        precondition::all_hold(&command.requires, batch)? && replace(&command.connection, batch)?;
    Ok(if fits { Written::Done } else { Written::VersionConflict })
}

/// Finds a connection.
pub(crate) fn find(
    command: &FindConnection,
    reading: &Reading<'_>,
) -> Result<Option<Connection>, Failure> {
    let &FindConnection { merchant, account } = command;
    let key = reading.generation(merchant)?.account_key(account);
    reading.find(FIND_CONNECTION, key, |row| {
        let sealed = row.get_ref(2)?.as_blob().map_err(rusqlite::Error::from)?;
        let row_key = [&account.number().to_be_bytes()[..]];
        let mut cursors = BTreeMap::new();
        let features = [Feature::Balance, Feature::Ownership, Feature::Transactions];
        for (index, feature) in (4..).zip(features) {
            if let Some(cursor) = row.get(index)? {
                cursors.insert(feature, cursor);
            }
        }
        Ok(Connection {
            account,
            merchant,
            version: number(row, 0)?,
            relinked_at: AccountTime(row.get(1)?),
            credential: reading.seal.open(credential_position(&row_key), sealed)?,
            state: row.get(3)?,
            cursors,
        })
    })
}
