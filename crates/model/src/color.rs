//! Colours of brands.

use std::fmt;

/// A colour in red, green and blue, which CSS writes as `#rrggbb`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Color(pub [u8; 3]);

impl Color {
    /// Reads `#rrggbb`, in either case.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('#')?;
        if digits.len() != 6 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        let number = u32::from_str_radix(digits, 16).ok()?;
        let [_, red, green, blue] = number.to_be_bytes();
        Some(Self([red, green, blue]))
    }
}

impl fmt::Display for Color {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [red, green, blue] = self.0;
        write!(formatter, "#{red:02x}{green:02x}{blue:02x}")
    }
}

#[cfg(test)]
mod tests {
    use super::Color;

    /// Only `#` and six hexadecimal digits are a colour.
    #[test]
    fn reads_six_digits() {
        assert_eq!(Color::parse("#0A4fd6"), Some(Color([10, 79, 214])));
        assert_eq!(Color([10, 79, 214]).to_string(), "#0a4fd6");
        for text in ["", "#", "0a4fd6", "#0a4fd", "#0a4fd61", "#0a4fdg", "#+a4fd6", "#é1234", "red"]
        {
            assert_eq!(Color::parse(text), None, "{text}");
        }
    }
}
