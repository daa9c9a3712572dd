//! The cost of lists: a page of any list takes as many steps of `SQLite`'s virtual machine among
//! 100,000 objects as among 1,000.
//!
//! Every kind has samples of two variants. The first stay few and become the oldest of their kind,
//! so that a scan would pass all others. The second are copied many times.

use super::database::Database;
use super::rows::{linked, owner, sample};
use super::samples::{T0, row};
use super::statements::LISTS;
use crate::sqlite::{bucket, column};
use crate::{
    AccountsOf, Bounds, CompleteLink, Connection as BankConnection, CountObjects, CreateObject,
    Created, Cursor, FindObjectByLookup, FindOtherWithValue, Kind, ListAccounts, ListObjects,
    ListTransactions, NewAccount, ObjectPlace, ObjectsOf, Page,
};
use model::Word;
use model::account::Holder;
use model::id::{AccountId, AuthorizationId, ClockId, CustomerId};
use model::stored::{Filter, period_value, range_values};
use rusqlite::params;
use std::collections::{BTreeMap, BTreeSet};

/// Samples of each kind.
const SAMPLES: u64 = 30;
/// Copies of each sample of the other variant.
const COPIES: u64 = 302;
/// The account with transactions.
const ACCOUNT: u64 = 1;

impl Database {
    /// Creates the samples.
    fn fill(&self) {
        self.connection.execute_batch("BEGIN").unwrap();
        for &kind in Kind::ALL {
            for object in (1..=SAMPLES).filter_map(|number| sample(kind, number)) {
                let create = CreateObject {
                    object,
                    requires: vec![],
                    kind_max: None,
                    events: vec![],
                    reply: None,
                };
                assert_eq!(self.write(&create), Created::Done);
            }
        }
        for number in 1..=SAMPLES {
            let account = linked(number);
            let connection = BankConnection {
                account: account.id,
                merchant: owner(),
                version: 1,
                relinked_at: T0,
                credential: vec![],
                state: vec![],
                cursors: BTreeMap::new(),
            };
            let new = NewAccount { account, connection, started: vec![], events: vec![] };
            let link = CompleteLink {
                objects: vec![],
                requires: vec![],
                new: vec![new],
                again: vec![],
                reply: None,
            };
            assert_eq!(self.write(&link), crate::Written::Done);
        }
        self.connection.execute_batch("COMMIT").unwrap();
        let rows = "INSERT INTO transactions (bucket, account, listed_at, ordinal, merchant, \
             transacted_at, sequence, bank_id, body) VALUES (?1, ?2, ?3, ?4, 1, ?5, ?6, ?7, ?8)";
        for ordinal in 1..=40_u32 {
            let listed_at = T0.0 + i64::from(ordinal);
            let row = row(AccountId::from_number(ACCOUNT), listed_at, ordinal);
            let mut body = Vec::new();
            crate::sqlite::body::write(&row.shown, &mut body);
            // Every second row was touched by a later refresh, which changed some times.
            let sequence = 1 + ordinal % 2;
            let moved = if ordinal % 10 == 5 { i64::from(ordinal) - 20 } else { 0 };
            let (id, transacted_at) = (row.bank_id, listed_at + moved);
            let (bucket, account) = (bucket(ACCOUNT), column(ACCOUNT));
            let values =
                params![bucket, account, listed_at, ordinal, transacted_at, sequence, id, body];
            self.connection.execute(rows, values).unwrap();
        }
    }

    /// Copies the samples of the other variant, and transactions of the first refresh. Values that
    /// only one object has stay so. All copies have one time of creation.
    fn multiply(&self, from: u64, to: u64) {
        let copies = format!(
            "WITH RECURSIVE c(n) AS (VALUES ({from}) UNION ALL SELECT n + 1 FROM c WHERE n < {to})"
        );
        let objects = "INSERT INTO objects (merchant, kind, number, version, created, deleted, \
             customer, clock, lookup, due_at, forget_at, secret, filters, body) \
             SELECT merchant, kind, number + n * 1000, version, :created, deleted, \
             customer, clock, \
             CASE WHEN kind IN ('session', 'payment_intent', 'setup_intent', 'charge', 'refund', 'dispute') \
             THEN lookup || n ELSE lookup END, due_at, forget_at, secret, filters, body FROM objects, c \
             WHERE created < :created AND number % 2 = 1";
        let entries = "INSERT INTO object_filters (merchant, kind, filter, value, created, number) \
             SELECT merchant, kind, filter, \
             CASE filter WHEN 'item' THEN value || n ELSE value END, :created, number + n * 1000 \
             FROM object_filters, c \
             WHERE created < :created AND number % 2 = 1";
        let accounts = "INSERT INTO accounts (bucket, account, merchant, customer, holder_account, \
             clock, institution, bank_account, created, version, status, due_at, body, \
             authorized_by) SELECT bucket, account + n * 1000, merchant, customer, holder_account, \
             clock, institution, bank_account || ' copy ' || n, :created, version, status, due_at, \
             body, authorized_by FROM accounts, c \
             WHERE created < :created AND account % 2 = 1";
        let transactions = "INSERT INTO transactions (bucket, account, listed_at, ordinal, merchant, \
             transacted_at, sequence, bank_id, body) \
             SELECT bucket, account, listed_at + n * 1000, ordinal, merchant, transacted_at + n * 1000, \
             sequence, bank_id || n, body FROM transactions, c \
             WHERE listed_at < :created AND sequence = 1";
        for sql in [objects, entries, accounts, transactions] {
            let sql = format!("{copies} {sql}").replace(":created", &T0.plus(1000).0.to_string());
            self.connection.execute(&sql, []).unwrap();
        }
    }
}

/// A list, or a look-up of one object, with a name for messages.
struct Case {
    name: String,
    list: Listing,
}

enum Listing {
    Objects(Kind, ObjectsOf),
    Accounts(AccountsOf),
    Transactions(Option<u32>, Bounds),
    Lookup(FindObjectByLookup),
    Other(FindOtherWithValue),
    Count(CountObjects),
}

/// Every list of objects: of each kind all objects, and those of each lookup text, customer, and
/// value of a filter.
fn lists_of_objects() -> Vec<Case> {
    let mut cases = Vec::new();
    let mut add = |name: String, kind: Kind, of| {
        cases.push(Case {
            name: format!("{} {name}", kind.word()),
            list: Listing::Objects(kind, of),
        });
    };
    for &kind in Kind::ALL {
        let (Some(one), Some(other)) = (sample(kind, 2), sample(kind, 1)) else { continue };
        add("all".to_owned(), kind, ObjectsOf::All);
        add("numbers".to_owned(), kind, ObjectsOf::Numbers((1..=20).collect()));
        let mut listed = BTreeSet::new();
        for (variant, object) in [("few", &one), ("many", &other)] {
            if let Some(lookup) = object.lookup() {
                add(format!("lookup, {variant}"), kind, ObjectsOf::Lookup(lookup));
            }
            if let Some(customer) = object.customer() {
                add(format!("customer, {variant}"), kind, ObjectsOf::Customer(customer));
            }
            for (filter, value) in object.filters() {
                listed.insert(filter);
                let name = format!("{}, {variant}", filter.word());
                add(name, kind, ObjectsOf::value(filter, &value));
            }
        }
        assert_eq!(listed, kind.filters().iter().copied().collect(), "samples of {kind:?}");
        for &filter in kind.filters() {
            let both = one.filters().into_iter().chain(other.filters());
            let values: BTreeSet<String> =
                both.filter(|(of, _)| *of == filter).map(|(_, value)| value).collect();
            let of =
                ObjectsOf::Filter(filter, values.into_iter().chain(["none".to_owned()]).collect());
            add(format!("{}, several", filter.word()), kind, of);
        }
    }
    for (from, to) in [(None, None), (Some(T0.0), None), (None, Some(T0.0)), (Some(9), Some(T0.0))]
    {
        let times = range_values(from, to);
        let periods = times.iter().map(|time| period_value(None, false, time)).collect();
        let name = format!("from {from:?} to {to:?}");
        add(name.clone(), Kind::Invoice, ObjectsOf::Filter(Filter::DueDate, times));
        let of = ObjectsOf::Filter(Filter::PeriodStartOnClock, periods);
        add(name, Kind::Subscription, of);
    }
    cases
}

fn lists_of_accounts() -> Vec<Case> {
    let mut all =
        vec![AccountsOf::Merchant, AccountsOf::Ids((1..=20).map(AccountId::from_number).collect())];
    for number in [1, 2] {
        all.push(AccountsOf::Holder(Holder::Customer(CustomerId::from_number(number))));
        all.push(AccountsOf::Holder(Holder::Account(format!("acct_{number}"))));
        all.push(AccountsOf::Authorization(AuthorizationId::from_number(number)));
    }
    all.push(AccountsOf::Clock(ClockId::from_number(1)));
    let case =
        |of: AccountsOf| Case { name: format!("accounts {of:?}"), list: Listing::Accounts(of) };
    all.into_iter().map(case).collect()
}

fn cases() -> Vec<Case> {
    let mut cases = lists_of_objects();
    let counts = lists_of_objects().into_iter().filter_map(|case| match case.list {
        Listing::Objects(_, ObjectsOf::Numbers(_)) => None,
        Listing::Objects(kind, of) => {
            let count = CountObjects { merchant: owner(), kind, of, limit: 5 };
            Some(Case { name: format!("count of {}", case.name), list: Listing::Count(count) })
        }
        _ => None,
    });
    cases.extend(counts);
    cases.extend(lists_of_accounts());
    let bounds = |from: Option<i64>, to: Option<i64>| Bounds {
        from: from.map(|from| T0.plus(from).0),
        to: to.map(|to| T0.plus(to).0),
    };
    for within in [bounds(None, None), bounds(Some(8), Some(30)), bounds(None, Some(20))] {
        for after in [None, Some(1)] {
            let name = format!("transactions after {after:?} in {within:?}");
            cases.push(Case { name, list: Listing::Transactions(after, within) });
        }
    }
    for &kind in Kind::ALL {
        for number in [1, 2] {
            let Some(object) = sample(kind, number) else { continue };
            if let Some(lookup) = object.lookup() {
                let find = FindObjectByLookup { merchant: owner(), kind, lookup };
                let name = format!("{} by lookup {number}", kind.word());
                cases.push(Case { name, list: Listing::Lookup(find) });
            }
            for (filter, value) in object.filters() {
                let name = format!("another {} with {} {number}", kind.word(), filter.word());
                let find =
                    FindOtherWithValue { merchant: owner(), kind, filter, value, except: number };
                cases.push(Case { name, list: Listing::Other(find) });
            }
        }
    }
    cases
}

impl Case {
    /// The steps of some pages of the list: the first, some after and before a row, and one within
    /// bounds of the time.
    fn steps(&self, database: &Database, lists: &mut BTreeSet<&'static str>) -> Vec<i64> {
        let cursor = ObjectPlace { created: T0.plus(15), number: 15 };
        // Among the copies, which have one time of creation.
        let among_copies = ObjectPlace { created: T0.plus(1000), number: 1023 };
        let everything = Bounds::default();
        let within = Bounds { from: Some(T0.plus(5).0), to: Some(T0.plus(30).0) };
        let pages = [
            (Cursor::Newest, everything),
            (Cursor::After(cursor), everything),
            (Cursor::Before(cursor), everything),
            (Cursor::After(among_copies), everything),
            (Cursor::Newest, within),
        ];
        let page = |cursor| Page { limit: 5, cursor };
        let merchant = owner();
        match &self.list {
            Listing::Objects(kind, of) => pages
                .into_iter()
                .map(|(cursor, created)| {
                    let (kind, of, page) = (*kind, of.clone(), page(cursor));
                    let list = ListObjects { merchant, kind, of, created, page };
                    database.steps(&list, lists)
                })
                .collect(),
            Listing::Accounts(of) => pages
                .into_iter()
                .take(4)
                .map(|(cursor, _)| {
                    let list = ListAccounts { merchant, of: of.clone(), page: page(cursor) };
                    database.steps(&list, lists)
                })
                .collect(),
            Listing::Transactions(after, transacted_at) => {
                let account = AccountId::from_number(ACCOUNT);
                let listed_at = T0.plus(15);
                let id = model::id::TransactionId { account, listed_at, ordinal: 15 };
                [Cursor::Newest, Cursor::After(id), Cursor::Before(id)]
                    .into_iter()
                    .map(|cursor| {
                        let list = ListTransactions {
                            merchant,
                            account,
                            transacted_at: *transacted_at,
                            after: *after,
                            page: Page { limit: 5, cursor },
                        };
                        database.steps(&list, lists)
                    })
                    .collect()
            }
            Listing::Lookup(find) => vec![database.steps(find, lists)],
            Listing::Other(find) => vec![database.steps(find, lists)],
            Listing::Count(count) => vec![database.steps(count, lists)],
        }
    }
}

/// Every page of a list takes about as many steps among 100,000 objects as among 1,150. All lists
/// and all filters are measured.
#[test]
fn lists_cost_the_same_among_many_objects() {
    let database = Database::new();
    database.fill();
    database.multiply(1, 1);
    let count = || -> u32 {
        let sql = "SELECT COUNT(*) FROM objects";
        database.connection.query_row(sql, [], |row| row.get(0)).unwrap()
    };
    assert!(count() <= 1_150, "{}", count());
    let cases = cases();
    let mut lists = BTreeSet::new();
    let few: Vec<Vec<i64>> = cases.iter().map(|case| case.steps(&database, &mut lists)).collect();
    database.multiply(2, COPIES);
    assert!(count() >= 100_000, "{}", count());
    let many: Vec<Vec<i64>> = cases.iter().map(|case| case.steps(&database, &mut lists)).collect();
    for ((case, few), many) in cases.iter().zip(&few).zip(&many) {
        for (few, many) in few.iter().zip(many) {
            assert!(*few > 0, "{} ran no statement", case.name);
            assert!(many * 10 <= few * 12, "{}: {few} steps became {many}", case.name);
        }
    }
    let measured = LISTS.iter().map(|(name, _)| *name);
    for name in measured.filter(|name| !name.starts_with("event_list::")) {
        assert!(lists.contains(name), "{name} was not measured");
    }
    let filters: BTreeSet<Filter> =
        Kind::ALL.iter().flat_map(|kind| kind.filters()).copied().collect();
    assert_eq!(filters, Filter::ALL.iter().copied().collect(), "a filter belongs to no kind");
}

/// Kinds of objects that are deleted by their age have no filters, so no filter entries remain.
#[test]
fn objects_deleted_by_age_have_no_filters() {
    let flow = sample(Kind::LinkFlow, 1).unwrap();
    assert!(flow.forget_at().is_some());
    for object in Kind::ALL.iter().filter_map(|kind| sample(*kind, 1)) {
        assert!(object.forget_at().is_none() || object.kind().filters().is_empty());
    }
}
