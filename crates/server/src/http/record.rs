//! The record: an optional file with every API request and its response, one JSON object per line.
//!
//! It serves people who want to see the requests that a client really sends, and programs that
//! check the responses against a description of the API. The record never contains keys, secrets of
//! objects, numbers of accounts, cards and persons, or addresses of pages that grant access
//! (`redact`). Everything else in requests and responses is included, so the file is as confidential as
//! the database.
//!
//! Each line is written before its response is sent, completely and with one append, so that
//! several servers may share a file. After a crash the last line is complete or missing. A line
//! that cannot be written is logged and skipped, so that the call itself does not fail.

mod redact;

use super::headers::{FORWARDED, REQUEST_ID, STRIPE_ACCOUNT, STRIPE_VERSION};
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::response::Parts;
use axum::http::{HeaderName, Method, Uri};
use axum::middleware::Next;
use axum::response::Response;
use http_body_util::BodyExt as _;
use model::limits::{BODY_BYTES_MAX, RECORD_BYTES_MAX};
use serde_json::{Value, json};
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// The path prefixes of API calls. Requests of pages are not recorded.
const CALLS: [&str; 2] = ["/v1/", "/v2/"];
/// An open record.
pub struct Record {
    file: File,
    /// The bytes in the file, including those about to be written.
    bytes: AtomicU64,
    /// Held while a line is made. A response takes many times its size as a value, so one is made at once.
    turn: Mutex<()>,
}

impl Record {
    /// Opens the file for appending, and creates it for its owner only if it does not exist.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().append(true).create(true).mode(0o600).open(path)?;
        let bytes = AtomicU64::new(file.metadata()?.len());
        Ok(Self { file, bytes, turn: Mutex::default() })
    }

    fn append(&self, entry: &Value) {
        let line = format!("{entry}\n");
        let length = line.len() as u64;
        let before = self.bytes.fetch_add(length, Ordering::Relaxed);
        if before + length > RECORD_BYTES_MAX {
            if before <= RECORD_BYTES_MAX {
                tracing::warn!(bytes_max = RECORD_BYTES_MAX, "the record is full, it ends here");
            }
            return;
        }
        // One write to the system's cache costs less than handing it to another thread.
        if let Err(error) = (&self.file).write_all(line.as_bytes()) {
            tracing::error!(error = &error as &dyn std::error::Error, "could not write the record");
        }
    }
}

/// Passes a request on, and records it with its response.
pub(super) async fn recorded(
    State(record): State<Arc<Record>>,
    request: Request,
    next: Next,
) -> Response {
    if !CALLS.iter().any(|calls| request.uri().path().starts_with(calls)) {
        return next.run(request).await;
    }
    let recorded_request =
        RequestHead { method: request.method().clone(), uri: request.uri().clone() };
    let read = Arc::new(Mutex::new(Vec::new()));
    let response = next.run(request.map(|body| copied(body, Arc::clone(&read)))).await;
    let (parts, body) = response.into_parts();
    let Ok(body) = body.collect().await.map(http_body_util::Collected::to_bytes) else {
        // Responses of calls are complete before they are sent.
        return Response::from_parts(parts, Body::empty());
    };
    let sent = std::mem::take(&mut *read.lock().unwrap_or_else(PoisonError::into_inner));
    let turn = record.turn.lock().unwrap_or_else(PoisonError::into_inner);
    let response_body = serde_json::from_slice(&body).unwrap_or(Value::Null);
    record.append(&recorded_request.with(&sent, &parts, response_body));
    drop(turn);
    Response::from_parts(parts, Body::from(body))
}

/// The body of a request. It leaves a copy of the bytes that were read, up to the longest body that
/// any call reads.
fn copied(body: Body, copy: Arc<Mutex<Vec<u8>>>) -> Body {
    Body::new(body.map_frame(move |frame| {
        if let Some(data) = frame.data_ref() {
            let mut copy = copy.lock().unwrap_or_else(PoisonError::into_inner);
            let room = BODY_BYTES_MAX.saturating_sub(copy.len());
            copy.extend_from_slice(&data[..data.len().min(room)]);
        }
        frame
    }))
}

/// The route of a call, as the router lists it. The router attaches it to the response.
#[derive(Clone, Copy)]
pub(super) struct Pattern(pub(super) &'static str);

/// The properties of a request that are known before its body is read.
struct RequestHead {
    method: Method,
    uri: Uri,
}

impl RequestHead {
    /// Builds the line for the request and its response.
    fn with(&self, sent: &[u8], parts: &Parts, mut response: Value) -> Value {
        let header =
            |name: &HeaderName| parts.headers.get(name).and_then(|value| value.to_str().ok());
        let query = self.uri.query().unwrap_or("").as_bytes();
        let pairs = [query, sent].into_iter().flat_map(pairs_of);
        let parameters: Vec<[String; 2]> =
            pairs.map(|(name, value)| redact::pair(&name, &value)).collect();
        redact::hide(&mut response);
        json!({
            "request": header(&REQUEST_ID),
            "method": self.method.as_str(),
            "route": parts.extensions.get::<Pattern>().map(|pattern| pattern.0),
            "path": redact::path(self.uri.path()),
            "version": header(&STRIPE_VERSION).map(redact::text),
            "account": header(&STRIPE_ACCOUNT).map(redact::text),
            "forwarded": header(&FORWARDED),
            "parameters": parameters,
            "status": parts.status.as_u16(),
            "answer": response,
        })
    }
}

/// The parameters of a body. Those of a JSON body have the names that a form would have.
fn pairs_of(body: &[u8]) -> Vec<(String, String)> {
    let starts = body.iter().find(|byte| !byte.is_ascii_whitespace());
    if let (Some(b'{' | b'['), Ok(value)) = (starts, serde_json::from_slice(body)) {
        let mut pairs = Vec::new();
        flatten(&value, "", &mut pairs);
        return pairs;
    }
    let pairs = url::form_urlencoded::parse(body);
    pairs.map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
}

fn flatten(value: &Value, name: &str, pairs: &mut Vec<(String, String)>) {
    let below = |key: &str| match name {
        "" => key.to_owned(),
        name => format!("{name}[{key}]"),
    };
    match value {
        Value::Object(members) => {
            members.iter().for_each(|(key, member)| flatten(member, &below(key), pairs));
        }
        Value::Array(items) => {
            let places = (0..).map(|place: usize| place.to_string());
            items.iter().zip(places).for_each(|(item, place)| flatten(item, &below(&place), pairs));
        }
        Value::String(text) => pairs.push((name.to_owned(), text.clone())),
        other => pairs.push((name.to_owned(), other.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::redact::{CUT, path as cut_path};
    use super::*;

    /// A secret in an encoded path is cut. Other paths are recorded as they were sent.
    #[test]
    fn encoded_paths_are_cut() {
        assert_eq!(
            cut_path("/v1/customers/sk%5Flive%5Fabc"),
            format!("/v1/customers/sk_live_{CUT}")
        );
        assert_eq!(cut_path("/v1/customers/a%20b"), "/v1/customers/a%20b");
    }

    /// The parameters of a JSON body are recorded like those of a form, and redacted by their names.
    #[test]
    fn json_bodies_are_redacted() {
        let head = RequestHead { method: Method::POST, uri: Uri::from_static("/v2/core/x") };
        let body = json!({
            "card": {"number": 4242, "cvc": "123"},
            "items": [{"iban": "X"}, "4242424242424242"],
            "name": "Ada",
        });
        let (parts, ()) = Response::new(()).into_parts();
        let entry = head.with(body.to_string().as_bytes(), &parts, Value::Null);
        let expected = json!([
            ["card[cvc]", CUT],
            ["card[number]", CUT],
            ["items[0][iban]", CUT],
            ["items[1]", CUT],
            ["name", "Ada"],
        ]);
        assert_eq!(entry["parameters"], expected);
    }

    /// At most the kind of a secret is recorded, at every position. All other text is recorded
    /// unchanged.
    #[test]
    fn secrets_are_cut() {
        let request = RequestHead {
            method: Method::POST,
            uri: Uri::from_static(
                "/v1/payment_intents/sk_test_b/confirm?client_secret=pi_1_secret_a",
            ),
        };
        let form = "us_bank_account[account_number]=000123456789&note=sk_test_1&off+x=%C3%A4";
        let response = json!({
            "client_secret": "pi_1_secret_a",
            "data": [{"secret": "whsec_a"}, "see pi_1_secret_a"],
            "hosted_invoice_url": format!("http://127.0.0.1:1/i/{}", "a1".repeat(32)),
            "return_url": "https://shop.example/link/back",
            "websocket_id": "abc",
            "status": "succeeded",
            "secret": null,
        });
        let (mut parts, ()) = Response::new(()).into_parts();
        parts.extensions.insert(Pattern("/v1/payment_intents/{id}/confirm"));
        let entry = request.with(form.as_bytes(), &parts, response);
        insta::assert_snapshot!(serde_json::to_string_pretty(&entry).unwrap(), @r#"
        {
          "account": null,
          "answer": {
            "client_secret": "…",
            "data": [
              {
                "secret": "…"
              },
              "see pi_1_secret_…"
            ],
            "hosted_invoice_url": "http://127.0.0.1:1/i/…",
            "return_url": "https://shop.example/link/back",
            "secret": null,
            "status": "succeeded",
            "websocket_id": "…"
          },
          "forwarded": null,
          "method": "POST",
          "parameters": [
            [
              "client_secret",
              "…"
            ],
            [
              "us_bank_account[account_number]",
              "…"
            ],
            [
              "note",
              "sk_test_…"
            ],
            [
              "off x",
              "ä"
            ]
          ],
          "path": "/v1/payment_intents/sk_test_…",
          "request": null,
          "route": "/v1/payment_intents/{id}/confirm",
          "status": 200,
          "version": null
        }
        "#);
    }
}
