//! A Checkout Session (`cs_test_…`): a page of ours on which a holder pays, or permits later debits
//! of a bank account.
//!
//! ```text
//! open → complete            the holder linked an account: the intent is made and confirmed, or
//!                            the subscription begun
//!      → expired             by a call, or automatically after a day
//! ```
//!
//! A debit takes days, so a payment session is complete before it is paid. `payment_status` then
//! follows its Payment Intent.

use crate::clock::{AccountTime, DAY_S};
use crate::collection::{Collection, VerificationMethod};
use crate::extra_params::ExtraParams;
use crate::id::{
    CheckoutId, CheckoutLiveId, ClockId, CustomerId, InvoiceId, LineItemId, MerchantId,
    PaymentMethodId, SubscriptionId,
};
use crate::money::Currency;
use crate::payments::intent::{Intent, IntentStatus};
use crate::payments::mandate::{accepted_offline, accepted_online};
use crate::payments::method_configuration::ConfiguredBy;
use crate::payments::product::Price;
use crate::payments::subscription::Subscription;
use crate::word::words;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

words! {
    /// The purpose of a session.
    CheckoutMode {
        /// One payment.
        Payment = "payment",
        /// Future payments.
        Setup = "setup",
        /// Recurring payments.
        Subscription = "subscription",
    }
}

words! {
    /// The state of a session.
    CheckoutStatus {
        /// The holder finished it.
        Complete = "complete",
        /// It timed out, or a call ended it.
        Expired = "expired",
        /// It waits for the holder.
        Open = "open",
    }
}

words! {
    /// The state of its payment.
    PaymentStatus {
        /// No amount is due.
        NoPaymentRequired = "no_payment_required",
        /// It is paid.
        Paid = "paid",
        /// It is not paid yet, or never will be.
        Unpaid = "unpaid",
    }
}

/// The default lifetime of a session in seconds, which is also the longest.
pub const CHECKOUT_AGE_S_MAX: i64 = DAY_S;
/// The shortest lifetime of a session in seconds.
pub const CHECKOUT_AGE_S_MIN: i64 = 30 * 60;
/// The maximum number of line items of a session.
pub const LINE_ITEMS_MAX: usize = 100;
/// The maximum number of digits after the decimal point of an amount. Stripe's bound.
const FRACTION_DIGITS_MAX: usize = 12;

/// One line item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineItem {
    /// Its id.
    pub id: LineItemId,
    /// The price of one: a price of the merchant, or one that was created from its `price_data`.
    pub price: Price,
    /// The name.
    pub name: String,
    /// The currency.
    pub currency: Currency,
    /// The quantity.
    pub quantity: i64,
    /// The amount due at once for all of them, in minor units. Amounts that a trial postpones are
    /// left out.
    pub amount: i64,
    /// Parameters that the server echoes and otherwise ignores.
    pub given: ExtraParams,
}

/// The details that the holder entered on the page.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payer {
    /// The name.
    pub name: Option<String>,
    /// The e-mail address, if the session did not have it.
    pub email: Option<String>,
    /// The user agent of the browser in which they accepted the mandate.
    pub user_agent: Option<String>,
}

/// One session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckoutSession {
    /// The number of its id.
    pub number: u64,
    /// The merchant that owns it.
    pub merchant: MerchantId,
    /// The version, which every change raises by one.
    pub version: u64,
    /// True if it was created with a live key.
    pub livemode: bool,
    /// The time of creation.
    pub created: AccountTime,
    /// The time at which it expires if it is still open.
    pub expires_at: AccountTime,
    /// The customer who pays.
    pub customer: Option<CustomerId>,
    /// The test clock of the customer.
    pub clock: Option<ClockId>,
    /// The e-mail address of the payer, from the request or the customer.
    pub email: Option<String>,
    /// The purpose.
    pub mode: CheckoutMode,
    /// The state.
    pub status: CheckoutStatus,
    /// The state of the payment.
    pub payment_status: PaymentStatus,
    /// The line items. Empty for a setup.
    pub line_items: Vec<LineItem>,
    /// The currency. A setup need not have one.
    pub currency: Option<Currency>,
    /// The allowed payment method types. `None` if the merchant's settings decide.
    pub method_types: Option<Vec<String>>,
    /// The decision of the payment method configuration, if one applied.
    #[serde(default)]
    pub configuration: Option<ConfiguredBy>,
    /// The link requirements.
    pub collection: Collection,
    /// The link requirements of the merchant's settings at creation. `None` if the request names
    /// the payment method types.
    pub from_settings: Option<Collection>,
    /// The id of the intent that it created when the holder first gave a payment method.
    pub intent: Option<String>,
    /// The subscription that it created on completion.
    #[serde(default)]
    pub subscription: Option<SubscriptionId>,
    /// The first invoice of that subscription.
    #[serde(default)]
    pub invoice: Option<InvoiceId>,
    /// The details that the holder entered on the page.
    #[serde(default)]
    pub payer: Payer,
    /// The payment method that the holder linked on the page. It is debited when they confirm.
    #[serde(default)]
    pub collected: Option<PaymentMethodId>,
    /// The merchant's metadata.
    pub metadata: BTreeMap<String, String>,
    /// Parameters that the server echoes and otherwise ignores.
    pub given: ExtraParams,
}

impl CheckoutSession {
    /// Returns the id.
    pub fn id(&self) -> String {
        if self.livemode {
            CheckoutLiveId::from_number(self.number).to_string()
        } else {
            CheckoutId::from_number(self.number).to_string()
        }
    }

    /// Returns the number of an id of either mode.
    pub fn number_of(id: &str) -> Option<u64> {
        let live = || id.parse().map(CheckoutLiveId::number);
        id.parse().map(CheckoutId::number).or_else(|_| live()).ok()
    }

    /// True if it waits for the holder.
    pub fn is_open(&self) -> bool {
        self.status == CheckoutStatus::Open
    }

    /// True if it is for a payment.
    pub fn is_payment(&self) -> bool {
        self.mode == CheckoutMode::Payment
    }

    /// Returns the e-mail address of the payer, from any source.
    pub fn payer_email(&self) -> Option<&str> {
        self.email.as_deref().or(self.payer.email.as_deref())
    }

    /// Returns the holder's acceptance of the mandate: on the page, or by a call that completes the
    /// session without a browser.
    pub fn acceptance(&self) -> ExtraParams {
        self.payer.user_agent.clone().map_or_else(accepted_offline, accepted_online)
    }

    /// True if it is paid, once or repeatedly.
    pub fn sells(&self) -> bool {
        self.mode != CheckoutMode::Setup
    }

    /// Returns the amount due at once, in minor units. `None` for a setup.
    pub fn amount(&self) -> Option<i64> {
        self.sells().then(|| self.line_items.iter().map(|item| item.amount).sum())
    }

    /// True if the holder may type account numbers.
    pub fn manual_entry(&self) -> bool {
        self.collection.verification_method != Some(VerificationMethod::Instant)
    }

    /// Records that `intent` was confirmed with the holder's payment method. Returns true if that
    /// completes the session. If the attempt failed at once, the holder may try again.
    pub fn confirmed(&mut self, intent: &Intent) -> bool {
        assert!(self.is_open(), "callers ask first whether it is open");
        self.intent = Some(intent.id());
        if intent.collects() {
            return false;
        }
        self.status = CheckoutStatus::Complete;
        if intent.is_payment() && intent.status == IntentStatus::Succeeded {
            self.payment_status = PaymentStatus::Paid;
        }
        true
    }

    /// Records that a subscription began with the holder's payment method. `intent` pays its first
    /// invoice if an amount is due.
    pub fn subscribed(&mut self, subscription: &Subscription, intent: Option<&Intent>) {
        assert!(self.is_open(), "callers ask first whether it is open");
        self.status = CheckoutStatus::Complete;
        self.subscription = Some(subscription.id);
        self.invoice = subscription.latest_invoice;
        self.intent = intent.map(Intent::id);
        if intent.is_none() {
            self.payment_status = PaymentStatus::NoPaymentRequired;
        }
    }

    /// Expires the session.
    pub fn expire(&mut self) {
        assert!(self.is_open(), "callers ask first whether it is open");
        self.status = CheckoutStatus::Expired;
    }
}

/// Returns the amount of a quantity in minor units, with half a unit rounded up. `unit` is the
/// price of one, with up to twelve digits after the decimal point. Returns `None` if it is not such
/// a number, negative, or if the amount exceeds 64 bits.
///
/// ```
/// use model::payments::checkout::line_amount;
/// assert_eq!(line_amount("1999", 2), Some(3998));
/// assert_eq!(line_amount("0.5", 3), Some(2));
/// assert_eq!(line_amount("-1", 1), None);
/// ```
pub fn line_amount(unit: &str, quantity: i64) -> Option<i64> {
    let (whole, fraction) = unit.split_once('.').unwrap_or((unit, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let fits = fraction.len() <= FRACTION_DIGITS_MAX && !(whole.is_empty() && fraction.is_empty());
    if !fits || !digits(whole) || !digits(fraction) || quantity < 0 {
        return None;
    }
    let scaled: i128 = format!("{whole}{fraction:0<FRACTION_DIGITS_MAX$}").parse().ok()?;
    let one = 10_i128.pow(12);
    let all = scaled.checked_mul(i128::from(quantity))?.checked_add(one / 2)?;
    i64::try_from(all / one).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Fractions of a cent are added before rounding. An invalid amount gives `None`.
    #[test]
    fn adds_parts_of_a_cent() {
        assert_eq!(line_amount("0.004", 1_000), Some(4));
        assert_eq!(line_amount("0.0004", 1_000), Some(0));
        assert_eq!(line_amount(".5", 1), Some(1));
        assert_eq!(line_amount("12.", 1), Some(12));
        for bad in ["", ".", "1e3", "-1", "+1", "0.0000000000001", "1.2.3"] {
            assert_eq!(line_amount(bad, 1), None, "{bad}");
        }
        assert_eq!(line_amount("9223372036854775807", 2), None);
        let digits = "9".repeat(40);
        assert_eq!(line_amount(&digits, 1), None);
    }

    proptest! {
        /// Whole units are multiplied, and no text makes the reader panic.
        #[test]
        fn multiplies(unit in 0..1_000_000_i64, quantity in 0..1_000_000_i64, text in "\\PC{0,30}") {
            prop_assert_eq!(line_amount(&unit.to_string(), quantity), Some(unit * quantity));
            let _ = line_amount(&text, quantity);
        }
    }
}
