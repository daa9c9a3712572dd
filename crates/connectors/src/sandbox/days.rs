//! Days of an account, one after the other.
//!
//! A month's closing depends on all that was posted in the month. Who walks through months has seen
//! it, so the sum is kept on the way instead of being made anew from a month of rows.

use super::generator::{Row, SETTLE_DAYS_MAX, is_last_day};
use super::profile::Nature;
use model::calendar::{date_of, first_day, month_of};
use model::clock::DAY_S;

/// A walk from a day on.
pub(super) struct Days<'a> {
    nature: Nature<'a>,
    first: i64,
    next: i64,
    rows: Vec<Row<'a>>,
    /// The month of the last day.
    month: i64,
    /// What was posted in that month and in the one after, of the rows that the walk has seen.
    posted: [i64; 2],
}

impl<'a> Days<'a> {
    pub(super) fn from(nature: Nature<'a>, day: i64) -> Self {
        let month = month_of(date_of(day));
        Self { nature, first: day, next: day, rows: Vec::with_capacity(16), month, posted: [0; 2] }
    }

    /// The rows of the next day in the order of their slots, the month's closing included.
    pub(super) fn next(&mut self) -> &[Row<'a>] {
        let day = self.next;
        self.next += 1;
        self.rows.clear();
        self.nature.open_day(day, &mut self.rows);
        let Nature::Life(life) = self.nature else { return &self.rows };
        let date = date_of(day);
        if month_of(date) != self.month {
            self.month = month_of(date);
            self.posted = [self.posted[1], 0];
        }
        let end = first_day(self.month + 1) * DAY_S;
        for row in self.rows.iter().filter(|row| !row.vanishes) {
            // A row settles in its own month or in the next.
            self.posted[usize::from(row.settles_at >= end)] += row.amount;
        }
        if is_last_day(day, date) {
            let whole = self.first <= first_day(self.month) - SETTLE_DAYS_MAX;
            self.rows.extend(if whole {
                life.closing_after(self.month, self.posted[0])
            } else {
                life.closing(self.month)
            });
        }
        &self.rows
    }
}

#[cfg(test)]
mod tests {
    use super::super::generator::{Life, Pattern, Scale};
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// A walk shows each day as it is shown alone, wherever the walk begins.
        #[test]
        fn a_walk_shows_every_day(seed: u64, from in 18_000_i64..22_000, pattern in 0..6_usize) {
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
            let life = Life { seed, pattern, scale: Scale::Ordinary, partner };
            let mut days = Days::from(Nature::Life(life), from);
            let mut rows = Vec::new();
            for day in from..from + 100 {
                life.day(day, &mut rows);
                prop_assert_eq!(days.next(), rows.as_slice());
            }
        }
    }
}
