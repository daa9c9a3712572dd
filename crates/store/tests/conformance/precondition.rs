//! Preconditions: what they say, and that each command checks them.

use crate::fixture::{
    Fixture, T0, account, connection, customer, job, merchant, next, on_both, payment_intent,
    session, test_clock,
};
use model::account::Account;
use model::bank::Feature;
use model::clock::{ClockStatus, ServerTime, TestClock};
use model::customer::Customer;
use model::id::AccountId;
use model::stored::Filter;
use store::{
    AccountChange, ChangeAccount, ChangeConnection, ChangeObject, ChangeObjects, ClaimClocks,
    ClockItem, CompleteLink, Connection, CreateObject, Created, FindAccount, FindConnection,
    FindObject, Kind, NewAccount, Object, ObjectKey, Precondition, StartAdvance, StepClock,
};

fn key(kind: Kind, number: u64) -> ObjectKey {
    ObjectKey { merchant: merchant(1), kind, number }
}

fn version_of(number: u64, version: u64) -> Precondition {
    let account = AccountId::from_number(number);
    Precondition::AccountVersion { merchant: merchant(1), account, version }
}

fn none_with(kind: Kind, lookup: &str) -> Precondition {
    Precondition::NoneWithLookup { merchant: merchant(1), kind, lookup: lookup.to_owned() }
}

fn none_with_prefix(prefix: &str, except: &[u64]) -> Precondition {
    none_with_value(Filter::InvoicePrefix, prefix, except)
}

fn none_with_value(filter: Filter, value: &str, except: &[u64]) -> Precondition {
    Precondition::NoneWithValue {
        merchant: merchant(1),
        kind: Kind::Customer,
        filter,
        value: value.to_owned(),
        except: except.to_vec(),
    }
}

/// Stores customer 1 at version 2, customer 2 at version 2 and deleted, both with an e-mail
/// address and a prefix of invoices, and account 11 at version 1.
async fn fill(fixture: &Fixture) {
    for number in [1, 2] {
        let email = Some(format!("{number}@example.com"));
        let invoice_prefix = Some(format!("P{number}"));
        let made = Customer { email, invoice_prefix, ..customer(merchant(1), number) };
        fixture.create(Object::Customer(made.clone())).await;
        let changed = Customer { version: 2, deleted: number == 2, ..made };
        fixture.done(ChangeObject::of(Object::Customer(changed))).await;
    }
    fixture.link(account(merchant(1), 11), vec![]).await;
}

/// Each precondition holds for the states that it names, and for no others. A precondition about
/// another merchant's object never finds it.
#[test]
fn preconditions_hold_for_the_states_they_name() {
    let absent = key(Kind::Customer, 3);
    let (live, deleted) = (key(Kind::Customer, 1), key(Kind::Customer, 2));
    let elsewhere = ObjectKey { merchant: merchant(2), ..live };
    let cases = [
        (Precondition::Exists(live), true),
        (Precondition::Exists(deleted), false),
        (Precondition::Exists(absent), false),
        (Precondition::Exists(elsewhere), false),
        (Precondition::Exists(key(Kind::Session, 1)), false),
        (Precondition::NotDeleted(live), true),
        (Precondition::NotDeleted(deleted), false),
        (Precondition::NotDeleted(absent), true),
        (Precondition::NotDeleted(elsewhere), true),
        (Precondition::Version(live, 2), true),
        (Precondition::Version(live, 1), false),
        (Precondition::Version(live, 3), false),
        (Precondition::Version(live, 0), false),
        (Precondition::Version(deleted, 2), true),
        (Precondition::Version(absent, 0), true),
        (Precondition::Version(absent, 1), false),
        (Precondition::Version(elsewhere, 2), false),
        (version_of(11, 1), true),
        (version_of(11, 2), false),
        (version_of(12, 1), false),
        (none_with(Kind::Customer, "1@example.com"), false),
        (none_with(Kind::Customer, "2@example.com"), true),
        (none_with(Kind::Customer, "3@example.com"), true),
        (none_with(Kind::Dispute, "1@example.com"), true),
        (none_with_prefix("P1", &[]), false),
        (none_with_prefix("P1", &[3, 4]), false),
        (none_with_prefix("P1", &[3, 1]), true),
        // The prefix of a deleted customer stays taken, and its other values do not.
        (none_with_prefix("P2", &[]), false),
        (none_with_prefix("P2", &[2]), true),
        (none_with_value(Filter::EmailOnClock, "none 1@example.com", &[]), false),
        (none_with_value(Filter::EmailOnClock, "none 2@example.com", &[]), true),
        (none_with_prefix("P3", &[]), true),
    ];
    on_both(async |fixture| {
        fill(&fixture).await;
        for (number, (precondition, holds)) in (100..).zip(cases.clone()) {
            let object = Object::Session(session(merchant(1), number));
            let requires = vec![precondition.clone()];
            let made = fixture.write(CreateObject { requires, ..CreateObject::of(object) }).await;
            let wanted = if holds { Created::Done } else { Created::VersionConflict };
            assert_eq!(made, wanted, "{precondition:?}");
        }
    });
}

/// Every precondition of a command must hold, wherever it stands in the list.
#[test]
fn all_preconditions_must_hold() {
    on_both(async |fixture| {
        fill(&fixture).await;
        let holds = Precondition::Exists(key(Kind::Customer, 1));
        let fails = Precondition::Exists(key(Kind::Customer, 2));
        let object = Object::Session(session(merchant(1), 100));
        for requires in [vec![holds.clone(), fails.clone()], vec![fails, holds.clone()]] {
            fixture.conflicts(CreateObject { requires, ..CreateObject::of(object.clone()) }).await;
        }
        fixture
            .done(CreateObject { requires: vec![holds.clone(), holds], ..CreateObject::of(object) })
            .await;
    });
}

/// A command checks its preconditions against the state before its own writes: one that creates an
/// object may require that the object is absent.
#[test]
fn preconditions_are_about_the_state_before() {
    on_both(async |fixture| {
        let requires = vec![Precondition::Version(key(Kind::Session, 100), 0)];
        let object = Object::Session(session(merchant(1), 100));
        fixture.done(CreateObject { requires, ..CreateObject::of(object) }).await;
    });
}

/// Commands about objects write no rows if a precondition does not hold, and can be repeated.
#[test]
fn commands_about_objects_check_them() {
    on_both(async |fixture| {
        fill(&fixture).await;
        let fails = vec![Precondition::Exists(key(Kind::Customer, 2))];
        let holds = vec![Precondition::Exists(key(Kind::Customer, 1))];
        let stored = FindObject { merchant: merchant(1), kind: Kind::Customer, number: 1 };
        let before = fixture.read(stored).await;
        let next = Object::Customer(Customer {
            name: Some("Ada".to_owned()),
            version: 3,
            ..customer(merchant(1), 1)
        });
        let change = |requires| ChangeObject { requires, ..ChangeObject::of(next.clone()) };
        fixture.conflicts(change(fails.clone())).await;
        assert_eq!(fixture.read(stored).await, before);
        let many = |requires| ChangeObjects {
            requires,
            ..ChangeObjects::of(vec![next.clone(), Object::Session(session(merchant(1), 100))])
        };
        fixture.conflicts(many(fails.clone())).await;
        assert_eq!(fixture.read(stored).await, before);
        assert_eq!(fixture.find(merchant(1), Kind::Session, 100).await, None);
        fixture.done(many(holds)).await;
        assert_eq!(fixture.read(stored).await, Some(next));
    });
}

/// Commands about accounts write no rows if a precondition does not hold, and can be repeated.
#[test]
fn commands_about_accounts_check_them() {
    on_both(async |fixture| {
        fill(&fixture).await;
        let fails = vec![Precondition::Exists(key(Kind::Customer, 2))];
        let holds = vec![Precondition::Exists(key(Kind::Customer, 1))];
        let find =
            |number| FindAccount { merchant: merchant(1), account: AccountId::from_number(number) };
        let linked = account(merchant(1), 11);
        let change = |requires| ChangeAccount {
            requires,
            ..ChangeAccount::of(AccountChange::of(next(&linked)))
        };
        fixture.conflicts(change(fails.clone())).await;
        assert_eq!(fixture.read(find(11)).await, Some(linked.clone()));
        fixture.done(change(holds.clone())).await;

        let stored = FindConnection { merchant: merchant(1), account: linked.id };
        let other = Connection { version: 2, state: b"new".to_vec(), ..connection(&linked) };
        let replace =
            |requires| ChangeConnection { connection: other.clone(), requires, reply: None };
        fixture.conflicts(replace(fails.clone())).await;
        assert_eq!(fixture.read(stored).await, Some(connection(&linked)));
        fixture.done(replace(holds.clone())).await;

        let second: Account = account(merchant(1), 12);
        let link = |requires| CompleteLink {
            requires,
            ..CompleteLink::of(
                vec![Object::Session(session(merchant(1), 100))],
                vec![NewAccount {
                    account: second.clone(),
                    connection: connection(&second),
                    started: vec![job(&second, Feature::Balance, 1)],
                    events: vec![],
                }],
            )
        };
        fixture.conflicts(link(fails)).await;
        assert_eq!(fixture.read(find(12)).await, None);
        fixture.done(link(holds)).await;
        assert_eq!(fixture.read(find(12)).await, Some(second.clone()));
    });
}

/// A step of a clock writes no item if a precondition of one of them does not hold.
#[test]
fn steps_of_a_clock_check_them() {
    on_both(async |fixture| {
        fill(&fixture).await;
        let clock = test_clock(merchant(1), 5);
        fixture.create(Object::TestClock(clock.clone())).await;
        let advancing = |version| TestClock {
            version,
            status: ClockStatus::Advancing,
            target: Some(T0.plus(100)),
            ..clock.clone()
        };
        fixture.done(StartAdvance { clock: advancing(2), events: vec![], reply: None }).await;
        let now = fixture.time.now();
        let claim = ClaimClocks {
            now,
            leased_until: now.plus_ms(1_000),
            after: None,
            limit: 1,
            free: 999,
            in_progress: vec![],
        };
        let claim = fixture.write(claim).await[0];
        let step = |requires| StepClock {
            claim,
            clock: advancing(3),
            items: vec![
                ClockItem::Objects {
                    objects: vec![Object::PaymentIntent(payment_intent(merchant(1), 7))],
                    requires: vec![],
                    events: vec![],
                },
                ClockItem::Objects {
                    objects: vec![Object::PaymentIntent(payment_intent(merchant(1), 8))],
                    requires,
                    events: vec![],
                },
            ],
            events: vec![],
            leased_until: ServerTime(i64::MAX),
        };
        let made = FindObject { merchant: merchant(1), kind: Kind::PaymentIntent, number: 7 };
        let fails = vec![Precondition::Exists(key(Kind::Customer, 2))];
        fixture.conflicts(step(fails)).await;
        assert_eq!(fixture.read(made).await, None);
        let holds = vec![Precondition::Exists(key(Kind::Customer, 1))];
        fixture.done(step(holds)).await;
        assert!(fixture.read(made).await.is_some());
    });
}
