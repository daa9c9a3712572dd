//! A small local webhook receiver. It verifies each post and passes the event on.

use super::Failure;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use model::clock::Clock;
use serde_json::Value;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::mpsc;

/// The time limit of the wait for a webhook.
const PATIENCE: Duration = Duration::from_secs(20);
/// The maximum age of a signature in seconds.
const TOLERANCE_S: i64 = 300;
/// The maximum number of events in the queue.
const QUEUE_MAX: usize = 1_024;

/// Receives webhooks.
pub(super) struct Receiver {
    /// The URL of the receiver.
    pub(super) url: String,
    secret: Arc<Mutex<String>>,
    events: mpsc::Receiver<Value>,
}

#[derive(Clone)]
struct Shared {
    secret: Arc<Mutex<String>>,
    clock: Arc<dyn Clock>,
    events: mpsc::Sender<Value>,
}

impl Receiver {
    /// Starts to listen on a free local port.
    pub(super) async fn start(clock: Arc<dyn Clock>) -> Result<Self, Failure> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}/webhook", listener.local_addr()?);
        let secret = Arc::new(Mutex::new(String::new()));
        let (sender, events) = mpsc::channel(QUEUE_MAX);
        let shared = Shared { secret: Arc::clone(&secret), clock, events: sender };
        let app = Router::new().route("/webhook", post(receive)).with_state(shared);
        tokio::spawn(async move { axum::serve(listener, app).await });
        Ok(Self { url, secret, events })
    }

    /// Sets the secret that verifies posts.
    pub(super) fn trust(&self, secret: &str) {
        secret.clone_into(&mut self.secret.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Waits for the next verified event.
    pub(super) async fn next(&mut self) -> Result<Value, Failure> {
        match tokio::time::timeout(PATIENCE, self.events.recv()).await {
            Ok(Some(event)) => Ok(event),
            _ => Err(format!("no webhook came within {} seconds", PATIENCE.as_secs()).into()),
        }
    }
}

async fn receive(State(shared): State<Shared>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let secret = shared.secret.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let signature = headers.get("Stripe-Signature").and_then(|value| value.to_str().ok());
    let now = shared.clock.server_now().seconds();
    let verified = signature.is_some_and(|signature| {
        wire::signature::verify(signature, &secret, &body, now, TOLERANCE_S).is_ok()
    });
    if !verified {
        return StatusCode::BAD_REQUEST;
    }
    let Ok(event) = serde_json::from_slice(&body) else {
        return StatusCode::BAD_REQUEST;
    };
    match shared.events.send(event).await {
        Ok(()) => StatusCode::OK,
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}
