//! Transactions: rows of an account, read page by page.

use crate::{Bounds, Listed, Page};
use model::account::ListableAccount;
use model::clock::AccountTime;
use model::id::{AccountId, MerchantId, TransactionId};
use model::transaction::{HeldTransaction, Transaction};

/// Lists an account's transactions, `listed_at` descending, then ordinal descending. Answers
/// `Option<ListedTransactions>`, nothing when there is no such account: both are read from one
/// state, and the caller then sees whether the account lets them be shown.
#[derive(Clone, Copy, Debug)]
pub struct ListTransactions {
    /// Whose.
    pub merchant: MerchantId,
    /// Of which account.
    pub account: AccountId,
    /// Only those that took place within.
    pub transacted_at: Bounds,
    /// Only those that a refresh with a larger sequence created or changed.
    pub after: Option<u32>,
    /// Which page.
    pub page: Page<TransactionId>,
}

reads!(ListTransactions => Option<ListedTransactions>, transaction::list);

/// A page of transactions with their account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedTransactions {
    /// What decides whether they may be shown.
    pub account: ListableAccount,
    /// The page.
    pub page: Listed<Transaction>,
}

/// Finds a transaction. Answers `Option<Transaction>`.
#[derive(Clone, Copy, Debug)]
pub struct FindTransaction {
    /// Whose.
    pub merchant: MerchantId,
    /// Which.
    pub transaction: TransactionId,
}

reads!(FindTransaction => Option<Transaction>, transaction::find);

/// Finds the newest refresh that touched a row which a list with this filter leaves out by the
/// bank's time. Answers `Option<u32>`, its sequence.
#[derive(Clone, Copy, Debug)]
pub struct FindLeftOut {
    /// Whose.
    pub merchant: MerchantId,
    /// Of which account.
    pub account: AccountId,
    /// The times outside of which rows are left out.
    pub transacted_at: Bounds,
    /// Of the rows that a refresh with a larger sequence created or changed.
    pub after: Option<u32>,
}

reads!(FindLeftOut => Option<u32>, transaction::find_left_out);

/// Finds what a bank calls a transaction. Answers `Option<String>`.
#[derive(Clone, Copy, Debug)]
pub struct FindBankId {
    /// Whose.
    pub merchant: MerchantId,
    /// Which.
    pub transaction: TransactionId,
}

reads!(FindBankId => Option<String>, transaction::find_bank_id);

/// Finds the rows that a fetch may be about: those with one of the bank ids, and those with a
/// `transacted_at` in the range. Answers `Vec<HeldTransaction>`, each row once, in any order.
#[derive(Clone, Debug)]
pub struct FindHeld {
    /// Whose.
    pub merchant: MerchantId,
    /// Of which account.
    pub account: AccountId,
    /// The bank's own ids.
    pub bank_ids: Vec<String>,
    /// The closed range.
    pub range: Option<(AccountTime, AccountTime)>,
}

reads!(FindHeld => Vec<HeldTransaction>, transaction::find_held);
