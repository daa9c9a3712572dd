//! Pages of transactions: what the bank tells a follower who has heard it up to some moment.
//!
//! A bank that *snapshots* lists all of its window each time, and what it does not name there has
//! vanished. The window reaches back 180 days, and further when the follower has not asked for
//! longer: a row must not change unheard because nobody asked while it was in the window. Other
//! banks tell only what appeared, changed or vanished since.
//!
//! A row that appeared and vanished between two fetches is never told of. Who comes back after the
//! bank renumbered its ids is told all of the books anew: old ids are absent, hence vanished.

use super::cursor::{Heard, Place};
use super::days::Days;
use super::generator::{Row, SETTLE_DAYS_MAX};
use super::ledger::{Books, LedgerEntry, Touched, natural_entry};
use model::bank::{BankTransaction, Coverage, Removal};
use model::calendar::day_of_second;
use model::clock::{AccountTime, DAY_S};
use model::transaction::TransactionStatus;

/// How far back a snapshot reaches.
const WINDOW_S: i64 = 180 * DAY_S;

/// What is to be told.
#[derive(Debug)]
pub(super) struct Feed<'a> {
    /// The books, opened at the changes that are to be told.
    pub(super) books: &'a Books<'a>,
    pub(super) snapshots: bool,
    /// What the follower has heard, if anything.
    pub(super) since: Option<Heard>,
    /// What the follower will have heard.
    pub(super) upto: Heard,
    /// Records and removals of a page; at least 1.
    pub(super) page_rows: usize,
}

/// One page.
#[derive(Debug, Default)]
pub(super) struct Page {
    pub(super) records: Vec<BankTransaction>,
    pub(super) removals: Vec<Removal>,
    /// Where the next one begins, if there is one.
    pub(super) next: Option<Place>,
}

impl Page {
    fn rows(&self) -> usize {
        self.records.len() + self.removals.len()
    }

    fn push(&mut self, told: Told) {
        match told {
            Told::Record(record) => self.records.push(record),
            Told::Removal(removal) => self.removals.push(removal),
        }
    }
}

enum Told {
    Record(BankTransaction),
    Removal(Removal),
}

impl<'a> Feed<'a> {
    /// What is to be told, to a follower who has heard some.
    pub(super) fn of(
        books: &'a Books<'a>,
        snapshots: bool,
        (since, upto): (Option<Heard>, Heard),
        page_rows: usize,
    ) -> Self {
        let renumbered =
            |since: &Heard| books.generation(since.until) != books.generation(upto.until);
        match since {
            Some(since) if renumbered(&since) => {
                Self { books, snapshots: true, since: None, upto, page_rows }
            }
            since => Self { books, snapshots, since, upto, page_rows },
        }
    }

    /// What all pages together speak for.
    pub(super) fn coverage(&self) -> Coverage {
        if self.snapshots {
            let (from, to) = (AccountTime(self.from()), AccountTime(self.upto.until));
            Coverage::Snapshot { from, to }
        } else {
            Coverage::Delta
        }
    }

    /// The first second whose rows may have something to tell.
    fn from(&self) -> i64 {
        let Some(since) = self.since else { return self.books.source.start };
        let unsettled = since.until - (SETTLE_DAYS_MAX + 1) * DAY_S;
        let window = if self.snapshots { self.upto.until - WINDOW_S } else { i64::MAX };
        unsettled.min(window).max(self.books.source.start)
    }

    /// The page that begins at a place, else the first.
    pub(super) fn page(&self, place: Option<Place>) -> Page {
        let first_day = day_of_second(self.from());
        let last_day = day_of_second(self.upto.until);
        let begin = place.unwrap_or(Place { day: first_day, slot: 0, touched: 0 });
        let mut page = Page::default();
        let begin_day = begin.day.max(first_day);
        let mut days = Days::from(self.books.source.nature, begin_day);
        for day in begin_day..=last_day {
            for row in days.next() {
                if (day, row.key.slot) < (begin.day, begin.slot) {
                    continue;
                }
                let Some(told) = self.tell_natural(row) else { continue };
                if page.rows() == self.page_rows {
                    page.next = Some(Place { day, slot: row.key.slot, touched: 0 });
                    return page;
                }
                page.push(told);
            }
        }
        for (number, touched) in self.books.touched.iter().enumerate().skip(begin.touched) {
            let Some(told) = self.tell_touched(touched) else { continue };
            if page.rows() == self.page_rows {
                page.next = Some(Place { day: last_day + 1, slot: 0, touched: number });
                return page;
            }
            page.push(told);
        }
        page
    }

    /// The second up to which the follower has heard; before all time when it never has.
    fn heard_until(&self) -> i64 {
        self.since.map_or(i64::MIN, |since| since.until)
    }

    fn tell_natural(&self, row: &Row<'_>) -> Option<Told> {
        let until = self.upto.until;
        if !self.books.shows(row, until) {
            return None;
        }
        let heard_until = self.heard_until();
        let appeared = row.transacted_at > heard_until;
        let settled = row.settles_at <= until;
        let told = if self.snapshots {
            row.transacted_at >= self.from()
        } else {
            appeared || (settled && row.settles_at > heard_until)
        };
        if !told {
            return None;
        }
        if !(row.vanishes && settled) {
            let entry = natural_entry(row, self.books.source.currency, until);
            return self.renamed(entry).record().map(Told::Record);
        }
        let missed = self.snapshots || appeared;
        (!missed).then(|| {
            let vanished_at = Some(AccountTime(row.settles_at));
            let bank_id = self.books.shown_id(row.key.bank_id(), until);
            Told::Removal(Removal { bank_id, vanished_at })
        })
    }

    /// The follower holds what the books showed when it last heard; what they show now is told if it
    /// differs. A snapshot's window may not reach a row that tests moved, so its absence would not
    /// tell: it is removed by name.
    fn tell_touched(&self, touched: &Touched<'_>) -> Option<Told> {
        let currency = self.books.source.currency;
        let held = self.since.and_then(|since| touched.entry(currency, since.until, since.changes));
        let shown = touched.entry(currency, self.upto.until, self.upto.changes)?;
        if held.as_ref() == Some(&shown) && !self.snapshots {
            return None;
        }
        let vanished_at = shown.void_at;
        if let Some(record) = self.renamed(shown).record() {
            return Some(Told::Record(record));
        }
        let known = held.is_some_and(|held| held.status != TransactionStatus::Void);
        let bank_id = self.books.shown_id(touched.bank_id.to_owned(), self.upto.until);
        known.then_some(Told::Removal(Removal { bank_id, vanished_at }))
    }

    /// An entry under the id that the bank shows now.
    fn renamed(&self, entry: LedgerEntry) -> LedgerEntry {
        let bank_id = self.books.shown_id(entry.bank_id, self.upto.until);
        LedgerEntry { bank_id, ..entry }
    }
}
