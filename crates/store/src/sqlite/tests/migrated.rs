//! Rows of a database as SQL wrote them, and the reads that find them after a migration.

use crate::{
    AccountsOf, Bounds, ClaimClocks, ClaimDeliveries, ClaimRefreshes, Cursor, FindAccount,
    FindBankId, FindConnection, FindEvent, FindIdempotencyRecord, FindObject, FindObjectByLookup,
    FindOwnership, Kind, ListAccounts, ListDeliveries, ListDueAccounts, ListDueObjects,
    ListDueOnClock, ListEvents, ListFeed, ListLedger, ListObjects, ListTransactions,
    ListUndispatched, ListWaitingFeeds, MeasureBacklog, Object, ObjectsOf, Page, RestoreSnapshot,
    Snapshotted, Store,
};
use model::Word;
use model::account::Holder;
use model::clock::{AccountTime, ServerTime};
use model::delivery::Delivery;
use model::id::{
    AccountId, AuthorizationId, ClockId, CustomerId, EndpointId, EventId, MerchantId, OwnershipId,
    SnapshotId, TransactionId,
};
use rusqlite::{Connection, Row};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Debug;
use testkit::objects::T0;

/// The parts of [`read_all`] and [`restore`] that earlier databases did not store, with the migration
/// that brought them.
pub(super) const FROM: [(&str, usize); 4] =
    [("due objects", 2), ("deliveries sent again", 5), ("restored", 6), ("claims of feeds", 12)];

/// The texts of what was read, by its part.
pub(super) type Found = BTreeMap<&'static str, Vec<String>>;

/// An object as its row describes it.
struct ObjectRow {
    merchant: MerchantId,
    kind: Kind,
    number: u64,
    deleted: bool,
    lookup: Option<String>,
    body: Value,
}

/// The rows of a database.
pub(super) struct Rows {
    objects: Vec<ObjectRow>,
    accounts: Vec<(MerchantId, AccountId, Value)>,
    owners: Vec<(MerchantId, OwnershipId, Value)>,
    transactions: Vec<(MerchantId, TransactionId, String)>,
    events: Vec<(MerchantId, EventId, Value)>,
    attempts: Vec<(MerchantId, EventId, EndpointId, Value)>,
}

fn number(row: &Row<'_>, column: usize) -> u64 {
    row.get::<_, i64>(column).unwrap().try_into().unwrap()
}

fn merchant(row: &Row<'_>) -> MerchantId {
    MerchantId::from_number(number(row, 0))
}

fn json(row: &Row<'_>, column: usize) -> Value {
    serde_json::from_str(&row.get::<_, String>(column).unwrap()).unwrap()
}

impl Rows {
    /// The rows of a database that no later migration has changed.
    pub(super) fn of(connection: &Connection) -> Self {
        let account = |row: &Row<'_>, column| AccountId::from_number(number(row, column));
        let event = |row: &Row<'_>| EventId { shard: number(row, 1), number: number(row, 2) };
        let objects = "SELECT merchant, kind, number, deleted, lookup, body FROM objects";
        let transactions =
            "SELECT merchant, account, listed_at, ordinal, bank_id FROM transactions";
        let attempts = "SELECT merchant, shard, number, endpoint, body FROM attempts";
        let accounts = "SELECT merchant, account, body FROM accounts";
        let owners = "SELECT merchant, account, sequence, body FROM ownerships";
        let events = "SELECT merchant, shard, number, body FROM events";
        Self {
            objects: all(connection, objects, |row| ObjectRow {
                merchant: merchant(row),
                kind: Kind::from_word(&row.get::<_, String>(1).unwrap()).unwrap(),
                number: number(row, 2),
                deleted: row.get(3).unwrap(),
                lookup: row.get(4).unwrap(),
                body: json(row, 5),
            }),
            accounts: all(connection, accounts, |row| {
                (merchant(row), account(row, 1), json(row, 2))
            }),
            owners: all(connection, owners, |row| {
                let id = OwnershipId { account: account(row, 1), sequence: row.get(2).unwrap() };
                (merchant(row), id, json(row, 3))
            }),
            transactions: all(connection, transactions, |row| {
                let listed_at = AccountTime(row.get(2).unwrap());
                let (account, ordinal) = (account(row, 1), row.get(3).unwrap());
                let id = TransactionId { account, listed_at, ordinal };
                (merchant(row), id, row.get(4).unwrap())
            }),
            events: all(connection, events, |row| (merchant(row), event(row), json(row, 3))),
            attempts: all(connection, attempts, |row| {
                let endpoint = EndpointId::from_number(number(row, 3));
                (merchant(row), event(row), endpoint, json(row, 4))
            }),
        }
    }

    /// Asserts that every object is found by its number and its lookup text, with the values of its
    /// row and its secret, and that there is one of every kind.
    pub(super) async fn assert_objects_found(&self, store: &Store, version: usize) {
        for &kind in Kind::ALL {
            let later = [Kind::Alarm, Kind::Charge, Kind::ConfirmationToken, Kind::Refund];
            let is_later = later.contains(&kind) || kind == Kind::Snapshot && version < 6;
            let is_there = self.objects.iter().any(|row| row.kind == kind);
            assert!(is_there || is_later, "{version}: no row is a {kind:?}");
        }
        let mut secrets = 0;
        for row in &self.objects {
            let ObjectRow { merchant, kind, number, .. } = *row;
            let name = format!("migration {version}: {kind:?} {number}");
            let found = store.read(FindObject { merchant, kind, number }).await.unwrap();
            let found = found.unwrap_or_else(|| panic!("{name} is gone"));
            assert_holds(&serde_json::from_str(&found.body().unwrap()).unwrap(), &row.body, &name);
            assert_eq!(found.deleted(), row.deleted, "{name}");
            if let (Some(lookup), false) = (row.lookup.clone(), row.deleted) {
                let find = FindObjectByLookup { merchant, kind, lookup };
                assert!(store.read(find).await.unwrap().is_some(), "{name}");
            }
            if let Some(secret) = secret(&found) {
                let opened = String::from_utf8(found.secret().unwrap()).unwrap();
                assert!(opened.contains(&secret), "{name}: {opened}");
                secrets += 1;
            }
        }
        assert!(secrets > 8, "{version}: {secrets} secrets");
    }

    /// Asserts that every other row is found by its key, with its values.
    pub(super) async fn assert_others_found(&self, store: &Store, version: usize) {
        for (merchant, account, body) in &self.accounts {
            let (merchant, account) = (*merchant, *account);
            let name = format!("migration {version}: {account}");
            let found = store.read(FindAccount { merchant, account }).await.unwrap().unwrap();
            assert_holds(&as_json(&found), body, &name);
            let found = store.read(FindConnection { merchant, account }).await.unwrap().unwrap();
            assert_eq!(found.credential, b"a password at the bank", "{name}");
            assert_eq!(found.state, b"state", "{name}");
        }
        for (merchant, ownership, body) in &self.owners {
            let find = FindOwnership { merchant: *merchant, ownership: *ownership };
            let found = store.read(find).await.unwrap().unwrap();
            assert_holds(&as_json(&found), body, &format!("migration {version}: {ownership}"));
        }
        for (merchant, transaction, bank_id) in &self.transactions {
            let find = FindBankId { merchant: *merchant, transaction: *transaction };
            let found = store.read(find).await.unwrap();
            assert_eq!(found.as_ref(), Some(bank_id), "migration {version}: {transaction}");
        }
        for (merchant, event, body) in &self.events {
            let find = FindEvent { merchant: *merchant, event: *event };
            let found = store.read(find).await.unwrap().unwrap().event;
            assert_holds(&as_json(&found), body, &format!("migration {version}: {event}"));
        }
        for (merchant, event, endpoint, body) in &self.attempts {
            let list = ListDeliveries { merchant: *merchant, event: *event };
            let listed = store.read(list).await.unwrap();
            let attempts = listed.iter().filter(|(found, _)| found.key.endpoint == *endpoint);
            let found: Vec<Value> =
                attempts.flat_map(|(_, attempts)| attempts).map(as_json).collect();
            let name = format!("migration {version}: attempts for {event}");
            assert_holds(&Value::Array(found), &Value::Array(vec![body.clone()]), &name);
        }
    }
}

fn all<T>(connection: &Connection, sql: &str, map: impl Fn(&Row<'_>) -> T) -> Vec<T> {
    let mut statement = connection.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| Ok(map(row))).unwrap();
    rows.map(Result::unwrap).collect()
}

fn as_json(value: &impl Serialize) -> Value {
    serde_json::to_value(value).unwrap()
}

/// Asserts that a value has every member that a row has. A newer program may add members.
fn assert_holds(found: &Value, row: &Value, name: &str) {
    match (found, row) {
        (Value::Object(found), Value::Object(row)) => {
            for (member, value) in row {
                assert_holds(found.get(member).unwrap_or(&Value::Null), value, name);
            }
        }
        (Value::Array(found), Value::Array(row)) if found.len() == row.len() => {
            found.iter().zip(row).for_each(|(found, row)| assert_holds(found, row, name));
        }
        _ => assert_eq!(found, row, "{name}"),
    }
}

/// The secret that the files of rows seal for an object.
fn secret(object: &Object) -> Option<String> {
    let number = object.number();
    match object {
        Object::PaymentIntent(_) if number == 1 => Some("secret_1".to_owned()),
        Object::PaymentIntent(_) => Some(format!("pi_{number}_secret")),
        Object::SetupIntent(_) => Some(format!("secret_{number}")),
        Object::Session(_) if number > 100 => Some(format!("fcsess_{}_secret", number - 100)),
        Object::Session(_) => Some(format!("fcsess_client_secret_{number}")),
        Object::Token(_) => Some("000123456789".to_owned()),
        Object::Endpoint(_) => Some("whsec_1".to_owned()),
        Object::LinkFlow(_) => Some("flow_secret_1".to_owned()),
        _ => None,
    }
}

/// The texts of some values.
fn texts<T: Debug>(values: impl IntoIterator<Item = T>) -> Vec<String> {
    values.into_iter().map(|value| format!("{value:?}")).collect()
}

fn first<C>() -> Page<C> {
    Page { limit: 100, cursor: Cursor::Newest }
}

/// Reads everything, and claims the due work.
pub(super) async fn read_all(store: &Store, rows: &Rows) -> Found {
    let mut found = Found::new();
    for merchant in [1, 2].map(MerchantId::from_number) {
        read_lists(store, rows, merchant, &mut found).await;
        read_events(store, rows, merchant, &mut found).await;
        let find = FindIdempotencyRecord { merchant, key: "key".to_owned(), now: seconds_after(1) };
        add(&mut found, "replies", store.read(find).await.unwrap());
    }
    read_due_work(store, &mut found).await;
    found
}

fn add<T: Debug>(found: &mut Found, part: &'static str, values: impl IntoIterator<Item = T>) {
    found.entry(part).or_default().extend(texts(values));
}

fn seconds_after(seconds: i64) -> ServerTime {
    ServerTime(T0.plus(seconds).0 * 1_000_000)
}

/// Reads the objects, their lists, the accounts and their transactions.
async fn read_lists(store: &Store, rows: &Rows, merchant: MerchantId, found: &mut Found) {
    for row in rows.objects.iter().filter(|row| row.merchant == merchant) {
        let (kind, number) = (row.kind, row.number);
        let object = store.read(FindObject { merchant, kind, number }).await.unwrap();
        // A snapshot is read below, because earlier databases have none.
        add(found, "objects", object.iter().filter(|_| kind != Kind::Snapshot));
        let filters = object.iter().flat_map(Object::filters);
        let lists = filters.map(|(filter, value)| ObjectsOf::value(filter, &value));
        for of in lists.chain([ObjectsOf::All]).filter(|_| kind != Kind::Snapshot) {
            let list =
                ListObjects { merchant, kind, of, created: Bounds::default(), page: first() };
            let listed = store.read(list.clone()).await.unwrap().items;
            let is_listed = listed.iter().any(|object| object.number() == number);
            assert!(is_listed || row.deleted, "{list:?} lacks {number}");
            let numbers: Vec<u64> = listed.iter().map(Object::number).collect();
            add(found, "lists", [(kind, list.of, numbers)]);
        }
    }
    for of in [
        AccountsOf::Merchant,
        AccountsOf::Holder(Holder::Customer(CustomerId::from_number(1))),
        AccountsOf::Holder(Holder::Account("acct_1".to_owned())),
        AccountsOf::Clock(ClockId::from_number(1)),
        AccountsOf::Authorization(AuthorizationId::from_number(1)),
        AccountsOf::Authorization(AuthorizationId::from_number(2)),
    ] {
        let list = ListAccounts { merchant, of, page: first() };
        add(found, "accounts", store.read(list).await.unwrap().items);
    }
    for (_, account, _) in rows.accounts.iter().filter(|(owner, ..)| *owner == merchant) {
        let account = *account;
        let connection = store.read(FindConnection { merchant, account }).await.unwrap();
        add(found, "connections", connection);
        let (transacted_at, after, page) = (Bounds::default(), None, first());
        let list = ListTransactions { merchant, account, transacted_at, after, page };
        add(found, "transactions", store.read(list).await.unwrap());
    }
}

/// Reads the events, their feed and their deliveries.
async fn read_events(store: &Store, rows: &Rows, merchant: MerchantId, found: &mut Found) {
    let (types, created, page) = (vec![], Bounds::default(), first());
    let list = ListEvents {
        merchant,
        types,
        created,
        delivery_success: None,
        only_thin: true,
        in_preview: true,
        page,
    };
    add(found, "events", store.read(list).await.unwrap().items);
    let feed = ListFeed { merchant, account: None, types: vec![], after: 0, limit: 99 };
    add(found, "feeds", store.read(feed).await.unwrap());
    let list = ListUndispatched { merchant, limit: 99, bytes_max: usize::MAX };
    add(found, "events that wait", store.read(list).await.unwrap().events);
    for (_, event, _) in rows.events.iter().filter(|(owner, ..)| *owner == merchant) {
        for (delivery, attempts) in
            store.read(ListDeliveries { merchant, event: *event }).await.unwrap()
        {
            add(found, "deliveries sent again", [(delivery.resent_from, delivery.mark.clone())]);
            let delivery = Delivery { resent_from: None, mark: None, ..delivery };
            add(found, "deliveries", [(delivery, attempts)]);
        }
    }
    let ledger = ListLedger { merchant, endpoint: None, status: None, page: first() };
    let ledger = store.read(ledger).await.unwrap().items;
    add(found, "ledger", ledger.iter().map(|(delivery, _)| delivery.key));
}

/// Lists the due work, and claims it as the workers do.
async fn read_due_work(store: &Store, found: &mut Found) {
    let (now, leased_until, limit) = (seconds_after(86_400), seconds_after(86_460), 99);
    let account_now = T0.plus(86_400);
    let list = ListDueObjects { now: account_now, limit };
    let backlog = store.read(MeasureBacklog { now, account_now }).await.unwrap();
    add(found, "due objects", [(store.read(list).await.unwrap(), backlog.objects)]);
    add(found, "backlog", [(backlog.refreshes, backlog.accounts, backlog.deliveries)]);
    add(
        found,
        "due accounts",
        store.read(ListDueAccounts { now: account_now, limit }).await.unwrap(),
    );
    let (merchant, clock) = (MerchantId::from_number(1), ClockId::from_number(1));
    let list = ListDueOnClock { merchant, clock, until: account_now, limit };
    let due = store.read(list).await.unwrap();
    add(found, "due on a clock", [(due.accounts, due.refreshes)]);
    add(found, "due objects", due.objects);
    let waiting = store.read(ListWaitingFeeds { after: None, limit }).await.unwrap();
    add(found, "waiting feeds", waiting.iter().map(|feed| feed.merchant));
    add(found, "claims of feeds", waiting);
    add(
        found,
        "refreshes",
        store
            .write(ClaimRefreshes { now, leased_until, limit, free: 999, in_progress: vec![] })
            .await
            .unwrap()
            .jobs,
    );
    add(
        found,
        "clock jobs",
        store
            .write(ClaimClocks {
                now,
                leased_until,
                after: None,
                limit,
                free: 999,
                in_progress: vec![],
            })
            .await
            .unwrap(),
    );
    let (free, per_endpoint, in_flight) = (999, 9, vec![]);
    let claim = ClaimDeliveries { now, leased_until, limit, free, per_endpoint, in_flight };
    let claimed = store.write(claim).await.unwrap();
    add(found, "due deliveries", claimed.iter().map(|delivery| (delivery.key, delivery.claim)));
}

/// Restores the snapshot and reads its rows. Earlier databases have no snapshot.
pub(super) async fn restore(store: &Store, rows: &Rows) -> Found {
    let (merchant, snapshot) = (MerchantId::from_number(1), SnapshotId::from_number(1));
    let restore = RestoreSnapshot { merchant, snapshot, reply: None };
    if store.restore_snapshot(restore).await.unwrap() != Snapshotted::Done {
        return Found::new();
    }
    let customer = FindObject { merchant, kind: Kind::Customer, number: 1 };
    let Some(Object::Customer(customer)) = store.read(customer).await.unwrap() else {
        panic!("the customer is back");
    };
    assert_eq!(customer.name, None, "the name changed after the snapshot");
    let mut found = Found::new();
    read_lists(store, rows, merchant, &mut found).await;
    read_events(store, rows, merchant, &mut found).await;
    let jobs = ClaimRefreshes {
        now: seconds_after(1),
        leased_until: seconds_after(2),
        limit: 99,
        free: 999,
        in_progress: vec![],
    };
    add(&mut found, "refreshes", store.write(jobs).await.unwrap().jobs);
    Found::from([("restored", found.into_values().flatten().collect())])
}
