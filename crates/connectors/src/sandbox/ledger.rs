//! The bank's own books of one account: what happens by itself (`life`) with what tests
//! changed on top. A pure function of seed, link time, log of changes and time.
//!
//! The books begin at the *start*: so many days before the link, never moved afterwards, so a row
//! that was in them stays in them. Movements that were under way at the start are booked at the
//! start; hence the balance at any time is the opening balance plus all that the books show posted.
//!
//! A transaction that tests added or changed is *touched*. What a change says holds from then on; a
//! change of status also ends the natural course of a row. The timeline of a scenario is a log of
//! changes too, which hold when their time comes; a change of status by hand ends its course as well.
//!
//! A bank that *renumbers* shows other ids from then on. Inside, a transaction keeps its first id.

use super::generator::{Row, RowKey, SETTLE_DAYS_MAX};
use super::profile::Nature;
use super::state::{BalanceOffset, Change, StatusChange, What};
use model::bank::{BankStatus, BankTransaction};
use model::calendar::day_of_second;
use model::clock::AccountTime;
use model::money::Currency;
use model::transaction::TransactionStatus;
use std::collections::{BTreeMap, HashMap, HashSet};

/// A transaction as the bank's own books show it, vanished ones included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerEntry {
    /// The bank's own id.
    pub bank_id: String,
    /// Minor units; negative is money out.
    pub amount: i64,
    /// The currency of `amount`.
    pub currency: Currency,
    /// The bank's text.
    pub description: String,
    /// Where it stands.
    pub status: TransactionStatus,
    /// When it took place.
    pub transacted_at: AccountTime,
    /// When it was posted, if it was.
    pub posted_at: Option<AccountTime>,
    /// When it vanished, if it did.
    pub void_at: Option<AccountTime>,
    /// When the bank first showed it. A follower that did not look between this and `void_at` never
    /// heard of it.
    pub visible_from: AccountTime,
}

impl LedgerEntry {
    /// What a fetch reports; nothing for a vanished one.
    pub(super) fn record(self) -> Option<BankTransaction> {
        let status = match self.status {
            TransactionStatus::Pending => BankStatus::Pending,
            TransactionStatus::Posted => BankStatus::Posted,
            TransactionStatus::Void => return None,
        };
        Some(BankTransaction {
            bank_id: self.bank_id,
            amount: self.amount,
            currency: self.currency,
            description: self.description,
            status,
            transacted_at: self.transacted_at,
            posted_at: self.posted_at,
        })
    }
}

/// A transaction that tests added or changed, with its changes and their places in the log.
#[derive(Debug)]
pub(super) struct Touched<'a> {
    pub(super) bank_id: &'a str,
    /// What it was before; absent when it was added.
    pub(super) natural: Option<Row<'a>>,
    pub(super) changes: Vec<Made<'a>>,
}

/// A change, and when it counts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Made<'a> {
    /// Its place in the log of what tests did; none when a scenario says it.
    place: Option<usize>,
    change: &'a Change,
}

impl Made<'_> {
    fn counts(&self, now: i64, changes: usize) -> bool {
        self.place.map_or(self.change.at.0 <= now, |place| place < changes)
    }
}

/// What an account's books are made of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Source<'a> {
    pub(super) nature: Nature<'a>,
    /// The currency of the natural rows.
    pub(super) currency: Currency,
    /// The second with which the books begin. Natural rows come after it.
    pub(super) start: i64,
    /// When the account was linked.
    pub(super) linked_at: i64,
    /// The timeline of a scenario, in the order of its times.
    pub(super) script: &'a [Change],
    /// When the bank renumbers its ids, in order.
    pub(super) renumberings: &'a [i64],
}

/// The books, opened at a place of the log.
#[derive(Debug)]
pub(super) struct Books<'a> {
    pub(super) source: Source<'a>,
    /// In the order in which they were first touched.
    pub(super) touched: Vec<Touched<'a>>,
    touched_rows: HashSet<RowKey>,
    /// How many changes of the log count.
    changes: usize,
}

/// Minor units by currency.
pub(super) type Sums = BTreeMap<Currency, i64>;

impl<'a> Books<'a> {
    /// Opens the books; `changes` is the part of the log that counts.
    pub(super) fn open(source: Source<'a>, changes: &'a [Change]) -> Self {
        let mut touched: Vec<Touched<'a>> = Vec::new();
        let mut places: HashMap<&str, usize> = HashMap::new();
        let mut touched_rows = HashSet::new();
        let scripted = source.script.iter().map(|change| Made { place: None, change });
        let by_hand = changes.iter().zip(0..);
        let by_hand = by_hand.map(|(change, place)| Made { place: Some(place), change });
        for made in scripted.chain(by_hand) {
            let bank_id = made.change.bank_id.as_str();
            if let Some(place) = places.get(bank_id) {
                touched[*place].push(made);
                continue;
            }
            let natural = RowKey::find(bank_id).and_then(|key| source.nature.find(key));
            if natural.is_none() && matches!(made.change.what, What::Edit { .. }) {
                // An edit of nothing; steering refuses these, so no log holds one.
                continue;
            }
            touched_rows.extend(natural.map(|row| row.key));
            places.insert(bank_id, touched.len());
            touched.push(Touched { bank_id, natural, changes: vec![made] });
        }
        Self { source, touched, touched_rows, changes: changes.len() }
    }

    /// How often the bank has renumbered by a time.
    pub(super) fn generation(&self, at: i64) -> usize {
        self.source.renumberings.iter().filter(|renumbered| **renumbered <= at).count()
    }

    /// The id that the bank shows at a time.
    pub(super) fn shown_id(&self, bank_id: String, at: i64) -> String {
        match self.generation(at) {
            0 => bank_id,
            generation => format!("r{generation}.{bank_id}"),
        }
    }

    /// The first id of what the bank shows under an id at a time.
    pub(super) fn first_id<'i>(&self, shown: &'i str, at: i64) -> Option<&'i str> {
        match self.generation(at) {
            0 => Some(shown),
            generation => shown.strip_prefix(&format!("r{generation}.")),
        }
    }

    /// Whether the books show a natural row as nature made it, at a time.
    pub(super) fn shows(&self, row: &Row<'_>, now: i64) -> bool {
        self.source.start < row.transacted_at
            && row.transacted_at <= now
            && (self.touched_rows.is_empty() || !self.touched_rows.contains(&row.key))
    }

    /// Every transaction that the books show at a time, oldest first.
    pub(super) fn entries(&self, now: i64) -> Vec<LedgerEntry> {
        let mut entries = Vec::new();
        let nature = self.source.nature;
        nature.each(day_of_second(self.source.start)..=day_of_second(now), |row| {
            if self.shows(row, now) {
                entries.push(natural_entry(row, self.source.currency, now));
            }
        });
        entries.extend(self.touched.iter().filter_map(|touched| self.entry(touched, now)));
        for entry in &mut entries {
            entry.bank_id = self.shown_id(std::mem::take(&mut entry.bank_id), now);
        }
        entries.sort_by(|one, two| {
            (one.transacted_at, &one.bank_id).cmp(&(two.transacted_at, &two.bank_id))
        });
        entries
    }

    /// The transaction of a bank's id, as of a time.
    pub(super) fn find(&self, bank_id: &str, now: i64) -> Option<LedgerEntry> {
        let first = self.first_id(bank_id, now)?;
        let touched = self.touched.iter().find(|touched| touched.bank_id == first);
        let entry = if let Some(touched) = touched {
            self.entry(touched, now)?
        } else {
            let row = self.source.nature.find(RowKey::find(first)?)?;
            self.shows(&row, now).then(|| natural_entry(&row, self.source.currency, now))?
        };
        Some(LedgerEntry { bank_id: bank_id.to_owned(), ..entry })
    }

    /// A touched transaction as of a time, under its first id.
    pub(super) fn entry(&self, touched: &Touched<'_>, now: i64) -> Option<LedgerEntry> {
        touched.entry(self.source.currency, now, self.changes)
    }

    /// What happened to a touched transaction by a time, in order.
    pub(super) fn course(&self, touched: &Touched<'a>, now: i64) -> Vec<&'a Change> {
        touched.course(now, self.changes).collect()
    }

    /// What is posted, and what is posted or pending.
    pub(super) fn sums(&self, now: i64, offset: Option<BalanceOffset>) -> (Sums, Sums) {
        let currency = self.source.currency;
        let posted = self.natural_posted(now).saturating_sub(self.scripted_at_link());
        let pending = self.source.nature.pending_since(self.source.start, now);
        let mut current = Sums::from([(currency, posted)]);
        let mut available = Sums::from([(currency, posted.saturating_add(pending))]);
        for touched in &self.touched {
            let (posted, pending) = touched.natural.map_or((0, 0), |row| natural_part(&row, now));
            add(&mut current, currency, posted.saturating_neg());
            add(&mut available, currency, posted.saturating_add(pending).saturating_neg());
            let Some(entry) = self.entry(touched, now) else { continue };
            match entry.status {
                TransactionStatus::Posted => {
                    add(&mut current, entry.currency, entry.amount);
                    add(&mut available, entry.currency, entry.amount);
                }
                TransactionStatus::Pending => add(&mut available, entry.currency, entry.amount),
                TransactionStatus::Void => {}
            }
        }
        if let Some(offset) = offset {
            add(&mut current, currency, offset.current);
            add(&mut available, currency, offset.available);
        }
        (current, available)
    }

    /// What nature has posted by a time.
    fn natural_posted(&self, now: i64) -> i64 {
        match self.source.nature {
            Nature::Life(life) => life.balance(now).saturating_add(self.under_way_at_start(now)),
            Nature::Routine(routine) => {
                routine.posted(now, |row| row.transacted_at > self.source.start)
            }
        }
    }

    /// What a scenario's timeline posted before the link: its balance at the link has that in it.
    fn scripted_at_link(&self) -> i64 {
        let before = self.source.linked_at - 1;
        let scripted = self.touched.iter().filter(|touched| touched.is_scripted());
        // Whatever was done by hand was done after the link.
        let entries = scripted.filter_map(|touched| touched.entry(self.source.currency, before, 0));
        let posted = entries.filter(|entry| entry.status == TransactionStatus::Posted);
        posted.fold(0, |sum, entry| entry.amount.saturating_add(sum))
    }

    /// What was pending at the start and is posted after `now`: the books have it from the start.
    fn under_way_at_start(&self, now: i64) -> i64 {
        let start = self.source.start;
        let day = day_of_second(start);
        if day_of_second(now) > day + SETTLE_DAYS_MAX {
            return 0;
        }
        let mut sum = 0;
        self.source.nature.each(day - SETTLE_DAYS_MAX..=day, |row| {
            let under_way = row.transacted_at <= start && !row.vanishes;
            sum += if under_way && row.settles_at > now { row.amount } else { 0 };
        });
        sum
    }
}

fn add(sums: &mut Sums, currency: Currency, amount: i64) {
    let sum = sums.entry(currency).or_default();
    *sum = sum.saturating_add(amount);
}

/// What a natural row would add to the posted and to the pending sum.
fn natural_part(row: &Row<'_>, now: i64) -> (i64, i64) {
    if row.is_posted(now) {
        (row.amount, 0)
    } else if row.is_pending(now) {
        (0, row.announced)
    } else {
        (0, 0)
    }
}

/// A natural row as of a time at or after its `transacted_at`.
pub(super) fn natural_entry(row: &Row<'_>, currency: Currency, now: i64) -> LedgerEntry {
    let settled = row.settles_at <= now;
    let (status, amount) = match (settled, row.vanishes) {
        (false, _) => (TransactionStatus::Pending, row.announced),
        (true, false) => (TransactionStatus::Posted, row.amount),
        (true, true) => (TransactionStatus::Void, row.announced),
    };
    let settled_at = |wanted| (status == wanted).then_some(AccountTime(row.settles_at));
    LedgerEntry {
        bank_id: row.key.bank_id(),
        amount,
        currency,
        description: row.description(),
        status,
        transacted_at: AccountTime(row.transacted_at),
        posted_at: settled_at(TransactionStatus::Posted),
        void_at: settled_at(TransactionStatus::Void),
        visible_from: AccountTime(row.transacted_at),
    }
}

impl<'a> Touched<'a> {
    /// Takes another change in, in the order of their times; at the same time, what a scenario says
    /// comes before what was done by hand.
    fn push(&mut self, made: Made<'a>) {
        self.changes.push(made);
        if self.is_scripted() {
            self.changes.sort_by_key(|made| made.change.at);
        }
    }

    /// Whether a scenario made it.
    fn is_scripted(&self) -> bool {
        self.changes.first().is_some_and(|made| made.place.is_none())
    }

    /// As the books showed it at a time when the log held so many changes; nothing before it was
    /// visible.
    pub(super) fn entry(
        &self,
        currency: Currency,
        now: i64,
        changes: usize,
    ) -> Option<LedgerEntry> {
        let mut course = self.course(now, changes).peekable();
        let mut entry = match self.natural {
            Some(row) if row.transacted_at <= now => {
                // The first change of status by hand ends the natural course.
                let by_hand = self.course(now, changes).find(|change| sets_status(change));
                natural_entry(&row, currency, by_hand.map_or(now, |change| change.at.0))
            }
            Some(_) => return None,
            None => added_entry(course.peek()?)?,
        };
        for change in course {
            apply(&mut entry, change);
        }
        Some(entry)
    }

    /// The changes that count at a time when the log held so many, without those of a scenario that
    /// tests forestalled.
    fn course(&self, now: i64, changes: usize) -> impl Iterator<Item = &'a Change> {
        let counting = self.changes.iter().filter(move |made| made.counts(now, changes));
        let mut forestalled = false;
        counting.filter_map(move |made| {
            let sets_status = sets_status(made.change);
            if made.place.is_none() && sets_status && forestalled {
                return None;
            }
            forestalled |= made.place.is_some() && sets_status;
            Some(made.change)
        })
    }
}

fn sets_status(change: &Change) -> bool {
    matches!(change.what, What::Edit { status: Some(_), .. })
}

fn added_entry(change: &Change) -> Option<LedgerEntry> {
    let What::Add { amount, currency, description, transacted_at, status } = &change.what else {
        return None;
    };
    let posted = *status == BankStatus::Posted;
    Some(LedgerEntry {
        bank_id: change.bank_id.clone(),
        amount: *amount,
        currency: *currency,
        description: description.clone(),
        status: if posted { TransactionStatus::Posted } else { TransactionStatus::Pending },
        transacted_at: *transacted_at,
        posted_at: posted.then_some(change.at),
        void_at: None,
        visible_from: change.at,
    })
}

fn apply(entry: &mut LedgerEntry, change: &Change) {
    let What::Edit { status, amount, description, transacted_at } = &change.what else { return };
    match status {
        None => {}
        Some(StatusChange::Post) => {
            entry.status = TransactionStatus::Posted;
            entry.posted_at = Some(change.at);
        }
        Some(StatusChange::Void) => {
            entry.status = TransactionStatus::Void;
            entry.void_at = Some(change.at);
        }
        Some(StatusChange::Pend) => {
            entry.status = TransactionStatus::Pending;
            entry.posted_at = None;
            entry.void_at = None;
        }
    }
    entry.amount = amount.unwrap_or(entry.amount);
    entry.transacted_at = transacted_at.unwrap_or(entry.transacted_at);
    if let Some(description) = description {
        entry.description.clone_from(description);
    }
}
