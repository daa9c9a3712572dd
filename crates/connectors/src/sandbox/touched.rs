//! Transactions that were added or changed: by tests, or by the timeline of a scenario. An entry of
//! the ledger is the transaction with the changes up to a time applied in their order.

use super::ledger::{LedgerEntry, natural_entry};
use super::row::Row;
use super::state::{Change, ChangeKind, StatusChange};
use model::bank::{BankStatus, BankTransaction};
use model::clock::AccountTime;
use model::money::Currency;
use std::ops::Range;

/// A transaction that was added or changed, with its changes in order.
#[derive(Debug)]
pub(super) struct Touched<'a> {
    pub(super) bank_id: &'a str,
    /// The row before the changes. Absent if the transaction was added.
    pub(super) natural: Option<Row<'a>>,
    changes: Vec<Logged<'a>>,
    /// The times at which fetches leave it out, in order and apart from each other.
    pub(super) omissions: Vec<Range<i64>>,
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
        Self {
            bank_id: first.change.bank_id.as_str(),
            natural,
            changes: vec![first],
            omissions: Vec::new(),
        }
    }

    /// Adds another change, in the order of the times. At one time, the change of a scenario comes
    /// before the change of a test.
    pub(super) fn push(&mut self, logged: Logged<'a>) {
        self.changes.push(logged);
        if self.is_scripted() {
            self.changes.sort_by_key(|logged| logged.change.at);
        }
    }

    /// Adds a time at which fetches leave it out.
    pub(super) fn omit(&mut self, span: Range<i64>) {
        match self.omissions.last_mut() {
            // Spans come in the order of their starts.
            Some(last) if span.start <= last.end => last.end = last.end.max(span.end),
            _ => self.omissions.push(span),
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

    /// The entry that fetches report at a time, with this number of changes in the log. A transaction
    /// that is left out is as good as vanished, with its last values from before. It returns with
    /// its current values, unless it has vanished in the meantime.
    pub(super) fn shown(
        &self,
        currency: Currency,
        now: i64,
        changes: usize,
    ) -> Option<LedgerEntry> {
        let entry = self.entry(currency, now, changes)?;
        let hides = |span: &&Range<i64>| {
            span.contains(&now) || entry.void_at.is_some_and(|at| span.contains(&at.0))
        };
        let Some(span) = self.omissions.iter().find(hides) else {
            let first = self.omissions.iter().find(|span| span.contains(&entry.visible_from.0));
            let visible_from = first.map_or(entry.visible_from, |span| AccountTime(span.end));
            return Some(LedgerEntry { visible_from, ..entry });
        };
        let later = self.changes.iter().filter(|logged| logged.change.at.0 >= span.start);
        let later = later.filter_map(|logged| logged.position).min();
        let changes = changes.min(later.unwrap_or(usize::MAX));
        let before = self.shown(currency, span.start - 1, changes)?;
        let void_at = before.void_at.or(Some(AccountTime(span.start)));
        Some(LedgerEntry { void_at, ..before })
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
