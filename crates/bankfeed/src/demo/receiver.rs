//! A small local webhook receiver. It verifies each post and passes the event on.

use super::Failure;
use model::clock::Clock;
use serde_json::Value;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use testkit::receiver::Post;
use tokio::sync::mpsc;

/// The time limit of the wait for a webhook.
const PATIENCE: Duration = Duration::from_secs(20);
/// The maximum number of events in the queue.
const QUEUE_MAX: usize = 1_024;

/// Receives webhooks.
pub(super) struct Receiver {
    server: testkit::receiver::Receiver,
    secret: Arc<Mutex<String>>,
    events: mpsc::Receiver<Value>,
}

impl Receiver {
    /// Starts to listen on a free local port.
    pub(super) async fn start(clock: Arc<dyn Clock>) -> Result<Self, Failure> {
        let secret = Arc::new(Mutex::new(String::new()));
        let (sender, events) = mpsc::channel(QUEUE_MAX);
        let trusted = Arc::clone(&secret);
        let receive = move |post: Post| {
            let secret = trusted.lock().unwrap_or_else(PoisonError::into_inner).clone();
            let verified = post.verify(&secret, clock.server_now().seconds());
            let sender = sender.clone();
            async move {
                let event = post.event();
                if verified.is_err() || event.is_null() {
                    return 400;
                }
                if sender.send(event).await.is_ok() { 200 } else { 500 }
            }
        };
        let server = testkit::receiver::Receiver::start(receive).await?;
        Ok(Self { server, secret, events })
    }

    /// The URL of the receiver.
    pub(super) fn url(&self) -> &str {
        &self.server.url
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
