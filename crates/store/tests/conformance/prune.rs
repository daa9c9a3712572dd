//! Clean-up: rows past their age are deleted, rows that are still needed stay.

use crate::fixture::{Bed, T0, account, delivery, event, job, merchant, next, on_both, reply};
use model::bank::Feature;
use model::delivery::DeliveryStatus;
use model::event::{Event, EventType};
use model::id::LinkFlowId;
use model::limits::{
    EVENT_AGE_MS_MAX, IDEMPOTENCY_AGE_MS_MAX, LINK_FLOW_KEPT_MS_MAX, REFRESH_DETAIL_AGE_MS_MAX,
};
use model::link::{FlowEnd, LinkFlow, LinkRun, Pane};
use model::refresh::RefreshStatus;
use store::{
    AccountChange, ChangeAccount, CreateObject, Created, DispatchEvent, FindEvent, FindObject,
    Kind, ListDeliveries, Object, Prune, Pruned, RecordReply, SettleDelivery, Written,
};

async fn prune(bed: &Bed) -> Pruned {
    bed.write(Prune { now: bed.time.now() }).await
}

async fn dispatch(bed: &Bed, event: &Event, status: Option<DeliveryStatus>) {
    let now = bed.time.now();
    let to_endpoint = delivery(merchant(1), event.id, 1, now);
    let key = to_endpoint.key;
    let deliveries = if status.is_some() { vec![to_endpoint] } else { vec![] };
    bed.write(DispatchEvent { merchant: merchant(1), event: event.id, deliveries }).await;
    if let Some(status) = status {
        let settle = SettleDelivery {
            key,
            merchant: merchant(1),
            claim: 0,
            attempt: None,
            status,
            due_at: now,
        };
        assert_eq!(bed.write(settle).await, Written::Done);
    }
}

/// Idempotency records are deleted after a day, not before.
#[test]
fn old_answers_go() {
    on_both(async |bed| {
        let kept = reply(merchant(1), "key", bed.time.now());
        assert_eq!(bed.write(RecordReply { reply: kept }).await, Written::Done);
        bed.time.pass_ms(IDEMPOTENCY_AGE_MS_MAX - 1);
        assert_eq!(prune(&bed).await, Pruned::default());
        bed.time.pass_ms(1);
        assert_eq!(prune(&bed).await.replies, 1);
        assert_eq!(prune(&bed).await.replies, 0);
    });
}

/// Old events are deleted with their deliveries, except events that wait for dispatch or for a
/// delivery.
#[test]
fn old_events_go_when_settled() {
    on_both(async |bed| {
        let held = account(merchant(1), 11);
        bed.link(held.clone(), vec![]).await;
        let events: Vec<Event> =
            (0..4).map(|place| event(&held, EventType::AccountCreated, place)).collect();
        let change = AccountChange { events: events.clone(), ..AccountChange::of(next(&held)) };
        assert_eq!(bed.write(ChangeAccount { change, reply: None }).await, Written::Done);
        dispatch(&bed, &events[0], None).await;
        dispatch(&bed, &events[1], Some(DeliveryStatus::Failed)).await;
        dispatch(&bed, &events[2], Some(DeliveryStatus::Pending)).await;
        assert_eq!(prune(&bed).await.events, 0);
        bed.time.pass_ms(EVENT_AGE_MS_MAX + 1);
        assert_eq!(prune(&bed).await.events, 2);
        let mut left = Vec::new();
        for event in &events {
            let find = FindEvent { merchant: merchant(1), event: event.id };
            left.push(bed.read(find).await.is_some());
        }
        assert_eq!(left, [false, false, true, true]);
        let of = ListDeliveries { merchant: merchant(1), event: events[1].id };
        assert!(bed.read(of).await.is_empty());
    });
}

/// Jobs of ended refreshes are deleted after ninety days of server time, whatever the account time
/// is. A pending job stays.
#[test]
fn old_jobs_go_when_ended() {
    on_both(async |bed| {
        let held = account(merchant(1), 11);
        let mut ended = job(&held, Feature::Balance, 1);
        ended.status = RefreshStatus::Failed;
        ended.started_at = ended.started_at.plus(REFRESH_DETAIL_AGE_MS_MAX);
        bed.link(held.clone(), vec![ended, job(&held, Feature::Transactions, 1)]).await;
        bed.time.pass_ms(REFRESH_DETAIL_AGE_MS_MAX - 1_000);
        assert_eq!(prune(&bed).await.refreshes, 0);
        bed.time.pass_ms(1_000);
        assert_eq!(prune(&bed).await.refreshes, 1);
        assert_eq!(prune(&bed).await, Pruned::default());
    });
}

/// Link flows are deleted thirty days of server time after they began. Flows through which a holder
/// can be found again stay.
#[test]
fn old_runs_of_link_flows_go() {
    on_both(async |bed| {
        let [left, found_again] = [flow(1, &bed), LinkFlow { run: found(), ..flow(2, &bed) }];
        for flow in [&left, &found_again] {
            let object = Object::LinkFlow(flow.clone());
            let create = CreateObject { object, kind_max: None, events: vec![], reply: None };
            assert_eq!(bed.write(create).await, Created::Done);
        }
        bed.time.pass_ms(LINK_FLOW_KEPT_MS_MAX - 1);
        assert_eq!(prune(&bed).await.objects, 0);
        bed.time.pass_ms(1);
        assert_eq!(prune(&bed).await.objects, 1);
        assert_eq!(prune(&bed).await, Pruned::default());
        for (flow, kept) in [(left, false), (found_again, true)] {
            let (merchant, kind) = (merchant(1), Kind::LinkFlow);
            let find = FindObject { merchant, kind, number: flow.id.number() };
            assert_eq!(bed.read(find).await.is_some(), kept);
        }
    });
}

fn flow(number: u64, bed: &Bed) -> LinkFlow {
    LinkFlow {
        id: LinkFlowId::from_number(number),
        merchant: merchant(1),
        version: 1,
        livemode: false,
        created: T0,
        begun: bed.time.now(),
        clock: None,
        carrier: "fcsess_1".into(),
        origin: None,
        billing_details: model::given::Given::nothing(),
        page: None,
        secret: "secret".into(),
        run: LinkRun::default(),
    }
}

/// A flow that ended with the holder's wish to be found again.
fn found() -> LinkRun {
    let (pane, sign_up) = (Pane::Ended(FlowEnd::Linked), Some("ada@example.com".into()));
    LinkRun { pane, sign_up, ..LinkRun::default() }
}
