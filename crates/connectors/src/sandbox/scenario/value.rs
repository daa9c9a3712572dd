//! Readers of single values of a scenario file: words, times, durations and currencies.

use super::tree::{At, ScenarioError, Table};
use model::Word;
use model::account::{Category, Subcategory};
use model::clock::DAY_S;
use model::money::Currency;

/// The most characters of a name.
pub(super) const NAME_CHARS_MAX: usize = 100;
/// The most characters of a description.
pub(super) const TEXT_CHARS_MAX: usize = model::limits::TEXT_CHARS_MAX;
/// The furthest day before or after the link: ten years and some days.
pub(super) const DAYS_MAX: i64 = 3_700;

/// The kind of an account, as a word of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Of(Subcategory),
    /// A brokerage account. The API shows the subcategory `other` for it.
    Investment,
}

impl Kind {
    /// The kind of a category and a subcategory.
    pub(super) fn of(category: Category, subcategory: Subcategory) -> Self {
        match (category, subcategory) {
            (Category::Investment, Subcategory::Other) => Self::Investment,
            (_, subcategory) => Self::Of(subcategory),
        }
    }

    /// The category that the kind implies.
    pub(super) fn category(self) -> Category {
        match self {
            Self::Of(Subcategory::Checking | Subcategory::Savings) => Category::Cash,
            Self::Of(
                Subcategory::CreditCard | Subcategory::LineOfCredit | Subcategory::Mortgage,
            ) => Category::Credit,
            Self::Of(Subcategory::Other) => Category::Other,
            Self::Investment => Category::Investment,
        }
    }

    pub(super) fn subcategory(self) -> Subcategory {
        match self {
            Self::Of(subcategory) => subcategory,
            Self::Investment => Subcategory::Other,
        }
    }
}

impl Word for Kind {
    const ALL: &'static [Self] = &[
        Self::Of(Subcategory::Checking),
        Self::Of(Subcategory::CreditCard),
        Self::Investment,
        Self::Of(Subcategory::LineOfCredit),
        Self::Of(Subcategory::Mortgage),
        Self::Of(Subcategory::Other),
        Self::Of(Subcategory::Savings),
    ];

    fn word(self) -> &'static str {
        match self {
            Self::Of(subcategory) => subcategory.word(),
            Self::Investment => "investment",
        }
    }
}

/// Reads a description of one or two sentences. An absent one is empty.
pub(super) fn read_description(table: &mut Table) -> Result<String, ScenarioError> {
    let text = table.text("description", TEXT_CHARS_MAX)?;
    Ok(text.map(|text| text.value).unwrap_or_default())
}

/// Reads the last four digits of a number.
pub(super) fn read_last4(table: &mut Table) -> Result<Option<String>, ScenarioError> {
    match table.text("last4", 4)? {
        Some(At { line, value })
            if value.len() != 4 || !value.bytes().all(|byte| byte.is_ascii_digit()) =>
        {
            Err(table.error(line, "last4", "four digits are expected, in quotes"))
        }
        text => Ok(text.map(|text| text.value)),
    }
}

/// A currency by its code.
pub(super) fn read_currency(table: &mut Table) -> Result<Option<Currency>, ScenarioError> {
    let Some(At { line, value }) = table.text("currency", 3)? else { return Ok(None) };
    Currency::parse(&value)
        .map(Some)
        .ok_or_else(|| table.error(line, "currency", "three letters are expected, such as usd"))
}

/// Reads a word of a type.
pub(super) fn read_choice<W: Word>(
    table: &mut Table,
    key: &'static str,
) -> Result<Option<W>, ScenarioError> {
    read_one_of(table, key, W::ALL)
}

/// Reads one of these words.
pub(super) fn read_one_of<W: Word>(
    table: &mut Table,
    key: &'static str,
    known: &[W],
) -> Result<Option<W>, ScenarioError> {
    let Some(At { line, value }) = table.text(key, NAME_CHARS_MAX)? else { return Ok(None) };
    let found = known.iter().copied().find(|known| known.word() == value);
    found.map(Some).ok_or_else(|| {
        let known: Vec<&str> = known.iter().map(|known| known.word()).collect();
        table.error(line, key, format!("'{value}' is unknown; use one of: {}", known.join(", ")))
    })
}

/// Reads a time of the day, `HH:MM` or `HH:MM:SS`, in seconds.
pub(super) fn read_time(
    table: &mut Table,
    key: &'static str,
) -> Result<Option<i64>, ScenarioError> {
    let Some(At { line, value }) = table.text(key, 8)? else { return Ok(None) };
    let problem = "HH:MM or HH:MM:SS is expected, in quotes";
    find_time(&value).map(Some).ok_or_else(|| table.error(line, key, problem))
}

/// The seconds of `HH:MM` or `HH:MM:SS`.
pub(super) fn find_time(text: &str) -> Option<i64> {
    let parts: Option<Vec<i64>> = text
        .split(':')
        .map(|part| if part.len() == 2 { part.parse().ok() } else { None })
        .collect();
    match parts.as_deref() {
        Some([hours @ 0..24, minutes @ 0..60]) => Some(hours * 3_600 + minutes * 60),
        Some([hours @ 0..24, minutes @ 0..60, seconds @ 0..60]) => {
            Some(hours * 3_600 + minutes * 60 + seconds)
        }
        _ => None,
    }
}

/// Reads a duration such as `90s`, `5m`, `2h` or `3d`, in seconds.
pub(super) fn read_duration(
    table: &mut Table,
    key: &'static str,
) -> Result<Option<At<i64>>, ScenarioError> {
    let Some(At { line, value }) = table.text(key, 12)? else { return Ok(None) };
    let unit = match value.as_bytes().last() {
        Some(b's') => 1,
        Some(b'm') => 60,
        Some(b'h') => 3_600,
        Some(b'd') => DAY_S,
        _ => 0,
    };
    let number: Option<i64> = value.get(..value.len() - 1).and_then(|digits| digits.parse().ok());
    let fits = |number: &i64| unit > 0 && (1..=DAYS_MAX * DAY_S / unit).contains(number);
    let seconds = number.filter(fits).map(|number| At { line, value: number * unit });
    let problem = format!(
        "a number with s, m, h or d is expected, such as \"90s\" or \"2d\", from 1s to {DAYS_MAX}d"
    );
    seconds.map(Some).ok_or_else(|| table.error(line, key, problem))
}
