//! Times as RFC 3339 texts, which the API has under `/v2`.

use model::calendar::{Date, date_of, day_of_second, find_day};
use model::time::{AccountTime, DAY_S};

/// Returns the text of a time, in UTC with milliseconds.
///
/// ```
/// # use wire::date_time::text_of;
/// # use model::time::AccountTime;
/// assert_eq!(text_of(AccountTime(1_767_225_600)), "2026-01-01T00:00:00.000Z");
/// ```
pub fn text_of(time: AccountTime) -> String {
    let day = day_of_second(time.0);
    let Date { year, month, day: of_month } = date_of(day);
    let second = time.0 - day * DAY_S;
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{of_month:02}T{hour:02}:{minute:02}:{second:02}.000Z")
}

/// A time that was read from a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// The second that it is in.
    pub second: i64,
    /// True if it is later than the beginning of the second.
    pub has_fraction: bool,
}

/// Reads a text of RFC 3339 with a fraction of any length and any offset. Returns `None` for another
/// text, and for a leap second.
///
/// ```
/// # use wire::date_time::{Moment, read};
/// let moment = read("2026-01-01T01:00:00.500+01:00").unwrap();
/// assert_eq!(moment, Moment { second: 1_767_225_600, has_fraction: true });
/// assert_eq!(read("2026-02-30T00:00:00Z"), None);
/// ```
pub fn read(text: &str) -> Option<Moment> {
    let (date, rest) = text.split_at_checked(10)?;
    let rest = rest.strip_prefix(['T', 't', ' '])?;
    let (time, rest) = rest.split_at_checked(8)?;
    let [year, month, day] = numbers(date, '-', [4, 2, 2])?;
    let [hour, minute, second] = numbers(time, ':', [2, 2, 2])?;
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let (fraction, offset) = match rest.strip_prefix('.') {
        None => ("", rest),
        Some(rest) => {
            let end = rest.find(|letter: char| !letter.is_ascii_digit())?;
            if end == 0 {
                return None;
            }
            rest.split_at(end)
        }
    };
    let offset_s = match offset {
        "Z" | "z" => 0,
        _ => {
            let sign = if offset.starts_with('-') { -1 } else { 1 };
            let [hours, minutes] = numbers(offset.strip_prefix(['+', '-'])?, ':', [2, 2])?;
            if hours > 23 || minutes > 59 {
                return None;
            }
            sign * (hours * 3_600 + minutes * 60)
        }
    };
    let day = find_day(Date { year, month, day })?;
    let second = day * DAY_S + hour * 3_600 + minute * 60 + second - offset_s;
    Some(Moment { second, has_fraction: fraction.bytes().any(|digit| digit != b'0') })
}

/// The numbers of a text with these lengths in digits, between separators.
fn numbers<const COUNT: usize>(
    text: &str,
    separator: char,
    lengths: [usize; COUNT],
) -> Option<[i64; COUNT]> {
    let mut parts = text.split(separator);
    let mut numbers = [0; COUNT];
    for (number, length) in numbers.iter_mut().zip(lengths) {
        let part = parts.next()?;
        let is_number = part.len() == length && part.bytes().all(|digit| digit.is_ascii_digit());
        *number = part.parse().ok().filter(|_| is_number)?;
    }
    parts.next().is_none().then_some(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// A time of four-digit years reads back from its text.
        #[test]
        fn times_read_back(second in -62_167_219_200_i64..253_402_300_800) {
            let text = text_of(AccountTime(second));
            prop_assert_eq!(read(&text), Some(Moment { second, has_fraction: false }));
        }

        /// Any text is read without a panic.
        #[test]
        fn any_text_is_read(text in "\\PC{0,30}", digits in "[0-9T:Z.+-]{0,30}") {
            let _ = (read(&text), read(&digits));
        }
    }

    /// Texts of other forms are rejected.
    #[test]
    fn other_texts_are_no_times() {
        for text in [
            "",
            "2026-01-01",
            "2026-01-01T00:00:00",
            "2026-01-01T00:00:00.Z",
            "2026-1-01T00:00:00Z",
            "2026-01-01T24:00:00Z",
            "2026-01-01T00:00:60Z",
            "2026-01-01T00:00:00+0100",
            "1767225600",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
