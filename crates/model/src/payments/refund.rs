//! A refund (`pyr_…`): money that returns to the holder of a debited bank account. The whole charge
//! or a part of it is refunded. A refund counts as refunded money of its charge until it fails.
//!
//! ```text
//! pending → succeeded
//!         → failed
//! ```

use crate::clock::{AccountTime, DAY_S};
use crate::id::{ChargeId, ClockId, MerchantId, PaymentIntentId, RefundId};
use crate::money::Currency;
use crate::payments::charge::Charge;
use crate::payments::payment_method::PaymentBehavior;
use crate::word::words;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

words! {
    /// The state of a refund.
    RefundStatus {
        /// The money is on its way.
        Pending = "pending",
        /// The money arrived.
        Succeeded = "succeeded",
        /// The money came back.
        Failed = "failed",
    }
}

words! {
    /// The merchant's reason of a refund.
    RefundReason {
        /// The holder was debited twice.
        Duplicate = "duplicate",
        /// The debit was a fraud.
        Fraudulent = "fraudulent",
        /// The customer requested it.
        RequestedByCustomer = "requested_by_customer",
    }
}

words! {
    /// The reason of a failed refund.
    RefundFailure {
        /// The holder's bank reversed the debit while the refund was pending.
        ChargeDisputed = "charge_for_pending_refund_disputed",
        /// The holder's bank did not accept the money.
        Declined = "declined",
    }
}

/// One refund.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refund {
    /// Its id.
    pub id: RefundId,
    /// The merchant that owns it.
    pub merchant: MerchantId,
    /// The version, which every change raises by one.
    pub version: u64,
    /// True if the payment was created with a live key.
    pub livemode: bool,
    /// The time of creation.
    pub created: AccountTime,
    /// The test clock of the payment.
    pub clock: Option<ClockId>,
    /// The refunded charge.
    pub charge: ChargeId,
    /// The refunded payment.
    pub payment_intent: PaymentIntentId,
    /// The amount in minor units.
    pub amount: i64,
    /// The currency.
    pub currency: Currency,
    /// The state.
    pub status: RefundStatus,
    /// The merchant's reason.
    pub reason: Option<RefundReason>,
    /// The reason of the failure.
    pub failure: Option<RefundFailure>,
    /// The time at which the money arrives or comes back.
    pub settles_at: Option<AccountTime>,
    /// The address for instructions to the holder. A bank account needs none.
    pub instructions_email: Option<String>,
    /// The merchant's metadata.
    pub metadata: BTreeMap<String, String>,
}

/// The days of the account's clock until a refund succeeds or fails. Stripe's help pages say that it
/// typically takes three working days.
const SETTLE_DAYS: i64 = 3;
/// The days after a debit in which it can be refunded. Stripe's help pages have this limit.
pub const REFUND_DAYS_MAX: i64 = 180;

impl Refund {
    /// Creates a pending refund of a part of a charge. The clock is the charge's, unless that was
    /// deleted.
    pub fn of(
        charge: &Charge,
        clock: Option<ClockId>,
        id: RefundId,
        amount: i64,
        now: AccountTime,
    ) -> Self {
        // Tests in real time cannot wait for days.
        let days = if clock.is_some() { SETTLE_DAYS } else { 0 };
        Self {
            id,
            merchant: charge.merchant,
            version: 1,
            livemode: charge.livemode,
            created: now,
            clock,
            charge: charge.id,
            payment_intent: charge.payment_intent,
            amount,
            currency: charge.currency,
            status: RefundStatus::Pending,
            reason: None,
            failure: None,
            settles_at: Some(now.plus(days * DAY_S)),
            instructions_email: None,
            metadata: BTreeMap::new(),
        }
    }

    /// Ends the refund. The test account decides the result.
    pub fn settle(&mut self, behavior: PaymentBehavior) {
        self.settles_at = None;
        if behavior == PaymentBehavior::RefundFails {
            self.fail(RefundFailure::Declined);
        } else {
            self.status = RefundStatus::Succeeded;
        }
    }

    /// Ends the refund, because the money did not arrive.
    pub fn fail(&mut self, failure: RefundFailure) {
        self.settles_at = None;
        self.status = RefundStatus::Failed;
        self.failure = Some(failure);
    }
}
