//! The movements that a test account has without any test, and the words to name them.
//!
//! A *row* is one movement. It becomes visible when it takes place. It *settles* at once, or up to
//! [`SETTLE_DAYS_MAX`] days later, by being posted or by vanishing. A bank that posts on banking days
//! only posts it some days later still. A row is named by its day and
//! its slot in that day, so the bank's id of a row needs no memory.

use super::texts::push_digits;
use super::wording::{Wording, worded};
use model::calendar::{Date, date_of, find_day};
use model::money::Currency;

/// The longest time between a row's appearance and its settlement, in days.
pub(super) const SETTLE_DAYS_MAX: i64 = 3;

/// The key of a row within its account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct RowKey {
    pub(super) day: i64,
    /// The position in the day, from 1.
    pub(super) slot: u8,
}

impl RowKey {
    /// The bank's id of the row: its date and its slot.
    pub(super) fn bank_id(self) -> String {
        let date = date_of(self.day);
        let mut text = String::with_capacity(11);
        push_digits(&mut text, date.year, 4);
        push_digits(&mut text, date.month, 2);
        push_digits(&mut text, date.day, 2);
        text.push('-');
        push_digits(&mut text, i64::from(self.slot), 1);
        text
    }

    /// Reads a bank's id. Returns `None` for a text that [`Self::bank_id`] never writes.
    pub(super) fn find(bank_id: &str) -> Option<Self> {
        let (date, slot) = bank_id.split_once('-')?;
        let number: i64 = date.parse().ok().filter(|number| *number > 0)?;
        let date = Date { year: number / 10_000, month: number / 100 % 100, day: number % 100 };
        let key = Self { day: find_day(date)?, slot: slot.parse().ok()? };
        (key.bank_id() == bank_id).then_some(key)
    }
}

/// One movement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Row<'a> {
    pub(super) key: RowKey,
    pub(super) text: &'a str,
    pub(super) branch: Option<u16>,
    /// The currency of the amounts. The account's own currency if absent.
    pub(super) currency: Option<Currency>,
    pub(super) wording: Wording,
    /// The amount while it is pending, in minor units.
    pub(super) announced: i64,
    /// The amount after it is posted, in minor units.
    pub(super) amount: i64,
    /// The second in which it takes place and becomes visible.
    pub(super) transacted_at: i64,
    /// The second in which it is posted or vanishes: `transacted_at`, or one to three days later.
    pub(super) settles_at: i64,
    /// True if it vanishes instead of being posted.
    pub(super) vanishes: bool,
}

impl Row<'_> {
    pub(super) fn description(&self) -> String {
        worded(self.wording, self.text, self.branch, (self.key.day, self.key.slot))
    }

    /// True if it is in the posted balance at a time.
    pub(super) fn is_posted(&self, at: i64) -> bool {
        !self.vanishes && self.settles_at <= at
    }

    /// True if it is visible and not settled at a time.
    pub(super) fn is_pending(&self, at: i64) -> bool {
        self.transacted_at <= at && at < self.settles_at
    }
}
