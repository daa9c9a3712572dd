//! What happens on an account by itself, whichever kind of test account it is: one of the catalogue
//! leads a `life`, one of a scenario has a `routine`.

use super::days::Days;
use super::generator::{Life, Row, RowKey, SETTLE_DAYS_MAX};
use super::routine::Routine;
use model::calendar::{date_of, day_of_second};
use std::ops::RangeInclusive;

/// Where natural rows come from.
#[derive(Clone, Copy, Debug)]
pub(super) enum Nature<'a> {
    Life(Life),
    Routine(Routine<'a>),
}

impl<'a> Nature<'a> {
    /// Calls back with every row of these days.
    pub(super) fn each(&self, days: RangeInclusive<i64>, mut each: impl FnMut(&Row<'a>)) {
        let mut walk = Days::from(*self, *days.start());
        for _ in days {
            walk.next().iter().for_each(&mut each);
        }
    }

    /// Adds the rows of a day, without the closing of a month.
    pub(super) fn open_day(&self, day: i64, rows: &mut Vec<Row<'a>>) {
        match self {
            Self::Life(life) => life.open_day(day, date_of(day), rows),
            Self::Routine(routine) => routine.open_day(day, rows),
        }
    }

    /// The row of a key.
    pub(super) fn find(&self, key: RowKey) -> Option<Row<'a>> {
        match self {
            Self::Life(life) => life.find(key),
            Self::Routine(routine) => {
                let mut rows = Vec::new();
                routine.open_day(key.day, &mut rows);
                rows.into_iter().find(|row| row.key == key)
            }
        }
    }

    /// What nature has announced since the start of the books and not settled; `shown` says which
    /// rows the books show.
    pub(super) fn pending_since(&self, start: i64, now: i64) -> i64 {
        let day = day_of_second(start);
        if let Self::Life(life) = self
            && day_of_second(now) > day + SETTLE_DAYS_MAX
        {
            return life.pending(now);
        }
        let mut sum: i64 = 0;
        let last = day_of_second(now);
        self.each(day.max(last - SETTLE_DAYS_MAX - 1)..=last, |row| {
            let counts = row.transacted_at > start && row.is_pending(now);
            sum = sum.saturating_add(if counts { row.announced } else { 0 });
        });
        sum
    }
}
