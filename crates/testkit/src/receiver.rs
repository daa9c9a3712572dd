//! A webhook endpoint on a free local port.
//!
//! The owner decides the status of each response, from the post. A [`Receiver`] ends when it is
//! dropped, and posts that it did not respond to are delivered again.

use crate::client::Response;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::routing::post;
use serde_json::Value;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// The maximum age of a signature in seconds.
const TOLERANCE_S: i64 = 300;

/// A post to an endpoint.
#[derive(Clone, Debug)]
pub struct Post {
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl Post {
    /// The event, or null if the body is not JSON.
    pub fn event(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// A header as text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// Verifies the signature with the secret of the endpoint, at this time.
    pub fn verify(&self, secret: &str, now_s: i64) -> Result<(), String> {
        let signature = self.header("stripe-signature").ok_or("a post without a signature")?;
        wire::signature::verify(signature, secret, &self.body, now_s, TOLERANCE_S)
            .map_err(|error| error.to_string())
    }
}

/// A server for webhooks.
#[derive(Debug)]
pub struct Receiver {
    /// The address to post to.
    pub url: String,
    serving: JoinHandle<std::io::Result<()>>,
}

impl Receiver {
    /// Starts to listen. `handle` returns the status of the response to a post.
    pub async fn start<F, R>(handle: F) -> std::io::Result<Self>
    where
        F: Fn(Post) -> R + Clone + Send + Sync + 'static,
        R: Future<Output = u16> + Send + 'static,
    {
        let receive = async |State(handle): State<F>, headers: HeaderMap, body: Bytes| {
            let status = handle(Post { headers, body }).await;
            StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
        };
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}/hook", listener.local_addr()?);
        let router = Router::new().route("/hook", post(receive)).with_state(handle);
        let serving = tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self { url, serving })
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// An endpoint that records its posts and returns the status that a test sets.
#[derive(Debug)]
pub struct Recorder {
    /// The address to post to.
    pub url: String,
    state: Arc<Recorded>,
    _receiver: Receiver,
}

#[derive(Debug)]
struct Recorded {
    posts: Mutex<Vec<Response>>,
    status: AtomicU16,
    /// The number of posts that have arrived.
    arrived: watch::Sender<usize>,
    /// The number of posts that get a response.
    answered: watch::Sender<usize>,
}

impl Recorder {
    /// Starts to listen. The status is 200 at first.
    pub async fn start() -> std::io::Result<Self> {
        let state = Arc::new(Recorded {
            posts: Mutex::default(),
            status: AtomicU16::new(200),
            arrived: watch::Sender::new(0),
            answered: watch::Sender::new(usize::MAX),
        });
        let recorded = Arc::clone(&state);
        let receive = move |post: Post| recorded_post(Arc::clone(&recorded), post);
        let receiver = Receiver::start(receive).await?;
        Ok(Self { url: receiver.url.clone(), state, _receiver: receiver })
    }

    /// Holds back the responses to all posts after this number of further posts.
    pub fn hold_after(&self, posts: usize) {
        let arrived = *self.state.arrived.borrow();
        self.state.answered.send_replace(arrived.saturating_add(posts));
    }

    /// Sends the responses that are held back, and all later ones at once.
    pub fn release(&self) {
        self.hold_after(usize::MAX);
    }

    /// Waits until this number of posts has arrived since the last call of [`Self::take`].
    pub async fn arrived(&self, posts: usize) {
        let mut arrived = self.state.arrived.subscribe();
        // The recorder owns the sender, so the channel stays open.
        let _ = arrived.wait_for(|_| self.posts().len() >= posts).await;
    }

    /// Sets the status of the responses to later posts.
    pub fn respond(&self, status: u16) {
        self.state.status.store(status, Ordering::Relaxed);
    }

    /// Takes the posts since the last call, each with the status of its response.
    pub fn take(&self) -> Vec<Response> {
        std::mem::take(&mut self.posts())
    }

    /// The posts since the last call of [`Self::take`], which stay.
    pub fn posts_so_far(&self) -> Vec<Response> {
        self.posts().clone()
    }

    fn posts(&self) -> MutexGuard<'_, Vec<Response>> {
        self.state.posts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Records a post, and returns the status of its response when it may be sent.
async fn recorded_post(recorded: Arc<Recorded>, Post { headers, body }: Post) -> u16 {
    let status = recorded.status.load(Ordering::Relaxed);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let header =
        |(name, value): (&HeaderName, &HeaderValue)| (name.to_string(), text(value.as_bytes()));
    let headers = headers.iter().map(header).collect();
    let post = Response { status, headers, body: text(&body) };
    recorded.posts.lock().unwrap_or_else(PoisonError::into_inner).push(post);
    let mut place = 0;
    recorded.arrived.send_modify(|arrived| {
        place = *arrived;
        *arrived += 1;
    });
    // The task owns a reference to the sender, so the channel stays open.
    let _ = recorded.answered.subscribe().wait_for(|answered| place < *answered).await;
    status
}
