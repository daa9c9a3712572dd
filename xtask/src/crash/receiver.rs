//! The webhook receiver: it outlives every kill, verifies each post, lets the follower handle it,
//! and answers only then. It counts what came, and how often.

use super::follower::{Follower, Interrupted};
use crate::Failure;
use crate::time::now_s;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use serde_json::Value;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::net::TcpListener;

/// The event that followers live on.
pub(super) const REFRESHED: &str = "financial_connections.account.refreshed_transactions";
/// Seconds by which a signature may be old.
const TOLERANCE_S: i64 = 300;

/// How often an event came.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Came {
    /// How often it was posted.
    pub(super) posted: u64,
    /// How often it was handled to the end.
    pub(super) handled: u64,
}

/// Takes webhooks.
#[derive(Clone)]
pub(super) struct Receiver {
    shared: Arc<Shared>,
    /// Where it listens.
    pub(super) url: String,
}

struct Shared {
    secret: Mutex<String>,
    came: Mutex<HashMap<String, Came>>,
    unverified: Mutex<Vec<String>>,
    follower: Arc<Follower>,
}

impl Receiver {
    /// Starts to listen on a free port of this machine.
    pub(super) async fn start(follower: Arc<Follower>) -> Result<Self, Failure> {
        let failed = |error: std::io::Error| format!("listening for webhooks: {error}");
        let listener = TcpListener::bind("127.0.0.1:0").await.map_err(failed)?;
        let url = format!("http://{}/webhook", listener.local_addr().map_err(failed)?);
        let shared = Arc::new(Shared {
            secret: Mutex::default(),
            came: Mutex::default(),
            unverified: Mutex::default(),
            follower,
        });
        let app = Router::new().route("/webhook", post(receive)).with_state(Arc::clone(&shared));
        tokio::spawn(async move { axum::serve(listener, app).await });
        Ok(Self { shared, url })
    }

    /// What posts are verified with.
    pub(super) fn trust(&self, secret: &str) {
        let mut trusted = self.shared.secret.lock().unwrap_or_else(PoisonError::into_inner);
        secret.clone_into(&mut trusted);
    }

    /// What came, by event.
    pub(super) fn came(&self) -> HashMap<String, Came> {
        self.shared.came.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Why posts were not verified.
    pub(super) fn unverified(&self) -> Vec<String> {
        self.shared.unverified.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn receive(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    if let Err(fault) = shared.verify(&headers, &body) {
        shared.unverified.lock().unwrap_or_else(PoisonError::into_inner).push(fault);
        return StatusCode::BAD_REQUEST;
    }
    let Ok(event) = serde_json::from_slice::<Value>(&body) else {
        return StatusCode::BAD_REQUEST;
    };
    // The sender may give an attempt up, or be killed; what was begun is handled to its end.
    let handling = tokio::spawn(async move { shared.handle(&event).await });
    match handling.await {
        Ok(Ok(())) => StatusCode::OK,
        _ => StatusCode::SERVICE_UNAVAILABLE,
    }
}

impl Shared {
    fn verify(&self, headers: &HeaderMap, body: &[u8]) -> Result<(), String> {
        let secret = self.secret.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let signature = headers.get("Stripe-Signature").and_then(|value| value.to_str().ok());
        let signature = signature.ok_or("a post without a signature")?;
        wire::signature::verify(signature, &secret, body, now_s(), TOLERANCE_S)
            .map_err(|error| error.to_string())
    }

    async fn handle(&self, event: &Value) -> Result<(), Interrupted> {
        let id = event["id"].as_str().unwrap_or_default();
        self.count(id, |came| came.posted += 1);
        if event["type"] == REFRESHED {
            self.follower.handle(&event["data"]["object"]).await?;
        }
        self.count(id, |came| came.handled += 1);
        Ok(())
    }

    fn count(&self, event: &str, count: impl FnOnce(&mut Came)) {
        let mut came = self.came.lock().unwrap_or_else(PoisonError::into_inner);
        count(came.entry(event.to_owned()).or_default());
    }
}
