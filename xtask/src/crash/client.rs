//! A client as integrators write one: every POST carries an idempotency key and is sent again, the
//! same, until it is answered. Each answer is remembered with what was asked, because an answered
//! call is a promise: the checks at the end ask for all of them again.

use super::server::until_up;
use crate::Failure;
use crate::time::{LOOK_AGAIN, bounded, pass};
use outbound::{Called, Outbound, OutboundError, OutboundSettings};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// A call is answered within this time, kills and starts included.
const ANSWER_MAX: Duration = Duration::from_mins(1);
/// One attempt.
const ATTEMPT_MS_MAX: u64 = 40_000;
/// Rows of a page.
const PAGE_ROWS: &str = "100";
const API_KEY: &str = "sk_test_crash";

/// A form.
pub(super) type Form = Vec<(String, String)>;

/// A POST that was answered.
#[derive(Clone, Debug)]
pub(super) struct Acknowledged {
    pub(super) key: String,
    pub(super) path: String,
    pub(super) form: Form,
    pub(super) body: Vec<u8>,
}

impl Acknowledged {
    /// The answer.
    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

/// A client of the server, wherever it stands between its kills.
pub(super) struct Client {
    outbound: Outbound,
    base: String,
    up: watch::Receiver<bool>,
    keys: AtomicU64,
    acknowledged: Mutex<Vec<Acknowledged>>,
    faults: Mutex<Vec<String>>,
    /// Answers that came so far.
    answers: watch::Sender<u64>,
    /// Calls of the writers that wait for an answer.
    in_flight: watch::Sender<u64>,
}

/// Counts a call while it waits for its answer.
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
    /// A client of the server at this address.
    pub(super) fn new(base: String, up: watch::Receiver<bool>) -> Result<Self, Failure> {
        let settings =
            OutboundSettings { deny_private: false, https_only: false, timeout_ms: ATTEMPT_MS_MAX };
        Ok(Self {
            outbound: Outbound::new(settings).map_err(|error| error.to_string())?,
            base,
            up,
            keys: AtomicU64::new(0),
            acknowledged: Mutex::default(),
            faults: Mutex::default(),
            answers: watch::Sender::new(0),
            in_flight: watch::Sender::new(0),
        })
    }

    /// Posts until it is answered, and remembers the answer.
    pub(super) async fn post(&self, path: &str, form: &[(&str, &str)]) -> Result<Value, Failure> {
        let key = format!("crash-{}", self.keys.fetch_add(1, Ordering::Relaxed));
        let form = owned(form);
        let body = self.insist("POST", path, &form, Some(&key)).await?;
        let posted = Acknowledged { key, path: path.to_owned(), form, body };
        let answer = posted.json();
        self.acknowledged.lock().unwrap_or_else(PoisonError::into_inner).push(posted);
        self.answers.send_modify(|answers| *answers += 1);
        Ok(answer)
    }

    /// Posts what was answered before once more.
    pub(super) async fn repeat(&self, posted: &Acknowledged) -> Result<Vec<u8>, Failure> {
        self.insist("POST", &posted.path, &posted.form, Some(&posted.key)).await
    }

    /// Reads until it is answered.
    pub(super) async fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Value, Failure> {
        let body = self.insist("GET", path, &owned(query), None).await?;
        serde_json::from_slice(&body).map_err(|error| format!("GET {path}: {error}"))
    }

    /// Deletes until it is answered.
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
                return Err(format!("GET {path}: no list"));
            };
            last = data.last().map(|row| text(row, "id").to_owned());
            rows.extend(data.into_iter().map(|row| (text(&row, "id").to_owned(), row)));
            if !more {
                return Ok(rows);
            }
        }
    }

    /// Reads once, whatever comes of it.
    pub(super) async fn try_get(
        &self,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<(u16, Value), OutboundError> {
        let called = self.attempt("GET", path, &owned(query), None).await?;
        Ok((called.status, serde_json::from_slice(&called.body).unwrap_or_default()))
    }

    /// All that was answered.
    pub(super) fn acknowledged(&self) -> Vec<Acknowledged> {
        self.acknowledged.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Answers that no server should give.
    pub(super) fn faults(&self) -> Vec<String> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits for so many more answers.
    pub(super) async fn more_answers(&self, count: u64, limit: Duration) -> Result<(), Failure> {
        let mut answers = self.answers.subscribe();
        let target = *answers.borrow() + count;
        bounded("more answers", limit, async {
            let met = answers.wait_for(|answers| *answers >= target).await;
            met.map(drop).map_err(|error| error.to_string())
        })
        .await
    }

    /// Waits until a call of a writer is under way. Answers how many are.
    pub(super) async fn busy(&self, limit: Duration) -> Result<u64, Failure> {
        let mut in_flight = self.in_flight.subscribe();
        bounded("a call to be under way", limit, async {
            let met = in_flight.wait_for(|in_flight| *in_flight > 0).await;
            met.map(|in_flight| *in_flight).map_err(|error| error.to_string())
        })
        .await
    }

    /// Calls until it is answered; a kill, a lock and a key in use are reasons to call again.
    async fn insist(
        &self,
        method: &str,
        path: &str,
        form: &Form,
        key: Option<&str>,
    ) -> Result<Vec<u8>, Failure> {
        let answered = async {
            loop {
                until_up(&self.up).await;
                let attempt = {
                    let _waits = InFlight::of(&self.in_flight);
                    self.attempt(method, path, form, key).await
                };
                match attempt {
                    Ok(called) if called.status == 200 => return Ok(called.body),
                    Ok(Called { status: 409 | 429, .. }) | Err(_) => {}
                    Ok(called) => {
                        let said = String::from_utf8_lossy(&called.body).into_owned();
                        let status = called.status;
                        return Err(format!("{method} {path} was answered with {status}: {said}"));
                    }
                }
                pass(LOOK_AGAIN).await;
            }
        };
        bounded(&format!("an answer to {method} {path}"), ANSWER_MAX, answered).await
    }

    async fn attempt(
        &self,
        method: &str,
        path: &str,
        form: &Form,
        key: Option<&str>,
    ) -> Result<Called, OutboundError> {
        let encoded = encode(form);
        let (url, body) = match method {
            "POST" => (format!("{}{path}", self.base), encoded.into_bytes()),
            _ if encoded.is_empty() => (format!("{}{path}", self.base), Vec::new()),
            _ => (format!("{}{path}?{encoded}", self.base), Vec::new()),
        };
        let authorization = format!("Bearer {API_KEY}");
        let mut headers = vec![
            ("Authorization", authorization.as_str()),
            ("Content-Type", "application/x-www-form-urlencoded"),
        ];
        headers.extend(key.map(|key| ("Idempotency-Key", key)));
        let called = self.outbound.call(method, &url, &headers, body).await?;
        if called.status >= 500 {
            let fault = format!("{method} {path} was answered with {}", called.status);
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

/// A text of an answer.
pub(super) fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}
