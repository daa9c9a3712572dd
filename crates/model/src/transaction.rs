//! A transaction (`fctxn_…`).

use crate::clock::AccountTime;
use crate::id::{RefreshId, TransactionId};
use crate::money::Currency;
use crate::word::words;

words! {
    /// The state of a transaction.
    TransactionStatus {
        /// Not in the balance yet.
        Pending = "pending",
        /// In the balance.
        Posted = "posted",
        /// Removed by the bank. The row stays.
        Void = "void",
    }
}

/// One row, as clients see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transaction {
    /// Its id, which contains its account and its position in the list.
    pub id: TransactionId,
    /// The amount in minor units. Negative is money out.
    pub amount: i64,
    /// The currency of `amount`.
    pub currency: Currency,
    /// The bank's text.
    pub description: String,
    /// The state.
    pub status: TransactionStatus,
    /// The time of the transaction, as the bank gives it.
    pub transacted_at: AccountTime,
    /// The time of posting.
    pub posted_at: Option<AccountTime>,
    /// The time of removal.
    pub void_at: Option<AccountTime>,
    /// The sequence of the refresh that last created or changed it.
    pub sequence: u32,
    /// The time of the last change.
    pub updated: AccountTime,
}

impl Transaction {
    /// Returns the refresh that last created or changed it.
    pub fn refresh(&self) -> RefreshId {
        RefreshId { account: self.id.account, sequence: self.sequence }
    }
}

/// A stored row: the fields that clients see, and the bank id that matches it with the bank's
/// records.
///
/// These are two parts, because a page shows no bank id and therefore reads none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredTransaction {
    /// The bank's own id, unique within the account.
    pub bank_id: String,
    /// The fields that clients see.
    pub shown: Transaction,
}
