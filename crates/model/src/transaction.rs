//! A transaction (`fctxn_…`): a row that the newest refresh which touched it created or changed.

use crate::clock::AccountTime;
use crate::id::{RefreshId, TransactionId};
use crate::money::Currency;
use crate::word::words;

words! {
    /// Where a transaction stands.
    TransactionStatus {
        /// Not in the balance yet.
        Pending = "pending",
        /// In the balance.
        Posted = "posted",
        /// Vanished; the row stays.
        Void = "void",
    }
}

/// One row, as clients are shown it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transaction {
    /// Its id, which holds its account and its place in the list.
    pub id: TransactionId,
    /// Minor units; negative is money out.
    pub amount: i64,
    /// The currency of `amount`.
    pub currency: Currency,
    /// The bank's text.
    pub description: String,
    /// Where it stands.
    pub status: TransactionStatus,
    /// When it took place, by the bank.
    pub transacted_at: AccountTime,
    /// When it was posted.
    pub posted_at: Option<AccountTime>,
    /// When it vanished.
    pub void_at: Option<AccountTime>,
    /// The sequence of the refresh that last created or changed it.
    pub sequence: u32,
    /// When it was last created or changed.
    pub updated: AccountTime,
}

impl Transaction {
    /// The refresh that last created or changed it.
    pub fn refresh(&self) -> RefreshId {
        RefreshId { account: self.id.account, sequence: self.sequence }
    }
}

/// A row as it is held: what clients are shown, and what it is found by when the bank says more.
///
/// Two parts, so that a page, which shows no bank id, reads none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldTransaction {
    /// The bank's own id, unique within the account.
    pub bank_id: String,
    /// What clients are shown.
    pub shown: Transaction,
}
