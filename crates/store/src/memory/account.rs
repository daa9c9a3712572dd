//! Accounts and owners.

use super::{Memory, connection, event, idempotency, job, object, page, precondition};
use crate::store::Failure;
use crate::{
    AccountChange, AccountsOf, ChangeAccount, CompleteLink, FindAccount, FindLinkedAccount,
    FindOwnership, ListAccounts, Listed, NewAccount, ObjectPlace, Written,
};
use model::account::{Account, AccountStatus, Holder};
use model::ownership::Ownership;
use model::refresh::{RefreshKey, RefreshStatus};
use std::sync::Arc;

pub(crate) fn complete_link(
    command: &CompleteLink,
    memory: &mut Memory,
) -> Result<Written, Failure> {
    let CompleteLink { objects, requires, new, again, reply } = command;
    if !idempotency::record_optional(reply.as_ref(), memory) {
        return Ok(Written::KeyTaken);
    }
    if !precondition::all_hold(requires, memory) || !object::put_many(objects, memory) {
        return Ok(Written::VersionConflict);
    }
    for new in new {
        if !insert(new, memory)? {
            return Ok(Written::VersionConflict);
        }
    }
    for change in again {
        if !apply_change(change, None, memory)? {
            return Ok(Written::VersionConflict);
        }
    }
    Ok(Written::Done)
}

/// Stores a new account. Returns false if it conflicts with a stored row.
fn insert(new: &NewAccount, memory: &mut Memory) -> Result<bool, Failure> {
    let NewAccount { account, connection, started, events } = new;
    if memory.rows.accounts.contains_key(&account.id)
        || memory.rows.connections.contains_key(&connection.account)
        || is_linked_otherwise(account, memory)
    {
        return Ok(false);
    }
    memory.rows.accounts.insert(account.id, Arc::new(account.clone()));
    memory.rows.connections.insert(connection.account, Arc::new(connection.clone()));
    let fits = job::insert_many(started, None, memory);
    if fits {
        event::insert_many(events, memory)?;
    }
    Ok(fits)
}

/// True if another account is linked to the same bank account of the same customer.
fn is_linked_otherwise(account: &Account, memory: &Memory) -> bool {
    account.status != AccountStatus::Disconnected
        && memory.rows.accounts.values().any(|other| {
            other.id != account.id
                && other.status != AccountStatus::Disconnected
                && other.merchant == account.merchant
                && matches!(other.holder, Some(Holder::Customer(_)))
                && other.holder == account.holder
                && other.institution == account.institution
                && other.bank_account == account.bank_account
        })
}

pub(crate) fn change(command: &ChangeAccount, memory: &mut Memory) -> Result<Written, Failure> {
    if !idempotency::record_optional(command.reply.as_ref(), memory) {
        return Ok(Written::KeyTaken);
    }
    let fits = precondition::all_hold(&command.requires, memory)
        && apply_change(&command.change, None, memory)?;
    Ok(if fits { Written::Done } else { Written::VersionConflict })
}

/// Stores a change with everything that is committed with it. Returns true if its versions match.
pub(super) fn apply_change(
    change: &AccountChange,
    ended_now: Option<(RefreshKey, RefreshStatus)>,
    memory: &mut Memory,
) -> Result<bool, Failure> {
    let AccountChange { account, started, ended, connection, cursors, events } = change;
    let fits = memory.rows.accounts.get(&account.id).is_some_and(|stored| {
        let is_final = stored.status == AccountStatus::Disconnected;
        stored.merchant == account.merchant
            && stored.version + 1 == account.version
            && (!is_final || account.status == AccountStatus::Disconnected)
    });
    if !fits {
        return Ok(false);
    }
    memory.rows.accounts.insert(account.id, Arc::new(account.clone()));
    if let Some(connection) = connection
        && !connection::replace(connection, memory)
    {
        return Ok(false);
    }
    if let Some(cursors) = cursors
        && !connection::replace_cursors(account, cursors, memory)
    {
        return Ok(false);
    }
    for (key, status) in ended {
        if !job::interrupt(*key, account.merchant, *status, memory) {
            return Ok(false);
        }
    }
    if !job::insert_many(started, ended_now, memory) {
        return Ok(false);
    }
    event::insert_many(events, memory)?;
    Ok(true)
}

pub(crate) fn find(command: &FindAccount, memory: &Memory) -> Result<Option<Account>, Failure> {
    let found = memory.rows.accounts.get(&command.account);
    let found = found.filter(|account| account.merchant == command.merchant);
    Ok(found.map(|account| account.as_ref().clone()))
}

pub(crate) fn find_linked(
    command: &FindLinkedAccount,
    memory: &Memory,
) -> Result<Option<Account>, Failure> {
    let FindLinkedAccount { merchant, holder, institution, bank_account } = command;
    if matches!(holder, Holder::Account(_)) {
        return Ok(None);
    }
    let found = memory.rows.accounts.values().find(|account| {
        account.merchant == *merchant
            && account.holder.as_ref() == Some(holder)
            && account.institution == *institution
            && account.bank_account == *bank_account
            && account.status != AccountStatus::Disconnected
    });
    Ok(found.map(|account| account.as_ref().clone()))
}

pub(crate) fn list(command: &ListAccounts, memory: &Memory) -> Result<Listed<Account>, Failure> {
    let rows = memory
        .rows
        .accounts
        .values()
        .filter(|account| account.merchant == command.merchant)
        .filter(|account| match &command.of {
            AccountsOf::Merchant => true,
            AccountsOf::Holder(holder) => account.holder.as_ref() == Some(holder),
            AccountsOf::Clock(clock) => account.clock == Some(*clock),
            AccountsOf::Authorization(of) => account.authorization == *of,
            AccountsOf::Ids(ids) => ids.contains(&account.id),
        })
        .map(|account| {
            let position = ObjectPlace { created: account.created, number: account.id.number() };
            (position, account.as_ref().clone())
        });
    Ok(page(rows, command.page))
}

pub(crate) fn find_ownership(
    command: &FindOwnership,
    memory: &Memory,
) -> Result<Option<Ownership>, Failure> {
    let found = memory.rows.ownerships.get(&command.ownership);
    let found = found.filter(|(merchant, _)| *merchant == command.merchant);
    Ok(found.map(|(_, ownership)| ownership.as_ref().clone()))
}
