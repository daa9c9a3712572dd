//! The bank's own books of one account: what happens by itself (`life`) with what tests
//! changed on top. A pure function of seed, link time, log of changes and time.
//!
//! The books begin at the *start*: so many days before the link, never moved afterwards, so a row
//! that was in them stays in them. Movements that were under way at the start are booked at the
//! start; hence the balance at any time is the opening balance plus all that the books show posted.
//!
//! A transaction that tests added or changed is *touched*. What a change says holds from then on; a
//! change of status also ends the natural course of a row.

use super::calendar::day_of_second;
use super::life::{Life, Row, RowKey, SETTLE_DAYS_MAX};
use super::state::{BalanceOffset, Change, StatusChange, What};
use model::bank::{BankStatus, BankTransaction};
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
    pub(super) natural: Option<Row>,
    pub(super) changes: Vec<(usize, &'a Change)>,
}

/// The books, opened at a place of the log.
#[derive(Debug)]
pub(super) struct Books<'a> {
    pub(super) life: Life,
    /// The second with which the books begin. Natural rows come after it.
    pub(super) start: i64,
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
    pub(super) fn open(life: Life, start: i64, changes: &'a [Change]) -> Self {
        let mut touched: Vec<Touched<'a>> = Vec::new();
        let mut places: HashMap<&str, usize> = HashMap::new();
        let mut touched_rows = HashSet::new();
        for numbered in changes.iter().enumerate() {
            let bank_id = numbered.1.bank_id.as_str();
            if let Some(place) = places.get(bank_id) {
                touched[*place].changes.push(numbered);
                continue;
            }
            let natural = RowKey::find(bank_id).and_then(|key| life.find(key));
            if natural.is_none() && matches!(numbered.1.what, What::Edit { .. }) {
                // An edit of nothing; steering refuses these, so no log holds one.
                continue;
            }
            touched_rows.extend(natural.map(|row| row.key));
            places.insert(bank_id, touched.len());
            touched.push(Touched { bank_id, natural, changes: vec![numbered] });
        }
        Self { life, start, touched, touched_rows, changes: changes.len() }
    }

    /// Whether the books show a natural row as nature made it, at a time.
    pub(super) fn shows(&self, row: &Row, now: i64) -> bool {
        self.start < row.transacted_at
            && row.transacted_at <= now
            && (self.touched_rows.is_empty() || !self.touched_rows.contains(&row.key))
    }

    /// Every transaction that the books show at a time, oldest first.
    pub(super) fn entries(&self, now: i64) -> Vec<LedgerEntry> {
        let mut entries = Vec::new();
        self.life.each(day_of_second(self.start)..=day_of_second(now), |row| {
            if self.shows(row, now) {
                entries.push(natural_entry(row, now));
            }
        });
        entries.extend(self.touched.iter().filter_map(|touched| touched.entry(now, self.changes)));
        entries.sort_by(|one, two| {
            (one.transacted_at, &one.bank_id).cmp(&(two.transacted_at, &two.bank_id))
        });
        entries
    }

    /// The transaction of a bank's id, as of a time.
    pub(super) fn find(&self, bank_id: &str, now: i64) -> Option<LedgerEntry> {
        if let Some(touched) = self.touched.iter().find(|touched| touched.bank_id == bank_id) {
            return touched.entry(now, self.changes);
        }
        let row = self.life.find(RowKey::find(bank_id)?)?;
        self.shows(&row, now).then(|| natural_entry(&row, now))
    }

    /// What is posted, and what is posted or pending.
    pub(super) fn sums(&self, now: i64, offset: Option<BalanceOffset>) -> (Sums, Sums) {
        let natural = self.life.balance(now).saturating_add(self.under_way_at_start(now));
        let mut current = Sums::from([(Currency::USD, natural)]);
        let mut available =
            Sums::from([(Currency::USD, natural.saturating_add(self.natural_pending(now)))]);
        for touched in &self.touched {
            let (posted, pending) = touched.natural.map_or((0, 0), |row| natural_part(&row, now));
            add(&mut current, Currency::USD, posted.saturating_neg());
            add(&mut available, Currency::USD, posted.saturating_add(pending).saturating_neg());
            let Some(entry) = touched.entry(now, self.changes) else { continue };
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
            add(&mut current, Currency::USD, offset.current);
            add(&mut available, Currency::USD, offset.available);
        }
        (current, available)
    }

    /// What was pending at the start and is posted after `now`: the books have it from the start.
    fn under_way_at_start(&self, now: i64) -> i64 {
        let day = day_of_second(self.start);
        if day_of_second(now) > day + SETTLE_DAYS_MAX {
            return 0;
        }
        let mut sum = 0;
        self.life.each(day - SETTLE_DAYS_MAX..=day, |row| {
            let under_way = row.transacted_at <= self.start && !row.vanishes;
            sum += if under_way && row.settles_at > now { row.amount } else { 0 };
        });
        sum
    }

    /// What nature has announced since the start and not settled.
    fn natural_pending(&self, now: i64) -> i64 {
        let day = day_of_second(self.start);
        if day_of_second(now) > day + SETTLE_DAYS_MAX {
            return self.life.pending(now);
        }
        let mut sum = 0;
        self.life.each(day..=day_of_second(now), |row| {
            let counts = row.transacted_at > self.start && row.is_pending(now);
            sum += if counts { row.announced } else { 0 };
        });
        sum
    }
}

fn add(sums: &mut Sums, currency: Currency, amount: i64) {
    let sum = sums.entry(currency).or_default();
    *sum = sum.saturating_add(amount);
}

/// What a natural row would add to the posted and to the pending sum.
fn natural_part(row: &Row, now: i64) -> (i64, i64) {
    if row.is_posted(now) {
        (row.amount, 0)
    } else if row.is_pending(now) {
        (0, row.announced)
    } else {
        (0, 0)
    }
}

/// A natural row as of a time at or after its `transacted_at`.
pub(super) fn natural_entry(row: &Row, now: i64) -> LedgerEntry {
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
        currency: Currency::USD,
        description: row.description(),
        status,
        transacted_at: AccountTime(row.transacted_at),
        posted_at: settled_at(TransactionStatus::Posted),
        void_at: settled_at(TransactionStatus::Void),
        visible_from: AccountTime(row.transacted_at),
    }
}

impl Touched<'_> {
    /// As the books showed it at a time when the log held so many changes; nothing before it was
    /// visible.
    pub(super) fn entry(&self, now: i64, changes: usize) -> Option<LedgerEntry> {
        let made = || self.changes.iter().filter(|(number, _)| *number < changes);
        let mut entry = match self.natural {
            Some(row) if row.transacted_at <= now => {
                // The first change of status by hand ends the natural course.
                let by_hand = made()
                    .map(|(_, change)| *change)
                    .find(|change| matches!(change.what, What::Edit { status: Some(_), .. }));
                natural_entry(&row, by_hand.map_or(now, |change| change.at.0))
            }
            Some(_) => return None,
            None => added_entry(made().next()?.1)?,
        };
        for (_, change) in made() {
            apply(&mut entry, change);
        }
        Some(entry)
    }
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
