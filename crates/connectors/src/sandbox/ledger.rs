//! The bank's own ledger of one account: its natural rows, with the changes of tests and timelines
//! applied. A pure function of seed, link time, log of changes and time.
//!
//! - The ledger begins at its *start*, a fixed number of days before the link. The start never
//!   moves, so a row that is in the ledger stays there. Rows that were pending at the start are
//!   posted at the start. The balance at any time is therefore the opening balance plus all posted
//!   entries of the ledger, in each currency alone.
//! - A follower has a *window* of the ledger, which begins a number of days before its first fetch.
//! - A transaction that was added or changed is *touched*. A change counts from its own time. A
//!   change of status also ends the natural course of a row.
//! - The timeline of a scenario is a log of changes as well, and each counts from its time. A
//!   change of status by a test ends the timeline's course of a transaction.
//! - A scenario may leave a transaction out of fetches for some time. The balance contains it all the
//!   same.
//! - A bank that *renumbers* shows new ids from then on. The ledger keeps the first id of each
//!   transaction.

use super::cursor::Progress;
use super::plan::{Omission, Opening};
use super::profile::Profile;
use super::row::{Row, RowKey, SETTLE_DAYS_MAX};
use super::state::{Change, ChangeKind};
use super::sums::{Offsets, Sums, add};
use super::touched::{Logged, Touched};
use model::bank::{BankStatus, BankTransaction};
use model::calendar::day_of_second;
use model::clock::AccountTime;
use model::money::Currency;
use model::transaction::TransactionStatus;
use std::collections::{HashMap, HashSet};

/// A transaction in the bank's own ledger, vanished ones included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerEntry {
    /// The transaction as the bank shows it, or last showed it before it vanished.
    pub transaction: BankTransaction,
    /// The time at which it vanished, if it did.
    pub void_at: Option<AccountTime>,
    /// The time at which the bank first showed it. A follower that did not fetch between this time
    /// and `void_at` never received it.
    pub visible_from: AccountTime,
}

impl LedgerEntry {
    /// The status at the bank.
    pub fn status(&self) -> TransactionStatus {
        match (self.void_at, self.transaction.status) {
            (Some(_), _) => TransactionStatus::Void,
            (None, BankStatus::Pending) => TransactionStatus::Pending,
            (None, BankStatus::Posted) => TransactionStatus::Posted,
        }
    }

    /// The record that a fetch reports. Returns `None` for a vanished transaction.
    pub(super) fn record(self) -> Option<BankTransaction> {
        self.void_at.is_none().then_some(self.transaction)
    }

    /// The same entry under another id.
    pub(super) fn renamed(mut self, bank_id: String) -> Self {
        self.transaction.bank_id = bank_id;
        self
    }
}

/// The facts that an account's ledger is computed from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Source<'a> {
    pub(super) profile: Profile<'a>,
    /// The account's own currency.
    pub(super) currency: Currency,
    /// The balances at the link of an account of a scenario, by currency.
    pub(super) openings: &'a [Opening],
    /// The first second of the ledger. Natural rows come after it.
    pub(super) start: i64,
    /// The length of a follower's window before its first fetch, in seconds.
    pub(super) window_s: i64,
    /// The second of the first link.
    pub(super) linked_at: i64,
    /// The timeline of a scenario, in the order of its times.
    pub(super) script: &'a [Change],
    /// The times at which the bank renumbers its ids, in order.
    pub(super) renumberings: &'a [i64],
    /// The times at which fetches leave transactions out, in the order of their starts.
    pub(super) omissions: &'a [Omission],
}

/// The ledger, opened at a position of the log.
#[derive(Debug)]
pub(super) struct Ledger<'a> {
    pub(super) source: Source<'a>,
    /// In the order of their first changes.
    pub(super) touched: Vec<Touched<'a>>,
    touched_rows: HashSet<RowKey>,
    /// The number of changes in the log that count.
    changes: usize,
}

impl<'a> Ledger<'a> {
    /// Opens the ledger with the part of the log that counts.
    pub(super) fn open(source: Source<'a>, changes: &'a [Change]) -> Self {
        let mut touched: Vec<Touched<'a>> = Vec::new();
        let mut positions: HashMap<&str, usize> = HashMap::new();
        let mut touched_rows = HashSet::new();
        let scripted = source.script.iter().map(|change| Logged { position: None, change });
        let by_hand = changes.iter().zip(0..);
        let by_hand = by_hand.map(|(change, position)| Logged { position: Some(position), change });
        for logged in scripted.chain(by_hand) {
            let bank_id = logged.change.bank_id.as_str();
            if let Some(position) = positions.get(bank_id) {
                touched[*position].push(logged);
                continue;
            }
            let natural = RowKey::find(bank_id).and_then(|key| source.profile.find(key));
            if natural.is_none() && matches!(logged.change.kind, ChangeKind::Edit { .. }) {
                // An edit needs a transaction. Control rejects an edit without one, so this edit
                // belongs to a log that another version wrote.
                continue;
            }
            touched_rows.extend(natural.map(|row| row.key));
            positions.insert(bank_id, touched.len());
            touched.push(Touched::of(logged, natural));
        }
        for Omission { bank_id, from, until } in source.omissions {
            if let Some(position) = positions.get(bank_id.as_str()) {
                touched[*position].omit(*from..*until);
            }
        }
        Self { source, touched, touched_rows, changes: changes.len() }
    }

    /// The number of renumberings by a time.
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

    /// The first id of the transaction that the bank shows under an id at a time.
    pub(super) fn first_id<'i>(&self, shown: &'i str, at: i64) -> Option<&'i str> {
        match self.generation(at) {
            0 => Some(shown),
            generation => shown.strip_prefix(&format!("r{generation}.")),
        }
    }

    /// True if the ledger shows a natural row without changes at a time.
    pub(super) fn shows(&self, row: &Row<'_>, now: i64) -> bool {
        self.source.start < row.transacted_at
            && row.transacted_at <= now
            && (self.touched_rows.is_empty() || !self.touched_rows.contains(&row.key))
    }

    /// The first second of the window of a follower with this first fetch. Without it, the start of
    /// the ledger.
    pub(super) fn window_start(&self, first: Option<Progress>) -> i64 {
        let start = self.source.start;
        first.map_or(start, |first| first.until.saturating_sub(self.source.window_s).max(start))
    }

    /// True if a touched transaction was older than the follower's window at the first fetch.
    pub(super) fn is_before_window(&self, touched: &Touched<'_>, first: Option<Progress>) -> bool {
        let Some(progress) = first else { return false };
        let entry = touched.entry(self.source.currency, progress.until, progress.changes);
        entry.is_some_and(|entry| entry.transaction.transacted_at.0 < self.window_start(first))
    }

    /// Every transaction of the ledger at a time, oldest first.
    pub(super) fn entries(&self, now: i64) -> Vec<LedgerEntry> {
        self.window(None, now)
    }

    /// The transactions at a time in the window of a follower with this first fetch, oldest first.
    pub(super) fn window(&self, first: Option<Progress>, now: i64) -> Vec<LedgerEntry> {
        let mut entries = Vec::new();
        let profile = self.source.profile;
        let start = self.window_start(first);
        profile.each(day_of_second(start)..=day_of_second(now), |row| {
            if self.shows(row, now) && row.transacted_at >= start {
                entries.push(natural_entry(row, self.source.currency, now));
            }
        });
        let within = self.touched.iter().filter(|touched| !self.is_before_window(touched, first));
        entries.extend(within.filter_map(|touched| self.shown_at(touched, now)));
        for entry in &mut entries {
            let bank_id = &mut entry.transaction.bank_id;
            *bank_id = self.shown_id(std::mem::take(bank_id), now);
        }
        entries.sort_by(|one, two| {
            let (one, two) = (&one.transaction, &two.transaction);
            (one.transacted_at, &one.bank_id).cmp(&(two.transacted_at, &two.bank_id))
        });
        entries
    }

    /// The transaction that the bank shows under an id at a time.
    pub(super) fn find(&self, bank_id: &str, now: i64) -> Option<LedgerEntry> {
        let first = self.first_id(bank_id, now)?;
        let touched = self.touched.iter().find(|touched| touched.bank_id == first);
        let entry = if let Some(touched) = touched {
            self.entry(touched, now)?
        } else {
            let row = self.source.profile.find(RowKey::find(first)?)?;
            self.shows(&row, now).then(|| natural_entry(&row, self.source.currency, now))?
        };
        Some(entry.renamed(bank_id.to_owned()))
    }

    /// A touched transaction at a time, under its first id.
    pub(super) fn entry(&self, touched: &Touched<'_>, now: i64) -> Option<LedgerEntry> {
        touched.entry(self.source.currency, now, self.changes)
    }

    /// A touched transaction as fetches report it at a time, under its first id.
    pub(super) fn shown_at(&self, touched: &Touched<'_>, now: i64) -> Option<LedgerEntry> {
        touched.shown(self.source.currency, now, self.changes)
    }

    /// The changes of a touched transaction by a time, in order.
    pub(super) fn course(&self, touched: &Touched<'a>, now: i64) -> Vec<&'a Change> {
        touched.course(now, self.changes).collect()
    }

    /// The posted sums, and the sums of posted and pending transactions.
    pub(super) fn sums(&self, now: i64) -> (Sums, Sums) {
        let own = self.source.currency;
        let mut current = self.natural_posted(now);
        for (currency, amount) in self.scripted_at_link() {
            add(&mut current, currency, amount.saturating_neg());
        }
        let mut available = current.clone();
        for (currency, amount) in self.source.profile.pending_since(self.source.start, now, own) {
            add(&mut available, currency, amount);
        }
        for touched in &self.touched {
            if let Some(row) = touched.natural {
                let (posted, pending) = natural_part(&row, now);
                let currency = row.currency.unwrap_or(own);
                add(&mut current, currency, posted.saturating_neg());
                add(&mut available, currency, posted.saturating_add(pending).saturating_neg());
            }
            let Some(entry) = self.entry(touched, now) else { continue };
            let (amount, currency) = (entry.transaction.amount, entry.transaction.currency);
            match entry.status() {
                TransactionStatus::Posted => {
                    add(&mut current, currency, amount);
                    add(&mut available, currency, amount);
                }
                TransactionStatus::Pending => add(&mut available, currency, amount),
                TransactionStatus::Void => {}
            }
        }
        (current, available)
    }

    /// The balances: the sums with the differences of each currency.
    pub(super) fn balances(&self, now: i64, offsets: &Offsets) -> (Sums, Sums) {
        let (mut current, mut available) = self.sums(now);
        for (currency, offset) in offsets {
            add(&mut current, *currency, offset.current);
            add(&mut available, *currency, offset.available);
        }
        (current, available)
    }

    /// The sums of the natural rows that are posted by a time. They contain the opening balances.
    fn natural_posted(&self, now: i64) -> Sums {
        let mut sums = match self.source.profile {
            Profile::Generator(generator) => {
                let posted = generator.balance(now).saturating_add(self.pending_at_start(now));
                Sums::from([(self.source.currency, posted)])
            }
            Profile::Routine(routine) => {
                routine.posted(now, |row| row.transacted_at > self.source.start)
            }
        };
        for opening in self.source.openings {
            add(&mut sums, opening.currency, opening.balance);
        }
        sums
    }

    /// The sums that a scenario's timeline posted before the link, in the currencies with an
    /// opening balance. The opening balance already contains them. In any other currency, the
    /// ledger begins at zero.
    fn scripted_at_link(&self) -> Sums {
        let own = self.source.currency;
        let before = self.source.linked_at - 1;
        let mut sums = Sums::new();
        for touched in self.touched.iter().filter(|touched| touched.is_scripted()) {
            // Tests make their changes after the link, so the number of changes that count is 0.
            let Some(entry) = touched.entry(own, before, 0) else { continue };
            let currency = entry.transaction.currency;
            let opens = self.source.openings.iter().any(|opening| opening.currency == currency);
            if opens && entry.status() == TransactionStatus::Posted {
                add(&mut sums, currency, entry.transaction.amount);
            }
        }
        sums
    }

    /// The sum of the rows that were pending at the start and are posted after `now`. The ledger
    /// contains them from the start.
    fn pending_at_start(&self, now: i64) -> i64 {
        let start = self.source.start;
        let day = day_of_second(start);
        if day_of_second(now) > day + SETTLE_DAYS_MAX {
            return 0;
        }
        let mut sum = 0;
        self.source.profile.each(day - SETTLE_DAYS_MAX..=day, |row| {
            let pending = row.transacted_at <= start && !row.vanishes;
            sum += if pending && row.settles_at > now { row.amount } else { 0 };
        });
        sum
    }
}

/// The parts of a natural row in the posted sum and in the pending sum.
fn natural_part(row: &Row<'_>, now: i64) -> (i64, i64) {
    if row.is_posted(now) {
        (row.amount, 0)
    } else if row.is_pending(now) {
        (0, row.announced)
    } else {
        (0, 0)
    }
}

/// A natural row at a time that is not before its `transacted_at`. `currency` is the account's own.
pub(super) fn natural_entry(row: &Row<'_>, currency: Currency, now: i64) -> LedgerEntry {
    let settled_at = (row.settles_at <= now).then_some(AccountTime(row.settles_at));
    let (posted_at, void_at) = if row.vanishes { (None, settled_at) } else { (settled_at, None) };
    let posted = posted_at.is_some();
    LedgerEntry {
        transaction: BankTransaction {
            bank_id: row.key.bank_id(),
            amount: if posted { row.amount } else { row.announced },
            currency: row.currency.unwrap_or(currency),
            description: row.description(),
            status: if posted { BankStatus::Posted } else { BankStatus::Pending },
            transacted_at: AccountTime(row.transacted_at),
            posted_at,
        },
        void_at,
        visible_from: AccountTime(row.transacted_at),
    }
}
