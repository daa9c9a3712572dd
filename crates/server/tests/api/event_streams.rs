//! Event streams: the calls and messages of `stripe listen`.

use futures_util::{SinkExt, StreamExt};
use model::limits::EVENT_STREAM_BYTES_MAX;
use serde_json::{Value, json};
use std::fmt::Write as _;
use testkit::{App, BEGIN_S, Client, Response};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};
use wire::signature::verify;

const SESSIONS: &str = "/v1/stripecli/sessions";
const FORM: &str = "device_name=laptop&websocket_features[]=webhooks\
    &forward_to_url=http://127.0.0.1:4242/hook";
/// Slightly more than a minute, the time after which an unread stream is removed.
const AWAY_S: i64 = 61;

/// The client side of a stream's connection.
struct Reader(WebSocketStream<TcpStream>);

/// Connects as the CLI does. An error contains the status and body of the response.
async fn connect(client: &Client, id: &str) -> Result<Reader, String> {
    let address = client.url().trim_start_matches("http://").to_owned();
    let url = format!("ws://{address}/stripecli/subscribe?websocket_feature=webhooks");
    let mut request = url.into_client_request().unwrap();
    let headers = request.headers_mut();
    headers.insert("Websocket-Id", id.parse().unwrap());
    headers.insert("Sec-WebSocket-Protocol", "stripecli-devproxy-v1".parse().unwrap());
    let stream = TcpStream::connect(address).await.unwrap();
    match client_async(request, stream).await {
        Ok((socket, _)) => Ok(Reader(socket)),
        Err(Error::Http(refused)) => {
            let status = refused.status().as_u16();
            let body = refused.into_body().unwrap();
            Err(format!("{status} {}", String::from_utf8(body).unwrap()))
        }
        Err(error) => panic!("{error}"),
    }
}

impl Reader {
    /// Reads the next message, which must be available or on its way.
    async fn next(&mut self) -> Value {
        match self.0.next().await.unwrap().unwrap() {
            Message::Text(text) => serde_json::from_str(text.as_str()).unwrap(),
            other => panic!("{other:?}"),
        }
    }

    /// Reads the next message in the account's own version, and its pair in the newest version.
    async fn next_pair(&mut self) -> [Value; 2] {
        [self.next().await, self.next().await]
    }

    async fn say(&mut self, said: &Value) {
        self.0.send(Message::text(said.to_string())).await.unwrap();
    }

    async fn acknowledge(&mut self, message: &Value) {
        let conversation = &message["webhook_conversation_id"];
        let said = json!({"type": "event_ack", "webhook_conversation_id": conversation});
        self.say(&said).await;
    }

    /// Waits until the server has read all previous messages, because it responds in order.
    async fn settle(&mut self) {
        self.0.send(Message::Ping("read".into())).await.unwrap();
        assert!(matches!(self.0.next().await, Some(Ok(Message::Pong(_)))));
    }
}

async fn open(client: &Client) -> Response {
    client.post(SESSIONS, FORM).await.ok()
}

async fn opened(client: &Client) -> Reader {
    let id = open(client).await.text("/websocket_id");
    connect(client, &id).await.unwrap_or_else(|refused| panic!("{refused}"))
}

/// The event in a message.
fn event(message: &Value) -> Value {
    serde_json::from_str(message["event_payload"].as_str().unwrap()).unwrap()
}

/// Creates a customer with this name, and lets the event be dispatched.
async fn make(app: &App, client: &Client, name: &str) {
    client.post("/v1/customers", &format!("name={name}")).await.ok();
    app.run_workers_until_idle().await;
}

fn name(message: &Value) -> String {
    event(message)["data"]["object"]["name"].as_str().unwrap().to_owned()
}

/// A session contains the address of the stream and the secret that verifies its events.
#[tokio::test]
async fn a_session_says_where_to_read() {
    let app = App::start().await;
    insta::assert_snapshot!(open(&app).await.shown(), @r#"
    200
    {
      default_version: "2026-08-26.dahlia"
      display_connect_filter_warning: false
      latest_version: "2026-11-18.endive"
      reconnect_delay: 3600
      secret: "whsec_…"
      websocket_authorized_feature: "webhooks"
      websocket_id: "…"
      websocket_url: "ws://127.0.0.1:12111/stripecli/subscribe"
    }
    "#);
    // The merchant has one secret, also for a call that requests it beforehand.
    let secret = async |client: &Client| open(client).await.text("/secret");
    assert_eq!(secret(&app).await, secret(&app).await);
    assert_ne!(secret(&app).await, secret(&app.with_key("sk_test_other")).await);
}

/// Invalid requests are rejected and open no stream.
#[tokio::test]
async fn refuses_what_cannot_be_read() {
    let app = App::start().await;
    let calls = [
        ("POST", SESSIONS, ""),
        ("POST", SESSIONS, "websocket_features[]=webhooks&websocket_features[]=request_logs"),
        ("POST", SESSIONS, "websocket_features[]=webhooks&color=red"),
    ];
    insta::assert_snapshot!(app.api_errors(&calls).await, @"
    POST /v1/stripecli/sessions
        400 parameter_missing websocket_features: Missing required parameter: websocket_features.
    POST /v1/stripecli/sessions websocket_features[]=webhooks&websocket_features[]=request_logs
        400 - websocket_features[1]: Invalid websocket_features[1]: must be webhooks
    POST /v1/stripecli/sessions websocket_features[]=webhooks&color=red
        400 parameter_unknown color: Received unknown parameter: color
    ");
    let publishable = app.with_key("pk_test_123").post(SESSIONS, FORM).await;
    assert_eq!(publishable.text("/error/code"), "secret_key_required");

    let unknown = connect(&app, "nobody").await.err().unwrap();
    insta::assert_snapshot!(unknown, @r#"
    400 {
      "error": {
        "message": "Unknown WebSocket ID.",
        "type": "invalid_request_error"
      }
    }
    "#);
    let id = open(&app).await.text("/websocket_id");
    let plain = app.bare_request("GET", "/stripecli/subscribe").header("Websocket-Id", &id);
    insta::assert_snapshot!(plain.send().await.api_error(), @"400: Connection header did not include 'upgrade'");
}

/// An event arrives twice, in the account's own version and in the newest, signed with the secret
/// of the session. The message in the account's own version does not name the version.
#[tokio::test]
async fn events_come_in_two_versions() {
    let app = App::start().await;
    let session = open(&app).await;
    let mut reader = connect(&app, &session.text("/websocket_id")).await.ok().unwrap();
    make(&app, &app, "Ada").await;
    let pair = reader.next_pair().await;
    let stored = app.get("/v1/events").await.ok();
    for (message, version) in pair.iter().zip([Value::Null, json!("2026-11-18.endive")]) {
        assert_eq!(message["type"], "webhook_event");
        assert_eq!(message["endpoint"]["api_version"], version);
        assert_eq!(message["webhook_id"], stored.at("/data/0/id"));
        let payload = message["event_payload"].as_str().unwrap().as_bytes();
        let signature = message["http_headers"]["Stripe-Signature"].as_str().unwrap();
        let secret = session.text("/secret");
        assert_eq!(verify(signature, &secret, payload, BEGIN_S, 300), Ok(()));
    }
    assert_eq!(event(&pair[0]), stored.at("/data/0"));
    assert_eq!(event(&pair[1])["api_version"], "2026-11-18.endive");
    // A stream stores no deliveries.
    assert_eq!(stored.at("/data/0/pending_webhooks"), 0);
    assert_eq!(app.count("/v1/webhook_endpoints").await, 0);
}

/// A stream receives neither events from before it was opened, although they were not dispatched
/// yet, nor events of other merchants.
#[tokio::test]
async fn only_what_happens_from_now_on_to_the_merchant_comes() {
    let app = App::start().await;
    app.post("/v1/customers", "name=Before").await.ok();
    let mut reader = opened(&app).await;
    make(&app, &app.with_key("sk_test_other"), "Other").await;
    make(&app, &app, "Ada").await;
    assert_eq!(name(&reader.next().await), "Ada");
}

/// A stream stays open across a reset, and shows the events after it.
#[tokio::test]
async fn a_stream_outlives_a_reset() {
    let app = App::start().await;
    let mut reader = opened(&app).await;
    make(&app, &app, "Ada").await;
    assert_eq!(name(&reader.next_pair().await[0]), "Ada");
    app.post("/v1/test_helpers/reset", "").await.ok();
    make(&app, &app, "Bob").await;
    assert_eq!(name(&reader.next_pair().await[0]), "Bob");
}

/// Unacknowledged events are sent again over the next connection, and acknowledged events are not.
/// No event is lost while the reader is away.
#[tokio::test]
async fn a_reader_who_comes_back_misses_nothing() {
    let app = App::start().await;
    let id = open(&app).await.text("/websocket_id");
    let mut first = connect(&app, &id).await.ok().unwrap();
    make(&app, &app, "Ada").await;
    make(&app, &app, "Bob").await;
    let ada = first.next_pair().await;
    let bob = first.next_pair().await;
    for message in &ada {
        first.acknowledge(message).await;
    }
    // The server ignores messages that it does not know.
    first.say(&json!({"type": "webhook_response", "webhook_id": "evt_1", "status": 500})).await;
    first.say(&json!({"type": "news"})).await;
    first.say(&json!({"type": "event_ack", "webhook_conversation_id": "wc_9"})).await;
    first.settle().await;
    drop(first);
    make(&app, &app, "Cleo").await;
    let mut second = connect(&app, &id).await.ok().unwrap();
    assert_eq!(second.next_pair().await, bob);
    assert_eq!(name(&second.next_pair().await[0]), "Cleo");
}

/// A second connection of a stream closes the first. A stream without a reader is removed after a
/// minute.
#[tokio::test]
async fn a_stream_has_one_reader_or_ends() {
    let app = App::start().await;
    let id = open(&app).await.text("/websocket_id");
    let mut first = connect(&app, &id).await.ok().unwrap();
    let mut second = connect(&app, &id).await.ok().unwrap();
    second.settle().await;
    assert!(matches!(first.0.next().await, Some(Ok(Message::Close(Some(_))))));
    // A stream that has a reader stays open without a time limit.
    app.pass_s(10 * AWAY_S);
    make(&app, &app, "Ada").await;
    assert_eq!(name(&second.next().await), "Ada");

    let unread = open(&app).await.text("/websocket_id");
    app.pass_s(AWAY_S);
    assert!(connect(&app, &unread).await.is_err());
}

/// A platform receives the events of its connected accounts, with their ids. The accounts receive
/// only their own events.
#[tokio::test]
async fn a_platform_hears_of_its_accounts() {
    let (app, account) = crate::connect::with_connected().await;
    app.run_workers_until_idle().await;
    app.pass_s(1);
    let own = app.in_account(&account);
    let (mut platform, mut connected) = (opened(&app).await, opened(&own).await);
    make(&app, &own, "Theirs").await;
    make(&app, &app, "Ours").await;
    let theirs = platform.next_pair().await;
    assert_eq!(
        (name(&theirs[0]), &event(&theirs[0])["account"]),
        ("Theirs".to_owned(), &json!(account))
    );
    let ours = platform.next_pair().await;
    assert_eq!((name(&ours[0]), &event(&ours[0])["account"]), ("Ours".to_owned(), &Value::Null));
    let theirs = connected.next_pair().await;
    assert_eq!(
        (name(&theirs[0]), &event(&theirs[0])["account"]),
        ("Theirs".to_owned(), &Value::Null)
    );
}

/// The client checker judges a forwarded event by the status that the target returned. A client
/// that only prints events is not checked.
#[tokio::test]
async fn what_is_forwarded_is_judged() {
    let (app, account) = App::with_account().await;
    app.run_workers_until_idle().await;
    let refresh = async || {
        app.pass_s(2);
        app.refresh(&account, "transactions").await;
        app.run_workers_until_idle().await;
    };
    let report = async || {
        let path = "/v1/test_helpers/consumer_report?finished=true";
        let report = app.get(path).await.ok();
        let mut shown = format!("{} attempts\n", report.at("/watched/attempts"));
        for finding in report.items("/findings") {
            let named = ["account", "webhook_endpoint"].map(|name| finding[name].is_string());
            writeln!(shown, "{} {} {named:?}", finding["code"], finding["times"]).unwrap();
        }
        shown
    };
    let printing = "device_name=laptop&websocket_features[]=webhooks&forward_to_url=";
    let id = app.post(SESSIONS, printing).await.ok().text("/websocket_id");
    let mut printer = connect(&app, &id).await.ok().unwrap();
    refresh().await;
    printer.next_pair().await;
    insta::assert_snapshot!(report().await, @r#"
    0 attempts
    "no_endpoint" 1 [true, false]
    "#);

    let mut forwarder = opened(&app).await;
    for status in [200, 302] {
        refresh().await;
        let told = forwarder.next_pair().await;
        let id = &told[0]["webhook_id"];
        let answer = json!({"type": "webhook_response", "webhook_id": id, "status": status});
        forwarder.say(&answer).await;
        // The response to an event that was never sent is ignored.
        forwarder
            .say(&json!({"type": "webhook_response", "webhook_id": "evt_1", "status": 302}))
            .await;
        forwarder.settle().await;
    }
    insta::assert_snapshot!(report().await, @r#"
    2 attempts
    "event_not_read" 2 [true, false]
    "webhook_redirected" 1 [false, false]
    "#);
}

/// If a reader takes no messages, or acknowledges none of them, its stream keeps a bounded number of bytes.
/// After the reader has made room, it receives all events, each once and in their order.
#[tokio::test]
async fn a_slow_reader_misses_nothing() {
    let app = App::start().await;
    let id = open(&app).await.text("/websocket_id");
    let mut reader = connect(&app, &id).await.ok().unwrap();
    // One acknowledged event shows that this reader acknowledges its messages.
    make(&app, &app, "first").await;
    for message in reader.next_pair().await {
        reader.acknowledge(&message).await;
    }
    reader.settle().await;
    let long = "a".repeat(5_000);
    let events = 400;
    for number in 0..events {
        app.post("/v1/customers", &format!("name={number}&description={long}")).await.ok();
    }
    app.run_workers_until_idle().await;
    // Those that fit are sent, and a further message needs an acknowledgement.
    let mut unread = Vec::new();
    let mut bytes = 0;
    while bytes < EVENT_STREAM_BYTES_MAX - 32 * 1_024 {
        let pair = reader.next_pair().await;
        bytes += pair.iter().map(|message| message.to_string().len()).sum::<usize>();
        unread.push(pair);
    }
    assert!(unread.len() < events, "{} of {events}", unread.len());
    let mut names = Vec::new();
    let mut waiting: std::collections::VecDeque<[Value; 2]> = unread.into();
    while names.len() < events {
        // Settled, so the server has sent whatever has room. Half of the bytes are free from then on.
        for pair in std::mem::take(&mut waiting) {
            names.push(name(&pair[0]));
            for message in &pair {
                reader.acknowledge(message).await;
            }
        }
        if names.len() < events {
            waiting.push_back(reader.next_pair().await);
        }
    }
    let expected: Vec<String> = (0..events).map(|number| number.to_string()).collect();
    assert_eq!(names, expected);
}

/// A reader that never acknowledges, such as an old release of the CLI, receives every event, too.
#[tokio::test]
async fn a_reader_without_acknowledgements_goes_on() {
    let app = App::start().await;
    let mut reader = opened(&app).await;
    let long = "a".repeat(5_000);
    for number in 0..400 {
        app.post("/v1/customers", &format!("name={number}&description={long}")).await.ok();
    }
    app.run_workers_until_idle().await;
    for number in 0..400 {
        assert_eq!(name(&reader.next_pair().await[0]), number.to_string());
    }
}

/// The number of streams per merchant is limited. Streams that were never connected free their
/// place.
#[tokio::test]
async fn streams_are_bounded() {
    let app = App::start().await;
    for _ in 0..16 {
        open(&app).await;
    }
    let calls = [("POST", SESSIONS, FORM)];
    insta::assert_snapshot!(app.api_errors(&calls).await, @"
    POST /v1/stripecli/sessions device_name=laptop&websocket_features[]=webhooks&
      forward_to_url=http://127.0.0.1:4242/hook
        429 rate_limit: Too many requests: an API key may have at most 16 programs that listen at
          once, and at most as many as are free on this server. End one first.
    ");
    open(&app.with_key("sk_test_other")).await;
    app.pass_s(AWAY_S);
    open(&app).await;
}
