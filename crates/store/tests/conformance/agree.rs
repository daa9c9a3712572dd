//! The property that both back ends agree: any list of commands has the same outputs on the
//! database and on the in-memory model, and everything that can be read afterwards is equal.

use crate::fixture::{
    T0, Time, account, connection, customer, delivery, endpoint, event, job, merchant,
    payment_intent, reply, row, session, sqlite, test_clock,
};
use crate::steps::{At, Change, End, Item, Many, New, PutOff, Step, What, steps};
use model::Word;
use model::account::{Account, AccountStatus, Holder, InactiveCause, StatusAction};
use model::bank::Feature;
use model::clock::{AccountTime, Clock, ClockStatus};
use model::delivery::{Attempt, Delivery, DeliveryStatus};
use model::event::{Event, EventType};
use model::id::{AccountId, ClockId, CustomerId, EndpointId, OwnershipId, SnapshotId};
use model::ownership::Ownership;
use model::refresh::{RefreshJob, RefreshKey, RefreshStatus, RunAt};
use proptest::prelude::*;
use std::fmt::Debug;
use std::sync::Arc;
use store::{
    AccountChange, ApplyRefresh, ChangeAccount, ChangeConnection, ChangeObject, ChangeObjects,
    Claim, ClaimClocks, ClaimDeliveries, ClaimRefreshes, ClockClaim, ClockItem, CompleteLink,
    Connection, CreateObject, DispatchEvent, FailRefresh, FindAccount, FindConnection, FindObject,
    Kind, NewAccount, Object, Prune, PutOffRefresh, Read, RecordReply, ReleaseDelivery, Reply,
    ResendDeliveries, SettleDelivery, StartAdvance, StepClock, Store, Write,
};

/// Kinds that differ for the store. Every other kind is stored like one of these.
pub(crate) const KINDS: [Kind; 5] =
    [Kind::Customer, Kind::Session, Kind::Endpoint, Kind::TestClock, Kind::PaymentIntent];

/// Both back ends, and the ids and claims that the test has received from them.
pub(crate) struct Both {
    pub(crate) database: Store,
    pub(crate) model: Store,
    pub(crate) time: Arc<Time>,
    jobs: Vec<RefreshJob>,
    clocks: Vec<ClockClaim>,
    deliveries: Vec<Delivery>,
    events: Vec<Event>,
    pub(crate) snapshots: Vec<SnapshotId>,
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

    async fn find_account(&self, number: u64) -> Option<Account> {
        let account = AccountId::from_number(number);
        for owner in [merchant(0), merchant(1)] {
            let found = self.read(FindAccount { merchant: owner, account }).await;
            if found.is_some() {
                return found;
            }
        }
        None
    }

    pub(crate) fn key(&self, owner: u64, key: Option<u8>) -> Option<Reply> {
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
                self.write(CreateObject { object, kind_max: room, events: vec![], reply }).await;
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
                self.write(ChangeObject { object, events: vec![], reply }).await;
            }
            Step::ChangeMany { objects, key } => {
                let reply = objects.first().and_then(|many| self.key(many.at.owner, key));
                let objects = self.many(&objects).await;
                self.write(ChangeObjects { objects, events: vec![], reply }).await;
            }
            Step::Link { owner, session: number, new, again, key } => {
                let mut carrier = session(merchant(owner), number);
                let find = FindObject { merchant: merchant(owner), kind: Kind::Session, number };
                let version = self.read(find).await.map_or(1, |object| object.version());
                carrier.version = version + 1;
                let new = new.iter().map(|new| new_account(owner, new)).collect();
                let again = match again {
                    Some(number) => self.find_account(number).await,
                    None => None,
                };
                let again = again.map(|account| AccountChange::of(crate::fixture::next(&account)));
                self.write(CompleteLink {
                    objects: vec![Object::Session(carrier)],
                    new,
                    again: again.into_iter().collect(),
                    reply: self.key(owner, key),
                })
                .await;
            }
            Step::Account { change, key } => {
                let Some(change) = self.change(&change, 0).await else { return };
                self.events.extend(change.events.iter().cloned());
                let reply = self.key(change.account.merchant.number() - 100, key);
                self.write(ChangeAccount { change, reply }).await;
            }
            Step::Connection { number, current } => {
                let Some(account) = self.find_account(number).await else { return };
                let Some(connection) = self.next_connection(&account, current).await else {
                    return;
                };
                self.write(ChangeConnection { connection, reply: None }).await;
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
                let claimed = self.write(ClaimRefreshes { now, leased_until, limit }).await;
                self.jobs.extend(claimed.unwrap());
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
            Step::ClaimClocks => {
                let claimed = self.write(ClaimClocks { now, leased_until, limit: 2 }).await;
                self.clocks.extend(claimed.unwrap());
            }
            Step::MoveClock { claim, ready, items } => {
                self.step_clock(claim, ready, &items).await;
            }
            Step::Dispatch { event, endpoints, owner } => {
                let Some(event) = pick(&self.events, event) else { return };
                let deliveries = endpoints
                    .iter()
                    .map(|endpoint| delivery(merchant(owner), event.id, *endpoint, now));
                let deliveries: Vec<Delivery> = deliveries.collect();
                self.deliveries.extend(deliveries.iter().cloned());
                let event = event.id;
                let merchant = merchant(owner);
                self.write(DispatchEvent { merchant, event, deliveries }).await;
            }
            Step::ClaimDeliveries { limit, per_endpoint, in_flight } => {
                let in_flight = vec![(EndpointId::from_number(1), in_flight)];
                let claim = ClaimDeliveries { now, leased_until, limit, per_endpoint, in_flight };
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
                self.write(RecordReply { reply }).await;
            }
            Step::Prune => {
                self.write(Prune { now }).await;
            }
            Step::Sandbox { owner, what } => self.run_sandbox(owner, what).await,
            Step::Pass { ms } => self.time.pass_ms(ms),
            _ => self.compare_all().await,
        }
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
        let attempt = attempt.map(|number| Attempt {
            number,
            at: now,
            status: Some(200),
            duration_ms: 1,
            body: String::new(),
            error: None,
            signature: None,
            resent: false,
            fault: None,
        });
        self.write(SettleDelivery {
            key: delivery.key,
            merchant: delivery.merchant,
            claim: delivery.claim + u32::from(old),
            attempt,
            status,
            due_at: now.plus_ms(1_000),
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
                    Some(ClockItem::Objects { objects, events: vec![] })
                }
            });
        }
        let leased_until = self.time.now().plus_ms(60_000);
        self.write(StepClock { claim, clock, items: done, events: vec![], leased_until }).await;
    }

    /// The next versions of several objects of the first one's merchant. Objects that do not exist
    /// are created.
    async fn many(&self, many: &[Many]) -> Vec<Object> {
        let mut objects = Vec::new();
        for Many { at, current } in many {
            let at = At { owner: many[0].at.owner, ..*at };
            let (kind, number) = (KINDS[at.kind], at.number);
            let find = FindObject { merchant: merchant(at.owner), kind, number };
            objects.push(match self.read(find).await {
                Some(object) => changed(object, *current, false),
                None => made(at),
            });
        }
        objects
    }

    async fn next_connection(&self, account: &Account, current: bool) -> Option<Connection> {
        let find = FindConnection { merchant: account.merchant, account: account.id };
        let mut connection = self.read(find).await?;
        connection.version += u64::from(current);
        connection.state = connection.version.to_le_bytes().to_vec();
        connection.cursors.insert(Feature::Balance, b"next".to_vec());
        Some(connection)
    }

    async fn change(&self, change: &Change, raised: u64) -> Option<AccountChange> {
        let mut account = self.find_account(change.number).await?;
        account.version += raised + u64::from(change.current);
        let mut started = vec![];
        let mut ended = vec![];
        match &change.what {
            What::Due(at) => account.daily_due_at = at.map(AccountTime),
            What::Start { feature, sequence, on_clock } => {
                let mut job = job(&account, Feature::ALL[*feature], *sequence);
                if let Some(at) = on_clock {
                    job.run_at = RunAt::Clock(AccountTime(*at));
                }
                started.push(job);
            }
            What::Deactivate => {
                let cause = InactiveCause::AccountClosed;
                account.status = AccountStatus::Inactive { cause, action: StatusAction::None };
            }
            What::Disconnect => account.status = AccountStatus::Disconnected,
            What::Interrupt { job } => {
                ended.extend(pick(&self.jobs, *job).map(|job| (job.key, RefreshStatus::Failed)));
            }
        }
        let connection =
            if change.connection { self.next_connection(&account, true).await } else { None };
        let events = if change.event {
            vec![event(&account, EventType::AccountReactivated, 0)]
        } else {
            vec![]
        };
        Some(AccountChange { account, started, ended, connection, events })
    }

    async fn put_off(&self, put_off: &PutOff) -> Option<PutOffRefresh> {
        let job = pick(&self.jobs, put_off.job)?;
        let run_at = if put_off.on_clock {
            RunAt::Clock(AccountTime(2))
        } else {
            RunAt::Server(self.time.now().plus_ms(1))
        };
        let connection = match self.find_account(job.key.account.number()).await {
            Some(account) if put_off.connection => self.next_connection(&account, true).await,
            _ => None,
        };
        let number = Some(job.claim + u32::from(put_off.old));
        let claim = Claim { key: job.key, merchant: job.merchant, number };
        Some(PutOffRefresh { claim, run_at, attempts: job.attempts + 1, connection })
    }

    async fn end(&self, end: &End, raised: u64) -> Option<ClockItem> {
        let job = pick(&self.jobs, end.job)?;
        let mut account = self.find_account(job.key.account.number()).await?;
        // Ids repeat in this test: after a reset the account may belong to another merchant.
        if account.merchant != job.merchant {
            return None;
        }
        account.version += raised + u64::from(end.current);
        let mut claim = Claim {
            key: job.key,
            merchant: job.merchant,
            number: Some(job.claim + u32::from(end.old)),
        };
        let mut change = AccountChange {
            events: vec![event(&account, EventType::refreshed(job.key.feature), 0)],
            ..AccountChange::of(account)
        };
        if let Some(sequence) = end.ended_now {
            claim.number = None;
            claim.key = RefreshKey { sequence, ..job.key };
            change.started.push(RefreshJob { key: claim.key, ..job.clone() });
        }
        if end.fails {
            return Some(ClockItem::Fail(Box::new(FailRefresh { claim, change })));
        }
        let account = job.key.account;
        let rows = end.rows.iter().map(|(listed_at, ordinal, transacted_at)| {
            let mut row = row(account, *listed_at, *ordinal);
            row.shown.transacted_at = AccountTime(*transacted_at);
            row.shown.sequence = claim.key.sequence;
            row
        });
        let id = OwnershipId { account, sequence: claim.key.sequence };
        let ownership = end.owners.then(|| Ownership { id, created: T0, owners: vec![] });
        let apply = ApplyRefresh { claim, change, rows: rows.collect(), ownership };
        Some(ClockItem::Apply(Box::new(apply)))
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

fn made(at: At) -> Object {
    let owner = merchant(at.owner);
    match KINDS[at.kind] {
        Kind::Customer => Object::Customer(customer(owner, at.number)),
        Kind::Session => Object::Session(session(owner, at.number)),
        Kind::Endpoint => Object::Endpoint(endpoint(owner, at.number)),
        Kind::TestClock => Object::TestClock(test_clock(owner, at.number)),
        _ => Object::PaymentIntent(payment_intent(owner, at.number)),
    }
}

fn changed(mut object: Object, current: bool, gone: bool) -> Object {
    let raise = u64::from(current);
    match &mut object {
        Object::Customer(customer) => {
            customer.version += raise;
            customer.deleted |= gone;
            customer.balance += 1;
        }
        Object::Session(session) => session.version += raise,
        Object::Endpoint(endpoint) => {
            endpoint.version += raise;
            endpoint.deleted |= gone;
            endpoint.secrets.reverse();
        }
        Object::TestClock(clock) => {
            clock.version += raise;
            clock.deleted |= gone;
        }
        Object::PaymentIntent(intent) => {
            intent.version += raise;
            intent.settles_at = intent.settles_at.map(|at| at.plus(1)).filter(|_| !gone);
        }
        other => panic!("nobody makes a {}", other.kind().word()),
    }
    object
}

fn new_account(owner: u64, new: &New) -> NewAccount {
    let mut account = account(merchant(owner), new.number);
    account.bank_account = format!("bank account {}", new.bank_account);
    account.created = T0.plus(i64::from(new.bank_account));
    account.holder = match new.holder {
        0 => None,
        1 => Some(Holder::Account("acct_x".to_owned())),
        other => Some(Holder::Customer(CustomerId::from_number(u64::from(other) - 1))),
    };
    account.clock = new.clock.then(|| ClockId::from_number(1));
    let connection = connection(&account);
    let started = if new.started { vec![job(&account, Feature::Balance, 1)] } else { vec![] };
    let events = vec![event(&account, EventType::AccountCreated, 0)];
    NewAccount { account, connection, started, events }
}

fn agree(steps: Vec<Step>) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let time = Time::begin();
    let mut both = Both {
        database: sqlite(Arc::clone(&time)),
        model: Store::memory_model(Arc::clone(&time) as Arc<dyn Clock>),
        time,
        jobs: vec![],
        clocks: vec![],
        deliveries: vec![],
        events: vec![],
        snapshots: vec![],
    };
    runtime.block_on(async {
        for step in beginning().into_iter().chain(steps) {
            both.run(step).await;
        }
        both.compare_all().await;
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    /// The database agrees with the in-memory model on every list of steps.
    #[test]
    fn both_answer_alike(steps in steps()) {
        agree(steps);
    }
}
