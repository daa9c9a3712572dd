//! Money: integer minor units with a currency. No float type appears in this crate.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A lowercase ISO 4217 code of three letters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency([u8; 3]);

impl Currency {
    /// US dollar, the currency of Stripe's test banks.
    pub const USD: Self = Self(*b"usd");

    /// Reads three ASCII letters of either case.
    pub fn parse(text: &str) -> Option<Self> {
        Self::of_bytes(text.as_bytes().try_into().ok()?)
    }

    /// Reads the bytes of three ASCII letters of either case.
    pub fn of_bytes(bytes: [u8; 3]) -> Option<Self> {
        bytes
            .iter()
            .all(u8::is_ascii_alphabetic)
            .then(|| Self(bytes.map(|byte| byte.to_ascii_lowercase())))
    }

    /// The code's bytes, for storage.
    pub fn bytes(self) -> [u8; 3] {
        self.0
    }

    /// The lowercase code.
    pub fn as_str(&self) -> &str {
        let Ok(code) = std::str::from_utf8(&self.0) else {
            unreachable!("the constructor takes ASCII letters only")
        };
        code
    }

    /// The number of decimal digits of an amount, from 0 to 3, as in Stripe's list. The Icelandic
    /// króna and the Ugandan shilling no longer have smaller units, but their amounts still count
    /// hundredths.
    pub fn decimals(self) -> usize {
        match self.as_str() {
            "bif" | "clp" | "djf" | "gnf" | "jpy" | "kmf" | "krw" | "mga" | "pyg" | "rwf"
            | "vnd" | "vuv" | "xaf" | "xof" | "xpf" => 0,
            "bhd" | "jod" | "kwd" | "omr" | "tnd" => 3,
            _ => 2,
        }
    }

    /// Returns an amount of minor units as a decimal number with all its digits, such as `-12.00`.
    pub fn decimal(self, amount: i64) -> String {
        let decimals = self.decimals();
        let digits = format!("{:0>width$}", amount.unsigned_abs(), width = decimals + 1);
        let (whole, fraction) = digits.split_at(digits.len() - decimals);
        let sign = if amount < 0 { "-" } else { "" };
        let point = if decimals > 0 { "." } else { "" };
        format!("{sign}{whole}{point}{fraction}")
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl TryFrom<String> for Currency {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).ok_or("a currency is three letters")
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        currency.as_str().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::Currency;
    use proptest::prelude::*;

    proptest! {
        /// Three letters of any case are a currency. Any other text is rejected.
        #[test]
        fn reads_three_letters_only(text in "\\PC{0,5}") {
            let letters = text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_alphabetic());
            prop_assert_eq!(Currency::parse(&text).is_some(), letters);
            if let Some(currency) = Currency::parse(&text) {
                prop_assert_eq!(currency.as_str(), text.to_ascii_lowercase());
            }
        }
    }
}
