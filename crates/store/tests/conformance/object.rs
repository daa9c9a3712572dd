//! Objects: created, changed, found and listed.

use crate::fixture::{
    T0, account, customer, endpoint, event, first, merchant, on_both, reply, session, test_clock,
};
use model::account::Holder;
use model::clock::AccountTime;
use model::connected_account::ConnectedAccount;
use model::event::EventType;
use model::id::{ClockId, CustomerId};
use model::session::Session;
use model::stored::{Filter, on_clock};
use store::{
    Bounds, ChangeObject, ChangeObjects, Changed, CreateObject, Created, Cursor, FindEvent,
    FindObject, FindObjectByLookup, Kind, ListObjects, Object, ObjectPlace, ObjectsOf, Page,
    Written,
};

fn list(kind: Kind, page: Page<ObjectPlace>) -> ListObjects {
    ListObjects {
        merchant: merchant(1),
        kind,
        of: ObjectsOf::All,
        created: Bounds::default(),
        page,
    }
}

/// Each kind of object is read as it was stored, including its secret.
#[test]
fn objects_are_read_as_stored() {
    on_both(async |fixture| {
        let owner = merchant(1);
        for object in [
            Object::Customer(customer(owner, 1)),
            Object::Session(session(owner, 1)),
            Object::Endpoint(endpoint(owner, 1)),
            Object::TestClock(test_clock(owner, 1)),
        ] {
            fixture.create(object.clone()).await;
            let find = FindObject { merchant: owner, kind: object.kind(), number: 1 };
            assert_eq!(fixture.read(find).await, Some(object.clone()));
            assert_eq!(fixture.read(FindObject { merchant: merchant(2), ..find }).await, None);
            assert_eq!(fixture.read(FindObject { number: 2, ..find }).await, None);
        }
    });
}

/// A change replaces the object only if it is based on the stored version.
#[test]
fn a_change_of_an_old_version_conflicts() {
    on_both(async |fixture| {
        let owner = merchant(1);
        fixture.create(Object::Endpoint(endpoint(owner, 1))).await;
        let mut changed = endpoint(owner, 1);
        changed.version = 2;
        changed.url = "http://localhost/other".to_owned();
        changed.secrets.clear();
        let other = Object::Endpoint(model::endpoint::Endpoint {
            merchant: merchant(2),
            ..changed.clone()
        });
        let changed = Object::Endpoint(changed);
        fixture.conflicts(ChangeObject::of(other)).await;
        fixture.done(ChangeObject::of(changed.clone())).await;
        fixture.conflicts(ChangeObject::of(changed.clone())).await;
        assert_eq!(fixture.find(owner, Kind::Endpoint, 1).await, Some(changed));
        let missing = Object::Endpoint(endpoint(owner, 2));
        fixture.conflicts(ChangeObject::of(missing)).await;
    });
}

/// A rejected command writes no rows, not even its idempotency record or the merchant's row.
#[test]
fn refused_commands_write_no_rows() {
    on_both(async |fixture| {
        let owner = merchant(1);
        let record = reply(owner, "key", fixture.time.now());
        let full = CreateObject {
            kind_max: Some(0),
            reply: Some(record.clone()),
            ..CreateObject::of(Object::Endpoint(endpoint(owner, 1)))
        };
        assert_eq!(fixture.write(full.clone()).await, Created::KindFull);
        fixture.done(CreateObject { kind_max: Some(1), ..full.clone() }).await;
        let second = Object::Endpoint(endpoint(owner, 2));
        let taken = CreateObject { object: second.clone(), kind_max: None, ..full.clone() };
        assert_eq!(fixture.write(taken).await, Created::KeyTaken);
        assert_eq!(fixture.find(owner, Kind::Endpoint, 2).await, None);
        let full = CreateObject { object: second, kind_max: Some(1), reply: None, ..full };
        assert_eq!(fixture.write(full).await, Created::KindFull);
        let mut changed = endpoint(owner, 1);
        changed.version = 2;
        let taken =
            ChangeObject { reply: Some(record), ..ChangeObject::of(Object::Endpoint(changed)) };
        assert_eq!(fixture.write(taken).await, Written::KeyTaken);
    });
}

/// Deleted objects do not count towards the limit of their kind.
#[test]
fn deleted_objects_do_not_count() {
    on_both(async |fixture| {
        let owner = merchant(1);
        fixture.create(Object::Endpoint(endpoint(owner, 1))).await;
        let mut deleted = endpoint(owner, 1);
        (deleted.version, deleted.deleted) = (2, true);
        fixture.done(ChangeObject::of(Object::Endpoint(deleted.clone()))).await;
        assert_eq!(fixture.find(owner, Kind::Endpoint, 1).await, Some(Object::Endpoint(deleted)));
        assert!(fixture.read(list(Kind::Endpoint, first(10))).await.items.is_empty());
        let second = CreateObject::of(Object::Endpoint(endpoint(owner, 2)));
        fixture.done(CreateObject { kind_max: Some(1), ..second }).await;
    });
}

/// A number that exists already fails the command, and only that command.
#[test]
fn a_taken_number_fails() {
    on_both(async |fixture| {
        let owner = merchant(1);
        fixture.create(Object::Customer(customer(owner, 1))).await;
        let mut other = customer(owner, 1);
        other.name = Some("Other".to_owned());
        assert!(fixture.store.write(CreateObject::of(Object::Customer(other))).await.is_err());
        assert_eq!(
            fixture.find(owner, Kind::Customer, 1).await,
            Some(Object::Customer(customer(owner, 1)))
        );
        fixture.create(Object::Customer(customer(merchant(2), 1))).await;
    });
}

/// A session is found by the hash of its client secret, a customer by its e-mail address. The
/// newest match is returned.
#[test]
fn objects_are_found_by_lookup() {
    on_both(async |fixture| {
        let owner = merchant(1);
        fixture.create(Object::Session(session(owner, 1))).await;
        let lookup = "1a9ee8ee25ff3d2f3ebb2c3c8d6cb6c3".to_owned();
        let by_hash = FindObjectByLookup { merchant: owner, kind: Kind::Session, lookup };
        assert_eq!(fixture.read(by_hash.clone()).await, None);
        // SHA-256 of the secret that the fixture gives to this session.
        let lookup = "7253acd2440a9ac46ca64c999719bc24c7bb6be83638f211bb1a3c15290f86c2".to_owned();
        let by_hash = FindObjectByLookup { lookup, ..by_hash };
        let found = fixture.read(by_hash.clone()).await;
        assert_eq!(found, Some(Object::Session(session(owner, 1))));
        assert_eq!(
            fixture.read(FindObjectByLookup { merchant: merchant(2), ..by_hash }).await,
            None
        );
        for number in 1..=3 {
            let mut customer = customer(owner, number);
            customer.email = Some("a@example.com".to_owned());
            customer.created = AccountTime(10 - i64::try_from(number).unwrap());
            fixture.create(Object::Customer(customer)).await;
        }
        let lookup = "a@example.com".to_owned();
        let by_email = FindObjectByLookup { merchant: owner, kind: Kind::Customer, lookup };
        assert_eq!(fixture.read(by_email).await.map(|object| object.number()), Some(1));
    });
}

/// Lists are sorted from newest to oldest, ties by number, and page in both directions.
#[test]
fn lists_page_in_both_directions() {
    on_both(async |fixture| {
        for number in 1..=7_u64 {
            let mut customer = customer(merchant(1), number);
            customer.created = AccountTime(i64::try_from(number / 3).unwrap());
            fixture.create(Object::Customer(customer)).await;
        }
        fixture.create(Object::Customer(customer(merchant(2), 9))).await;
        let numbers = async |cursor, limit| {
            let page = fixture.read(list(Kind::Customer, Page { limit, cursor })).await;
            let numbers: Vec<u64> = page.items.iter().map(Object::number).collect();
            (numbers, page.has_more)
        };
        let position = |number: u64| ObjectPlace {
            created: AccountTime(i64::try_from(number / 3).unwrap()),
            number,
        };
        assert_eq!(numbers(Cursor::Newest, 3).await, (vec![7, 6, 5], true));
        assert_eq!(numbers(Cursor::After(position(5)), 3).await, (vec![4, 3, 2], true));
        assert_eq!(numbers(Cursor::After(position(3)), 2).await, (vec![2, 1], false));
        assert_eq!(numbers(Cursor::After(position(1)), 2).await, (vec![], false));
        assert_eq!(numbers(Cursor::Before(position(2)), 2).await, (vec![4, 3], true));
        assert_eq!(numbers(Cursor::Before(position(5)), 2).await, (vec![7, 6], false));
        assert_eq!(numbers(Cursor::Before(position(7)), 2).await, (vec![], false));
    });
}

/// Lists filter by lookup text, by test clock or its absence, and by time.
#[test]
fn lists_are_narrowed() {
    on_both(async |fixture| {
        for number in 1..=6_u64 {
            let mut customer = customer(merchant(1), number);
            customer.created = T0.plus(i64::try_from(number).unwrap());
            customer.email = (number % 2 == 0).then(|| "even@example.com".to_owned());
            customer.test_clock = (number > 3).then(|| ClockId::from_number(5));
            fixture.create(Object::Customer(customer)).await;
        }
        let numbers = async |command: ListObjects| {
            let page = fixture.read(command).await;
            page.items.iter().map(Object::number).collect::<Vec<_>>()
        };
        let all = list(Kind::Customer, first(10));
        let even = "even@example.com".to_owned();
        let clock = Some(ClockId::from_number(5));
        let email = |clock| ObjectsOf::value(Filter::EmailOnClock, &on_clock(clock, &even));
        for (of, found) in [
            (ObjectsOf::All, vec![6, 5, 4, 3, 2, 1]),
            (ObjectsOf::Lookup(even.clone()), vec![6, 4, 2]),
            (ObjectsOf::on_clock(None), vec![3, 2, 1]),
            (email(None), vec![2]),
            (ObjectsOf::on_clock(clock), vec![6, 5, 4]),
            (email(clock), vec![6, 4]),
        ] {
            assert_eq!(numbers(ListObjects { of, ..all.clone() }).await, found);
        }
        let created = Bounds { from: Some(T0.plus(2).0), to: Some(T0.plus(4).0) };
        let within = ListObjects { created, of: ObjectsOf::on_clock(None), ..all };
        assert_eq!(numbers(within.clone()).await, [3, 2]);
        let edge = ObjectPlace { created: T0.plus(2), number: 2 };
        let upward = Page { limit: 1, cursor: Cursor::Before(edge) };
        assert_eq!(numbers(ListObjects { page: upward, ..within.clone() }).await, [3]);
        let edge = ObjectPlace { created: T0.plus(9), number: 9 };
        let downward = Page { limit: 2, cursor: Cursor::After(edge) };
        assert_eq!(numbers(ListObjects { page: downward, ..within }).await, [3, 2]);
    });
}

/// The objects of a customer are listed on any clock. Objects of other customers are not.
#[test]
fn objects_of_a_customer_are_listed() {
    on_both(async |fixture| {
        let customer = |number| Holder::Customer(CustomerId::from_number(number));
        for (owner, number, holder, clock) in [
            (1, 1, customer(7), None),
            (1, 2, customer(7), Some(ClockId::from_number(5))),
            (1, 3, customer(8), None),
            (1, 4, Holder::Account("acct_x".to_owned()), None),
            (2, 5, customer(7), None),
        ] {
            let session =
                Session { holder: Some(holder), clock, ..session(merchant(owner), number) };
            fixture.create(Object::Session(session)).await;
        }
        let of = ObjectsOf::Customer(CustomerId::from_number(7));
        let page = fixture.read(ListObjects { of, ..list(Kind::Session, first(9)) }).await;
        assert_eq!(page.items.iter().map(Object::number).collect::<Vec<_>>(), [2, 1]);
    });
}

/// Several objects are created and replaced in one command, with their events. An object may occur
/// twice.
#[test]
fn objects_change_together() {
    on_both(async |fixture| {
        let owner = merchant(1);
        let two = Session { version: 2, ..session(owner, 1) };
        let made = Object::Endpoint(endpoint(owner, 2));
        let emitted = event(&account(owner, 11), EventType::AccountCreated, 0);
        let change = ChangeObjects {
            events: vec![emitted.clone()],
            reply: Some(reply(owner, "key", fixture.time.now())),
            ..ChangeObjects::of(vec![
                Object::Session(session(owner, 1)),
                made.clone(),
                Object::Session(two.clone()),
            ])
        };
        fixture.done(change.clone()).await;
        assert_eq!(fixture.write(change).await, Changed::KeyTaken);
        assert_eq!(fixture.find(owner, Kind::Session, 1).await, Some(Object::Session(two)));
        assert_eq!(fixture.find(owner, Kind::Endpoint, 2).await, Some(made));
        assert_eq!(fixture.event(owner, emitted.id).await, Some(emitted));
    });
}

/// A platform and its connected account get their rows in one command. Each merchant sees only its
/// own row.
#[test]
fn two_merchants_change_together() {
    on_both(async |fixture| {
        let account = ConnectedAccount::of(merchant(1), "acct_1", false, T0);
        let inside = account.acts_as();
        let tie = Object::PlatformTie(account.tie());
        let row = Object::ConnectedAccount(account);
        let change = ChangeObjects::of(vec![tie.clone(), row.clone()]);
        fixture.done(change.clone()).await;
        fixture.conflicts(change).await;
        for (owner, other, object) in [(inside, merchant(1), tie), (merchant(1), inside, row)] {
            let (kind, number) = (object.kind(), object.number());
            let find = FindObject { merchant: owner, kind, number };
            assert_eq!(fixture.read(find).await, Some(object));
            assert_eq!(fixture.read(FindObject { merchant: other, ..find }).await, None);
        }
    });
}

/// One object with a version conflict makes the whole command conflict. This is an object to create
/// that exists, or one to replace that is missing or has another version.
#[test]
fn one_version_conflict_writes_no_rows() {
    on_both(async |fixture| {
        let owner = merchant(1);
        fixture.create(Object::Session(session(owner, 1))).await;
        let record = reply(owner, "key", fixture.time.now());
        let emitted = event(&account(owner, 11), EventType::AccountCreated, 0);
        let change = |bad| ChangeObjects {
            events: vec![emitted.clone()],
            reply: Some(record.clone()),
            ..ChangeObjects::of(vec![Object::Customer(customer(owner, 3)), Object::Session(bad)])
        };
        let next = |number, version| Session { version, ..session(owner, number) };
        for bad in [next(1, 1), next(1, 3), next(2, 2)] {
            fixture.conflicts(change(bad)).await;
            assert_eq!(fixture.find(owner, Kind::Customer, 3).await, None);
            let find = FindEvent { merchant: owner, event: emitted.id };
            assert_eq!(fixture.read(find).await, None);
        }
        // The idempotency key was not used either.
        fixture.done(change(next(1, 2))).await;
    });
}
