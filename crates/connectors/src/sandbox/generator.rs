//! The natural rows of an account of the catalogue: a pure function of its seed and the day.
//!
//! Rows depend neither on the time of the link nor on the time of the fetch, so a fetch generates
//! only the days that it needs.
//!
//! The balance at the start of each month is a function of seed and month alone. The last row of a
//! month, its *closing*, moves the remaining amount to savings (or pays the card), so that the
//! balance of the next month is reached. A balance therefore needs the rows of at most one month,
//! for any length of history.

use super::day::DayBuilder;
use super::pattern::{CLOSING_SLOT, Generator, Pattern, Scale, is_last_day};
use super::random::{Stream, at_position, between};
use super::row::{Row, RowKey, SETTLE_DAYS_MAX};
use super::wording::Wording;
use model::calendar::{Date, date_of, day_of_second, first_day, month_of};
use model::clock::DAY_S;

/// January 2020, the month from which loans are paid down.
const LOANS_BEGIN_MONTH: i64 = 600;

impl Generator {
    /// The rows of a day in the order of their slots, the month's closing included.
    pub(super) fn day(&self, day: i64, rows: &mut Vec<Row<'_>>) {
        rows.clear();
        let date = date_of(day);
        self.open_day(day, date, rows);
        let month = month_of(date);
        if is_last_day(day, date) {
            rows.extend(self.closing(month));
        }
    }

    /// The row of a key.
    pub(super) fn find(&self, key: RowKey) -> Option<Row<'static>> {
        let mut rows = Vec::new();
        self.day(key.day, &mut rows);
        rows.into_iter().find(|row| row.key == key)
    }

    /// The posted balance at a time.
    pub(super) fn balance(&self, at: i64) -> i64 {
        let month = month_of(date_of(day_of_second(at)));
        let closing = self.closing_at(month);
        let closed = if closing <= at { self.closing(month) } else { None };
        self.base(month)
            + self.posted(first_day(month) * DAY_S, at)
            + closed.map_or(0, |row| row.amount)
    }

    /// The sum of the rows that are pending at a time.
    pub(super) fn pending(&self, at: i64) -> i64 {
        let day = day_of_second(at);
        let mut sum = 0;
        // The closing of a month is posted at once, so it is never pending.
        let mut rows = Vec::with_capacity(16);
        for day in day - SETTLE_DAYS_MAX..=day {
            rows.clear();
            self.open_day(day, date_of(day), &mut rows);
            let pending = rows.iter().filter(|row| row.is_pending(at));
            sum += pending.map(|row| row.announced).sum::<i64>();
        }
        sum
    }

    /// The sum of the rows that were posted between two times, both included, without closings.
    fn posted(&self, from: i64, to: i64) -> i64 {
        let mut rows = Vec::with_capacity(16);
        let mut sum = 0;
        for day in day_of_second(from) - SETTLE_DAYS_MAX..=day_of_second(to) {
            rows.clear();
            self.open_day(day, date_of(day), &mut rows);
            let posted = rows.iter().filter(|row| row.is_posted(to) && row.settles_at >= from);
            sum += posted.map(|row| row.amount).sum::<i64>();
        }
        sum
    }

    /// The sum of the payments before a day that are posted on that day or later.
    fn owed_at(&self, day: i64) -> i64 {
        let mut rows = Vec::with_capacity(16);
        let mut sum = 0;
        for before in day - SETTLE_DAYS_MAX - 1..day {
            rows.clear();
            self.open_day(before, date_of(before), &mut rows);
            let owed = rows.iter().filter(|row| row.settles_at >= day * DAY_S && !row.vanishes);
            sum -= owed.map(|row| row.amount.min(0)).sum::<i64>();
        }
        sum
    }

    /// The time of a month's closing, in the last three hours of the month.
    fn closing_at(&self, month: i64) -> i64 {
        let hash = at_position(self.seed ^ 0xc105, month.cast_unsigned());
        first_day(month + 1) * DAY_S - between(hash, 60, 3 * 3_600)
    }

    /// The last row of a month, unless no amount remains.
    pub(super) fn closing(&self, month: i64) -> Option<Row<'static>> {
        let begin = first_day(month) * DAY_S;
        let end = first_day(month + 1) * DAY_S;
        self.closing_after(month, self.posted(begin, end - 1))
    }

    /// The closing of a month in which the other rows posted this sum.
    pub(super) fn closing_after(&self, month: i64, posted: i64) -> Option<Row<'static>> {
        let amount = self.base(month + 1) - self.base(month) - posted;
        let at = self.closing_at(month);
        let transfer = Wording::Transfer { account: self.seed };
        let (outgoing, incoming) = match self.pattern {
            // A holder who starts a month with too little has paid a card before.
            Pattern::Checking if self.tight_payday(month + 1).is_some() => {
                ("CARD SERVICES EPAY", "TRANSFER FROM SAVINGS")
            }
            Pattern::Checking => ("TRANSFER TO SAVINGS", "TRANSFER FROM SAVINGS"),
            Pattern::Savings => ("TRANSFER TO BROKERAGE", "TRANSFER FROM BROKERAGE"),
            Pattern::CreditCard => ("BALANCE ADJUSTMENT", "PAYMENT RECEIVED THANK YOU"),
            Pattern::LineOfCredit => ("MONTHLY DRAW", "MONTHLY PAYMENT"),
            Pattern::Mortgage => ("ESCROW ADJUSTMENT", "MORTGAGE PAYMENT"),
            Pattern::Investment => ("PURCHASE INDEX FUND", "SALE INDEX FUND"),
        };
        let text = if amount < 0 { outgoing } else { incoming };
        let is_transfer = text.starts_with("TRANSFER");
        (amount != 0).then_some(Row {
            key: RowKey { day: first_day(month + 1) - 1, slot: CLOSING_SLOT },
            text,
            branch: None,
            currency: None,
            wording: if self.life.is_original || !is_transfer { Wording::Plain } else { transfer },
            announced: amount,
            amount,
            transacted_at: at,
            settles_at: at,
            vanishes: false,
        })
    }

    /// The balance at the start of a month.
    fn base(&self, month: i64) -> i64 {
        let hash = at_position(self.seed ^ 0xba5e, month.cast_unsigned());
        let paid_months = (month - LOANS_BEGIN_MONTH).max(0);
        match self.pattern {
            Pattern::Checking => match self.scale {
                Scale::Poor if self.life.is_original => between(hash, 10, 900),
                Scale::Poor => between(hash, 10, 900) + self.owed_at(first_day(month)),
                Scale::Ordinary if !self.life.is_original => self.checking_base(month, hash),
                scale => scale.of(between(hash, 240_000, 520_000)),
            },
            Pattern::Savings => self.scale.of(self.life.sized(between(hash, 800_000, 2_000_000))),
            Pattern::CreditCard => self.scale.of(between(hash, -90_000, -20_000)),
            Pattern::LineOfCredit => self.scale.of(between(hash, -450_000, -150_000)),
            Pattern::Mortgage => {
                let principal = self.pattern_number(90, 24_000_000, 41_000_000);
                -(principal - paid_months * self.pattern_number(91, 28_000, 52_000)).max(0)
            }
            Pattern::Investment => self.scale.of(between(hash, 3_000_000, 3_600_000)),
        }
    }

    /// The rows of a day without the month's closing.
    pub(super) fn open_day(&self, day: i64, date: Date, rows: &mut Vec<Row<'_>>) {
        let stream = Stream::begin(self.seed, day.cast_unsigned());
        DayBuilder { generator: self, day, date, stream, rows }.add();
    }
}
