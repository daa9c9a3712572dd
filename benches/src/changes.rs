//! Changes at the test banks between two refreshes. They are written directly to the connector's
//! state, because the benches measure how the server reads changes and not how they are made.

use crate::Failure;
use crate::harness::Harness;
use connectors::BankAccount;
use connectors::sandbox::{NewTransaction, TransactionChange};
use model::bank::BankStatus;
use model::clock::Clock as _;
use model::id::AccountId;
use model::money::Currency;
use store::{ChangeConnection, FindAccount, FindConnection, Store, Written};
use tokio::task::JoinSet;

/// A change at the bank of each account.
#[derive(Clone, Copy)]
pub(crate) enum Change {
    /// This number of new transactions.
    Add(u32),
    /// A new amount for this number of the newest transactions.
    Edit(usize),
}

/// Makes a change to all these accounts.
pub(crate) async fn make_many(
    harness: &Harness,
    accounts: &[AccountId],
    change: Change,
) -> Result<(), Failure> {
    let mut writing = JoinSet::new();
    for account in accounts {
        let changed = changed(harness, *account, change).await?;
        let store: Store = harness.engine.store().clone();
        writing.spawn(async move { store.write(changed).await });
    }
    while let Some(written) = writing.join_next().await {
        if written?? != Written::Done {
            return Err("a change at a bank was not stored".into());
        }
    }
    Ok(())
}

async fn changed(
    harness: &Harness,
    id: AccountId,
    change: Change,
) -> Result<ChangeConnection, Failure> {
    let store = harness.engine.store();
    let merchant = harness.merchant;
    let account = store.read(FindAccount { merchant, account: id }).await?;
    let account = account.ok_or("an account is missing")?;
    let connection = store.read(FindConnection { merchant, account: id }).await?;
    let mut connection = connection.ok_or("a connection is missing")?;
    let now = harness.clock.account_now();
    let untouched = BankAccount {
        institution: account.institution,
        bank_account: &account.bank_account,
        linked_at: account.created,
        relinked_at: connection.relinked_at,
        credential: &connection.credential,
        state: &[],
    };
    let mut state = connection.state.clone();
    match change {
        Change::Add(count) => {
            // Each change raises the version, so every number is unique.
            let first = connection.version * u64::from(u32::MAX);
            for number in 0..count {
                let new = NewTransaction {
                    amount: -100 - i64::from(number),
                    currency: Currency::USD,
                    description: format!("Corner shop {number}"),
                    transacted_at: now,
                    status: BankStatus::Posted,
                };
                let at_bank = BankAccount { state: &state, ..untouched };
                let number = first + u64::from(number);
                state = harness.control.add_transaction(&at_bank, now, number, new)?.state;
            }
        }
        Change::Edit(count) => {
            let at_bank = BankAccount { state: &state, ..untouched };
            let entries = harness.control.ledger_entries(&at_bank, now)?;
            let not_void = entries.iter().filter(|entry| entry.void_at.is_none());
            for entry in not_void.rev().take(count) {
                let amount = Some(entry.transaction.amount - 1);
                let edit = TransactionChange { amount, ..TransactionChange::default() };
                let at_bank = BankAccount { state: &state, ..untouched };
                let bank_id = &entry.transaction.bank_id;
                state = harness.control.change_transaction(&at_bank, now, bank_id, edit)?.state;
            }
        }
    }
    connection.state = state;
    connection.version += 1;
    Ok(ChangeConnection::of(connection))
}

#[cfg(test)]
mod tests {
    use super::{Change, make_many};
    use crate::harness::{DELTA_BANK, Harness};

    /// The next refresh of an account reads the changes at its bank.
    #[tokio::test]
    async fn changes_are_fetched() {
        let place = tempfile::tempdir().unwrap();
        let harness = Harness::open(place.path()).unwrap();
        let accounts = harness.link_many(2, DELTA_BANK, None).await.unwrap();
        harness.refresh_many(&accounts).await.unwrap();
        let before = crate::bare::mark(&harness.database).unwrap();
        harness.clock.pass(60);
        make_many(&harness, &accounts, Change::Add(3)).await.unwrap();
        make_many(&harness, &accounts, Change::Edit(2)).await.unwrap();
        harness.refresh_many(&accounts).await.unwrap();
        let tape = crate::bare::record(&harness.database, &before).unwrap();
        assert_eq!(tape.refreshes(), 2);
        assert!(tape.rows() >= 6);
    }
}
