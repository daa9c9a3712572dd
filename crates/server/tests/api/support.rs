//! A server for tests. It has real HTTP on a free port, a clock that only the test moves, seeded
//! randomness, and workers that the test steps.

use crate::issued::Keys;
use connectors::Connector;
use connectors::sandbox::Sandbox;
use engine::hooks::NoHooks;
use engine::observer::IgnoreAll;
use engine::{Engine, Parts};
use lab::{Instruments, Lab};
use model::clock::{AccountTime, Clock, ServerTime};
use outbound::{Outbound, OutboundSettings};
use serde_json::Value;
use server::Started;
use server::http::{self, IssuedKeys, Record};
use server::rng::Streams;
use settings::{KeyPolicy, resolve};
use std::collections::BTreeMap;
use std::ops::Deref;
use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use store::{Failpoints, Place, Store, StoreBounds, StoreSettings};
use tokio::net::TcpListener;
use tokio::sync::watch;

/// 2026-01-01, the time at which every test begins.
pub(crate) const BEGIN_S: i64 = 1_767_225_600;
/// The prefix of most paths.
pub(crate) const FC: &str = "/v1/financial_connections";
/// The length of a snapshot's line in characters.
const LINE_CHARS_MAX: usize = 80;
/// The number of letters and digits after the prefix of an id.
const ID_DIGITS: usize = 24;
/// The number of rounds of all workers after which a test without an idle state fails.
const ROUNDS_MAX: usize = 1_000;

/// A clock that only the test moves.
pub(crate) struct FrozenClock {
    now_s: AtomicI64,
    /// The fixed time of accounts without a test clock, if there is one.
    fixed: Option<AccountTime>,
}

impl Clock for FrozenClock {
    fn server_now(&self) -> ServerTime {
        ServerTime(self.now_s.load(Ordering::Relaxed) * 1_000_000)
    }

    fn account_now(&self) -> AccountTime {
        self.fixed.unwrap_or_else(|| AccountTime(self.now_s.load(Ordering::Relaxed)))
    }
}

/// A client with a key.
#[derive(Clone)]
pub(crate) struct Client {
    url: String,
    key: String,
    /// The connected account of every call.
    account: Option<String>,
    http: reqwest::Client,
}

/// A running server, and a client of it.
pub(crate) struct App {
    pub(crate) engine: Arc<Engine>,
    pub(crate) lab: Arc<Lab>,
    client: Client,
    clock: Arc<FrozenClock>,
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
    /// A server with in-memory collections instead of a database.
    pub(crate) async fn start() -> Self {
        Self::with(Store::memory_model, engine::Settings::default(), KeyPolicy::Any).await
    }

    /// A server on a temporary database.
    pub(crate) async fn sqlite() -> Self {
        let store = |clock| {
            let settings = Self::store_settings(clock, StoreBounds::default());
            Store::open(settings).unwrap()
        };
        Self::with(store, engine::Settings::default(), KeyPolicy::Any).await
    }

    /// A server that accepts issued keys only.
    pub(crate) async fn with_issued_keys() -> Self {
        let settings = engine::Settings::default();
        Self::with(Store::memory_model, settings, KeyPolicy::Issued).await
    }

    /// The settings of a temporary database.
    pub(crate) fn store_settings(clock: Arc<dyn Clock>, bounds: StoreBounds) -> StoreSettings {
        StoreSettings {
            place: Place::Temporary,
            seal_key: [7; 32],
            failpoints: Failpoints::default(),
            rng: Streams::seeded(2).internals,
            clock,
            readers: 2,
            bounds,
        }
    }

    /// A server on this store.
    pub(crate) async fn with(
        store: impl FnOnce(Arc<dyn Clock>) -> Store,
        settings: engine::Settings,
        keys: KeyPolicy,
    ) -> Self {
        Self::with_clock(store, settings, keys, None).await
    }

    /// A server with accounts that always show this time.
    pub(crate) async fn at_fixed_time(fixed: AccountTime) -> Self {
        let settings = engine::Settings::default();
        Self::with_clock(Store::memory_model, settings, KeyPolicy::Any, Some(fixed)).await
    }

    /// A server that rejects parameters that are known but ignored.
    pub(crate) async fn strict() -> Self {
        let settings = engine::Settings::default();
        Self::made(Store::memory_model, settings, KeyPolicy::Any, None, true).await
    }

    async fn with_clock(
        store: impl FnOnce(Arc<dyn Clock>) -> Store,
        settings: engine::Settings,
        keys: KeyPolicy,
        fixed: Option<AccountTime>,
    ) -> Self {
        Self::made(store, settings, keys, fixed, false).await
    }

    async fn made(
        store: impl FnOnce(Arc<dyn Clock>) -> Store,
        settings: engine::Settings,
        keys: KeyPolicy,
        fixed: Option<AccountTime>,
        strict: bool,
    ) -> Self {
        let clock = Arc::new(FrozenClock { now_s: AtomicI64::new(BEGIN_S), fixed });
        let streams = Streams::seeded(1);
        let outbound =
            OutboundSettings { deny_private: false, https_only: false, timeout_ms: 5_000 };
        let mut parts = Parts {
            store: store(Arc::clone(&clock) as Arc<dyn Clock>),
            connector: Connector::Sandbox(Sandbox::new(1)),
            outbound: Outbound::new(outbound).unwrap(),
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            rng: Arc::clone(&streams.objects) as Arc<_>,
            settings,
            failpoints: Failpoints::default(),
            observer: Arc::new(IgnoreAll),
            hooks: Arc::new(NoHooks),
        };
        let instruments = Instruments::install(&mut parts, lab::Settings::default());
        let engine = Arc::new(Engine::new(parts));
        let lab = Arc::new(Lab::new(Arc::clone(&engine), instruments));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let issued = Keys::new();
        let held = IssuedKeys::open(&issued.path).unwrap();
        let held = http::Keys { policy: keys, issued: held };
        let Streams { request_ids, visits, .. } = streams;
        let app = http::App::new(Arc::clone(&lab), held, request_ids, visits);
        let app = Arc::new(app.recording(record()).strict(strict).measuring(true));
        let (stop, stopping) = watch::channel(false);
        tokio::spawn(http::serve(listener, app, stopping));
        Self { engine, lab, client: Client::of(&url), clock, keys: issued, _stop: stop }
    }

    /// A client for use by another task.
    pub(crate) fn client(&self) -> Client {
        self.client.clone()
    }

    /// The issued keys of this server.
    pub(crate) fn keys(&self) -> &Keys {
        &self.keys
    }

    /// A client of the same server with a new live key.
    pub(crate) fn live(&self) -> Client {
        self.client.with_key(&self.keys.issue(1, true).secret)
    }

    /// Moves the time forward.
    pub(crate) fn wait_s(&self, seconds: i64) {
        self.clock.now_s.fetch_add(seconds, Ordering::Relaxed);
    }

    /// Steps every worker until all are idle.
    pub(crate) async fn run_workers_until_idle(&self) {
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
}

/// Starts a server as the process does, with these settings, and returns it with a client.
pub(crate) async fn start_process(given: &[(&'static str, &str)]) -> (Started, Client) {
    let usual = [("listen", "127.0.0.1:0"), ("memory", "true")];
    let flags = usual.iter().chain(given).map(|(name, text)| (*name, (*text).to_owned()));
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

impl Client {
    /// A client of the server at this URL, with the usual key.
    pub(crate) fn of(url: &str) -> Self {
        let (url, key) = (url.to_owned(), "sk_test_123".to_owned());
        Self { url, key, account: None, http: http_client() }
    }

    /// A client of the same server with another key.
    pub(crate) fn with_key(&self, key: &str) -> Self {
        Self { key: key.to_owned(), ..self.clone() }
    }

    /// A client of the same server in a connected account.
    pub(crate) fn in_account(&self, account: &str) -> Self {
        Self { account: Some(account.to_owned()), ..self.clone() }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.request("GET", path).send().await
    }

    /// A session in the preview version, which shows the state of its flow.
    pub(crate) async fn session_in_preview(&self, session: &Reply) -> Reply {
        let path = format!("{FC}/sessions/{}", session.text("/id"));
        let preview = ("Stripe-Version", "2026-10-14.preview");
        self.request("GET", &path).header(preview.0, preview.1).send().await.ok()
    }

    /// Posts a form, as curl would write it.
    pub(crate) async fn post(&self, path: &str, form: &str) -> Reply {
        self.request("POST", path).form(form).send().await
    }

    pub(crate) async fn delete(&self, path: &str) -> Reply {
        self.request("DELETE", path).send().await
    }

    /// A request with the usual key, which the test may change before sending it.
    pub(crate) fn request(&self, method: &str, path: &str) -> Request {
        let key = format!("Bearer {}", self.key);
        let request = self.bare_request(method, path).header("Authorization", &key);
        match &self.account {
            Some(account) => request.header("Stripe-Account", account),
            None => request,
        }
    }

    /// A request without a key.
    pub(crate) fn bare_request(&self, method: &str, path: &str) -> Request {
        let method = method.parse().unwrap();
        Request(self.http.request(method, format!("{}{path}", self.url)))
    }

    /// The API error of each call, for snapshots. A call is method, path and form.
    pub(crate) async fn api_errors(&self, calls: &[(&str, &str, &str)]) -> String {
        let mut told = String::new();
        for (method, path, form) in calls {
            let reply = self.request(method, path).form(form).send().await;
            let call = format!("{method} {} {form}", path.replace(FC, "…"));
            told += &wrapped(&call, "");
            told += &reply.told();
        }
        told
    }

    /// Creates a customer with an e-mail address and returns its id.
    pub(crate) async fn customer(&self) -> String {
        self.post("/v1/customers", "email=ada@example.com").await.ok().text("/id")
    }

    /// Creates a session of a customer with these further parameters and returns it.
    pub(crate) async fn session(&self, customer: &str, more: &str) -> Reply {
        let form = format!(
            "account_holder[type]=customer&account_holder[customer]={customer}\
             &permissions[]=transactions&permissions[]=balances&permissions[]=ownership&{more}"
        );
        self.post("/v1/financial_connections/sessions", &form).await.ok()
    }

    /// Links accounts of a session with these further parameters and returns the session.
    pub(crate) async fn link(&self, session: &Reply, more: &str) -> Reply {
        let form = format!("client_secret={}&{more}", session.text("/client_secret"));
        self.post("/v1/test_helpers/financial_connections/link", &form).await.ok()
    }

    /// Links one account of a new customer and returns its id.
    pub(crate) async fn account(&self) -> String {
        let session = self.session(&self.customer().await, "").await;
        self.link(&session, "").await.text("/accounts/data/0/id")
    }
}

/// A request in construction.
pub(crate) struct Request(reqwest::RequestBuilder);

impl Request {
    pub(crate) fn header(self, name: &str, value: &str) -> Self {
        Self(self.0.header(name, value))
    }

    /// A form body, as curl would write it.
    pub(crate) fn form(self, form: &str) -> Self {
        self.header("Content-Type", "application/x-www-form-urlencoded").body(form)
    }

    pub(crate) fn body(self, body: &str) -> Self {
        Self(self.0.body(body.to_owned()))
    }

    pub(crate) async fn send(self) -> Reply {
        let response = self.0.send().await.unwrap();
        let status = response.status().as_u16();
        let header =
            |(name, value): (&reqwest::header::HeaderName, &reqwest::header::HeaderValue)| {
                (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
            };
        let headers = response.headers().iter().map(header).collect();
        Reply { status, headers, body: response.text().await.unwrap() }
    }
}

/// A response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
}

impl Reply {
    /// Returns the response and asserts that its status is 200.
    #[track_caller]
    pub(crate) fn ok(self) -> Self {
        assert_eq!(self.status, 200, "{}", self.body);
        self
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", self.body))
    }

    /// The value at a JSON pointer, or null.
    pub(crate) fn at(&self, pointer: &str) -> Value {
        self.json().pointer(pointer).cloned().unwrap_or_default()
    }

    /// The text at a JSON pointer.
    #[track_caller]
    pub(crate) fn text(&self, pointer: &str) -> String {
        match self.at(pointer) {
            Value::String(text) => text,
            _ => panic!("no text at {pointer}: {}", self.body),
        }
    }

    /// The items of a list, or of a list at a pointer.
    pub(crate) fn items(&self, pointer: &str) -> Vec<Value> {
        self.at(pointer).as_array().cloned().unwrap_or_default()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// The status and the body, for snapshots.
    pub(crate) fn shown(&self) -> String {
        let body = match serde_json::from_str::<Value>(&self.body) {
            Ok(json) => serde_json::to_string_pretty(&json).unwrap(),
            Err(_) => self.body.clone(),
        };
        format!("{}\n{body}", self.status)
    }

    /// The whole envelope of an error on two lines: first status, type, code and parameter, then
    /// the message. The derived fields are checked here. These are the documentation page of the
    /// code, and the absence of other fields.
    #[track_caller]
    pub(crate) fn told(&self) -> String {
        let mut error = self.at("/error");
        let mut word = |name: &str| {
            let value = error.as_object_mut().and_then(|error| error.remove(name));
            value.map_or("-".to_owned(), |value| value.as_str().unwrap().to_owned())
        };
        let (code, page) = (word("code"), word("doc_url"));
        if code != "-" {
            let anchor = code.replace('_', "-");
            assert_eq!(page, format!("https://stripe.com/docs/error-codes/{anchor}"));
        }
        let first = format!("{} {} {code} {}", self.status, word("type"), word("param"));
        let told = wrapped(&first, "    ") + &wrapped(&word("message"), "    ");
        assert_eq!(error, serde_json::json!({}), "{}", self.body);
        told
    }
}

/// Wraps a text into the lines of a snapshot, each with the indent. Ids are cut after their prefix.
/// Other long runs of letters and digits, from tests of length limits, are cut too.
fn wrapped(text: &str, indent: &str) -> String {
    let mut lines = vec![String::new()];
    for piece in text.split_inclusive([' ', '&', '?', '/']) {
        let piece = shortened(piece);
        let line = lines.last_mut().unwrap();
        if line.chars().count() + piece.chars().count() > LINE_CHARS_MAX {
            lines.push(piece);
        } else {
            line.push_str(&piece);
        }
    }
    lines.iter().fold(String::new(), |shown, line| shown + indent + line.trim_end() + "\n")
}

fn shortened(piece: &str) -> String {
    let end = piece.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
    let digits = end.bytes().rev().take_while(u8::is_ascii_alphanumeric).count();
    if digits < ID_DIGITS {
        return piece.to_owned();
    }
    format!("{}…{}", &end[..end.len() - digits], &piece[end.len()..])
}

/// A test's webhook endpoint. It records its posts and returns the status that the test sets.
pub(crate) struct Receiver {
    pub(crate) url: String,
    state: Arc<ReceiverState>,
}

struct ReceiverState {
    posts: Mutex<Vec<Reply>>,
    status: std::sync::atomic::AtomicU16,
}

impl Receiver {
    pub(crate) async fn start() -> Self {
        use axum::extract::State;
        use axum::http::{HeaderMap, StatusCode};
        let state = Arc::new(ReceiverState {
            posts: Mutex::default(),
            status: std::sync::atomic::AtomicU16::new(200),
        });
        let take = async |State(state): State<Arc<ReceiverState>>,
                          head: HeaderMap,
                          body: String| {
            let text = |value: &axum::http::HeaderValue| value.to_str().unwrap().to_owned();
            let headers = head.iter().map(|(name, value)| (name.to_string(), text(value)));
            let status = state.status.load(Ordering::Relaxed);
            state.posts.lock().unwrap().push(Reply { status, headers: headers.collect(), body });
            StatusCode::from_u16(status).unwrap()
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let service = axum::Router::new()
            .route("/hook", axum::routing::post(take))
            .with_state(Arc::clone(&state));
        tokio::spawn(async move { axum::serve(listener, service).await });
        Self { url, state }
    }

    /// Sets the status of the responses to later posts.
    pub(crate) fn answer(&self, status: u16) {
        self.state.status.store(status, Ordering::Relaxed);
    }

    /// Takes the posts since the last call.
    pub(crate) fn take(&self) -> Vec<Reply> {
        std::mem::take(&mut self.state.posts.lock().unwrap())
    }
}

#[expect(clippy::disallowed_methods, reason = "a test is a client, not the server")]
fn http_client() -> reqwest::Client {
    // Installs the TLS provider, because no client can be built without it.
    Outbound::new(OutboundSettings { deny_private: false, https_only: false, timeout_ms: 1 })
        .unwrap();
    reqwest::Client::builder().no_proxy().build().unwrap()
}
