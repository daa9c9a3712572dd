//! The movements of an account that no test caused, for both kinds of test accounts. An account of
//! the catalogue has a `generator`, an account of a scenario has a `routine`.
//!
//! A [`Walk`] goes through consecutive days. The closing row of a month depends on all rows that
//! were posted in the month. A walk has already seen them, so it adds them up on the way instead of
//! generating a month of rows a second time.

use super::pattern::{Generator, is_last_day};
use super::routine::Routine;
use super::row::{Row, RowKey, SETTLE_DAYS_MAX};
use super::sums::{Sums, add};
use model::calendar::{date_of, day_of_second, first_day, month_of};
use model::clock::DAY_S;
use model::money::Currency;
use std::ops::RangeInclusive;

/// The source of an account's natural rows.
#[derive(Clone, Copy, Debug)]
pub(super) enum Profile<'a> {
    Generator(Generator),
    Routine(Routine<'a>),
}

impl<'a> Profile<'a> {
    /// Calls `each` with every row of these days.
    pub(super) fn each(&self, days: RangeInclusive<i64>, mut each: impl FnMut(&Row<'a>)) {
        let mut walk = Walk::from(*self, *days.start());
        for _ in days {
            walk.next().iter().for_each(&mut each);
        }
    }

    /// Adds the rows of a day, without the closing of a month.
    fn open_day(&self, day: i64, rows: &mut Vec<Row<'a>>) {
        match self {
            Self::Generator(generator) => generator.open_day(day, date_of(day), rows),
            Self::Routine(routine) => routine.open_day(day, rows),
        }
    }

    /// The longest time between a row's appearance and its settlement, in days.
    pub(super) fn settle_days_max(&self) -> i64 {
        match self {
            Self::Generator(_) => SETTLE_DAYS_MAX,
            Self::Routine(routine) => routine.settle_days_max(),
        }
    }

    /// The row of a key.
    pub(super) fn find(&self, key: RowKey) -> Option<Row<'a>> {
        match self {
            Self::Generator(generator) => generator.find(key),
            Self::Routine(routine) => {
                let mut rows = Vec::new();
                routine.open_day(key.day, &mut rows);
                rows.into_iter().find(|row| row.key == key)
            }
        }
    }

    /// The sums of the rows that appeared after the start of the ledger and are pending. `currency`
    /// is the account's own.
    pub(super) fn pending_since(&self, start: i64, now: i64, currency: Currency) -> Sums {
        let day = day_of_second(start);
        if let Self::Generator(generator) = self
            && day_of_second(now) > day + SETTLE_DAYS_MAX
        {
            return Sums::from([(currency, generator.pending(now))]);
        }
        let mut sums = Sums::from([(currency, 0)]);
        let last = day_of_second(now);
        self.each(day.max(last - self.settle_days_max() - 1)..=last, |row| {
            if row.transacted_at > start && row.is_pending(now) {
                add(&mut sums, row.currency.unwrap_or(currency), row.announced);
            }
        });
        sums
    }
}

/// A walk through consecutive days.
pub(super) struct Walk<'a> {
    profile: Profile<'a>,
    first: i64,
    next: i64,
    rows: Vec<Row<'a>>,
    /// The month of the last day.
    month: i64,
    /// The sums of the rows of this walk that were posted in that month and in the next one.
    posted: [i64; 2],
}

impl<'a> Walk<'a> {
    /// Starts a walk at a day.
    pub(super) fn from(profile: Profile<'a>, day: i64) -> Self {
        let month = month_of(date_of(day));
        Self { profile, first: day, next: day, rows: Vec::with_capacity(16), month, posted: [0; 2] }
    }

    /// The rows of the next day in the order of their slots, the month's closing included.
    pub(super) fn next(&mut self) -> &[Row<'a>] {
        let day = self.next;
        self.next += 1;
        self.rows.clear();
        self.profile.open_day(day, &mut self.rows);
        let Profile::Generator(generator) = self.profile else { return &self.rows };
        let date = date_of(day);
        if month_of(date) != self.month {
            self.month = month_of(date);
            self.posted = [self.posted[1], 0];
        }
        let end = first_day(self.month + 1) * DAY_S;
        for row in self.rows.iter().filter(|row| !row.vanishes) {
            // A row settles in its own month or in the next one.
            self.posted[usize::from(row.settles_at >= end)] += row.amount;
        }
        if is_last_day(day, date) {
            let whole = self.first <= first_day(self.month) - SETTLE_DAYS_MAX;
            self.rows.extend(if whole {
                generator.closing_after(self.month, self.posted[0])
            } else {
                generator.closing(self.month)
            });
        }
        &self.rows
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::life::Life;
    use crate::sandbox::pattern::{Pattern, Scale};
    use proptest::prelude::*;

    proptest! {
        /// A walk returns each day as the generator returns it, from any first day.
        #[test]
        fn a_walk_shows_every_day(
            seed: u64, original: bool, from in 18_000_i64..22_000, pattern in 0..6_usize,
        ) {
            let patterns = [
                Pattern::Checking,
                Pattern::Savings,
                Pattern::CreditCard,
                Pattern::LineOfCredit,
                Pattern::Mortgage,
                Pattern::Investment,
            ];
            let pattern = patterns[pattern];
            let partner = Some(seed ^ 1);
            let life = if original { Life::ORIGINAL } else { Life::of(seed) };
            let generator = Generator { seed, pattern, scale: Scale::Ordinary, partner, life };
            let mut walk = Walk::from(Profile::Generator(generator), from);
            let mut rows = Vec::new();
            for day in from..from + 100 {
                generator.day(day, &mut rows);
                prop_assert_eq!(walk.next(), rows.as_slice());
            }
        }
    }
}
