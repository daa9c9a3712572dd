//! A Checkout Session (`cs_test_…`): a page of ours where somebody pays, or lets a bank account be
//! debited later.
//!
//! ```text
//! open → complete            the holder linked an account: the intent is made and confirmed, or
//!                            the subscription begun
//!      → expired             by a call, or by itself after a day
//! ```
//!
//! A debit takes days, so a payment session is complete before it is paid: `payment_status` follows
//! its Payment Intent.

use crate::clock::{AccountTime, DAY_S};
use crate::collection::{Collection, VerificationMethod};
use crate::given::Given;
use crate::id::{
    CheckoutId, CheckoutLiveId, ClockId, CustomerId, InvoiceId, LineItemId, MerchantId,
    PaymentMethodId, SubscriptionId,
};
use crate::money::Currency;
use crate::payments::intent::{Intent, IntentStatus};
use crate::payments::mandate::accepted_online;
use crate::payments::method_configuration::ConfiguredBy;
use crate::payments::product::Price;
use crate::payments::subscription::Subscription;
use crate::word::words;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

words! {
    /// What a session is for.
    CheckoutMode {
        /// One payment.
        Payment = "payment",
        /// Payments to come.
        Setup = "setup",
        /// Payments again and again.
        Subscription = "subscription",
    }
}

words! {
    /// Where a session stands.
    CheckoutStatus {
        /// The holder did what it asked.
        Complete = "complete",
        /// It waited too long, or was ended by a call.
        Expired = "expired",
        /// It waits for the holder.
        Open = "open",
    }
}

words! {
    /// Whether the money is there.
    PaymentStatus {
        /// There is nothing to pay.
        NoPaymentRequired = "no_payment_required",
        /// It is.
        Paid = "paid",
        /// Not yet, or never.
        Unpaid = "unpaid",
    }
}

/// Seconds after which a session expires unless it says otherwise, and the most that it may say.
pub const CHECKOUT_AGE_S_MAX: i64 = DAY_S;
/// The least seconds after which a session may expire.
pub const CHECKOUT_AGE_S_MIN: i64 = 30 * 60;
/// The most line items of a session.
pub const LINE_ITEMS_MAX: usize = 100;
/// Digits behind the point of an amount in decimals. Stripe's bound.
const FRACTION_DIGITS_MAX: usize = 12;

/// Something that is paid for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineItem {
    /// Its id.
    pub id: LineItemId,
    /// What one costs: a price of the merchant, or one that was made of its `price_data`.
    pub price: Price,
    /// What it is called.
    pub name: String,
    /// In what it is paid.
    pub currency: Currency,
    /// How many.
    pub quantity: i64,
    /// What all of them cost at once, in minor units: nothing of what a trial puts off.
    pub amount: i64,
    /// What it echoes without acting on it.
    pub given: Given,
}

/// What the holder told on the page.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payer {
    /// Their name.
    pub name: Option<String>,
    /// Their e-mail address, where the session did not know it.
    pub email: Option<String>,
    /// The browser in which they gave their word to be debited.
    pub user_agent: Option<String>,
}

/// One session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckoutSession {
    /// The number of its id.
    pub number: u64,
    /// Whose it is.
    pub merchant: MerchantId,
    /// Raised by every change.
    pub version: u64,
    /// Whether it was made with a live key.
    pub livemode: bool,
    /// When it was made.
    pub created: AccountTime,
    /// When it expires if it is open still.
    pub expires_at: AccountTime,
    /// Who pays.
    pub customer: Option<CustomerId>,
    /// The test clock of the customer.
    pub clock: Option<ClockId>,
    /// The e-mail address of who pays, as the request or the customer has it.
    pub email: Option<String>,
    /// What it is for.
    pub mode: CheckoutMode,
    /// Where it stands.
    pub status: CheckoutStatus,
    /// Whether the money is there.
    pub payment_status: PaymentStatus,
    /// What is paid for; empty of a setup.
    pub line_items: Vec<LineItem>,
    /// In what is paid; a setup need not say.
    pub currency: Option<Currency>,
    /// The types a payment method may be of; none when the settings of the merchant choose.
    pub method_types: Option<Vec<String>>,
    /// What decided on its payment methods, where a configuration did.
    #[serde(default)]
    pub configuration: Option<ConfiguredBy>,
    /// What it asks of the link flow.
    pub collection: Collection,
    /// What the settings of the merchant ask for beside it, as they were when it was made; none
    /// when it names its types itself.
    pub from_settings: Option<Collection>,
    /// The id of the intent that it made when the holder first gave a payment method.
    pub intent: Option<String>,
    /// The subscription that it made when it was completed.
    #[serde(default)]
    pub subscription: Option<SubscriptionId>,
    /// The first invoice of that subscription.
    #[serde(default)]
    pub invoice: Option<InvoiceId>,
    /// What the holder told on the page.
    #[serde(default)]
    pub payer: Payer,
    /// What the holder linked on the page, to be debited when they say so there.
    #[serde(default)]
    pub collected: Option<PaymentMethodId>,
    /// The merchant's own keys.
    pub metadata: BTreeMap<String, String>,
    /// What it echoes without acting on it.
    pub given: Given,
}

impl CheckoutSession {
    /// Its id.
    pub fn id(&self) -> String {
        if self.livemode {
            CheckoutLiveId::from_number(self.number).to_string()
        } else {
            CheckoutId::from_number(self.number).to_string()
        }
    }

    /// The number of an id of either mode.
    pub fn number_of(id: &str) -> Option<u64> {
        let live = || id.parse().map(CheckoutLiveId::number);
        id.parse().map(CheckoutId::number).or_else(|_| live()).ok()
    }

    /// Whether it waits for the holder.
    pub fn is_open(&self) -> bool {
        self.status == CheckoutStatus::Open
    }

    /// Whether it is for a payment.
    pub fn is_payment(&self) -> bool {
        self.mode == CheckoutMode::Payment
    }

    /// The e-mail address of who pays, wherever it is known from.
    pub fn payer_email(&self) -> Option<&str> {
        self.email.as_deref().or(self.payer.email.as_deref())
    }

    /// How the holder gave their word on the page, if they did.
    pub fn acceptance(&self) -> Option<Given> {
        let agent = self.payer.user_agent.clone()?;
        Some(accepted_online(agent))
    }

    /// Whether something is paid, once or again and again.
    pub fn sells(&self) -> bool {
        self.mode != CheckoutMode::Setup
    }

    /// What is to be paid at once, in minor units; nothing of a setup.
    pub fn amount(&self) -> Option<i64> {
        self.sells().then(|| self.line_items.iter().map(|item| item.amount).sum())
    }

    /// Whether the holder may type numbers instead of linking an account.
    pub fn manual_entry(&self) -> bool {
        self.collection.verification_method != Some(VerificationMethod::Instant)
    }

    /// The holder gave a payment method, and `intent` was confirmed with it. Answers whether that
    /// completes the session; when the attempt failed at once the holder may make another.
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

    /// The holder gave a payment method, and a subscription began with it: `intent` pays its first
    /// invoice if there is something to pay.
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

    /// It waits no longer.
    pub fn expire(&mut self) {
        assert!(self.is_open(), "callers ask first whether it is open");
        self.status = CheckoutStatus::Expired;
    }
}

/// What so many of something cost, in minor units, half of one rounded up; `unit` is what one costs,
/// with up to twelve digits behind the point. Nothing when it is no such number, negative, or more
/// than 64 bits hold.
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

    /// Parts of a cent add up before they are rounded; what is no amount has no sum.
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
        /// Whole units are multiplied, and no text at all makes the reader panic.
        #[test]
        fn multiplies(unit in 0..1_000_000_i64, quantity in 0..1_000_000_i64, text in "\\PC{0,30}") {
            prop_assert_eq!(line_amount(&unit.to_string(), quantity), Some(unit * quantity));
            let _ = line_amount(&text, quantity);
        }
    }
}
