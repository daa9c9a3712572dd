//! Sample objects for the tests of the renderers.

use super::View;
use crate::json::JsonWriter;
use crate::version::Version;
use model::account::{Account, Permission};
use model::bank::BankOwner;
use model::clock::TestClock;
use model::customer::Customer;
use model::endpoint::Endpoint;
use model::id::{AccountId, OwnershipId};
use model::ownership::Ownership;
use model::session::Session;
use model::token::BankAccountToken;
use model::transaction::{Transaction, TransactionStatus};
use std::collections::BTreeSet;
use std::sync::LazyLock;
use testkit::objects::{self, T0};

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
    TestClock { name: Some("June".into()), ..objects::test_clock() }
}

pub(super) fn customer() -> Customer {
    Customer { email: Some("ada@example.com".into()), ..objects::customer() }
}

pub(super) fn account() -> Account {
    Account {
        display_name: Some("Success".into()),
        last4: Some("6789".into()),
        permissions: BTreeSet::from([Permission::Transactions, Permission::Balances]),
        ..objects::account()
    }
}

pub(super) fn ownership() -> Ownership {
    Ownership {
        id: OwnershipId { account: AccountId::from_number(1), sequence: 1 },
        created: T0,
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
        client_secret: "fcsess_client_secret_abc".into(),
        permissions: BTreeSet::from([Permission::Transactions, Permission::Balances]),
        ..objects::session()
    }
}

pub(super) fn token() -> BankAccountToken {
    BankAccountToken {
        bank_name: Some(model::token::TEST_BANK_NAME.into()),
        fingerprint: "Abc123".into(),
        ..objects::token()
    }
}

pub(super) fn endpoint() -> Endpoint {
    Endpoint {
        url: "https://example.com/hook".into(),
        secrets: vec![objects::secret("whsec_new")],
        ..objects::endpoint()
    }
}

pub(super) fn transaction() -> Transaction {
    Transaction {
        status: TransactionStatus::Posted,
        posted_at: Some(T0.plus(86_400)),
        sequence: 3,
        updated: T0.plus(90_000),
        ..objects::transaction()
    }
}
