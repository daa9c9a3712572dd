//! The backlog: due work of every kind is counted, with the age of the oldest.

use crate::fixture::{
    Fixture, T0, account, delivery, event, job, merchant, next, on_both, payment_intent,
    settlement, test_clock,
};
use model::bank::Feature;
use model::clock::ServerTime;
use model::delivery::DeliveryStatus;
use model::event::{Event, EventType};
use model::refresh::RunAt;
use store::{
    AccountChange, Backlog, ChangeAccount, ClaimClocks, ClaimDeliveries, ClaimRefreshes, DueWork,
    MeasureBacklog, Object, StartAdvance,
};

async fn backlog(fixture: &Fixture) -> Backlog {
    let now = fixture.time.now();
    let account_now = model::clock::AccountTime(now.seconds());
    fixture.read(MeasureBacklog { now, account_now }).await
}

fn due(count: u64, oldest_ms: i64) -> DueWork {
    DueWork { count, oldest_ms }
}

/// Refreshes and accounts are due from their times on. A claimed refresh is in progress.
#[test]
fn due_refreshes_and_accounts_are_counted() {
    on_both(async |fixture| {
        assert_eq!(backlog(&fixture).await, Backlog::default());
        let begin = fixture.time.now();
        let linked = account(merchant(1), 11);
        let linked = model::account::Account { daily_due_at: Some(T0.plus(60)), ..linked };
        let mut later = job(&linked, Feature::Transactions, 1);
        later.run_at = RunAt::Server(begin.plus_ms(9_000));
        let mut first = job(&linked, Feature::Balance, 1);
        first.run_at = RunAt::Server(begin);
        fixture.link(linked, vec![first, later]).await;
        assert_eq!(backlog(&fixture).await.refreshes, due(1, 0));
        fixture.time.pass_ms(60_000);
        let both = backlog(&fixture).await;
        assert_eq!((both.refreshes, both.accounts), (due(2, 60_000), due(1, 0)));
        let now = fixture.time.now();
        let claim = ClaimRefreshes {
            now,
            leased_until: now.plus_ms(1_000),
            limit: 1,
            free: 999,
            in_progress: vec![],
        };
        assert_eq!(fixture.write(claim).await.jobs.len(), 1);
        assert_eq!(backlog(&fixture).await.refreshes, due(1, 51_000));
        fixture.time.pass_ms(1_000);
        assert_eq!(backlog(&fixture).await.refreshes, due(2, 61_000));
    });
}

/// An event is undelivered until no delivery of it is pending. A delivery is due between attempts
/// only.
#[test]
fn undelivered_events_are_counted() {
    on_both(async |fixture| {
        let linked = fixture.linked(merchant(1), 11).await;
        let events: Vec<Event> =
            (0..2).map(|index| event(&linked, EventType::AccountCreated, index)).collect();
        let change = AccountChange { events: events.clone(), ..AccountChange::of(next(&linked)) };
        fixture.done(ChangeAccount::of(change)).await;
        fixture.time.pass_ms(2_000);
        let waiting = backlog(&fixture).await;
        assert_eq!((waiting.events.count, waiting.deliveries), (2, due(0, 0)));
        assert_eq!(waiting.oldest_undelivered_ms, Some(waiting.events.oldest_ms));
        let now = fixture.time.now();
        for event in &events {
            let deliveries = vec![delivery(merchant(1), event.id, 1, now)];
            fixture.dispatch(merchant(1), event.id, deliveries).await;
        }
        fixture.time.pass_ms(1_000);
        let dispatched = backlog(&fixture).await;
        assert_eq!((dispatched.events, dispatched.deliveries), (due(0, 0), due(2, 1_000)));
        let oldest = dispatched.oldest_undelivered_ms.unwrap();
        assert!((2_900..=3_000).contains(&oldest), "{oldest}");
        settle(&fixture, DeliveryStatus::Succeeded).await;
        assert!(backlog(&fixture).await.oldest_undelivered_ms.is_some());
        settle(&fixture, DeliveryStatus::Pending).await;
        let retried = backlog(&fixture).await;
        assert_eq!(
            (retried.deliveries, retried.oldest_undelivered_ms.is_some()),
            (due(0, 0), true)
        );
        fixture.time.pass_ms(60_000);
        settle(&fixture, DeliveryStatus::Failed).await;
        assert_eq!(backlog(&fixture).await, Backlog::default());
    });
}

/// Claims one delivery and settles it with this status. Its next attempt is due in a minute.
async fn settle(fixture: &Fixture, status: DeliveryStatus) {
    let now = fixture.time.now();
    let claim = ClaimDeliveries {
        now,
        leased_until: now.plus_ms(5_000),
        limit: 1,
        free: 999,
        per_endpoint: 1,
        in_flight: vec![],
    };
    let claimed = fixture.write(claim).await.remove(0);
    fixture.done(settlement(&claimed, status, now.plus_ms(60_000))).await;
}

/// Objects without a test clock and unclaimed advances are counted. Objects and refreshes on a
/// clock belong to its advance.
#[test]
fn due_objects_and_clocks_are_counted() {
    on_both(async |fixture| {
        let clock = test_clock(merchant(1), 1);
        fixture.create(Object::TestClock(clock.clone())).await;
        for number in [1, 2, 3] {
            fixture.create(Object::PaymentIntent(payment_intent(merchant(1), number))).await;
        }
        let on_clock =
            model::account::Account { clock: Some(clock.id), ..account(merchant(1), 11) };
        let refresh = job(&on_clock, Feature::Balance, 1);
        fixture.link(on_clock, vec![refresh]).await;
        fixture.time.pass_ms(86_460_000);
        let objects = backlog(&fixture).await;
        assert_eq!((objects.objects, objects.clocks), (due(2, 60_000), 0));
        assert_eq!(objects.refreshes.count, 1);
        let advancing = model::clock::TestClock { version: 2, ..clock };
        fixture.done(StartAdvance { clock: advancing, events: vec![], reply: None }).await;
        let advancing = backlog(&fixture).await;
        assert_eq!((advancing.clocks, advancing.refreshes.count), (1, 0));
        let now = fixture.time.now();
        let claim = ClaimClocks {
            now,
            leased_until: ServerTime(now.0 + 1),
            after: None,
            limit: 1,
            free: 999,
            in_progress: vec![],
        };
        assert_eq!(fixture.write(claim).await.len(), 1);
        assert_eq!(backlog(&fixture).await.clocks, 0);
    });
}
