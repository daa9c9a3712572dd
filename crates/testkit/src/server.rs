//! A server in this process. It has real HTTP on a free port, a clock that only the test moves,
//! seeded randomness, and workers that the test steps. Its database is a temporary file.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use crate::client::Client;
use crate::clock::ManualClock;
use crate::engine::{EngineParts, store_settings};
use connectors::sandbox::Sandbox;
use engine::{Engine, Settings};
use lab::Lab;
use model::clock::{AccountTime, Clock, ServerTime};
use model::id::{KeyId, MerchantId};
use model::key::{IssuedKey, KeyDigest};
use server::Started;
use server::http::{self, IssuedKeys, Record};
use server::rng::Streams;
use settings::{KeyPolicy, resolve};
use std::collections::BTreeMap;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use store::{Failpoints, KeyFile, Place, Store, StoreBounds};
use tokio::net::TcpListener;
use tokio::sync::watch;

/// 2026-01-01, the time at which every test begins.
pub const BEGIN_S: i64 = 1_767_225_600;
/// The number of rounds of all workers after which a test without an idle state fails.
const ROUNDS_MAX: usize = 1_000;

/// The choices of a server.
pub struct Options {
    /// The accepted keys.
    pub keys: KeyPolicy,
    /// The fixed time of accounts without a test clock.
    pub account_time: Option<AccountTime>,
    /// Rejects parameters that are known but ignored.
    pub strict: bool,
    /// The bounds of the store.
    pub bounds: StoreBounds,
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
            keys: KeyPolicy::Any,
            account_time: None,
            strict: false,
            bounds: StoreBounds::default(),
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
    _stop: watch::Sender<bool>,
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

    /// A server with these choices.
    pub async fn with(options: Options) -> Self {
        let Options { keys, account_time, strict, bounds, failpoints, settings, store_clock } =
            options;
        let clock = ManualClock::at(BEGIN_S);
        let clock = Arc::new(match account_time {
            Some(time) => clock.with_fixed(time),
            None => clock,
        });
        let server_clock: Arc<dyn Clock> = clock.clone();
        let store_clock = store_clock.unwrap_or_else(|| Arc::clone(&server_clock));
        let store = store_settings(Place::Temporary, store_clock, Streams::seeded(2).internals);
        let streams = Streams::seeded(1);
        let parts = EngineParts {
            store: Store::open(store::StoreSettings { bounds, failpoints, ..store }).unwrap(),
            sandbox: Sandbox::new(1),
            clock: server_clock,
            rng: streams.objects,
            settings,
        };
        let (engine, lab) = parts.build();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let issued = Keys::new();
        let accepted = IssuedKeys::open(&issued.path).unwrap();
        let accepted = http::Keys { policy: keys, issued: accepted };
        let app = http::App::new(Arc::clone(&lab), accepted, streams.request_ids, streams.visits);
        let app = Arc::new(app.recording(record()).strict(strict).measuring(true));
        let (stop, stopping) = watch::channel(false);
        tokio::spawn(http::serve(listener, app, stopping));
        Self { engine, lab, client: Client::of(&url), clock, keys: issued, _stop: stop }
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

    /// Steps every worker until all are idle.
    pub async fn run_workers_until_idle(&self) {
        for _ in 0..ROUNDS_MAX {
            let worked = self.engine.run_clock_once().await.unwrap()
                + self.engine.run_schedule_once().await.unwrap()
                + self.engine.run_refresh_once().await.unwrap()
                + self.engine.run_dispatch_once().await.unwrap()
                + self.engine.run_deliver_once().await.unwrap();
            if worked == 0 {
                return;
            }
        }
        panic!("the workers were never idle");
    }

    /// Advances a test clock to this second, with all due work.
    pub async fn advance(&self, clock: &str, to_s: i64) {
        let path = format!("/v1/test_helpers/test_clocks/{clock}/advance");
        self.post(&path, &format!("frozen_time={to_s}")).await.ok();
        self.run_workers_until_idle().await;
    }
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

    /// Revokes a key.
    pub fn revoke(&self, issued: &Issued) {
        assert!(self.file.revoke(issued.id, ServerTime(1)).unwrap());
    }
}
