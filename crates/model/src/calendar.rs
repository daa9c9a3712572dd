//! Days, weeks, months and years of a billing period, in UTC.
//!
//! The end of the n-th period is always counted from the anchor, so that what begins on the 31st
//! ends on the last day of a short month and on the 31st of the next long one.

use crate::clock::{AccountTime, DAY_S};
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
    let (year, month, of_month) = date(day);
    let months = (year * 12 + month - 1).saturating_add(months).clamp(-MONTHS_MAX, MONTHS_MAX);
    let (year, month) = (months.div_euclid(12), months.rem_euclid(12) + 1);
    let of_month = of_month.min(month_days(year, month));
    AccountTime(day_number(year, month, of_month) * DAY_S + second)
}

fn month_days(year: i64, month: i64) -> i64 {
    let (next_year, next) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
    day_number(next_year, next, 1) - day_number(year, month, 1)
}

/// Days in 400 years, after which dates repeat.
const ERA_DAYS: i64 = 146_097;
/// Days from the first of March of the year 0 to 1970.
const EPOCH_DAYS: i64 = 719_468;

/// Days since 1970 of a date. Years begin in March here, so that the leap day is the last one.
fn day_number(year: i64, month: i64, of_month: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let from_march = (month + 9) % 12;
    let of_year = (153 * from_march + 2) / 5 + of_month - 1;
    era * ERA_DAYS + of_era * 365 + of_era / 4 - of_era / 100 + of_year - EPOCH_DAYS
}

/// Year, month and day of a number of days since 1970.
fn date(day: i64) -> (i64, i64, i64) {
    let day = day + EPOCH_DAYS;
    let (era, of_era) = (day.div_euclid(ERA_DAYS), day.rem_euclid(ERA_DAYS));
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let from_march = (5 * of_year + 2) / 153;
    let of_month = of_year - (153 * from_march + 2) / 5 + 1;
    let month = (from_march + 2) % 12 + 1;
    let year = era * 400 + year + i64::from(month <= 2);
    (year, month, of_month)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Known days have their numbers, leap days included.
    #[test]
    fn known_days() {
        assert_eq!(day_number(1970, 1, 1), 0);
        assert_eq!(day_number(2000, 2, 29), 11_016);
        assert_eq!(day_number(2026, 1, 1), 20_454);
        assert_eq!((month_days(1900, 2), month_days(2000, 2)), (28, 29));
    }

    proptest! {
        /// Dates read back; later periods end later, and a month's end is never passed over.
        #[test]
        fn periods_follow_each_other(day in -1_000_000_i64..4_000_000, periods in 0..500_i64) {
            let (year, month, of_month) = date(day);
            prop_assert_eq!(day_number(year, month, of_month), day);
            prop_assert!((1..=12).contains(&month) && (1..=31).contains(&of_month));
            let anchor = AccountTime(day * DAY_S + 5);
            for interval in [Interval::Day, Interval::Week, Interval::Month, Interval::Year] {
                let one = Recurrence::new(interval, 1).unwrap();
                let (this, next) = (one.after(anchor, periods), one.after(anchor, periods + 1));
                prop_assert!(this < next && next.0 - this.0 <= 366 * DAY_S);
                prop_assert_eq!(next.0.rem_euclid(DAY_S), 5);
            }
            let month = Recurrence::new(Interval::Month, 1).unwrap();
            let (_, _, landed) = date(month.after(anchor, periods).0.div_euclid(DAY_S));
            prop_assert!(landed == of_month || (landed >= 28 && landed < of_month));
        }
    }
}
