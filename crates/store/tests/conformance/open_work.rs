//! The open work of one merchant.

use crate::fixture::{
    Fixture, T0, account, delivery, event, job, merchant, next, on_both, payment_intent,
    settlement, test_clock,
};
use model::account::Account;
use model::bank::Feature;
use model::clock::{AccountTime, TestClock};
use model::delivery::DeliveryStatus;
use model::event::EventType;
use model::id::EndpointId;
use model::refresh::RunAt;
use store::{
    AccountChange, ChangeAccount, ClaimDeliveries, ClaimRefreshes, ListOpenWork, Object, OpenWork,
    SettleDelivery, StartAdvance,
};

/// The open work of the first merchant.
async fn open(fixture: &Fixture, limit: usize) -> OpenWork {
    let now = fixture.time.now();
    let list = ListOpenWork {
        merchant: merchant(1),
        endpoints: [1, 2].map(EndpointId::from_number).to_vec(),
        now,
        account_now: AccountTime(now.seconds()),
        limit,
    };
    fixture.read(list).await
}

/// Due refreshes, accounts, objects and advances of one merchant are listed, claimed or not. Later
/// ones and those of another merchant are not.
#[test]
fn due_work_is_listed() {
    on_both(async |fixture| {
        assert_eq!(open(&fixture, 9).await, OpenWork::default());
        let begin = fixture.time.now();
        let due = Account { daily_due_at: Some(T0.plus(60)), ..account(merchant(1), 11) };
        let mut now = job(&due, Feature::Balance, 1);
        now.run_at = RunAt::Server(begin);
        let mut later = job(&due, Feature::Transactions, 1);
        later.run_at = RunAt::Server(begin.plus_ms(9_000));
        fixture.link(due, vec![now.clone(), later.clone()]).await;
        let others = account(merchant(2), 12);
        let of_other = job(&others, Feature::Balance, 1);
        fixture.link(others, vec![of_other]).await;
        for number in [1, 2, 3] {
            fixture.create(Object::PaymentIntent(payment_intent(merchant(1), number))).await;
        }
        let clock = test_clock(merchant(1), 1);
        fixture.create(Object::TestClock(clock.clone())).await;
        let at_once = open(&fixture, 9).await;
        let keys = |work: &OpenWork| work.refreshes.iter().map(|job| job.key).collect::<Vec<_>>();
        assert_eq!((keys(&at_once), at_once.accounts.len()), (vec![now.key], 0));
        let claimed_until = begin.plus_ms(1_000_000);
        let claim = ClaimRefreshes {
            now: begin,
            leased_until: claimed_until,
            limit: 1,
            free: 999,
            in_progress: vec![],
        };
        assert_eq!(fixture.write(claim).await.jobs.len(), 1);
        fixture.time.pass_ms(86_460_000);
        let advancing = TestClock { version: 2, ..clock.clone() };
        fixture.done(StartAdvance { clock: advancing, events: vec![], reply: None }).await;
        let all = open(&fixture, 9).await;
        assert_eq!(keys(&all), [now.key, later.key]);
        assert_eq!(all.clocks, [clock.id]);
        assert_eq!((all.accounts.len(), all.objects.len()), (1, 2));
        let bounded = open(&fixture, 1).await;
        assert_eq!((keys(&bounded), bounded.objects.len()), (vec![now.key], 1));
    });
}

/// A delivery is listed until its first attempt is recorded, and again after it was sent again.
#[test]
fn first_attempts_are_listed() {
    on_both(async |fixture| {
        let linked = fixture.linked(merchant(1), 11).await;
        let created = event(&linked, EventType::AccountCreated, 0);
        let change =
            AccountChange { events: vec![created.clone()], ..AccountChange::of(next(&linked)) };
        fixture.done(ChangeAccount::of(change)).await;
        let now = fixture.time.now();
        let deliveries = [1, 2, 3].map(|endpoint| {
            delivery(
                merchant(1),
                created.id,
                endpoint,
                now.plus_ms(i64::try_from(endpoint).unwrap()),
            )
        });
        let keys = [&deliveries[0], &deliveries[1]].map(|delivery| delivery.key);
        fixture.dispatch(merchant(1), created.id, deliveries.to_vec()).await;
        assert_eq!(open(&fixture, 9).await.deliveries, keys);
        fixture.time.pass_ms(1_000);
        let now = fixture.time.now();
        let claim = ClaimDeliveries {
            now,
            leased_until: now.plus_ms(5_000),
            limit: 3,
            free: 999,
            per_endpoint: 1,
            in_flight: vec![],
        };
        let mut claimed = fixture.write(claim).await;
        claimed.retain(|delivery| delivery.key == keys[0]);
        assert_eq!(open(&fixture, 9).await.deliveries, keys);
        let retried = SettleDelivery {
            attempt: Some(testkit::objects::attempt(1, now)),
            ..settlement(&claimed[0], DeliveryStatus::Pending, now.plus_ms(60_000))
        };
        fixture.done(retried).await;
        assert_eq!(open(&fixture, 9).await.deliveries, keys[1..]);
        let again = store::ResendDeliveries {
            merchant: merchant(1),
            event: created.id,
            deliveries: vec![deliveries[0].clone()],
            now,
            reply: None,
        };
        fixture.done(again).await;
        assert_eq!(open(&fixture, 9).await.deliveries, keys);
    });
}
