//! The webhook receiver. It survives every kill, verifies each post and lets the follower handle it
//! before it responds. It counts the posts of each event.

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

/// The event type that followers handle.
pub(super) const REFRESHED: &str = "financial_connections.account.refreshed_transactions";
/// The maximum age of a signature in seconds.
const TOLERANCE_S: i64 = 300;

/// Counts of one event.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Posts {
    /// The number of posts.
    pub(super) posted: u64,
    /// The number of posts that were handled completely.
    pub(super) handled: u64,
}

/// A server for webhooks.
#[derive(Clone)]
pub(super) struct Receiver {
    shared: Arc<Shared>,
    /// The address to post to.
    pub(super) url: String,
}

struct Shared {
    secret: Mutex<String>,
    received: Mutex<HashMap<String, Posts>>,
    unverified: Mutex<Vec<String>>,
    follower: Arc<Follower>,
}

impl Receiver {
    /// Starts to listen on a free port.
    pub(super) async fn start(follower: Arc<Follower>) -> Result<Self, Failure> {
        let failed = |error: std::io::Error| format!("listening for webhooks: {error}");
        let listener = TcpListener::bind("127.0.0.1:0").await.map_err(failed)?;
        let url = format!("http://{}/webhook", listener.local_addr().map_err(failed)?);
        let shared = Arc::new(Shared {
            secret: Mutex::default(),
            received: Mutex::default(),
            unverified: Mutex::default(),
            follower,
        });
        let app = Router::new().route("/webhook", post(receive)).with_state(Arc::clone(&shared));
        tokio::spawn(async move { axum::serve(listener, app).await });
        Ok(Self { shared, url })
    }

    /// Sets the secret that verifies posts.
    pub(super) fn trust(&self, secret: &str) {
        let mut trusted = self.shared.secret.lock().unwrap_or_else(PoisonError::into_inner);
        secret.clone_into(&mut trusted);
    }

    /// The counts of each event id.
    pub(super) fn received(&self) -> HashMap<String, Posts> {
        self.shared.received.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The errors of posts that were not verified.
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
    // A separate task handles the event to the end, also if the sender is killed.
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
        self.count(id, |posts| posts.posted += 1);
        if event["type"] == REFRESHED {
            self.follower.handle(&event["data"]["object"]).await?;
        }
        self.count(id, |posts| posts.handled += 1);
        Ok(())
    }

    fn count(&self, event: &str, count: impl FnOnce(&mut Posts)) {
        let mut received = self.received.lock().unwrap_or_else(PoisonError::into_inner);
        count(received.entry(event.to_owned()).or_default());
    }
}
