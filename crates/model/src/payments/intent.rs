//! Payment Intents (`pi_…`) and Setup Intents (`seti_…`): a debit of a bank account, now or later.
//! Both are carriers of a link flow and share one state machine:
//!
//! ```text
//! requires_payment_method → requires_confirmation → [requires_action: small deposits]
//!     → processing → succeeded            a Setup Intent goes straight to succeeded
//!     → requires_payment_method           when the debit or the deposits fail
//! canceled                                from everywhere but succeeded
//! ```

use crate::clock::{AccountTime, DAY_S};
use crate::collection::{Collection, VerificationMethod};
use crate::extra_params::ExtraParams;
use crate::id::{
    ApplicationId, ChargeId, ClockId, CustomerId, InvoiceId, MandateId, MerchantId,
    PaymentIntentId, PaymentMethodId, SetupIntentId, SubscriptionId,
};
use crate::money::Currency;
use crate::payments::method_configuration::ConfiguredBy;
use crate::payments::payment_method::{PaymentBehavior, PaymentMethod};
use crate::token::BankAccountType;
use crate::word::words;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

words! {
    /// The state of an intent.
    IntentStatus {
        /// It has no payment method.
        RequiresPaymentMethod = "requires_payment_method",
        /// It waits for the holder's confirmation.
        RequiresConfirmation = "requires_confirmation",
        /// It waits for the verification of small deposits.
        RequiresAction = "requires_action",
        /// The debit is processing.
        Processing = "processing",
        /// Done.
        Succeeded = "succeeded",
        /// Canceled.
        Canceled = "canceled",
    }
}

/// The purpose of an intent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Purpose {
    /// A payment of this many minor units.
    Payment {
        /// The amount.
        amount: i64,
        /// The currency.
        currency: Currency,
    },
    /// Future payments.
    Setup,
}

/// The error of the last attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IntentError {
    /// The code of the API.
    pub code: String,
    /// The message for a person.
    pub message: String,
    /// The payment method of the attempt.
    pub payment_method: PaymentMethodId,
    /// The charge of the debit that failed. `None` if no debit began.
    #[serde(default)]
    pub charge: Option<ChargeId>,
}

words! {
    /// The proof of access to the deposits.
    DepositKind {
        /// The amounts of two deposits.
        Amounts = "amounts",
        /// The code in the descriptor of one deposit.
        DescriptorCode = "descriptor_code",
    }
}

/// Two small deposits that prove the ownership of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Microdeposits {
    /// The time of arrival.
    pub arrive_at: AccountTime,
    /// The number of wrong attempts.
    pub tries: u32,
    /// The proof that the holder is asked for. Both kinds are accepted.
    #[serde(default = "amounts")]
    pub kind: DepositKind,
}

fn amounts() -> DepositKind {
    DepositKind::Amounts
}

impl Microdeposits {
    /// Returns the number of wrong attempts that end the verification.
    fn tries_max(&self) -> u32 {
        match self.kind {
            DepositKind::Amounts => AMOUNTS_TRIES_MAX,
            DepositKind::DescriptorCode => CODE_TRIES_MAX,
        }
    }

    /// Returns the number of attempts that are left. Deposits of earlier releases may have had more.
    pub fn tries_left(&self) -> u32 {
        self.tries_max().saturating_sub(self.tries).max(1)
    }

    /// Returns the time from which they can no longer be verified.
    pub fn times_out_at(&self) -> AccountTime {
        self.arrive_at.plus(DEPOSIT_AGE_DAYS * DAY_S)
    }
}

/// One intent of either kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intent {
    /// The number of its id.
    pub number: u64,
    /// The purpose.
    pub purpose: Purpose,
    /// The merchant that owns it.
    pub merchant: MerchantId,
    /// The version, which every change raises by one.
    pub version: u64,
    /// True if it was created with a live key.
    pub livemode: bool,
    /// The time of creation.
    pub created: AccountTime,
    /// The customer who pays.
    pub customer: Option<CustomerId>,
    /// The test clock of the customer.
    pub clock: Option<ClockId>,
    /// The secret that gives the holder's browser access. It is stored sealed, apart from the other
    /// fields.
    #[serde(skip)]
    pub client_secret: String,
    /// The state.
    pub status: IntentStatus,
    /// The payment method.
    pub payment_method: Option<PaymentMethodId>,
    /// The allowed payment method types. `None` if the merchant's settings decide.
    pub method_types: Option<Vec<String>>,
    /// The link requirements.
    pub collection: Collection,
    /// The link requirements of the merchant's settings at creation. `None` if the request names
    /// the payment method types.
    pub from_settings: Option<Collection>,
    /// The decision of the payment method configuration, if one applied.
    #[serde(default)]
    pub configuration: Option<ConfiguredBy>,
    /// The mandate of the holder.
    pub mandate: Option<MandateId>,
    /// The charge of the last debit.
    #[serde(default)]
    pub latest_charge: Option<ChargeId>,
    /// The error of the last attempt.
    pub last_error: Option<IntentError>,
    /// The deposits that it waits for.
    pub microdeposits: Option<Microdeposits>,
    /// The time at which the current debit ends.
    pub settles_at: Option<AccountTime>,
    /// The time at which the successful debit is disputed.
    #[serde(default)]
    pub disputed_at: Option<AccountTime>,
    /// The time and reason of the cancellation.
    pub canceled: Option<(AccountTime, Option<String>)>,
    /// The address to which the holder's browser goes after a confirmation.
    pub return_url: Option<String>,
    /// The invoice that it pays.
    #[serde(default)]
    pub invoice: Option<InvoiceId>,
    /// The subscription that gets its payment method.
    #[serde(default)]
    pub subscription: Option<SubscriptionId>,
    /// The application of the platform that it was made by.
    #[serde(default)]
    pub application: Option<ApplicationId>,
    /// The merchant's metadata.
    pub metadata: BTreeMap<String, String>,
    /// Parameters that the server echoes and otherwise ignores.
    pub given: ExtraParams,
}

/// The result of a confirmation or of a verification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Small deposits were sent.
    DepositsSent,
    /// Small deposits could not be sent.
    DepositsFailed,
    /// The debit was blocked as too risky.
    Blocked,
    /// The debit is processing.
    Processing,
    /// Done.
    Succeeded,
}

/// The result of an attempt to verify deposits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verification {
    /// The values are right.
    Verified,
    /// The values are wrong, and the holder may try again.
    Mismatch,
    /// Too many attempts were wrong.
    AttemptsExceeded,
    /// The deadline has passed.
    TimedOut,
}

/// The minimum amount of a debit, in cents. Stripe's published minimum.
pub const AMOUNT_MIN: i64 = 50;
/// The maximum amount of a debit, in cents: eight digits.
pub const AMOUNT_MAX: i64 = 99_999_999;

/// The days of the account's clock until a debit succeeds or fails.
const SETTLE_DAYS: i64 = 4;
/// The days of the account's clock until small deposits arrive.
const DEPOSIT_DAYS: i64 = 2;
/// The days of the account's clock from the end of a debit until its dispute.
const DISPUTE_DAYS: i64 = 3;
/// The number of wrong amounts that ends the verification of deposits. Stripe's published bound.
pub const AMOUNTS_TRIES_MAX: u32 = 3;
/// The number of wrong codes that ends the verification of a deposit. Stripe's published bound.
pub const CODE_TRIES_MAX: u32 = 10;
/// The code of a debit that was blocked as too risky.
pub const BLOCKED_CODE: &str = "payment_intent_payment_attempt_failed";
/// The code of a debit from a bank account that is blocked.
pub const ACCOUNT_BLOCKED_CODE: &str = "payment_method_bank_account_blocked";
/// The days after which deposits can no longer be verified.
const DEPOSIT_AGE_DAYS: i64 = 10;

impl Intent {
    /// Returns the id.
    pub fn id(&self) -> String {
        match self.purpose {
            Purpose::Payment { .. } => PaymentIntentId::from_number(self.number).to_string(),
            Purpose::Setup => SetupIntentId::from_number(self.number).to_string(),
        }
    }

    /// True if it is for a payment.
    pub fn is_payment(&self) -> bool {
        matches!(self.purpose, Purpose::Payment { .. })
    }

    /// True if it is a Setup Intent that makes the payment method the account's own.
    pub fn attaches_to_self(&self) -> bool {
        !self.is_payment() && self.given.boolean(&["attach_to_self"]) == Some(true)
    }

    /// True if it sets the payment method up for later payments.
    pub fn saves_method(&self) -> bool {
        let usage = ["setup_future_usage"];
        let of_method = ["payment_method_options", "us_bank_account", "setup_future_usage"];
        let wants = |path: &[&str]| {
            self.given.text(path).is_some_and(|usage| !usage.is_empty() && usage != "none")
        };
        // The option of the payment method overrides the one of the intent.
        match self.given.text(&of_method) {
            Some(_) => !self.is_payment() || wants(&of_method),
            None => !self.is_payment() || wants(&usage),
        }
    }

    /// Returns the status of the payment of its invoice, as Stripe calls it.
    pub fn payment_status(&self) -> &'static str {
        match self.status {
            IntentStatus::Succeeded => "paid",
            IntentStatus::Canceled => "canceled",
            _ => "open",
        }
    }

    /// True if a payment method may still be given.
    pub fn collects(&self) -> bool {
        use IntentStatus as S;
        matches!(self.status, S::RequiresPaymentMethod | S::RequiresConfirmation)
    }

    /// True if it may be canceled, and no debit of it is processing.
    pub fn cancelable(&self) -> bool {
        self.collects() || self.status == IntentStatus::RequiresAction
    }

    /// True if a call may cancel it.
    pub fn cancelable_by_call(&self) -> bool {
        self.cancelable() || self.status == IntentStatus::Processing
    }

    /// True if the holder may type account numbers.
    pub fn manual_entry(&self) -> bool {
        self.collection.verification_method != Some(VerificationMethod::Instant)
    }

    /// Attaches a payment method, which is confirmed next.
    pub fn attach(&mut self, method: PaymentMethodId) {
        assert!(self.collects(), "callers ask first whether a payment method may be given");
        self.payment_method = Some(method);
        self.status = IntentStatus::RequiresConfirmation;
    }

    /// Confirms the intent with its payment method.
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
        // Tests need both kinds. Stripe publishes no rule for the choice.
        let kind = match method.account_type {
            BankAccountType::Checking => DepositKind::Amounts,
            BankAccountType::Savings => DepositKind::DescriptorCode,
        };
        self.microdeposits = Some(Microdeposits { arrive_at, tries: 0, kind });
        Progress::DepositsSent
    }

    /// Checks the values that the holder entered against the documented test values.
    pub fn verify(&mut self, entered: &Deposits, now: AccountTime) -> Verification {
        let Some(deposits) = &mut self.microdeposits else {
            return Verification::TimedOut;
        };
        let verification = if deposits.times_out_at() <= now {
            Verification::TimedOut
        } else {
            entered.verification()
        };
        if verification != Verification::Mismatch {
            return verification;
        }
        deposits.tries += 1;
        if deposits.tries < deposits.tries_max() {
            Verification::Mismatch
        } else {
            Verification::AttemptsExceeded
        }
    }

    /// Begins the debit of a verified account, unless it is blocked. A Setup Intent succeeds at once,
    /// unless the account is blocked.
    pub fn begin_debit(&mut self, method: &PaymentMethod, now: AccountTime) -> Progress {
        self.microdeposits = None;
        if method.block.is_some() {
            self.fail(ACCOUNT_BLOCKED_CODE, method.id);
            return Progress::Blocked;
        }
        if !self.is_payment() {
            self.status = IntentStatus::Succeeded;
            return Progress::Succeeded;
        }
        if method.behavior == PaymentBehavior::Blocked {
            self.fail(BLOCKED_CODE, method.id);
            return Progress::Blocked;
        }
        self.status = IntentStatus::Processing;
        let ends = method.behavior != PaymentBehavior::Processing;
        self.settles_at = ends.then(|| self.days_after(now, SETTLE_DAYS));
        Progress::Processing
    }

    /// Returns the time some days later on a test clock. Without a test clock it returns `now`,
    /// because tests in real time cannot wait for days.
    fn days_after(&self, now: AccountTime, days: i64) -> AccountTime {
        if self.clock.is_some() { now.plus(days * DAY_S) } else { now }
    }

    /// Ends the debit. Returns true if it succeeded.
    pub fn settle(&mut self, method: &PaymentMethod, now: AccountTime) -> bool {
        self.settles_at = None;
        let code = match method.behavior {
            PaymentBehavior::Succeeds
            | PaymentBehavior::Disputed
            | PaymentBehavior::Processing
            | PaymentBehavior::MicrodepositsFail
            | PaymentBehavior::Blocked
            | PaymentBehavior::RefundFails => {
                let disputed = method.behavior == PaymentBehavior::Disputed;
                self.disputed_at = disputed.then(|| self.days_after(now, DISPUTE_DAYS));
                self.status = IntentStatus::Succeeded;
                return true;
            }
            other => crate::Word::word(other),
        };
        self.fail(code, method.id);
        self.fail_by(self.latest_charge);
        false
    }

    /// Records the charge of the debit that failed.
    pub fn fail_by(&mut self, charge: Option<ChargeId>) {
        if let Some(error) = &mut self.last_error {
            error.charge = charge;
        }
    }

    /// Records a failed attempt. Another payment method is then needed.
    pub fn fail(&mut self, code: &str, method: PaymentMethodId) {
        self.status = IntentStatus::RequiresPaymentMethod;
        self.payment_method = None;
        self.microdeposits = None;
        self.last_error = Some(IntentError {
            code: code.to_owned(),
            message: message(code).to_owned(),
            payment_method: method,
            charge: None,
        });
    }

    /// Cancels the intent.
    pub fn cancel(&mut self, reason: Option<String>, now: AccountTime) {
        assert!(self.cancelable_by_call(), "callers ask first whether it may be given up");
        self.status = IntentStatus::Canceled;
        self.settles_at = None;
        self.microdeposits = None;
        self.canceled = Some((now, reason));
    }
}

/// The values that the holder entered for the deposits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deposits {
    /// Two amounts in cents, in any order.
    Amounts([i64; 2]),
    /// The code in the descriptor of one deposit.
    DescriptorCode(String),
}

impl Deposits {
    /// Returns the result for the test values that Stripe documents. Any other value is wrong.
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
        "tokenized_account_number_deactivated" => {
            "The tokenized account number was deactivated. Link the account again."
        }
        BLOCKED_CODE => "The payment was blocked as too risky.",
        ACCOUNT_BLOCKED_CODE => {
            "The bank account is blocked, because an earlier debit of it was returned. Use another \
             bank account."
        }
        "charge_exceeds_source_limit" => "This debit exceeds the weekly limit of the account.",
        "payment_method_microdeposit_failed" => {
            "The small deposits could not be sent. Check the routing and account numbers."
        }
        "payment_method_microdeposit_verification_attempts_exceeded" => {
            "Too many attempts to verify the deposits were wrong."
        }
        "payment_method_microdeposit_verification_timeout" => {
            "The deposits were not verified in time."
        }
        _ => "The attempt failed.",
    }
}
