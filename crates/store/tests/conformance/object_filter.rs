//! Filters of objects: lists by each filter, and the entries after every kind of change.

use crate::fixture::{Fixture, T0, first, merchant, on_both};
use crate::sample::Sample;
use crate::snapshot::take;
use model::extra_params::ExtraParams;
use model::id::{CustomerId, MerchantId};
use model::stored::{Filter, range_values};
use std::collections::BTreeSet;
use store::{
    Bounds, ChangeObject, ChangeObjects, CountObjects, CreateObject, Cursor, FindOtherWithValue,
    Kind, ListObjects, Object, ObjectPlace, ObjectsOf, Page, ResetSandbox, RestoreSnapshot,
};

const KINDS: [Kind; 10] = [
    Kind::Customer,
    Kind::PaymentIntent,
    Kind::SetupIntent,
    Kind::Charge,
    Kind::Checkout,
    Kind::Product,
    Kind::Price,
    Kind::InvoiceItem,
    Kind::Invoice,
    Kind::Subscription,
];

/// The sample of a kind. Numbers rise with the time of creation.
fn sample(kind: Kind, owner: MerchantId, number: u64, other: bool) -> Object {
    let created = T0.plus(i64::try_from(number / 2).unwrap());
    let sample = Sample { merchant: owner, number, created, other };
    match kind {
        Kind::Customer => Object::Customer(sample.customer()),
        Kind::PaymentIntent => Object::PaymentIntent(sample.payment_intent()),
        Kind::SetupIntent => Object::SetupIntent(sample.setup_intent()),
        Kind::Charge => Object::Charge(sample.charge()),
        Kind::Checkout => Object::Checkout(sample.checkout()),
        Kind::Product => Object::Product(sample.product()),
        Kind::Price => Object::Price(sample.price()),
        Kind::InvoiceItem => Object::InvoiceItem(sample.invoice_item()),
        Kind::Invoice => Object::Invoice(sample.invoice()),
        Kind::Subscription => Object::Subscription(sample.subscription()),
        other => panic!("{other:?} has no filters"),
    }
}

/// The next version of an object: a sample of the other variant.
fn changed(kind: Kind, number: u64, other: bool) -> Object {
    let mut object = sample(kind, merchant(1), number, other);
    match &mut object {
        Object::Customer(object) => object.version = 2,
        Object::PaymentIntent(object) | Object::SetupIntent(object) => object.version = 2,
        Object::Charge(object) => object.version = 2,
        Object::Checkout(object) => object.version = 2,
        Object::Product(object) => object.version = 2,
        Object::Price(object) => object.version = 2,
        Object::InvoiceItem(object) => object.version = 2,
        Object::Invoice(object) => object.version = 2,
        Object::Subscription(object) => object.version = 2,
        _ => unreachable!("there is no other sample"),
    }
    object
}

fn list(kind: Kind, of: ObjectsOf) -> ListObjects {
    ListObjects { merchant: merchant(1), kind, of, created: Bounds::default(), page: first(10) }
}

async fn numbers(fixture: &Fixture, list: ListObjects) -> Vec<u64> {
    let page = fixture.read(list).await;
    page.items.iter().map(Object::number).collect()
}

/// Every value of every filter of some objects.
fn values(objects: &[Object]) -> BTreeSet<(Filter, String)> {
    objects.iter().flat_map(Object::filters).collect()
}

/// Asserts that each value of each filter lists exactly the objects that have it.
async fn assert_listed(fixture: &Fixture, kind: Kind, objects: &[Object]) {
    for (filter, value) in values(&[sample(kind, merchant(1), 1, false)])
        .into_iter()
        .chain(values(&[sample(kind, merchant(1), 1, true)]))
        .chain(values(objects))
    {
        let having =
            objects.iter().filter(|object| object.filters().contains(&(filter, value.clone())));
        let mut having: Vec<u64> = having.map(Object::number).collect();
        having.sort_by(|one, two| two.cmp(one));
        let found = numbers(fixture, list(kind, ObjectsOf::value(filter, &value))).await;
        assert_eq!(found, having, "{kind:?} {filter:?} {value}");
    }
}

/// Creates three objects of a kind. The second is of the other variant.
async fn three(fixture: &Fixture, kind: Kind) -> Vec<Object> {
    let of = |number| sample(kind, merchant(1), number, number == 2);
    let objects: Vec<Object> = (1..=3).map(of).collect();
    for object in &objects {
        fixture.create(object.clone()).await;
    }
    fixture.create(sample(kind, merchant(2), 4, false)).await;
    objects
}

/// Samples have all filters of their kind, in two variants. Both prices are recurring, and otherwise
/// the variants have no value in common.
#[test]
fn samples_have_every_filter() {
    for kind in KINDS {
        let one = values(&[sample(kind, merchant(1), 1, false)]);
        let other = values(&[sample(kind, merchant(1), 2, true)]);
        let mut common = one.intersection(&other);
        assert!(common.all(|(filter, _)| *filter == Filter::Type), "{kind:?}");
        let found: BTreeSet<Filter> = one.iter().chain(&other).map(|(filter, _)| *filter).collect();
        assert_eq!(found, kind.filters().iter().copied().collect(), "{kind:?}");
    }
}

/// A list with a filter has the objects with its value, newest first, of the merchant alone.
#[test]
fn each_filter_lists_its_objects() {
    on_both(async |fixture| {
        for kind in KINDS {
            let objects = three(&fixture, kind).await;
            assert_listed(&fixture, kind, &objects).await;
        }
    });
}

/// A range of times lists the objects with a time in it, in the order of the list.
#[test]
fn ranges_of_times_are_listed() {
    on_both(async |fixture| {
        let times = [5_000_i64, 63, 64, 1_700_000_000, 200, 64, 1_700_000_001, 0];
        for (number, time) in (1..).zip(times) {
            let Object::Invoice(mut invoice) = sample(Kind::Invoice, merchant(1), number, false)
            else {
                unreachable!("the sample of an invoice is an invoice")
            };
            invoice.given.put("due_date", ExtraParams::Integer(time));
            fixture.create(Object::Invoice(invoice)).await;
        }
        let ranges = [
            (None, None),
            (Some(64), None),
            (None, Some(64)),
            (Some(64), Some(64)),
            (Some(1), Some(1_700_000_000)),
            (Some(201), Some(4_999)),
            (Some(2), Some(1)),
        ];
        for (from, to) in ranges {
            let of = ObjectsOf::Filter(Filter::DueDate, range_values(from, to));
            let bounds = Bounds { from, to };
            let within = (1..).zip(times).filter(|(_, time)| bounds.contains(*time));
            let mut expected: Vec<u64> = within.map(|(number, _)| number).collect();
            expected.reverse();
            let all = list(Kind::Invoice, of);
            assert_eq!(numbers(&fixture, all.clone()).await, expected, "{bounds:?}");
            let three = ListObjects { page: first(3), ..all };
            expected.truncate(3);
            assert_eq!(numbers(&fixture, three).await, expected, "{bounds:?}");
        }
    });
}

/// After a change the lists of the new values contain the object, and those of the old values do
/// not. A version conflict changes no list.
#[test]
fn a_change_moves_the_object_to_other_lists() {
    on_both(async |fixture| {
        for kind in KINDS {
            let mut objects = three(&fixture, kind).await;
            let conflicts = sample(kind, merchant(1), 1, true);
            fixture.conflicts(ChangeObject::of(conflicts)).await;
            assert_listed(&fixture, kind, &objects).await;
            objects[0] = changed(kind, 1, true);
            fixture.done(ChangeObject::of(objects[0].clone())).await;
            assert_listed(&fixture, kind, &objects).await;
            objects[1] = changed(kind, 2, false);
            let new = sample(kind, merchant(1), 5, false);
            objects.push(new.clone());
            fixture.done(ChangeObjects::of(vec![objects[1].clone(), new])).await;
            assert_listed(&fixture, kind, &objects).await;
        }
    });
}

/// A change of the time of creation moves the object within its lists.
#[test]
fn lists_follow_the_time_of_creation() {
    on_both(async |fixture| {
        three(&fixture, Kind::Price).await;
        let Object::Price(mut price) = changed(Kind::Price, 1, false) else { unreachable!() };
        price.created = T0.plus(100);
        fixture.done(ChangeObject::of(Object::Price(price))).await;
        let active = ObjectsOf::value(Filter::Active, &true);
        assert_eq!(numbers(&fixture, list(Kind::Price, active)).await, [1, 3]);
    });
}

/// A deleted object is in no list.
#[test]
fn deleted_objects_leave_their_lists() {
    on_both(async |fixture| {
        let mut objects = three(&fixture, Kind::Product).await;
        let Object::Product(mut product) = changed(Kind::Product, 3, false) else { unreachable!() };
        product.deleted = true;
        objects[2] = Object::Product(product);
        fixture.done(ChangeObject::of(objects[2].clone())).await;
        assert_listed(&fixture, Kind::Product, &objects).await;
        let numbered = list(Kind::Product, ObjectsOf::Numbers(vec![1, 3, 9]));
        assert_eq!(numbers(&fixture, numbered).await, [1]);
    });
}

/// A list with several values of a filter, or with several numbers, pages in both directions and
/// keeps within bounds of the time.
#[test]
fn several_values_page_in_both_directions() {
    on_both(async |fixture| {
        for number in 1..=7 {
            fixture.create(sample(Kind::Price, merchant(1), number, number % 3 == 0)).await;
        }
        let keys = ["basic", "premium", "none"].map(str::to_owned).to_vec();
        let place = |number: u64| ObjectPlace {
            created: T0.plus(i64::try_from(number / 2).unwrap()),
            number,
        };
        for of in [
            ObjectsOf::Filter(Filter::LookupKey, keys),
            ObjectsOf::Numbers(vec![3, 9, 1, 2, 7, 6, 5, 4, 4]),
        ] {
            let page = async |cursor, limit, created| {
                let page = Page { limit, cursor };
                let list = ListObjects { created, page, ..list(Kind::Price, of.clone()) };
                let page = fixture.read(list).await;
                (page.items.iter().map(Object::number).collect::<Vec<_>>(), page.has_more)
            };
            let all = Bounds::default();
            assert_eq!(page(Cursor::Newest, 3, all).await, (vec![7, 6, 5], true));
            assert_eq!(page(Cursor::After(place(5)), 3, all).await, (vec![4, 3, 2], true));
            assert_eq!(page(Cursor::After(place(2)), 3, all).await, (vec![1], false));
            assert_eq!(page(Cursor::Before(place(2)), 2, all).await, (vec![4, 3], true));
            assert_eq!(page(Cursor::Before(place(5)), 2, all).await, (vec![7, 6], false));
            let within = Bounds { from: Some(T0.plus(1).0), to: Some(T0.plus(2).0) };
            assert_eq!(page(Cursor::Newest, 9, within).await, (vec![5, 4, 3, 2], false));
        }
        let none = list(Kind::Price, ObjectsOf::Filter(Filter::LookupKey, vec![]));
        assert!(numbers(&fixture, none).await.is_empty());
    });
}

/// Another object with a value is found, but not the object itself or one of another merchant. The
/// prefix of a deleted customer stays taken.
#[test]
fn another_object_with_a_value_is_found() {
    on_both(async |fixture| {
        let find = |merchant, value: &str, except| FindOtherWithValue {
            merchant,
            kind: Kind::Customer,
            filter: Filter::InvoicePrefix,
            value: value.to_owned(),
            except,
        };
        fixture.create(sample(Kind::Customer, merchant(1), 1, false)).await;
        assert_eq!(fixture.read(find(merchant(1), "ADA", 2)).await, Some(1));
        assert_eq!(fixture.read(find(merchant(1), "ADA", 1)).await, None);
        assert_eq!(fixture.read(find(merchant(1), "BOB", 2)).await, None);
        assert_eq!(fixture.read(find(merchant(2), "ADA", 2)).await, None);
        fixture.create(sample(Kind::Customer, merchant(1), 3, false)).await;
        assert_eq!(fixture.read(find(merchant(1), "ADA", 2)).await, Some(3));
        for number in [1, 3] {
            let Object::Customer(mut customer) = changed(Kind::Customer, number, false) else {
                unreachable!()
            };
            customer.deleted = true;
            fixture.done(ChangeObject::of(Object::Customer(customer))).await;
        }
        assert_eq!(fixture.read(find(merchant(1), "ADA", 2)).await, Some(3));
    });
}

/// The objects of a list are counted up to a limit.
#[test]
fn lists_are_counted() {
    on_both(async |fixture| {
        for number in 1..=5 {
            fixture.create(sample(Kind::Price, merchant(1), number, number % 2 == 0)).await;
            fixture.create(sample(Kind::Invoice, merchant(1), number, number % 2 == 0)).await;
        }
        fixture.create(sample(Kind::Price, merchant(2), 1, false)).await;
        let customer = ObjectsOf::Customer(CustomerId::from_number(1));
        let keys = ["basic", "premium", "none"].map(str::to_owned).to_vec();
        for (kind, of, all) in [
            (Kind::Price, ObjectsOf::All, 5),
            (Kind::Price, ObjectsOf::Lookup("prod_1".to_owned()), 3),
            (Kind::Invoice, customer, 3),
            (Kind::Price, ObjectsOf::value(Filter::Active, &false), 2),
            (Kind::Price, ObjectsOf::Filter(Filter::LookupKey, keys), 5),
            (Kind::Price, ObjectsOf::Filter(Filter::LookupKey, vec![]), 0),
            (Kind::Price, ObjectsOf::Numbers(vec![1, 2, 9]), 3),
        ] {
            for limit in [0, 1, 4, 9] {
                let count = CountObjects { merchant: merchant(1), kind, of: of.clone(), limit };
                assert_eq!(fixture.read(count).await, all.min(limit), "{of:?} {limit}");
            }
        }
    });
}

/// A restore brings the lists of the snapshot back, and a reset empties them.
#[test]
fn lists_follow_a_restore_and_a_reset() {
    on_both(async |fixture| {
        let objects = three(&fixture, Kind::Invoice).await;
        let snapshot = take(&fixture, merchant(1), 1).await;
        fixture.done(ChangeObject::of(changed(Kind::Invoice, 1, true))).await;
        fixture.create(sample(Kind::Invoice, merchant(1), 7, false)).await;
        fixture.restored(RestoreSnapshot { merchant: merchant(1), snapshot, reply: None }).await;
        assert_listed(&fixture, Kind::Invoice, &objects).await;
        fixture.is_reset(ResetSandbox { merchant: merchant(1), reply: None }).await;
        assert_listed(&fixture, Kind::Invoice, &[]).await;
        let of = ObjectsOf::value(Filter::Status, "draft");
        let others = ListObjects { merchant: merchant(2), ..list(Kind::Invoice, of) };
        assert_eq!(numbers(&fixture, others).await, [4]);
    });
}

/// An object of the same key and version fails the command and changes no list.
#[test]
fn a_taken_number_changes_no_list() {
    on_both(async |fixture| {
        let objects = three(&fixture, Kind::Price).await;
        let taken = CreateObject::of(sample(Kind::Price, merchant(1), 1, true));
        assert!(fixture.store.write(taken).await.is_err());
        assert_listed(&fixture, Kind::Price, &objects).await;
    });
}
