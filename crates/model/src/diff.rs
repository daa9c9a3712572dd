//! The diff of a refresh: compares the bank's records with the stored rows and finds new, changed
//! and removed transactions.
//!
//! The function is pure. The same records and rows give the same changes, and a second run with the
//! same records gives no changes. Rows are matched by the bank's own id.

use crate::bank::{BankStatus, BankTransaction, Coverage, Removal};
use crate::clock::AccountTime;
use crate::id::{AccountId, LISTED_AT_MAX, TransactionId};
use crate::transaction::{StoredTransaction, Transaction, TransactionStatus};
use std::collections::HashMap;

/// The rows that a refresh writes, and the counts of its changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// The rows to store: the new ones, and the newest form of the changed ones.
    pub rows: Vec<StoredTransaction>,
    /// The number of new rows. They come first in `rows`.
    pub created: usize,
    /// The number of rows that went from pending to posted.
    pub posted: usize,
    /// The number of rows that the bank removed.
    pub voided: usize,
    /// The number of records that equal their stored row.
    pub untouched: usize,
}

/// The refresh that the changes belong to.
#[derive(Clone, Copy, Debug)]
pub struct Refreshed {
    /// The account.
    pub account: AccountId,
    /// The sequence of the refresh. Every touched row gets it.
    pub sequence: u32,
    /// The time of the refresh. Every touched row gets it as `updated`.
    pub now: AccountTime,
    /// The ordinal of the newest stored row. New rows get the ordinals that follow.
    pub rows: u32,
}

/// Compares the bank's records with the stored rows.
///
/// `stored` must contain every stored row with a bank id among the records or removals. For a
/// snapshot it must also contain every row with a `transacted_at` in its range. Other rows of the
/// account do not change the result.
///
/// The function is fastest if rows and records are in about the same order, or in the opposite one.
/// If a bank id appears twice, its last record counts. A removal counts only if no record has its
/// bank id.
pub fn diff(
    refreshed: Refreshed,
    stored: &[StoredTransaction],
    records: &[BankTransaction],
    removals: &[Removal],
    coverage: Coverage,
) -> Changes {
    let mut changes = Changes::default();
    let mut named = vec![false; stored.len()];
    let mut updates = Vec::new();
    let mut ordinal = refreshed.rows;
    for (record, index) in newest_forms(stored, records) {
        let Some(index) = index else {
            ordinal += 1;
            changes.rows.push(created(refreshed, ordinal, record));
            continue;
        };
        let row = &stored[index];
        named[index] = true;
        match changed_row(refreshed, row, record) {
            Some(newest) => {
                let was_pending = row.shown.status == TransactionStatus::Pending;
                let is_posted = newest.shown.status == TransactionStatus::Posted;
                changes.posted += usize::from(was_pending && is_posted);
                updates.push(newest);
            }
            None => changes.untouched += 1,
        }
    }
    changes.created = changes.rows.len();
    changes.rows.append(&mut updates);
    let unnamed = stored.iter().zip(&named).filter(|(_, named)| !**named).map(|(row, _)| row);
    for row in removed_rows(unnamed, removals, coverage, refreshed) {
        changes.voided += 1;
        changes.rows.push(row);
    }
    changes
}

/// Returns one record per bank id, the last one, with the index of its stored row. The order is
/// that of the first record of each id.
fn newest_forms<'a>(
    stored: &[StoredTransaction],
    records: &'a [BankTransaction],
) -> Vec<(&'a BankTransaction, Option<usize>)> {
    let mut newest: Vec<(&BankTransaction, Option<usize>)> = Vec::with_capacity(records.len());
    let mut of_row: Vec<Option<usize>> = vec![None; stored.len()];
    let mut of_new: HashMap<&str, usize> = HashMap::new();
    for (record, index) in records.iter().zip(indexes_of_rows(stored, records)) {
        let known = match index {
            Some(index) => of_row[index],
            None => of_new.get(record.bank_id.as_str()).copied(),
        };
        if let Some(known) = known {
            newest[known].0 = record;
            continue;
        }
        match index {
            Some(index) => of_row[index] = Some(newest.len()),
            None => {
                of_new.insert(&record.bank_id, newest.len());
            }
        }
        newest.push((record, index));
    }
    newest
}

/// Returns the index of each record's row among the stored rows.
///
/// A bank lists its records in almost the same order every time. The search therefore starts beside
/// the row that was found last, because a hash table of all ids would cost several times as much as
/// the rest of the diff.
fn indexes_of_rows(
    stored: &[StoredTransaction],
    records: &[BankTransaction],
) -> Vec<Option<usize>> {
    let mut last = None;
    let mut missed: HashMap<&str, Option<usize>> = HashMap::new();
    let mut indexes: Vec<Option<usize>> = Vec::with_capacity(records.len());
    for record in records {
        let index = find_near(stored, last, &record.bank_id);
        if index.is_none() {
            missed.insert(&record.bank_id, None);
        }
        last = index.or(last);
        indexes.push(index);
    }
    if missed.is_empty() || stored.is_empty() {
        return indexes;
    }
    for (index, row) in stored.iter().enumerate() {
        if let Some(found) = missed.get_mut(row.bank_id.as_str()) {
            *found = Some(index);
        }
    }
    for (index, record) in indexes.iter_mut().zip(records) {
        if index.is_none() {
            *index = missed.get(record.bank_id.as_str()).copied().flatten();
        }
    }
    indexes
}

/// The greatest distance at which a row is searched beside the row found last.
const DISTANCE_MAX: usize = 8;

/// Returns the index of a bank id near another index, or near the beginning.
fn find_near(stored: &[StoredTransaction], last: Option<usize>, bank_id: &str) -> Option<usize> {
    let matches = |index: &usize| stored.get(*index).is_some_and(|row| row.bank_id == bank_id);
    let Some(last) = last else { return (0..DISTANCE_MAX).find(matches) };
    (1..=DISTANCE_MAX)
        .flat_map(|distance| [Some(last + distance), last.checked_sub(distance)])
        .flatten()
        .find(matches)
}

fn created(refreshed: Refreshed, ordinal: u32, record: &BankTransaction) -> StoredTransaction {
    // An id can hold a time between 1970 and the year 36812. A time outside is listed at the
    // nearest end, and `transacted_at` keeps the bank's own time.
    let listed_at = AccountTime(record.transacted_at.0.clamp(0, LISTED_AT_MAX));
    let shown = Transaction {
        id: TransactionId { account: refreshed.account, listed_at, ordinal },
        posted_at: posted_at(record, None, refreshed.now),
        void_at: None,
        status: status(record.status),
        amount: record.amount,
        currency: record.currency,
        description: record.description.clone(),
        transacted_at: record.transacted_at,
        sequence: refreshed.sequence,
        updated: refreshed.now,
    };
    StoredTransaction { bank_id: record.bank_id.clone(), shown }
}

fn status(status: BankStatus) -> TransactionStatus {
    match status {
        BankStatus::Pending => TransactionStatus::Pending,
        BankStatus::Posted => TransactionStatus::Posted,
    }
}

/// Returns the posting time of a record: the bank's time, else the stored time, else the time of
/// the first refresh that saw it posted.
fn posted_at(
    record: &BankTransaction,
    stored: Option<AccountTime>,
    now: AccountTime,
) -> Option<AccountTime> {
    match record.status {
        BankStatus::Pending => None,
        BankStatus::Posted => Some(record.posted_at.or(stored).unwrap_or(now)),
    }
}

/// Returns the newest form of a stored row, or `None` if the record equals it. A void row that the
/// bank shows again is restored.
fn changed_row(
    refreshed: Refreshed,
    row: &StoredTransaction,
    record: &BankTransaction,
) -> Option<StoredTransaction> {
    let row = &row.shown;
    let posted_at = posted_at(record, row.posted_at, refreshed.now);
    let status = status(record.status);
    let is_equal = row.status == status
        && row.amount == record.amount
        && row.transacted_at == record.transacted_at
        && row.posted_at == posted_at
        && row.void_at.is_none()
        && row.currency == record.currency
        && row.description == record.description;
    if is_equal {
        return None;
    }
    let shown = Transaction {
        id: row.id,
        posted_at,
        void_at: None,
        status,
        amount: record.amount,
        currency: record.currency,
        description: record.description.clone(),
        transacted_at: record.transacted_at,
        sequence: refreshed.sequence,
        updated: refreshed.now,
    };
    Some(StoredTransaction { bank_id: record.bank_id.clone(), shown })
}

/// Returns the rows without a record that the bank removed: a removal names them, or they are
/// missing from the range of a snapshot. They are in list order, so that the same input gives the
/// same output.
fn removed_rows<'a>(
    unnamed: impl Iterator<Item = &'a StoredTransaction>,
    removals: &[Removal],
    coverage: Coverage,
    refreshed: Refreshed,
) -> Vec<StoredTransaction> {
    let removed: HashMap<&str, Option<AccountTime>> =
        removals.iter().map(|removal| (removal.bank_id.as_str(), removal.vanished_at)).collect();
    let mut gone: Vec<StoredTransaction> = unnamed
        .filter(|row| row.shown.status != TransactionStatus::Void)
        .filter_map(|row| {
            let missing = match coverage {
                Coverage::Delta => false,
                Coverage::Snapshot { from, to } => (from..=to).contains(&row.shown.transacted_at),
            };
            let vanished_at = match removed.get(row.bank_id.as_str()) {
                Some(at) => *at,
                None if missing => None,
                None => return None,
            };
            let shown = Transaction {
                status: TransactionStatus::Void,
                void_at: Some(vanished_at.unwrap_or(refreshed.now)),
                sequence: refreshed.sequence,
                updated: refreshed.now,
                ..row.shown.clone()
            };
            Some(StoredTransaction { bank_id: row.bank_id.clone(), shown })
        })
        .collect();
    gone.sort_by_key(|row| row.shown.id);
    gone
}

#[cfg(test)]
#[path = "diff_tests.rs"]
mod tests;
