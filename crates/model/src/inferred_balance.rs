//! Inferred balances: the balance of an account at the end of each past day.
//!
//! The bank gives one balance with its time. Posted transactions lead from it to the ends of other days.
//! The values are computed at each read, from the stored rows.

use crate::account::Account;
use crate::bank::Balance;
use crate::clock::{AccountTime, DAY_S};
use crate::id::InferredBalanceId;
use crate::limits::INFERRED_DAYS_MAX;
use crate::money::Currency;
use crate::transaction::{Transaction, TransactionStatus};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The balance that a refresh of inferred balances fetched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InferredFrom {
    /// The balance.
    pub balance: Balance,
    /// The time of the refresh. Later days have no inferred balance yet.
    pub until: AccountTime,
}

/// The balance at the end of a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InferredBalance {
    /// Its id.
    pub id: InferredBalanceId,
    /// The last second of the day, in UTC.
    pub as_of: AccountTime,
    /// Minor units per currency.
    pub current: BTreeMap<Currency, i64>,
}

/// Returns the inferred balances of an account, the newest first. They begin on the day of the first
/// posted transaction, at most [`INFERRED_DAYS_MAX`] days ago. Without a transaction there is one.
pub fn inferred_balances(account: &Account, rows: &[Transaction]) -> Vec<InferredBalance> {
    let Some(from) = &account.inferred_from else { return Vec::new() };
    let posted: Vec<(i64, Currency, i64)> = rows
        .iter()
        .filter(|row| row.status == TransactionStatus::Posted)
        .filter_map(|row| Some((row.posted_at?.0, row.currency, row.amount)))
        .collect();
    let last = (from.until.0 + 1).div_euclid(DAY_S) - 1;
    let begin = posted.iter().map(|(at, ..)| at.div_euclid(DAY_S)).min().unwrap_or(last);
    let first = begin.clamp(last - INFERRED_DAYS_MAX + 1, last);
    let day = |day: i64| {
        let as_of = AccountTime((day + 1) * DAY_S - 1);
        let current = from.balance.current.iter();
        let current = current.map(|(currency, amount)| {
            let moved = moved(&posted, *currency, from.balance.as_of, as_of);
            (*currency, amount.saturating_add(moved))
        });
        let id = InferredBalanceId { account: account.id, day: u32::try_from(day).ok()? };
        Some(InferredBalance { id, as_of, current: current.collect() })
    };
    (first..=last).rev().filter_map(day).collect()
}

/// Returns the amount by which posted transactions change the balance from one time to another.
fn moved(
    posted: &[(i64, Currency, i64)],
    currency: Currency,
    from: AccountTime,
    to: AccountTime,
) -> i64 {
    let (earlier, later) = (from.0.min(to.0), from.0.max(to.0));
    let between = posted
        .iter()
        .filter(|(at, of, _)| *of == currency && (earlier + 1..=later).contains(at))
        .fold(0_i64, |sum, (.., amount)| sum.saturating_add(*amount));
    if to < from { -between } else { between }
}
