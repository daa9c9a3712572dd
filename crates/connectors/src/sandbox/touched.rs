//! Transactions that were added or changed: by tests, or by the timeline of a scenario. An entry of
//! the ledger is the transaction with the changes up to a time applied in their order.

use super::ledger::{LedgerEntry, natural_entry};
use super::row::Row;
use super::state::{Change, ChangeKind, StatusChange};
use model::bank::{BankStatus, BankTransaction};
use model::money::Currency;

/// A transaction that was added or changed, with its changes in order.
#[derive(Debug)]
pub(super) struct Touched<'a> {
    pub(super) bank_id: &'a str,
    /// The row before the changes. Absent if the transaction was added.
    pub(super) natural: Option<Row<'a>>,
    changes: Vec<Logged<'a>>,
}

/// A change, and the condition under which it counts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Logged<'a> {
    /// The position in the log of changes that tests made. Absent for a change of a scenario.
    pub(super) position: Option<usize>,
    pub(super) change: &'a Change,
}

impl Logged<'_> {
    fn counts(&self, now: i64, changes: usize) -> bool {
        self.position.map_or(self.change.at.0 <= now, |position| position < changes)
    }
}

impl<'a> Touched<'a> {
    /// A transaction with its first change.
    pub(super) fn of(first: Logged<'a>, natural: Option<Row<'a>>) -> Self {
        Self { bank_id: first.change.bank_id.as_str(), natural, changes: vec![first] }
    }

    /// Adds another change, in the order of the times. At one time, the change of a scenario comes
    /// before the change of a test.
    pub(super) fn push(&mut self, logged: Logged<'a>) {
        self.changes.push(logged);
        if self.is_scripted() {
            self.changes.sort_by_key(|logged| logged.change.at);
        }
    }

    /// True if a scenario made the transaction.
    pub(super) fn is_scripted(&self) -> bool {
        self.changes.first().is_some_and(|logged| logged.position.is_none())
    }

    /// The entry that the ledger showed at a time, with this number of changes in the log. Returns
    /// `None` if the transaction was not visible then.
    pub(super) fn entry(
        &self,
        currency: Currency,
        now: i64,
        changes: usize,
    ) -> Option<LedgerEntry> {
        let mut course = self.course(now, changes).peekable();
        let mut entry = match self.natural {
            Some(row) if row.transacted_at <= now => {
                // The first change of status ends the natural course.
                let ended = self.course(now, changes).find(|change| sets_status(change));
                natural_entry(&row, currency, ended.map_or(now, |change| change.at.0))
            }
            Some(_) => return None,
            None => added_entry(course.peek()?)?,
        };
        for change in course {
            apply(&mut entry, change);
        }
        Some(entry)
    }

    /// The changes that count at a time, with this number of changes in the log. A test's change of
    /// status cancels the later changes of status of a scenario.
    pub(super) fn course(&self, now: i64, changes: usize) -> impl Iterator<Item = &'a Change> {
        let counting = self.changes.iter().filter(move |logged| logged.counts(now, changes));
        let mut canceled = false;
        counting.filter_map(move |logged| {
            let sets_status = sets_status(logged.change);
            if logged.position.is_none() && sets_status && canceled {
                return None;
            }
            canceled |= logged.position.is_some() && sets_status;
            Some(logged.change)
        })
    }
}

fn sets_status(change: &Change) -> bool {
    matches!(change.kind, ChangeKind::Edit { status: Some(_), .. })
}

fn added_entry(change: &Change) -> Option<LedgerEntry> {
    let ChangeKind::Add { amount, currency, description, transacted_at, status } = &change.kind
    else {
        return None;
    };
    Some(LedgerEntry {
        transaction: BankTransaction {
            bank_id: change.bank_id.clone(),
            amount: *amount,
            currency: *currency,
            description: description.clone(),
            status: *status,
            transacted_at: *transacted_at,
            posted_at: (*status == BankStatus::Posted).then_some(change.at),
        },
        void_at: None,
        visible_from: change.at,
    })
}

fn apply(entry: &mut LedgerEntry, change: &Change) {
    let ChangeKind::Edit { status, amount, description, transacted_at } = &change.kind else {
        return;
    };
    let transaction = &mut entry.transaction;
    match status {
        None => {}
        Some(StatusChange::Post) => {
            transaction.status = BankStatus::Posted;
            transaction.posted_at = Some(change.at);
            entry.void_at = None;
        }
        Some(StatusChange::Void) => entry.void_at = Some(change.at),
        Some(StatusChange::Pend) => {
            transaction.status = BankStatus::Pending;
            transaction.posted_at = None;
            entry.void_at = None;
        }
    }
    transaction.amount = amount.unwrap_or(transaction.amount);
    transaction.transacted_at = transacted_at.unwrap_or(transaction.transacted_at);
    if let Some(description) = description {
        transaction.description.clone_from(description);
    }
}
