//! A dispute (`du_…`): the holder's bank took a debit back that had succeeded. Disputes of bank debits
//! are final, so it is lost from the moment it comes.

use crate::clock::AccountTime;
use crate::id::{ClockId, DisputeId, MerchantId, PaymentIntentId};
use crate::money::Currency;
use crate::payments::intent::{Intent, Purpose};
use serde::{Deserialize, Serialize};

/// One dispute. Nothing changes it any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dispute {
    /// Its id.
    pub id: DisputeId,
    /// Whose it is.
    pub merchant: MerchantId,
    /// Raised by every change.
    pub version: u64,
    /// Whether the payment was made with a live key.
    pub livemode: bool,
    /// When it came.
    pub created: AccountTime,
    /// The test clock of the payment.
    pub clock: Option<ClockId>,
    /// The payment that was taken back.
    pub payment_intent: PaymentIntentId,
    /// How much of it, in minor units: all.
    pub amount: i64,
    /// Of what.
    pub currency: Currency,
}

impl Dispute {
    /// The dispute of a payment; none when the intent is for no payment.
    pub fn of(intent: &Intent, id: DisputeId, now: AccountTime) -> Option<Self> {
        let Purpose::Payment { amount, currency } = intent.purpose else { return None };
        Some(Self {
            id,
            merchant: intent.merchant,
            version: 1,
            livemode: intent.livemode,
            created: now,
            clock: intent.clock,
            payment_intent: PaymentIntentId::from_number(intent.number),
            amount,
            currency,
        })
    }
}
