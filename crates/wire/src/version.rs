//! API versions: the accepted values of `Stripe-Version`, and the features that they decide.
//!
//! A version is a date. Newer versions add the name of their release train (`2026-08-26.dahlia`) or
//! `preview`. The oldest form of previews lists betas after a semicolon. A version that Stripe
//! never published is rejected, as at Stripe. Previews are accepted with any date, because the
//! complete list is not known. A version newer than this server is also accepted, and served as the
//! newest known one. The exact text is stored, because responses and events repeat it.

use crate::error::Error;
use std::borrow::Cow;

/// The version of a caller who sends none.
pub const DEFAULT: &str = "2026-08-26.dahlia";
/// The newest known version.
pub const NEWEST: &str = "2026-11-18.endive";
/// The newest known preview.
pub const NEWEST_PREVIEW: &str = "2026-11-18.preview";
/// The oldest version whose objects this server knows. Older versions get its objects.
pub const OLDEST: &str = "2024-06-20";
/// Every published version, oldest first. Sources: the versions that Stripe's `OpenAPI` document of
/// 2026-05-27.dahlia offers for webhook endpoints, and the later ones.
const PUBLISHED: &str = include_str!("version/published.txt");
/// The first version that had previews in place of betas.
const FIRST_PREVIEW: &str = "2024-09-30";
/// The maximum number of characters of a version. Lists of betas are long.
const CHARS_MAX: usize = 1_000;
const DATE_CHARS: usize = 10;

/// One API version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// Printable ASCII text that begins with a date of ten characters.
    text: Cow<'static, str>,
}

impl Default for Version {
    fn default() -> Self {
        Self { text: Cow::Borrowed(DEFAULT) }
    }
}

impl Version {
    /// Reads the text of a header or parameter. White space around it is ignored.
    ///
    /// ```
    /// # use wire::version::Version;
    /// let version = Version::parse("2026-10-14.preview").unwrap();
    /// assert!(version.is_preview() && version.at_least("2026-09-30"));
    /// assert!(Version::parse("latest").is_err());
    /// ```
    pub fn parse(text: &str) -> Result<Self, Error> {
        let text = text.trim();
        if is_version(text) && is_known(text) {
            Ok(Self { text: Cow::Owned(text.to_owned()) })
        } else {
            Err(Error::invalid(format!(
                "Invalid Stripe API version: {}",
                crate::error::shown(text)
            )))
        }
    }

    /// Returns the newest known version.
    pub fn newest() -> Self {
        Self { text: Cow::Borrowed(NEWEST) }
    }

    /// Returns the newest known preview.
    pub fn newest_preview() -> Self {
        Self { text: Cow::Borrowed(NEWEST_PREVIEW) }
    }

    /// Returns the text as it was sent.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the ten characters of the date.
    pub fn date(&self) -> &str {
        &self.text[..DATE_CHARS]
    }

    /// Returns the release train (`dahlia`, `preview`), if the version has one.
    pub fn train(&self) -> Option<&str> {
        self.text[DATE_CHARS..].strip_prefix('.')
    }

    /// Returns a remark for the developer of a client that sends a version before [`OLDEST`].
    pub fn notice(&self) -> Option<&'static str> {
        (!self.at_least(OLDEST)).then_some(
            "This server has no form of objects for an API version before 2024-06-20, and sends the \
             form of 2024-06-20.",
        )
    }

    /// True if fields in preview are shown.
    pub fn is_preview(&self) -> bool {
        self.train() == Some("preview")
    }

    /// True if a beta of the oldest form of previews is on.
    pub fn has_beta(&self, name: &str) -> bool {
        let betas = self.text.split(';').skip(1);
        betas.filter_map(|beta| beta.trim().split_once('=')).any(|(beta, _)| beta == name)
    }

    /// True if this version has the date `YYYY-MM-DD` or a later one.
    pub fn at_least(&self, date: &str) -> bool {
        // Dates of this form sort as text.
        self.date() >= date
    }
}

fn is_version(text: &str) -> bool {
    if text.len() > CHARS_MAX || !text.bytes().all(|byte| (0x20..0x7f).contains(&byte)) {
        return false;
    }
    let Some((date, rest)) = text.split_at_checked(DATE_CHARS) else { return false };
    is_date(date) && (rest.is_empty() || is_train(rest) || is_betas(rest))
}

/// True if a text of the right form names an existing version.
fn is_known(text: &str) -> bool {
    let (date, rest) = text.split_at(DATE_CHARS);
    if rest == ".preview" {
        return date >= FIRST_PREVIEW;
    }
    let name = if rest.starts_with('.') { text } else { date };
    let newer = rest.starts_with('.') && date > &NEWEST[..DATE_CHARS];
    newer || PUBLISHED.lines().any(|published| published == name)
}

fn is_date(date: &str) -> bool {
    let parts: Vec<&str> = date.split('-').collect();
    let number = |part: &str, digits: usize| {
        let plain = part.len() == digits && part.bytes().all(|byte| byte.is_ascii_digit());
        plain.then(|| part.parse::<u16>().ok()).flatten()
    };
    let [year, month, day] = parts[..] else { return false };
    let (Some(year), Some(month), Some(day)) = (number(year, 4), number(month, 2), number(day, 2))
    else {
        return false;
    };
    (1..=days_of(year, month)).contains(&day)
}

/// Returns the number of days of a month of the Gregorian calendar, or 0 if there is no such month.
fn days_of(year: u16, month: u16) -> u16 {
    let leap_year =
        year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        2 if leap_year => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    }
}

fn is_train(rest: &str) -> bool {
    rest.strip_prefix('.').is_some_and(|train| {
        !train.is_empty() && train.bytes().all(|byte| byte.is_ascii_lowercase())
    })
}

fn is_betas(rest: &str) -> bool {
    let beta = |part: &str| {
        part.trim().split_once('=').is_some_and(|(name, value)| {
            let word = |text: &str| {
                !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
            };
            word(name) && word(value)
        })
    };
    let list = rest.trim_start().strip_prefix(';').map(|list| list.trim_end_matches([' ', ';']));
    list.is_some_and(|list| list.split(';').all(beta))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Every published form is accepted, and its text is unchanged.
    #[test]
    fn takes_published_forms() {
        for text in [
            DEFAULT,
            NEWEST,
            NEWEST_PREVIEW,
            "2011-01-01",
            "2020-08-27",
            "2024-06-20",
            "2024-09-30.acacia",
            "2026-10-14.preview",
            "2028-02-29.preview",
            "2026-12-31.fern",
            "2022-08-01; financial_connections_transactions_beta=v1; \
             financial_connections_relink_api_beta=v1",
            "2022-08-01;some_beta=v1;",
        ] {
            assert_eq!(Version::parse(text).unwrap().as_str(), text);
        }
        assert!(!Version::default().is_preview());
        assert!(!Version::default().at_least("2026-09-30"));
        assert!(Version::newest().at_least("2026-09-30"));
        let betas = Version::parse("2022-08-01; one_beta=v1; other_beta=v2").unwrap();
        assert!(betas.has_beta("one_beta") && betas.has_beta("other_beta"));
        assert!(!betas.has_beta("beta") && !Version::newest().has_beta("one_beta"));
    }

    /// A text that is not a version is rejected with 400.
    #[test]
    fn rejects_other_texts() {
        for text in [
            "",
            "latest",
            "2026-13-01.preview",
            "2026-00-01.preview",
            "2026-02-30.preview",
            "2027-02-29.preview",
            "2100-02-29.preview",
            "2026-04-31.preview",
            "2026-01-32.preview",
            "2026-1-01.preview",
            "2024-06-20.preview",
            "2024-06-21",
            "2024-09-30",
            "2026-08-26.endive",
            "2026-08-25.dahlia",
            "2027-01-01",
            "2024-06-21; some_beta=v1",
            "2026-08-26.",
            "2026-08-26.DAHLIA",
            "2026-08-26dahlia",
            "2026-08-26;",
            "2026-08-26; beta",
            "2026-08-2６",
        ] {
            assert_eq!(Version::parse(text).unwrap_err().status, 400, "{text}");
        }
    }

    proptest! {
        /// No text makes the reader panic, and an accepted text is unchanged.
        #[test]
        fn any_text_is_read_safely(text in "\\PC{0,40}", tail in "\\PC{0,10}") {
            let _ = Version::parse(&text);
            if let Ok(version) = Version::parse(&format!("2022-08-01{tail}")) {
                prop_assert!(version.at_least("2022-08-01"));
                prop_assert!(!version.at_least("2022-08-02"));
            }
        }
    }
}
