//! Samples of every kind of object, and of accounts, in two variants. Odd numbers are of the second.

use super::file::{flow, token};
use super::samples::{Sample, T0, account, endpoint, session, test_clock};
use crate::{Kind, Object};
use model::account::{Account, Holder};
use model::clock::AccountTime;
use model::connected_account::ConnectedAccount;
use model::extra_params::ExtraParams;
use model::id::{
    AuthorizationId, ClockId, ConfirmationTokenId, CustomerId, DisputeId, EndpointId, FaultId,
    InstitutionId, LinkFlowId, MandateId, MerchantId, MethodConfigurationId, PaymentMethodId,
    RefundId, ScenarioId, SnapshotId, TokenId,
};
use model::opaque::OpaqueObject;
use model::payments::confirmation_token::ConfirmationToken;
use model::payments::dispute::Dispute;
use model::payments::mandate::{Mandate, MandateKind, MandateStatus};
use model::payments::method_configuration::MethodConfiguration;
use model::payments::payment_method::{PaymentBehavior, PaymentMethod};
use model::payments::refund::Refund;
use model::session::{Hosted, Relink, Session};
use model::snapshot::{SandboxSize, SandboxSnapshot};
use model::token::{BankAccountType, BankHolderType};
use std::collections::BTreeMap;

pub(super) fn owner() -> MerchantId {
    MerchantId::from_number(1)
}

/// A pending hosted session that links an authorization again.
pub(super) fn hosted_session(number: u64, authorization: u64) -> Session {
    let relink = Relink {
        authorization: AuthorizationId::from_number(authorization),
        account: None,
        bank_account: None,
        institution: InstitutionId::from_number(1),
        failure: None,
    };
    let hosted = Hosted { delivery_method: None, return_url: "https://example.com".to_owned() };
    Session { hosted: Some(hosted), relink: Some(relink), ..session(owner(), number) }
}

/// A sample of a kind. `None` if a merchant has one object of the kind at most.
pub(super) fn sample(kind: Kind, number: u64) -> Option<Object> {
    let created = T0.plus(i64::try_from(number).unwrap());
    let of = Sample { merchant: owner(), number, created, other: number % 2 == 1 };
    let customer = CustomerId::from_number(if of.other { 2 } else { 1 });
    Some(match kind {
        Kind::ConnectionsSettings | Kind::PlatformTie | Kind::Alarm => return None,
        Kind::Customer => Object::Customer(of.customer()),
        Kind::PaymentIntent => Object::PaymentIntent(of.payment_intent()),
        Kind::SetupIntent => Object::SetupIntent(of.setup_intent()),
        Kind::Checkout => Object::Checkout(of.checkout()),
        Kind::Product => Object::Product(of.product()),
        Kind::Price => Object::Price(of.price()),
        Kind::InvoiceItem => Object::InvoiceItem(of.invoice_item()),
        Kind::Invoice => Object::Invoice(of.invoice()),
        Kind::Subscription => Object::Subscription(of.subscription()),
        Kind::Session => {
            let mut session = hosted_session(number, if of.other { 2 } else { 1 });
            (session.created, session.holder) = (created, Some(Holder::Customer(customer)));
            Object::Session(session)
        }
        Kind::Endpoint => {
            let mut endpoint = endpoint(owner(), number);
            (endpoint.id, endpoint.created) = (EndpointId::from_number(number), created);
            Object::Endpoint(endpoint)
        }
        Kind::TestClock => {
            let mut clock = test_clock(owner(), number);
            clock.created = created;
            Object::TestClock(clock)
        }
        Kind::LinkFlow => {
            let id = LinkFlowId::from_number(number);
            Object::LinkFlow(model::link::LinkFlow { id, created, ..flow() })
        }
        Kind::Token => {
            let id = TokenId::from_number(number);
            Object::Token(model::token::BankAccountToken { id, created, ..token() })
        }
        Kind::Charge => Object::Charge(of.charge()),
        Kind::Refund => {
            let id = RefundId::from_number(number);
            let charge = of.charge();
            let refund = Refund::of(&charge, charge.clock, id, 1, created);
            Object::Refund(Refund { settles_at: None, ..refund })
        }
        Kind::Dispute => {
            let id = DisputeId::from_number(number);
            Object::Dispute(Dispute::of(&of.payment_intent(), id, created).unwrap())
        }
        Kind::ConfirmationToken => Object::ConfirmationToken(ConfirmationToken {
            id: ConfirmationTokenId::from_number(number),
            merchant: owner(),
            version: 1,
            livemode: false,
            created,
            method: payment_method(number, created, customer),
            method_stored: false,
            acceptance: ExtraParams::empty(),
            return_url: None,
            setup_future_usage: None,
            shipping: None,
            used_by: None,
        }),
        Kind::MethodConfiguration => {
            let id = MethodConfigurationId::from_number(number);
            let mut configuration = MethodConfiguration::default_of(owner(), false);
            (configuration.id, configuration.version) = (id, 1);
            (configuration.created, configuration.active) = (created, of.other);
            Object::MethodConfiguration(configuration)
        }
        Kind::ConnectedAccount => {
            let id = MerchantId::from_number(number).to_string();
            Object::ConnectedAccount(ConnectedAccount::of(owner(), &id, false, created))
        }
        Kind::Fault => Object::Fault(opaque(FaultId::from_number(number), created)),
        Kind::Scenario => Object::Scenario(opaque(ScenarioId::from_number(number), created)),
        Kind::Snapshot => Object::Snapshot(snapshot(number, created)),
        Kind::Mandate => Object::Mandate(mandate(number, created)),
        Kind::PaymentMethod => Object::PaymentMethod(payment_method(number, created, customer)),
    })
}

fn opaque<I>(id: I, created: AccountTime) -> OpaqueObject<I> {
    let fields = serde_json::Map::new();
    OpaqueObject { id, merchant: owner(), version: 1, created, deleted: false, fields }
}

fn snapshot(number: u64, created: AccountTime) -> SandboxSnapshot {
    SandboxSnapshot {
        id: SnapshotId::from_number(number),
        merchant: owner(),
        version: 1,
        created,
        name: None,
        metadata: BTreeMap::new(),
        size: SandboxSize { merchants: vec![], counts: BTreeMap::new(), bytes: 0 },
    }
}

pub(super) fn mandate(number: u64, created: AccountTime) -> Mandate {
    Mandate {
        id: MandateId::from_number(number),
        merchant: owner(),
        version: 1,
        livemode: false,
        created,
        clock: None,
        payment_method: PaymentMethodId::from_number(1),
        status: MandateStatus::Active,
        customer: None,
        kind: MandateKind::MultiUse,
        single_use: None,
        unused: false,
        acceptance: ExtraParams::empty(),
    }
}

fn payment_method(number: u64, created: AccountTime, customer: CustomerId) -> PaymentMethod {
    PaymentMethod {
        id: PaymentMethodId::from_number(number),
        merchant: owner(),
        version: 1,
        livemode: false,
        created,
        clock: None,
        of_self: false,
        customer: Some(customer),
        detached: false,
        used_up: false,
        holder_type: BankHolderType::Individual,
        account_type: BankAccountType::Checking,
        bank_name: None,
        fingerprint: String::new(),
        last4: None,
        routing_number: "110000000".to_owned(),
        account: None,
        behavior: PaymentBehavior::Succeeds,
        block: None,
        verified: true,
        allow_redisplay: None,
        billing_details: ExtraParams::empty(),
        metadata: BTreeMap::new(),
    }
}

/// An account. Odd numbers have another holder, and other values everywhere.
pub(super) fn linked(number: u64) -> Account {
    let mut account = account(owner(), number);
    account.created = T0.plus(i64::try_from(number).unwrap());
    let odd = number % 2 == 1;
    account.clock = odd.then(|| ClockId::from_number(1));
    account.authorization = AuthorizationId::from_number(if odd { 2 } else { 1 });
    let customer = Holder::Customer(CustomerId::from_number(if odd { 2 } else { 1 }));
    let holder = Holder::Account(if odd { "acct_2" } else { "acct_1" }.to_owned());
    account.holder = Some(if number % 4 < 2 { customer } else { holder });
    account
}
