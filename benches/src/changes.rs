//! What happens at the test banks between two refreshes, done straight to the connector's state:
//! the benches measure how changes are taken in, not how they are made.

use crate::Failure;
use crate::harness::House;
use connectors::BankAccount;
use connectors::sandbox::{NewTransaction, TransactionChange};
use model::bank::BankStatus;
use model::clock::Clock as _;
use model::id::AccountId;
use model::money::Currency;
use store::{ChangeConnection, FindAccount, FindConnection, Store, Written};
use tokio::task::JoinSet;

/// A change at the banks, made to each account.
#[derive(Clone, Copy)]
pub(crate) enum Change {
    /// So many new transactions.
    Add(u32),
    /// Another amount for so many of the newest transactions.
    Edit(usize),
}

/// Makes a change to all these accounts.
pub(crate) async fn make_many(
    house: &House,
    accounts: &[AccountId],
    change: Change,
) -> Result<(), Failure> {
    let mut writing = JoinSet::new();
    for account in accounts {
        let changed = changed(house, *account, change).await?;
        let store: Store = house.engine.store().clone();
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
    house: &House,
    id: AccountId,
    change: Change,
) -> Result<ChangeConnection, Failure> {
    let store = house.engine.store();
    let merchant = house.merchant;
    let account = store.read(FindAccount { merchant, account: id }).await?;
    let account = account.ok_or("an account is missing")?;
    let connection = store.read(FindConnection { merchant, account: id }).await?;
    let mut connection = connection.ok_or("a connection is missing")?;
    let now = house.clock.account_now();
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
            // Each change raises the version, so no number comes twice.
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
                state = house.control.add_transaction(&at_bank, now, number, new)?.state;
            }
        }
        Change::Edit(count) => {
            let at_bank = BankAccount { state: &state, ..untouched };
            let entries = house.control.ledger_entries(&at_bank, now)?;
            let standing = entries.iter().filter(|entry| entry.void_at.is_none());
            for entry in standing.rev().take(count) {
                let amount = Some(entry.transaction.amount - 1);
                let edit = TransactionChange { amount, ..TransactionChange::default() };
                let at_bank = BankAccount { state: &state, ..untouched };
                let bank_id = &entry.transaction.bank_id;
                state = house.control.change_transaction(&at_bank, now, bank_id, edit)?.state;
            }
        }
    }
    connection.state = state;
    connection.version += 1;
    Ok(ChangeConnection { connection, reply: None })
}

#[cfg(test)]
mod tests {
    use super::{Change, make_many};
    use crate::harness::{DELTA_BANK, House};

    /// A change at the bank reaches the account with its next refresh.
    #[tokio::test]
    async fn changes_are_fetched() {
        let place = tempfile::tempdir().unwrap();
        let house = House::open(place.path()).unwrap();
        let accounts = house.link_many(2, DELTA_BANK, None).await.unwrap();
        house.refresh_many(&accounts).await.unwrap();
        let before = crate::bare::mark(&house.database).unwrap();
        house.clock.pass(60);
        make_many(&house, &accounts, Change::Add(3)).await.unwrap();
        make_many(&house, &accounts, Change::Edit(2)).await.unwrap();
        house.refresh_many(&accounts).await.unwrap();
        let tape = crate::bare::record(&house.database, &before).unwrap();
        assert_eq!(tape.refreshes(), 2);
        assert!(tape.rows() >= 6);
    }
}
