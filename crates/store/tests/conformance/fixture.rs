//! The fixture of the tests: a store, a clock that tests advance, and rows to store.

pub(crate) use crate::sample::{T0, account, endpoint, row, session, test_clock};

use model::account::Account;
use model::bank::Feature;
use model::clock::{Clock, ServerTime};
use model::customer::Customer;
use model::delivery::{Delivery, DeliveryKey, DeliveryStatus};
use model::event::{Event, EventType};
use model::id::{AccountId, ClockId, CustomerId, EndpointId, EventId, MerchantId};
use model::payments::intent::{Intent, IntentStatus};
use model::refresh::{RefreshJob, RefreshKey, RefreshStatus, RunAt};
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Arc;
use store::{
    Bounds, Changed, ClaimFeeds, CompleteLink, Connection, CreateObject, Created, Cursor,
    DispatchEvents, Failpoints, FeedClaim, FindConnection, FindEvent, FindObject,
    IdempotencyRecord, Kind, ListTransactions, ListUndispatched, NewAccount, Object, Page, Place,
    Read, ResetSandbox, RestoreSnapshot, SettleDelivery, Snapshotted, Store, StoreBounds,
    StoreSettings, Write, Written,
};
use testkit::clock::ManualClock;
use testkit::objects;
use testkit::rng::SeededRng;

/// The clock of a test, at [`T0`].
pub(crate) fn begin() -> Arc<ManualClock> {
    Arc::new(ManualClock::at(T0.0))
}

/// A result of a command that can be done, or a version conflict.
pub(crate) trait Outcome: Debug + PartialEq {
    const DONE: Self;
    const CONFLICT: Self;
}

impl Outcome for Written {
    const DONE: Self = Self::Done;
    const CONFLICT: Self = Self::VersionConflict;
}

impl Outcome for Created {
    const DONE: Self = Self::Done;
    const CONFLICT: Self = Self::VersionConflict;
}

impl Outcome for Changed {
    const DONE: Self = Self::Done;
    const CONFLICT: Self = Self::VersionConflict;
}

impl Outcome for Snapshotted {
    const DONE: Self = Self::Done;
    const CONFLICT: Self = Self::VersionConflict;
}

/// A store under test.
pub(crate) struct Fixture {
    pub(crate) store: Store,
    pub(crate) time: Arc<ManualClock>,
}

impl Fixture {
    pub(crate) async fn write<C: Write>(&self, command: C) -> C::Output {
        self.store.write(command).await.unwrap()
    }

    pub(crate) async fn read<C: Read>(&self, command: C) -> C::Output {
        self.store.read(command).await.unwrap()
    }

    /// Writes a command that must be done.
    pub(crate) async fn done<C>(&self, command: C)
    where
        C: Write + Debug,
        C::Output: Outcome,
    {
        let shown = format!("{command:?}");
        assert_eq!(self.write(command).await, C::Output::DONE, "{shown}");
    }

    /// Restores a snapshot, which must be done.
    pub(crate) async fn restored(&self, command: RestoreSnapshot) {
        assert_eq!(self.store.restore_snapshot(command).await.unwrap(), Snapshotted::Done);
    }

    /// Empties a sandbox, which must be done.
    pub(crate) async fn is_reset(&self, command: ResetSandbox) {
        assert_eq!(self.store.reset_sandbox(command).await.unwrap(), Snapshotted::Done);
    }

    /// Writes a command that must be a version conflict.
    pub(crate) async fn conflicts<C>(&self, command: C)
    where
        C: Write + Debug,
        C::Output: Outcome,
    {
        let shown = format!("{command:?}");
        assert_eq!(self.write(command).await, C::Output::CONFLICT, "{shown}");
    }

    pub(crate) async fn create(&self, object: Object) {
        self.done(CreateObject::of(object)).await;
    }

    /// Dispatches an event with these deliveries, whoever has claimed the feed.
    pub(crate) async fn dispatch(
        &self,
        merchant: MerchantId,
        event: EventId,
        deliveries: Vec<Delivery>,
    ) {
        let Some(claim) = self.claim_feed(merchant, true).await else { return };
        let events = vec![(event, deliveries)];
        let dispatch = DispatchEvents { claim, events, objects: vec![], leased_until: None };
        self.done(dispatch).await;
    }

    /// Claims a feed for a second.
    pub(crate) async fn claim_feed(&self, merchant: MerchantId, forced: bool) -> Option<FeedClaim> {
        let now = self.time.now();
        let leased_until = now.plus_ms(1_000);
        let claim = ClaimFeeds { merchants: vec![merchant], now, leased_until, forced };
        self.write(claim).await.pop()
    }

    /// The events of a merchant that wait for their dispatch.
    pub(crate) async fn undispatched(&self, merchant: MerchantId) -> Vec<Event> {
        let list = ListUndispatched { merchant, limit: 99, bytes_max: usize::MAX };
        self.read(list).await.events
    }

    pub(crate) async fn find(
        &self,
        merchant: MerchantId,
        kind: Kind,
        number: u64,
    ) -> Option<Object> {
        self.read(FindObject { merchant, kind, number }).await
    }

    pub(crate) async fn event(&self, merchant: MerchantId, event: EventId) -> Option<Event> {
        self.read(FindEvent { merchant, event }).await.map(|stored| stored.event)
    }

    pub(crate) async fn connection(&self, account: &Account) -> Option<Connection> {
        self.read(FindConnection { merchant: account.merchant, account: account.id }).await
    }

    /// The ordinals of an account's transactions.
    pub(crate) async fn rows(&self, account: &Account) -> Vec<u32> {
        let listed = self.read(list_rows(account.merchant, account.id)).await;
        let items = listed.map(|listed| listed.page.items).unwrap_or_default();
        items.iter().map(|row| row.id.ordinal).collect()
    }

    /// Links a new account and returns it.
    pub(crate) async fn linked(&self, merchant: MerchantId, number: u64) -> Account {
        let account = account(merchant, number);
        self.link(account.clone(), vec![]).await;
        account
    }

    /// Links an account through its own session.
    pub(crate) async fn link(&self, account: Account, started: Vec<RefreshJob>) {
        let mut session = session(account.merchant, account.id.number());
        self.create(Object::Session(session.clone())).await;
        session.version = 2;
        let connection = connection(&account);
        let new = NewAccount { account, connection, started, events: vec![] };
        let command = CompleteLink::of(vec![Object::Session(session)], vec![new]);
        self.done(command).await;
    }
}

/// An empty database in a temporary file.
pub(crate) fn sqlite(time: Arc<ManualClock>) -> Store {
    sqlite_within(time, StoreBounds::default())
}

/// The same with these bounds.
fn sqlite_within(time: Arc<ManualClock>, bounds: StoreBounds) -> Store {
    Store::open(StoreSettings {
        place: Place::Temporary,
        seal_key: [7; 32],
        failpoints: Failpoints::default(),
        rng: Arc::new(SeededRng::new(1)),
        clock: time,
        readers: 4,
        bounds,
        kept: Arc::new(()),
    })
    .unwrap()
}

/// Runs a test on each back end.
pub(crate) fn on_both(test: impl AsyncFn(Fixture)) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let time = begin();
    let store = Store::memory_model(Arc::clone(&time) as Arc<dyn Clock>);
    runtime.block_on(test(Fixture { store, time }));
    on_database(test);
}

/// Runs a test on each back end, with these bounds.
pub(crate) fn on_both_within(bounds: StoreBounds, test: impl AsyncFn(Fixture)) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let stores: [fn(Arc<ManualClock>, StoreBounds) -> Store; 2] =
        [|time, bounds| Store::memory_model_within(time, &bounds), sqlite_within];
    for store in stores {
        let time = begin();
        runtime.block_on(test(Fixture { store: store(Arc::clone(&time), bounds), time }));
    }
}

/// Runs a test on the database.
pub(crate) fn on_database(test: impl AsyncFn(Fixture)) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let time = begin();
    runtime.block_on(test(Fixture { store: sqlite(Arc::clone(&time)), time }));
}

pub(crate) fn merchant(number: u64) -> MerchantId {
    MerchantId::from_number(100 + number)
}

pub(crate) fn first<C>(limit: u32) -> Page<C> {
    Page { limit, cursor: Cursor::Newest }
}

pub(crate) fn customer(merchant: MerchantId, number: u64) -> Customer {
    Customer { id: CustomerId::from_number(number), merchant, ..objects::customer() }
}

/// A payment in progress that settles after a day. The first one is on a test clock.
pub(crate) fn payment_intent(merchant: MerchantId, number: u64) -> Intent {
    Intent {
        number,
        merchant,
        clock: (number == 1).then(|| ClockId::from_number(1)),
        client_secret: format!("pi_{number}_secret"),
        status: IntentStatus::Processing,
        settles_at: Some(T0.plus(86_400)),
        ..objects::payment_intent()
    }
}

/// The list of an account's transactions.
pub(crate) fn list_rows(merchant: MerchantId, account: AccountId) -> ListTransactions {
    let (transacted_at, after, page) = (Bounds::default(), None, first(10));
    ListTransactions { merchant, account, transacted_at, after, page }
}

/// The settlement of a delivery under its claim, without an attempt.
pub(crate) fn settlement(
    delivery: &Delivery,
    status: DeliveryStatus,
    due_at: ServerTime,
) -> SettleDelivery {
    let Delivery { key, merchant, claim, .. } = *delivery;
    SettleDelivery { key, merchant, claim, attempt: None, status, due_at }
}

/// The next version of an account.
pub(crate) fn next(account: &Account) -> Account {
    Account { version: account.version + 1, ..account.clone() }
}

pub(crate) fn connection(account: &Account) -> Connection {
    Connection {
        account: account.id,
        merchant: account.merchant,
        version: 1,
        relinked_at: T0,
        credential: b"a password at the bank".to_vec(),
        state: vec![],
        cursors: BTreeMap::new(),
    }
}

/// A pending refresh that may run now.
pub(crate) fn job(account: &Account, feature: Feature, sequence: u32) -> RefreshJob {
    RefreshJob {
        key: RefreshKey { account: account.id, feature, sequence },
        merchant: account.merchant,
        clock: account.clock,
        status: RefreshStatus::Pending,
        started_at: T0,
        started_server: ServerTime(T0.0 * 1_000_000),
        run_at: RunAt::Server(ServerTime(0)),
        claim: 0,
        leased_until: None,
        attempts: 0,
    }
}

pub(crate) fn event(account: &Account, event_type: EventType, index: u8) -> Event {
    Event::of_account(account, event_type, index, T0, None)
}

pub(crate) fn reply(merchant: MerchantId, key: &str, at: ServerTime) -> IdempotencyRecord {
    IdempotencyRecord {
        merchant,
        key: key.to_owned(),
        fingerprint: [1; 32],
        request_id: "req_1".to_owned(),
        status: 200,
        body: b"{\"client_secret\":\"a secret response\"}".to_vec(),
        at,
    }
}

pub(crate) fn delivery(
    merchant: MerchantId,
    event: EventId,
    endpoint: u64,
    due_at: ServerTime,
) -> Delivery {
    Delivery {
        key: DeliveryKey { event, endpoint: EndpointId::from_number(endpoint), outcome: false },
        merchant,
        status: DeliveryStatus::Pending,
        attempts: 0,
        due_at,
        claim: 0,
        leased_until: None,
        payload: b"{}".to_vec(),
        resent_from: None,
        mark: None,
    }
}
