//! A server for tests: real HTTP on a free port, time that stands still until it is moved, seeded
//! randomness, and workers that are stepped instead of running by themselves.

use bankfeed::http::{self, KeyPolicy};
use bankfeed::rng::Streams;
use connectors::Connector;
use connectors::outbound::{Outbound, OutboundSettings};
use connectors::sandbox::Sandbox;
use engine::{Engine, Parts};
use model::clock::{AccountTime, Clock, ServerTime};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use store::{Failpoints, Place, Store, StoreSettings};
use tokio::net::TcpListener;
use tokio::sync::watch;

/// 2026-01-01, when every test begins.
pub const BEGIN_S: i64 = 1_767_225_600;
/// Rounds of all workers after which a test that is not idle has gone wrong.
const ROUNDS_MAX: usize = 1_000;

/// Time that moves only when it is told to.
pub struct FrozenClock(AtomicI64);

impl Clock for FrozenClock {
    fn server_now(&self) -> ServerTime {
        ServerTime(self.0.load(Ordering::Relaxed) * 1_000_000)
    }

    fn account_now(&self) -> AccountTime {
        AccountTime(self.0.load(Ordering::Relaxed))
    }
}

/// A running server and a client with a key.
pub struct App {
    pub engine: Arc<Engine>,
    pub url: String,
    key: String,
    clock: Arc<FrozenClock>,
    client: reqwest::Client,
    _stop: watch::Sender<bool>,
}

impl App {
    /// A server on the collections that stand in for a database.
    pub async fn start() -> Self {
        Self::with(Store::memory_model(), engine::Settings::default(), KeyPolicy::Any).await
    }

    /// A server on the collections with settings of its own.
    pub async fn with_settings(settings: engine::Settings) -> Self {
        Self::with(Store::memory_model(), settings, KeyPolicy::Any).await
    }

    /// A server on a temporary database.
    pub async fn sqlite() -> Self {
        let clock = Arc::new(FrozenClock(AtomicI64::new(BEGIN_S)));
        let store = Store::open(StoreSettings {
            place: Place::Temporary,
            seal_key: [7; 32],
            failpoints: Failpoints::default(),
            rng: Streams::seeded(2).internals,
            clock,
            readers: 2,
        });
        Self::with(store.unwrap(), engine::Settings::default(), KeyPolicy::Any).await
    }

    /// A server that takes issued keys only.
    pub async fn with_issued_keys() -> Self {
        let settings = engine::Settings::default();
        Self::with(Store::memory_model(), settings, KeyPolicy::Issued).await
    }

    async fn with(store: Store, settings: engine::Settings, keys: KeyPolicy) -> Self {
        let clock = Arc::new(FrozenClock(AtomicI64::new(BEGIN_S)));
        let streams = Streams::seeded(1);
        let outbound =
            OutboundSettings { deny_private: false, https_only: false, timeout_ms: 5_000 };
        let engine = Arc::new(Engine::new(Parts {
            store,
            connector: Connector::Sandbox(Sandbox::new(1)),
            outbound: Outbound::new(outbound).unwrap(),
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            rng: streams.objects,
            settings,
            failpoints: Failpoints::default(),
        }));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let app = Arc::new(http::App::new(Arc::clone(&engine), keys, streams.request_ids));
        let (stop, stopping) = watch::channel(false);
        tokio::spawn(http::serve(listener, app, stopping));
        Self { engine, url, key: "sk_test_123".to_owned(), clock, client: client(), _stop: stop }
    }

    /// The same server, asked with another key.
    pub fn with_key(&self, key: &str) -> Caller<'_> {
        Caller { app: self, key: key.to_owned() }
    }

    /// Moves the time.
    pub fn wait_s(&self, seconds: i64) {
        self.clock.0.fetch_add(seconds, Ordering::Relaxed);
    }

    /// Steps every worker until none has anything to do.
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

    pub async fn get(&self, path: &str) -> Reply {
        self.request("GET", path).send().await
    }

    /// Posts a form, as curl would write it.
    pub async fn post(&self, path: &str, form: &str) -> Reply {
        self.request("POST", path).form(form).send().await
    }

    pub async fn delete(&self, path: &str) -> Reply {
        self.request("DELETE", path).send().await
    }

    /// A request with the usual key, to be changed before it is sent.
    pub fn request(&self, method: &str, path: &str) -> Request {
        self.bare_request(method, path).header("Authorization", &format!("Bearer {}", self.key))
    }

    /// A request without a key.
    pub fn bare_request(&self, method: &str, path: &str) -> Request {
        let method = method.parse().unwrap();
        Request(self.client.request(method, format!("{}{path}", self.url)))
    }

    /// What each call is refused with, for snapshots: a call is method, path and form.
    pub async fn refusals(&self, calls: &[(&str, &str, &str)]) -> String {
        let mut told = String::new();
        for (method, path, form) in calls {
            let reply = self.request(method, path).form(form).send().await;
            told += &format!("{method} {path} {form}\n{}", reply.told());
        }
        told
    }

    /// A customer with an e-mail address; answers its id.
    pub async fn customer(&self) -> String {
        self.post("/v1/customers", "email=ada@example.com").await.ok().text("/id")
    }

    /// A session of a customer with these further parameters; answers it.
    pub async fn session(&self, customer: &str, more: &str) -> Reply {
        let form = format!(
            "account_holder[type]=customer&account_holder[customer]={customer}\
             &permissions[]=transactions&permissions[]=balances&permissions[]=ownership&{more}"
        );
        self.post("/v1/financial_connections/sessions", &form).await.ok()
    }

    /// Links accounts of a session with these further parameters; answers the session.
    pub async fn link(&self, session: &Reply, more: &str) -> Reply {
        let form = format!("client_secret={}&{more}", session.text("/client_secret"));
        self.post("/v1/test_helpers/financial_connections/link", &form).await.ok()
    }

    /// One linked account of a new customer; answers its id.
    pub async fn account(&self) -> String {
        let session = self.session(&self.customer().await, "").await;
        self.link(&session, "").await.text("/accounts/data/0/id")
    }
}

/// A server seen with another key.
pub struct Caller<'a> {
    app: &'a App,
    key: String,
}

impl Caller<'_> {
    pub async fn get(&self, path: &str) -> Reply {
        self.request("GET", path).send().await
    }

    pub async fn post(&self, path: &str, form: &str) -> Reply {
        self.request("POST", path).form(form).send().await
    }

    fn request(&self, method: &str, path: &str) -> Request {
        let key = format!("Bearer {}", self.key);
        self.app.bare_request(method, path).header("Authorization", &key)
    }
}

/// A request that is being put together.
pub struct Request(reqwest::RequestBuilder);

impl Request {
    pub fn header(self, name: &str, value: &str) -> Self {
        Self(self.0.header(name, value))
    }

    /// A form body, as curl would write it.
    pub fn form(self, form: &str) -> Self {
        self.header("Content-Type", "application/x-www-form-urlencoded").body(form)
    }

    pub fn body(self, body: &str) -> Self {
        Self(self.0.body(body.to_owned()))
    }

    pub async fn send(self) -> Reply {
        let response = self.0.send().await.unwrap();
        let status = response.status().as_u16();
        let header = |(name, value): (&reqwest::header::HeaderName, &reqwest::header::HeaderValue)| {
            (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        };
        let headers = response.headers().iter().map(header).collect();
        Reply { status, headers, body: response.text().await.unwrap() }
    }
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    pub status: u16,
    pub headers: BTreeMap<String, String>,
    pub body: String,
}

impl Reply {
    /// The same, if it is 200.
    #[track_caller]
    pub fn ok(self) -> Self {
        assert_eq!(self.status, 200, "{}", self.body);
        self
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", self.body))
    }

    /// The value at a JSON pointer, null if there is none.
    pub fn at(&self, pointer: &str) -> Value {
        self.json().pointer(pointer).cloned().unwrap_or_default()
    }

    /// The text at a JSON pointer.
    #[track_caller]
    pub fn text(&self, pointer: &str) -> String {
        match self.at(pointer) {
            Value::String(text) => text,
            _ => panic!("no text at {pointer}: {}", self.body),
        }
    }

    /// The items of a list, or of a list at a pointer.
    pub fn items(&self, pointer: &str) -> Vec<Value> {
        self.at(pointer).as_array().cloned().unwrap_or_default()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// Status and body, for snapshots.
    pub fn shown(&self) -> String {
        let body = match serde_json::from_str::<Value>(&self.body) {
            Ok(json) => serde_json::to_string_pretty(&json).unwrap(),
            Err(_) => self.body.clone(),
        };
        format!("{}\n{body}", self.status)
    }

    /// The whole envelope of an error on two lines: status, type, code, parameter; message. What
    /// follows from these is checked here: the page of the code, and that there is nothing else.
    #[track_caller]
    pub fn told(&self) -> String {
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
        let told = format!("    {first}\n    {}\n", word("message"));
        assert_eq!(error, serde_json::json!({}), "{}", self.body);
        told
    }
}

/// A webhook endpoint of a test: keeps what is posted to it, and answers what it is told to.
pub struct Receiver {
    pub url: String,
    state: Arc<ReceiverState>,
}

struct ReceiverState {
    posts: Mutex<Vec<Reply>>,
    status: std::sync::atomic::AtomicU16,
}

impl Receiver {
    pub async fn start() -> Self {
        use axum::extract::State;
        use axum::http::{HeaderMap, StatusCode};
        let state = Arc::new(ReceiverState {
            posts: Mutex::default(),
            status: std::sync::atomic::AtomicU16::new(200),
        });
        let take = async |State(state): State<Arc<ReceiverState>>, head: HeaderMap, body: String| {
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

    /// What later posts are answered with.
    pub fn answer(&self, status: u16) {
        self.state.status.store(status, Ordering::Relaxed);
    }

    /// Takes what was posted since it was asked last.
    pub fn take(&self) -> Vec<Reply> {
        std::mem::take(&mut self.state.posts.lock().unwrap())
    }
}

#[expect(clippy::disallowed_methods, reason = "a test is a client, not the server")]
fn client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().build().unwrap()
}
