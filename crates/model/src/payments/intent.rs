//! Payment Intents (`pi_…`) and Setup Intents (`seti_…`): the wish to debit a bank account, now or
//! later. Both are carriers of a link flow, and share one state machine:
//!
//! ```text
//! requires_payment_method → requires_confirmation → [requires_action: small deposits]
//!     → processing → succeeded            a Setup Intent goes straight to succeeded
//!     → requires_payment_method           when the debit or the deposits fail
//! canceled                                from everywhere but processing and succeeded
//! ```

use crate::clock::{AccountTime, DAY_S};
use crate::collection::{Collection, VerificationMethod};
use crate::given::Given;
use crate::id::{
    ClockId, CustomerId, InvoiceId, MandateId, MerchantId, PaymentIntentId, PaymentMethodId,
    SetupIntentId, SubscriptionId,
};
use crate::money::Currency;
use crate::payments::method_configuration::ConfiguredBy;
use crate::payments::payment_method::{PaymentBehavior, PaymentMethod};
use crate::token::BankAccountType;
use crate::word::words;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

words! {
    /// Where an intent stands.
    IntentStatus {
        /// Nothing to debit is known.
        RequiresPaymentMethod = "requires_payment_method",
        /// It waits for the holder's word.
        RequiresConfirmation = "requires_confirmation",
        /// The holder must tell what two small deposits were.
        RequiresAction = "requires_action",
        /// The debit is under way.
        Processing = "processing",
        /// Done.
        Succeeded = "succeeded",
        /// Given up.
        Canceled = "canceled",
    }
}

/// What an intent is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Purpose {
    /// A payment of this many minor units.
    Payment {
        /// How much.
        amount: i64,
        /// Of what.
        currency: Currency,
    },
    /// Payments to come.
    Setup,
}

/// Why the last attempt failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IntentError {
    /// The code of the API.
    pub code: String,
    /// The same for a person.
    pub message: String,
    /// What was to be debited.
    pub payment_method: PaymentMethodId,
}

words! {
    /// What the holder tells of the deposits.
    DepositKind {
        /// The amounts of two.
        Amounts = "amounts",
        /// The code in the text of one.
        DescriptorCode = "descriptor_code",
    }
}

/// Two small deposits that prove whose an account is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Microdeposits {
    /// When they arrive.
    pub arrive_at: AccountTime,
    /// Wrong answers so far.
    pub tries: u32,
    /// What the holder tells of them. Either answer is taken.
    #[serde(default = "amounts")]
    pub kind: DepositKind,
}

fn amounts() -> DepositKind {
    DepositKind::Amounts
}

impl Microdeposits {
    /// How many more answers are taken.
    pub fn tries_left(&self) -> u32 {
        assert!(self.tries <= DEPOSIT_TRIES_MAX, "an intent without tries left has no deposits");
        DEPOSIT_TRIES_MAX - self.tries
    }
}

/// One intent of either kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intent {
    /// The number of its id.
    pub number: u64,
    /// What it is for.
    pub purpose: Purpose,
    /// Whose it is.
    pub merchant: MerchantId,
    /// Raised by every change.
    pub version: u64,
    /// Whether it was made with a live key.
    pub livemode: bool,
    /// When it was made.
    pub created: AccountTime,
    /// Who pays.
    pub customer: Option<CustomerId>,
    /// The test clock of the customer.
    pub clock: Option<ClockId>,
    /// What opens it to the holder's browser. Stored sealed, apart from the rest.
    #[serde(skip)]
    pub client_secret: String,
    /// Where it stands.
    pub status: IntentStatus,
    /// What is debited.
    pub payment_method: Option<PaymentMethodId>,
    /// The types it may be of; none when the settings of the merchant choose.
    pub method_types: Option<Vec<String>>,
    /// What it asks of the link flow.
    pub collection: Collection,
    /// What the settings of the merchant ask for beside it, as they were when it was made; none
    /// when it names its types itself.
    pub from_settings: Option<Collection>,
    /// What decided on its payment methods, where a configuration did.
    #[serde(default)]
    pub configuration: Option<ConfiguredBy>,
    /// The holder's word.
    pub mandate: Option<MandateId>,
    /// Why the last attempt failed.
    pub last_error: Option<IntentError>,
    /// The deposits that it waits for.
    pub microdeposits: Option<Microdeposits>,
    /// When the debit under way ends.
    pub settles_at: Option<AccountTime>,
    /// When the debit that has succeeded is taken back.
    #[serde(default)]
    pub disputed_at: Option<AccountTime>,
    /// When and why it was given up.
    pub canceled: Option<(AccountTime, Option<String>)>,
    /// Where the holder's browser goes after a confirmation.
    pub return_url: Option<String>,
    /// The invoice that it pays.
    #[serde(default)]
    pub invoice: Option<InvoiceId>,
    /// The subscription that it sets a payment method up for.
    #[serde(default)]
    pub subscription: Option<SubscriptionId>,
    /// The merchant's own keys.
    pub metadata: BTreeMap<String, String>,
    /// What it echoes without acting on it.
    pub given: Given,
}

/// What a confirmation, or the end of deposits, leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Small deposits were sent.
    DepositsSent,
    /// Small deposits could not be sent.
    DepositsFailed,
    /// The debit is under way.
    Processing,
    /// Done.
    Succeeded,
}

/// What the holder says the deposits were.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verification {
    /// Right.
    Verified,
    /// Wrong; the holder may try again.
    Mismatch,
    /// Wrong too often.
    AttemptsExceeded,
    /// Too late.
    TimedOut,
}

/// The least that may be debited, in cents. Stripe's published minimum.
pub const AMOUNT_MIN: i64 = 50;
/// The most that may be debited, in cents: eight digits.
pub const AMOUNT_MAX: i64 = 99_999_999;

/// Days of the account's clock until a debit has succeeded or failed.
const SETTLE_DAYS: i64 = 4;
/// Days of the account's clock until small deposits arrive.
const DEPOSIT_DAYS: i64 = 2;
/// Days of the account's clock from the end of a debit until it is disputed.
const DISPUTE_DAYS: i64 = 3;
/// Wrong answers about deposits that are taken.
pub const DEPOSIT_TRIES_MAX: u32 = 10;
/// Days after which deposits can no longer be told.
const DEPOSIT_AGE_DAYS: i64 = 10;

impl Intent {
    /// Its id.
    pub fn id(&self) -> String {
        match self.purpose {
            Purpose::Payment { .. } => PaymentIntentId::from_number(self.number).to_string(),
            Purpose::Setup => SetupIntentId::from_number(self.number).to_string(),
        }
    }

    /// Whether it is for a payment.
    pub fn is_payment(&self) -> bool {
        matches!(self.purpose, Purpose::Payment { .. })
    }

    /// Whether a payment method may still be given.
    pub fn collects(&self) -> bool {
        use IntentStatus as S;
        matches!(self.status, S::RequiresPaymentMethod | S::RequiresConfirmation)
    }

    /// Whether it may be given up.
    pub fn cancelable(&self) -> bool {
        self.collects() || self.status == IntentStatus::RequiresAction
    }

    /// Whether the holder may type numbers instead of linking an account.
    pub fn manual_entry(&self) -> bool {
        self.collection.verification_method != Some(VerificationMethod::Instant)
    }

    /// Takes a payment method, to be confirmed next.
    pub fn attach(&mut self, method: PaymentMethodId) {
        assert!(self.collects(), "callers ask first whether a payment method may be given");
        self.payment_method = Some(method);
        self.status = IntentStatus::RequiresConfirmation;
    }

    /// The holder's word was given.
    pub fn confirm(&mut self, method: &PaymentMethod, now: AccountTime) -> Progress {
        self.last_error = None;
        if method.verified {
            return self.begin_debit(method, now);
        }
        if method.behavior == PaymentBehavior::MicrodepositsFail {
            self.fail("payment_method_microdeposit_failed", method.id);
            return Progress::DepositsFailed;
        }
        self.status = IntentStatus::RequiresAction;
        let arrive_at = now.plus(DEPOSIT_DAYS * DAY_S);
        // Both kinds have to be there to be tried; no rule of Stripe's is known.
        let kind = match method.account_type {
            BankAccountType::Checking => DepositKind::Amounts,
            BankAccountType::Savings => DepositKind::DescriptorCode,
        };
        self.microdeposits = Some(Microdeposits { arrive_at, tries: 0, kind });
        Progress::DepositsSent
    }

    /// The holder says what the deposits were; `right` and the test answers decide.
    pub fn verify(&mut self, answer: &Deposits, now: AccountTime) -> Verification {
        let Some(deposits) = &mut self.microdeposits else {
            return Verification::TimedOut;
        };
        let verification = if deposits.arrive_at.plus(DEPOSIT_AGE_DAYS * DAY_S) <= now {
            Verification::TimedOut
        } else {
            answer.verification()
        };
        if verification != Verification::Mismatch {
            return verification;
        }
        deposits.tries += 1;
        if deposits.tries < DEPOSIT_TRIES_MAX {
            Verification::Mismatch
        } else {
            Verification::AttemptsExceeded
        }
    }

    /// The account is the holder's: the debit begins, or a Setup Intent is done.
    pub fn begin_debit(&mut self, method: &PaymentMethod, now: AccountTime) -> Progress {
        self.microdeposits = None;
        if !self.is_payment() {
            self.status = IntentStatus::Succeeded;
            return Progress::Succeeded;
        }
        self.status = IntentStatus::Processing;
        let ends = method.behavior != PaymentBehavior::Processing;
        self.settles_at = ends.then(|| self.days_after(now, SETTLE_DAYS));
        Progress::Processing
    }

    /// So many days later on a test clock; without one nobody would wait for days to pass.
    fn days_after(&self, now: AccountTime, days: i64) -> AccountTime {
        if self.clock.is_some() { now.plus(days * DAY_S) } else { now }
    }

    /// The debit ends. Answers whether it succeeded.
    pub fn settle(&mut self, method: &PaymentMethod, now: AccountTime) -> bool {
        self.settles_at = None;
        let code = match method.behavior {
            PaymentBehavior::Succeeds
            | PaymentBehavior::Disputed
            | PaymentBehavior::Processing
            | PaymentBehavior::MicrodepositsFail => {
                let disputed = method.behavior == PaymentBehavior::Disputed;
                self.disputed_at = disputed.then(|| self.days_after(now, DISPUTE_DAYS));
                self.status = IntentStatus::Succeeded;
                return true;
            }
            other => crate::Word::word(other),
        };
        self.fail(code, method.id);
        false
    }

    /// An attempt failed: another payment method is needed.
    pub fn fail(&mut self, code: &str, method: PaymentMethodId) {
        self.status = IntentStatus::RequiresPaymentMethod;
        self.payment_method = None;
        self.microdeposits = None;
        self.last_error = Some(IntentError {
            code: code.to_owned(),
            message: message(code).to_owned(),
            payment_method: method,
        });
    }

    /// Gives it up.
    pub fn cancel(&mut self, reason: Option<String>, now: AccountTime) {
        assert!(self.cancelable(), "callers ask first whether it may be given up");
        self.status = IntentStatus::Canceled;
        self.microdeposits = None;
        self.canceled = Some((now, reason));
    }
}

/// What the holder says of the deposits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deposits {
    /// Two amounts in cents, in any order.
    Amounts([i64; 2]),
    /// The code in the descriptor of one deposit.
    DescriptorCode(String),
}

impl Deposits {
    /// The test answers that Stripe documents; any other is wrong.
    fn verification(&self) -> Verification {
        match self {
            Self::Amounts([32, 45] | [45, 32]) => Verification::Verified,
            Self::Amounts([10, 11] | [11, 10]) => Verification::AttemptsExceeded,
            Self::Amounts([40, 41] | [41, 40]) => Verification::TimedOut,
            Self::Amounts(_) => Verification::Mismatch,
            Self::DescriptorCode(code) => match code.as_str() {
                "SM11AA" => Verification::Verified,
                "SM33CC" => Verification::AttemptsExceeded,
                "SM44DD" => Verification::TimedOut,
                _ => Verification::Mismatch,
            },
        }
    }
}

fn message(code: &str) -> &'static str {
    match code {
        "account_closed" => "The bank account has been closed.",
        "no_account" => "The bank account could not be found.",
        "insufficient_funds" => "The bank account holds too little for this debit.",
        "debit_not_authorized" => "The bank does not let this account be debited.",
        "invalid_currency" => "The bank account is held in another currency.",
        "charge_exceeds_source_limit" => "This debit exceeds the weekly limit of the account.",
        "payment_method_microdeposit_failed" => {
            "The small deposits could not be sent; check the routing and account numbers."
        }
        "payment_method_microdeposit_verification_attempts_exceeded" => {
            "The deposits were told wrongly too often."
        }
        "payment_method_microdeposit_verification_timeout" => "The deposits were not told in time.",
        _ => "The attempt failed.",
    }
}

#[cfg(test)]
mod tests;
