//! What the bank says now, compared with what we hold: which rows are new, which changed, which
//! vanished. The heart of a refresh.
//!
//! Pure: the same records against the same rows give the same changes, and the records a second
//! time give none. Rows are matched by the bank's own id.

use crate::bank::{BankStatus, BankTransaction, Coverage, Removal};
use crate::clock::AccountTime;
use crate::id::{AccountId, LISTED_AT_MAX, TransactionId};
use crate::transaction::{Transaction, TransactionStatus};
use std::collections::HashMap;

/// What a refresh writes, and what it found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Rows to store: the new ones, and the newest form of those that changed.
    pub rows: Vec<Transaction>,
    /// How many of them are new. They come first.
    pub created: usize,
    /// How many went from pending to posted.
    pub posted: usize,
    /// How many vanished.
    pub voided: usize,
    /// How many records said what was held already.
    pub untouched: usize,
}

/// The refresh that the changes belong to.
#[derive(Clone, Copy, Debug)]
pub struct Refreshed {
    /// The account.
    pub account: AccountId,
    /// The sequence of the refresh, which every touched row gets.
    pub sequence: u32,
    /// The time of the refresh, which every touched row gets as `updated`.
    pub now: AccountTime,
    /// The ordinal of the newest row held; new rows count on from it.
    pub rows: u32,
}

/// Compares.
///
/// `held` are the rows that the records may be about: all rows with a bank id among the records or
/// removals, and for a snapshot also every row with a `transacted_at` in its range. A bank id that
/// comes twice counts once, in its last form; a removal counts only if no record names the row.
pub fn diff(
    refreshed: Refreshed,
    held: Vec<Transaction>,
    records: Vec<BankTransaction>,
    removals: &[Removal],
    coverage: Coverage,
) -> Changes {
    let mut changes = Changes::default();
    let mut held: HashMap<String, Transaction> =
        held.into_iter().map(|row| (row.bank_id.clone(), row)).collect();
    let mut ordinal = refreshed.rows;
    let mut renewals = Vec::new();
    for record in newest_forms(records) {
        if let Some(row) = held.remove(&record.bank_id) {
            let was_pending = row.status == TransactionStatus::Pending;
            match renewed(refreshed, &row, record) {
                Some(row) => {
                    changes.posted +=
                        usize::from(was_pending && row.status == TransactionStatus::Posted);
                    renewals.push(row);
                }
                None => changes.untouched += 1,
            }
        } else {
            ordinal += 1;
            changes.rows.push(created(refreshed, ordinal, record));
        }
    }
    changes.created = changes.rows.len();
    changes.rows.append(&mut renewals);
    for row in vanished(held, removals, coverage, refreshed) {
        changes.voided += 1;
        changes.rows.push(row);
    }
    changes
}

/// One record per bank id, the last one, in the order in which the ids came first.
fn newest_forms(records: Vec<BankTransaction>) -> Vec<BankTransaction> {
    let mut places: HashMap<String, usize> = HashMap::with_capacity(records.len());
    let mut newest: Vec<BankTransaction> = Vec::with_capacity(records.len());
    for record in records {
        if let Some(place) = places.get(&record.bank_id) {
            newest[*place] = record;
        } else {
            places.insert(record.bank_id.clone(), newest.len());
            newest.push(record);
        }
    }
    newest
}

fn created(refreshed: Refreshed, ordinal: u32, record: BankTransaction) -> Transaction {
    // An id holds a time between 1970 and the year 36812; a bank that says otherwise is listed at
    // the nearest end, and keeps its own time in `transacted_at`.
    let listed_at = AccountTime(record.transacted_at.0.clamp(0, LISTED_AT_MAX));
    Transaction {
        id: TransactionId { account: refreshed.account, listed_at, ordinal },
        posted_at: posted_at(&record, None, refreshed.now),
        void_at: None,
        status: status(record.status),
        bank_id: record.bank_id,
        amount: record.amount,
        currency: record.currency,
        description: record.description,
        transacted_at: record.transacted_at,
        sequence: refreshed.sequence,
        updated: refreshed.now,
    }
}

fn status(status: BankStatus) -> TransactionStatus {
    match status {
        BankStatus::Pending => TransactionStatus::Pending,
        BankStatus::Posted => TransactionStatus::Posted,
    }
}

/// When a record was posted: as the bank says, else as we held it, else when we first saw it so.
fn posted_at(
    record: &BankTransaction,
    held: Option<AccountTime>,
    now: AccountTime,
) -> Option<AccountTime> {
    match record.status {
        BankStatus::Pending => None,
        BankStatus::Posted => Some(record.posted_at.or(held).unwrap_or(now)),
    }
}

/// The newest form of a held row, or nothing when the record says what is held. A row that had
/// vanished and is shown again is alive again.
fn renewed(
    refreshed: Refreshed,
    row: &Transaction,
    record: BankTransaction,
) -> Option<Transaction> {
    let newest = Transaction {
        id: row.id,
        posted_at: posted_at(&record, row.posted_at, refreshed.now),
        void_at: None,
        status: status(record.status),
        bank_id: record.bank_id,
        amount: record.amount,
        currency: record.currency,
        description: record.description,
        transacted_at: record.transacted_at,
        sequence: row.sequence,
        updated: row.updated,
    };
    (newest != *row).then_some(Transaction {
        sequence: refreshed.sequence,
        updated: refreshed.now,
        ..newest
    })
}

/// Rows that no record named and that are gone: named by a removal, or missing from the range that
/// a snapshot speaks for. In the order of the list, so that the same input gives the same output.
fn vanished(
    held: HashMap<String, Transaction>,
    removals: &[Removal],
    coverage: Coverage,
    refreshed: Refreshed,
) -> Vec<Transaction> {
    let removed: HashMap<&str, Option<AccountTime>> =
        removals.iter().map(|removal| (removal.bank_id.as_str(), removal.vanished_at)).collect();
    let mut gone: Vec<Transaction> = held
        .into_values()
        .filter(|row| row.status != TransactionStatus::Void)
        .filter_map(|row| {
            let missing = match coverage {
                Coverage::Delta => false,
                Coverage::Snapshot { from, to } => (from..=to).contains(&row.transacted_at),
            };
            let vanished_at = match removed.get(row.bank_id.as_str()) {
                Some(at) => *at,
                None if missing => None,
                None => return None,
            };
            Some(Transaction {
                status: TransactionStatus::Void,
                void_at: Some(vanished_at.unwrap_or(refreshed.now)),
                sequence: refreshed.sequence,
                updated: refreshed.now,
                ..row
            })
        })
        .collect();
    gone.sort_by_key(|row| row.id);
    gone
}

#[cfg(test)]
#[path = "diff_tests.rs"]
mod tests;
