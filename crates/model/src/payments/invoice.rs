//! Invoices (`in_…`) and what stands on them, invoice items (`ii_…`).
//!
//! ```text
//! draft → open → paid      open when finalized: a Payment Intent collects it, and pays it
//!           │ → void       given up, and the intent with it
//!           paid at once when there is nothing to pay, or no more than no intent may debit
//! draft → deleted
//! ```
//!
//! An invoice keeps its lines in itself, so that it and its events can be shown from one row; an
//! item that changes changes its line in the same commit.

use crate::clock::AccountTime;
use crate::collection::Collection;
use crate::given::Given;
use crate::id::{
    ClockId, CustomerId, InvoiceId, InvoiceItemId, MerchantId, PaymentIntentId, PaymentMethodId,
    PriceId, SubscriptionId, SubscriptionItemId,
};
use crate::money::Currency;
use crate::payments::intent::{AMOUNT_MAX, AMOUNT_MIN};
use crate::word::words;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

words! {
    /// Where an invoice stands.
    InvoiceStatus {
        /// It may be changed still.
        Draft = "draft",
        /// It is to be paid.
        Open = "open",
        /// It was paid.
        Paid = "paid",
        /// It is not expected to be paid. This server leads no invoice here.
        Uncollectible = "uncollectible",
        /// It was given up.
        Void = "void",
    }
}

/// What is charged: an item, as it stands on its invoice too.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Charge {
    /// How many minor units in all; below 0 for a credit.
    pub amount: i64,
    /// Of what.
    pub currency: Currency,
    /// How many.
    pub quantity: i64,
    /// How many minor units one costs, with the fraction that it may have.
    pub unit_amount_decimal: String,
    /// The price that it was bought at.
    pub price: Option<PriceId>,
    /// The id of what was bought.
    pub product: Option<String>,
    /// What for, in words.
    pub description: Option<String>,
    /// For which time: its begin and its end.
    pub period: (AccountTime, AccountTime),
    /// Whether a discount may lower it.
    pub discountable: bool,
    /// The merchant's own keys.
    pub metadata: BTreeMap<String, String>,
}

/// A line of an invoice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// The item that it shows.
    pub item: InvoiceItemId,
    /// What is charged.
    pub charge: Charge,
    /// The item of a subscription that it is for; then no invoice item stands behind it.
    #[serde(default)]
    pub subscription_item: Option<SubscriptionItemId>,
}

/// One invoice item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvoiceItem {
    /// Its id.
    pub id: InvoiceItemId,
    /// Whose it is.
    pub merchant: MerchantId,
    /// Raised by every change.
    pub version: u64,
    /// Whether it was made with a live key.
    pub livemode: bool,
    /// When it was made.
    pub created: AccountTime,
    /// Whether lists leave it out.
    pub deleted: bool,
    /// Who is to pay it.
    pub customer: CustomerId,
    /// The test clock of the customer.
    pub clock: Option<ClockId>,
    /// What it stands on; none while it waits for an invoice.
    pub invoice: Option<InvoiceId>,
    /// What is charged.
    pub charge: Charge,
    /// What it echoes without acting on it.
    pub given: Given,
}

/// One invoice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invoice {
    /// Its id.
    pub id: InvoiceId,
    /// Whose it is.
    pub merchant: MerchantId,
    /// Raised by every change.
    pub version: u64,
    /// Whether it was made with a live key.
    pub livemode: bool,
    /// When it was made.
    pub created: AccountTime,
    /// Whether it was a draft that was deleted.
    pub deleted: bool,
    /// Who is to pay it.
    pub customer: CustomerId,
    /// The test clock of the customer.
    pub clock: Option<ClockId>,
    /// Name, e-mail address and the like of the customer, as they are while it is a draft.
    pub addressee: Given,
    /// Where it stands.
    pub status: InvoiceStatus,
    /// Of what its amounts are.
    pub currency: Currency,
    /// What is charged, the newest first.
    pub lines: Vec<Line>,
    /// The number that a person sees; none of a draft.
    pub printed_number: Option<String>,
    /// What collects it, once it is open.
    pub intent: Option<PaymentIntentId>,
    /// What is debited unless the payment says otherwise.
    pub default_payment_method: Option<PaymentMethodId>,
    /// The types of payment method allowed; none when the settings of the merchant choose.
    pub method_types: Option<Vec<String>>,
    /// What it asks of the link flow.
    pub collection: Collection,
    /// What the settings of the merchant ask for beside it, as they were when it was made; none
    /// when it names its types itself.
    #[serde(default)]
    pub from_settings: Option<Collection>,
    /// The subscription that it is of.
    #[serde(default)]
    pub subscription: Option<SubscriptionId>,
    /// For which time it is: its begin and its end; none for the moment in which it was made.
    #[serde(default)]
    pub period: Option<(AccountTime, AccountTime)>,
    /// How often somebody tried to pay it.
    pub attempts: u32,
    /// When it was opened.
    pub finalized_at: Option<AccountTime>,
    /// When it was paid.
    pub paid_at: Option<AccountTime>,
    /// When it was given up.
    pub voided_at: Option<AccountTime>,
    /// Whether it was paid in another way than by its intent.
    pub paid_elsewhere: bool,
    /// What the customer owed when it was opened, and it asks for too; below 0 what they had to
    /// their credit. Minor units.
    #[serde(default)]
    pub starting_balance: i64,
    /// What is left of that and of its total for the customer's next invoice; 0 of a draft.
    #[serde(default)]
    pub ending_balance: i64,
    /// The merchant's own keys.
    pub metadata: BTreeMap<String, String>,
    /// What it echoes without acting on it.
    pub given: Given,
}

impl Invoice {
    /// The sum of its lines; below 0 when credits outweigh.
    pub fn total(&self) -> i64 {
        self.lines.iter().fold(0, |sum, line| sum.saturating_add(line.charge.amount))
    }

    /// What is to be paid in all: its total and what the customer owed before, less what is left
    /// for the next invoice.
    pub fn amount_due(&self) -> i64 {
        self.owed().saturating_sub(self.ending_balance).max(0)
    }

    /// What its intent debited.
    pub fn amount_paid(&self) -> i64 {
        let debited = self.status == InvoiceStatus::Paid && !self.paid_elsewhere;
        if debited { self.amount_due() } else { 0 }
    }

    fn owed(&self) -> i64 {
        self.total().saturating_add(self.starting_balance)
    }

    /// Sets or replaces the line of an item.
    pub fn put_line(&mut self, item: &InvoiceItem) {
        let charge = item.charge.clone();
        if let Some(line) = self.lines.iter_mut().find(|line| line.item == item.id) {
            line.charge = charge;
        } else {
            let line = Line { item: item.id, charge, subscription_item: None };
            self.lines.insert(0, line);
        }
    }

    /// Takes the line of an item away.
    pub fn remove_line(&mut self, item: InvoiceItemId) {
        self.lines.retain(|line| line.item != item);
    }

    /// A draft of a customer with this balance becomes one that is to be paid. What no intent may
    /// debit, a credit or a sum that is too small or too large, is left for the customer's next
    /// invoice, and this one is paid.
    pub fn finalize(&mut self, printed_number: String, balance: i64, now: AccountTime) {
        assert!(self.status == InvoiceStatus::Draft, "callers ask first whether it is a draft");
        self.printed_number = Some(printed_number);
        self.finalized_at = Some(now);
        self.status = InvoiceStatus::Open;
        self.starting_balance = balance;
        let owed = self.owed();
        if !(AMOUNT_MIN..=AMOUNT_MAX).contains(&owed) {
            self.ending_balance = owed;
            self.pay(now);
        }
    }

    /// It was paid.
    pub fn pay(&mut self, now: AccountTime) {
        self.status = InvoiceStatus::Paid;
        self.paid_at = Some(now);
    }

    /// It is given up.
    pub fn void(&mut self, now: AccountTime) {
        self.status = InvoiceStatus::Void;
        self.voided_at = Some(now);
    }
}

/// Digits of the fraction of a unit amount. Stripe's published bound.
const FRACTION_DIGITS: usize = 12;

/// What so many units of a decimal amount cost, rounded half up to whole minor units. Nothing when
/// the text is no such number, or the cost is out of all bounds.
///
/// ```
/// assert_eq!(model::payments::invoice::cost("12.5", 3), Some(38));
/// ```
pub fn cost(unit_amount_decimal: &str, quantity: i64) -> Option<i64> {
    let (negative, digits) = match unit_amount_decimal.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, unit_amount_decimal),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all_digits = whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || fraction.len() > FRACTION_DIGITS || !all_digits {
        return None;
    }
    let scaled: i128 = format!("{whole}{fraction:0<FRACTION_DIGITS$}").parse().ok()?;
    let scaled = if negative { -scaled } else { scaled };
    let one = 10_i128.pow(12);
    let product = scaled.checked_mul(i128::from(quantity))?.checked_add(one / 2)?;
    i64::try_from(product.div_euclid(one)).ok()
}

#[cfg(test)]
mod tests {
    use super::cost;

    /// Fractions are rounded in the whole, and what is no number costs nothing that is known.
    #[test]
    fn costs_of_units() {
        assert_eq!(cost("1000", 2), Some(2_000));
        assert_eq!(cost("-250", 1), Some(-250));
        assert_eq!(cost("0.004", 1_000), Some(4));
        for wrong in ["", "-", "1e3", ".5", "1.0000000000001", "1.2.3"] {
            assert_eq!(cost(wrong, 1), None, "{wrong}");
        }
        assert_eq!(cost("9999999999999999999999999", i64::MAX), None);
    }
}
