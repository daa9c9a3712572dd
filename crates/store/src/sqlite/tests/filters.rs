//! Migrations to filters: rows that earlier releases wrote are in every list with a filter.

use super::rows;
use super::samples::{Sample, T0};
use crate::seal::Sealer;
use crate::sqlite::migration::{MIGRATIONS, migrate};
use crate::sqlite::{Reading, column, object};
use crate::{Bounds, Cursor, Kind, ListObjects, Object, ObjectsOf, Page};
use model::Word;
use model::id::MerchantId;
use model::payments::mandate::Mandate;
use model::stored::Filter;
use rusqlite::{Connection, params};
use std::collections::BTreeSet;
use std::sync::Arc;
use testkit::rng::RepeatedByte;

/// The migrations before filters.
const EARLIER: usize = 8;
/// The migrations before filters of times.
const BEFORE_TIMES: usize = 14;
/// The migrations before the filter of Setup Intents by payment method.
const BEFORE_METHODS: usize = 17;
/// The migrations before filters of mandates.
const BEFORE_MANDATES: usize = 18;

/// Two rows of each kind with filters, and one of a kind without.
fn rows_with_filters() -> Vec<Object> {
    let merchant = MerchantId::from_number(1);
    let of = |number, other| Sample { merchant, number, created: T0, other };
    let mut rows = Vec::new();
    for sample in [of(1, false), of(2, true)] {
        rows.extend([
            Object::Customer(sample.customer()),
            Object::PaymentIntent(sample.payment_intent()),
            Object::SetupIntent(sample.setup_intent()),
            Object::Session(rows::hosted_session(sample.number, sample.number)),
            Object::Mandate(Mandate { merchant, ..rows::mandate(sample.number, T0) }),
            Object::Checkout(sample.checkout()),
            Object::Product(sample.product()),
            Object::Price(sample.price()),
            Object::InvoiceItem(sample.invoice_item()),
            Object::Invoice(sample.invoice()),
            Object::Subscription(sample.subscription()),
        ]);
    }
    rows.push(Object::TestClock(super::samples::test_clock(merchant, 1)));
    rows
}

/// Writes a row as a release with the first migrations did, into the store or into a snapshot.
pub(super) fn insert(object: &Object, in_snapshot: bool, seal: &Sealer, connection: &Connection) {
    let (table, snapshot) = if in_snapshot { ("snapshot_objects", 1) } else { ("objects", 0) };
    let secret = object::seal_secret(object, seal).unwrap();
    let snapshot_column = if in_snapshot { "snapshot, " } else { "" };
    let snapshot_value = if in_snapshot { "?7, " } else { "" };
    let sql = format!(
        "INSERT INTO {table} (merchant, {snapshot_column}kind, number, version, created, deleted, \
         secret, body) VALUES (?1, {snapshot_value}?2, ?3, 1, ?4, 0, ?5, ?6)"
    );
    let number = column(object.number());
    let values = params![
        column(object.merchant().number()),
        object.kind().word(),
        number,
        object.created().0,
        secret,
        object.body().unwrap(),
        snapshot,
    ];
    let taken = if in_snapshot { values } else { &values[..6] };
    connection.execute(&sql, taken).unwrap();
}

/// A database with rows of the release with the first `earlier` migrations, with all migrations.
fn migrated(rows: &[Object], earlier: usize) -> (Connection, Sealer) {
    let seal = Sealer::new([7; 32], Arc::new(RepeatedByte(1)));
    let mut connection = Connection::open_in_memory().unwrap();
    migrate(&mut connection, &MIGRATIONS[..earlier]).unwrap();
    for object in rows {
        insert(object, false, &seal, &connection);
        insert(object, true, &seal, &connection);
    }
    migrate(&mut connection, MIGRATIONS).unwrap();
    (connection, seal)
}

/// Every filter lists the rows that earlier releases wrote.
#[test]
fn earlier_rows_are_listed_by_each_filter() {
    for earlier in [EARLIER, BEFORE_TIMES, BEFORE_MANDATES] {
        let filters = listed_after(earlier, &rows_with_filters());
        // Those releases stored no charges.
        let kinds = Kind::ALL.iter().filter(|kind| **kind != Kind::Charge);
        assert_eq!(filters, kinds.flat_map(|kind| kind.filters()).copied().collect());
    }
}

/// Setup Intents of the release before their filter by payment method are listed by it.
#[test]
fn earlier_setup_intents_are_listed_by_payment_method() {
    let mut rows = rows_with_filters();
    rows.retain(|row| row.kind() == Kind::SetupIntent);
    let filters = listed_after(BEFORE_METHODS, &rows);
    assert_eq!(filters, Kind::SetupIntent.filters().iter().copied().collect());
}

/// Asserts that rows of an earlier release are in the lists of their filters. Returns the filters.
fn listed_after(earlier: usize, rows: &[Object]) -> BTreeSet<Filter> {
    let (connection, seal) = migrated(rows, earlier);
    let reading = Reading::of(&connection, &seal);
    let mut filters = BTreeSet::new();
    for row in rows {
        for (filter, value) in row.filters() {
            filters.insert(filter);
            let kind = row.kind();
            let having = rows.iter().rev().filter(|other| {
                other.kind() == kind && other.filters().contains(&(filter, value.clone()))
            });
            let list = ListObjects {
                merchant: row.merchant(),
                kind,
                of: ObjectsOf::value(filter, &value),
                created: Bounds::default(),
                page: Page { limit: 9, cursor: Cursor::Newest },
            };
            let listed = object::list(&list, &reading).unwrap();
            assert_eq!(listed.items, having.cloned().collect::<Vec<_>>(), "{kind:?} {filter:?}");
        }
    }
    filters
}

/// The rows of a snapshot have their entries too, so a restore lists them.
#[test]
fn rows_of_earlier_snapshots_have_their_entries() {
    let (connection, _) = migrated(&rows_with_filters(), EARLIER);
    let texts = |table: &str| -> Vec<Option<String>> {
        let sql = format!("SELECT filters FROM {table} ORDER BY kind, number");
        let mut statement = connection.prepare(&sql).unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    assert_eq!(texts("objects"), texts("snapshot_objects"));
    assert_eq!(texts("objects").iter().filter(|text| text.is_none()).count(), 1);
}

/// A body that cannot be read fails the start and leaves the database as it was.
#[test]
fn an_unreadable_row_stops_the_migration() {
    let mut connection = Connection::open_in_memory().unwrap();
    migrate(&mut connection, &MIGRATIONS[..EARLIER]).unwrap();
    let sql = "INSERT INTO objects (merchant, kind, number, version, created, deleted, body) \
         VALUES (1, 'price', 1, 1, 0, 0, ?1)";
    connection.execute(sql, ["{}"]).unwrap();
    let error = migrate(&mut connection, MIGRATIONS).unwrap_err();
    insta::assert_snapshot!(error, @"migration 9 failed");
    let done: i64 =
        connection.query_row("SELECT COUNT(*) FROM migrations", [], |row| row.get(0)).unwrap();
    assert_eq!(usize::try_from(done), Ok(EARLIER));
}

/// The filters of each kind. A filter that is added here needs a migration with a step that fills
/// its entries.
#[test]
fn filters_of_each_kind() {
    let filters = Kind::ALL.iter().filter(|kind| !kind.filters().is_empty()).map(|kind| {
        let words: Vec<&str> = kind.filters().iter().map(|filter| filter.word()).collect();
        format!("{}: {}", kind.word(), words.join(", "))
    });
    let filters: Vec<String> = filters.collect();
    insta::assert_snapshot!(filters.join("\n"), @"
    customer: clock, email_on_clock, invoice_prefix
    session: hosted_relink
    payment_intent: invoice, payment_status
    setup_intent: attach_to_self, payment_method
    mandate: mandate_of_method
    checkout_session: email, status, subscription, unfinished_of_customer
    charge: transfer_group
    product: active, shippable, url
    price: active, currency, lookup_key, recurring_interval, recurring_meter, recurring_usage_type, type
    invoice_item: invoice, pending, pending_of_customer
    invoice: collection_method, due_date, status, subscription
    subscription: clock, collection_method_on_clock, default_payment_method, item, period_end_on_clock, period_start_on_clock, price_on_clock, status_on_clock, unfinished_of_customer
    ");
}
