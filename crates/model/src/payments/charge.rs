//! A charge (`py_…`): one debit of a bank account for a Payment Intent. It exists from the start of
//! the debit. An intent that is confirmed again after a failure has another charge.
//!
//! ```text
//! pending → succeeded
//!         → failed
//! ```

use crate::clock::AccountTime;
use crate::extra_params::ExtraParams;
use crate::id::{
    ApplicationId, ChargeId, ClockId, CustomerId, InvoiceId, MandateId, MerchantId,
    PaymentIntentId, PaymentMethodId, hash_number,
};
use crate::money::Currency;
use crate::payments::intent::{Intent, IntentStatus, Purpose};
use crate::payments::payment_method::PaymentMethod;
use crate::token::{BankAccountType, BankHolderType};
use crate::word::words;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

words! {
    /// The state of a charge.
    ChargeStatus {
        /// The debit is processing.
        Pending = "pending",
        /// The debit succeeded.
        Succeeded = "succeeded",
        /// The debit failed.
        Failed = "failed",
    }
}

/// The reason of a failed debit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChargeFailure {
    /// The code of the API.
    pub code: String,
    /// The message for a person.
    pub message: String,
}

/// The debited bank account, as it was at the start of the debit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DebitedAccount {
    /// The kind of holder.
    pub holder_type: BankHolderType,
    /// `checking` or `savings`.
    pub account_type: BankAccountType,
    /// The bank's name.
    pub bank_name: Option<String>,
    /// The fingerprint of the numbers.
    pub fingerprint: String,
    /// The last four digits.
    pub last4: Option<String>,
    /// The bank's routing number.
    pub routing_number: String,
}

/// One charge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Charge {
    /// Its id.
    pub id: ChargeId,
    /// The merchant that owns it.
    pub merchant: MerchantId,
    /// The version, which every change raises by one.
    pub version: u64,
    /// True if the payment was created with a live key.
    pub livemode: bool,
    /// The time at which the debit started.
    pub created: AccountTime,
    /// The customer who pays.
    pub customer: Option<CustomerId>,
    /// The test clock of the payment.
    pub clock: Option<ClockId>,
    /// The payment.
    pub payment_intent: PaymentIntentId,
    /// The invoice that the payment is for.
    pub invoice: Option<InvoiceId>,
    /// The debited payment method.
    pub payment_method: PaymentMethodId,
    /// The debited bank account.
    pub bank: DebitedAccount,
    /// The mandate of the debit. `None` for debits of earlier releases.
    pub mandate: Option<MandateId>,
    /// The name and address of the holder at the start of the debit.
    pub billing_details: ExtraParams,
    /// The amount in minor units.
    pub amount: i64,
    /// The currency.
    pub currency: Currency,
    /// The state.
    pub status: ChargeStatus,
    /// The reason of the failure.
    pub failure: Option<ChargeFailure>,
    /// True if the holder's bank reversed the debit.
    pub disputed: bool,
    /// The amount of its refunds in minor units, without the failed ones.
    #[serde(default)]
    pub amount_refunded: i64,
    /// The number of its refunds, with the failed ones.
    #[serde(default)]
    pub refunds: u32,
    /// The application of the platform that it was made by.
    #[serde(default)]
    pub application: Option<ApplicationId>,
    /// The merchant's metadata.
    pub metadata: BTreeMap<String, String>,
    /// Parameters that the server echoes and otherwise ignores.
    pub given: ExtraParams,
}

/// The parameters of an intent that its charges show.
const SHOWN_PARAMS: [&str; 9] = [
    "application_fee_amount",
    "description",
    "on_behalf_of",
    "receipt_email",
    "shipping",
    "statement_descriptor",
    "statement_descriptor_suffix",
    "transfer_data",
    "transfer_group",
];

impl ChargeId {
    /// Returns the id of the charge that a migration made of a payment of an earlier release. It is
    /// the same on every server.
    pub fn of_earlier(intent: PaymentIntentId) -> Self {
        Self::from_number(hash_number(&[b"charge", &intent.number().to_be_bytes()]))
    }
}

impl Charge {
    /// Creates the charge of a payment's debit. `None` if the intent is not for a payment.
    pub fn of(
        intent: &Intent,
        method: &PaymentMethod,
        id: ChargeId,
        now: AccountTime,
    ) -> Option<Self> {
        let Purpose::Payment { amount, currency } = intent.purpose else { return None };
        let mut given = ExtraParams::empty();
        for name in SHOWN_PARAMS {
            if let Some(value) = intent.given.at(&[name]) {
                given.put(name, value.clone());
            }
        }
        Some(Self {
            id,
            merchant: intent.merchant,
            version: 1,
            livemode: intent.livemode,
            created: now,
            customer: intent.customer,
            clock: intent.clock,
            payment_intent: PaymentIntentId::from_number(intent.number),
            invoice: intent.invoice,
            payment_method: method.id,
            bank: DebitedAccount {
                holder_type: method.holder_type,
                account_type: method.account_type,
                bank_name: method.bank_name.clone(),
                fingerprint: method.fingerprint.clone(),
                last4: method.last4.clone(),
                routing_number: method.routing_number.clone(),
            },
            mandate: intent.mandate,
            billing_details: method.billing_details.clone(),
            amount,
            currency,
            status: ChargeStatus::Pending,
            failure: None,
            disputed: false,
            amount_refunded: 0,
            refunds: 0,
            application: intent.application,
            metadata: intent.metadata.clone(),
            given,
        })
    }

    /// Returns the amount that can still be refunded or disputed.
    pub fn amount_left(&self) -> i64 {
        self.amount - self.amount_refunded
    }

    /// True if the whole amount is refunded.
    pub fn is_refunded(&self) -> bool {
        self.amount_left() == 0
    }

    /// Applies the end of the intent's debit.
    pub fn end(&mut self, intent: &Intent) {
        if intent.status == IntentStatus::Succeeded {
            self.status = ChargeStatus::Succeeded;
            return;
        }
        self.status = ChargeStatus::Failed;
        if intent.status == IntentStatus::Canceled {
            self.failure = Some(ChargeFailure {
                code: "payment_canceled".to_owned(),
                message: "The payment was canceled before the bank was debited.".to_owned(),
            });
            return;
        }
        self.failure = intent.last_error.as_ref().map(|error| ChargeFailure {
            code: error.code.clone(),
            message: error.message.clone(),
        });
    }
}
