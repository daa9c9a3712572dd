//! Accounts and owners.

use super::list::{Lists, Window, lists};
use super::prepared::Part;
use super::{
    Batch, Failure, Param, Reading, column, connection, event, from_json, idempotency, number,
    object, precondition, refresh,
};
use crate::{
    AccountChange, AccountsOf, Bounds, ChangeAccount, CompleteLink, FindAccount, FindLinkedAccount,
    FindOwnership, ListAccounts, Listed, NewAccount, Written, due_at,
};
use model::account::{Account, AccountStatus, Holder};
use model::id::{AccountId, MerchantId};
use model::ownership::Ownership;
use model::refresh::RefreshKey;
use rusqlite::{Row, named_params, params};
use std::collections::BTreeMap;

/// Inserts no row if the number is taken.
pub(super) const INSERT_ACCOUNT: &str = "INSERT INTO accounts (bucket, account, merchant, \
     customer, holder_account, clock, institution, bank_account, created, version, status, due_at, \
     authorized_by, body) \
     VALUES (:bucket, :account, :merchant, :customer, :holder_account, :clock, :institution, \
     :bank_account, :created, :version, :status, :due_at, :authorized_by, :body) \
     ON CONFLICT DO NOTHING";
/// Tried first, because it changes no index: it sets no indexed column.
pub(super) const UPDATE_ACCOUNT_BODY: &str = "UPDATE accounts SET version = :version, body = :body \
     WHERE bucket = :bucket AND account = :account AND merchant = :merchant \
     AND version = :version - 1 AND status = :status AND due_at IS NOT DISTINCT FROM :due_at \
     AND authorized_by = :authorized_by";
/// The other columns never change after the link. A disconnected account stays disconnected, because
/// its link has ended.
pub(super) const UPDATE_ACCOUNT: &str = "UPDATE accounts \
     SET version = :version, body = :body, status = :status, due_at = :due_at, \
     authorized_by = :authorized_by \
     WHERE bucket = :bucket AND account = :account AND merchant = :merchant \
     AND version = :version - 1 AND (status <> 'disconnected' OR :status = 'disconnected')";
pub(super) const FIND_ACCOUNT: &str =
    "SELECT body FROM accounts WHERE bucket = ?1 AND account = ?2 AND merchant = ?3";
/// Inserts no row if the customer has linked the bank account already.
pub(super) const INSERT_ACCOUNT_LINK: &str = "INSERT INTO account_links (merchant, customer, \
     institution, bank_account, account) \
     VALUES (:merchant, :customer, :institution, :bank_account, :account) ON CONFLICT DO NOTHING";
pub(super) const DELETE_ACCOUNT_LINK: &str = "DELETE FROM account_links \
     WHERE merchant = :merchant AND customer = :customer AND institution = :institution \
     AND bank_account = :bank_account AND account = :account";
pub(super) const FIND_LINKED_ACCOUNT: &str = "SELECT account FROM account_links \
     WHERE merchant = ?1 AND customer = ?2 AND institution = ?3 AND bank_account = ?4";
pub(super) const LIST_ACCOUNTS: Lists =
    lists!("SELECT body FROM accounts WHERE merchant = :merchant", "created", "account");
pub(super) const LIST_ACCOUNTS_OF_CUSTOMER: Lists = lists!(
    "SELECT body FROM accounts WHERE merchant = :merchant AND customer = :customer",
    "created",
    "account"
);
pub(super) const LIST_ACCOUNTS_OF_HOLDER_ACCOUNT: Lists = lists!(
    "SELECT body FROM accounts WHERE merchant = :merchant AND holder_account = :holder_account",
    "created",
    "account"
);
pub(super) const LIST_ACCOUNTS_ON_CLOCK: Lists = lists!(
    "SELECT body FROM accounts WHERE merchant = :merchant AND clock = :clock",
    "created",
    "account"
);
pub(super) const LIST_ACCOUNTS_OF_AUTHORIZATION: Lists = lists!(
    "SELECT body FROM accounts WHERE merchant = :merchant AND authorized_by = :authorized_by",
    "created",
    "account"
);
pub(super) const UPSERT_OWNERSHIP: &str = "INSERT INTO ownerships (bucket, account, sequence, \
     merchant, body) VALUES (:bucket, :account, :sequence, :merchant, :body) \
     ON CONFLICT (bucket, account, sequence) DO UPDATE SET body = excluded.body \
     WHERE ownerships.merchant = excluded.merchant";
pub(super) const FIND_OWNERSHIP: &str = "SELECT body FROM ownerships \
     WHERE bucket = ?1 AND account = ?2 AND sequence = ?3 AND merchant = ?4";

/// Ends a link flow.
pub(crate) fn complete_link(command: &CompleteLink, batch: &Batch<'_>) -> Result<Written, Failure> {
    if !idempotency::record_optional(command.reply.as_ref(), batch)? {
        return Ok(Written::KeyTaken);
    }
    let holds = precondition::all_hold(&command.requires, batch)?;
    if !holds || !object::put_many(&command.objects, batch)? {
        return Ok(Written::VersionConflict);
    }
    for new in &command.new {
        if !insert(new, batch)? {
            return Ok(Written::VersionConflict);
        }
    }
    for change in &command.again {
        if !apply_change(change, None, batch)? {
            return Ok(Written::VersionConflict);
        }
    }
    Ok(Written::Done)
}

/// Stores a new account. Returns false if it conflicts with a stored row.
fn insert(new: &NewAccount, batch: &Batch<'_>) -> Result<bool, Failure> {
    let NewAccount { account, connection, started, events } = new;
    if !insert_link(account, batch)? {
        return Ok(false);
    }
    let (customer, holder_account) = match &account.holder {
        Some(Holder::Customer(customer)) => (Some(column(customer.number())), None),
        Some(Holder::Account(holder)) => (None, Some(holder.as_str())),
        None => (None, None),
    };
    let generation = batch.generation(account.merchant)?;
    let inserted = batch.execute_named(
        INSERT_ACCOUNT,
        &[named_params! {
                    ":bucket": generation.bucket(account.id.number()),
                    ":account": column(account.id.number()),
                    ":merchant": generation.owner,
                    ":customer": customer,
                    ":holder_account": holder_account,
                    ":clock": account.clock.map(|clock| column(clock.number())),
                    ":institution": column(account.institution.number()),
                    ":bank_account": account.bank_account,
                    ":created": account.created.0,
                    ":version": column(account.version),
                    ":status": account.status.word(),
                    ":due_at": due_at(account).map(|at| at.0),
                    ":authorized_by": account.authorization.text().as_str(),
                    ":body": batch.prepared.json(Part::of_account(account), account)?,
        }],
    )?;
    let fits = inserted == 1
        && connection::store(connection, connection::INSERT_CONNECTION, batch)?
        && refresh::insert_many(started, None, batch)?;
    if fits {
        event::insert_many(events, batch)?;
    }
    Ok(fits)
}

/// Changes an account.
pub(crate) fn change(command: &ChangeAccount, batch: &Batch<'_>) -> Result<Written, Failure> {
    if !idempotency::record_optional(command.reply.as_ref(), batch)? {
        return Ok(Written::KeyTaken);
    }
    let fits = precondition::all_hold(&command.requires, batch)?
        && apply_change(&command.change, None, batch)?;
    Ok(if fits { Written::Done } else { Written::VersionConflict })
}

/// Stores a change with everything that is committed with it. Returns true if its versions match.
/// `ended_now` names a refresh that starts and ends in this command, with its final status.
pub(super) fn apply_change(
    change: &AccountChange,
    ended_now: Option<(RefreshKey, model::refresh::RefreshStatus)>,
    batch: &Batch<'_>,
) -> Result<bool, Failure> {
    let AccountChange { account, started, ended, connection, cursors, events } = change;
    if !replace(account, batch)? {
        return Ok(false);
    }
    if let Some(connection) = connection
        && !connection::replace(connection, batch)?
    {
        return Ok(false);
    }
    if let Some(cursors) = cursors
        && !connection::replace_cursors(account, cursors, batch)?
    {
        return Ok(false);
    }
    for (key, status) in ended {
        if !refresh::interrupt(*key, account.merchant, *status, batch)? {
            return Ok(false);
        }
    }
    if !refresh::insert_many(started, ended_now, batch)? {
        return Ok(false);
    }
    event::insert_many(events, batch)?;
    Ok(true)
}

/// Replaces an account. Returns true if its version is one above the stored one.
fn replace(account: &Account, batch: &Batch<'_>) -> Result<bool, Failure> {
    let authorization = account.authorization.text();
    let body = batch.prepared.json(Part::of_account(account), account)?;
    let new: &[Param<'_>] = named_params! { ":version": column(account.version), ":body": body };
    let generation = batch.generation(account.merchant)?;
    let key: &[Param<'_>] = named_params! {
        ":bucket": generation.bucket(account.id.number()),
        ":account": column(account.id.number()),
        ":merchant": generation.owner,
    };
    let indexed: &[Param<'_>] = named_params! {
        ":status": account.status.word(),
        ":due_at": due_at(account).map(|at| at.0),
        ":authorized_by": authorization.as_str(),
    };
    if batch.execute_named(UPDATE_ACCOUNT_BODY, &[new, key, indexed])? == 1 {
        return Ok(true);
    }
    let replaced = batch.execute_named(UPDATE_ACCOUNT, &[new, indexed, key])? == 1;
    if replaced && account.status == AccountStatus::Disconnected {
        write_link(DELETE_ACCOUNT_LINK, account, batch)?;
    }
    Ok(replaced)
}

/// Stores the link of a customer's account that is not disconnected. Returns false if the customer
/// has linked the bank account already.
pub(super) fn insert_link(account: &Account, batch: &Batch<'_>) -> Result<bool, Failure> {
    let is_linked = account.status != AccountStatus::Disconnected;
    Ok(!is_linked || write_link(INSERT_ACCOUNT_LINK, account, batch)?)
}

/// Runs a statement that takes all columns of a link. Returns true if it changed a row, or if the
/// account is not a customer's.
fn write_link(sql: &'static str, account: &Account, batch: &Batch<'_>) -> Result<bool, Failure> {
    let Some(Holder::Customer(customer)) = &account.holder else { return Ok(true) };
    let values = named_params! {
        ":merchant": batch.generation(account.merchant)?.owner,
        ":customer": column(customer.number()),
        ":institution": column(account.institution.number()),
        ":bank_account": account.bank_account,
        ":account": column(account.id.number()),
    };
    Ok(batch.execute_named(sql, &[values])? == 1)
}

/// Finds an account.
pub(crate) fn find(
    command: &FindAccount,
    reading: &Reading<'_>,
) -> Result<Option<Account>, Failure> {
    get(command.merchant, command.account, reading)
}

fn get(
    merchant: MerchantId,
    account: AccountId,
    reading: &Reading<'_>,
) -> Result<Option<Account>, Failure> {
    let key = reading.generation(merchant)?.account_key(account);
    reading.find(FIND_ACCOUNT, key, |row| from_json(row, 0))
}

/// Finds the linked account of a customer's bank account.
pub(crate) fn find_linked(
    command: &FindLinkedAccount,
    reading: &Reading<'_>,
) -> Result<Option<Account>, Failure> {
    let FindLinkedAccount { merchant, holder, institution, bank_account } = command;
    let Holder::Customer(customer) = holder else { return Ok(None) };
    let key = params![
        reading.generation(*merchant)?.owner,
        column(customer.number()),
        column(institution.number()),
        bank_account,
    ];
    // The account is read while the row of its link is open, so both are of one state.
    reading.find(FIND_LINKED_ACCOUNT, key, |row| {
        let account = get(*merchant, AccountId::from_number(number(row, 0)?), reading)?;
        account.ok_or(Failure::Unreadable("account_links.account"))
    })
}

/// Lists accounts.
pub(crate) fn list(
    command: &ListAccounts,
    reading: &Reading<'_>,
) -> Result<Listed<Account>, Failure> {
    let ListAccounts { merchant, of, page } = command;
    let window = Window::of(object::pair_page(*page), Bounds::default());
    let owner = reading.generation(*merchant)?.owner;
    let read = |row: &Row<'_>| from_json(row, 0);
    match of {
        AccountsOf::Merchant => {
            reading.page(LIST_ACCOUNTS, &window, &[(":merchant", &owner)], read)
        }
        AccountsOf::Holder(Holder::Customer(customer)) => {
            let customer = column(customer.number());
            reading.page(
                LIST_ACCOUNTS_OF_CUSTOMER,
                &window,
                &[(":merchant", &owner), (":customer", &customer)],
                read,
            )
        }
        AccountsOf::Holder(Holder::Account(holder)) => reading.page(
            LIST_ACCOUNTS_OF_HOLDER_ACCOUNT,
            &window,
            &[(":merchant", &owner), (":holder_account", holder)],
            read,
        ),
        AccountsOf::Clock(clock) => {
            let clock = column(clock.number());
            reading.page(
                LIST_ACCOUNTS_ON_CLOCK,
                &window,
                &[(":merchant", &owner), (":clock", &clock)],
                read,
            )
        }
        AccountsOf::Authorization(authorization) => {
            let authorization = authorization.text();
            let authorization = authorization.as_str();
            let of: [Param<'_>; 2] = [(":merchant", &owner), (":authorized_by", &authorization)];
            reading.page(LIST_ACCOUNTS_OF_AUTHORIZATION, &window, &of, read)
        }
        AccountsOf::Ids(ids) => list_ids(*merchant, ids, &window, reading),
    }
}

/// A page of the named accounts. They are few, so each is looked up.
fn list_ids(
    merchant: MerchantId,
    ids: &[AccountId],
    window: &Window,
    reading: &Reading<'_>,
) -> Result<Listed<Account>, Failure> {
    let mut found = BTreeMap::new();
    reading.in_transaction(|| {
        for id in ids {
            if let Some(account) = get(merchant, *id, reading)? {
                found.insert((account.created.0, column(id.number())), account);
            }
        }
        Ok(())
    })?;
    let items: Vec<Account> = if window.upward {
        let newer = found.into_iter().filter(|(pair, _)| *pair > window.edge);
        newer.map(|(_, account)| account).take(window.limit + 1).collect()
    } else {
        let older = found.into_iter().rev().filter(|(pair, _)| *pair < window.edge);
        older.map(|(_, account)| account).take(window.limit + 1).collect()
    };
    Ok(window.page(items))
}

/// Stores a list of owners.
pub(super) fn upsert_ownership(
    merchant: MerchantId,
    ownership: &Ownership,
    batch: &Batch<'_>,
) -> Result<(), Failure> {
    let generation = batch.generation(merchant)?;
    let values = named_params! {
        ":bucket": generation.bucket(ownership.id.account.number()),
        ":account": column(ownership.id.account.number()),
        ":sequence": ownership.id.sequence,
        ":merchant": generation.owner,
        ":body": serde_json::to_string(ownership)?,
    };
    batch.execute_named(UPSERT_OWNERSHIP, &[values])?;
    Ok(())
}

/// Finds a list of owners.
pub(crate) fn find_ownership(
    command: &FindOwnership,
    reading: &Reading<'_>,
) -> Result<Option<Ownership>, Failure> {
    let FindOwnership { merchant, ownership } = command;
    let [bucket, account, owner] = reading.generation(*merchant)?.account_key(ownership.account);
    let key = params![bucket, account, ownership.sequence, owner];
    reading.find(FIND_OWNERSHIP, key, |row| from_json(row, 0))
}
