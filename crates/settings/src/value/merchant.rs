//! Settings of the merchant's brand: its name, its colour and its address.

use super::Resolved;
use crate::SettingsError;
use model::color::Color;
use model::limits::{ADDRESS_LINE_CHARS_MAX, ADDRESS_LINES_MAX, MERCHANT_NAME_CHARS_MAX};

impl Resolved {
    /// Parses a colour.
    pub(super) fn color(&self, name: &'static str) -> Result<Option<Color>, SettingsError> {
        match self.get(name).0.trim() {
            "" => Ok(None),
            text => Color::parse(text).map(Some).ok_or_else(|| {
                self.fault(name, "must be a # and six hexadecimal digits, such as #2a4fd6")
            }),
        }
    }

    /// Parses a name that pages show.
    pub(super) fn name(&self, name: &'static str) -> Result<String, SettingsError> {
        let text = self.get(name).0.trim();
        let count = text.chars().count();
        if (1..=MERCHANT_NAME_CHARS_MAX).contains(&count) && !text.contains(char::is_control) {
            return Ok(text.to_owned());
        }
        let wanted = format!("must be 1 to {MERCHANT_NAME_CHARS_MAX} characters in one line");
        Err(self.fault(name, &wanted))
    }

    /// Parses the lines of an address. Addresses contain commas, so another character separates the
    /// lines. In a file and in a variable it may be the end of a line.
    pub(super) fn address(&self, name: &'static str) -> Result<Vec<String>, SettingsError> {
        let lines = self.get(name).0.split(['|', '\n']).map(str::trim);
        let lines: Vec<String> = lines.filter(|line| !line.is_empty()).map(str::to_owned).collect();
        let fits = |line: &String| {
            line.chars().count() <= ADDRESS_LINE_CHARS_MAX && !line.contains(char::is_control)
        };
        if lines.len() <= ADDRESS_LINES_MAX && lines.iter().all(fits) {
            return Ok(lines);
        }
        let wanted = format!(
            "must be at most {ADDRESS_LINES_MAX} lines of {ADDRESS_LINE_CHARS_MAX} characters, \
             with | between them"
        );
        Err(self.fault(name, &wanted))
    }
}
