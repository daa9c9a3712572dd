//! Request heads that are invalid, ambiguous or too large, and requests that follow each other on one
//! connection.

use crate::raw::{Raw, send_raw, steady};
use testkit::App;

const KEY: &str = "Authorization: Bearer sk_test_123\r\n";

/// The status and the message of a response with Stripe's envelope that ends its connection.
fn summary(response: &str) -> String {
    let (head, body) = response.split_once("\r\n\r\n").unwrap_or((response, ""));
    let status = head.lines().next().unwrap_or("").trim_start_matches("HTTP/1.1 ");
    assert!(head.contains("\r\nconnection: close"), "{response}");
    assert!(head.contains("\r\nrequest-id: req_"), "{response}");
    let envelope: serde_json::Value = serde_json::from_str(body).unwrap_or_default();
    let error = &envelope["error"];
    let text = |name: &str| error[name].as_str().unwrap_or("-").to_owned();
    format!("{status}: {} {}\n", text("type"), text("message"))
}

/// A head that breaks a rule of HTTP, or that two readers could read in two ways, gets an API error,
/// and the connection ends. The call has no effect.
#[tokio::test]
async fn invalid_heads_get_api_errors() {
    let app = App::start().await;
    let post = format!("POST /v1/customers HTTP/1.1\r\nHost: localhost\r\n{KEY}");
    let many = "a: b\r\n".repeat(200);
    let heads = [
        "nonsense\r\n\r\n".to_owned(),
        "GET /v1/customers HTTP/2.0\r\n\r\n".to_owned(),
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(),
        "GET /v1/customers HTTP/1.1\r\n\r\n".to_owned(),
        "GET /v1/customers HTTP/1.1\r\nHost: a b\r\n\r\n".to_owned(),
        format!("{post}Host: localhost\r\n\r\n"),
        format!("{post}authorization: Bearer sk_test_456\r\n\r\n"),
        format!("{post}Idempotency-Key: a\r\nIdempotency-Key: b\r\n\r\n"),
        format!("{post}Stripe-Account: acct_1\r\nStripe-Account: acct_1\r\n\r\n"),
        format!("{post}Stripe-Version: a\r\nStripe-Version: a\r\n\r\n"),
        format!("{post}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        format!("{post}Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n"),
        format!("{post}Content-Length: 3\r\nContent-Length: 4\r\n\r\na=b"),
        format!("{post}Content-Length: -3\r\n\r\na=b"),
        format!("{post}Transfer-Encoding: gzip\r\n\r\n"),
        format!("{post}A B: c\r\n\r\n"),
        format!("GET /{} HTTP/1.1\r\nHost: localhost\r\n\r\n", "a".repeat(25 * 1024)),
        format!("GET / HTTP/1.1\r\nHost: localhost\r\n{many}\r\n"),
        format!("GET / HTTP/1.1\r\nHost: localhost\r\nA: {}\r\n\r\n", "a".repeat(33 * 1024)),
    ];
    let mut summaries = String::new();
    for head in heads {
        summaries += &summary(&send_raw(&app, &head).await);
    }
    insta::assert_snapshot!(summaries, @"
    400 Bad Request: invalid_request_error The request is not valid HTTP: the first line is not a method, a target and HTTP/1.1.
    400 Bad Request: invalid_request_error The request is not valid HTTP: the version must be HTTP/1.1 or HTTP/1.0.
    400 Bad Request: invalid_request_error The request is not valid HTTP: the version must be HTTP/1.1 or HTTP/1.0.
    400 Bad Request: invalid_request_error The request is not valid HTTP: an HTTP/1.1 request needs a Host header.
    400 Bad Request: invalid_request_error The request is not valid HTTP: Host must be a host name and a port.
    400 Bad Request: invalid_request_error The request has two Host headers. Send one.
    400 Bad Request: invalid_request_error The request has two Authorization headers. Send one.
    400 Bad Request: invalid_request_error The request has two Idempotency-Key headers. Send one.
    400 Bad Request: invalid_request_error The request has two Stripe-Account headers. Send one.
    400 Bad Request: invalid_request_error The request has two Stripe-Version headers. Send one.
    400 Bad Request: invalid_request_error The request is not valid HTTP: it has both Content-Length and Transfer-Encoding; send one of them.
    400 Bad Request: invalid_request_error The request is not valid HTTP: it has both Content-Length and Transfer-Encoding; send one of them.
    400 Bad Request: invalid_request_error The request is not valid HTTP: two Content-Length headers have different values.
    400 Bad Request: invalid_request_error The request is not valid HTTP: Content-Length must be a number of bytes.
    400 Bad Request: invalid_request_error The request is not valid HTTP: the only Transfer-Encoding of this server is chunked.
    400 Bad Request: invalid_request_error The request is not valid HTTP: a header has characters that are not allowed.
    414 URI Too Long: invalid_request_error The request target is too large: at most 24576 bytes.
    431 Request Header Fields Too Large: invalid_request_error The request head is too large: at most 32768 bytes and 100 headers.
    431 Request Header Fields Too Large: invalid_request_error The request head is too large: at most 32768 bytes and 100 headers.
    ");
    assert_eq!(app.count("/v1/customers").await, 0);
}

/// The response has the headers of every API error. One to HEAD has no body.
#[tokio::test]
async fn responses_to_invalid_heads_are_whole() {
    let app = App::start().await;
    let response = send_raw(&app, "GET / HTTP/1.1\r\n\r\n").await;
    insta::assert_snapshot!(steady(&response), @r#"
    HTTP/1.1 400 Bad Request
    content-type: application/json
    stripe-version: 2026-08-26.dahlia
    content-length: 147
    connection: close

    {
      "error": {
        "message": "The request is not valid HTTP: an HTTP/1.1 request needs a Host header.",
        "type": "invalid_request_error"
      }
    }
    "#);
    let response = send_raw(&app, "HEAD / HTTP/1.1\r\n\r\n").await;
    assert!(response.starts_with("HTTP/1.1 400") && response.ends_with("\r\n\r\n"), "{response}");
    let unknown = app.get("/.refused").await;
    assert_eq!(unknown.status, 404);
}

/// The HTTP library itself never responds. Unusual heads are refused, or they pass and get a response of
/// the server, which has a request id.
#[tokio::test]
async fn every_response_is_the_servers() {
    let app = App::start().await;
    let with = |lines: &str| format!("{lines}\r\nHost: localhost\r\nConnection: close\r\n");
    let get = with("GET /healthz HTTP/1.1");
    let heads = [
        with("OPTIONS * HTTP/1.1"),
        with("GET * HTTP/1.1"),
        with("GET //healthz HTTP/1.1"),
        with("GET /?a[]={\"b\":\"c\"}|d^e`f HTTP/1.1"),
        with("GET /<> HTTP/1.1"),
        with("GET /%zz%00 HTTP/1.1"),
        with("GET /\u{7f} HTTP/1.1"),
        with("GET /\u{e9} HTTP/1.1"),
        with("GET /a#b HTTP/1.1"),
        with("GET localhost HTTP/1.1"),
        with("GET localhost:80 HTTP/1.1"),
        with("GET http://localhost HTTP/1.1"),
        with("GET http://localhost?a HTTP/1.1"),
        with("GET HTTPS://[::1]:1/a HTTP/1.1"),
        with("GET ftp://localhost/a HTTP/1.1"),
        with("GET http:///a HTTP/1.1"),
        with("GET http://a:b@localhost/ HTTP/1.1"),
        with("CONNECT /a HTTP/1.1"),
        with("CONNECT localhost:80 HTTP/1.1"),
        with("CONNECT http://localhost/ HTTP/1.1"),
        with("FETCH! /healthz HTTP/1.1"),
        with("GET /healthz HTTP/1.0"),
        "GET /healthz HTTP/1.0\r\n".to_owned(),
        format!("{get}A: \u{e9}\r\n"),
        format!("{get}A:\r\n"),
        format!("{get}A: b\tc \r\n"),
        format!("{get}A: \u{1}\r\n"),
        format!("{get}: a\r\n"),
        format!("{get}A\r\n"),
        format!("{get}Upgrade: h2c\r\nConnection: upgrade, close\r\nHTTP2-Settings: AAMAAABk\r\n"),
        format!("{get}Expect: more\r\n"),
        format!("{get}Content-Length: 4611686018427387903\r\n"),
        format!("{get}Content-Length: 4611686018427387904\r\n"),
        format!("{get}Content-Length: 00\r\n"),
        format!("{get}Transfer-Encoding: \r\n"),
        format!("{get}Transfer-Encoding: chunked, chunked\r\n"),
        with(&format!("GET /{} HTTP/1.1", "a".repeat(24 * 1024 - 1))),
        format!("{get}{}", "A: b\r\n".repeat(98)),
    ];
    for head in heads {
        let response = send_raw(&app, &format!("{head}\r\n")).await;
        let is_refused = response.starts_with("HTTP/1.1 400");
        assert!(response.contains("\r\nrequest-id: req_"), "{head}: {response}");
        assert!(!is_refused || response.contains("\"error\": {"), "{head}: {response}");
    }
}

/// Requests that arrive together are answered in their order, also in front of an invalid one. A
/// request behind it is not read.
#[tokio::test]
async fn an_invalid_head_follows_others() {
    let app = App::start().await;
    let create = |name: &str| {
        let form = format!("name={name}");
        let length = form.len();
        format!(
            "POST /v1/customers HTTP/1.1\r\nHost: localhost\r\n{KEY}Content-Length: {length}\r\n\r\n{form}"
        )
    };
    let chunked = format!(
        "POST /v1/customers HTTP/1.1\r\nHost: localhost\r\n{KEY}Transfer-Encoding: chunked\r\n\r\n\
         6\r\nname=C\r\n0\r\n\r\n"
    );
    let requests = [create("A"), create("B"), chunked, "nonsense\r\n\r\n".to_owned(), create("D")];
    let responses = send_raw(&app, &requests.concat()).await;
    let statuses: Vec<&str> = responses.split("HTTP/1.1 ").skip(1).map(|part| &part[..3]).collect();
    assert_eq!(statuses, ["200", "200", "200", "400"], "{responses}");
    let places =
        ["\"A\"", "\"B\"", "\"C\"", "The request is not valid"].map(|text| responses.find(text));
    assert!(places.is_sorted() && places.iter().all(Option::is_some), "{responses}");
    assert_eq!(app.count("/v1/customers").await, 3);
}

/// A connection stays open for further requests, in parts of any size, with lines before a head.
#[tokio::test]
async fn requests_arrive_in_parts() {
    let app = App::start().await;
    let mut raw = Raw::connect(&app).await;
    let request = "\r\nGET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
    for size in [1, 2, 7, request.len()] {
        for part in request.as_bytes().chunks(size) {
            raw.send(std::str::from_utf8(part).unwrap()).await;
        }
        assert!(raw.read_to("ok\n").await.starts_with("HTTP/1.1 200"));
    }
    raw.send("GET http://localhost/healthz HTTP/1.0\r\n\r\n").await;
    assert!(raw.read_all().await.ends_with("ok\n"));
    raw = Raw::connect(&app).await;
    raw.send("CONNECT localhost:80 HTTP/1.1\r\nHost: localhost:80\r\nConnection: close\r\n\r\n")
        .await;
    assert!(raw.read_all().await.starts_with("HTTP/1.1 404"));
}

/// A body that is too large is read to its end, so that the client sees the response. The connection
/// then ends.
#[tokio::test]
async fn too_large_bodies_are_read() {
    let app = App::start().await;
    let head = format!("POST /v1/customers HTTP/1.1\r\nHost: localhost\r\n{KEY}");
    let size = 4 << 20;
    let body = "a".repeat(size);
    let chunk = format!("{size:x}\r\n{body}\r\n0\r\n\r\n");
    let mut summaries = String::new();
    for request in [
        format!("{head}Content-Length: {size}\r\n\r\n{body}"),
        format!("{head}Transfer-Encoding: chunked\r\n\r\n{chunk}"),
        format!("{head}Transfer-Encoding: chunked\r\n\r\nX"),
    ] {
        let mut raw = Raw::connect(&app).await;
        raw.send(&request).await;
        summaries += &summary(&raw.read_all().await);
    }
    // A client that asks first does not send the body.
    let asking = format!("{head}Expect: 100-continue\r\nContent-Length: {size}\r\n\r\n");
    summaries += &summary(&send_raw(&app, &asking).await);
    // A body that ends early.
    let mut raw = Raw::connect(&app).await;
    raw.send(&format!("{head}Content-Length: 9\r\n\r\na")).await;
    raw.finish().await;
    summaries += &summary(&raw.read_all().await);
    insta::assert_snapshot!(summaries, @"
    400 Bad Request: invalid_request_error The request body is too large: at most 524288 bytes.
    400 Bad Request: invalid_request_error The request body is too large: at most 524288 bytes.
    400 Bad Request: invalid_request_error The request body broke off.
    400 Bad Request: invalid_request_error The request body is too large: at most 524288 bytes.
    400 Bad Request: invalid_request_error The request body broke off.
    ");
}
