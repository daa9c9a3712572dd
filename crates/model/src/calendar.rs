//! Days, weeks, months and years of a billing period, in UTC.
//!
//! The end of the n-th period is always counted from the anchor, so that what begins on the 31st
//! ends on the last day of a short month and on the 31st of the next long one.

use crate::clock::{AccountTime, DAY_S};
use crate::date::{Date, date_of, day_of};
use crate::word::words;
use serde::{Deserialize, Serialize};

words! {
    /// The unit of a billing period.
    Interval {
        /// A day.
        Day = "day",
        /// A month.
        Month = "month",
        /// Seven days.
        Week = "week",
        /// Twelve months.
        Year = "year",
    }
}

/// How long a billing period is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recurrence {
    /// Its unit.
    pub interval: Interval,
    /// How many of them, from 1.
    pub count: i64,
}

impl Recurrence {
    /// A period of so many units; none when it would be empty or longer than three years, Stripe's
    /// bound.
    pub fn new(interval: Interval, count: i64) -> Option<Self> {
        let most = match interval {
            Interval::Day => 1_095,
            Interval::Week => 156,
            Interval::Month => 36,
            Interval::Year => 3,
        };
        (1..=most).contains(&count).then_some(Self { interval, count })
    }

    /// When so many periods from the anchor on are over.
    ///
    /// ```
    /// use model::calendar::{Interval, Recurrence};
    /// use model::clock::{AccountTime, DAY_S};
    /// let january_31 = AccountTime(30 * DAY_S);
    /// let month = Recurrence::new(Interval::Month, 1).unwrap();
    /// assert_eq!(month.after(january_31, 1), AccountTime(58 * DAY_S));
    /// assert_eq!(month.after(january_31, 2), AccountTime(89 * DAY_S));
    /// ```
    #[must_use]
    pub fn after(self, anchor: AccountTime, periods: i64) -> AccountTime {
        let units = self.count.saturating_mul(periods);
        match self.interval {
            Interval::Day => anchor.plus(units.saturating_mul(DAY_S)),
            Interval::Week => anchor.plus(units.saturating_mul(7 * DAY_S)),
            Interval::Month => plus_months(anchor, units),
            Interval::Year => plus_months(anchor, units.saturating_mul(12)),
        }
    }
}

/// Months of a time that can still be told.
const MONTHS_MAX: i64 = 12 * 30_000;

fn plus_months(at: AccountTime, months: i64) -> AccountTime {
    let (day, second) = (at.0.div_euclid(DAY_S), at.0.rem_euclid(DAY_S));
    let Date { year, month, day } = date_of(day);
    let months = (year * 12 + month - 1).saturating_add(months).clamp(-MONTHS_MAX, MONTHS_MAX);
    let (year, month) = (months.div_euclid(12), months.rem_euclid(12) + 1);
    let day = day.min(month_days(year, month));
    AccountTime(day_of(Date { year, month, day }) * DAY_S + second)
}

fn month_days(year: i64, month: i64) -> i64 {
    let (next_year, next) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
    let first_day = |year, month| day_of(Date { year, month, day: 1 });
    first_day(next_year, next) - first_day(year, month)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A century's February has a leap day only if 400 divides its year.
    #[test]
    fn leap_days() {
        assert_eq!((month_days(1900, 2), month_days(2000, 2)), (28, 29));
    }

    proptest! {
        /// Later periods end later, and a month's end is never passed over.
        #[test]
        fn periods_follow_each_other(day in -1_000_000_i64..4_000_000, periods in 0..500_i64) {
            let of_month = date_of(day).day;
            let anchor = AccountTime(day * DAY_S + 5);
            for interval in [Interval::Day, Interval::Week, Interval::Month, Interval::Year] {
                let one = Recurrence::new(interval, 1).unwrap();
                let (this, next) = (one.after(anchor, periods), one.after(anchor, periods + 1));
                prop_assert!(this < next && next.0 - this.0 <= 366 * DAY_S);
                prop_assert_eq!(next.0.rem_euclid(DAY_S), 5);
            }
            let month = Recurrence::new(Interval::Month, 1).unwrap();
            let landed = date_of(month.after(anchor, periods).0.div_euclid(DAY_S)).day;
            prop_assert!(landed == of_month || (landed >= 28 && landed < of_month));
        }
    }
}
