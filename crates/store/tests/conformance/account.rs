//! Accounts: linked, changed, found and listed, with connections and owners.

use crate::fixture::{
    Fixture, T0, account, connection, event, first, job, merchant, next, on_both, reply, session,
};
use model::account::{Account, AccountStatus, Holder};
use model::bank::Feature;
use model::clock::AccountTime;
use model::event::EventType;
use model::id::{AccountId, AuthorizationId, ClockId, CustomerId};
use model::refresh::{RefreshKey, RefreshStatus};
use std::collections::BTreeMap;
use store::{
    AccountChange, AccountsOf, ChangeAccount, ChangeConnection, CompleteLink, Connection, Cursor,
    FindAccount, FindConnection, FindEvent, FindLinkedAccount, FindObject, Kind, ListAccounts,
    NewAccount, Object, ObjectPlace, Page, Written,
};

async fn find(fixture: &Fixture, account: &Account) -> Option<Account> {
    fixture.read(FindAccount { merchant: account.merchant, account: account.id }).await
}

fn change(account: Account) -> ChangeAccount {
    ChangeAccount::of(AccountChange::of(account))
}

fn new(account: &Account) -> NewAccount {
    NewAccount {
        account: account.clone(),
        connection: connection(account),
        started: vec![],
        events: vec![event(account, EventType::AccountCreated, 0)],
    }
}

/// The carrier of a link, which changes a new session.
async fn carrier(fixture: &Fixture, number: u64) -> Object {
    let mut session = session(merchant(1), number);
    fixture.create(Object::Session(session.clone())).await;
    session.version = 2;
    Object::Session(session)
}

/// A link stores carrier, accounts, connections, jobs and events together.
#[test]
fn a_link_is_atomic() {
    on_both(async |fixture| {
        let one = account(merchant(1), 11);
        let two = account(merchant(1), 12);
        let carrier = carrier(&fixture, 1).await;
        let link = CompleteLink {
            reply: Some(reply(merchant(1), "key", fixture.time.now())),
            ..CompleteLink::of(vec![carrier.clone()], vec![new(&one), new(&two)])
        };
        fixture.done(link.clone()).await;
        assert_eq!(fixture.write(link).await, Written::KeyTaken);
        assert_eq!(find(&fixture, &one).await, Some(one.clone()));
        assert_eq!(find(&fixture, &two).await, Some(two.clone()));
        let elsewhere = FindAccount { merchant: merchant(2), account: one.id };
        assert_eq!(fixture.read(elsewhere).await, None);
        let of = FindConnection { merchant: merchant(1), account: one.id };
        assert_eq!(fixture.read(of).await, Some(connection(&one)));
        assert_eq!(fixture.read(FindConnection { merchant: merchant(2), ..of }).await, None);
        let created = new(&one).events.remove(0);
        let found = fixture.read(FindEvent { merchant: merchant(1), event: created.id }).await;
        assert_eq!(found.map(|stored| stored.event), Some(created));
        assert_eq!(fixture.find(merchant(1), Kind::Session, 1).await, Some(carrier));
    });
}

/// A link stores all the objects of its carrier, or none if one of them conflicts.
#[test]
fn a_link_takes_several_objects() {
    on_both(async |fixture| {
        let carrier = carrier(&fixture, 1).await;
        let made = Object::Session(session(merchant(1), 2));
        let link = |objects| CompleteLink::of(objects, vec![]);
        let both = link(vec![made.clone(), carrier.clone()]);
        fixture.done(both.clone()).await;
        let find = |number| FindObject { merchant: merchant(1), kind: Kind::Session, number };
        assert_eq!(fixture.read(find(1)).await, Some(carrier));
        assert_eq!(fixture.read(find(2)).await, Some(made.clone()));
        fixture.conflicts(both).await;
        let other = Object::Session(session(merchant(1), 3));
        fixture.conflicts(link(vec![other, made])).await;
        assert_eq!(fixture.read(find(3)).await, None);
    });
}

/// A link with a version conflict does not write its carrier or its first account.
#[test]
fn a_link_with_a_version_conflict_writes_no_rows() {
    on_both(async |fixture| {
        let linked = fixture.linked(merchant(1), 11).await;
        let carrier = carrier(&fixture, 1).await;
        let other = account(merchant(1), 12);
        let mut twin = account(merchant(1), 13);
        twin.bank_account.clone_from(&linked.bank_account);
        let link =
            |new, again| CompleteLink { again, ..CompleteLink::of(vec![carrier.clone()], new) };
        fixture.conflicts(link(vec![new(&other), new(&twin)], vec![])).await;
        fixture.conflicts(link(vec![new(&other)], vec![AccountChange::of(linked.clone())])).await;
        assert_eq!(find(&fixture, &other).await, None);
        assert_eq!(
            fixture.find(merchant(1), Kind::Session, 1).await.map(|object| object.version()),
            Some(1)
        );
        let fits = link(vec![new(&other)], vec![AccountChange::of(next(&linked))]);
        fixture.done(fits.clone()).await;
        fixture.conflicts(fits).await;
    });
}

/// A customer can link a bank account once, until it is disconnected. Accounts of other holders are
/// never compared.
#[test]
fn a_bank_account_is_linked_once() {
    on_both(async |fixture| {
        let linked = fixture.linked(merchant(1), 11).await;
        let twin = |number| Account {
            bank_account: linked.bank_account.clone(),
            ..account(merchant(1), number)
        };
        let lookup = FindLinkedAccount {
            merchant: merchant(1),
            holder: linked.holder.clone().unwrap(),
            institution: linked.institution,
            bank_account: linked.bank_account.clone(),
        };
        assert_eq!(fixture.read(lookup.clone()).await, Some(linked.clone()));
        let elsewhere = FindLinkedAccount { merchant: merchant(2), ..lookup.clone() };
        assert_eq!(fixture.read(elsewhere).await, None);
        for (number, holder) in [
            (12, None),
            (13, None),
            (14, Some(Holder::Account("acct_1".to_owned()))),
            (15, Some(Holder::Account("acct_1".to_owned()))),
        ] {
            fixture.link(Account { holder, ..twin(number) }, vec![]).await;
        }
        let holder = Holder::Account("acct_1".to_owned());
        let unmerged = FindLinkedAccount { holder, ..lookup.clone() };
        assert_eq!(fixture.read(unmerged).await, None);
        let other_customer = Holder::Customer(CustomerId::from_number(2));
        fixture.link(Account { holder: Some(other_customer), ..twin(16) }, vec![]).await;
        let link = CompleteLink::of(vec![carrier(&fixture, 1).await], vec![new(&twin(17))]);
        fixture.conflicts(link.clone()).await;
        let mut gone = next(&linked);
        gone.disconnect();
        fixture.done(change(gone)).await;
        assert_eq!(fixture.read(lookup.clone()).await, None);
        fixture.done(link).await;
        assert_eq!(fixture.read(lookup).await.map(|account| account.id), Some(twin(17).id));
    });
}

/// A disconnected account stays disconnected, because another account may have its link.
#[test]
fn a_disconnected_account_stays_so() {
    on_both(async |fixture| {
        let linked = account(merchant(1), 11);
        fixture.link(linked.clone(), vec![]).await;
        let mut gone = next(&linked);
        gone.disconnect();
        assert_eq!(fixture.write(change(gone.clone())).await, Written::Done);
        let revived = Account { status: AccountStatus::Active, ..next(&gone) };
        assert_eq!(fixture.write(change(revived)).await, Written::VersionConflict);
        let changed = Account { daily_due_at: Some(T0), ..next(&gone) };
        assert_eq!(fixture.write(change(changed.clone())).await, Written::Done);
        assert_eq!(find(&fixture, &linked).await, Some(changed));
    });
}

/// A change is stored together with its connection, and only if both versions match.
#[test]
fn a_change_depends_on_a_version() {
    on_both(async |fixture| {
        let linked = fixture.linked(merchant(1), 11).await;
        let mut changed = next(&linked);
        changed.subscribe(Feature::Transactions, T0);
        let mut stolen = changed.clone();
        stolen.merchant = merchant(2);
        fixture.conflicts(change(stolen)).await;
        let with_old_connection = AccountChange {
            connection: Some(connection(&linked)),
            events: vec![event(&changed, EventType::AccountReactivated, 0)],
            ..AccountChange::of(changed.clone())
        };
        fixture.conflicts(ChangeAccount::of(with_old_connection.clone())).await;
        assert_eq!(find(&fixture, &linked).await, Some(linked.clone()));
        let newer = Connection { version: 2, ..connection(&linked) };
        let fits = AccountChange { connection: Some(newer), ..with_old_connection };
        let reply = Some(reply(merchant(1), "key", fixture.time.now()));
        let fits = ChangeAccount { change: fits, reply, requires: Vec::new() };
        fixture.done(fits.clone()).await;
        assert_eq!(fixture.write(fits.clone()).await, Written::KeyTaken);
        fixture.conflicts(ChangeAccount { reply: None, ..fits }).await;
        assert_eq!(find(&fixture, &linked).await, Some(changed.clone()));
        let mut inactive = next(&changed);
        inactive.status = AccountStatus::Disconnected;
        fixture.done(change(inactive.clone())).await;
        assert_eq!(find(&fixture, &linked).await, Some(inactive));
    });
}

/// At most one refresh of a feature is pending. An interruption ends it and lets another start.
#[test]
fn one_refresh_of_a_feature_is_pending() {
    on_both(async |fixture| {
        let linked = account(merchant(1), 11);
        fixture.link(linked.clone(), vec![job(&linked, Feature::Transactions, 1)]).await;
        let start = |version, feature, sequence| {
            ChangeAccount::of(AccountChange {
                started: vec![job(&linked, feature, sequence)],
                ..AccountChange::of(Account { version, ..linked.clone() })
            })
        };
        let second = start(2, Feature::Transactions, 2);
        fixture.conflicts(second.clone()).await;
        fixture.done(start(2, Feature::Balance, 1)).await;
        let key = RefreshKey { account: linked.id, feature: Feature::Transactions, sequence: 1 };
        let mut interrupting = start(3, Feature::Transactions, 2);
        interrupting.change.ended = vec![(key, RefreshStatus::Failed)];
        fixture.done(interrupting.clone()).await;
        interrupting.change.account.version = 4;
        interrupting.change.started.clear();
        fixture.conflicts(interrupting).await;
    });
}

/// An event that exists already is the same change reported again. The change is stored, and the
/// event stays as it was.
#[test]
fn an_event_is_emitted_once() {
    on_both(async |fixture| {
        let linked = fixture.linked(merchant(1), 11).await;
        let with_event = |event| {
            ChangeAccount::of(AccountChange {
                events: vec![event],
                ..AccountChange::of(next(&linked))
            })
        };
        let emitted = event(&linked, EventType::AccountCreated, 0);
        fixture.done(with_event(emitted.clone())).await;
        let mut again = with_event(model::event::Event { livemode: true, ..emitted.clone() });
        again.change.account.version = 3;
        fixture.done(again).await;
        assert_eq!(find(&fixture, &linked).await.map(|account| account.version), Some(3));
        let found = fixture.read(FindEvent { merchant: merchant(1), event: emitted.id }).await;
        assert_eq!(found.map(|stored| stored.event), Some(emitted));
    });
}

/// Accounts are listed by merchant, holder, clock, login or id, newest first, in both directions.
#[test]
fn accounts_are_listed() {
    on_both(async |fixture| {
        let clock = Some(ClockId::from_number(3));
        for number in 1..=6_u64 {
            let mut account = account(merchant(1), number);
            account.created = AccountTime(i64::try_from(number / 2).unwrap());
            if number % 3 == 0 {
                account.holder = Some(Holder::Account("acct_x".to_owned()));
            }
            account.clock = if number > 4 { clock } else { None };
            account.authorization = AuthorizationId::from_number(number % 2);
            fixture.link(account, vec![]).await;
        }
        fixture.link(account(merchant(2), 9), vec![]).await;
        let numbers = async |of: AccountsOf, cursor, limit| {
            let page = Page { limit, cursor };
            let listed = fixture.read(ListAccounts { merchant: merchant(1), of, page }).await;
            let numbers: Vec<u64> =
                listed.items.iter().map(|account| account.id.number()).collect();
            (numbers, listed.has_more)
        };
        let position = |number: u64| ObjectPlace {
            created: AccountTime(i64::try_from(number / 2).unwrap()),
            number,
        };
        let customer = AccountsOf::Holder(Holder::Customer(CustomerId::from_number(1)));
        let other = AccountsOf::Holder(Holder::Account("acct_x".to_owned()));
        let on_clock = AccountsOf::Clock(ClockId::from_number(3));
        let ids: Vec<AccountId> = [2, 4, 5, 9, 77].map(AccountId::from_number).to_vec();
        let named = AccountsOf::Ids(ids);
        let odd = AccountsOf::Authorization(AuthorizationId::from_number(1));
        assert_eq!(numbers(odd.clone(), Cursor::Newest, 2).await, (vec![5, 3], true));
        // A relink by another login changes the authorization of an account.
        let find = FindAccount { merchant: merchant(1), account: AccountId::from_number(4) };
        let mut moved = fixture.read(find).await.unwrap();
        moved.version += 1;
        moved.authorization = AuthorizationId::from_number(1);
        fixture.done(ChangeAccount::of(AccountChange::of(moved))).await;
        assert_eq!(numbers(odd, Cursor::Newest, 3).await, (vec![5, 4, 3], true));
        assert_eq!(
            numbers(AccountsOf::Merchant, Cursor::Newest, 4).await,
            (vec![6, 5, 4, 3], true)
        );
        assert_eq!(
            numbers(AccountsOf::Merchant, Cursor::After(position(3)), 4).await,
            (vec![2, 1], false)
        );
        assert_eq!(
            numbers(AccountsOf::Merchant, Cursor::Before(position(3)), 2).await,
            (vec![5, 4], true)
        );
        assert_eq!(numbers(customer.clone(), Cursor::Newest, 3).await, (vec![5, 4, 2], true));
        assert_eq!(numbers(customer, Cursor::Before(position(1)), 2).await, (vec![4, 2], true));
        assert_eq!(numbers(other, Cursor::Newest, 3).await, (vec![6, 3], false));
        assert_eq!(numbers(on_clock, Cursor::Newest, 3).await, (vec![6, 5], false));
        assert_eq!(numbers(named.clone(), Cursor::Newest, 2).await, (vec![5, 4], true));
        assert_eq!(numbers(named.clone(), Cursor::After(position(4)), 2).await, (vec![2], false));
        assert_eq!(numbers(named, Cursor::Before(position(2)), 1).await, (vec![4], true));
        let page = first(5);
        let none = ListAccounts { merchant: merchant(3), of: AccountsOf::Merchant, page };
        assert!(fixture.read(none).await.items.is_empty());
    });
}

/// A connection is replaced as a whole, and only if its version matches.
#[test]
fn connections_are_replaced() {
    on_both(async |fixture| {
        let linked = fixture.linked(merchant(1), 11).await;
        let newer = Connection {
            version: 2,
            credential: vec![0, 1, 255],
            state: b"state".to_vec(),
            cursors: BTreeMap::from([(Feature::Balance, vec![]), (Feature::Transactions, vec![9])]),
            relinked_at: T0.plus(5),
            ..connection(&linked)
        };
        let change = ChangeConnection::of(newer.clone());
        fixture.done(change.clone()).await;
        fixture.conflicts(change).await;
        let stolen = Connection { version: 3, merchant: merchant(2), ..newer.clone() };
        fixture.conflicts(ChangeConnection::of(stolen)).await;
        assert_eq!(fixture.connection(&linked).await, Some(newer));
    });
}
