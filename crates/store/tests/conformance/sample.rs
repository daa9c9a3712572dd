//! Sample objects. The samples of kinds with filters have a value for every filter of their kind, and
//! their two variants differ in these values. The unit tests of the store use this file too.

use model::account::{Account, AccountStatus, Category, Holder, Permission, Subcategory};
use model::clock::{AccountTime, ClockStatus, TestClock};
use model::collection::Collection;
use model::customer::{Customer, TaxExempt};
use model::endpoint::{Endpoint, EndpointSecret, EndpointStatus};
use model::extra_params::ExtraParams;
use model::id::{
    AccountId, AuthorizationId, ClockId, CustomerId, EndpointId, InstitutionId, InvoiceId,
    InvoiceItemId, MerchantId, PaymentMethodId, PriceId, SessionId, SubscriptionId,
    SubscriptionItemId, TransactionId,
};
use model::money::Currency;
use model::payments::checkout::{
    CheckoutMode, CheckoutSession, CheckoutStatus, Payer, PaymentStatus,
};
use model::payments::intent::{Intent, IntentStatus, Purpose};
use model::payments::invoice::{Charge, Invoice, InvoiceItem, InvoiceStatus};
use model::payments::product::{Price, Product};
use model::payments::subscription::{
    CollectionMethod, Subscription, SubscriptionItem, SubscriptionStatus,
};
use model::session::{Session, SessionStatus};
use model::transaction::{StoredTransaction, Transaction, TransactionStatus};
use model::undone::Undone;
use std::collections::{BTreeMap, BTreeSet};

/// The key of a sample, and its variant.
#[derive(Clone, Copy)]
pub(crate) struct Sample {
    pub(crate) merchant: MerchantId,
    pub(crate) number: u64,
    pub(crate) created: AccountTime,
    pub(crate) other: bool,
}

impl Sample {
    fn word(self, one: &str, other: &str) -> String {
        if self.other { other.to_owned() } else { one.to_owned() }
    }

    /// A number that differs between the variants.
    fn variant(self) -> u64 {
        if self.other { 2 } else { 1 }
    }

    /// A time that differs between the variants by years.
    fn time(self) -> AccountTime {
        if self.other { T0.plus(1 << 31) } else { T0 }
    }

    fn clock(self) -> Option<ClockId> {
        self.other.then(|| ClockId::from_number(1))
    }

    fn customer_id(self) -> CustomerId {
        CustomerId::from_number(self.variant())
    }

    pub(crate) fn customer(self) -> Customer {
        Customer {
            id: CustomerId::from_number(self.number),
            merchant: self.merchant,
            version: 1,
            livemode: false,
            created: self.created,
            deleted: false,
            deletion_due: None,
            test_clock: self.clock(),
            address: None,
            balance: 0,
            business_name: None,
            default_payment_method: None,
            description: None,
            email: Some(self.word("ada@example.com", "bob@example.com")),
            individual_name: None,
            invoice_prefix: Some(self.word("ADA", "BOB")),
            metadata: BTreeMap::new(),
            name: None,
            next_invoice_sequence: None,
            phone: None,
            preferred_locales: vec![],
            shipping: None,
            tax_exempt: TaxExempt::None,
        }
    }

    /// The intent of an invoice.
    pub(crate) fn payment_intent(self) -> Intent {
        let purpose = Purpose::Payment { amount: 2_000, currency: Currency::USD };
        let status = if self.other { IntentStatus::Succeeded } else { IntentStatus::Processing };
        let invoice = Some(InvoiceId::from_number(self.variant()));
        Intent { purpose, status, invoice, ..self.setup_intent() }
    }

    pub(crate) fn setup_intent(self) -> Intent {
        Intent {
            number: self.number,
            purpose: Purpose::Setup,
            merchant: self.merchant,
            version: 1,
            livemode: false,
            created: self.created,
            customer: Some(self.customer_id()),
            clock: self.clock(),
            client_secret: format!("secret_{}", self.number),
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
            given: hash([("attach_to_self", ExtraParams::Boolean(self.other))]),
        }
    }

    pub(crate) fn checkout(self) -> CheckoutSession {
        CheckoutSession {
            number: self.number,
            merchant: self.merchant,
            version: 1,
            livemode: false,
            created: self.created,
            expires_at: AccountTime(i64::MAX),
            customer: Some(self.customer_id()),
            clock: self.clock(),
            email: Some(self.word("ada@example.com", "bob@example.com")),
            mode: CheckoutMode::Subscription,
            status: if self.other { CheckoutStatus::Complete } else { CheckoutStatus::Open },
            payment_status: PaymentStatus::Unpaid,
            line_items: vec![],
            currency: None,
            method_types: None,
            configuration: None,
            collection: Collection::default(),
            from_settings: None,
            intent: Some(self.word("pi_1", "pi_2")),
            subscription: Some(SubscriptionId::from_number(self.variant())),
            invoice: None,
            payer: Payer::default(),
            collected: None,
            metadata: BTreeMap::new(),
            given: ExtraParams::empty(),
        }
    }

    pub(crate) fn product(self) -> Product {
        let url = ExtraParams::Text(self.word("https://one.example", "https://two.example"));
        let shippable = ExtraParams::Boolean(self.other);
        Product {
            number: self.number,
            chosen_id: None,
            merchant: self.merchant,
            version: 1,
            livemode: false,
            created: self.created,
            updated: self.created,
            deleted: false,
            active: !self.other,
            default_price: None,
            metadata: BTreeMap::new(),
            given: hash([("shippable", shippable), ("url", url)]),
        }
    }

    pub(crate) fn price(self) -> Price {
        let text = |one, other| ExtraParams::Text(self.word(one, other));
        let recurring = hash([
            ("interval", text("month", "year")),
            ("meter", text("mtr_1", "mtr_2")),
            ("usage_type", text("licensed", "metered")),
        ]);
        Price {
            id: PriceId::from_number(self.number),
            merchant: self.merchant,
            version: 1,
            livemode: false,
            created: self.created,
            active: !self.other,
            product: self.word("prod_1", "prod_2"),
            currency: Currency::parse(&self.word("usd", "eur")).unwrap(),
            unit_amount: Some(500),
            unit_amount_decimal: Some("500".to_owned()),
            lookup_key: Some(self.word("basic", "premium")),
            metadata: BTreeMap::new(),
            given: hash([("recurring", recurring)]),
        }
    }

    /// An item that is pending, or else in the invoice with the number 1.
    pub(crate) fn invoice_item(self) -> InvoiceItem {
        InvoiceItem {
            id: InvoiceItemId::from_number(self.number),
            merchant: self.merchant,
            version: 1,
            livemode: false,
            created: self.created,
            deleted: false,
            customer: self.customer_id(),
            clock: self.clock(),
            invoice: (!self.other).then(|| InvoiceId::from_number(1)),
            charge: Charge {
                amount: 500,
                currency: Currency::USD,
                quantity: 1,
                unit_amount_decimal: "500".to_owned(),
                price: None,
                product: None,
                description: None,
                period: (self.created, self.created),
                discountable: true,
                metadata: BTreeMap::new(),
            },
            given: ExtraParams::empty(),
        }
    }

    pub(crate) fn invoice(self) -> Invoice {
        let method = ExtraParams::Text(self.word("charge_automatically", "send_invoice"));
        Invoice {
            id: InvoiceId::from_number(self.number),
            merchant: self.merchant,
            version: 1,
            livemode: false,
            created: self.created,
            deleted: false,
            customer: self.customer_id(),
            clock: self.clock(),
            addressee: ExtraParams::empty(),
            status: if self.other { InvoiceStatus::Open } else { InvoiceStatus::Draft },
            currency: Currency::USD,
            lines: vec![],
            printed_number: None,
            intent: None,
            default_payment_method: None,
            method_types: None,
            collection: Collection::default(),
            from_settings: None,
            subscription: Some(SubscriptionId::from_number(self.variant())),
            period: None,
            attempts: 0,
            finalized_at: None,
            paid_at: None,
            voided_at: None,
            paid_elsewhere: false,
            starting_balance: 0,
            ending_balance: 0,
            metadata: BTreeMap::new(),
            given: hash([
                ("collection_method", method),
                ("due_date", ExtraParams::Integer(self.time().0)),
            ]),
        }
    }

    pub(crate) fn subscription(self) -> Subscription {
        let item = SubscriptionItem {
            id: SubscriptionItemId::from_number(self.number),
            created: self.created,
            price: Self { number: self.variant(), ..self }.price(),
            quantity: 1,
            metadata: BTreeMap::new(),
            given: ExtraParams::empty(),
        };
        Subscription {
            id: SubscriptionId::from_number(self.number),
            merchant: self.merchant,
            version: 1,
            livemode: false,
            created: self.created,
            customer: self.customer_id(),
            clock: self.clock(),
            status: if self.other {
                SubscriptionStatus::Trialing
            } else {
                SubscriptionStatus::Active
            },
            currency: Currency::USD,
            items: vec![item],
            anchor: self.created,
            periods: 1,
            period: (self.time(), self.time().plus(86_400)),
            trial: None,
            expires_at: None,
            cancel_at_period_end: false,
            cancel_at: None,
            canceled_at: None,
            cancel_reason: None,
            ended_at: None,
            collection_method: if self.other {
                CollectionMethod::SendInvoice
            } else {
                CollectionMethod::ChargeAutomatically
            },
            days_until_due: None,
            default_payment_method: Some(PaymentMethodId::from_number(self.variant())),
            saves_method: false,
            method_types: None,
            collection: Collection::default(),
            from_settings: None,
            latest_invoice: None,
            pending_setup_intent: None,
            metadata: BTreeMap::new(),
            given: ExtraParams::empty(),
        }
    }
}

pub(crate) const T0: AccountTime = AccountTime(1_700_000_000);

pub(crate) fn session(merchant: MerchantId, number: u64) -> Session {
    Session {
        id: SessionId::from_number(number),
        merchant,
        version: 1,
        livemode: false,
        created: T0,
        holder: Some(Holder::Customer(CustomerId::from_number(1))),
        clock: None,
        client_secret: format!("fcsess_client_secret_{number}"),
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
        accounts: vec![],
        token: None,
    }
}

pub(crate) fn endpoint(merchant: MerchantId, number: u64) -> Endpoint {
    Endpoint {
        id: EndpointId::from_number(number),
        merchant,
        version: 1,
        livemode: false,
        created: T0,
        deleted: false,
        connect: false,
        url: "http://localhost/hook".to_owned(),
        enabled_events: vec!["*".to_owned()],
        api_version: None,
        description: None,
        metadata: BTreeMap::new(),
        status: EndpointStatus::Enabled,
        secrets: vec![EndpointSecret { value: format!("whsec_{number}"), expires_at: None }],
    }
}

pub(crate) fn test_clock(merchant: MerchantId, number: u64) -> TestClock {
    TestClock {
        id: ClockId::from_number(number),
        merchant,
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

pub(crate) fn account(merchant: MerchantId, number: u64) -> Account {
    Account {
        id: AccountId::from_number(number),
        merchant,
        version: 1,
        livemode: false,
        created: T0,
        holder: Some(Holder::Customer(CustomerId::from_number(1))),
        clock: None,
        authorization: AuthorizationId::from_number(1),
        institution: InstitutionId::from_number(1),
        institution_name: "Test Bank".to_owned(),
        bank_account: format!("bank account {number}"),
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
        ownership_refresh: None,
        transaction_refresh: None,
        transactions_listable: false,
        subscribed: false,
        daily_due_at: None,
        bank_due_at: None,
        rows: 0,
        undone: Undone::default(),
    }
}

pub(crate) fn row(account: AccountId, listed_at: i64, ordinal: u32) -> StoredTransaction {
    let shown = Transaction {
        id: TransactionId { account, listed_at: AccountTime(listed_at), ordinal },
        amount: -1_234,
        currency: Currency::USD,
        description: "Coffee".to_owned(),
        status: TransactionStatus::Pending,
        transacted_at: AccountTime(listed_at),
        posted_at: None,
        void_at: None,
        sequence: 1,
        updated: T0,
    };
    StoredTransaction { bank_id: format!("bank {ordinal}"), shown }
}

fn hash<const N: usize>(members: [(&str, ExtraParams); N]) -> ExtraParams {
    ExtraParams::Hash(members.map(|(name, member)| (name.to_owned(), member)).into())
}
