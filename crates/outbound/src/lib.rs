//! The only place that builds HTTP clients, for banks and for webhooks.
//!
//! - One post is one attempt. The client follows no redirect, makes no retry and uses no proxy from
//!   the environment. Time and response size are bounded.
//! - If private addresses are denied, they are rejected in the URL and again among the resolved
//!   addresses at the moment of connecting. A name that resolves to another address later is
//!   therefore rejected too. Connections to allowed addresses stay open for reuse, and a request is
//!   sent on each one (`client.rs`).
//! - An error never contains the URL, a header or the body, because they can contain secrets.

mod address;
mod client;

use address::is_public;
use client::{Exchange, Failure, HttpClient, Place};
use http_body_util::BodyExt;
use hyper::Method;
use hyper_util::client::legacy::connect::dns::Name;
use model::limits::ATTEMPT_BODY_BYTES_MAX;
use std::error::Error;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tower_service::Service;
use url::{Host, Url};

/// The most bytes of a response that are read. Bytes beyond the stored part are read so that the
/// connection can be reused.
const RESPONSE_BYTES_READ_MAX: usize = 64 * 1024;
/// The most bytes of a response to a call.
const CALL_BYTES_MAX: usize = 16 * 1024 * 1024;

/// The `User-Agent` of bankfeed's own commands, so that the client checker ignores their calls.
pub const COMMAND_LINE: &str = "bankfeed/1.0 (command line)";

/// The limits of outbound calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutboundSettings {
    /// Reject addresses that are not public.
    pub deny_private: bool,
    /// Reject `http`.
    pub https_only: bool,
    /// The most time from the start of a call to the end of the response, in milliseconds.
    pub timeout_ms: u64,
}

/// A URL that cannot be called, or a client that cannot be built.
#[derive(Debug, thiserror::Error)]
pub enum OutboundError {
    /// The text is not a URL.
    #[error("not a valid URL")]
    Invalid,
    /// The scheme is not allowed.
    #[error("the URL must begin with {}", if *.https_only { "https" } else { "http or https" })]
    Scheme {
        /// True if only `https` is allowed.
        https_only: bool,
    },
    /// The URL contains a user name or a password.
    #[error("the URL must not hold credentials")]
    Credentials,
    /// The URL contains a private address.
    #[error("the address is not public")]
    PrivateAddress,
    /// The call got no response.
    #[error("{reason}")]
    Call {
        /// The reason, free of secrets.
        reason: &'static str,
    },
}

/// The client for posts and calls to other machines. Clones share one pool of connections.
#[derive(Clone, Debug)]
pub struct Outbound {
    settings: OutboundSettings,
    client: HttpClient,
}

/// A checked URL, to which many posts may go.
#[derive(Clone, Debug)]
pub struct Target(Place);

/// The result of a post.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Posted {
    /// The status of the response, or the reason why there is none. Free of secrets.
    pub status: Result<u16, String>,
    /// The beginning of the response's body as text, at most [`ATTEMPT_BODY_BYTES_MAX`] bytes.
    pub body: String,
}

/// A complete response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Called {
    /// The status.
    pub status: u16,
    /// The header `Stripe-Notice`, for example about a refresh that was not started.
    pub notice: Option<String>,
    /// The header `Date`: the time of the response by the server's clock.
    pub date: Option<String>,
    /// The body.
    pub body: Vec<u8>,
}

impl Outbound {
    /// Builds the client.
    pub fn new(settings: OutboundSettings) -> Self {
        Self { settings, client: HttpClient::new(settings) }
    }

    /// Checks a URL without resolving its name.
    pub fn check_url(&self, url: &str) -> Result<(), OutboundError> {
        self.parse(url).map(drop)
    }

    /// Checks a URL for posts, without resolving its name.
    pub fn target(&self, url: &str) -> Result<Target, OutboundError> {
        let url = self.parse(url)?;
        Place::of(&url).map(Target).ok_or(OutboundError::Invalid)
    }

    /// Posts once. An error becomes the status of the result.
    pub async fn post(&self, url: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Posted {
        self.post_to(&self.target(url), headers, body).await
    }

    /// Posts once to a target. An error, also one of the target, becomes the status of the result.
    pub async fn post_to(
        &self,
        target: &Result<Target, OutboundError>,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Posted {
        let none = |reason: &str| Posted { status: Err(reason.to_owned()), body: String::new() };
        let Target(place) = match target {
            Ok(target) => target,
            Err(error) => return none(&error.to_string()),
        };
        let (mut status, mut stored) = (None, Vec::new());
        let posting = async {
            let mut exchange = self.client.send(place, Method::POST, headers, body).await?;
            status = Some(exchange.response.status().as_u16());
            if read_beginning(&mut exchange, &mut stored).await {
                exchange.release();
            }
            Ok::<(), Failure>(())
        };
        let posted = tokio::time::timeout(self.timeout(), posting).await;
        match (status, posted) {
            // The status decides the result, so a body that ends early is stored as far as it was
            // read.
            (Some(status), _) => Posted { status: Ok(status), body: text(&stored) },
            (None, Ok(Err(failure))) => none(reason(&failure)),
            (None, _) => none(TOO_LATE),
        }
    }

    /// Calls once and reads the complete response, for programs that are clients of an API.
    pub async fn call(
        &self,
        method: &str,
        url: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Result<Called, OutboundError> {
        let Target(place) = self.target(url)?;
        let method = method.parse().map_err(|_| OutboundError::Invalid)?;
        let calling = Box::pin(async {
            let exchange = self.client.send(&place, method, headers, body).await;
            complete(exchange.map_err(|failure| reason(&failure))?).await
        });
        let called = tokio::time::timeout(self.timeout(), calling).await;
        called.unwrap_or(Err(TOO_LATE)).map_err(|reason| OutboundError::Call { reason })
    }

    fn timeout(&self) -> Duration {
        Duration::from_millis(self.settings.timeout_ms)
    }

    fn parse(&self, url: &str) -> Result<Url, OutboundError> {
        let url = Url::parse(url).map_err(|_| OutboundError::Invalid)?;
        let https_only = self.settings.https_only;
        if !(url.scheme() == "https" || (url.scheme() == "http" && !https_only)) {
            return Err(OutboundError::Scheme { https_only });
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(OutboundError::Credentials);
        }
        let address = match url.host() {
            None => return Err(OutboundError::Invalid),
            Some(Host::Domain(_)) => None,
            Some(Host::Ipv4(address)) => Some(IpAddr::V4(address)),
            Some(Host::Ipv6(address)) => Some(IpAddr::V6(address)),
        };
        if self.settings.deny_private && address.is_some_and(|address| !is_public(address)) {
            return Err(OutboundError::PrivateAddress);
        }
        Ok(url)
    }
}

/// The reason for a response that was not complete in time.
const TOO_LATE: &str = "no response in time";

/// Reads a body as far as a connection is worth it, and stores its beginning. Returns true if it was
/// read to the end.
async fn read_beginning(exchange: &mut Exchange, stored: &mut Vec<u8>) -> bool {
    let body = exchange.response.body_mut();
    let mut read = 0;
    while read < RESPONSE_BYTES_READ_MAX {
        match body.frame().await {
            None => return true,
            Some(Err(_)) => return false,
            Some(Ok(frame)) => {
                let Ok(chunk) = frame.into_data() else { continue };
                read += chunk.len();
                let room = ATTEMPT_BODY_BYTES_MAX - stored.len();
                stored.extend_from_slice(&chunk[..chunk.len().min(room)]);
            }
        }
    }
    false
}

/// Reads a response to its end.
async fn complete(mut exchange: Exchange) -> Result<Called, &'static str> {
    let status = exchange.response.status().as_u16();
    let headers = exchange.response.headers();
    let header = |name| Some(headers.get(name)?.to_str().ok()?.to_owned());
    let (notice, date) = (header("stripe-notice"), header("date"));
    let mut body = Vec::new();
    while let Some(frame) = exchange.response.body_mut().frame().await {
        let frame = frame.map_err(|error| reason(&Failure::Broken(error)))?;
        let Ok(chunk) = frame.into_data() else { continue };
        if body.len() + chunk.len() > CALL_BYTES_MAX {
            return Err("the response is too large");
        }
        body.extend_from_slice(&chunk);
    }
    exchange.release();
    Ok(Called { status, notice, date, body })
}

/// Bytes as text, within [`ATTEMPT_BODY_BYTES_MAX`] bytes. A replacement character has three bytes.
fn text(bytes: &[u8]) -> String {
    let mut text = String::from_utf8_lossy(bytes).into_owned();
    text.truncate(text.floor_char_boundary(ATTEMPT_BODY_BYTES_MAX));
    text
}

/// The reason for a missing response, as a fixed text.
fn reason(failure: &Failure) -> &'static str {
    let mut source = Some(failure.error());
    let mut kind = None;
    while let Some(cause) = source {
        if cause.is::<PrivateAddress>() {
            return "the address is not public";
        }
        if cause.is::<NoAddress>() {
            return "the name does not resolve";
        }
        if cause.is::<rustls::Error>() {
            return "the TLS handshake failed";
        }
        if let Some(io) = cause.downcast_ref::<std::io::Error>() {
            kind = Some(io.kind());
            // An I/O error may contain a TLS error without naming it as its source.
            if io.get_ref().is_some_and(<dyn Error + Send + Sync>::is::<rustls::Error>) {
                return "the TLS handshake failed";
            }
        }
        source = cause.source();
    }
    match (failure, kind) {
        (_, Some(std::io::ErrorKind::TimedOut)) => TOO_LATE,
        (_, Some(std::io::ErrorKind::ConnectionRefused)) => "the connection was refused",
        (_, Some(std::io::ErrorKind::ConnectionReset)) => "the connection was reset",
        (Failure::Connect(_), _) => "no connection",
        (Failure::Build(_), _) => "the request could not be built",
        (Failure::Broken(_), _) => "the connection broke before a response",
    }
}

/// A name resolved to no address.
#[derive(Debug, thiserror::Error)]
#[error("the name does not resolve")]
struct NoAddress;

/// A name resolved to private addresses only.
#[derive(Debug, thiserror::Error)]
#[error("the address is not public")]
struct PrivateAddress;

/// The resolver of names at the moment of connecting.
#[derive(Clone, Copy, Debug)]
struct Resolver {
    deny_private: bool,
}

/// The resolved addresses.
type Addresses = std::vec::IntoIter<SocketAddr>;
type AnyError = Box<dyn Error + Send + Sync>;

impl Service<Name> for Resolver {
    type Response = Addresses;
    type Error = AnyError;
    type Future = Pin<Box<dyn Future<Output = Result<Addresses, AnyError>> + Send>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), AnyError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let deny_private = self.deny_private;
        Box::pin(async move {
            // The connector replaces port 0 with the port of the URL.
            let found = tokio::net::lookup_host((name.as_str(), 0)).await;
            let found: Vec<SocketAddr> = found.map_err(|_| NoAddress)?.collect();
            admit(found, deny_private)
        })
    }
}

/// The addresses that may be called.
fn admit(found: Vec<SocketAddr>, deny_private: bool) -> Result<Addresses, AnyError> {
    if found.is_empty() {
        return Err(Box::new(NoAddress));
    }
    let admitted: Vec<SocketAddr> =
        found.into_iter().filter(|found| !deny_private || is_public(found.ip())).collect();
    if admitted.is_empty() {
        return Err(Box::new(PrivateAddress));
    }
    Ok(admitted.into_iter())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};
    use tokio::task::JoinSet;

    fn outbound(deny_private: bool, https_only: bool) -> Outbound {
        Outbound::new(OutboundSettings { deny_private, https_only, timeout_ms: 5_000 })
    }

    /// A URL is rejected for its scheme, its credentials, or a private address in any spelling.
    #[test]
    fn urls_are_checked() {
        let (strict, https, open) =
            (outbound(true, false), outbound(true, true), outbound(false, false));
        let check = |outbound: &Outbound, url: &str| match outbound.check_url(url) {
            Ok(()) => "allowed".to_owned(),
            Err(error) => error.to_string(),
        };
        let mut checked = String::new();
        for url in [
            "https://example.com/hook?token=1",
            "http://example.com",
            "ftp://example.com",
            "example.com",
            "https://",
            "https://user:secret@example.com",
            "http://127.0.0.1:4000/hook",
            "http://0x7f.1/",
            "http://2130706433/",
            "http://[::ffff:10.0.0.1]/",
        ] {
            let results = [&strict, &https, &open].map(|outbound| check(outbound, url));
            checked.extend([url, ": ", &results.join(" | "), "\n"]);
        }
        insta::assert_snapshot!(checked, @"
        https://example.com/hook?token=1: allowed | allowed | allowed
        http://example.com: allowed | the URL must begin with https | allowed
        ftp://example.com: the URL must begin with http or https | the URL must begin with https | the URL must begin with http or https
        example.com: not a valid URL | not a valid URL | not a valid URL
        https://: not a valid URL | not a valid URL | not a valid URL
        https://user:secret@example.com: the URL must not hold credentials | the URL must not hold credentials | the URL must not hold credentials
        http://127.0.0.1:4000/hook: the address is not public | the URL must begin with https | allowed
        http://0x7f.1/: the address is not public | the URL must begin with https | allowed
        http://2130706433/: the address is not public | the URL must begin with https | allowed
        http://[::ffff:10.0.0.1]/: the address is not public | the URL must begin with https | allowed
        ");
    }

    /// Resolved private addresses are dropped, and a name without public addresses is rejected.
    #[test]
    fn resolved_addresses_are_checked() {
        let found: Vec<SocketAddr> =
            vec!["127.0.0.1:0".parse().unwrap(), "8.8.8.8:0".parse().unwrap()];
        let admitted: Vec<_> = admit(found.clone(), true).unwrap().collect();
        assert_eq!(admitted, found[1..]);
        assert_eq!(admit(found[..1].to_vec(), false).unwrap().count(), 1);
        assert!(admit(found[..1].to_vec(), true).is_err_and(|error| error.is::<PrivateAddress>()));
        assert!(admit(Vec::new(), false).is_err_and(|error| error.is::<NoAddress>()));
    }

    /// Stored text is within its bound for any bytes.
    #[test]
    fn stored_text_is_bounded() {
        assert_eq!(text(b"fine"), "fine");
        assert_eq!(text(&[0xff; 2_000]).len(), ATTEMPT_BODY_BYTES_MAX / 3 * 3);
    }

    /// Responds to one post with these bytes and returns the post.
    async fn serve_once(listener: TcpListener, response: Vec<u8>) -> String {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut posted = Vec::new();
        let mut buffer = [0; 4_096];
        while !posted.ends_with(b"{}") {
            let length = stream.read(&mut buffer).await.unwrap();
            assert!(length > 0, "the post ended early");
            posted.extend_from_slice(&buffer[..length]);
        }
        stream.write_all(&response).await.unwrap();
        String::from_utf8(posted).unwrap()
    }

    /// A post sends headers and body, does not follow a redirect, and keeps the beginning of the
    /// response.
    #[tokio::test]
    async fn posts_once_and_keeps_the_beginning() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let mut response =
            b"HTTP/1.1 302 Found\r\nlocation: /else\r\ncontent-length: 3000\r\n\r\n".to_vec();
        response.extend([b'x'; 3_000]);
        let server = tokio::spawn(serve_once(listener, response));
        let outbound = outbound(false, false);
        let posted = outbound.post(&url, &[("stripe-signature", "t=1")], b"{}".to_vec()).await;
        assert_eq!(posted.status, Ok(302));
        assert_eq!(posted.body.len(), ATTEMPT_BODY_BYTES_MAX);
        let request = server.await.unwrap();
        assert!(request.starts_with("POST /hook HTTP/1.1\r\n"), "{request}");
        assert!(request.contains("stripe-signature: t=1\r\n"), "{request}");
    }

    /// The reason for a missing response does not contain the URL.
    #[tokio::test]
    async fn failures_hold_no_secrets() {
        let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let reasons = [
            outbound(false, false).post(&format!("http://{free}/secret"), &[], vec![]).await,
            outbound(true, false).post(&format!("http://{free}/secret"), &[], vec![]).await,
            outbound(true, false).post("http://localhost/secret", &[], vec![]).await,
            outbound(false, false).post("http://localhost/", &[("a b", "c")], vec![]).await,
        ]
        .map(|posted| posted.status.unwrap_err());
        insta::assert_snapshot!(reasons.join("\n"), @"
        the connection was refused
        the address is not public
        the address is not public
        the request could not be built
        ");
    }

    /// A receiver of posts, with the numbers of connections that it accepted and that had a request.
    struct Receiver {
        url: String,
        accepted: Arc<AtomicUsize>,
        used: Arc<AtomicUsize>,
    }

    impl Receiver {
        async fn start() -> Self {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let url = format!("http://{}/hook", listener.local_addr().unwrap());
            let (accepted, used) = (Arc::default(), Arc::default());
            let receiver = Self { url, accepted: Arc::clone(&accepted), used: Arc::clone(&used) };
            tokio::spawn(async move {
                loop {
                    let (stream, _) = listener.accept().await.unwrap();
                    accepted.fetch_add(1, Ordering::SeqCst);
                    tokio::spawn(respond(stream, Arc::clone(&used)));
                }
            });
            receiver
        }
    }

    /// Responds to each post on a connection. Each body is `{}`.
    async fn respond(mut stream: TcpStream, used: Arc<AtomicUsize>) {
        let mut posted = Vec::new();
        let mut buffer = [0; 4_096];
        let mut requests = 0;
        loop {
            let length = stream.read(&mut buffer).await.unwrap_or(0);
            if length == 0 {
                return;
            }
            posted.extend_from_slice(&buffer[..length]);
            if !posted.ends_with(b"{}") {
                continue;
            }
            posted.clear();
            if requests == 0 {
                used.fetch_add(1, Ordering::SeqCst);
            }
            requests += 1;
            // Every seventh response ends the connection.
            let close = if requests % 7 == 0 { "connection: close\r\n" } else { "" };
            let response = format!("HTTP/1.1 200 OK\r\n{close}content-length: 2\r\n\r\nok");
            stream.write_all(response.as_bytes()).await.unwrap();
            if !close.is_empty() {
                return;
            }
        }
    }

    /// A request is sent on every connection that is opened, while posts race for connections that
    /// become idle or are closed. Connections are reused.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn no_connection_stays_without_a_request() {
        const TASKS: usize = 8;
        const POSTS: usize = 300;
        let receiver = Receiver::start().await;
        let outbound = outbound(false, false);
        let mut tasks = JoinSet::new();
        for _ in 0..TASKS {
            let (outbound, url) = (outbound.clone(), receiver.url.clone());
            tasks.spawn(async move {
                for _ in 0..POSTS {
                    let posted = outbound.post(&url, &[], b"{}".to_vec()).await;
                    assert_eq!(posted, Posted { status: Ok(200), body: "ok".to_owned() });
                }
            });
        }
        while let Some(ended) = tasks.join_next().await {
            ended.unwrap();
        }
        let accepted = receiver.accepted.load(Ordering::SeqCst);
        assert_eq!(receiver.used.load(Ordering::SeqCst), accepted);
        let needed = TASKS * POSTS / 7;
        assert!((needed..=needed + 2 * TASKS).contains(&accepted), "{accepted} for {needed}");
    }

    /// A post takes the connection that a post before it has left idle. If the receiver has closed it
    /// meanwhile, the post opens a new one.
    #[tokio::test]
    async fn an_idle_connection_is_reused_or_replaced() {
        let receiver = Receiver::start().await;
        let outbound = outbound(false, false);
        for post in 1..=15_usize {
            let posted = outbound.post(&receiver.url, &[], b"{}".to_vec()).await;
            assert_eq!(posted.status, Ok(200));
            assert_eq!(receiver.accepted.load(Ordering::SeqCst), post.div_ceil(7));
        }
    }
}
