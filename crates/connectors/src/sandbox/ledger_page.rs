//! A page of an account's ledger, oldest first.
//!
//! The rows of a scenario can be many more than its text is long. So they are generated day by day, from
//! the position of the page on. A page takes the memory of its own rows and of one day.

use super::cursor::Progress;
use super::ledger::{Ledger, LedgerEntry, natural_entry};
use super::profile::{Profile, Walk};
use super::row::{Row, RowKey};
use super::touched::Touched;
use model::calendar::day_of_second;
use model::limits::LEDGER_PAGE_BYTES_MAX;
use std::ops::RangeInclusive;

/// The bytes of an entry without its texts, at least.
const ENTRY_BYTES: usize = 256;

/// The position of a page. An id is the one that the bank shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LedgerPosition<'a> {
    /// The oldest entries.
    Oldest,
    /// The entries after this one.
    After(&'a str),
    /// The entries before this one.
    Before(&'a str),
}

/// A page of a ledger.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LedgerPage {
    /// The entries, oldest first.
    pub entries: Vec<LedgerEntry>,
    /// True if the ledger has more entries in the direction of the page.
    pub has_more: bool,
}

/// The key by which entries are sorted.
type Place = (i64, String);

fn place_of(entry: &LedgerEntry) -> Place {
    (entry.transaction.transacted_at.0, entry.transaction.bank_id.clone())
}

impl Ledger<'_> {
    /// A page of the transactions at a time in the window of a follower with this first fetch. It ends
    /// after `limit` entries or [`LEDGER_PAGE_BYTES_MAX`]. Returns `None` if the window does not have
    /// the entry of the position.
    pub(super) fn page(
        &self,
        first: Option<Progress>,
        now: i64,
        position: LedgerPosition<'_>,
        limit: usize,
    ) -> Option<LedgerPage> {
        let window = Window::of(self, first, now);
        let mut page = LedgerPage::default();
        let mut bytes = 0;
        // Adds an entry. Returns false if the page is full.
        let mut add = |page: &mut LedgerPage, entry: LedgerEntry| {
            let transaction = &entry.transaction;
            bytes += ENTRY_BYTES + transaction.description.len() + transaction.bank_id.len();
            let fits = page.entries.is_empty() || bytes <= LEDGER_PAGE_BYTES_MAX;
            page.has_more = page.entries.len() == limit || !fits;
            if !page.has_more {
                page.entries.push(entry);
            }
            !page.has_more
        };
        match position {
            LedgerPosition::Oldest | LedgerPosition::After(_) => {
                let after = match position {
                    LedgerPosition::After(id) => Some(window.find(id)?),
                    _ => None,
                };
                let days = window.days();
                let from = after.as_ref().map_or(*days.start(), |(at, _)| day_of_second(*at));
                let mut walk = Walk::from(self.source.profile, from);
                let mut entries = (from..=*days.end())
                    .flat_map(|day| window.entries_of_day(day, walk.next()))
                    .skip_while(|entry| after.as_ref().is_some_and(|at| place_of(entry) <= *at));
                while entries.next().is_some_and(|entry| add(&mut page, entry)) {}
            }
            LedgerPosition::Before(id) => {
                let before = window.find(id)?;
                let from = *window.days().start();
                let mut entries = (from..=day_of_second(before.0))
                    .rev()
                    .flat_map(|day| {
                        let rows = rows_of_day(&self.source.profile, day);
                        window.entries_of_day(day, &rows).into_iter().rev()
                    })
                    .skip_while(|entry| place_of(entry) >= before);
                while entries.next().is_some_and(|entry| add(&mut page, entry)) {}
                page.entries.reverse();
            }
        }
        Some(page)
    }
}

fn rows_of_day<'a>(profile: &Profile<'a>, day: i64) -> Vec<Row<'a>> {
    let mut rows = Vec::new();
    profile.each(day..=day, |row| rows.push(*row));
    rows
}

/// The part of a ledger that a follower must have.
struct Window<'l, 'a> {
    ledger: &'l Ledger<'a>,
    now: i64,
    /// The first second.
    start: i64,
    /// The touched transactions of the window, by the times that the bank shows.
    touched: Vec<(i64, usize)>,
}

impl<'l, 'a> Window<'l, 'a> {
    fn of(ledger: &'l Ledger<'a>, first: Option<Progress>, now: i64) -> Self {
        let start = ledger.window_start(first);
        let mut window = Self { ledger, now, start, touched: Vec::new() };
        for (number, touched) in ledger.touched.iter().enumerate() {
            if !ledger.is_before_window(touched, first)
                && let Some(entry) = window.shown(touched)
            {
                window.touched.push((entry.transaction.transacted_at.0, number));
            }
        }
        window.touched.sort_unstable();
        window
    }

    /// The days that may have entries.
    fn days(&self) -> RangeInclusive<i64> {
        let (first, last) = (day_of_second(self.start), day_of_second(self.now));
        let oldest = self.touched.first().map_or(first, |(at, _)| day_of_second(*at));
        let newest = self.touched.last().map_or(last, |(at, _)| day_of_second(*at));
        first.min(oldest)..=last.max(newest)
    }

    /// A touched transaction as the bank shows it.
    fn shown(&self, touched: &Touched<'_>) -> Option<LedgerEntry> {
        let entry = self.ledger.shown_at(touched, self.now)?;
        Some(self.renamed(entry))
    }

    /// A natural row as the bank shows it, if it is in the window and no test or timeline touched it.
    fn natural(&self, row: &Row<'_>) -> Option<LedgerEntry> {
        let shows = self.ledger.shows(row, self.now) && row.transacted_at >= self.start;
        let entry = || natural_entry(row, self.ledger.source.currency, self.now);
        shows.then(|| self.renamed(entry()))
    }

    fn renamed(&self, mut entry: LedgerEntry) -> LedgerEntry {
        let bank_id = std::mem::take(&mut entry.transaction.bank_id);
        entry.renamed(self.ledger.shown_id(bank_id, self.now))
    }

    /// The entries of a day with these natural rows, in their order.
    fn entries_of_day(&self, day: i64, rows: &[Row<'_>]) -> Vec<LedgerEntry> {
        let mut entries: Vec<LedgerEntry> =
            rows.iter().filter_map(|row| self.natural(row)).collect();
        let begin = self.touched.partition_point(|(at, _)| day_of_second(*at) < day);
        let of_day = self.touched[begin..].iter().take_while(|(at, _)| day_of_second(*at) == day);
        let touched = of_day.filter_map(|(_, number)| self.shown(&self.ledger.touched[*number]));
        entries.extend(touched);
        entries.sort_by_cached_key(place_of);
        entries
    }

    /// The place of the entry that the bank shows under an id.
    fn find(&self, shown_id: &str) -> Option<Place> {
        let first_id = self.ledger.first_id(shown_id, self.now)?;
        let touched = &self.ledger.touched;
        let of_window = |(_, number): &&(i64, usize)| touched[*number].bank_id == first_id;
        let entry = if touched.iter().any(|touched| touched.bank_id == first_id) {
            self.shown(&touched[self.touched.iter().find(of_window)?.1])?
        } else {
            self.natural(&self.ledger.source.profile.find(RowKey::find(first_id)?)?)?
        };
        Some(place_of(&entry))
    }
}
