//! The webhook receiver. It survives every kill, verifies each post and lets the follower handle it
//! before it responds. It counts the posts of each event.

use super::follower::{Follower, Interrupted};
use crate::Failure;
use crate::time::now_s;
use serde_json::Value;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use testkit::follower::REFRESHED;
use testkit::receiver::Post;

/// Counts of one event.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Posts {
    /// The number of posts.
    pub(super) posted: u64,
    /// The number of posts that were handled completely.
    pub(super) handled: u64,
}

/// A server for webhooks.
pub(super) struct Receiver {
    shared: Arc<Shared>,
    server: testkit::receiver::Receiver,
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
        let shared = Arc::new(Shared {
            secret: Mutex::default(),
            received: Mutex::default(),
            unverified: Mutex::default(),
            follower,
        });
        let receiving = Arc::clone(&shared);
        let server =
            testkit::receiver::Receiver::start(move |post| receive(Arc::clone(&receiving), post));
        let server = server.await.map_err(|error| format!("listening for webhooks: {error}"))?;
        Ok(Self { shared, server })
    }

    /// The address to post to.
    pub(super) fn url(&self) -> &str {
        &self.server.url
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

/// Verifies and handles a post. Returns the status of the response.
async fn receive(shared: Arc<Shared>, post: Post) -> u16 {
    let secret = shared.secret.lock().unwrap_or_else(PoisonError::into_inner).clone();
    if let Err(fault) = post.verify(&secret, now_s()) {
        shared.unverified.lock().unwrap_or_else(PoisonError::into_inner).push(fault);
        return 400;
    }
    // A separate task handles the event to the end, also if the sender is killed.
    let handling = tokio::spawn(async move { shared.handle(&post.event()).await });
    if matches!(handling.await, Ok(Ok(()))) { 200 } else { 503 }
}

impl Shared {
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
