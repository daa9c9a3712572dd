//! Days and months: test banks pay rent on the first and close their books on the last of a month.
//!
//! A *day* is a number of days since 1970-01-01, a *month* a number of months since January 1970,
//! both in UTC. Proleptic Gregorian calendar, no leap seconds.

pub(super) use model::date::{Date, date_of, day_of, day_of_second};

/// The month that a date lies in.
pub(super) fn month_of(date: Date) -> i64 {
    (date.year - 1970) * 12 + date.month - 1
}

/// The first day of a month.
pub(super) fn first_day(month: i64) -> i64 {
    day_of(Date { year: 1970 + month.div_euclid(12), month: month.rem_euclid(12) + 1, day: 1 })
}

/// The day of the week: 0 is Sunday.
pub(super) fn weekday(day: i64) -> i64 {
    (day + 4).rem_euclid(7)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// A day reads back from its date, and lies in its month.
        #[test]
        fn days_read_back(day in -100_000_i64..3_000_000) {
            let date = date_of(day);
            prop_assert_eq!(day_of(date), day);
            let month = month_of(date);
            prop_assert!((first_day(month)..first_day(month + 1)).contains(&day));
            prop_assert_eq!(first_day(month) + date.day - 1, day);
        }
    }

    /// A known Monday.
    #[test]
    fn knows_a_monday() {
        assert_eq!(weekday(day_of(Date { year: 2026, month: 11, day: 23 })), 1);
    }
}
