//! Bank data: the records that a connector fetches and that the diff compares with the stored rows.

use crate::clock::AccountTime;
use crate::money::Currency;
use crate::word::words;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

words! {
    /// One kind of account data. Each is refreshed separately.
    Feature {
        /// The balance. Singular as a feature, plural as a permission.
        Balance = "balance",
        /// The owners.
        Ownership = "ownership",
        /// The transactions.
        Transactions = "transactions",
        /// The balances of past days. In preview.
        InferredBalances = "inferred_balances",
    }
}

impl Feature {
    /// The features that versions without previews know.
    pub const GENERAL: &'static [Self] = &[Self::Balance, Self::Ownership, Self::Transactions];
}

words! {
    /// The state of a transaction at the bank.
    BankStatus {
        /// Announced, and not yet in the balance.
        Pending = "pending",
        /// Booked, and in the balance.
        Posted = "posted",
    }
}

/// A transaction as the bank shows it now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BankTransaction {
    /// The bank's own id, unique within the account, of at most
    /// [`crate::limits::BANK_ID_BYTES_MAX`] bytes.
    pub bank_id: String,
    /// The amount in minor units. Negative is money out.
    pub amount: i64,
    /// The currency of `amount`.
    pub currency: Currency,
    /// The bank's text.
    pub description: String,
    /// The state at the bank.
    pub status: BankStatus,
    /// The time of the transaction.
    pub transacted_at: AccountTime,
    /// The time of booking, if it is booked and the bank gives the time.
    pub posted_at: Option<AccountTime>,
}

/// A transaction that the bank reports as removed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Removal {
    /// The bank's own id.
    pub bank_id: String,
    /// The time of removal, if the bank gives it.
    pub vanished_at: Option<AccountTime>,
}

/// The part of an account that the records of one fetch cover.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Coverage {
    /// Only the records themselves. A transaction that is not among them is unchanged.
    Delta,
    /// All transactions with a `transacted_at` in the closed range. A stored transaction in the
    /// range that is not among the records was removed.
    Snapshot {
        /// The first second of the range.
        from: AccountTime,
        /// The last second of the range.
        to: AccountTime,
    },
}

words! {
    /// The kind of a balance, which is also the name of its hash.
    BalanceType {
        /// Money held.
        Cash = "cash",
        /// Money owed.
        Credit = "credit",
    }
}

/// The balance of an account, as the bank computes it. A positive amount is owed to the holder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Balance {
    /// The time at which the bank computed it.
    pub as_of: AccountTime,
    /// Minor units per currency, without pending transactions.
    pub current: BTreeMap<Currency, i64>,
    /// The hash that `available_or_used` belongs to.
    pub balance_type: BalanceType,
    /// Cash: the available amount, pending transactions included. Credit: the used amount. `None`
    /// if the bank does not give it.
    pub available_or_used: Option<BTreeMap<Currency, i64>>,
}

/// An owner as the bank knows them. Banks differ in the fields that they give.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BankOwner {
    /// The full name.
    pub name: String,
    /// The e-mail address.
    pub email: Option<String>,
    /// The telephone number, as the bank writes it.
    pub phone: Option<String>,
    /// The postal address, as the bank writes it.
    pub raw_address: Option<String>,
}
