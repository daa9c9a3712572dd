//! Calls that this server does not have, handled by another server: `serve --else URL`.

use axum::Router;
use axum::body::{Bytes, to_bytes};
use axum::extract::Request;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use testkit::{App, Options, start_process};
use tokio::net::TcpListener;

/// The header of a response that another server made.
const FORWARDED: &str = "bankfeed-forwarded";

/// Another server, and the requests that it received.
struct Other {
    origin: String,
    received: Arc<Mutex<Vec<Value>>>,
}

impl Other {
    async fn start() -> Self {
        let received: Arc<Mutex<Vec<Value>>> = Arc::default();
        let store = Arc::clone(&received);
        let handle = move |request: Request| respond(Arc::clone(&store), request);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let routes: Router = Router::new().fallback(handle);
        tokio::spawn(async { axum::serve(listener, routes).await.unwrap() });
        Self { origin, received }
    }

    /// A server that forwards to this one.
    async fn app(&self) -> App {
        App::with(Options { other_server: Some(self.origin.clone()), ..Options::default() }).await
    }

    fn received(&self) -> Vec<Value> {
        std::mem::take(&mut *self.received.lock().unwrap())
    }
}

async fn respond(store: Arc<Mutex<Vec<Value>>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, 1_000_000).await.unwrap();
    let header = |name: &str| parts.headers.get(name).map(|value| value.to_str().unwrap());
    store.lock().unwrap().push(json!({
        "call": format!("{} {}", parts.method, parts.uri),
        "body": String::from_utf8_lossy(&body),
        "authorization": header("authorization"),
        "account": header("stripe-account"),
        "version": header("stripe-version"),
        "idempotency_key": header("idempotency-key"),
        "content_type": header("content-type"),
        "cookie": header("cookie"),
    }));
    let json = |status: StatusCode, body: Value| {
        (status, [(CONTENT_TYPE, "application/json")], body.to_string()).into_response()
    };
    match parts.uri.path() {
        "/v1/quotes/missing" => json(
            StatusCode::NOT_FOUND,
            json!({"error": {"type": "invalid_request_error", "message": "No such quote"}}),
        ),
        "/v1/quotes/page" => (StatusCode::OK, "<html>").into_response(),
        "/v1/quotes/encoding" => (StatusCode::OK, &b"{\"id\": \"\xff\"}"[..]).into_response(),
        "/v1/quotes/moved" => (StatusCode::FOUND, "{}").into_response(),
        "/v1/quotes/large" => Bytes::from(vec![b' '; 9 * 1024 * 1024]).into_response(),
        _ => json(StatusCode::OK, json!({"id": "qt_1", "object": "quote"})),
    }
}

/// The other server receives the call with a placeholder in place of the key. Its response is passed
/// on with the header that names it, and calls of this server stay here.
#[tokio::test]
async fn unserved_calls_are_forwarded() {
    let other = Other::start().await;
    let app = other.app().await;
    let client = app.in_account("acct_1").idempotent("once");
    let response = client
        .request("POST", "/v1/quotes?expand[]=customer")
        .header("Cookie", "a=b")
        .form("customer=cus_1&metadata[a]=%C3%A4")
        .send()
        .await
        .ok();
    assert_eq!(response.json(), json!({"id": "qt_1", "object": "quote"}));
    assert_eq!(response.header(FORWARDED), Some(other.origin.as_str()));
    assert!(response.header("request-id").is_some());
    assert_eq!(
        other.received(),
        [json!({
            "call": "POST /v1/quotes?expand[]=customer",
            "body": "customer=cus_1&metadata[a]=%C3%A4",
            "authorization": "Bearer sk_test_placeholder",
            "account": "acct_1",
            "version": null,
            "idempotency_key": "once",
            "content_type": "application/x-www-form-urlencoded",
            "cookie": null,
        })]
    );

    let missing = app.in_version("2026-08-26.dahlia").get("/v1/quotes/missing").await;
    assert_eq!((missing.status, missing.text("/error/message")), (404, "No such quote".to_owned()));
    assert_eq!(missing.header(FORWARDED), Some(other.origin.as_str()));
    assert_eq!(other.received()[0]["version"], "2026-08-26.dahlia");

    // A known path without this method, a call of `/v2`, and a call that the router lists as unknown.
    for (method, path) in [
        ("POST", "/v1/coupons"),
        ("GET", "/v2/core/accounts"),
        ("GET", "/v1/products/search"),
        ("DELETE", "/v1/quotes/qt_1"),
    ] {
        let response = app.request(method, path).send().await.ok();
        assert_eq!(response.header(FORWARDED), Some(other.origin.as_str()), "{method} {path}");
        assert_eq!(other.received()[0]["call"], format!("{method} {path}"));
    }

    assert_eq!(app.get("/v1/customers").await.ok().header(FORWARDED), None);
    assert_eq!(app.get("/v1/customers/cus_1").await.status, 404);
    assert_eq!(other.received(), Vec::<Value>::new());
}

/// The other server's response is not stored. The same idempotency key reaches it again.
#[tokio::test]
async fn forwarded_calls_store_nothing() {
    let other = Other::start().await;
    let app = other.app().await;
    let client = app.idempotent("once");
    for _ in 0..2 {
        let response = client.post("/v1/quotes", "").await.ok();
        assert_eq!(response.header("idempotent-replayed"), None);
    }
    assert_eq!(other.received().len(), 2);
}

/// Calls without a valid key, with a publishable key or in live mode are never forwarded. Pages and
/// other paths are not, either, nor is a call that was forwarded before.
#[tokio::test]
async fn only_secret_test_keys_are_forwarded() {
    let other = Other::start().await;
    let app = other.app().await;
    for (client, status) in
        [(app.live(), 404), (app.with_key("pk_test_123"), 404), (app.with_key("nonsense"), 401)]
    {
        let response = client.post("/v1/quotes", "").await;
        assert_eq!(response.status, status, "{}", response.body);
        assert_eq!(response.header(FORWARDED), None);
    }
    assert_eq!(app.bare_request("GET", "/v1/quotes").send().await.status, 401);
    assert_eq!(app.get("/nowhere").await.status, 404);
    assert_eq!(app.request("PUT", "/v1/quotes").send().await.status, 404);
    let again = app.request("GET", "/v1/quotes").header("Bankfeed-Forwarded", "1").send().await;
    assert_eq!(again.status, 404);
    assert_eq!(other.received(), Vec::<Value>::new());
}

/// Without the setting the call ends with 404 here.
#[tokio::test]
async fn no_call_is_forwarded_by_default() {
    let app = App::start().await;
    let response = app.get("/v1/quotes").await;
    insta::assert_snapshot!(response.api_error(), @"404: Unrecognized request URL (GET: /v1/quotes).");
}

/// A response that is no JSON of an API, and a missing response, are errors that name the setting.
#[tokio::test]
async fn unusable_responses_name_the_setting() {
    let other = Other::start().await;
    let app = other.app().await;
    let mut errors = Vec::new();
    for path in ["/v1/quotes/page", "/v1/quotes/encoding", "/v1/quotes/moved", "/v1/quotes/large"] {
        let response = app.get(path).await;
        assert_eq!(response.header(FORWARDED), None);
        errors.push(response.api_error().replace(&other.origin, "ORIGIN"));
    }
    let (listener, nobody) = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        (listener, origin)
    };
    drop(listener);
    let app = App::with(Options { other_server: Some(nobody.clone()), ..Options::default() }).await;
    errors.push(app.get("/v1/quotes").await.api_error().replace(&nobody, "ORIGIN"));
    let second = app.get("/v2/core/accounts").await.second_version_error();
    errors.push(second.replace(&nobody, "ORIGIN"));
    insta::assert_snapshot!(errors.join("\n"), @"
    502 api_error: The response of the server ORIGIN of the setting else cannot be
      used: its status is 200, and it is not JSON. Check that --else names a server of Stripe's API.

    502 api_error: The response of the server ORIGIN of the setting else cannot be
      used: its status is 200, and it is not JSON. Check that --else names a server of Stripe's API.

    502 api_error: The response of the server ORIGIN of the setting else cannot be
      used: its status is 302. Check that --else names a server of Stripe's API.

    503 api_error: The server ORIGIN of the setting else gave no complete response:
      the response is too large. Check that it runs, or start this server without --else.

    503 api_error: The server ORIGIN of the setting else gave no complete response:
      the connection was refused. Check that it runs, or start this server without --else.

    503 api_error api_error: The server ORIGIN of the setting else gave no complete
      response: the connection was refused. Check that it runs, or start this server without --else.
    ");
    assert_eq!(app.post("/v1/quotes", &"a".repeat(2_000_000)).await.status, 400);
}

/// The record names the other server, and contains no key.
#[tokio::test]
async fn the_record_names_the_other_server() {
    let other = Other::start().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("calls.jsonl");
    let flags = [("else", other.origin.as_str()), ("record", file.to_str().unwrap())];
    let (_server, client) = start_process(&flags).await;
    client.post("/v1/quotes", "customer=cus_1").await.ok();
    client.get("/v1/customers").await.ok();
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(!text.contains("sk_test"), "{text}");
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines[0]["forwarded"], other.origin);
    assert_eq!(lines[0]["route"], Value::Null);
    assert_eq!(lines[0]["parameters"], json!([["customer", "cus_1"]]));
    assert_eq!(lines[1]["forwarded"], Value::Null);
}
