//! What the bank says now, compared with what we hold: which rows are new, which changed, which
//! vanished. The heart of a refresh.
//!
//! Pure: the same records against the same rows give the same changes, and the records a second
//! time give none. Rows are matched by the bank's own id.

use crate::bank::{BankStatus, BankTransaction, Coverage, Removal};
use crate::clock::AccountTime;
use crate::id::{AccountId, LISTED_AT_MAX, TransactionId};
use crate::transaction::{HeldTransaction, Transaction, TransactionStatus};
use std::collections::HashMap;

/// What a refresh writes, and what it found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Rows to store: the new ones, and the newest form of those that changed.
    pub rows: Vec<HeldTransaction>,
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
/// `held` are the rows that the records may be about: at least all rows with a bank id among the
/// records or removals, and for a snapshot also every row with a `transacted_at` in its range; more
/// rows of the account change nothing. It is fastest when rows and records have about the same
/// order, or the opposite one. A bank id that comes twice counts once, in its last form; a removal
/// counts only if no record names the row.
pub fn diff(
    refreshed: Refreshed,
    held: &[HeldTransaction],
    records: &[BankTransaction],
    removals: &[Removal],
    coverage: Coverage,
) -> Changes {
    let mut changes = Changes::default();
    let mut named = vec![false; held.len()];
    let mut renewals = Vec::new();
    let mut ordinal = refreshed.rows;
    for (record, place) in newest_forms(held, records) {
        let Some(place) = place else {
            ordinal += 1;
            changes.rows.push(created(refreshed, ordinal, record));
            continue;
        };
        let row = &held[place];
        named[place] = true;
        match renewed(refreshed, row, record) {
            Some(newest) => {
                let was_pending = row.shown.status == TransactionStatus::Pending;
                let is_posted = newest.shown.status == TransactionStatus::Posted;
                changes.posted += usize::from(was_pending && is_posted);
                renewals.push(newest);
            }
            None => changes.untouched += 1,
        }
    }
    changes.created = changes.rows.len();
    changes.rows.append(&mut renewals);
    let unnamed = held.iter().zip(&named).filter(|(_, named)| !**named).map(|(row, _)| row);
    for row in vanished(unnamed, removals, coverage, refreshed) {
        changes.voided += 1;
        changes.rows.push(row);
    }
    changes
}

/// One record per bank id, the last one, with the place of its row among those held; in the order
/// in which the ids came first.
fn newest_forms<'a>(
    held: &[HeldTransaction],
    records: &'a [BankTransaction],
) -> Vec<(&'a BankTransaction, Option<usize>)> {
    let mut newest: Vec<(&BankTransaction, Option<usize>)> = Vec::with_capacity(records.len());
    let mut of_row: Vec<Option<usize>> = vec![None; held.len()];
    let mut of_new: HashMap<&str, usize> = HashMap::new();
    for (record, place) in records.iter().zip(places(held, records)) {
        let known = match place {
            Some(place) => of_row[place],
            None => of_new.get(record.bank_id.as_str()).copied(),
        };
        if let Some(known) = known {
            newest[known].0 = record;
            continue;
        }
        match place {
            Some(place) => of_row[place] = Some(newest.len()),
            None => {
                of_new.insert(&record.bank_id, newest.len());
            }
        }
        newest.push((record, place));
    }
    newest
}

/// The place of each record's row among those held.
///
/// A bank lists its records in much the same order every time, so a row is looked for beside the
/// last one that was found; hashing every id would cost several times as much as all the rest.
fn places(held: &[HeldTransaction], records: &[BankTransaction]) -> Vec<Option<usize>> {
    let mut last = None;
    let mut astray: HashMap<&str, Option<usize>> = HashMap::new();
    let mut places: Vec<Option<usize>> = Vec::with_capacity(records.len());
    for record in records {
        let place = near(held, last, &record.bank_id);
        if place.is_none() {
            astray.insert(&record.bank_id, None);
        }
        last = place.or(last);
        places.push(place);
    }
    if astray.is_empty() || held.is_empty() {
        return places;
    }
    for (place, row) in held.iter().enumerate() {
        if let Some(found) = astray.get_mut(row.bank_id.as_str()) {
            *found = Some(place);
        }
    }
    for (place, record) in places.iter_mut().zip(records) {
        if place.is_none() {
            *place = astray.get(record.bank_id.as_str()).copied().flatten();
        }
    }
    places
}

/// Looks for a row at most so far from the one found last.
const NEAR: usize = 8;

/// The place of a bank id near another place, or near the beginning.
fn near(held: &[HeldTransaction], last: Option<usize>, bank_id: &str) -> Option<usize> {
    let is_it = |place: &usize| held.get(*place).is_some_and(|row| row.bank_id == bank_id);
    let Some(last) = last else { return (0..NEAR).find(is_it) };
    (1..=NEAR)
        .flat_map(|distance| [Some(last + distance), last.checked_sub(distance)])
        .flatten()
        .find(is_it)
}

fn created(refreshed: Refreshed, ordinal: u32, record: &BankTransaction) -> HeldTransaction {
    // An id holds a time between 1970 and the year 36812; a bank that says otherwise is listed at
    // the nearest end, and keeps its own time in `transacted_at`.
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
    HeldTransaction { bank_id: record.bank_id.clone(), shown }
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
    row: &HeldTransaction,
    record: &BankTransaction,
) -> Option<HeldTransaction> {
    let row = &row.shown;
    let posted_at = posted_at(record, row.posted_at, refreshed.now);
    let status = status(record.status);
    let is_held = row.status == status
        && row.amount == record.amount
        && row.transacted_at == record.transacted_at
        && row.posted_at == posted_at
        && row.void_at.is_none()
        && row.currency == record.currency
        && row.description == record.description;
    if is_held {
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
    Some(HeldTransaction { bank_id: record.bank_id.clone(), shown })
}

/// Rows that no record named and that are gone: named by a removal, or missing from the range that
/// a snapshot speaks for. In the order of the list, so that the same input gives the same output.
fn vanished<'a>(
    unnamed: impl Iterator<Item = &'a HeldTransaction>,
    removals: &[Removal],
    coverage: Coverage,
    refreshed: Refreshed,
) -> Vec<HeldTransaction> {
    let removed: HashMap<&str, Option<AccountTime>> =
        removals.iter().map(|removal| (removal.bank_id.as_str(), removal.vanished_at)).collect();
    let mut gone: Vec<HeldTransaction> = unnamed
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
            Some(HeldTransaction { bank_id: row.bank_id.clone(), shown })
        })
        .collect();
    gone.sort_by_key(|row| row.shown.id);
    gone
}

#[cfg(test)]
#[path = "diff_tests.rs"]
mod tests;
