//! Formats times and amounts for people, and parses spans of time.

use model::calendar::{Date, date_of, day_of_second, find_day};
use model::clock::DAY_S;
use model::money::Currency;
use serde_json::Value;

/// The day of a Unix time, as `2026-11-23`, in UTC. Null gives an empty text.
pub(super) fn day(seconds: &Value) -> String {
    seconds.as_i64().map(day_of).unwrap_or_default()
}

/// The day of a Unix time, as `2026-11-23`, in UTC.
pub(super) fn day_of(seconds: i64) -> String {
    let Date { year, month, day } = date_of(day_of_second(seconds));
    format!("{year:04}-{month:02}-{day:02}")
}

/// A Unix time or a text of RFC 3339, as `2026-11-23 08:06:36`, in UTC. Null gives an empty text.
pub(super) fn moment(time: &Value) -> String {
    let of_text = || Some(wire::date_time::read(time.as_str()?)?.second);
    time.as_i64().or_else(of_text).map(moment_of).unwrap_or_default()
}

/// A Unix time, as `2026-11-23 08:06:36`, in UTC.
pub fn moment_of(seconds: i64) -> String {
    format!("{} {}", day_of(seconds), time_of_day(seconds))
}

/// A Unix time in ISO 8601, in UTC. Null gives an empty text.
pub(super) fn instant(seconds: &Value) -> String {
    let shown = seconds.as_i64().map(|at| format!("{}T{}Z", day_of(at), time_of_day(at)));
    shown.unwrap_or_default()
}

/// Hours, minutes and seconds of a Unix time, in UTC.
fn time_of_day(seconds: i64) -> String {
    let second = seconds.rem_euclid(DAY_S);
    format!("{:02}:{:02}:{:02}", second / 3_600, second / 60 % 60, second % 60)
}

/// Parses a date of HTTP, such as `Mon, 23 Nov 2026 08:06:36 GMT`, into a Unix time.
pub fn seconds_of(date: &str) -> Option<i64> {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let words: Vec<&str> = date.split_whitespace().collect();
    let [_, day, month, year, time, "GMT"] = *words.as_slice() else { return None };
    let (month, _) = (1..).zip(MONTHS).find(|(_, name)| *name == month)?;
    let date = Date { year: year.parse().ok()?, month, day: day.parse().ok()? };
    let time: Vec<i64> = time.split(':').filter_map(|part| part.parse().ok()).collect();
    let [hours, minutes, seconds] = *time.as_slice() else { return None };
    Some(find_day(date)? * DAY_S + hours * 3_600 + minutes * 60 + seconds)
}

/// An amount in minor units as a decimal number, such as `-12.00`.
pub(super) fn amount(minor: i64, currency: &str) -> String {
    Currency::parse(currency).unwrap_or(Currency::USD).decimal(minor)
}

/// A hash of amounts by currency, as `12.00 usd`, separated by commas. Null gives an empty text.
pub(super) fn amounts(by_currency: &Value) -> String {
    let pairs = by_currency.as_object().into_iter().flatten();
    let pairs: Vec<String> = pairs
        .filter_map(|(currency, minor)| {
            Some(format!("{} {currency}", amount(minor.as_i64()?, currency)))
        })
        .collect();
    pairs.join(", ")
}

/// Parses a duration such as `3d`, `12h`, `90m`, `45s`, `2w` or `1d12h` into seconds.
pub(super) fn duration_s(text: &str) -> Result<i64, String> {
    let fault = || format!("'{text}' is not a duration. Use a unit, such as 3d, 12h or 1w2d");
    let mut seconds: i64 = 0;
    let mut number = String::new();
    for letter in text.trim().chars() {
        if letter.is_ascii_digit() {
            number.push(letter);
            continue;
        }
        let unit = match letter {
            's' => 1,
            'm' => 60,
            'h' => 3_600,
            'd' => DAY_S,
            'w' => 7 * DAY_S,
            'y' => 365 * DAY_S,
            _ => return Err(fault()),
        };
        let count: i64 = std::mem::take(&mut number).parse().map_err(|_| fault())?;
        let part = count.checked_mul(unit).ok_or_else(fault)?;
        seconds = seconds.checked_add(part).ok_or_else(fault)?;
    }
    if seconds > 0 && number.is_empty() { Ok(seconds) } else { Err(fault()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// Times are in UTC.
    #[test]
    fn writes_times() {
        assert_eq!(time_of_day(0), "00:00:00");
        assert_eq!(moment(&json!(1_767_225_599)), "2025-12-31 23:59:59");
        assert_eq!(day(&json!(1_767_225_600)), "2026-01-01");
        assert_eq!(day(&Value::Null), "");
    }

    /// Only dates of HTTP are accepted.
    #[test]
    fn reads_dates_of_http() {
        assert_eq!(seconds_of("Wed, 31 Dec 2025 23:59:59 GMT"), Some(1_767_225_599));
        assert_eq!(seconds_of("Wed, 31 Dez 2025 23:59:59 GMT"), None);
        assert_eq!(seconds_of("2025-12-31T23:59:59Z"), None);
    }

    /// Amounts have as many decimals as their currency.
    #[test]
    fn writes_amounts() {
        assert_eq!(amount(-1_200, "usd"), "-12.00");
        assert_eq!(amount(-5, "usd"), "-0.05");
        assert_eq!(amount(1_200, "jpy"), "1200");
        assert_eq!(amount(1_234, "kwd"), "1.234");
        assert_eq!(amount(-500, "ugx"), "-5.00");
        assert_eq!(amount(500, "isk"), "5.00");
        assert_eq!(amount(i64::MIN, "eur"), "-92233720368547758.08");
        assert_eq!(amounts(&json!({"eur": 1, "usd": -100})), "0.01 eur, -1.00 usd");
    }

    /// A duration is a sum of whole numbers with units. Other texts are rejected.
    #[test]
    fn reads_spans() {
        assert_eq!(duration_s("3d"), Ok(3 * DAY_S));
        assert_eq!(duration_s("1d12h30m5s"), Ok(DAY_S + 12 * 3_600 + 30 * 60 + 5));
        assert_eq!(duration_s("2w"), Ok(14 * DAY_S));
        for wrong in ["", "3", "d", "-3d", "3 d", "3d4", "0d", "9999999999999999999d", "3x"] {
            assert!(duration_s(wrong).is_err(), "{wrong}");
        }
    }
}
