//! Tests of inferred balances.

use model::account::Account;
use model::bank::{Balance, BalanceType};
use model::clock::{AccountTime, DAY_S};
use model::inferred_balance::{InferredFrom, inferred_balances};
use model::limits::INFERRED_DAYS_MAX;
use model::money::Currency;
use model::transaction::{Transaction, TransactionStatus};
use std::collections::BTreeMap;
use testkit::objects;

/// The start of a day.
const TODAY: i64 = 1_767_225_600;

/// An account whose bank computed a balance of 1,000 at a time, which was fetched later.
fn account(as_of: i64, until: i64) -> Account {
    let balance = Balance {
        as_of: AccountTime(as_of),
        current: BTreeMap::from([(Currency::USD, 1_000)]),
        balance_type: BalanceType::Cash,
        available_or_used: None,
    };
    let from = InferredFrom { balance, until: AccountTime(until) };
    Account { inferred_from: Some(Box::new(from)), ..objects::account() }
}

fn posted(at: i64, amount: i64) -> Transaction {
    let posted_at = Some(AccountTime(at));
    Transaction { amount, status: TransactionStatus::Posted, posted_at, ..objects::transaction() }
}

/// The day before today (1, 2, …) and the amount of each balance.
fn amounts(account: &Account, rows: &[Transaction]) -> Vec<(i64, i64)> {
    let balances = inferred_balances(account, rows);
    let day = |as_of: AccountTime| (TODAY - 1 - as_of.0) / DAY_S + 1;
    balances.iter().map(|one| (day(one.as_of), one.current[&Currency::USD])).collect()
}

/// Posted transactions lead back from the balance to each earlier day, and forward to days after its
/// time. Pending and void ones change no balance.
#[test]
fn transactions_lead_to_other_days() {
    let pending = Transaction { amount: 77, ..objects::transaction() };
    let void = Transaction { status: TransactionStatus::Void, ..posted(TODAY - 9, 55) };
    let rows = [
        pending,
        void,
        // After the balance, and before the end of yesterday.
        posted(TODAY - 10, -1),
        // At the second of the balance, which contains it.
        posted(TODAY - DAY_S / 2, 20),
        posted(TODAY - DAY_S - 1, -300),
        posted(TODAY - 3 * DAY_S + 5, 4_000),
    ];
    let account = account(TODAY - DAY_S / 2, TODAY + 60);
    assert_eq!(amounts(&account, &rows), [(1, 999), (2, 980), (3, 1_280)]);
}

/// There is one balance without a transaction, none before a refresh, and no more than the bound.
#[test]
fn days_are_bounded() {
    let account = account(TODAY + 5, TODAY + 5);
    assert_eq!(amounts(&account, &[]), [(1, 1_000)]);
    assert_eq!(amounts(&objects::account(), &[posted(TODAY, 1)]), []);
    let old = posted(TODAY - 400 * DAY_S, 1);
    let all = amounts(&account, &[old]);
    assert_eq!(all.len(), usize::try_from(INFERRED_DAYS_MAX).unwrap_or_default());
    assert_eq!(all.last(), Some(&(INFERRED_DAYS_MAX, 1_000)));
}
