//! Amounts in a scenario. They are texts with the decimals of their currency, so no amount becomes
//! a fraction.

use super::tree::{ScenarioError, Table, Value};
use model::limits::STEERED_AMOUNT_MAX;
use model::money::Currency;

const AMOUNT_MAX: u64 = STEERED_AMOUNT_MAX.unsigned_abs();

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
        let Value::Text(text) = &node.value else {
            return Err(table.error(node.line, key, self.wanted()));
        };
        self.parse(text).map(Some).map_err(|problem| table.error(node.line, key, problem))
    }

    /// Reads a text such as `-12.00`, whole or with all decimals, as minor units. The error says what
    /// is expected.
    pub(super) fn parse(self, text: &str) -> Result<i64, String> {
        let amount = self.digits(text).ok_or_else(|| self.wanted())?;
        let amount = amount.filter(|amount| amount.unsigned_abs() <= AMOUNT_MAX);
        amount.ok_or_else(|| self.range())
    }

    /// Reads the digits of a well-formed text. The inner value is `None` if they are too many.
    #[expect(clippy::option_option, reason = "a text with too many digits is well-formed")]
    fn digits(self, text: &str) -> Option<Option<i64>> {
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
        let all = format!("{whole}{fraction}");
        if whole.is_empty() || !all.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let amount: Option<i64> = all.parse().ok();
        Some(amount.map(|amount| if negative { -amount } else { amount }))
    }

    /// Writes minor units as a text that [`Self::parse`] reads.
    pub(super) fn text(self, amount: i64) -> String {
        self.currency.decimal(amount)
    }

    /// The accepted range, for an error.
    fn range(self) -> String {
        let (least, most) = (self.text(-STEERED_AMOUNT_MAX), self.text(STEERED_AMOUNT_MAX));
        format!("an amount of {} from {least} to {most} is expected", self.currency.as_str())
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
