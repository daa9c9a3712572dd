//! Snapshots that are taken while other calls change the sandbox.

use crate::fixture::{
    Fixture, T0, customer, delivery, merchant, on_both, on_database, reply, settlement,
};
use crate::snapshot::{claimed, copied, ended, find, job_of, reset, restore, take};
use model::account::Account;
use model::bank::Feature;
use model::delivery::DeliveryStatus;
use model::id::{EventId, SnapshotId};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use store::{
    AccountChange, ChangeAccount, ChangeObject, ClaimDeliveries, ClaimRefreshes,
    CreateIdempotencyRecord, FindEvent, FindIdempotencyRecord, IdempotencyRecord, Kind,
    ListDeliveries, MeasureSandbox, Object, Snapshotted, Summary, TakeSnapshot, WriteGate,
};

/// A call that changes the sandbox while its snapshot is taken.
#[derive(Clone, Copy, Debug)]
enum Overlap {
    Change,
    Reset,
    Restore,
}

/// Rows of each sort, without the counts that a restore raises.
async fn seen(fixture: &Fixture, account: &Account, emitted: EventId) -> String {
    let of = merchant(1);
    let counts = fixture.read(MeasureSandbox { merchant: of }).await.counts;
    let first = fixture.find(of, Kind::Customer, 100).await;
    let balance = first.map(|object| match object {
        Object::Customer(customer) => customer.balance,
        other => panic!("{other:?}"),
    });
    let rows = fixture.rows(account).await;
    let stored = fixture.read(FindEvent { merchant: of, event: emitted }).await;
    let feed = stored.and_then(|stored| stored.feed);
    let deliveries = fixture.read(ListDeliveries { merchant: of, event: emitted }).await;
    let deliveries: Vec<_> =
        deliveries.iter().map(|(row, attempts)| (row.status, row.due_at, attempts.len())).collect();
    format!("{counts:?} {balance:?} {rows:?} {feed:?} {deliveries:?}")
}

/// Changes rows of each sort.
async fn change_rows(fixture: &Fixture) {
    let of = merchant(1);
    let mut changed = customer(of, 100);
    (changed.version, changed.balance) = (2, 5);
    fixture.done(ChangeObject::of(Object::Customer(changed))).await;
    fixture.create(Object::Customer(customer(of, 9))).await;
    let mut account = find(fixture, 11).await;
    let sequence = account.start_refresh(Feature::Transactions, T0);
    account.version += 1;
    let started = vec![job_of(&account, sequence)];
    let change = AccountChange { started, ..AccountChange::of(account.clone()) };
    fixture.done(ChangeAccount::of(change)).await;
    let now = fixture.time.now();
    let leased_until = now.plus_ms(60_000);
    let job = fixture
        .write(ClaimRefreshes { now, leased_until, limit: 9, free: 999, in_progress: vec![] })
        .await
        .jobs
        .remove(0);
    fixture.done(ended(&account, &job, 2)).await;
    let claim = ClaimDeliveries {
        now,
        leased_until,
        limit: 9,
        free: 999,
        per_endpoint: 9,
        in_flight: vec![],
    };
    let sent = fixture.write(claim).await.remove(0);
    fixture.done(settlement(&sent, DeliveryStatus::Succeeded, now)).await;
}

/// A gate at which another call is made before one of the writes that pass.
struct Beside {
    fixture: Fixture,
    overlap: Overlap,
    /// An older snapshot of the sandbox.
    older: SnapshotId,
    /// The writes that pass before the call.
    passing: AtomicUsize,
}

impl Beside {
    async fn call(&self) {
        let of = merchant(1);
        match self.overlap {
            Overlap::Change => change_rows(&self.fixture).await,
            Overlap::Reset => assert_eq!(reset(&self.fixture, of).await, Snapshotted::Done),
            Overlap::Restore => {
                assert_eq!(restore(&self.fixture, self.older).await, Snapshotted::Done);
            }
        }
    }
}

impl WriteGate for Beside {
    fn pass(&self, _: Summary) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async {
            if self.passing.fetch_sub(1, Ordering::Relaxed) == 0 {
                self.call().await;
            }
        })
    }
}

/// Takes a snapshot, and makes another call before one of its writes. Then restores the snapshot.
async fn take_beside(fixture: &Fixture, overlap: Overlap, writes: usize) {
    let of = merchant(1);
    let older = take(fixture, of, 1).await;
    for number in 100..350 {
        fixture.create(Object::Customer(customer(of, number))).await;
    }
    let (linked, job) = claimed(fixture).await;
    fixture.done(ended(&linked, &job, 1)).await;
    let emitted = fixture.undispatched(of).await.remove(0).id;
    let deliveries = vec![delivery(of, emitted, 3, fixture.time.now())];
    fixture.dispatch(of, emitted, deliveries).await;
    let before = seen(fixture, &linked, emitted).await;

    let store = fixture.store.clone();
    let ungated = Fixture { store: store.clone(), time: Arc::clone(&fixture.time) };
    let passing = AtomicUsize::new(writes);
    let store = store.behind(Arc::new(Beside { fixture: ungated, overlap, older, passing }));
    let command = copied(fixture, of, 2).await;
    assert_eq!(store.take_snapshot(command).await.unwrap(), Snapshotted::Done);
    assert_ne!(seen(fixture, &linked, emitted).await, before, "{overlap:?} before {writes}");
    assert_eq!(restore(fixture, SnapshotId::from_number(2)).await, Snapshotted::Done);
    assert_eq!(seen(fixture, &linked, emitted).await, before, "{overlap:?} before {writes}");
}

/// A snapshot has the state that was read, also if a call changes, resets or restores the sandbox before
/// any of the writes that store the rows. It stays visible.
#[test]
fn a_snapshot_is_of_one_moment() {
    for overlap in [Overlap::Change, Overlap::Reset, Overlap::Restore] {
        // Both back ends begin and end. In between, the database stores the rows in two steps.
        for writes in 0..2 {
            on_both(async |fixture| take_beside(&fixture, overlap, writes).await);
        }
        for writes in 2..4 {
            on_database(async |fixture| take_beside(&fixture, overlap, writes).await);
        }
    }
}

/// A snapshot contains the record of its own call, so that a repeated call after a restore returns the
/// same snapshot. It replaces a record of the same key that has expired.
#[test]
fn a_snapshot_contains_its_own_record() {
    on_both(async |fixture| {
        let old = reply(merchant(1), "key", fixture.time.now());
        fixture.done(CreateIdempotencyRecord { record: old }).await;
        let command = copied(&fixture, merchant(1), 1).await;
        fixture.time.pass_ms(25 * 3_600_000);
        let now = fixture.time.now();
        let record = IdempotencyRecord { status: 201, ..reply(merchant(1), "key", now) };
        let command = TakeSnapshot { reply: Some(record.clone()), ..command };
        assert_eq!(fixture.store.take_snapshot(command.clone()).await.unwrap(), Snapshotted::Done);
        assert_eq!(restore(&fixture, SnapshotId::from_number(1)).await, Snapshotted::Done);
        let find = FindIdempotencyRecord { merchant: merchant(1), key: "key".to_owned(), now };
        assert_eq!(fixture.read(find).await, Some(record));
        let repeated = fixture.store.take_snapshot(command).await.unwrap();
        assert_eq!(repeated, Snapshotted::KeyTaken);
    });
}
