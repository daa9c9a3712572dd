//! A dispute (`du_…`): the holder's bank reversed a successful debit. Disputes of bank debits are
//! final, so a dispute is lost from the start.

use crate::clock::AccountTime;
use crate::id::{ChargeId, ClockId, DisputeId, MerchantId, PaymentIntentId};
use crate::money::Currency;
use crate::payments::intent::{Intent, Purpose};
use serde::{Deserialize, Serialize};

/// One dispute. It never changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dispute {
    /// Its id.
    pub id: DisputeId,
    /// The merchant that owns it.
    pub merchant: MerchantId,
    /// The version, which every change raises by one.
    pub version: u64,
    /// True if the payment was created with a live key.
    pub livemode: bool,
    /// The time of the dispute.
    pub created: AccountTime,
    /// The test clock of the payment.
    pub clock: Option<ClockId>,
    /// The disputed payment.
    pub payment_intent: PaymentIntentId,
    /// The disputed charge. `None` for a dispute of an earlier release.
    #[serde(default)]
    pub charge: Option<ChargeId>,
    /// The amount in minor units, which is what was not refunded of the payment.
    pub amount: i64,
    /// The currency.
    pub currency: Currency,
}

impl Dispute {
    /// Creates the dispute of a payment. `None` if the intent is not for a payment.
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
            charge: intent.latest_charge,
            amount,
            currency,
        })
    }

    /// Returns the id of the disputed charge.
    pub fn charge(&self) -> ChargeId {
        self.charge.unwrap_or_else(|| ChargeId::of_earlier(self.payment_intent))
    }
}
