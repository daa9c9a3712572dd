//! Tests of the state machine of intents: debits and deposits.

use model::clock::{AccountTime, DAY_S};
use model::collection::Collection;
use model::extra_params::ExtraParams;
use model::id::{ClockId, MerchantId, PaymentMethodId};
use model::money::Currency;
use model::payments::intent::{
    DEPOSIT_TRIES_MAX, Deposits, Intent, IntentStatus, Progress, Purpose, Verification,
};
use model::payments::payment_method::{PaymentBehavior, PaymentMethod};
use model::token::{BankAccountType, BankHolderType};
use std::collections::BTreeMap;

const NOW: AccountTime = AccountTime(1_790_000_000);

fn intent(purpose: Purpose) -> Intent {
    Intent {
        number: 1,
        purpose,
        merchant: MerchantId::from_number(2),
        version: 1,
        livemode: false,
        created: NOW,
        customer: None,
        clock: Some(ClockId::from_number(3)),
        client_secret: String::new(),
        status: IntentStatus::RequiresPaymentMethod,
        payment_method: None,
        method_types: None,
        configuration: None,
        collection: Collection::default(),
        from_settings: None,
        mandate: None,
        last_error: None,
        microdeposits: None,
        settles_at: None,
        disputed_at: None,
        canceled: None,
        return_url: None,
        invoice: None,
        subscription: None,
        metadata: BTreeMap::new(),
        given: ExtraParams::empty(),
    }
}

fn payment() -> Intent {
    intent(Purpose::Payment { amount: 2_000, currency: Currency::USD })
}

fn method(behavior: PaymentBehavior, verified: bool) -> PaymentMethod {
    PaymentMethod {
        id: PaymentMethodId::from_number(4),
        merchant: MerchantId::from_number(2),
        version: 1,
        livemode: false,
        created: NOW,
        clock: None,
        of_self: false,
        detached: false,
        customer: None,
        holder_type: BankHolderType::Individual,
        account_type: BankAccountType::Checking,
        bank_name: None,
        fingerprint: String::new(),
        last4: None,
        routing_number: String::new(),
        account: None,
        behavior,
        verified,
        allow_redisplay: None,
        billing_details: ExtraParams::empty(),
        metadata: BTreeMap::new(),
    }
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
        assert_eq!(intent.confirm(&method, NOW), Progress::Processing);
        assert_eq!(intent.settles_at, Some(NOW.plus(4 * DAY_S)));
        assert!(!intent.cancelable());
        let end = NOW.plus(4 * DAY_S);
        intent.settle(&method, end);
        assert_eq!(intent.status, status);
        let disputed = behavior == PaymentBehavior::Disputed;
        assert_eq!(intent.disputed_at, disputed.then(|| end.plus(3 * DAY_S)));
        assert_eq!(intent.last_error.is_some(), status != IntentStatus::Succeeded);
    }
    let (mut intent, method) = (payment(), method(PaymentBehavior::Processing, true));
    intent.attach(method.id);
    intent.confirm(&method, NOW);
    assert_eq!((intent.status, intent.settles_at), (IntentStatus::Processing, None));
}

/// A Setup Intent succeeds at once.
#[test]
fn a_setup_is_done_at_once() {
    let (mut intent, method) = (intent(Purpose::Setup), method(PaymentBehavior::NoAccount, true));
    intent.attach(method.id);
    assert_eq!(intent.confirm(&method, NOW), Progress::Succeeded);
    assert_eq!(intent.status, IntentStatus::Succeeded);
}

/// Typed numbers wait for the verification of deposits. Ten wrong attempts or ten days are too
/// many.
#[test]
fn deposits_prove_typed_numbers() {
    let (mut intent, method) = (payment(), method(PaymentBehavior::Succeeds, false));
    intent.attach(method.id);
    assert_eq!(intent.confirm(&method, NOW), Progress::DepositsSent);
    assert_eq!(intent.status, IntentStatus::RequiresAction);
    let right = Deposits::Amounts([45, 32]);
    let wrong = Deposits::DescriptorCode("SM00ZZ".into());
    assert_eq!(intent.clone().verify(&right, NOW), Verification::Verified);
    assert_eq!(intent.clone().verify(&right, NOW.plus(12 * DAY_S)), Verification::TimedOut);
    for _ in 1..DEPOSIT_TRIES_MAX {
        assert_eq!(intent.verify(&wrong, NOW), Verification::Mismatch);
    }
    assert_eq!(intent.verify(&wrong, NOW), Verification::AttemptsExceeded);
}

/// An intent needs another payment method if its deposits cannot be sent.
#[test]
fn deposits_may_fail() {
    let mut intent = payment();
    let method = method(PaymentBehavior::MicrodepositsFail, false);
    intent.attach(method.id);
    assert_eq!(intent.confirm(&method, NOW), Progress::DepositsFailed);
    assert_eq!(intent.status, IntentStatus::RequiresPaymentMethod);
    assert_eq!(intent.last_error.unwrap().code, "payment_method_microdeposit_failed");
}
