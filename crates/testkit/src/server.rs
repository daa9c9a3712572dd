//! A server in this process. It has real HTTP on a free port, a clock that only the test moves,
//! seeded randomness, and workers that the test steps. Its database is a temporary file, unless the
//! test chooses otherwise.
//!
//! [`App::behind`] serves the same store, clock and test banks by a second server, which a gate
//! holds back before each write.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use crate::client::{Client, Response};
use crate::clock::ManualClock;
use crate::engine::{EngineParts, store_settings};
use crate::payments::INTENTS;
use crate::receiver::Recorder;
use connectors::sandbox::Sandbox;
use engine::{Engine, Settings};
use lab::Lab;
use model::Word;
use model::account::Permission;
use model::clock::{AccountTime, Clock, DAY_S, ServerTime};
use model::connections_settings::Registration;
use model::id::{KeyId, MerchantId};
use model::key::{IssuedKey, KeyDigest};
use model::numbers::Numbers;
use server::Started;
use server::http::{self, ConnectionBounds, IssuedKeys, OtherServer, Record};
use server::rng::Streams;
use settings::{KeyPolicy, resolve};
use std::collections::BTreeMap;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use store::{Failpoints, KeyFile, Place, Store, StoreBounds, StoredRegistration, WriteGate};
use tokio::net::TcpListener;
use tokio::sync::watch;

/// 2026-01-01, the time at which every test begins.
pub const BEGIN_S: i64 = 1_767_225_600;
/// The number of rounds of all workers after which a test without an idle state fails.
const ROUNDS_MAX: usize = 1_000;
/// The seed of the test banks.
const BANKS_SEED: u64 = 1;
/// The seconds between the first ids of two servers on one store.
const NUMBERS_APART_S: i64 = 400 * DAY_S;

/// The store of a server.
#[derive(Clone, Debug, Default)]
pub enum Backend {
    /// A temporary database without durability.
    #[default]
    Temporary,
    /// A durable database in this file.
    File(PathBuf),
    /// In-memory collections.
    Memory,
}

/// The choices of a server.
pub struct Options {
    /// The store.
    pub backend: Backend,
    /// The accepted keys.
    pub keys: KeyPolicy,
    /// The fixed time of accounts without a test clock.
    pub account_time: Option<AccountTime>,
    /// Rejects parameters that are known but ignored.
    pub strict: bool,
    /// The origin of the server for calls that this server does not have.
    pub other_server: Option<String>,
    /// The bounds of the store.
    pub bounds: StoreBounds,
    /// The bounds of connections.
    pub connections: ConnectionBounds,
    /// The failpoint of the store.
    pub failpoints: Failpoints,
    /// The settings of the engine.
    pub settings: Settings,
    /// The clock of the store, if it differs from the server's.
    pub store_clock: Option<Arc<dyn Clock>>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            backend: Backend::default(),
            keys: KeyPolicy::Any,
            account_time: None,
            strict: false,
            other_server: None,
            bounds: StoreBounds::default(),
            connections: ConnectionBounds::default(),
            failpoints: Failpoints::default(),
            settings: Settings::default(),
            store_clock: None,
        }
    }
}

/// A running server, and a client of it.
pub struct App {
    /// The engine, for its workers and its store.
    pub engine: Arc<Engine>,
    /// The laboratory.
    pub lab: Arc<Lab>,
    client: Client,
    clock: Arc<ManualClock>,
    keys: Keys,
    settings: Settings,
    /// The number of servers on the store.
    servers: AtomicU64,
    _stop: watch::Sender<bool>,
}

/// A second server on the store of an [`App`], and a client of it.
pub struct Behind {
    /// The engine, for its workers.
    pub engine: Arc<Engine>,
    /// A client of the server.
    pub client: Client,
    _stop: watch::Sender<bool>,
}

impl Behind {
    /// Steps every worker of this server until all are idle.
    pub async fn run_workers_until_idle(&self) {
        run_workers_until_idle(&self.engine).await;
    }
}

impl Deref for App {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

impl App {
    /// A server with the usual choices.
    pub async fn start() -> Self {
        Self::with(Options::default()).await
    }

    /// A server with a customer, whose id is returned.
    pub async fn with_customer() -> (Self, String) {
        let app = Self::start().await;
        let customer = app.customer().await;
        (app, customer)
    }

    /// A server with the product `gold`.
    pub async fn with_gold() -> Self {
        let app = Self::start().await;
        app.gold().await;
        app
    }

    /// A server with the product `gold` and a customer, whose id is returned.
    pub async fn with_gold_and_customer() -> (Self, String) {
        let app = Self::with_gold().await;
        let customer = app.customer().await;
        (app, customer)
    }

    /// A server with a customer on a test clock. The ids of both are returned.
    pub async fn on_clock() -> (Self, String, String) {
        let app = Self::start().await;
        let (customer, clock) = app.customer_on_clock().await;
        (app, customer, clock)
    }

    /// A server with a linked account, whose id is returned.
    pub async fn with_account() -> (Self, String) {
        let app = Self::start().await;
        let account = app.account().await;
        (app, account)
    }

    /// A refund of a new debit, with these further parameters. The refund is pending.
    pub async fn refund(&self, more: &str) -> Response {
        let form = "amount=2000&currency=usd&confirm=true&payment_method=pm_usBankAccount_success\
                    &mandate_data[customer_acceptance][type]=offline";
        let intent = self.post(INTENTS, form).await.ok().id();
        self.run_workers_until_idle().await;
        self.post("/v1/refunds", &format!("payment_intent={intent}{more}")).await.ok()
    }

    /// A server, and a receiver of webhooks without an endpoint.
    pub async fn with_receiver() -> (Self, Recorder) {
        (Self::start().await, Recorder::start().await.unwrap())
    }

    /// Three receivers of webhooks without an endpoint.
    pub async fn three_receivers() -> [Recorder; 3] {
        let receiver = async || Recorder::start().await.unwrap();
        [receiver().await, receiver().await, receiver().await]
    }

    /// A server with these choices.
    pub async fn with(options: Options) -> Self {
        let clock = ManualClock::at(BEGIN_S);
        let clock = Arc::new(match options.account_time {
            Some(time) => clock.with_fixed(time),
            None => clock,
        });
        let issued = Keys::new();
        let accepted = issued.accepted_by(options.keys);
        let store = open_store(&options, &clock, &accepted.issued);
        let Options { strict, settings, connections, other_server, .. } = options;
        let streams = Streams::seeded(1);
        let parts = EngineParts {
            store,
            sandbox: Sandbox::new(BANKS_SEED),
            clock: clock.clone(),
            rng: streams.objects,
            settings: settings.clone(),
        };
        let registry = Arc::new(accepted.issued.clone());
        let (engine, lab) = parts.build_registered(Numbers::default(), registry);
        let app = http::App::new(Arc::clone(&lab), accepted, streams.request_ids, streams.visits);
        let app = app.recording(record()).strict(strict).measuring(true).bounding(connections);
        let app = app.forwarding(other_server.as_deref().map(OtherServer::at));
        let (client, stop) = serve(app).await;
        let servers = AtomicU64::new(1);
        Self { engine, lab, client, clock, keys: issued, settings, servers, _stop: stop }
    }

    /// A second server on the same store, clock and test banks. The gate holds back its writes
    /// only. Its ids follow those of the servers that were started before it.
    pub async fn behind(&self, gate: Arc<dyn WriteGate>) -> Behind {
        let number = self.servers.fetch_add(1, Ordering::Relaxed);
        let streams = Streams::seeded(1 + number);
        let parts = EngineParts {
            store: self.engine.store().clone().behind(gate),
            sandbox: Sandbox::new(BANKS_SEED),
            clock: self.clock.clone(),
            rng: streams.objects,
            settings: self.settings.clone(),
        };
        let later = ManualClock::at(BEGIN_S + number.cast_signed() * NUMBERS_APART_S);
        let accepted = self.keys.accepted_by(KeyPolicy::Any);
        let registry = Arc::new(accepted.issued.clone());
        let (engine, lab) = parts.build_registered(Numbers::after_restart(&later), registry);
        let app = http::App::new(lab, accepted, streams.request_ids, streams.visits);
        let (client, stop) = serve(app.measuring(true)).await;
        Behind { engine, client, _stop: stop }
    }

    /// A client for use by another task.
    pub fn client(&self) -> Client {
        self.client.clone()
    }

    /// The issued keys of this server.
    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    /// A client of the same server with a new live key.
    pub fn live(&self) -> Client {
        self.client.with_key(&self.keys.issue(1, true).secret)
    }

    /// Moves the time forward.
    pub fn pass_s(&self, seconds: i64) {
        self.clock.pass_ms(seconds * 1_000);
    }

    /// Moves the time forward by a part of a second.
    pub fn pass_ms(&self, milliseconds: i64) {
        self.clock.pass_ms(milliseconds);
    }

    /// Moves the time forward, and steps every worker until all are idle.
    pub async fn elapse_s(&self, seconds: i64) {
        self.pass_s(seconds);
        self.run_workers_until_idle().await;
    }

    /// Steps every worker until all are idle.
    pub async fn run_workers_until_idle(&self) {
        run_workers_until_idle(&self.engine).await;
    }

    /// Advances a test clock to this second, with all due work.
    pub async fn advance(&self, clock: &str, to_s: i64) {
        let path = format!("/v1/test_helpers/test_clocks/{clock}/advance");
        self.post(&path, &format!("frozen_time={to_s}")).await.ok();
        self.run_workers_until_idle().await;
    }
}

async fn run_workers_until_idle(engine: &Arc<Engine>) {
    for _ in 0..ROUNDS_MAX {
        let worked = engine.run_clock_once().await.unwrap()
            + engine.run_schedule_once().await.unwrap()
            + engine.run_refresh_once().await.unwrap()
            + engine.run_dispatch_once().await.unwrap()
            + engine.run_deliver_once().await.unwrap();
        if worked == 0 {
            return;
        }
    }
    panic!("the workers were never idle");
}

/// Opens the store that the options choose.
fn open_store(options: &Options, clock: &Arc<ManualClock>, issued: &IssuedKeys) -> Store {
    let store_clock = options.store_clock.clone().unwrap_or_else(|| clock.clone());
    let place = match &options.backend {
        Backend::Memory => return Store::memory_model_within(store_clock, &options.bounds),
        Backend::Temporary => Place::Temporary,
        Backend::File(path) => Place::File(path.clone()),
    };
    let settings = store_settings(place, store_clock, Streams::seeded(2).internals);
    let (bounds, failpoints) = (options.bounds, options.failpoints.clone());
    let kept = Arc::new(issued.clone());
    Store::open(store::StoreSettings { bounds, failpoints, kept, ..settings }).unwrap()
}

/// Serves an application on a free port. Returns a client, and the sender that stops the server.
async fn serve(app: http::App) -> (Client, watch::Sender<bool>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (stop, stopping) = watch::channel(false);
    tokio::spawn(http::serve(listener, Arc::new(app), stopping));
    (Client::of(&url), stop)
}

/// Starts a server as the process does, with these settings, and returns it with a client.
pub async fn start_process(flags: &[(&'static str, &str)]) -> (Started, Client) {
    let usual = [("listen", "127.0.0.1:0"), ("memory", "true")];
    let flags = usual.iter().chain(flags).map(|(name, text)| (*name, (*text).to_owned()));
    let flags: BTreeMap<_, _> = flags.collect();
    let settings = resolve(&flags, |_| None, None).unwrap().settings().unwrap();
    let started = server::start(&settings).await.unwrap();
    let client = Client::of(&started.url);
    (started, client)
}

/// A record of all calls, if the environment names a folder for the calls of tests.
fn record() -> Option<Record> {
    let folder = std::env::var_os("BANKFEED_RECORD_TESTS")?;
    let name = format!("api-{}.jsonl", std::process::id());
    Some(Record::open(&Path::new(&folder).join(name)).unwrap())
}

/// The key file of a server, in which keys are issued while the server runs, as the operator's
/// command does.
pub struct Keys {
    path: PathBuf,
    file: KeyFile,
    made: AtomicU64,
    _folder: tempfile::TempDir,
}

/// An issued key in plain text, which is shown only once.
pub struct Issued {
    /// The id of the key.
    pub id: KeyId,
    /// The secret key.
    pub secret: String,
    /// The publishable key.
    pub publishable: String,
}

impl Keys {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("api-keys");
        let file = KeyFile::open(&path).unwrap();
        Self { path, file, made: AtomicU64::new(1), _folder: folder }
    }

    /// The keys that a server with this policy accepts.
    fn accepted_by(&self, policy: KeyPolicy) -> http::Keys {
        http::Keys { policy, issued: IssuedKeys::open(&self.path).unwrap() }
    }

    /// Issues a key for a merchant.
    pub fn issue(&self, merchant: u64, livemode: bool) -> Issued {
        let number = self.made.fetch_add(1, Ordering::Relaxed);
        let mode = if livemode { "live" } else { "test" };
        let text = |kind: &str| format!("{kind}_{mode}_{number:032}");
        let id = KeyId::from_number(number);
        let issued = Issued { id, secret: text("sk"), publishable: text("pk") };
        let key = IssuedKey {
            id,
            merchant: MerchantId::from_number(merchant),
            livemode,
            name: String::new(),
            secret: KeyDigest::of(&issued.secret),
            publishable: KeyDigest::of(&issued.publishable),
            created: ServerTime(0),
            revoked: None,
        };
        self.file.create(&key).unwrap();
        issued
    }

    /// Sets the state of a merchant's registration for live data, as the operator's command does.
    pub fn register(&self, merchant: u64, permission: Permission, state: Registration) {
        let merchant = MerchantId::from_number(merchant);
        let registration = StoredRegistration { merchant, permission, state };
        self.file.put_registration(&registration).unwrap();
    }

    /// Completes all registrations of a merchant for live data.
    pub fn register_all(&self, merchant: u64) {
        for permission in Permission::ALL {
            self.register(merchant, *permission, Registration::Active);
        }
    }

    /// Revokes a key.
    pub fn revoke(&self, issued: &Issued) {
        assert!(self.file.revoke(issued.id, ServerTime(1)).unwrap());
    }
}
