//! Invoices (`in_…`) and invoice items (`ii_…`).
//!
//! ```text
//! draft → open → paid      open when finalized: a Payment Intent collects it, and pays it
//!           │ → void       given up, and the intent with it
//!           paid at once when there is nothing to pay, or no more than no intent may debit
//! draft → deleted
//! ```
//!
//! An invoice contains its lines, so that one row is enough to show the invoice and its events. A
//! change of an item changes its line in the same commit.

use crate::clock::AccountTime;
use crate::collection::Collection;
use crate::extra_params::ExtraParams;
use crate::id::{
    ApplicationId, ChargeId, ClockId, CustomerId, InvoiceId, InvoiceItemId, MerchantId,
    PaymentIntentId, PaymentMethodId, PriceId, SubscriptionId, SubscriptionItemId,
};
use crate::money::Currency;
use crate::payments::intent::{AMOUNT_MAX, AMOUNT_MIN};
use crate::payments::product::Price;
use crate::word::words;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

words! {
    /// The state of an invoice.
    InvoiceStatus {
        /// It can still be changed.
        Draft = "draft",
        /// It is to be paid.
        Open = "open",
        /// It was paid.
        Paid = "paid",
        /// It is not expected to be paid. This server never sets this state.
        Uncollectible = "uncollectible",
        /// It was voided.
        Void = "void",
    }
}

/// The common fields of an invoice item and of its line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineDetails {
    /// The whole amount in minor units, negative for a credit.
    pub amount: i64,
    /// The currency.
    pub currency: Currency,
    /// The quantity.
    pub quantity: i64,
    /// The amount of one in minor units, with a possible fraction.
    pub unit_amount_decimal: String,
    /// The price.
    pub price: Option<PriceId>,
    /// The price as it was when the line was made. Older API versions show it whole. `None` without a
    /// price, and for lines of earlier releases.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price_then: Option<Box<Price>>,
    /// The id of the product.
    pub product: Option<String>,
    /// The description.
    pub description: Option<String>,
    /// The start and end of the period that it covers.
    pub period: (AccountTime, AccountTime),
    /// True if a discount may reduce it.
    pub discountable: bool,
    /// The merchant's metadata.
    pub metadata: BTreeMap<String, String>,
}

/// A line of an invoice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// The item.
    pub item: InvoiceItemId,
    /// The amount, the price and the other fields of both.
    #[serde(rename = "charge")]
    pub details: LineDetails,
    /// The subscription item that it is for. Such a line has no invoice item.
    #[serde(default)]
    pub subscription_item: Option<SubscriptionItemId>,
}

/// One invoice item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvoiceItem {
    /// Its id.
    pub id: InvoiceItemId,
    /// The merchant that owns it.
    pub merchant: MerchantId,
    /// The version, which every change raises by one.
    pub version: u64,
    /// True if it was created with a live key.
    pub livemode: bool,
    /// The time of creation.
    pub created: AccountTime,
    /// True if it was deleted. Lists leave it out.
    pub deleted: bool,
    /// The customer who pays.
    pub customer: CustomerId,
    /// The test clock of the customer.
    pub clock: Option<ClockId>,
    /// The invoice. `None` while it waits for one.
    pub invoice: Option<InvoiceId>,
    /// The amount, the price and the other fields of both.
    #[serde(rename = "charge")]
    pub details: LineDetails,
    /// Parameters that the server echoes and otherwise ignores.
    pub given: ExtraParams,
}

/// One invoice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invoice {
    /// Its id.
    pub id: InvoiceId,
    /// The merchant that owns it.
    pub merchant: MerchantId,
    /// The version, which every change raises by one.
    pub version: u64,
    /// True if it was created with a live key.
    pub livemode: bool,
    /// The time of creation.
    pub created: AccountTime,
    /// True if it was a draft that was deleted.
    pub deleted: bool,
    /// The customer who pays.
    pub customer: CustomerId,
    /// The test clock of the customer.
    pub clock: Option<ClockId>,
    /// The customer's name, e-mail address and so on. A draft follows the customer's changes.
    pub addressee: ExtraParams,
    /// The state.
    pub status: InvoiceStatus,
    /// The currency of its amounts.
    pub currency: Currency,
    /// The lines, newest first.
    pub lines: Vec<Line>,
    /// The number for people. `None` for a draft.
    pub printed_number: Option<String>,
    /// The latest charge of its Payment Intent. Versions before basil show it.
    #[serde(default)]
    pub latest_charge: Option<ChargeId>,
    /// The Payment Intent that collects it, once it is open.
    pub intent: Option<PaymentIntentId>,
    /// The payment method that is debited by default.
    pub default_payment_method: Option<PaymentMethodId>,
    /// The allowed payment method types. `None` if the merchant's settings decide.
    pub method_types: Option<Vec<String>>,
    /// The link requirements.
    pub collection: Collection,
    /// The link requirements of the merchant's settings at creation. `None` if the request names
    /// the payment method types.
    #[serde(default)]
    pub from_settings: Option<Collection>,
    /// The subscription that it belongs to.
    #[serde(default)]
    pub subscription: Option<SubscriptionId>,
    /// The start and end of its period. `None` for the moment of its creation.
    #[serde(default)]
    pub period: Option<(AccountTime, AccountTime)>,
    /// The number of attempts to pay it.
    pub attempts: u32,
    /// The time at which a draft is finalized, and an open invoice is debited, without a call.
    #[serde(default)]
    pub advances_at: Option<AccountTime>,
    /// True if it is only announced and not stored. Such an invoice has no id.
    #[serde(default)]
    pub upcoming: bool,
    /// The time of finalization.
    pub finalized_at: Option<AccountTime>,
    /// The time of payment.
    pub paid_at: Option<AccountTime>,
    /// The time of voiding.
    pub voided_at: Option<AccountTime>,
    /// True if it was paid out of band, without its intent.
    pub paid_elsewhere: bool,
    /// The customer's balance at finalization, which is part of the amount due. Negative is a
    /// credit. Minor units.
    #[serde(default)]
    pub starting_balance: i64,
    /// The part of the balance and total that is carried to the customer's next invoice. 0 for a
    /// draft.
    #[serde(default)]
    pub ending_balance: i64,
    /// The application of the platform that it was made by.
    #[serde(default)]
    pub application: Option<ApplicationId>,
    /// The merchant's metadata.
    pub metadata: BTreeMap<String, String>,
    /// Parameters that the server echoes and otherwise ignores.
    pub given: ExtraParams,
}

impl Invoice {
    /// Returns the way in which it is paid: by a debit, or by the customer who receives it.
    pub fn collection_method(&self) -> &str {
        self.given.text(&["collection_method"]).unwrap_or("charge_automatically")
    }

    /// Returns the time of its next step without a call.
    pub fn due_at(&self) -> Option<AccountTime> {
        let waits = matches!(self.status, InvoiceStatus::Draft | InvoiceStatus::Open);
        self.advances_at.filter(|_| waits && !self.deleted)
    }

    /// Returns the sum of its lines, negative if credits outweigh.
    pub fn total(&self) -> i64 {
        self.lines.iter().fold(0, |sum, line| sum.saturating_add(line.details.amount))
    }

    /// Returns the amount due: its total and starting balance, minus the balance that is carried to
    /// the next invoice.
    pub fn amount_due(&self) -> i64 {
        self.owed().saturating_sub(self.ending_balance).max(0)
    }

    /// Returns the amount that its intent debited.
    pub fn amount_paid(&self) -> i64 {
        let debited = self.status == InvoiceStatus::Paid && !self.paid_elsewhere;
        if debited { self.amount_due() } else { 0 }
    }

    fn owed(&self) -> i64 {
        self.total().saturating_add(self.starting_balance)
    }

    /// Adds or replaces the line of an item.
    pub fn put_line(&mut self, item: &InvoiceItem) {
        let details = item.details.clone();
        if let Some(line) = self.lines.iter_mut().find(|line| line.item == item.id) {
            line.details = details;
        } else {
            let line = Line { item: item.id, details, subscription_item: None };
            self.lines.insert(0, line);
        }
    }

    /// Removes the line of an item.
    pub fn remove_line(&mut self, item: InvoiceItemId) {
        self.lines.retain(|line| line.item != item);
    }

    /// Finalizes a draft for a customer with this balance. If no intent can debit the amount, the
    /// customer's next invoice takes it over and this one is paid. That is the case for a credit,
    /// and for an amount below the minimum or above the maximum.
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

    /// Marks it as paid.
    pub fn pay(&mut self, now: AccountTime) {
        self.status = InvoiceStatus::Paid;
        self.paid_at = Some(now);
        self.advances_at = None;
    }

    /// Voids it.
    pub fn void(&mut self, now: AccountTime) {
        self.status = InvoiceStatus::Void;
        self.voided_at = Some(now);
        self.advances_at = None;
    }
}

/// The time in seconds from the creation of a draft to its finalization without a call. Stripe's
/// published time.
pub const DRAFT_AGE_S: i64 = 60 * 60;

/// The maximum number of digits after the decimal point of a unit amount. Stripe's published bound.
const FRACTION_DIGITS: usize = 12;

/// Returns the amount of a quantity of a decimal unit amount, rounded half up to whole minor units.
/// Returns `None` if the text is not such a number or the amount exceeds 64 bits.
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

    /// Only the sum is rounded, and an invalid number gives `None`.
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
