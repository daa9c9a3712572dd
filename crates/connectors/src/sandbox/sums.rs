//! Sums of money by currency.

use super::state::BalanceOffset;
use model::money::Currency;
use std::collections::BTreeMap;

/// Minor units by currency. The account's own currency is always present.
pub(super) type Sums = BTreeMap<Currency, i64>;

/// The differences between an account's balances and its ledger, by currency.
pub(super) type Offsets = BTreeMap<Currency, BalanceOffset>;

/// Adds an amount to the sum of its currency.
pub(super) fn add(sums: &mut Sums, currency: Currency, amount: i64) {
    let sum = sums.entry(currency).or_default();
    *sum = sum.saturating_add(amount);
}

/// The sum in a currency. A currency without movements has the sum zero.
pub(super) fn sum_of(sums: &Sums, currency: Currency) -> i64 {
    sums.get(&currency).copied().unwrap_or_default()
}
