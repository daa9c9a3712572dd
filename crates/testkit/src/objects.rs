//! Sample objects of the model, for tests below HTTP. Each has the number 1, belongs to the merchant
//! with the number 1, is of version 1, and was created at [`T0`]. A test changes the fields that it
//! is about, as in `Customer { balance: 5, ..customer() }`.

use model::account::{Account, AccountStatus, Category, Holder, Permission, Subcategory};
use model::clock::{AccountTime, ClockStatus, ServerTime, TestClock};
use model::collection::Collection;
use model::customer::{Customer, TaxExempt};
use model::delivery::Attempt;
use model::endpoint::{Endpoint, EndpointSecret, EndpointStatus};
use model::extra_params::ExtraParams;
use model::id::{
    AccountId, AuthorizationId, BankAccountId, ClockId, CustomerId, EndpointId, InstitutionId,
    LinkFlowId, MerchantId, PaymentMethodId, PriceId, SessionId, SubscriptionId,
    SubscriptionItemId, TokenId, TransactionId,
};
use model::link::{LinkFlow, LinkFlowState};
use model::money::Currency;
use model::payments::intent::{Intent, IntentStatus, Purpose};
use model::payments::payment_method::{PaymentBehavior, PaymentMethod};
use model::payments::product::Price;
use model::payments::subscription::{
    CollectionMethod, Subscription, SubscriptionItem, SubscriptionStatus,
};
use model::session::{Session, SessionStatus};
use model::token::{BankAccountToken, BankAccountType, BankHolderType};
use model::transaction::{Transaction, TransactionStatus};
use model::undone::Undone;
use std::collections::{BTreeMap, BTreeSet};

/// The time of creation of every sample.
pub const T0: AccountTime = AccountTime(1_700_000_000);

/// The merchant of every sample.
pub fn owner() -> MerchantId {
    MerchantId::from_number(1)
}

/// A customer without a name and an e-mail address.
pub fn customer() -> Customer {
    Customer {
        id: CustomerId::from_number(1),
        merchant: owner(),
        version: 1,
        livemode: false,
        created: T0,
        deleted: false,
        deletion_due: None,
        test_clock: None,
        address: None,
        balance: 0,
        business_name: None,
        default_payment_method: None,
        description: None,
        email: None,
        individual_name: None,
        invoice_prefix: None,
        metadata: BTreeMap::new(),
        name: None,
        next_invoice_sequence: None,
        phone: None,
        preferred_locales: vec![],
        shipping: None,
        tax_exempt: TaxExempt::None,
    }
}

/// A Setup Intent of the first customer, without a payment method.
pub fn setup_intent() -> Intent {
    Intent {
        number: 1,
        purpose: Purpose::Setup,
        merchant: owner(),
        version: 1,
        livemode: false,
        created: T0,
        customer: Some(CustomerId::from_number(1)),
        clock: None,
        client_secret: "secret".to_owned(),
        status: IntentStatus::RequiresPaymentMethod,
        payment_method: None,
        method_types: None,
        configuration: None,
        collection: Collection::default(),
        from_settings: None,
        mandate: None,
        latest_charge: None,
        last_error: None,
        microdeposits: None,
        settles_at: None,
        disputed_at: None,
        canceled: None,
        return_url: None,
        invoice: None,
        subscription: None,
        application: None,
        metadata: BTreeMap::new(),
        given: ExtraParams::empty(),
    }
}

/// A Payment Intent of 20 dollars.
pub fn payment_intent() -> Intent {
    let purpose = Purpose::Payment { amount: 2_000, currency: Currency::USD };
    Intent { purpose, ..setup_intent() }
}

/// A payment method without a bank account, whose debits succeed.
pub fn payment_method() -> PaymentMethod {
    PaymentMethod {
        id: PaymentMethodId::from_number(1),
        merchant: owner(),
        version: 1,
        livemode: false,
        created: T0,
        clock: None,
        of_self: false,
        customer: None,
        detached: false,
        used_up: false,
        holder_type: BankHolderType::Individual,
        account_type: BankAccountType::Checking,
        bank_name: None,
        fingerprint: String::new(),
        last4: None,
        routing_number: model::token::TEST_ROUTING_NUMBER.to_owned(),
        account: None,
        behavior: PaymentBehavior::Succeeds,
        block: None,
        verified: true,
        allow_redisplay: None,
        billing_details: ExtraParams::empty(),
        metadata: BTreeMap::new(),
    }
}

/// A price of five dollars, paid once.
pub fn price() -> Price {
    Price {
        id: PriceId::from_number(1),
        merchant: owner(),
        version: 1,
        livemode: false,
        created: T0,
        active: true,
        product: "prod_1".to_owned(),
        currency: Currency::USD,
        unit_amount: Some(500),
        unit_amount_decimal: Some("500".to_owned()),
        lookup_key: None,
        metadata: BTreeMap::new(),
        given: ExtraParams::empty(),
    }
}

/// An item of a subscription.
pub fn subscription_item(price: Price) -> SubscriptionItem {
    SubscriptionItem {
        id: SubscriptionItemId::from_number(1),
        created: T0,
        price,
        quantity: 1,
        metadata: BTreeMap::new(),
        given: ExtraParams::empty(),
    }
}

/// An active subscription of the first customer, without items.
pub fn subscription() -> Subscription {
    Subscription {
        id: SubscriptionId::from_number(1),
        merchant: owner(),
        version: 1,
        livemode: false,
        created: T0,
        customer: CustomerId::from_number(1),
        clock: None,
        status: SubscriptionStatus::Active,
        currency: Currency::USD,
        items: vec![],
        anchor: T0,
        periods: 0,
        period: (T0, T0),
        trial: None,
        expires_at: None,
        cancel_at_period_end: false,
        cancel_at: None,
        canceled_at: None,
        cancel_reason: None,
        ended_at: None,
        collection_method: CollectionMethod::ChargeAutomatically,
        days_until_due: None,
        default_payment_method: None,
        saves_method: true,
        trial_noticed: None,
        renewal_noticed: None,
        method_types: None,
        collection: Collection::default(),
        from_settings: None,
        latest_invoice: None,
        pending_setup_intent: None,
        application: None,
        metadata: BTreeMap::new(),
        given: ExtraParams::empty(),
    }
}

/// A pending session of the first customer, which asks for transactions.
pub fn session() -> Session {
    Session {
        id: SessionId::from_number(1),
        merchant: owner(),
        version: 1,
        livemode: false,
        created: T0,
        holder: Some(Holder::Customer(CustomerId::from_number(1))),
        clock: None,
        client_secret: "fcsess_client_secret_1".to_owned(),
        permissions: BTreeSet::from([Permission::Transactions]),
        prefetch: None,
        filters: None,
        accounts_max: None,
        limits_given: false,
        manual_entry: None,
        for_payouts: false,
        hosted: None,
        relink: None,
        return_url: None,
        status: SessionStatus::Pending,
        cancel_reason: None,
        accounts: vec![],
        token: None,
    }
}

/// A link flow at its start.
pub fn link_flow() -> LinkFlow {
    LinkFlow {
        id: LinkFlowId::from_number(1),
        merchant: owner(),
        version: 1,
        livemode: false,
        created: T0,
        begun: ServerTime(0),
        clock: None,
        carrier: "fcsess_1".to_owned(),
        origin: None,
        billing_details: ExtraParams::empty(),
        page: None,
        left: false,
        secret: "secret".to_owned(),
        run: LinkFlowState::default(),
    }
}

/// An unused token of a bank account.
pub fn token() -> BankAccountToken {
    BankAccountToken {
        id: TokenId::from_number(1),
        merchant: owner(),
        version: 1,
        bank_account: BankAccountId::from_number(2),
        livemode: false,
        created: T0,
        used: false,
        routing_number: model::token::TEST_ROUTING_NUMBER.to_owned(),
        bank_name: None,
        last4: "6789".to_owned(),
        account_number: "000123456789".to_owned(),
        fingerprint: String::new(),
        holder_name: None,
        holder_type: BankHolderType::Individual,
        account_type: BankAccountType::Checking,
    }
}

/// A webhook endpoint for every event.
pub fn endpoint() -> Endpoint {
    Endpoint {
        id: EndpointId::from_number(1),
        merchant: owner(),
        version: 1,
        livemode: false,
        created: T0,
        deleted: false,
        connect: false,
        destination: None,
        url: "http://localhost/hook".to_owned(),
        enabled_events: vec!["*".to_owned()],
        api_version: None,
        description: None,
        metadata: BTreeMap::new(),
        status: EndpointStatus::Enabled,
        secrets: vec![secret("whsec_1")],
    }
}

/// A signing secret that does not expire.
pub fn secret(value: &str) -> EndpointSecret {
    EndpointSecret { value: value.to_owned(), expires_at: None }
}

/// A test clock at the time of its creation.
pub fn test_clock() -> TestClock {
    TestClock {
        id: ClockId::from_number(1),
        merchant: owner(),
        version: 1,
        created: T0,
        name: None,
        frozen_time: T0,
        target: None,
        status: ClockStatus::Ready,
        deleted: false,
        deletion_due: None,
    }
}

/// An active account of the first customer, which was never refreshed.
pub fn account() -> Account {
    Account {
        id: AccountId::from_number(1),
        merchant: owner(),
        version: 1,
        livemode: false,
        created: T0,
        holder: Some(Holder::Customer(CustomerId::from_number(1))),
        clock: None,
        authorization: AuthorizationId::from_number(1),
        institution: InstitutionId::from_number(1),
        institution_name: "Test (Non-OAuth)".to_owned(),
        bank_account: "success".to_owned(),
        category: Category::Cash,
        subcategory: Subcategory::Checking,
        display_name: None,
        last4: None,
        supported_payment_method_types: vec![],
        account_numbers: vec![],
        permissions: BTreeSet::from([Permission::Transactions]),
        status: AccountStatus::Active,
        expected_deactivation: None,
        balance: None,
        ownership: None,
        balance_refresh: None,
        inferred_balances_refresh: None,
        inferred_from: None,
        also_subscribed: BTreeSet::new(),
        ownership_refresh: None,
        transaction_refresh: None,
        transactions_listable: false,
        subscribed: false,
        daily_due_at: None,
        bank_due_at: None,
        rows: 0,
        renewals: 0,
        undone: Undone::default(),
    }
}

/// An attempt of a delivery that succeeded.
pub fn attempt(number: u32, at: ServerTime) -> Attempt {
    Attempt {
        number,
        at,
        status: Some(200),
        duration_ms: 1,
        body: String::new(),
        error: None,
        signature: None,
        resent: false,
        mark: None,
    }
}

/// A pending transaction of the first refresh.
pub fn transaction() -> Transaction {
    Transaction {
        id: TransactionId { account: AccountId::from_number(1), listed_at: T0, ordinal: 1 },
        amount: -1_234,
        currency: Currency::USD,
        description: "Rocket Rides".to_owned(),
        status: TransactionStatus::Pending,
        transacted_at: T0,
        posted_at: None,
        void_at: None,
        sequence: 1,
        updated: T0,
    }
}
