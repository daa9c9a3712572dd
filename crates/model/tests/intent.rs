//! Tests of the state machine of intents: debits and deposits.

use model::clock::DAY_S;
use model::id::ClockId;
use model::payments::intent::{
    AMOUNTS_TRIES_MAX, CODE_TRIES_MAX, Deposits, Intent, IntentStatus, Progress, Verification,
};
use model::payments::payment_method::{PaymentBehavior, PaymentMethod};
use model::token::BankAccountType;
use testkit::objects::{self, T0};

/// An intent on a test clock.
fn on_clock(intent: Intent) -> Intent {
    Intent { clock: Some(ClockId::from_number(3)), ..intent }
}

fn payment() -> Intent {
    on_clock(objects::payment_intent())
}

fn method(behavior: PaymentBehavior, verified: bool) -> PaymentMethod {
    PaymentMethod { behavior, verified, ..objects::payment_method() }
}

/// The debit of a linked account takes days of the clock, and the test account decides its result.
#[test]
fn a_debit_ends_as_the_account_says() {
    for (behavior, status) in [
        (PaymentBehavior::Succeeds, IntentStatus::Succeeded),
        (PaymentBehavior::Disputed, IntentStatus::Succeeded),
        (PaymentBehavior::InsufficientFunds, IntentStatus::RequiresPaymentMethod),
        (PaymentBehavior::DebitNotAuthorized, IntentStatus::RequiresPaymentMethod),
    ] {
        let (mut intent, method) = (payment(), method(behavior, true));
        intent.attach(method.id);
        assert_eq!(intent.confirm(&method, T0), Progress::Processing);
        assert_eq!(intent.settles_at, Some(T0.plus(4 * DAY_S)));
        assert!(!intent.cancelable());
        let end = T0.plus(4 * DAY_S);
        intent.settle(&method, end);
        assert_eq!(intent.status, status);
        let disputed = behavior == PaymentBehavior::Disputed;
        assert_eq!(intent.disputed_at, disputed.then(|| end.plus(3 * DAY_S)));
        assert_eq!(intent.last_error.is_some(), status != IntentStatus::Succeeded);
    }
    let (mut intent, method) = (payment(), method(PaymentBehavior::Processing, true));
    intent.attach(method.id);
    intent.confirm(&method, T0);
    assert_eq!((intent.status, intent.settles_at), (IntentStatus::Processing, None));
}

/// A Setup Intent succeeds at once.
#[test]
fn a_setup_is_done_at_once() {
    let (mut intent, method) =
        (on_clock(objects::setup_intent()), method(PaymentBehavior::NoAccount, true));
    intent.attach(method.id);
    assert_eq!(intent.confirm(&method, T0), Progress::Succeeded);
    assert_eq!(intent.status, IntentStatus::Succeeded);
}

/// Typed numbers wait for the verification of deposits. Three wrong amounts, ten wrong codes or ten
/// days are too many.
#[test]
fn deposits_prove_typed_numbers() {
    let (mut intent, method) = (payment(), method(PaymentBehavior::Succeeds, false));
    intent.attach(method.id);
    assert_eq!(intent.confirm(&method, T0), Progress::DepositsSent);
    assert_eq!(intent.status, IntentStatus::RequiresAction);
    let right = Deposits::Amounts([45, 32]);
    let wrong = Deposits::DescriptorCode("SM00ZZ".into());
    assert_eq!(intent.clone().verify(&right, T0), Verification::Verified);
    assert_eq!(intent.clone().verify(&right, T0.plus(12 * DAY_S)), Verification::TimedOut);
    for (account_type, tries_max) in
        [(BankAccountType::Checking, AMOUNTS_TRIES_MAX), (BankAccountType::Savings, CODE_TRIES_MAX)]
    {
        let mut intent = payment();
        intent.attach(method.id);
        intent.confirm(&PaymentMethod { account_type, ..method.clone() }, T0);
        for left in (1..tries_max).rev() {
            assert_eq!(intent.verify(&wrong, T0), Verification::Mismatch);
            assert_eq!(intent.microdeposits.unwrap().tries_left(), left);
        }
        assert_eq!(intent.verify(&wrong, T0), Verification::AttemptsExceeded);
    }
}

/// An intent needs another payment method if its deposits cannot be sent.
#[test]
fn deposits_may_fail() {
    let mut intent = payment();
    let method = method(PaymentBehavior::MicrodepositsFail, false);
    intent.attach(method.id);
    assert_eq!(intent.confirm(&method, T0), Progress::DepositsFailed);
    assert_eq!(intent.status, IntentStatus::RequiresPaymentMethod);
    assert_eq!(intent.last_error.unwrap().code, "payment_method_microdeposit_failed");
}
