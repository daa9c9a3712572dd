//! The places of merchants: only merchants with objects have one, and an unused sandbox gives it up.

use crate::fixture::{Fixture, customer, merchant, on_both_within};
use model::customer::Customer;
use store::{
    ChangeObject, CountPlaces, CreateObject, Created, FindObject, Kind, Object, PlacesTaken,
    RemoveGenerations, StoreBounds, UseMerchants, Written,
};

const DAY_MS: i64 = 86_400_000;

fn bounds() -> StoreBounds {
    StoreBounds { merchants_max: 2, sandbox_idle_days: 3, ..StoreBounds::default() }
}

fn own(owner: u64) -> Customer {
    customer(merchant(owner), owner)
}

async fn create(fixture: &Fixture, owner: u64) -> Created {
    fixture.store.write(CreateObject::of(Object::Customer(own(owner)))).await.unwrap()
}

async fn has(fixture: &Fixture, owner: u64) -> bool {
    let find = FindObject { merchant: merchant(owner), kind: Kind::Customer, number: owner };
    fixture.store.read(find).await.unwrap().is_some()
}

async fn places(fixture: &Fixture) -> PlacesTaken {
    fixture.store.read(CountPlaces).await.unwrap()
}

async fn used(fixture: &Fixture, owner: u64, livemode: bool) {
    let merchants = vec![(merchant(owner), livemode)];
    let now = fixture.time.now();
    fixture.store.write(UseMerchants { merchants, now }).await.unwrap();
}

/// The sandbox that was unused for longest is removed when its place is needed, and not before. A merchant
/// without objects has no place to keep.
#[test]
fn an_unused_sandbox_is_removed_on_need() {
    on_both_within(bounds(), async |fixture| {
        used(&fixture, 9, false).await;
        assert_eq!(places(&fixture).await.taken, 0);
        assert_eq!(create(&fixture, 1).await, Created::Done);
        assert_eq!(create(&fixture, 2).await, Created::Done);
        assert_eq!(create(&fixture, 3).await, Created::MerchantsFull);
        assert!(!has(&fixture, 3).await);
        fixture.time.pass_ms(3 * DAY_MS);
        assert_eq!(create(&fixture, 3).await, Created::MerchantsFull, "three days are not more");
        used(&fixture, 1, false).await;
        fixture.time.pass_ms(DAY_MS);
        assert!(has(&fixture, 2).await, "no place was needed");
        assert_eq!(create(&fixture, 3).await, Created::Done);
        let there = [has(&fixture, 1).await, has(&fixture, 2).await, has(&fixture, 3).await];
        assert_eq!((there, places(&fixture).await.taken), ([true, false, true], 2));

        // A change of a removed object is a version conflict, before and after its rows are gone.
        let change = || {
            let next = Customer { version: 2, ..own(2) };
            fixture.store.write(ChangeObject::of(Object::Customer(next)))
        };
        assert_eq!(change().await.unwrap(), Written::VersionConflict);
        let remove = RemoveGenerations { sandbox: None, given_up: None };
        while fixture.store.write(remove).await.unwrap().has_more {}
        assert_eq!(change().await.unwrap(), Written::VersionConflict);

        // The merchant may come back.
        fixture.time.pass_ms(4 * DAY_MS);
        used(&fixture, 1, false).await;
        assert_eq!(create(&fixture, 2).await, Created::Done);
        assert_eq!((has(&fixture, 2).await, has(&fixture, 3).await), (true, false));
    });
}

/// A merchant may come back while its old rows are removed, and live data stay.
#[test]
fn places_of_live_data_stay() {
    on_both_within(bounds(), async |fixture| {
        assert_eq!(create(&fixture, 1).await, Created::Done);
        assert_eq!(create(&fixture, 2).await, Created::Done);
        used(&fixture, 1, true).await;
        fixture.time.pass_ms(99 * DAY_MS);
        assert_eq!(create(&fixture, 3).await, Created::Done);
        fixture.time.pass_ms(99 * DAY_MS);
        assert_eq!(create(&fixture, 2).await, Created::Done);
        let there = [has(&fixture, 1).await, has(&fixture, 2).await, has(&fixture, 3).await];
        assert_eq!(there, [true, true, false]);
        fixture.time.pass_ms(DAY_MS);
        assert_eq!(create(&fixture, 3).await, Created::MerchantsFull);
    });
}
