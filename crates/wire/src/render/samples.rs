//! Sample objects for the tests of the renderers.

use super::View;
use crate::json::JsonWriter;
use crate::version::Version;
use model::account::{Account, AccountStatus, Category, Holder, Permission, Subcategory};
use model::bank::BankOwner;
use model::clock::{AccountTime, ClockStatus, TestClock};
use model::customer::{Customer, TaxExempt};
use model::endpoint::{Endpoint, EndpointSecret, EndpointStatus};
use model::id::{
    AccountId, AuthorizationId, BankAccountId, ClockId, CustomerId, EndpointId, InstitutionId,
    MerchantId, OwnershipId, SessionId, TokenId, TransactionId,
};
use model::money::Currency;
use model::ownership::Ownership;
use model::session::{Session, SessionStatus};
use model::token::{BankAccountToken, BankAccountType, BankHolderType};
use model::transaction::{Transaction, TransactionStatus};
use model::undone::Undone;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

const NOW: AccountTime = AccountTime(1_700_000_000);
static VERSION: LazyLock<Version> = LazyLock::new(Version::default);

pub(super) fn view() -> View<'static> {
    View::new(&VERSION, false)
}

/// Returns the output of a renderer.
pub(super) fn written(render: impl FnOnce(&mut JsonWriter)) -> String {
    let mut writer = JsonWriter::default();
    render(&mut writer);
    String::from_utf8(writer.into_bytes()).unwrap()
}

/// Returns the output of a renderer in the order written, with one member per line.
pub(super) fn indented(render: impl FnOnce(&mut JsonWriter)) -> String {
    let json = written(render);
    let _: serde_json::Value = serde_json::from_str(&json).expect("must be JSON");
    let (mut out, mut depth, mut in_string, mut escaped) = (String::new(), 0, false, false);
    let mut fresh_line = false;
    for character in json.chars() {
        let closes = !in_string && matches!(character, '}' | ']');
        depth -= usize::from(closes);
        // An empty bracket stays on its line.
        if fresh_line != closes {
            out.push('\n');
            out.push_str(&"  ".repeat(depth));
        }
        out.push(character);
        fresh_line = !in_string && matches!(character, '{' | '[' | ',');
        depth += usize::from(fresh_line && character != ',');
        if !in_string && character == ':' {
            out.push(' ');
        }
        in_string ^= character == '"' && !escaped;
        escaped = character == '\\' && !escaped;
    }
    out
}

pub(super) fn clock() -> TestClock {
    TestClock {
        id: ClockId::from_number(1),
        merchant: MerchantId::from_number(1),
        version: 1,
        created: NOW,
        name: Some("June".into()),
        frozen_time: NOW,
        target: None,
        deleted: false,
        deletion_due: None,
        status: ClockStatus::Ready,
    }
}

pub(super) fn customer() -> Customer {
    Customer {
        id: CustomerId::from_number(1),
        merchant: MerchantId::from_number(1),
        version: 1,
        livemode: false,
        created: NOW,
        deleted: false,
        deletion_due: None,
        test_clock: None,
        address: None,
        balance: 0,
        business_name: None,
        default_payment_method: None,
        description: None,
        email: Some("ada@example.com".into()),
        individual_name: None,
        invoice_prefix: None,
        metadata: BTreeMap::new(),
        name: None,
        next_invoice_sequence: None,
        phone: None,
        preferred_locales: Vec::new(),
        shipping: None,
        tax_exempt: TaxExempt::None,
    }
}

pub(super) fn account() -> Account {
    Account {
        id: AccountId::from_number(1),
        merchant: MerchantId::from_number(1),
        version: 1,
        livemode: false,
        created: NOW,
        holder: Some(Holder::Customer(CustomerId::from_number(1))),
        clock: None,
        authorization: AuthorizationId::from_number(1),
        institution: InstitutionId::from_number(1),
        institution_name: "Test (Non-OAuth)".into(),
        bank_account: "success".into(),
        category: Category::Cash,
        subcategory: Subcategory::Checking,
        display_name: Some("Success".into()),
        last4: Some("6789".into()),
        supported_payment_method_types: Vec::new(),
        account_numbers: Vec::new(),
        permissions: BTreeSet::from([Permission::Transactions, Permission::Balances]),
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

pub(super) fn ownership() -> Ownership {
    Ownership {
        id: OwnershipId { account: AccountId::from_number(1), sequence: 1 },
        created: NOW,
        owners: vec![BankOwner {
            name: "Ada Lovelace".into(),
            email: Some("ada@example.com".into()),
            phone: None,
            raw_address: Some("12 St James's Square".into()),
        }],
    }
}

pub(super) fn session() -> Session {
    Session {
        id: SessionId::from_number(1),
        merchant: MerchantId::from_number(1),
        version: 1,
        livemode: false,
        created: NOW,
        holder: Some(Holder::Customer(CustomerId::from_number(1))),
        clock: None,
        client_secret: "fcsess_client_secret_abc".into(),
        permissions: BTreeSet::from([Permission::Transactions, Permission::Balances]),
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
        accounts: Vec::new(),
        token: None,
    }
}

pub(super) fn token() -> BankAccountToken {
    BankAccountToken {
        id: TokenId::from_number(1),
        merchant: MerchantId::from_number(1),
        version: 1,
        bank_account: BankAccountId::from_number(2),
        livemode: false,
        created: NOW,
        used: false,
        routing_number: model::token::TEST_ROUTING_NUMBER.into(),
        bank_name: Some(model::token::TEST_BANK_NAME.into()),
        last4: "6789".into(),
        account_number: "000123456789".into(),
        fingerprint: "Abc123".into(),
        holder_name: None,
        holder_type: BankHolderType::Individual,
        account_type: BankAccountType::Checking,
    }
}

pub(super) fn endpoint() -> Endpoint {
    Endpoint {
        id: EndpointId::from_number(1),
        merchant: MerchantId::from_number(1),
        version: 1,
        livemode: false,
        created: NOW,
        connect: false,
        deleted: false,
        url: "https://example.com/hook".into(),
        enabled_events: vec!["*".into()],
        api_version: None,
        description: None,
        metadata: BTreeMap::new(),
        status: EndpointStatus::Enabled,
        secrets: vec![EndpointSecret { value: "whsec_new".into(), expires_at: None }],
    }
}

pub(super) fn transaction() -> Transaction {
    Transaction {
        id: TransactionId { account: AccountId::from_number(1), listed_at: NOW, ordinal: 1 },
        amount: -1_234,
        currency: Currency::USD,
        description: "Rocket Rides".into(),
        status: TransactionStatus::Posted,
        transacted_at: NOW,
        posted_at: Some(NOW.plus(86_400)),
        void_at: None,
        sequence: 3,
        updated: NOW.plus(90_000),
    }
}
