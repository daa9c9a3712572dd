//! Settings of the merchant's brand: its colour and its address.

use super::Resolved;
use crate::SettingsError;
use model::color::Color;
use model::limits::{ADDRESS_LINE_CHARS_MAX, ADDRESS_LINES_MAX};

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
