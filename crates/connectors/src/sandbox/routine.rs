//! Stretches: repeated movements of an account, such as a salary every other Friday or groceries
//! three times a week. The rows of a day depend on the seed, the stretch and the day alone. A fetch
//! therefore makes only the days that it needs, and ten years of rows need few lines of a file.
//!
//! Days are days in UTC, and weeks begin on Monday. Every second week, or every third month, is
//! counted from the week or month of the link.

use super::banking::{BankingDays, WAIT_DAYS_MAX};
use super::random::{Stream, at_position, between, pick};
use super::row::{Row, RowKey, SETTLE_DAYS_MAX};
use super::sums::{Sums, add};
use super::wording::Wording;
use model::calendar::{date_of, day_of_second, first_day, month_of, weekday};
use model::clock::DAY_S;
use model::id::hash_number;
use model::money::Currency;
use serde::{Deserialize, Serialize};

/// The last slot of a day. The reader rejects a file that could need more.
pub(super) const DAY_ROWS_MAX: u8 = 250;
/// Opening hours of shops, in seconds of the day.
const OPEN_S: (i64, i64) = (8 * 3_600, 21 * 3_600);

/// A repeated movement. Amounts are minor units, times are seconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Stretch {
    /// The first second, counted from the link. The start of the ledger if absent.
    pub(super) from: Option<i64>,
    /// The second after the last one, counted from the link. No end if absent.
    pub(super) until: Option<i64>,
    pub(super) every: Period,
    /// The number of days, weeks or months in a period, at least 1.
    pub(super) interval: i64,
    /// The days of the period. Any day if absent.
    pub(super) on: Option<Days>,
    /// The number of rows on each of those days, or in each period, at least 1.
    pub(super) times: u8,
    /// The least and the most, both included; negative is money out.
    pub(super) amount: (i64, i64),
    /// The currency of the amounts. The account's own currency if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) currency: Option<Currency>,
    /// The possible texts, at least one.
    pub(super) descriptions: Vec<String>,
    /// The second of the day. A time within opening hours if absent.
    pub(super) time: Option<i64>,
    /// The most days that a row is pending, from 0 to [`SETTLE_DAYS_MAX`].
    pub(super) pending_days: i64,
    /// The most that is posted in addition to the announced amount, in percent.
    pub(super) tip_percent: i64,
    /// The share of rows that vanish instead of being posted, in percent.
    pub(super) vanish_percent: i64,
}

/// The unit of a period.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Period {
    Day,
    Week,
    Month,
}

/// Days of a period.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Days {
    /// Days of a week: 0 is Sunday.
    OfWeek(Vec<i64>),
    /// Days of a month, from 1. In a shorter month, the last day is used.
    OfMonth(Vec<i64>),
}

/// The stretches of one account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Routine<'a> {
    pub(super) stretches: &'a [Stretch],
    pub(super) seed: u64,
    pub(super) linked_at: i64,
    /// The currency of rows that name none.
    pub(super) currency: Currency,
    /// The days on which the bank posts. Any time if absent.
    pub(super) banking: Option<BankingDays>,
}

impl<'a> Routine<'a> {
    /// Adds the rows of a day in the order of their slots.
    pub(super) fn open_day(&self, day: i64, rows: &mut Vec<Row<'a>>) {
        for (stretch, number) in self.stretches.iter().zip(0_u64..) {
            for _ in 0..stretch.count(day, self.linked_at, self.seed ^ number) {
                let slot = match u8::try_from(rows.len() + 1) {
                    Ok(slot) if slot <= DAY_ROWS_MAX => slot,
                    _ => unreachable!("the reader rejects more than {DAY_ROWS_MAX} rows a day"),
                };
                let row = stretch.row(self.seed ^ (number << 32), RowKey { day, slot });
                let after_link = row.transacted_at - self.linked_at;
                // A row outside of the stretch keeps its slot, so that the other rows keep their
                // numbers.
                let left_out = stretch.from.is_some_and(|from| after_link < from)
                    || stretch.until.is_some_and(|until| after_link >= until);
                rows.push(if left_out { Row { transacted_at: i64::MAX, ..row } } else { row });
            }
        }
        rows.retain(|row| row.transacted_at != i64::MAX);
        if let Some(banking) = self.banking {
            for row in rows.iter_mut() {
                banking.settle(row);
            }
        }
    }

    /// The longest time between a row's appearance and its settlement, in days.
    pub(super) fn settle_days_max(&self) -> i64 {
        SETTLE_DAYS_MAX + self.banking.map_or(0, |_| WAIT_DAYS_MAX)
    }

    /// The posted sums at a time, counted from the link. Rows after the link are added, and rows
    /// before it are subtracted. Only rows for which `shown` is true count.
    pub(super) fn posted(&self, at: i64, shown: impl Fn(&Row<'_>) -> bool) -> Sums {
        let (from, to) = (self.linked_at.min(at + 1), at.max(self.linked_at - 1));
        let mut rows = Vec::new();
        let sign = if at < self.linked_at { -1 } else { 1 };
        let mut sums = Sums::from([(self.currency, 0)]);
        for day in day_of_second(from) - self.settle_days_max() - 1..=day_of_second(to) {
            rows.clear();
            self.open_day(day, &mut rows);
            let posted = rows
                .iter()
                .filter(|row| !row.vanishes && (from..=to).contains(&row.settles_at) && shown(row));
            for row in posted {
                add(&mut sums, row.currency.unwrap_or(self.currency), sign * row.amount);
            }
        }
        sums
    }
}

impl Stretch {
    /// The number of rows on a day.
    fn count(&self, day: i64, linked_at: i64, seed: u64) -> u8 {
        let link = day_of_second(linked_at);
        let since_link = self.period(day) - self.period(link);
        if since_link.rem_euclid(self.interval) != 0 {
            return 0;
        }
        if let Some(on) = &self.on {
            return if on.contains(day) { self.times } else { 0 };
        }
        let (first, days) = match self.every {
            Period::Day => return self.times,
            Period::Week => (self.period(day) * 7 - 3, 7),
            Period::Month => {
                let month = self.period(day);
                (first_day(month), first_day(month + 1) - first_day(month))
            }
        };
        let mut stream = Stream::begin(seed ^ 0x5e7, first.cast_unsigned());
        let mut count = 0;
        for _ in 0..self.times {
            count += u8::from(stream.between(0, days - 1) == day - first);
        }
        count
    }

    /// The number of the period that contains a day.
    fn period(&self, day: i64) -> i64 {
        match self.every {
            Period::Day => day,
            // 1970-01-01 was a Thursday.
            Period::Week => (day + 3).div_euclid(7),
            Period::Month => month_of(date_of(day)),
        }
    }

    fn row(&self, seed: u64, key: RowKey) -> Row<'_> {
        let mut stream =
            Stream::begin(at_position(seed, key.day.cast_unsigned()), u64::from(key.slot));
        let text = pick(stream.next(), &self.descriptions);
        let announced = between(stream.next(), self.amount.0, self.amount.1);
        let second = stream.between(OPEN_S.0, OPEN_S.1 - 1);
        let transacted_at = key.day * DAY_S + self.time.unwrap_or(second);
        let settles_after_s = match self.pending_days {
            0 => 0,
            days => stream.between(DAY_S / 2, days * DAY_S),
        };
        let vanishes = stream.between(0, 99) < self.vanish_percent;
        let tip_percent = stream.between(0, self.tip_percent);
        let tipped = announced.saturating_add(announced.saturating_mul(tip_percent) / 100);
        Row {
            key,
            text,
            branch: None,
            currency: self.currency,
            wording: Wording::Plain,
            announced,
            amount: if vanishes { announced } else { tipped },
            transacted_at,
            settles_at: transacted_at + settles_after_s,
            vanishes: vanishes && settles_after_s > 0,
        }
    }
}

impl Days {
    fn contains(&self, day: i64) -> bool {
        match self {
            Self::OfWeek(days) => days.contains(&weekday(day)),
            Self::OfMonth(days) => {
                let date = date_of(day);
                let month = month_of(date);
                let last = first_day(month + 1) - first_day(month);
                days.iter().any(|wanted| *wanted.min(&last) == date.day)
            }
        }
    }
}

/// The seed of an account's stretches. It is the same for every holder, so that a scenario shows
/// the same to all of them.
pub(super) fn seed(scenario: &str, account: &str) -> u64 {
    hash_number(&[b"scenario account", scenario.as_bytes(), account.as_bytes()])
}
