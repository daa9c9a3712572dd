//! What a bank says: the records that a connector fetches and the diff compares with what we hold.

use crate::clock::AccountTime;
use crate::money::Currency;
use crate::word::words;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

words! {
    /// One kind of data of an account, refreshed on its own.
    Feature {
        /// What the account holds. Singular here, plural as a permission.
        Balance = "balance",
        /// Who owns the account.
        Ownership = "ownership",
        /// What moved on the account.
        Transactions = "transactions",
    }
}

words! {
    /// Where a transaction stands with the bank.
    BankStatus {
        /// Announced; not in the balance yet.
        Pending = "pending",
        /// Booked; in the balance.
        Posted = "posted",
    }
}

/// A transaction as the bank shows it now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BankTransaction {
    /// The bank's own id, unique within the account; at most [`crate::limits::BANK_ID_BYTES_MAX`] bytes.
    pub bank_id: String,
    /// Minor units; negative is money out.
    pub amount: i64,
    /// The currency of `amount`.
    pub currency: Currency,
    /// The bank's text.
    pub description: String,
    /// Whether it is booked.
    pub status: BankStatus,
    /// When it took place.
    pub transacted_at: AccountTime,
    /// When it was booked, if it is and the bank says so.
    pub posted_at: Option<AccountTime>,
}

/// A transaction that the bank says is gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Removal {
    /// The bank's own id.
    pub bank_id: String,
    /// When it vanished, if the bank says so.
    pub vanished_at: Option<AccountTime>,
}

/// What the records of a whole fetch speak for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Coverage {
    /// Only for themselves: what is not named is unchanged.
    Delta,
    /// For all with a `transacted_at` in the closed range: what is not named there has vanished.
    Snapshot {
        /// The first second spoken for.
        from: AccountTime,
        /// The last second spoken for.
        to: AccountTime,
    },
}

words! {
    /// The kind of a balance, which names its hash.
    BalanceType {
        /// Money held.
        Cash = "cash",
        /// Money owed.
        Credit = "credit",
    }
}

/// What an account holds, as computed by the bank. Positive is owed to the holder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Balance {
    /// When the bank computed it.
    pub as_of: AccountTime,
    /// Minor units a currency, without pending items.
    pub current: BTreeMap<Currency, i64>,
    /// Which hash `available_or_used` belongs to.
    pub balance_type: BalanceType,
    /// Cash: what is available, pending items included. Credit: what is used. Absent when the bank
    /// does not say.
    pub available_or_used: Option<BTreeMap<Currency, i64>>,
}

/// An owner as the bank knows them. Banks differ in what they give.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BankOwner {
    /// The full name.
    pub name: String,
    /// The e-mail address.
    pub email: Option<String>,
    /// The telephone number, not normalised.
    pub phone: Option<String>,
    /// The postal address, not normalised.
    pub raw_address: Option<String>,
}
