//! Deliveries: claimed round-robin, settled under their claim.

use crate::bed::{Bed, account, delivery, event, merchant, next, on_both};
use model::clock::ServerTime;
use model::delivery::{Attempt, Delivery, DeliveryStatus};
use model::event::EventType;
use model::id::{EndpointId, EventId};
use store::{
    AccountChange, ChangeAccount, ClaimDeliveries, DispatchEvent, ListDeliveries, SettleDelivery,
    Written,
};

/// One event with deliveries to these endpoints, due at these milliseconds from now.
async fn dispatched(bed: &Bed, number: u64, due: &[(u64, i64)]) -> EventId {
    let held = account(merchant(1), number);
    bed.link(held.clone(), vec![]).await;
    let event = event(&next(&held), EventType::AccountCreated, 0);
    let id = event.id;
    let change = AccountChange { events: vec![event], ..AccountChange::of(next(&held)) };
    assert_eq!(bed.write(ChangeAccount { change, reply: None }).await, Written::Done);
    let now = bed.time.now();
    let deliveries =
        due.iter().map(|&(endpoint, ms)| delivery(merchant(1), id, endpoint, now.plus_ms(ms)));
    let deliveries = deliveries.collect();
    bed.write(DispatchEvent { merchant: merchant(1), event: id, deliveries }).await;
    id
}

fn claim(bed: &Bed, limit: usize) -> ClaimDeliveries {
    let now = bed.time.now();
    let leased_until = now.plus_ms(1_000);
    ClaimDeliveries { now, leased_until, limit, per_endpoint: 9, in_flight: vec![] }
}

/// The account and the endpoint of each claimed delivery.
fn keys(claimed: &[Delivery]) -> Vec<(u64, u64)> {
    claimed
        .iter()
        .map(|delivery| (delivery.key.event.shard, delivery.key.endpoint.number()))
        .collect()
}

/// Every endpoint has its turn before any has its second; within one, the longest due goes first.
#[test]
fn endpoints_take_turns() {
    on_both(async |bed| {
        dispatched(&bed, 11, &[(1, -50), (2, -1), (3, 1)]).await;
        dispatched(&bed, 12, &[(1, -40), (2, -3)]).await;
        dispatched(&bed, 13, &[(1, -60)]).await;
        let claimed = bed.write(claim(&bed, 9)).await;
        assert_eq!(keys(&claimed), [(13, 1), (12, 2), (11, 1), (11, 2), (12, 1)]);
        assert!(claimed.iter().all(|delivery| delivery.claim == 1));
        assert!(bed.write(claim(&bed, 9)).await.is_empty());
        bed.time.pass_ms(1);
        assert_eq!(keys(&bed.write(claim(&bed, 9)).await), [(11, 3)]);
        bed.time.pass_ms(1_000);
        let again = bed.write(claim(&bed, 2)).await;
        assert_eq!(keys(&again), [(13, 1), (12, 2)]);
        assert!(again.iter().all(|delivery| delivery.claim == 2));
    });
}

/// No endpoint gets more than its share, what is in flight included.
#[test]
fn an_endpoint_has_a_share() {
    on_both(async |bed| {
        for number in 11..=14 {
            dispatched(&bed, number, &[(1, -1), (2, -1)]).await;
        }
        let in_flight = vec![(EndpointId::from_number(1), 1), (EndpointId::from_number(9), 7)];
        let command = ClaimDeliveries { per_endpoint: 2, in_flight, ..claim(&bed, 9) };
        assert_eq!(keys(&bed.write(command).await), [(11, 1), (11, 2), (12, 2)]);
        let in_flight = vec![(EndpointId::from_number(2), 5)];
        let command = ClaimDeliveries { per_endpoint: 2, in_flight, ..claim(&bed, 9) };
        assert_eq!(keys(&bed.write(command).await), [(12, 1), (13, 1)]);
    });
}

/// A claimed delivery is settled once, with its attempt, and only under the newest claim.
#[test]
fn a_delivery_is_settled_under_its_claim() {
    on_both(async |bed| {
        let event = dispatched(&bed, 11, &[(1, 0)]).await;
        let claimed = bed.write(claim(&bed, 9)).await.remove(0);
        let attempt = |number, status| Attempt {
            number,
            at: bed.time.now(),
            status,
            duration_ms: 12,
            body: "ok".to_owned(),
            error: None,
        };
        let settle = SettleDelivery {
            key: claimed.key,
            merchant: merchant(1),
            claim: 1,
            attempt: Some(attempt(1, Some(500))),
            status: DeliveryStatus::Pending,
            due_at: bed.time.now().plus_ms(10),
        };
        let wrong = SettleDelivery { claim: 0, ..settle.clone() };
        assert_eq!(bed.write(wrong).await, Written::Stale);
        let stolen = SettleDelivery { merchant: merchant(2), ..settle.clone() };
        assert_eq!(bed.write(stolen).await, Written::Stale);
        assert_eq!(bed.write(settle.clone()).await, Written::Done);
        assert!(bed.write(claim(&bed, 9)).await.is_empty());
        bed.time.pass_ms(10);
        assert_eq!(bed.write(claim(&bed, 9)).await[0].claim, 2);
        assert_eq!(bed.write(settle.clone()).await, Written::Stale);
        let last = SettleDelivery {
            claim: 2,
            attempt: None,
            status: DeliveryStatus::Canceled,
            due_at: ServerTime(0),
            ..settle.clone()
        };
        assert_eq!(bed.write(last.clone()).await, Written::Done);
        assert_eq!(bed.write(last).await, Written::Stale);
        bed.time.pass_ms(10_000);
        assert!(bed.write(claim(&bed, 9)).await.is_empty());
        let listed = bed.read(ListDeliveries { merchant: merchant(1), event }).await;
        let (delivery, attempts) = &listed[0];
        assert_eq!(delivery.status, DeliveryStatus::Canceled);
        assert_eq!((delivery.attempts, delivery.leased_until), (1, None));
        assert_eq!(attempts, &[settle.attempt.unwrap()]);
        let elsewhere = ListDeliveries { merchant: merchant(2), event };
        assert!(bed.read(elsewhere).await.is_empty());
    });
}
