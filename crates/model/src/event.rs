//! An event (`evt_…`), written in the same commit as the change that it reports.
//!
//! An event holds a copy of the object at the commit. Every later reader and every endpoint sees
//! that copy in its own API version.

use crate::account::Account;
use crate::authorization::Authorization;
use crate::bank::Feature;
use crate::clock::{AccountTime, TestClock};
use crate::connected_account::{ConnectedAccount, ExternalAccount};
use crate::customer::Customer;
use crate::endpoint::Endpoint;
use crate::id::{AccountId, EventId, MerchantId, RequestId};
use crate::payments::charge::Charge;
use crate::payments::checkout::CheckoutSession;
use crate::payments::dispute::Dispute;
use crate::payments::intent::Intent;
use crate::payments::invoice::{Invoice, InvoiceItem};
use crate::payments::mandate::Mandate;
use crate::payments::payment_method::PaymentMethod;
use crate::payments::product::{Price, Product};
use crate::payments::refund::Refund;
use crate::payments::subscription::Subscription;
use crate::session::SessionCopy;
use crate::stored::Stored;
use crate::word::{Word, words};
use serde::{Deserialize, Serialize};

words! {
    /// The type of an event.
    EventType {
        /// An external account was added to a connected account.
        ConnectedExternalAccountCreated = "account.external_account.created",
        /// An external account was removed from a connected account.
        ConnectedExternalAccountDeleted = "account.external_account.deleted",
        /// An external account of a connected account was changed.
        ConnectedExternalAccountUpdated = "account.external_account.updated",
        /// A connected account was changed.
        ConnectedAccountUpdated = "account.updated",
        /// A dispute was closed.
        ChargeDisputeClosed = "charge.dispute.closed",
        /// A debit was disputed.
        ChargeDisputeCreated = "charge.dispute.created",
        /// A debit failed.
        ChargeFailed = "charge.failed",
        /// A debit started.
        ChargePending = "charge.pending",
        /// A refund of a charge was changed.
        ChargeRefundUpdated = "charge.refund.updated",
        /// A charge was refunded, whole or in part.
        ChargeRefunded = "charge.refunded",
        /// A debit succeeded.
        ChargeSucceeded = "charge.succeeded",
        /// A charge was changed by a call.
        ChargeUpdated = "charge.updated",
        /// The debit of a Checkout Session failed.
        CheckoutSessionAsyncPaymentFailed = "checkout.session.async_payment_failed",
        /// The debit of a Checkout Session succeeded.
        CheckoutSessionAsyncPaymentSucceeded = "checkout.session.async_payment_succeeded",
        /// The holder completed a Checkout Session.
        CheckoutSessionCompleted = "checkout.session.completed",
        /// A Checkout Session expired.
        CheckoutSessionExpired = "checkout.session.expired",
        /// A customer was created.
        CustomerCreated = "customer.created",
        /// A customer was deleted.
        CustomerDeleted = "customer.deleted",
        /// A subscription was created.
        SubscriptionCreated = "customer.subscription.created",
        /// A subscription was canceled, or expired before it became active.
        SubscriptionDeleted = "customer.subscription.deleted",
        /// A subscription was paused.
        SubscriptionPaused = "customer.subscription.paused",
        /// The trial of a subscription ends in three days.
        SubscriptionTrialWillEnd = "customer.subscription.trial_will_end",
        /// A subscription was changed.
        SubscriptionUpdated = "customer.subscription.updated",
        /// A customer was changed.
        CustomerUpdated = "customer.updated",
        /// The numbers of an account changed.
        AccountNumbersUpdated = "financial_connections.account.account_numbers_updated",
        /// An account was linked.
        AccountCreated = "financial_connections.account.created",
        /// An account became inactive.
        AccountDeactivated = "financial_connections.account.deactivated",
        /// An account was disconnected.
        AccountDisconnected = "financial_connections.account.disconnected",
        /// The expected deactivation date of an account was set or changed.
        AccountExpectedDeactivationDateUpdated =
            "financial_connections.account.expected_deactivation_date_updated",
        /// An inactive account became active.
        AccountReactivated = "financial_connections.account.reactivated",
        /// A balance refresh succeeded or failed.
        AccountRefreshedBalance = "financial_connections.account.refreshed_balance",
        /// A refresh of inferred balances succeeded or failed. In preview.
        AccountRefreshedInferredBalances =
            "financial_connections.account.refreshed_inferred_balances",
        /// An ownership refresh succeeded or failed.
        AccountRefreshedOwnership = "financial_connections.account.refreshed_ownership",
        /// A transaction refresh succeeded or failed.
        AccountRefreshedTransactions = "financial_connections.account.refreshed_transactions",
        /// The payment method types of an account changed.
        AccountSupportedPaymentMethodTypesUpdated =
            "financial_connections.account.supported_payment_method_types_updated",
        /// An account number expires within thirty days.
        AccountUpcomingAccountNumberExpiry =
            "financial_connections.account.upcoming_account_number_expiry",
        /// An account becomes inactive within thirty days.
        AccountUpcomingDeactivation = "financial_connections.account.upcoming_deactivation",
        /// The expected deactivation date of an authorization was set or changed.
        AuthorizationExpectedDeactivationDateUpdated =
            "financial_connections.authorization.expected_deactivation_date_updated",
        /// All accounts of an authorization become inactive within thirty days.
        AuthorizationUpcomingDeactivation =
            "financial_connections.authorization.upcoming_deactivation",
        /// The status of a session changed. In preview.
        SessionUpdated = "financial_connections.session.updated",
        /// An invoice was created.
        InvoiceCreated = "invoice.created",
        /// A draft invoice was deleted.
        InvoiceDeleted = "invoice.deleted",
        /// An invoice was finalized.
        InvoiceFinalized = "invoice.finalized",
        /// An invoice was paid.
        InvoicePaid = "invoice.paid",
        /// An attempt to pay an invoice failed.
        InvoicePaymentFailed = "invoice.payment_failed",
        /// An attempt to pay an invoice succeeded.
        InvoicePaymentSucceeded = "invoice.payment_succeeded",
        /// An invoice of a renewal comes in seven days.
        InvoiceUpcoming = "invoice.upcoming",
        /// An invoice was changed.
        InvoiceUpdated = "invoice.updated",
        /// An invoice was voided.
        InvoiceVoided = "invoice.voided",
        /// An invoice item was created.
        InvoiceItemCreated = "invoiceitem.created",
        /// An invoice item was deleted.
        InvoiceItemDeleted = "invoiceitem.deleted",
        /// A mandate changed.
        MandateUpdated = "mandate.updated",
        /// A Payment Intent was canceled.
        PaymentIntentCanceled = "payment_intent.canceled",
        /// A Payment Intent was created.
        PaymentIntentCreated = "payment_intent.created",
        /// The debit of a Payment Intent failed.
        PaymentIntentPaymentFailed = "payment_intent.payment_failed",
        /// The debit of a Payment Intent is processing.
        PaymentIntentProcessing = "payment_intent.processing",
        /// A Payment Intent waits for the verification of microdeposits.
        PaymentIntentRequiresAction = "payment_intent.requires_action",
        /// A Payment Intent succeeded.
        PaymentIntentSucceeded = "payment_intent.succeeded",
        /// A payment method was attached to a customer.
        PaymentMethodAttached = "payment_method.attached",
        /// A payment method was detached from its customer.
        PaymentMethodDetached = "payment_method.detached",
        /// A payment method was changed.
        PaymentMethodUpdated = "payment_method.updated",
        /// A price was created.
        PriceCreated = "price.created",
        /// A price was changed.
        PriceUpdated = "price.updated",
        /// A product was created.
        ProductCreated = "product.created",
        /// A product was deleted.
        ProductDeleted = "product.deleted",
        /// A product was changed.
        ProductUpdated = "product.updated",
        /// A refund was created.
        RefundCreated = "refund.created",
        /// A refund failed.
        RefundFailed = "refund.failed",
        /// A refund was changed.
        RefundUpdated = "refund.updated",
        /// A Setup Intent was canceled.
        SetupIntentCanceled = "setup_intent.canceled",
        /// A Setup Intent was created.
        SetupIntentCreated = "setup_intent.created",
        /// A Setup Intent waits for the verification of microdeposits.
        SetupIntentRequiresAction = "setup_intent.requires_action",
        /// A Setup Intent failed.
        SetupIntentSetupFailed = "setup_intent.setup_failed",
        /// A Setup Intent succeeded.
        SetupIntentSucceeded = "setup_intent.succeeded",
        /// The advance of a test clock started.
        TestClockAdvancing = "test_helpers.test_clock.advancing",
        /// A test clock was created.
        TestClockCreated = "test_helpers.test_clock.created",
        /// A test clock was deleted.
        TestClockDeleted = "test_helpers.test_clock.deleted",
        /// The advance of a test clock failed.
        TestClockInternalFailure = "test_helpers.test_clock.internal_failure",
        /// The advance of a test clock finished.
        TestClockReady = "test_helpers.test_clock.ready",
        /// An event destination was pinged. It exists as a thin event only.
        EventDestinationPing = "v2.core.event_destination.ping",
    }
}

impl EventType {
    /// True for a type that exists as a thin event only. `/v1` does not show such an event.
    pub fn is_only_thin(self) -> bool {
        self == Self::EventDestinationPing
    }

    /// True for a type that exists in previews only. Other versions do not show such an event.
    pub fn is_in_preview(self) -> bool {
        matches!(self, Self::AccountRefreshedInferredBalances | Self::SessionUpdated)
    }

    /// Returns the event type that ends a refresh of a feature.
    pub fn refreshed(feature: Feature) -> Self {
        match feature {
            Feature::Balance => Self::AccountRefreshedBalance,
            Feature::Ownership => Self::AccountRefreshedOwnership,
            Feature::Transactions => Self::AccountRefreshedTransactions,
            Feature::InferredBalances => Self::AccountRefreshedInferredBalances,
        }
    }

    /// Returns the feature of a refresh that this type ends.
    pub fn refreshed_feature(self) -> Option<Feature> {
        Feature::ALL.iter().copied().find(|feature| Self::refreshed(*feature) == self)
    }
}

/// A copy of an object at a commit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Snapshot {
    /// A bank account.
    Account(Box<Account>),
    /// The credentials of a link.
    Authorization(Box<Authorization>),
    /// A charge.
    Charge(Box<Charge>),
    /// A Checkout Session.
    Checkout(Box<CheckoutSession>),
    /// A connected account.
    ConnectedAccount(Box<ConnectedAccount>),
    /// A customer.
    Customer(Box<Customer>),
    /// An external account of a connected account.
    ExternalAccount(Box<ExternalAccount>),
    /// An event destination, in the event of a ping.
    Destination(Box<Endpoint>),
    /// A dispute.
    Dispute(Box<Dispute>),
    /// A mandate.
    Mandate(Box<Mandate>),
    /// A Payment Intent or a Setup Intent.
    Intent(Box<Intent>),
    /// An invoice.
    Invoice(Box<Invoice>),
    /// An invoice item.
    InvoiceItem(Box<InvoiceItem>),
    /// A payment method.
    PaymentMethod(Box<PaymentMethod>),
    /// A price.
    Price(Box<Price>),
    /// A product.
    Product(Box<Product>),
    /// A refund.
    Refund(Box<Refund>),
    /// A Financial Connections Session.
    Session(Box<SessionCopy>),
    /// A subscription.
    Subscription(Box<Subscription>),
    /// A test clock.
    TestClock(Box<TestClock>),
}

/// The request that caused an event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cause {
    /// The id of the request.
    pub request: RequestId,
    /// The idempotency key of the request.
    pub idempotency_key: Option<String>,
}

/// One event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Its id, which holds its shard.
    pub id: EventId,
    /// The merchant that owns it.
    pub merchant: MerchantId,
    /// True if it is about live objects.
    pub livemode: bool,
    /// The time of the event, by the object's clock.
    pub created: AccountTime,
    /// The type.
    pub event_type: EventType,
    /// The bank account that it is about.
    pub account: Option<AccountId>,
    /// The object after the change.
    pub snapshot: Snapshot,
    /// The object before the change, for events that show the previous attributes.
    pub previous: Option<Snapshot>,
    /// The request that caused it. `None` if no request did.
    pub cause: Option<Cause>,
}

impl Event {
    /// Creates the event of a change of a bank account. `place` counts the events of one change.
    pub fn of_account(
        account: &Account,
        event_type: EventType,
        place: u8,
        created: AccountTime,
        cause: Option<Cause>,
    ) -> Self {
        let number = account.id.number();
        Self {
            id: EventId::of_change(number, number, account.version, place),
            merchant: account.merchant,
            livemode: account.livemode,
            created,
            event_type,
            account: Some(account.id),
            snapshot: Snapshot::Account(Box::new(account.clone())),
            previous: None,
            cause,
        }
    }

    /// Creates the event of a date that concerns a whole authorization. Every account of it would
    /// emit the same event. The id is therefore derived from the authorization and the date, so
    /// that the event exists once.
    pub fn of_authorization(
        account: &Account,
        event_type: EventType,
        created: AccountTime,
    ) -> Self {
        let authorization = Authorization::of(account);
        let number = authorization.id.number();
        let at = authorization.expected_deactivation.map_or(0, |expected| expected.at.0);
        let place = u8::from(event_type == EventType::AuthorizationUpcomingDeactivation);
        Self {
            id: EventId::of_change(number, number, at.unsigned_abs(), place),
            merchant: account.merchant,
            livemode: account.livemode,
            created,
            event_type,
            account: None,
            snapshot: Snapshot::Authorization(Box::new(authorization)),
            previous: None,
            cause: None,
        }
    }

    /// Creates the event of a change of an object that is stored whole. `place` counts the events
    /// of one change.
    pub fn of_object(
        object: &dyn Stored,
        snapshot: Snapshot,
        event_type: EventType,
        place: u8,
        happened: Happened<'_>,
    ) -> Self {
        let merchant = object.merchant();
        let shard = merchant.number();
        Self {
            id: EventId::of_change(shard, object.number(), object.version(), place),
            merchant,
            livemode: happened.livemode,
            created: happened.at,
            event_type,
            account: None,
            snapshot,
            previous: None,
            cause: happened.cause.cloned(),
        }
    }

    /// Creates the event of a ping of a destination. Pings change no object, so the number of the call
    /// stands in place of the object's version.
    pub fn of_ping(endpoint: &Endpoint, call: u64, happened: Happened<'_>) -> Self {
        let shard = endpoint.merchant.number();
        Self {
            id: EventId::of_change(shard, endpoint.id.number(), call, 0),
            merchant: endpoint.merchant,
            livemode: happened.livemode,
            created: happened.at,
            event_type: EventType::EventDestinationPing,
            account: None,
            snapshot: Snapshot::Destination(Box::new(endpoint.clone())),
            previous: None,
            cause: happened.cause.cloned(),
        }
    }

    /// Creates the event of a change of a connected account. The event belongs to the account, not
    /// to the platform, although the object is among the platform's rows.
    pub fn of_connected_account(
        account: &ConnectedAccount,
        snapshot: Snapshot,
        event_type: EventType,
        place: u8,
        happened: Happened<'_>,
    ) -> Self {
        let merchant = account.acts_as();
        let shard = merchant.number();
        Self {
            id: EventId::of_change(shard, account.number(), account.version, place),
            merchant,
            livemode: happened.livemode,
            created: happened.at,
            event_type,
            account: None,
            snapshot,
            previous: None,
            cause: happened.cause.cloned(),
        }
    }
}

/// The circumstances of a change of an object.
#[derive(Clone, Copy, Debug)]
pub struct Happened<'a> {
    /// The time, by the object's clock.
    pub at: AccountTime,
    /// True if the object is live.
    pub livemode: bool,
    /// The request that caused it. `None` if no request did.
    pub cause: Option<&'a Cause>,
}
