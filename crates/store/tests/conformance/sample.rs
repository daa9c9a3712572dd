//! Sample objects. The samples of kinds with filters have a value for every filter of their kind, and
//! their two variants differ in these values. The unit tests of the store use this file too.

use model::account::Account;
use model::clock::{AccountTime, TestClock};
use model::collection::Collection;
use model::customer::Customer;
use model::endpoint::Endpoint;
use model::extra_params::ExtraParams;
use model::id::{
    AccountId, ChargeId, ClockId, CustomerId, EndpointId, InvoiceId, InvoiceItemId, MerchantId,
    PaymentMethodId, PriceId, SessionId, SubscriptionId, SubscriptionItemId, TransactionId,
};
use model::money::Currency;
use model::payments::charge::Charge;
use model::payments::checkout::{
    CheckoutMode, CheckoutSession, CheckoutStatus, Payer, PaymentStatus,
};
use model::payments::intent::{Intent, IntentStatus};
use model::payments::invoice::{Invoice, InvoiceItem, InvoiceStatus, LineDetails};
use model::payments::product::{Price, Product};
use model::payments::subscription::{
    CollectionMethod, Subscription, SubscriptionItem, SubscriptionStatus,
};
use model::session::Session;
use model::transaction::{StoredTransaction, Transaction};
use std::collections::BTreeMap;
use testkit::objects;
pub(crate) use testkit::objects::T0;

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
            created: self.created,
            test_clock: self.clock(),
            email: Some(self.word("ada@example.com", "bob@example.com")),
            invoice_prefix: Some(self.word("ADA", "BOB")),
            ..objects::customer()
        }
    }

    /// The intent of an invoice.
    pub(crate) fn payment_intent(self) -> Intent {
        let purpose = objects::payment_intent().purpose;
        let status = if self.other { IntentStatus::Succeeded } else { IntentStatus::Processing };
        let invoice = Some(InvoiceId::from_number(self.variant()));
        Intent { purpose, status, invoice, ..self.setup_intent() }
    }

    pub(crate) fn charge(self) -> Charge {
        let group = ExtraParams::Text(self.word("crew", "cargo"));
        let intent = Intent { given: hash([("transfer_group", group)]), ..self.payment_intent() };
        let id = ChargeId::from_number(self.number);
        Charge::of(&intent, &objects::payment_method(), id, self.created).unwrap()
    }

    pub(crate) fn setup_intent(self) -> Intent {
        Intent {
            number: self.number,
            merchant: self.merchant,
            created: self.created,
            customer: Some(self.customer_id()),
            clock: self.clock(),
            client_secret: format!("secret_{}", self.number),
            payment_method: Some(PaymentMethodId::from_number(self.variant())),
            given: hash([("attach_to_self", ExtraParams::Boolean(self.other))]),
            ..objects::setup_intent()
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
            created: self.created,
            active: !self.other,
            product: self.word("prod_1", "prod_2"),
            currency: Currency::parse(&self.word("usd", "eur")).unwrap(),
            lookup_key: Some(self.word("basic", "premium")),
            given: hash([("recurring", recurring)]),
            ..objects::price()
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
            details: LineDetails {
                price_then: None,
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
            latest_charge: None,
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
            advances_at: None,
            upcoming: false,
            application: None,
            metadata: BTreeMap::new(),
            given: hash([
                ("collection_method", method),
                ("due_date", ExtraParams::Integer(self.time().0)),
            ]),
        }
    }

    pub(crate) fn subscription(self) -> Subscription {
        let (status, collection_method) = if self.other {
            (SubscriptionStatus::Trialing, CollectionMethod::SendInvoice)
        } else {
            (SubscriptionStatus::Active, CollectionMethod::ChargeAutomatically)
        };
        let price = Self { number: self.variant(), ..self }.price();
        let item = SubscriptionItem {
            id: SubscriptionItemId::from_number(self.number),
            created: self.created,
            ..objects::subscription_item(price)
        };
        Subscription {
            id: SubscriptionId::from_number(self.number),
            merchant: self.merchant,
            created: self.created,
            customer: self.customer_id(),
            clock: self.clock(),
            status,
            items: vec![item],
            anchor: self.created,
            periods: 1,
            period: (self.time(), self.time().plus(86_400)),
            collection_method,
            default_payment_method: Some(PaymentMethodId::from_number(self.variant())),
            saves_method: false,
            trial_noticed: None,
            renewal_noticed: None,
            ..objects::subscription()
        }
    }
}

pub(crate) fn session(merchant: MerchantId, number: u64) -> Session {
    Session {
        id: SessionId::from_number(number),
        merchant,
        client_secret: format!("fcsess_client_secret_{number}"),
        ..objects::session()
    }
}

pub(crate) fn endpoint(merchant: MerchantId, number: u64) -> Endpoint {
    Endpoint {
        id: EndpointId::from_number(number),
        merchant,
        secrets: vec![objects::secret(&format!("whsec_{number}"))],
        ..objects::endpoint()
    }
}

pub(crate) fn test_clock(merchant: MerchantId, number: u64) -> TestClock {
    TestClock { id: ClockId::from_number(number), merchant, ..objects::test_clock() }
}

pub(crate) fn account(merchant: MerchantId, number: u64) -> Account {
    Account {
        id: AccountId::from_number(number),
        merchant,
        bank_account: format!("bank account {number}"),
        ..objects::account()
    }
}

pub(crate) fn row(account: AccountId, listed_at: i64, ordinal: u32) -> StoredTransaction {
    let listed_at = AccountTime(listed_at);
    let id = TransactionId { account, listed_at, ordinal };
    let shown = Transaction { id, transacted_at: listed_at, ..objects::transaction() };
    StoredTransaction { bank_id: format!("bank {ordinal}"), shown }
}

fn hash<const N: usize>(members: [(&str, ExtraParams); N]) -> ExtraParams {
    ExtraParams::Hash(members.map(|(name, member)| (name.to_owned(), member)).into())
}
