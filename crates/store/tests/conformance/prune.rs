//! Clean-up: rows past their age are deleted, rows that are still needed stay.

use crate::fixture::{
    Fixture, account, delivery, event, job, merchant, next, on_both, reply, settlement,
};
use model::bank::Feature;
use model::delivery::DeliveryStatus;
use model::event::{Event, EventType};
use model::id::LinkFlowId;
use model::limits::{
    EVENT_AGE_MS_MAX, IDEMPOTENCY_AGE_MS_MAX, LINK_FLOW_KEPT_MS_MAX, REFRESH_DETAIL_AGE_MS_MAX,
};
use model::link::{FlowEnd, LinkFlow, LinkFlowState, Pane};
use model::refresh::RefreshStatus;
use store::{
    AccountChange, ChangeAccount, CreateIdempotencyRecord, CreateObject, FindEvent, Kind,
    ListDeliveries, Object, Prune, Pruned,
};
use testkit::objects;

async fn prune(fixture: &Fixture) -> Pruned {
    fixture.write(Prune { now: fixture.time.now() }).await
}

async fn dispatch(fixture: &Fixture, event: &Event, status: Option<DeliveryStatus>) {
    let now = fixture.time.now();
    let to_endpoint = delivery(merchant(1), event.id, 1, now);
    let deliveries = if status.is_some() { vec![to_endpoint.clone()] } else { vec![] };
    fixture.dispatch(merchant(1), event.id, deliveries).await;
    if let Some(status) = status {
        fixture.done(settlement(&to_endpoint, status, now)).await;
    }
}

/// Idempotency records are deleted after a day, not before.
#[test]
fn old_records_are_deleted() {
    on_both(async |fixture| {
        let record = reply(merchant(1), "key", fixture.time.now());
        fixture.done(CreateIdempotencyRecord { record }).await;
        fixture.time.pass_ms(IDEMPOTENCY_AGE_MS_MAX - 1);
        assert_eq!(prune(&fixture).await, Pruned::default());
        fixture.time.pass_ms(1);
        assert_eq!(prune(&fixture).await.replies, 1);
        assert_eq!(prune(&fixture).await.replies, 0);
    });
}

/// Old events are deleted with their deliveries, except events that wait for dispatch or for a
/// delivery.
#[test]
fn old_settled_events_are_deleted() {
    on_both(async |fixture| {
        let linked = fixture.linked(merchant(1), 11).await;
        let events: Vec<Event> =
            (0..4).map(|index| event(&linked, EventType::AccountCreated, index)).collect();
        let change = AccountChange { events: events.clone(), ..AccountChange::of(next(&linked)) };
        fixture.done(ChangeAccount::of(change)).await;
        dispatch(&fixture, &events[0], None).await;
        dispatch(&fixture, &events[1], Some(DeliveryStatus::Failed)).await;
        dispatch(&fixture, &events[2], Some(DeliveryStatus::Pending)).await;
        assert_eq!(prune(&fixture).await.events, 0);
        fixture.time.pass_ms(EVENT_AGE_MS_MAX + 1);
        assert_eq!(prune(&fixture).await.events, 2);
        let mut left = Vec::new();
        for event in &events {
            let find = FindEvent { merchant: merchant(1), event: event.id };
            left.push(fixture.read(find).await.is_some());
        }
        assert_eq!(left, [false, false, true, true]);
        let of = ListDeliveries { merchant: merchant(1), event: events[1].id };
        assert!(fixture.read(of).await.is_empty());
    });
}

/// Jobs of ended refreshes are deleted after ninety days of server time, whatever the account time
/// is. A pending job stays.
#[test]
fn old_ended_jobs_are_deleted() {
    on_both(async |fixture| {
        let linked = account(merchant(1), 11);
        let mut ended = job(&linked, Feature::Balance, 1);
        ended.status = RefreshStatus::Failed;
        ended.started_at = ended.started_at.plus(REFRESH_DETAIL_AGE_MS_MAX);
        fixture.link(linked.clone(), vec![ended, job(&linked, Feature::Transactions, 1)]).await;
        fixture.time.pass_ms(REFRESH_DETAIL_AGE_MS_MAX - 1_000);
        assert_eq!(prune(&fixture).await.refreshes, 0);
        fixture.time.pass_ms(1_000);
        assert_eq!(prune(&fixture).await.refreshes, 1);
        assert_eq!(prune(&fixture).await, Pruned::default());
    });
}

/// Link flows are deleted thirty days of server time after they began. Flows through which a holder
/// can be found again stay.
#[test]
fn old_link_flows_are_deleted() {
    on_both(async |fixture| {
        let [left, found_again] =
            [flow(1, &fixture), LinkFlow { run: found(), ..flow(2, &fixture) }];
        for flow in [&left, &found_again] {
            fixture.done(CreateObject::of(Object::LinkFlow(flow.clone()))).await;
        }
        fixture.time.pass_ms(LINK_FLOW_KEPT_MS_MAX - 1);
        assert_eq!(prune(&fixture).await.objects, 0);
        fixture.time.pass_ms(1);
        assert_eq!(prune(&fixture).await.objects, 1);
        assert_eq!(prune(&fixture).await, Pruned::default());
        for (flow, record) in [(left, false), (found_again, true)] {
            let (merchant, kind) = (merchant(1), Kind::LinkFlow);
            assert_eq!(fixture.find(merchant, kind, flow.id.number()).await.is_some(), record);
        }
    });
}

fn flow(number: u64, fixture: &Fixture) -> LinkFlow {
    LinkFlow {
        id: LinkFlowId::from_number(number),
        merchant: merchant(1),
        begun: fixture.time.now(),
        ..objects::link_flow()
    }
}

/// A flow that ended with the holder's wish to be found again.
fn found() -> LinkFlowState {
    let (pane, sign_up) = (Pane::Ended(FlowEnd::Linked), Some("ada@example.com".into()));
    LinkFlowState { pane, sign_up, ..LinkFlowState::default() }
}
