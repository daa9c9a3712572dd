//! Transactions: rows of an account, read page by page.

use crate::{Bounds, Listed, Page};
use model::account::ListableAccount;
use model::clock::AccountTime;
use model::id::{AccountId, MerchantId, TransactionId};
use model::transaction::{StoredTransaction, Transaction};

/// Lists an account's transactions, `listed_at` descending, then ordinal descending. Returns
/// `Option<ListedTransactions>`, which is `None` if the account does not exist. Page and account
/// are read from one state, so the caller can decide whether the page may be shown.
#[derive(Clone, Copy, Debug)]
pub struct ListTransactions {
    /// The owner of the rows.
    pub merchant: MerchantId,
    /// The account's id.
    pub account: AccountId,
    /// The bounds of the transactions' `transacted_at`.
    pub transacted_at: Bounds,
    /// If set, only rows that a refresh with a larger sequence created or changed.
    pub after: Option<u32>,
    /// The page to return.
    pub page: Page<TransactionId>,
}

reads!(ListTransactions => Option<ListedTransactions>, transaction::list);

/// A page of transactions with their account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedTransactions {
    /// The part of the account that decides whether the page may be shown.
    pub account: ListableAccount,
    /// The page.
    pub page: Listed<Transaction>,
}

/// Finds a transaction. Returns `Option<Transaction>`.
#[derive(Clone, Copy, Debug)]
pub struct FindTransaction {
    /// The owner of the rows.
    pub merchant: MerchantId,
    /// The transaction's id.
    pub transaction: TransactionId,
}

reads!(FindTransaction => Option<Transaction>, transaction::find);

/// Finds the newest refresh that changed a row outside of the bounds of a list. Returns
/// `Option<u32>`, its sequence.
#[derive(Clone, Copy, Debug)]
pub struct FindLeftOut {
    /// The owner of the rows.
    pub merchant: MerchantId,
    /// The account's id.
    pub account: AccountId,
    /// The bounds. Rows outside of them are searched.
    pub transacted_at: Bounds,
    /// If set, only rows that a refresh with a larger sequence created or changed.
    pub after: Option<u32>,
}

reads!(FindLeftOut => Option<u32>, transaction::find_left_out);

/// Finds the bank's own id of a transaction. Returns `Option<String>`.
#[derive(Clone, Copy, Debug)]
pub struct FindBankId {
    /// The owner of the rows.
    pub merchant: MerchantId,
    /// The transaction's id.
    pub transaction: TransactionId,
}

reads!(FindBankId => Option<String>, transaction::find_bank_id);

/// Finds the stored rows that a fetch may change: rows with one of the bank ids, and rows with a
/// `transacted_at` in the range. Returns `Vec<StoredTransaction>`, each row once, in any order.
#[derive(Clone, Debug)]
pub struct FindStoredTransactions {
    /// The owner of the rows.
    pub merchant: MerchantId,
    /// The account's id.
    pub account: AccountId,
    /// The bank's own ids.
    pub bank_ids: Vec<String>,
    /// The closed range.
    pub range: Option<(AccountTime, AccountTime)>,
}

reads!(FindStoredTransactions => Vec<StoredTransaction>, transaction::find_stored);
