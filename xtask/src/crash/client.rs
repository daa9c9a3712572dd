//! A client as integrators write it. Every POST has an idempotency key and is repeated unchanged until
//! it gets a response. The client stores each request with its response, because a response is a
//! promise, and the checks at the end repeat all of them.

use super::server::{Up, until_up};
use crate::Failure;
use crate::time::{POLL_AGAIN, bounded, pass};
use outbound::{Called, Outbound, OutboundError, OutboundSettings, PrivateAddresses};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// The longest time until a call gets a response, including kills and starts.
const RESPONSE_MAX: Duration = Duration::from_mins(1);
/// The longest time of one attempt.
const ATTEMPT_MS_MAX: u64 = 40_000;
/// Rows of a page.
const PAGE_ROWS: &str = "100";
pub(super) const API_KEY: &str = "sk_test_crash";

/// A form.
pub(super) type Form = Vec<(String, String)>;

/// A POST with its response.
#[derive(Clone, Debug)]
pub(super) struct Acknowledged {
    pub(super) key: String,
    pub(super) path: String,
    pub(super) form: Form,
    pub(super) body: Vec<u8>,
}

impl Acknowledged {
    /// The response as JSON.
    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

/// A client of the server, across all its kills.
pub(super) struct Client {
    outbound: Outbound,
    up: Up,
    keys: AtomicU64,
    acknowledged: Mutex<Vec<Acknowledged>>,
    faults: Mutex<Vec<String>>,
    /// The number of responses.
    responses: watch::Sender<u64>,
    /// Calls of the writers that wait for a response.
    in_flight: watch::Sender<u64>,
}

/// Counts a call while it waits for its response.
struct InFlight<'a>(&'a watch::Sender<u64>);

impl<'a> InFlight<'a> {
    fn of(count: &'a watch::Sender<u64>) -> Self {
        count.send_modify(|count| *count += 1);
        Self(count)
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}

impl Client {
    /// A client of a server.
    pub(super) fn new(up: Up) -> Self {
        let settings = OutboundSettings {
            private: PrivateAddresses::All,
            https_to_public: false,
            timeout_ms: ATTEMPT_MS_MAX,
        };
        Self {
            outbound: Outbound::new(settings),
            up,
            keys: AtomicU64::new(0),
            acknowledged: Mutex::default(),
            faults: Mutex::default(),
            responses: watch::Sender::new(0),
            in_flight: watch::Sender::new(0),
        }
    }

    /// Posts until there is a response, and stores the response.
    pub(super) async fn post(&self, path: &str, form: &[(&str, &str)]) -> Result<Value, Failure> {
        let key = format!("crash-{}", self.keys.fetch_add(1, Ordering::Relaxed));
        let form = owned(form);
        let body = self.insist("POST", path, &form, Some(&key)).await?;
        let posted = Acknowledged { key, path: path.to_owned(), form, body };
        let response = posted.json();
        self.acknowledged.lock().unwrap_or_else(PoisonError::into_inner).push(posted);
        self.responses.send_modify(|responses| *responses += 1);
        Ok(response)
    }

    /// Repeats a POST that already has a response.
    pub(super) async fn repeat(&self, posted: &Acknowledged) -> Result<Vec<u8>, Failure> {
        self.insist("POST", &posted.path, &posted.form, Some(&posted.key)).await
    }

    /// Reads until there is a response.
    pub(super) async fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Value, Failure> {
        let body = self.insist("GET", path, &owned(query), None).await?;
        serde_json::from_slice(&body).map_err(|error| format!("GET {path}: {error}"))
    }

    /// Deletes until there is a response.
    pub(super) async fn delete(&self, path: &str) -> Result<(), Failure> {
        self.insist("DELETE", path, &Vec::new(), None).await.map(drop)
    }

    /// Reads all pages of a list, by id.
    pub(super) async fn list(
        &self,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<BTreeMap<String, Value>, Failure> {
        let mut rows = BTreeMap::new();
        let mut last = None;
        loop {
            let mut query = query.to_vec();
            query.push(("limit", PAGE_ROWS));
            query.extend(last.as_deref().map(|last| ("starting_after", last)));
            let mut page = self.get(path, &query).await?;
            let more = page["has_more"] == true;
            let Value::Array(data) = page["data"].take() else {
                return Err(format!("GET {path} returned no list"));
            };
            last = data.last().map(|row| text(row, "id").to_owned());
            rows.extend(data.into_iter().map(|row| (text(&row, "id").to_owned(), row)));
            if !more {
                return Ok(rows);
            }
        }
    }

    /// Reads a path with its query once. Returns `None` if there is no response.
    pub(super) async fn try_get(&self, path: &str) -> Option<(u16, Value)> {
        let url = self.up.borrow().clone()?;
        let called = self.attempt("GET", &url, path, &Vec::new(), None).await.ok()?;
        Some((called.status, serde_json::from_slice(&called.body).unwrap_or_default()))
    }

    /// Posts once with a new idempotency key. Returns the status, or `None` if there is no response.
    pub(super) async fn try_post(&self, path: &str) -> Option<u16> {
        let key = format!("crash-once-{}", self.keys.fetch_add(1, Ordering::Relaxed));
        let url = self.up.borrow().clone()?;
        let called = self.attempt("POST", &url, path, &Vec::new(), Some(&key)).await.ok()?;
        Some(called.status)
    }

    /// Posts once with this idempotency key. Returns the status and the body, or `None` if there is no
    /// response.
    pub(super) async fn post_once(
        &self,
        key: &str,
        path: &str,
        form: &[(&str, &str)],
    ) -> Option<(u16, Vec<u8>)> {
        let url = until_up(&self.up).await;
        let called = self.attempt("POST", &url, path, &owned(form), Some(key)).await.ok()?;
        Some((called.status, called.body))
    }

    /// The status of a path with any body, or `None` if there is no response.
    pub(super) async fn status(&self, path: &str) -> Option<u16> {
        let url = self.up.borrow().clone()?;
        Some(self.attempt("GET", &url, path, &Vec::new(), None).await.ok()?.status)
    }

    /// All POSTs with a response.
    pub(super) fn acknowledged(&self) -> Vec<Acknowledged> {
        self.acknowledged.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Responses that a server must never send.
    pub(super) fn faults(&self) -> Vec<String> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits for this number of further responses.
    pub(super) async fn more_responses(&self, count: u64, limit: Duration) -> Result<(), Failure> {
        let mut responses = self.responses.subscribe();
        let target = *responses.borrow() + count;
        bounded("more responses", limit, async {
            let met = responses.wait_for(|responses| *responses >= target).await;
            met.map(drop).map_err(|error| error.to_string())
        })
        .await
    }

    /// Waits until a call of a writer is in flight. Returns the number of such calls.
    pub(super) async fn busy(&self, limit: Duration) -> Result<u64, Failure> {
        let mut in_flight = self.in_flight.subscribe();
        bounded("a call in flight", limit, async {
            let met = in_flight.wait_for(|in_flight| *in_flight > 0).await;
            met.map(|in_flight| *in_flight).map_err(|error| error.to_string())
        })
        .await
    }

    /// Calls until there is a response. A kill, a lock and a key in use are reasons to repeat.
    async fn insist(
        &self,
        method: &str,
        path: &str,
        form: &Form,
        key: Option<&str>,
    ) -> Result<Vec<u8>, Failure> {
        let called = async {
            loop {
                let url = until_up(&self.up).await;
                let attempt = {
                    let _waits = InFlight::of(&self.in_flight);
                    self.attempt(method, &url, path, form, key).await
                };
                match attempt {
                    Ok(called) if called.status == 200 => return Ok(called.body),
                    Ok(Called { status: 409 | 429, .. }) | Err(_) => {}
                    Ok(called) => {
                        let body = String::from_utf8_lossy(&called.body);
                        return Err(format!("{method} {path} returned {}: {body}", called.status));
                    }
                }
                pass(POLL_AGAIN).await;
            }
        };
        bounded(&format!("a response to {method} {path}"), RESPONSE_MAX, called).await
    }

    async fn attempt(
        &self,
        method: &str,
        base: &str,
        path: &str,
        form: &Form,
        key: Option<&str>,
    ) -> Result<Called, OutboundError> {
        let encoded = encode(form);
        let (url, body) = match method {
            "POST" => (format!("{base}{path}"), encoded.into_bytes()),
            _ if encoded.is_empty() => (format!("{base}{path}"), Vec::new()),
            _ => (format!("{base}{path}?{encoded}"), Vec::new()),
        };
        let authorization = format!("Bearer {API_KEY}");
        let mut headers = vec![
            ("Authorization", authorization.as_str()),
            ("Content-Type", "application/x-www-form-urlencoded"),
        ];
        headers.extend(key.map(|key| ("Idempotency-Key", key)));
        let called = self.outbound.call(method, &url, &headers, body).await?;
        if called.status >= 500 {
            let fault = format!("{method} {path} returned {}", called.status);
            self.faults.lock().unwrap_or_else(PoisonError::into_inner).push(fault);
        }
        Ok(called)
    }
}

fn encode(form: &Form) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish()
}

fn owned(form: &[(&str, &str)]) -> Form {
    form.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// A string in a response.
pub(super) fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}
