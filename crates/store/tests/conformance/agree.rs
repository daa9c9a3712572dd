//! The property that both back ends agree. Any list of commands has equal outputs on the database
//! and on the in-memory model, and everything that can be read afterwards is equal.

use crate::changes::{changed, made, new_account};
use crate::fixture::{T0, begin, delivery, merchant, reply, session, settlement, sqlite};
use crate::steps::{At, Item, New, Step, steps};
use model::Word;
use model::account::Account;
use model::clock::{Clock, ClockStatus, ServerTime};
use model::delivery::{Delivery, DeliveryStatus};
use model::event::Event;
use model::id::{AccountId, ClockId, EndpointId, MerchantId, SnapshotId};
use model::refresh::RefreshJob;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Arc;
use store::{
    AccountChange, ChangeAccount, ChangeConnection, ChangeObject, ChangeObjects, ClaimClocks,
    ClaimDeliveries, ClaimFeeds, ClaimRefreshes, ClockClaim, ClockItem, CompleteLink, CountPlaces,
    CreateIdempotencyRecord, CreateObject, DispatchEvents, EndpointLoad, FeedClaim, FindAccount,
    FindObject, IdempotencyRecord, Kind, Object, Prune, Read, ReleaseDelivery, ResendDeliveries,
    SandboxCopy, SettleDelivery, StartAdvance, StepClock, Store, UseMerchants, Write,
};
use testkit::clock::ManualClock;

/// Kinds that differ for the store. Every other kind is stored like one of these.
pub(crate) const KINDS: [Kind; 5] =
    [Kind::Customer, Kind::Session, Kind::Endpoint, Kind::TestClock, Kind::PaymentIntent];

/// Both back ends, and the ids and claims that the test has received from them.
pub(crate) struct Both {
    pub(crate) database: Store,
    pub(crate) model: Store,
    pub(crate) time: Arc<ManualClock>,
    pub(crate) jobs: Vec<RefreshJob>,
    clocks: Vec<ClockClaim>,
    deliveries: Vec<Delivery>,
    events: Vec<Event>,
    /// The newest claim of each feed.
    feeds: BTreeMap<MerchantId, u32>,
    pub(crate) snapshots: Vec<SnapshotId>,
    /// The newest copy of each sandbox, from the database and from the model.
    pub(crate) copies: BTreeMap<u64, [SandboxCopy; 2]>,
    /// The owner of each account that was linked.
    owners: BTreeMap<u64, u64>,
}

impl Both {
    pub(crate) async fn write<C: Write + Clone + Debug>(&self, command: C) -> Option<C::Output>
    where
        C::Output: Debug + PartialEq,
    {
        let database = self.database.write(command.clone()).await.ok();
        let model = self.model.write(command.clone()).await.ok();
        assert_eq!(database, model, "{command:?}");
        model
    }

    pub(crate) async fn read<C: Read + Clone + Debug>(&self, command: C) -> C::Output
    where
        C::Output: Debug + PartialEq,
    {
        let database = self.database.read(command.clone()).await.unwrap();
        let model = self.model.read(command.clone()).await.unwrap();
        assert_eq!(database, model, "{command:?}");
        model
    }

    pub(crate) async fn find_account(&self, number: u64) -> Option<Account> {
        let account = AccountId::from_number(number);
        for owner in [merchant(0), merchant(1)] {
            let found = self.read(FindAccount { merchant: owner, account }).await;
            if found.is_some() {
                return found;
            }
        }
        None
    }

    pub(crate) fn key(&self, owner: u64, key: Option<u8>) -> Option<IdempotencyRecord> {
        key.map(|key| reply(merchant(owner), &format!("key {key}"), self.time.now()))
    }

    async fn run(&mut self, step: Step) {
        match step {
            Step::Create { at, email, on_clock, room, key } => {
                let mut object = made(at);
                if let Object::Customer(customer) = &mut object {
                    customer.email = email.map(|email| format!("{email}@example.com"));
                    customer.test_clock = on_clock.then(|| ClockId::from_number(1));
                    customer.created = T0.plus(i64::from(email.unwrap_or(0)));
                }
                let reply = self.key(at.owner, key);
                self.write(CreateObject { kind_max: room, reply, ..CreateObject::of(object) })
                    .await;
            }
            Step::Change { at, current, deleted, key } => {
                let find = FindObject {
                    merchant: merchant(at.owner),
                    kind: KINDS[at.kind],
                    number: at.number,
                };
                let Some(object) = self.read(find).await else { return };
                let object = changed(object, current, deleted);
                let reply = self.key(at.owner, key);
                self.write(ChangeObject { reply, ..ChangeObject::of(object) }).await;
            }
            Step::ChangeMany { objects, key } => {
                let reply = objects.first().and_then(|many| self.key(many.at.owner, key));
                let objects = self.many(&objects).await;
                self.write(ChangeObjects { reply, ..ChangeObjects::of(objects) }).await;
            }
            Step::Link { owner, session: number, new, again, key } => {
                let mut carrier = session(merchant(owner), number);
                let find = FindObject { merchant: merchant(owner), kind: Kind::Session, number };
                let version = self.read(find).await.map_or(1, |object| object.version());
                carrier.version = version + 1;
                // The ids of accounts are unique in the server, so each has one owner.
                let owners = &mut self.owners;
                let is_own = |new: &&New| *owners.entry(new.number).or_insert(owner) == owner;
                let new = new.iter().filter(is_own).map(|new| new_account(owner, new)).collect();
                let again = match again {
                    Some(number) => self.find_account(number).await,
                    None => None,
                };
                let again = again.map(|account| AccountChange::of(crate::fixture::next(&account)));
                self.write(CompleteLink {
                    again: again.into_iter().collect(),
                    reply: self.key(owner, key),
                    ..CompleteLink::of(vec![Object::Session(carrier)], new)
                })
                .await;
            }
            Step::Account { change, key } => {
                let Some(change) = self.change(&change, 0).await else { return };
                self.events.extend(change.events.iter().cloned());
                let reply = self.key(change.account.merchant.number() - 100, key);
                self.write(ChangeAccount { change, reply, requires: Vec::new() }).await;
            }
            Step::Connection { number, current } => {
                let Some(account) = self.find_account(number).await else { return };
                let Some(connection) = self.next_connection(&account, current).await else {
                    return;
                };
                self.write(ChangeConnection::of(connection)).await;
            }
            other => self.run_work(other).await,
        }
    }

    /// Runs a step of a worker.
    async fn run_work(&mut self, step: Step) {
        let now = self.time.now();
        let leased_until = now.plus_ms(60_000);
        match step {
            Step::ClaimRefreshes { limit } => {
                let claimed = self
                    .write(ClaimRefreshes {
                        now,
                        leased_until,
                        limit,
                        free: 999,
                        in_progress: vec![],
                    })
                    .await;
                self.jobs.extend(claimed.unwrap().jobs);
            }
            Step::PutOff { put_off } => {
                let Some(put_off) = self.put_off(&put_off).await else { return };
                self.write(put_off).await;
            }
            Step::End { end } => match self.end(&end, 0).await {
                Some(ClockItem::Apply(apply)) => {
                    self.events.extend(apply.change.events.iter().cloned());
                    self.write(*apply).await;
                }
                Some(ClockItem::Fail(fail)) => {
                    self.write(*fail).await;
                }
                _ => {}
            },
            Step::StartAdvance { owner, number } => {
                let Some(mut clock) = self.find_clock(owner, number).await else { return };
                clock.version += 1;
                clock.status = ClockStatus::Advancing;
                self.write(StartAdvance { clock, events: vec![], reply: None }).await;
            }
            Step::ClaimClocks => self.claim_clocks(leased_until).await,
            Step::MoveClock { claim, ready, items } => {
                self.step_clock(claim, ready, &items).await;
            }
            Step::ClaimFeeds { forced } => {
                let merchants = vec![merchant(0), merchant(1)];
                let claim = ClaimFeeds { merchants, now, leased_until, forced };
                for claim in self.write(claim).await.unwrap() {
                    self.feeds.insert(claim.merchant, claim.number);
                }
            }
            Step::Dispatch { event, endpoints, owner, old } => {
                let Some(event) = pick(&self.events, event) else { return };
                let deliveries = endpoints
                    .iter()
                    .map(|endpoint| delivery(merchant(owner), event.id, *endpoint, now));
                let deliveries: Vec<Delivery> = deliveries.collect();
                self.deliveries.extend(deliveries.iter().cloned());
                let merchant = merchant(owner);
                let number = self.feeds.get(&merchant).copied().unwrap_or(0);
                let claim = FeedClaim { merchant, number: number + u32::from(old) };
                let events = vec![(event.id, deliveries)];
                self.write(DispatchEvents { claim, events, objects: vec![], leased_until: None })
                    .await;
            }
            Step::ClaimDeliveries { limit, free, per_endpoint, in_flight } => {
                let (endpoint, owner) = (EndpointId::from_number(1), merchant(1));
                let in_flight = vec![EndpointLoad { endpoint, owner, deliveries: in_flight }];
                let claim =
                    ClaimDeliveries { now, leased_until, limit, free, per_endpoint, in_flight };
                self.deliveries.extend(self.write(claim).await.unwrap());
            }
            Step::Resend { delivery, others, key } => self.resend(delivery, &others, key).await,
            Step::Release { delivery: position } => {
                let Some(stored) = pick(&self.deliveries, position) else { return };
                self.write(ReleaseDelivery { key: stored.key, merchant: stored.merchant, now })
                    .await;
            }
            Step::Settle { delivery, status, attempt, old } => {
                self.settle(delivery, DeliveryStatus::ALL[status], attempt, old).await;
            }
            Step::Reply { owner, key } => {
                let reply = self.key(owner, Some(key)).unwrap();
                self.write(CreateIdempotencyRecord { record: reply }).await;
            }
            Step::Prune => {
                self.write(Prune { now }).await;
            }
            Step::Use { owner, livemode } => {
                self.write(UseMerchants { merchants: vec![(merchant(owner), livemode)], now })
                    .await;
                self.read(CountPlaces).await;
            }
            Step::Sandbox { owner, what } => self.run_sandbox(owner, what).await,
            Step::Pass { ms } => self.time.pass_ms(ms),
            _ => self.compare_all().await,
        }
    }

    async fn claim_clocks(&mut self, leased_until: ServerTime) {
        // Each store has an order of its own for merchants.
        let (limit, free, in_progress) = (99, 999, vec![]);
        let now = self.time.now();
        let claim = ClaimClocks { now, leased_until, after: None, limit, free, in_progress };
        let mut claimed = self.database.write(claim.clone()).await.unwrap();
        let mut of_model = self.model.write(claim).await.unwrap();
        claimed.sort_by_key(|claim| (claim.merchant, claim.clock));
        of_model.sort_by_key(|claim| (claim.merchant, claim.clock));
        assert_eq!(claimed, of_model);
        self.clocks.extend(claimed);
    }

    async fn resend(&self, position: usize, others: &[u64], key: Option<u8>) {
        let Some(stored) = pick(&self.deliveries, position) else { return };
        let (merchant, event, now) = (stored.merchant, stored.key.event, self.time.now());
        let others = others.iter().map(|endpoint| delivery(merchant, event, *endpoint, now));
        let deliveries = std::iter::once(stored.clone()).chain(others).collect();
        let reply = self.key(merchant.number() - 100, key);
        self.write(ResendDeliveries { merchant, event, deliveries, now, reply }).await;
    }

    async fn settle(
        &self,
        delivery: usize,
        status: DeliveryStatus,
        attempt: Option<u32>,
        old: bool,
    ) {
        let Some(delivery) = pick(&self.deliveries, delivery) else { return };
        let now = self.time.now();
        let attempt = attempt.map(|number| testkit::objects::attempt(number, now));
        self.write(SettleDelivery {
            claim: delivery.claim + u32::from(old),
            attempt,
            ..settlement(delivery, status, now.plus_ms(1_000))
        })
        .await;
    }

    async fn find_clock(&self, owner: u64, number: u64) -> Option<model::clock::TestClock> {
        let find = FindObject { merchant: merchant(owner), kind: Kind::TestClock, number };
        match self.read(find).await {
            Some(Object::TestClock(clock)) => Some(clock),
            _ => None,
        }
    }

    async fn step_clock(&mut self, claim: usize, ready: bool, items: &[Item]) {
        let Some(claim) = pick(&self.clocks, claim).copied() else { return };
        let find = FindObject {
            merchant: claim.merchant,
            kind: Kind::TestClock,
            number: claim.clock.number(),
        };
        let Some(Object::TestClock(mut clock)) = self.read(find).await else { return };
        clock.version += 1;
        clock.status = if ready { ClockStatus::Ready } else { ClockStatus::Advancing };
        let mut done = Vec::new();
        for (position, item) in items.iter().enumerate() {
            // Each item is based on the versions that the items before it wrote.
            let raised = position as u64;
            done.extend(match item {
                Item::Change(change) => {
                    let change = self.change(change, raised).await;
                    change.map(|change| ClockItem::Change(Box::new(change)))
                }
                Item::PutOff(put_off) => {
                    let put_off = self.put_off(put_off).await;
                    put_off.map(|put_off| ClockItem::PutOff(Box::new(put_off)))
                }
                Item::End(end) => self.end(end, raised).await,
                Item::Objects(many) => {
                    let objects = self.many(many).await;
                    Some(ClockItem::Objects { objects, events: vec![], requires: Vec::new() })
                }
            });
        }
        let leased_until = self.time.now().plus_ms(60_000);
        self.write(StepClock { claim, clock, items: done, events: vec![], leased_until }).await;
    }
}

/// One of the newest items, because these are the most likely to be valid still.
pub(crate) fn pick<T>(items: &[T], index: usize) -> Option<&T> {
    let newest = &items[items.len().saturating_sub(4)..];
    newest.get(index.checked_rem(newest.len())?)
}

/// The first steps of every list, so that the rows they create need not be found by chance.
fn beginning() -> Vec<Step> {
    let mut steps = Vec::new();
    for owner in 0..2 {
        for (kind, number) in [(0, 1), (1, 1), (1, 2), (1, 3), (2, 1), (3, 1)] {
            let at = At { owner, kind, number };
            let (email, on_clock) = (Some(0), number == 1);
            steps.push(Step::Create { at, email, on_clock, room: None, key: None });
        }
        let new = (1..=2).map(|number| New {
            number: number + owner * 2,
            bank_account: u8::try_from(number).unwrap(),
            holder: 2,
            clock: number == 1,
            started: true,
        });
        let new = new.collect();
        steps.push(Step::Link { owner, session: 1, new, again: None, key: None });
    }
    steps.push(Step::ClaimRefreshes { limit: 4 });
    steps
}

fn agree(steps: Vec<Step>) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let time = begin();
    let mut both = Both {
        database: sqlite(Arc::clone(&time)),
        model: Store::memory_model(Arc::clone(&time) as Arc<dyn Clock>),
        time,
        jobs: vec![],
        clocks: vec![],
        deliveries: vec![],
        events: vec![],
        feeds: BTreeMap::new(),
        snapshots: vec![],
        copies: BTreeMap::new(),
        owners: BTreeMap::new(),
    };
    runtime.block_on(async {
        for step in beginning().into_iter().chain(steps) {
            both.run(step).await;
        }
        both.compare_all().await;
    });
}

proptest! {
    // A failing list is stored in `tests/proptest-regressions/` and runs first from then on.
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    /// The database agrees with the in-memory model on every list of steps.
    #[test]
    fn both_back_ends_agree(steps in steps()) {
        agree(steps);
    }
}
