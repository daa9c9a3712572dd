//! The cost of lists of events and deliveries, and of feeds: a page of any of them takes as many steps
//! of `SQLite`'s virtual machine among 100,000 events as among 1,000.
//!
//! The samples have rare and common types, accounts, endpoints and statuses. Events with common ones
//! are copied many times. In lists the copies are newer than the samples, so a scan would pass all of
//! them before the rare ones.

use super::database::Database;
use super::rows::{linked, owner, sample};
use super::samples::T0;
use super::statements::LISTS;
use crate::sqlite::{column, event};
use crate::{
    Bounds, ClaimFeeds, CreateObject, Cursor, DeliveryPlace, DispatchEvents, EventPlace, FindEvent,
    Kind, ListDeliveries, ListEvents, ListFeed, ListLedger, Page, SettleDelivery, Written,
};
use model::Word;
use model::clock::ServerTime;
use model::delivery::{Delivery, DeliveryKey, DeliveryStatus};
use model::event::{Event, EventType};
use model::id::{AccountId, EndpointId, EventId};
use std::collections::BTreeSet;

/// The samples. Each has a number from 0 on.
const SAMPLES: u64 = 64;
/// The events that are measured in the two runs.
const FEW: i64 = 1_000;
const MANY: i64 = 100_000;

const RARE_TYPE: EventType = EventType::AccountCreated;
const COMMON_TYPE: EventType = EventType::AccountRefreshedTransactions;
const OTHER_TYPE: EventType = EventType::AccountRefreshedBalance;
/// Every event has a delivery to the common endpoint, or none.
const COMMON_ENDPOINT: u64 = 2;
const RARE_ENDPOINT: u64 = 1;

fn event_type(number: u64) -> EventType {
    match number % 4 {
        0 => RARE_TYPE,
        1 | 2 => COMMON_TYPE,
        _ => OTHER_TYPE,
    }
}

/// The endpoints of a sample with the statuses of its deliveries.
fn outcomes(number: u64) -> Vec<(u64, DeliveryStatus)> {
    let statuses = DeliveryStatus::ALL;
    let status = statuses[usize::try_from(number / 4).unwrap() % statuses.len()];
    match number / 4 % 8 {
        6 => vec![],
        7 => vec![(RARE_ENDPOINT, status), (COMMON_ENDPOINT, DeliveryStatus::Succeeded)],
        _ => vec![(COMMON_ENDPOINT, status)],
    }
}

impl Database {
    /// Writes the samples by the commands of the store.
    fn fill_events(&self) -> Vec<EventId> {
        let object = sample(Kind::Customer, 1).unwrap();
        let create =
            CreateObject { object, requires: vec![], kind_max: None, events: vec![], reply: None };
        assert_eq!(self.write(&create), crate::Created::Done);
        let events: Vec<Event> = (0..SAMPLES)
            .map(|number| {
                let mut account = linked(1 + number / 2 % 2);
                account.version = number + 1;
                let created = T0.plus(i64::try_from(number / 3).unwrap());
                Event::of_account(&account, event_type(number), 0, created, None)
            })
            .collect();
        self.batch(|batch| event::insert_many(&events, batch).unwrap());
        let now = ServerTime(T0.0 * 1_000_000);
        let claim = ClaimFeeds { merchants: vec![owner()], now, leased_until: now, forced: true };
        let claim = self.write(&claim)[0];
        let with_deliveries = (0..).zip(&events).map(|(number, event)| {
            let deliveries = outcomes(number).into_iter();
            (event.id, deliveries.map(|(to, _)| delivery(event.id, to)).collect())
        });
        let events_with_deliveries = with_deliveries.collect();
        let (objects, leased_until) = (vec![], None);
        let dispatch =
            DispatchEvents { claim, events: events_with_deliveries, objects, leased_until };
        assert_eq!(self.write(&dispatch), Written::Done);
        for (number, event) in (0..).zip(&events) {
            for (endpoint, status) in outcomes(number) {
                let settle = SettleDelivery {
                    key: delivery(event.id, endpoint).key,
                    merchant: owner(),
                    claim: 0,
                    attempt: None,
                    status,
                    due_at: now,
                };
                assert_eq!(self.write(&settle), Written::Done);
            }
        }
        events.iter().map(|event| event.id).collect()
    }

    /// Copies the samples of common types to the common endpoint alone, with this status or without
    /// deliveries, until there are `count` events.
    fn multiply_events(&self, status: DeliveryStatus, count: i64) {
        let which = format!(
            "e.type <> '{}' AND e.shard = 1 AND e.feed <= {SAMPLES} AND (SELECT COALESCE(MIN(d.status = '{}' \
             AND d.endpoint = {COMMON_ENDPOINT}), 1) FROM deliveries AS d \
             WHERE d.bucket = e.bucket AND d.shard = e.shard AND d.number = e.number)",
            RARE_TYPE.word(),
            status.word()
        );
        let sql = format!("SELECT COUNT(*) FROM events AS e WHERE {which}");
        let each: i64 = self.connection.query_row(&sql, [], |row| row.get(0)).unwrap();
        let events = "SELECT COUNT(*) FROM events";
        let have: i64 = self.connection.query_row(events, [], |row| row.get(0)).unwrap();
        let samples = column(SAMPLES);
        let (from, to) = ((have - samples) / each + 1, (count - samples) / each);
        let copies = format!(
            "WITH RECURSIVE c(n) AS (VALUES ({from}) UNION ALL SELECT n + 1 FROM c WHERE n < {to})"
        );
        let created = T0.plus(1_000).0;
        let events = format!(
            "{copies} INSERT INTO events (bucket, shard, number, merchant, account, created, \
             type, committed_at, feed, statuses, body) \
             SELECT e.bucket, e.shard, e.number + n * 1000000, e.merchant, e.account, {created}, \
             e.type, e.committed_at + n * 1000, e.feed + n * 1000, e.statuses, e.body FROM c, events AS e WHERE {which}"
        );
        let deliveries = format!(
            "{copies} INSERT INTO deliveries (bucket, shard, number, endpoint, merchant, status, \
             attempts, due_at, claim, payload, event_created, committed_at) \
             SELECT o.bucket, o.shard, o.number + n * 1000000, o.endpoint, o.merchant, o.status, \
             o.attempts, o.due_at, o.claim, o.payload, {created}, o.committed_at + n * 1000 \
             FROM c, events AS e JOIN deliveries AS o \
             ON o.bucket = e.bucket AND o.shard = e.shard AND o.number = e.number \
             WHERE {which}"
        );
        for sql in [deliveries, events] {
            self.connection.execute(&sql, []).unwrap();
        }
    }
}

fn delivery(event: EventId, endpoint: u64) -> Delivery {
    Delivery {
        key: DeliveryKey { event, endpoint: EndpointId::from_number(endpoint), outcome: false },
        merchant: owner(),
        status: DeliveryStatus::Pending,
        attempts: 0,
        due_at: ServerTime(0),
        claim: 0,
        leased_until: None,
        payload: b"{}".to_vec(),
        resent_from: None,
        mark: None,
    }
}

/// The types of lists: none, rare, common, several, a family, and a type without events.
fn types() -> Vec<Vec<String>> {
    let words = |types: &[&str]| types.iter().map(|&word| word.to_owned()).collect();
    vec![
        vec![],
        words(&[RARE_TYPE.word()]),
        words(&[COMMON_TYPE.word()]),
        words(&[RARE_TYPE.word(), COMMON_TYPE.word(), "customer.created"]),
        words(&["financial_connections.*"]),
        words(&["customer.*"]),
    ]
}

/// The steps of each list, with its name.
struct Measured<'a> {
    database: &'a Database,
    /// The event of a cursor.
    place: EventPlace,
    steps: Vec<(String, i64)>,
    lists: BTreeSet<&'static str>,
}

impl Measured<'_> {
    fn add<C: crate::Read + std::fmt::Debug>(&mut self, command: &C) {
        let steps = self.database.steps(command, &mut self.lists);
        self.steps.push((format!("{command:?}"), steps));
    }

    fn events(&mut self) {
        let (merchant, everything) = (owner(), Bounds::default());
        let within = Bounds { from: Some(T0.plus(2).0), to: Some(T0.plus(15).0) };
        for types in types() {
            for delivery_success in [None, Some(true), Some(false)] {
                for (cursor, created) in [
                    (Cursor::Newest, everything),
                    (Cursor::After(self.place), everything),
                    (Cursor::Before(self.place), everything),
                    (Cursor::Newest, within),
                ] {
                    let (types, page) = (types.clone(), Page { limit: 5, cursor });
                    self.add(&ListEvents {
                        merchant,
                        types,
                        created,
                        delivery_success,
                        only_thin: true,
                        in_preview: true,
                        page,
                    });
                }
            }
        }
    }

    fn ledger(&mut self) {
        let merchant = owner();
        for endpoint in [None, Some(RARE_ENDPOINT), Some(COMMON_ENDPOINT), Some(9)] {
            let endpoint = endpoint.map(EndpointId::from_number);
            let statuses = DeliveryStatus::ALL.iter().copied().map(Some);
            for status in statuses.chain([None]) {
                let place = DeliveryPlace {
                    event: self.place,
                    endpoint: EndpointId::from_number(COMMON_ENDPOINT),
                    outcome: false,
                };
                for cursor in [Cursor::Newest, Cursor::After(place), Cursor::Before(place)] {
                    let page = Page { limit: 5, cursor };
                    self.add(&ListLedger { merchant, endpoint, status, page });
                }
            }
        }
    }

    fn feeds(&mut self) {
        for account in [None, Some(1), Some(2), Some(3)] {
            for types in types() {
                for after in [0, 20, SAMPLES] {
                    let account = account.map(AccountId::from_number);
                    let types = types.clone();
                    self.add(&ListFeed { merchant: owner(), account, types, after, limit: 5 });
                }
            }
        }
    }
}

fn measure(database: &Database, event: EventId) -> Measured<'_> {
    let find = FindEvent { merchant: owner(), event };
    let place = database.read(&find).unwrap().place();
    let (steps, lists) = (Vec::new(), BTreeSet::new());
    let mut measured = Measured { database, place, steps, lists };
    measured.events();
    measured.ledger();
    measured.feeds();
    measured.add(&find);
    measured.add(&ListDeliveries { merchant: owner(), event });
    measured
}

/// Measures all lists among few and many events, of which the copies have this status.
fn compare(common: DeliveryStatus) {
    let database = Database::new();
    let samples = database.fill_events();
    let cursor = samples[usize::try_from(SAMPLES / 2).unwrap()];
    database.multiply_events(common, FEW);
    let few = measure(&database, cursor);
    database.multiply_events(common, MANY);
    let many = measure(&database, cursor);
    let sql = "SELECT COUNT(*) FROM events WHERE merchant = ?1";
    let owner = column(owner().number());
    let count: i64 = database.connection.query_row(sql, [owner], |row| row.get(0)).unwrap();
    assert!(count + column(SAMPLES) > MANY, "{count}");
    for ((name, few), (_, many)) in few.steps.iter().zip(&many.steps) {
        assert!(*few > 0, "{name} ran no statement");
        assert!(many * 10 <= few * 12, "{name}: {few} steps became {many}");
    }
    for (name, _) in LISTS.iter().filter(|(name, _)| name.starts_with("event_list::")) {
        assert!(many.lists.contains(name), "{name} was not measured");
    }
}

/// Every page takes about as many steps among many events. Most deliveries succeeded.
#[test]
fn lists_cost_the_same_among_many_successful_deliveries() {
    compare(DeliveryStatus::Succeeded);
}

/// Every page takes about as many steps among many events. Most deliveries failed.
#[test]
fn lists_cost_the_same_among_many_failed_deliveries() {
    compare(DeliveryStatus::Failed);
}
