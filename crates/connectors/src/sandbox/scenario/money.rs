//! Amounts in a scenario. They are texts with the decimals of their currency, so no amount becomes
//! a fraction.

use super::tree::{ScenarioError, Table, Value};
use model::limits::STEERED_AMOUNT_MAX;
use model::money::Currency;

/// Amounts of a currency, as decimal texts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Money {
    pub(super) currency: Currency,
}

impl Money {
    pub(super) fn read(
        self,
        table: &mut Table,
        key: &'static str,
    ) -> Result<Option<i64>, ScenarioError> {
        let Some(node) = table.node(key) else { return Ok(None) };
        let amount = match &node.value {
            Value::Text(text) => self.parse(text),
            _ => None,
        };
        amount.map(Some).ok_or_else(|| table.error(node.line, key, self.wanted()))
    }

    /// Reads a text such as `-12.00`, whole or with all decimals, as minor units.
    pub(super) fn parse(self, text: &str) -> Option<i64> {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(digits) => (true, digits),
            None => (false, text),
        };
        let decimals = self.currency.decimals();
        let (whole, fraction) = match digits.split_once('.') {
            Some((whole, fraction)) if fraction.len() == decimals && decimals > 0 => {
                (whole, fraction.to_owned())
            }
            Some(_) => return None,
            None => (digits, "0".repeat(decimals)),
        };
        let plain = !whole.is_empty() && whole.len() <= 15;
        let all = format!("{whole}{fraction}");
        if !plain || !all.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let amount: i64 = all.parse().ok()?;
        let amount = if negative { -amount } else { amount };
        (-STEERED_AMOUNT_MAX..=STEERED_AMOUNT_MAX).contains(&amount).then_some(amount)
    }

    /// Writes minor units as a text that [`Self::parse`] reads.
    pub(super) fn text(self, amount: i64) -> String {
        self.currency.decimal(amount)
    }

    /// The expected format, for an error.
    pub(super) fn wanted(self) -> String {
        let example = match self.currency.decimals() {
            0 => "\"-1200\"",
            2 => "\"-12.00\"",
            _ => "\"-12.000\"",
        };
        let currency = self.currency.as_str();
        format!("an amount of {currency} in quotes is expected, such as {example}")
    }
}
