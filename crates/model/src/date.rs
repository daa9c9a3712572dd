//! Days as people write them, in UTC.
//!
//! A *day* is a number of days since 1970-01-01. Proleptic Gregorian calendar, no leap seconds.

use crate::clock::DAY_S;

const DAYS_BEFORE_1970: i64 = 719_468;
const DAYS_OF_400_YEARS: i64 = 146_097;

/// A day as people write it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Date {
    /// The year, of any sign.
    pub year: i64,
    /// From 1.
    pub month: i64,
    /// From 1.
    pub day: i64,
}

/// The day of a second.
pub fn day_of_second(second: i64) -> i64 {
    second.div_euclid(DAY_S)
}

/// The date of a day. Years begin in March here, so that the leap day comes last.
pub fn date_of(day: i64) -> Date {
    let shifted = day + DAYS_BEFORE_1970;
    let era = shifted.div_euclid(DAYS_OF_400_YEARS);
    let in_era = shifted.rem_euclid(DAYS_OF_400_YEARS);
    let year = (in_era - in_era / 1_460 + in_era / 36_524 - in_era / 146_096) / 365;
    let in_year = in_era - (365 * year + year / 4 - year / 100);
    let from_march = (5 * in_year + 2) / 153;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    Date {
        year: year + era * 400 + i64::from(month <= 2),
        month,
        day: in_year - (153 * from_march + 2) / 5 + 1,
    }
}

/// The day of a date; a date that no calendar has gives a neighbouring day.
pub fn day_of(date: Date) -> i64 {
    let year = date.year - i64::from(date.month <= 2);
    let era = year.div_euclid(400);
    let in_era = year.rem_euclid(400);
    let from_march = if date.month > 2 { date.month - 3 } else { date.month + 9 };
    let in_year = (153 * from_march + 2) / 5 + date.day - 1;
    let days = in_era * 365 + in_era / 4 - in_era / 100 + in_year;
    era * DAYS_OF_400_YEARS + days - DAYS_BEFORE_1970
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// A day reads back from its date.
        #[test]
        fn days_read_back(day in -1_000_000_i64..4_000_000) {
            let date = date_of(day);
            prop_assert_eq!(day_of(date), day);
            prop_assert!((1..=12).contains(&date.month) && (1..=31).contains(&date.day));
        }
    }

    /// Known days have their numbers, leap days included.
    #[test]
    fn known_days() {
        let day = |year, month, day| day_of(Date { year, month, day });
        assert_eq!(date_of(0), Date { year: 1970, month: 1, day: 1 });
        assert_eq!(date_of(19_782), Date { year: 2024, month: 2, day: 29 });
        assert_eq!(day(1970, 1, 1), 0);
        assert_eq!(day(2000, 2, 29), 11_016);
        assert_eq!(day(2026, 1, 1), 20_454);
    }
}
