//! Pages of transactions for a follower who has received everything up to some moment.
//!
//! - A first fetch returns the *window*: the last 180 days, or the `window_days` of a scenario. A
//!   transaction that was older then is never reported, also after a change.
//! - A bank that *snapshots* lists its whole window each time. A transaction that is absent from
//!   the window has vanished. The window reaches back 180 days, and further if the follower's last
//!   fetch is older, so that no change is missed because it left the window between two fetches.
//! - Other banks send a *delta*: the transactions that appeared, changed or vanished since.
//! - A row that appears and disappears between two fetches is never reported.
//! - After a renumbering, the follower receives everything since its first window as a snapshot. The old ids are
//!   absent from it and therefore count as vanished.

use super::cursor::{Position, Span};
use super::ledger::{Ledger, LedgerEntry, natural_entry};
use super::profile::Walk;
use super::row::Row;
use super::touched::Touched;
use model::bank::{BankTransaction, Coverage, Removal};
use model::calendar::day_of_second;
use model::clock::{AccountTime, DAY_S};
use model::transaction::TransactionStatus;

/// The difference between two positions of a follower.
#[derive(Debug)]
pub(super) struct Feed<'a> {
    /// The ledger with the changes of the log up to the new position.
    ledger: &'a Ledger<'a>,
    snapshots: bool,
    span: Span,
    /// The first second of the follower's window.
    window_start: i64,
    /// Records and removals of a page, at least 1.
    page_rows: usize,
}

/// One page.
#[derive(Debug, Default)]
pub(super) struct Page {
    pub(super) records: Vec<BankTransaction>,
    pub(super) removals: Vec<Removal>,
    /// The start of the next page, if there is one.
    pub(super) next: Option<Position>,
}

impl Page {
    fn rows(&self) -> usize {
        self.records.len() + self.removals.len()
    }

    fn push(&mut self, item: Item) {
        match item {
            Item::Record(record) => self.records.push(record),
            Item::Removal(removal) => self.removals.push(removal),
        }
    }
}

enum Item {
    Record(BankTransaction),
    Removal(Removal),
}

impl<'a> Feed<'a> {
    /// The feed from one position to another.
    pub(super) fn of(
        ledger: &'a Ledger<'a>,
        snapshots: bool,
        span: Span,
        page_rows: usize,
    ) -> Self {
        let window_start = ledger.window_start(span.first);
        let generation = ledger.generation(span.upto.until);
        match span.since {
            Some(since) if ledger.generation(since.until) != generation => {
                let span = Span { since: None, ..span };
                Self { ledger, snapshots: true, span, window_start, page_rows }
            }
            _ => Self { ledger, snapshots, span, window_start, page_rows },
        }
    }

    /// The range that all pages cover together.
    pub(super) fn coverage(&self) -> Coverage {
        if self.snapshots {
            let (from, to) = (AccountTime(self.from()), AccountTime(self.span.upto.until));
            Coverage::Snapshot { from, to }
        } else {
            Coverage::Delta
        }
    }

    /// The first second with rows that may be in the feed.
    fn from(&self) -> i64 {
        let Some(since) = self.span.since else { return self.window_start };
        let unsettled = since.until - (self.ledger.source.profile.settle_days_max() + 1) * DAY_S;
        let listed_s = if self.snapshots { self.ledger.source.window_s } else { 0 };
        unsettled.min(self.span.upto.until - listed_s).max(self.window_start)
    }

    /// The page that begins at a position, or the first page.
    pub(super) fn page(&self, position: Option<Position>) -> Page {
        let first_day = day_of_second(self.from());
        let last_day = day_of_second(self.span.upto.until);
        let begin = position.unwrap_or(Position { day: first_day, slot: 0, touched: 0 });
        let mut page = Page::default();
        let begin_day = begin.day.max(first_day);
        let mut walk = Walk::from(self.ledger.source.profile, begin_day);
        for day in begin_day..=last_day {
            for row in walk.next() {
                if (day, row.key.slot) < (begin.day, begin.slot) {
                    continue;
                }
                let Some(item) = self.natural_item(row) else { continue };
                if page.rows() == self.page_rows {
                    page.next = Some(Position { day, slot: row.key.slot, touched: 0 });
                    return page;
                }
                page.push(item);
            }
        }
        for (number, touched) in self.ledger.touched.iter().enumerate().skip(begin.touched) {
            let Some(item) = self.touched_item(touched) else { continue };
            if page.rows() == self.page_rows {
                page.next = Some(Position { day: last_day + 1, slot: 0, touched: number });
                return page;
            }
            page.push(item);
        }
        page
    }

    /// The last second that the follower has received, or the earliest time of all.
    fn received_until(&self) -> i64 {
        self.span.since.map_or(i64::MIN, |since| since.until)
    }

    fn natural_item(&self, row: &Row<'_>) -> Option<Item> {
        let until = self.span.upto.until;
        if !self.ledger.shows(row, until) || row.transacted_at < self.window_start {
            return None;
        }
        let received_until = self.received_until();
        let appeared = row.transacted_at > received_until;
        let settled = row.settles_at <= until;
        let included = if self.snapshots {
            row.transacted_at >= self.from()
        } else {
            appeared || (settled && row.settles_at > received_until)
        };
        if !included {
            return None;
        }
        if !(row.vanishes && settled) {
            let entry = natural_entry(row, self.ledger.source.currency, until);
            return self.renamed(entry).record().map(Item::Record);
        }
        let missed = self.snapshots || appeared;
        (!missed).then(|| {
            let vanished_at = Some(AccountTime(row.settles_at));
            let bank_id = self.ledger.shown_id(row.key.bank_id(), until);
            Item::Removal(Removal { bank_id, vanished_at })
        })
    }

    /// The change of a touched transaction since the follower's last fetch. A vanished one is
    /// always removed by its id, because a test may have moved it out of a snapshot's window.
    fn touched_item(&self, touched: &Touched<'_>) -> Option<Item> {
        let currency = self.ledger.source.currency;
        let Span { first, since, upto } = self.span;
        if self.ledger.is_before_window(touched, first) {
            return None;
        }
        let received = since.and_then(|since| touched.shown(currency, since.until, since.changes));
        let shown = touched.shown(currency, upto.until, upto.changes)?;
        if received.as_ref() == Some(&shown) && !self.snapshots {
            return None;
        }
        let vanished_at = shown.void_at;
        if let Some(record) = self.renamed(shown).record() {
            return Some(Item::Record(record));
        }
        let known = received.is_some_and(|entry| entry.status() != TransactionStatus::Void);
        let bank_id = self.ledger.shown_id(touched.bank_id.to_owned(), upto.until);
        known.then_some(Item::Removal(Removal { bank_id, vanished_at }))
    }

    /// An entry under the id that the bank shows now.
    fn renamed(&self, mut entry: LedgerEntry) -> LedgerEntry {
        let bank_id = std::mem::take(&mut entry.transaction.bank_id);
        entry.renamed(self.ledger.shown_id(bank_id, self.span.upto.until))
    }
}
