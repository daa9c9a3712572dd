//! The civil calendar in UTC, and billing periods that are counted in it.
//!
//! - A *day* is a number of days since 1970-01-01. A *month* is a number of months since January
//!   1970. The calendar is the proleptic Gregorian one, without leap seconds.
//! - The end of the n-th billing period is always counted from the anchor. A period that begins on
//!   the 31st therefore ends on the last day of a short month, and on the 31st of the next long
//!   one.
//!
//! `jiff` does the arithmetic of dates. It knows the years from -9999 to 9999 only, and a time from
//! a client may be outside of them. Dates repeat every 400 years, so each date is computed in the
//! 400 years from 1970 and then moved to its own year.

use crate::clock::{AccountTime, DAY_S};
use crate::word::words;
use jiff::Timestamp;
use jiff::civil;
use jiff::tz::Offset;
use serde::{Deserialize, Serialize};

/// Days in 400 years, after which dates repeat.
const ERA_DAYS: i64 = 146_097;
/// Months from 1970 to the furthest time that a billing period can reach.
const MONTHS_MAX: i64 = 12 * 30_000;

/// A date of the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Date {
    /// The year, of any sign.
    pub year: i64,
    /// The month, from 1.
    pub month: i64,
    /// The day of the month, from 1.
    pub day: i64,
}

/// The day of a second.
pub fn day_of_second(second: i64) -> i64 {
    second.div_euclid(DAY_S)
}

/// The date of a day.
///
/// ```
/// use model::calendar::{Date, date_of};
/// assert_eq!(date_of(19_782), Date { year: 2024, month: 2, day: 29 });
/// ```
pub fn date_of(day: i64) -> Date {
    let (era, in_era) = (day.div_euclid(ERA_DAYS), day.rem_euclid(ERA_DAYS));
    let Ok(midnight) = Timestamp::from_second(in_era * DAY_S) else {
        unreachable!("the 400 years from 1970 are within the range of jiff");
    };
    let date = Offset::UTC.to_datetime(midnight).date();
    Date {
        year: era * 400 + i64::from(date.year()),
        month: i64::from(date.month()),
        day: i64::from(date.day()),
    }
}

/// The day of a date. Returns `None` for a date that the calendar does not have, such as February
/// 30, and for a year with days that do not fit into 64 bits.
pub fn find_day(date: Date) -> Option<i64> {
    let since_1970 = date.year.checked_sub(1970)?;
    let (era, in_era) = (since_1970.div_euclid(400), since_1970.rem_euclid(400));
    let year = i16::try_from(1970 + in_era).ok()?;
    let (month, day) = (i8::try_from(date.month).ok()?, i8::try_from(date.day).ok()?);
    let date = civil::Date::new(year, month, day).ok()?;
    let midnight = Offset::UTC.to_timestamp(date.at(0, 0, 0, 0)).ok()?;
    era.checked_mul(ERA_DAYS)?.checked_add(day_of_second(midnight.as_second()))
}

/// The month of a date.
pub fn month_of(date: Date) -> i64 {
    (date.year - 1970) * 12 + date.month - 1
}

/// The first day of a month.
pub fn first_day(month: i64) -> i64 {
    let (year, month) = (1970 + month.div_euclid(12), month.rem_euclid(12) + 1);
    let Some(day) = find_day(Date { year, month, day: 1 }) else {
        unreachable!("every month has a first day, and months come from days of 64 bits");
    };
    day
}

/// The day of the week of a day: 0 is Sunday, 6 is Saturday.
pub fn weekday(day: i64) -> i64 {
    // 1970-01-01 was a Thursday.
    (day + 4).rem_euclid(7)
}

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

/// The length of a billing period.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recurrence {
    /// The unit.
    pub interval: Interval,
    /// The number of units, from 1.
    pub count: i64,
}

impl Recurrence {
    /// A period of `count` units. Returns `None` if it is empty or longer than three years, which
    /// is Stripe's bound.
    pub fn new(interval: Interval, count: i64) -> Option<Self> {
        let count_max = match interval {
            Interval::Day => 1_095,
            Interval::Week => 156,
            Interval::Month => 36,
            Interval::Year => 3,
        };
        (1..=count_max).contains(&count).then_some(Self { interval, count })
    }

    /// The end of a number of periods that begin at the anchor.
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

fn plus_months(at: AccountTime, months: i64) -> AccountTime {
    let date = date_of(day_of_second(at.0));
    let month = month_of(date).saturating_add(months).clamp(-MONTHS_MAX, MONTHS_MAX);
    let day = first_day(month) + date.day.min(month_days(month)) - 1;
    AccountTime(day * DAY_S + at.0.rem_euclid(DAY_S))
}

/// The number of days in a month.
fn month_days(month: i64) -> i64 {
    first_day(month + 1) - first_day(month)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn day_number(year: i64, month: i64, day: i64) -> Option<i64> {
        find_day(Date { year, month, day })
    }

    /// Known days have their numbers, leap days included.
    #[test]
    fn known_days() {
        assert_eq!(date_of(0), Date { year: 1970, month: 1, day: 1 });
        assert_eq!(day_number(1970, 1, 1), Some(0));
        assert_eq!(day_number(2000, 2, 29), Some(11_016));
        assert_eq!(day_number(2026, 1, 1), Some(20_454));
        assert_eq!(day_number(1969, 12, 31), Some(-1));
        assert_eq!(weekday(day_number(2026, 11, 23).unwrap()), 1);
        let february = |year| month_days(month_of(Date { year, month: 2, day: 1 }));
        assert_eq!((february(1900), february(2000)), (28, 29));
    }

    /// Dates that no calendar has are not found. Any number of seconds has a date.
    #[test]
    fn impossible_dates_are_not_found() {
        assert_eq!(day_number(2026, 2, 30), None);
        assert_eq!(day_number(2026, 13, 1), None);
        assert_eq!(day_number(2026, 1, 0), None);
        assert_eq!(day_number(i64::MAX, 1, 1), None);
        assert_eq!(day_number(i64::MIN, 1, 1), None);
        for second in [i64::MIN, i64::MAX] {
            let day = day_of_second(second);
            assert_eq!(find_day(date_of(day)), Some(day));
        }
    }

    proptest! {
        /// A day reads back from its date, and is in its month.
        #[test]
        fn days_read_back(day in -1_000_000_i64..4_000_000) {
            let date = date_of(day);
            prop_assert_eq!(find_day(date), Some(day));
            let month = month_of(date);
            prop_assert!((first_day(month)..first_day(month + 1)).contains(&day));
            prop_assert_eq!(first_day(month) + date.day - 1, day);
            prop_assert!((1..=12).contains(&date.month) && (1..=31).contains(&date.day));
        }

        /// Later periods end later, and the end of a month is never skipped.
        #[test]
        fn periods_follow_each_other(day in -1_000_000_i64..4_000_000, periods in 0..500_i64) {
            let anchor = AccountTime(day * DAY_S + 5);
            for interval in [Interval::Day, Interval::Week, Interval::Month, Interval::Year] {
                let one = Recurrence::new(interval, 1).unwrap();
                let (this, next) = (one.after(anchor, periods), one.after(anchor, periods + 1));
                prop_assert!(this < next && next.0 - this.0 <= 366 * DAY_S);
                prop_assert_eq!(next.0.rem_euclid(DAY_S), 5);
            }
            let of_month = date_of(day).day;
            let month = Recurrence::new(Interval::Month, 1).unwrap();
            let landed = date_of(day_of_second(month.after(anchor, periods).0)).day;
            prop_assert!(landed == of_month || (landed >= 28 && landed < of_month));
        }
    }
}
