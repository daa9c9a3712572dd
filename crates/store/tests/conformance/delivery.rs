//! Deliveries: claimed round-robin, settled under their claim.

use crate::fixture::{Fixture, delivery, event, merchant, next, on_both, settlement};
use model::clock::ServerTime;
use model::delivery::{Attempt, Delivery, DeliveryStatus};
use model::event::EventType;
use model::id::{EndpointId, EventId, MerchantId};
use model::limits::RELEASE_ROWS_MAX;
use store::{
    AccountChange, ChangeAccount, ClaimDeliveries, ContinueDeliveries, Continued, Cursor,
    DeliveryPlace, EndpointLoad, FindEvent, ListDeliveries, ListLedger, Page, ReleaseDelivery,
    ReleaseEndpoint, ResendDeliveries, SettleDelivery, WithAttempts, Written,
};

/// One event with deliveries to these endpoints, due in that many milliseconds.
async fn dispatched(fixture: &Fixture, number: u64, due: &[(u64, i64)]) -> EventId {
    dispatched_of(fixture, merchant(1), number, due).await
}

/// The same for an event of a merchant.
pub(crate) async fn dispatched_of(
    fixture: &Fixture,
    owner: MerchantId,
    number: u64,
    due: &[(u64, i64)],
) -> EventId {
    let linked = fixture.linked(owner, number).await;
    let event = event(&next(&linked), EventType::AccountCreated, 0);
    let id = event.id;
    let change = AccountChange { events: vec![event], ..AccountChange::of(next(&linked)) };
    fixture.done(ChangeAccount::of(change)).await;
    let now = fixture.time.now();
    let deliveries =
        due.iter().map(|&(endpoint, ms)| delivery(owner, id, endpoint, now.plus_ms(ms)));
    let deliveries = deliveries.collect();
    fixture.dispatch(owner, id, deliveries).await;
    id
}

/// Deliveries in flight to an endpoint of a merchant.
pub(crate) fn load(owner: u64, endpoint: u64, deliveries: usize) -> EndpointLoad {
    let endpoint = EndpointId::from_number(endpoint);
    EndpointLoad { endpoint, owner: merchant(owner), deliveries }
}

pub(crate) fn claim(fixture: &Fixture, limit: usize) -> ClaimDeliveries {
    let now = fixture.time.now();
    let leased_until = now.plus_ms(1_000);
    ClaimDeliveries { now, leased_until, limit, free: 999, per_endpoint: 9, in_flight: vec![] }
}

/// The account and the endpoint of each claimed delivery.
pub(crate) fn keys(claimed: &[Delivery]) -> Vec<(u64, u64)> {
    claimed
        .iter()
        .map(|delivery| (delivery.key.event.shard, delivery.key.endpoint.number()))
        .collect()
}

/// Each endpoint has one delivery claimed before any has a second. The longest due of an endpoint
/// comes first.
#[test]
fn endpoints_take_turns() {
    on_both(async |fixture| {
        dispatched(&fixture, 11, &[(1, -50), (2, -1), (3, 1)]).await;
        dispatched(&fixture, 12, &[(1, -40), (2, -3)]).await;
        dispatched(&fixture, 13, &[(1, -60)]).await;
        let claimed = fixture.write(claim(&fixture, 9)).await;
        assert_eq!(keys(&claimed), [(13, 1), (12, 2), (11, 1), (11, 2), (12, 1)]);
        assert!(claimed.iter().all(|delivery| delivery.claim == 1));
        assert!(fixture.write(claim(&fixture, 9)).await.is_empty());
        fixture.time.pass_ms(1);
        assert_eq!(keys(&fixture.write(claim(&fixture, 9)).await), [(11, 3)]);
        fixture.time.pass_ms(1_000);
        let again = fixture.write(claim(&fixture, 2)).await;
        assert_eq!(keys(&again), [(13, 1), (12, 2)]);
        assert!(again.iter().all(|delivery| delivery.claim == 2));
    });
}

/// An endpoint never exceeds its share, which includes deliveries in flight.
#[test]
fn an_endpoint_has_a_share() {
    on_both(async |fixture| {
        for number in 11..=14 {
            dispatched(&fixture, number, &[(1, -1), (2, -1)]).await;
        }
        let in_flight = vec![load(1, 1, 1), load(1, 9, 7)];
        let command = ClaimDeliveries { per_endpoint: 2, in_flight, ..claim(&fixture, 9) };
        assert_eq!(keys(&fixture.write(command).await), [(11, 1), (11, 2), (12, 2)]);
        let in_flight = vec![load(1, 2, 5)];
        let command = ClaimDeliveries { per_endpoint: 2, in_flight, ..claim(&fixture, 9) };
        assert_eq!(keys(&fixture.write(command).await), [(12, 1), (13, 1)]);
    });
}

/// A claimed delivery is settled once, with its attempt, and only under the newest claim.
#[test]
fn a_delivery_is_settled_under_its_claim() {
    on_both(async |fixture| {
        let event = dispatched(&fixture, 11, &[(1, 0)]).await;
        let claimed = fixture.write(claim(&fixture, 9)).await.remove(0);
        let attempt = |number, status| Attempt {
            status,
            body: "ok".to_owned(),
            ..testkit::objects::attempt(number, fixture.time.now())
        };
        let settle = SettleDelivery {
            attempt: Some(attempt(1, Some(500))),
            ..settlement(&claimed, DeliveryStatus::Pending, fixture.time.now().plus_ms(10))
        };
        fixture.conflicts(SettleDelivery { claim: 0, ..settle.clone() }).await;
        fixture.conflicts(SettleDelivery { merchant: merchant(2), ..settle.clone() }).await;
        fixture.done(settle.clone()).await;
        assert!(fixture.write(claim(&fixture, 9)).await.is_empty());
        fixture.time.pass_ms(10);
        assert_eq!(fixture.write(claim(&fixture, 9)).await[0].claim, 2);
        fixture.conflicts(settle.clone()).await;
        let last = SettleDelivery {
            claim: 2,
            attempt: None,
            status: DeliveryStatus::Canceled,
            due_at: ServerTime(0),
            ..settle.clone()
        };
        fixture.done(last.clone()).await;
        fixture.conflicts(last).await;
        fixture.time.pass_ms(10_000);
        assert!(fixture.write(claim(&fixture, 9)).await.is_empty());
        let listed = fixture.read(ListDeliveries { merchant: merchant(1), event }).await;
        let (delivery, attempts) = &listed[0];
        assert_eq!(delivery.status, DeliveryStatus::Canceled);
        assert_eq!((delivery.attempts, delivery.leased_until), (1, None));
        assert_eq!(attempts, &[settle.attempt.unwrap()]);
        let elsewhere = ListDeliveries { merchant: merchant(2), event };
        assert!(fixture.read(elsewhere).await.is_empty());
    });
}

/// Results that are recorded together conflict one by one, and the claim sees those that were recorded.
#[test]
fn deliveries_continue_in_one_commit() {
    on_both(async |fixture| {
        for number in 11..=13 {
            dispatched(&fixture, number, &[(1, 0)]).await;
        }
        let claimed = fixture.write(claim(&fixture, 2)).await;
        let now = fixture.time.now();
        let attempt = |delivery: &Delivery| SettleDelivery {
            attempt: Some(testkit::objects::attempt(delivery.attempts + 1, now)),
            ..settlement(delivery, DeliveryStatus::Pending, now)
        };
        let outdated = SettleDelivery { claim: 0, ..attempt(&claimed[1]) };
        let settled = [attempt(&claimed[0]), outdated].into();
        let next = ContinueDeliveries { settled, claim: Some(claim(&fixture, 9)) };
        let Continued { written, claimed: again, owners } = fixture.write(next).await;
        assert_eq!(written, [Written::Done, Written::VersionConflict]);
        assert_eq!(owners, [merchant(1), merchant(1)]);
        // The first waits for its second attempt, the second has a lease, and the third is new.
        assert_eq!(keys(&again), [(11, 1), (13, 1)]);
        let counts = |delivery: &Delivery| (delivery.claim, delivery.attempts);
        assert_eq!(again.iter().map(counts).collect::<Vec<_>>(), [(2, 1), (1, 0)]);
        let last = ContinueDeliveries { settled: [attempt(&again[1])].into(), claim: None };
        let Continued { written, claimed, .. } = fixture.write(last).await;
        assert_eq!((written.as_slice(), claimed.len()), (&[Written::Done][..], 0));
    });
}

/// Endpoints with few due deliveries leave the rest of a claim to the others.
#[test]
fn endpoints_with_more_fill_a_claim() {
    on_both(async |fixture| {
        for number in 11..=16 {
            dispatched(&fixture, number, &[(1, -1), (2, -1)]).await;
        }
        dispatched(&fixture, 17, &[(3, -1)]).await;
        let two_of_one = ClaimDeliveries {
            per_endpoint: 5,
            in_flight: vec![load(1, 2, 3)],
            ..claim(&fixture, 7)
        };
        assert_eq!(
            keys(&fixture.write(two_of_one).await),
            [(11, 1), (11, 2), (17, 3), (12, 1), (12, 2), (13, 1), (14, 1)]
        );
    });
}

fn resend(fixture: &Fixture, event: EventId, endpoints: &[u64]) -> ResendDeliveries {
    let now = fixture.time.now();
    let deliveries = endpoints.iter().map(|to| delivery(merchant(1), event, *to, now)).collect();
    ResendDeliveries { merchant: merchant(1), event, deliveries, now, reply: None }
}

/// A settled delivery that is sent again is due at once, and a missing one is created. While an
/// attempt is in flight, for another merchant, or without an event, no rows are written.
#[test]
fn deliveries_are_sent_again() {
    on_both(async |fixture| {
        let event = dispatched(&fixture, 11, &[(1, 0)]).await;
        let linked = fixture.write(claim(&fixture, 9)).await.remove(0);
        fixture.conflicts(resend(&fixture, event, &[2, 1])).await;
        let now = fixture.time.now();
        fixture.done(settlement(&linked, DeliveryStatus::Succeeded, now)).await;
        let of_other = ResendDeliveries { merchant: merchant(2), ..resend(&fixture, event, &[1]) };
        fixture.conflicts(of_other).await;
        let unknown = EventId { number: 1, ..event };
        fixture.conflicts(resend(&fixture, unknown, &[1])).await;
        assert!(fixture.write(claim(&fixture, 9)).await.is_empty());
        fixture.done(resend(&fixture, event, &[2, 1])).await;
        let again = fixture.write(claim(&fixture, 9)).await;
        assert_eq!(keys(&again), [(11, 1), (11, 2)]);
        assert_eq!((again[0].claim, again[0].resent_from), (2, Some(0)));
        assert_eq!((again[1].claim, again[1].resent_from), (1, None));
    });
}

/// A delivery that waits for its first attempt is released. Other deliveries stay as they are.
#[test]
fn waiting_deliveries_are_released() {
    on_both(async |fixture| {
        let event = dispatched(&fixture, 11, &[(1, 500)]).await;
        let now = fixture.time.now();
        let key = delivery(merchant(1), event, 1, now).key;
        fixture.write(ReleaseDelivery { key, merchant: merchant(2), now }).await;
        assert!(fixture.write(claim(&fixture, 9)).await.is_empty());
        fixture.write(ReleaseDelivery { key, merchant: merchant(1), now }).await;
        assert_eq!(keys(&fixture.write(claim(&fixture, 9)).await), [(11, 1)]);
    });
}

/// All pending deliveries to an endpoint become due, of every merchant. Deliveries to other
/// endpoints wait on.
#[test]
fn an_endpoint_is_released() {
    on_both(async |fixture| {
        dispatched(&fixture, 11, &[(1, 500), (2, 500)]).await;
        let other = dispatched(&fixture, 12, &[(1, 700)]).await;
        let now = fixture.time.now();
        let release = ReleaseEndpoint { endpoint: EndpointId::from_number(1), now };
        assert_eq!(fixture.write(release).await, 2);
        let due = fixture.write(claim(&fixture, 9)).await;
        assert_eq!(keys(&due), [(11, 1), (12, 1)]);
        assert_eq!((other.shard, due[1].due_at), (12, now));
        assert_eq!(fixture.write(release).await, 0);
    });
}

/// One command makes a bounded number of deliveries due, which are those that are due next.
#[test]
fn an_endpoint_is_released_in_steps() {
    on_both(async |fixture| {
        let count = u64::from(RELEASE_ROWS_MAX) + 1;
        for number in 0..count {
            let delay = if number == 7 { 900 } else { 500 };
            dispatched(&fixture, 100 + number, &[(1, delay)]).await;
        }
        let now = fixture.time.now();
        let release = ReleaseEndpoint { endpoint: EndpointId::from_number(1), now };
        assert_eq!(fixture.write(release).await, RELEASE_ROWS_MAX);
        let claim = ClaimDeliveries { limit: 999, per_endpoint: 999, ..claim(&fixture, 9) };
        let due = fixture.write(claim.clone()).await;
        assert!(due.iter().all(|delivery| delivery.key.event.shard != 107), "{due:?}");
        assert_eq!(due.len() as u64, count - 1);
        assert_eq!(fixture.write(release).await, 1);
        assert_eq!(keys(&fixture.write(claim).await), [(107, 1)]);
    });
}

/// The merchant's list of deliveries has the newest event first and filters by endpoint and status.
/// A page may begin and end between two deliveries of one event.
#[test]
fn the_ledger_is_listed() {
    on_both(async |fixture| {
        let older = dispatched(&fixture, 11, &[(1, 0), (2, 0)]).await;
        fixture.time.pass_ms(1);
        let newer = dispatched(&fixture, 12, &[(1, 0), (2, 9)]).await;
        let all = ListLedger {
            merchant: merchant(1),
            endpoint: None,
            status: None,
            page: Page { limit: 10, cursor: Cursor::Newest },
        };
        let shown = |items: &[WithAttempts]| -> Vec<(u64, u64)> {
            keys(&items.iter().map(|(delivery, _)| delivery.clone()).collect::<Vec<_>>())
        };
        let whole = [(12, 2), (12, 1), (11, 2), (11, 1)];
        assert_eq!(shown(&fixture.read(all).await.items), whole);
        let found = fixture.read(FindEvent { merchant: merchant(1), event: older }).await.unwrap();
        let list_position = found.place();
        let list_position = DeliveryPlace {
            event: list_position,
            endpoint: EndpointId::from_number(2),
            outcome: false,
        };
        let page = |limit, cursor| ListLedger { page: Page { limit, cursor }, ..all };
        let next = fixture.read(page(10, Cursor::After(list_position))).await;
        assert_eq!((shown(&next.items), next.has_more), (vec![(11, 1)], false));
        let before = fixture.read(page(1, Cursor::Before(list_position))).await;
        assert_eq!((shown(&before.items), before.has_more), (vec![(12, 1)], true));
        let of_one = ListLedger { endpoint: Some(EndpointId::from_number(1)), ..all };
        assert_eq!(shown(&fixture.read(of_one).await.items), [(12, 1), (11, 1)]);
        assert_ne!(older, newer);
        let lost = ListLedger { status: Some(DeliveryStatus::Lost), ..all };
        assert!(fixture.read(lost).await.items.is_empty());
        let pending = ListLedger { status: Some(DeliveryStatus::Pending), ..all };
        assert_eq!(shown(&fixture.read(pending).await.items), whole);
        assert!(fixture.read(ListLedger { merchant: merchant(2), ..all }).await.items.is_empty());
    });
}

/// An event may have two deliveries to an endpoint, one for each of its thin events. They are claimed,
/// settled, listed, released and sent again apart, and they share the room of their endpoint.
#[test]
fn an_endpoint_has_two_deliveries_of_an_event() {
    on_both(async |fixture| {
        let linked = fixture.linked(merchant(1), 11).await;
        let event = event(&next(&linked), EventType::AccountRefreshedBalance, 0);
        let id = event.id;
        let change = AccountChange { events: vec![event], ..AccountChange::of(next(&linked)) };
        fixture.done(ChangeAccount::of(change)).await;
        let now = fixture.time.now();
        let first = delivery(merchant(1), id, 1, now);
        let mut second = delivery(merchant(1), id, 1, now);
        second.key.outcome = true;
        let both = vec![first.clone(), second.clone()];
        fixture.dispatch(merchant(1), id, both.clone()).await;
        let find = FindEvent { merchant: merchant(1), event: id };
        assert_eq!(fixture.read(find).await.unwrap().pending, 2);

        let outcomes = |deliveries: &[Delivery]| -> Vec<bool> {
            deliveries.iter().map(|delivery| delivery.key.outcome).collect()
        };
        let narrow = ClaimDeliveries { per_endpoint: 1, ..claim(&fixture, 9) };
        assert_eq!(outcomes(&fixture.write(narrow).await), [false]);
        let claimed = fixture.write(claim(&fixture, 9)).await;
        assert_eq!(outcomes(&claimed), [true]);
        fixture.done(settlement(&claimed[0], DeliveryStatus::Succeeded, now)).await;
        assert_eq!(fixture.read(find).await.unwrap().pending, 1);

        let listed = fixture.read(ListDeliveries { merchant: merchant(1), event: id }).await;
        let listed: Vec<_> = listed.iter().map(|(one, _)| (one.key.outcome, one.status)).collect();
        let (pending, succeeded) = (DeliveryStatus::Pending, DeliveryStatus::Succeeded);
        assert_eq!(listed, [(false, pending), (true, succeeded)]);
        let ledger = |status, limit, cursor| ListLedger {
            merchant: merchant(1),
            endpoint: Some(EndpointId::from_number(1)),
            status,
            page: Page { limit, cursor },
        };
        let shown = async |list: ListLedger| -> Vec<bool> {
            let items = fixture.read(list).await.items;
            items.iter().map(|(delivery, _)| delivery.key.outcome).collect()
        };
        assert_eq!(shown(ledger(None, 10, Cursor::Newest)).await, [true, false]);
        assert_eq!(shown(ledger(None, 1, Cursor::Newest)).await, [true]);
        let place = fixture.read(find).await.unwrap().place();
        let after = Cursor::After(DeliveryPlace::of(place, second.key));
        assert_eq!(shown(ledger(None, 1, after)).await, [false]);
        assert_eq!(shown(ledger(Some(succeeded), 10, Cursor::Newest)).await, [true]);

        fixture.time.pass_ms(5_000);
        let resend = ResendDeliveries {
            merchant: merchant(1),
            event: id,
            deliveries: both,
            now: fixture.time.now(),
            reply: None,
        };
        fixture.done(resend).await;
        assert_eq!(outcomes(&fixture.write(claim(&fixture, 9)).await), [false, true]);
    });
}

/// The release of an endpoint makes both deliveries of an event due.
#[test]
fn both_deliveries_of_an_event_are_released() {
    on_both(async |fixture| {
        let id = dispatched(&fixture, 11, &[(1, 500)]).await;
        let mut second = delivery(merchant(1), id, 1, fixture.time.now());
        second.key.outcome = true;
        let resend = ResendDeliveries {
            merchant: merchant(1),
            event: id,
            deliveries: vec![Delivery { due_at: fixture.time.now().plus_ms(500), ..second }],
            now: fixture.time.now(),
            reply: None,
        };
        fixture.done(resend).await;
        let now = fixture.time.now();
        let release = ReleaseEndpoint { endpoint: EndpointId::from_number(1), now };
        assert_eq!(fixture.write(release).await, 2);
        assert_eq!(fixture.write(claim(&fixture, 9)).await.len(), 2);
    });
}
