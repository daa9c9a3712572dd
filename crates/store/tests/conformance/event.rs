//! Events: listed, found and dispatched.

use crate::fixture::{
    Fixture, account, customer, delivery, event, first, merchant, next, on_both, settlement,
};
use model::clock::AccountTime;
use model::delivery::DeliveryStatus;
use model::event::{Event, EventType};
use model::id::EventId;
use store::{
    AccountChange, Bounds, ChangeAccount, CreateObject, Cursor, FindEvent, ListDeliveries,
    ListEvents, Object, Page, SettleDelivery,
};
use testkit::objects;

/// Events of one account, each by its own change, a millisecond apart, oldest first.
async fn events(fixture: &Fixture, types: &[(EventType, i64)]) -> Vec<Event> {
    let mut linked = account(merchant(1), 11);
    fixture.link(linked.clone(), vec![]).await;
    let mut events = Vec::new();
    for (event_type, created) in types {
        linked = next(&linked);
        let event = Event { created: AccountTime(*created), ..event(&linked, *event_type, 0) };
        let change =
            AccountChange { events: vec![event.clone()], ..AccountChange::of(linked.clone()) };
        fixture.done(ChangeAccount::of(change)).await;
        fixture.time.pass_ms(1);
        events.push(event);
    }
    events
}

fn list() -> ListEvents {
    ListEvents {
        merchant: merchant(1),
        types: vec![],
        created: Bounds::default(),
        delivery_success: None,
        in_preview: true,
        only_thin: true,
        page: first(10),
    }
}

async fn numbers(fixture: &Fixture, events: &[Event], command: ListEvents) -> (Vec<usize>, bool) {
    let listed = fixture.read(command).await;
    let numbers = listed
        .items
        .iter()
        .map(|stored| events.iter().position(|event| *event == stored.event).unwrap());
    (numbers.collect(), listed.has_more)
}

async fn dispatch(fixture: &Fixture, event: &Event, endpoints: &[u64]) {
    let now = fixture.time.now();
    let deliveries =
        endpoints.iter().map(|&endpoint| delivery(merchant(1), event.id, endpoint, now));
    fixture.dispatch(merchant(1), event.id, deliveries.collect()).await;
}

async fn settle(fixture: &Fixture, event: &Event, endpoint: u64, status: DeliveryStatus) {
    let now = fixture.time.now();
    let settlement = settlement(&delivery(merchant(1), event.id, endpoint, now), status, now);
    fixture.done(SettleDelivery { attempt: Some(objects::attempt(1, now)), ..settlement }).await;
}

const CREATED: EventType = EventType::AccountCreated;
const REFRESHED: EventType = EventType::AccountRefreshedTransactions;
const CUSTOMER: EventType = EventType::CustomerUpdated;

/// Events that exist as thin events only, and events in preview, are listed if the command says so.
#[test]
fn some_events_are_listed_on_demand() {
    on_both(async |fixture| {
        let (ping, session) = (EventType::EventDestinationPing, EventType::SessionUpdated);
        let events = events(&fixture, &[(CREATED, 1), (ping, 2), (session, 3)]).await;
        for (only_thin, in_preview, listed) in [
            (true, true, vec![2, 1, 0]),
            (false, true, vec![2, 0]),
            (true, false, vec![1, 0]),
            (false, false, vec![0]),
        ] {
            let command = ListEvents { only_thin, in_preview, ..list() };
            assert_eq!(numbers(&fixture, &events, command).await, (listed, false));
        }
    });
}

/// Events are listed by their time, then by commit, newest first, in both directions.
#[test]
fn events_page_in_both_directions() {
    on_both(async |fixture| {
        let types = [(CREATED, 5), (REFRESHED, 9), (REFRESHED, 5), (REFRESHED, 5), (CUSTOMER, 1)];
        let events = events(&fixture, &types).await;
        let all = fixture.read(list()).await.items;
        let list_position = |index: usize| {
            let stored = all.iter().find(|stored| stored.event == events[index]).unwrap();
            stored.place()
        };
        let at = |cursor, limit| ListEvents { page: Page { limit, cursor }, ..list() };
        assert_eq!(numbers(&fixture, &events, list()).await, (vec![1, 3, 2, 0, 4], false));
        assert_eq!(numbers(&fixture, &events, at(Cursor::Newest, 2)).await, (vec![1, 3], true));
        let after = at(Cursor::After(list_position(3)), 2);
        assert_eq!(numbers(&fixture, &events, after).await, (vec![2, 0], true));
        let before = at(Cursor::Before(list_position(4)), 2);
        assert_eq!(numbers(&fixture, &events, before).await, (vec![2, 0], true));
        let before = at(Cursor::Before(list_position(3)), 2);
        assert_eq!(numbers(&fixture, &events, before).await, (vec![1], false));
    });
}

/// Lists of events filter by type, by family of types and by time.
#[test]
fn events_are_narrowed() {
    on_both(async |fixture| {
        let types = [(CREATED, 1), (REFRESHED, 2), (CUSTOMER, 3), (REFRESHED, 4)];
        let events = events(&fixture, &types).await;
        let of = |types: &[&str]| ListEvents {
            types: types.iter().map(|&word| word.to_owned()).collect(),
            ..list()
        };
        let refreshed = "financial_connections.account.refreshed_transactions";
        assert_eq!(numbers(&fixture, &events, of(&[refreshed])).await.0, [3, 1]);
        let one = ListEvents { page: first(1), ..of(&[refreshed]) };
        assert_eq!(numbers(&fixture, &events, one).await, (vec![3], true));
        let family = of(&["financial_connections.*", "customer.created"]);
        assert_eq!(numbers(&fixture, &events, family).await.0, [3, 1, 0]);
        assert_eq!(numbers(&fixture, &events, of(&["customer.*"])).await.0, [2]);
        let created = Bounds { from: Some(2), to: Some(3) };
        let within = ListEvents { created, ..list() };
        assert_eq!(numbers(&fixture, &events, within).await.0, [2, 1]);
        let elsewhere = ListEvents { merchant: merchant(2), ..list() };
        assert!(fixture.read(elsewhere).await.items.is_empty());
    });
}

/// Events wait for their deliveries in the order of commits, and get them once.
#[test]
fn events_are_dispatched_once() {
    on_both(async |fixture| {
        let events = events(&fixture, &[(CREATED, 9), (REFRESHED, 1)]).await;
        assert_eq!(fixture.undispatched(merchant(1)).await, events);
        dispatch(&fixture, &events[0], &[1, 2]).await;
        settle(&fixture, &events[0], 1, DeliveryStatus::Succeeded).await;
        dispatch(&fixture, &events[0], &[1, 2, 3]).await;
        assert_eq!(fixture.undispatched(merchant(1)).await, events[1..]);
        let of = ListDeliveries { merchant: merchant(1), event: events[0].id };
        let deliveries = fixture.read(of).await;
        let statuses: Vec<_> = deliveries
            .iter()
            .map(|(delivery, attempts)| (delivery.status, delivery.attempts, attempts.len()))
            .collect();
        assert_eq!(statuses, [(DeliveryStatus::Succeeded, 1, 1), (DeliveryStatus::Pending, 0, 0)]);
        let find = FindEvent { merchant: merchant(1), event: events[0].id };
        let found = fixture.read(find).await.unwrap();
        assert_eq!((found.feed, found.pending), (Some(1), 1));
        assert_eq!(fixture.read(FindEvent { merchant: merchant(2), ..find }).await, None);
    });
}

/// Deliveries are not written for an event of another merchant, or for one that does not exist.
#[test]
fn only_known_events_get_deliveries() {
    on_both(async |fixture| {
        let events = events(&fixture, &[(CREATED, 1)]).await;
        let now = fixture.time.now();
        let other = fixture.linked(merchant(2), 12).await;
        let waits = event(&next(&other), CREATED, 0);
        let change = AccountChange { events: vec![waits], ..AccountChange::of(next(&other)) };
        fixture.done(ChangeAccount::of(change)).await;
        let deliveries = vec![delivery(merchant(2), events[0].id, 1, now)];
        fixture.dispatch(merchant(2), events[0].id, deliveries).await;
        assert_eq!(fixture.undispatched(merchant(1)).await, events);
        let missing = EventId { shard: 1, number: 1 };
        let deliveries = vec![delivery(merchant(1), missing, 1, now)];
        fixture.dispatch(merchant(1), missing, deliveries).await;
        for (owner, event) in [(merchant(1), missing), (merchant(2), events[0].id)] {
            let of = ListDeliveries { merchant: owner, event };
            assert!(fixture.read(of).await.is_empty());
        }
    });
}

/// Events are filtered by the success of all their deliveries.
#[test]
fn events_are_listed_by_success() {
    on_both(async |fixture| {
        let events =
            events(&fixture, &[(CREATED, 1), (CREATED, 2), (CREATED, 3), (CREATED, 4)]).await;
        dispatch(&fixture, &events[0], &[1, 2]).await;
        settle(&fixture, &events[0], 1, DeliveryStatus::Succeeded).await;
        settle(&fixture, &events[0], 2, DeliveryStatus::Succeeded).await;
        dispatch(&fixture, &events[1], &[1, 2]).await;
        settle(&fixture, &events[1], 1, DeliveryStatus::Succeeded).await;
        dispatch(&fixture, &events[2], &[1]).await;
        settle(&fixture, &events[2], 1, DeliveryStatus::Failed).await;
        dispatch(&fixture, &events[3], &[]).await;
        let by = |success| ListEvents { delivery_success: Some(success), ..list() };
        assert_eq!(numbers(&fixture, &events, by(true)).await.0, [0]);
        assert_eq!(numbers(&fixture, &events, by(false)).await.0, [2, 1]);
    });
}

/// Events of one shard are in the order of their commits, also if the clock does not move or goes
/// back. Events of objects have the merchant's shard.
#[test]
fn shards_keep_the_order_of_commits() {
    on_both(async |fixture| {
        let owner = merchant(1);
        let mut ids = Vec::new();
        for number in 1..=4_u64 {
            let object = customer(owner, number);
            // Numbers in ids follow no order.
            let id = EventId { shard: owner.number(), number: 10 - number };
            let snapshot = model::event::Snapshot::Customer(Box::new(object.clone()));
            let template = event(&account(owner, 1), EventType::CustomerCreated, 0);
            let event = Event { id, account: None, snapshot, ..template };
            let mut create = CreateObject::of(Object::Customer(object));
            create.events = vec![event];
            assert_eq!(fixture.write(create).await, store::Created::Done);
            ids.push(id);
            fixture.time.pass_ms(if number == 2 { -5_000 } else { 0 });
        }
        let waiting = fixture.undispatched(owner).await;
        assert_eq!(waiting.iter().map(|event| event.id).collect::<Vec<_>>(), ids);
        let listed = fixture.read(list()).await.items;
        ids.reverse();
        assert_eq!(listed.iter().map(|stored| stored.event.id).collect::<Vec<_>>(), ids);
    });
}

/// Of two reports of one event in a command, the first is stored.
#[test]
fn the_first_report_of_an_event_is_stored() {
    on_both(async |fixture| {
        let owner = merchant(1);
        let reported = event(&account(owner, 11), EventType::AccountCreated, 0);
        let again = Event { created: reported.created.plus(5), ..reported.clone() };
        let mut create = CreateObject::of(Object::Customer(customer(owner, 1)));
        create.events = vec![reported.clone(), again];
        assert_eq!(fixture.write(create).await, store::Created::Done);
        assert_eq!(fixture.event(owner, reported.id).await, Some(reported));
    });
}
