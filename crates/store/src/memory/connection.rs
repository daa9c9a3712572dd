//! Connections.

use super::{Memory, idempotency, precondition};
use crate::store::Failure;
use crate::{ChangeConnection, Connection, Cursors, FindConnection, Written};
use model::account::Account;
use std::sync::Arc;

/// Replaces a connection. Returns true if its version is one above the stored one.
pub(super) fn replace(connection: &Connection, memory: &mut Memory) -> bool {
    let Some(stored) = memory.rows.connections.get_mut(&connection.account) else { return false };
    let fits = stored.merchant == connection.merchant && stored.version + 1 == connection.version;
    if fits {
        *stored = Arc::new(connection.clone());
    }
    fits
}

/// Replaces the cursors of a connection. Returns true if its version is one above the stored one.
pub(super) fn replace_cursors(account: &Account, cursors: &Cursors, memory: &mut Memory) -> bool {
    let Some(stored) = memory.rows.connections.get_mut(&account.id) else { return false };
    let fits = stored.merchant == account.merchant && stored.version + 1 == cursors.version;
    if fits {
        let stored = Arc::make_mut(stored);
        stored.version = cursors.version;
        stored.cursors.clone_from(&cursors.by_feature);
    }
    fits
}

pub(crate) fn change(command: &ChangeConnection, memory: &mut Memory) -> Result<Written, Failure> {
    if !idempotency::record_optional(command.reply.as_ref(), memory) {
        return Ok(Written::KeyTaken);
    }
    let fits =
        precondition::all_hold(&command.requires, memory) && replace(&command.connection, memory);
    Ok(if fits { Written::Done } else { Written::VersionConflict })
}

pub(crate) fn find(
    command: &FindConnection,
    memory: &Memory,
) -> Result<Option<Connection>, Failure> {
    let found = memory.rows.connections.get(&command.account);
    let found = found.filter(|connection| connection.merchant == command.merchant);
    Ok(found.map(|connection| connection.as_ref().clone()))
}
