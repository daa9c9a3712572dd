//! The only place that builds HTTP clients, for banks and for webhooks.
//!
//! - One post is one attempt. The client follows no redirect, makes no retry and uses no proxy from
//!   the environment. Time and response size are bounded.
//! - Addresses that may not be called are rejected in the URL and again among the resolved addresses at
//!   the moment of connecting (`resolve.rs`). A name that resolves to another address later is
//!   therefore rejected too. Connections to allowed addresses stay open for reuse, and a request is
//!   sent on each one (`client.rs`).
//! - The URL that is shown is the URL that is called. A text that a parser would read as another URL,
//!   for example because of a backslash or a line break, is rejected.
//! - An error never contains the URL, a header or the body, because they can contain secrets.

mod address;
mod client;
mod resolve;

pub use resolve::{ForbiddenAddress, PrivateAddresses};

use client::{Exchange, Failure, HttpClient, Place};
use http_body_util::BodyExt;
use hyper::Method;
use model::limits::ATTEMPT_BODY_BYTES_MAX;
use resolve::{AddressRule, NoAddress};
use std::error::Error;
use std::net::IpAddr;
use std::time::Duration;
use url::{Host, Url};

/// The most bytes of a response that are read. Bytes beyond the stored part are read so that the
/// connection can be reused.
const RESPONSE_BYTES_READ_MAX: usize = 64 * 1024;
/// The most bytes of a response to a call.
const CALL_BYTES_MAX: usize = 16 * 1024 * 1024;

/// The `User-Agent` of bankfeed's own commands, so that the client checker ignores their calls.
pub const COMMAND_LINE: &str = "bankfeed/1.0 (command line)";

/// The limits of outbound calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboundSettings {
    /// The addresses that may be called, in addition to the public ones.
    pub private: PrivateAddresses,
    /// Permit `http` to those private addresses only, and `https` to all.
    pub https_to_public: bool,
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
    #[error("the URL must begin with {schemes}")]
    Scheme {
        /// The schemes that are allowed.
        schemes: &'static str,
    },
    /// The text of the URL would be read as another URL.
    #[error(
        "the URL must begin with http:// or https:// and contain no space, backslash or control character"
    )]
    Ambiguous,
    /// The URL contains a user name or a password.
    #[error("the URL must not hold credentials")]
    Credentials,
    /// The URL contains an address that may not be called.
    #[error(transparent)]
    ForbiddenAddress(#[from] ForbiddenAddress),
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
        let client = HttpClient::new(&settings);
        Self { settings, client }
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
            // A receiver whose body never ends is not done with the request.
            (_, Err(_)) => Posted { status: Err(TOO_LATE.to_owned()), body: text(&stored) },
            // The status decides the result, so a body that ends early is stored as far as it was
            // read.
            (Some(status), _) => Posted { status: Ok(status), body: text(&stored) },
            (None, Ok(Err(failure))) => none(reason(&failure)),
            (None, Ok(Ok(()))) => unreachable!("a response has a status"),
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

    fn parse(&self, text: &str) -> Result<Url, OutboundError> {
        let url = Url::parse(text).map_err(|_| OutboundError::Invalid)?;
        let rule = self.settings.rule(url.scheme() == "https");
        if !matches!(url.scheme(), "http" | "https") || rule.is_empty() {
            let secure_only = self.settings.rule(false).is_empty();
            let schemes = if secure_only { "https" } else { "http or https" };
            return Err(OutboundError::Scheme { schemes });
        }
        let is_ambiguous = |byte: u8| byte == b'\\' || byte <= b' ' || byte == 0x7f;
        let begins = text.get(url.scheme().len()..).is_some_and(|rest| rest.starts_with("://"));
        if !begins || text.bytes().any(is_ambiguous) {
            return Err(OutboundError::Ambiguous);
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
        if address.is_some_and(|address| !rule.admits(address)) {
            return Err(rule.forbidden().into());
        }
        Ok(url)
    }
}

impl OutboundSettings {
    /// The addresses that may be called with `https`, or with `http`.
    fn rule(&self, secure: bool) -> AddressRule {
        AddressRule { public: secure || !self.https_to_public, private: self.private.clone() }
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
        if let Some(forbidden) = cause.downcast_ref::<ForbiddenAddress>() {
            return forbidden.reason();
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};
    use tokio::task::JoinSet;

    fn outbound(private: PrivateAddresses, https_to_public: bool) -> Outbound {
        Outbound::new(OutboundSettings { private, https_to_public, timeout_ms: 5_000 })
    }

    fn open() -> Outbound {
        outbound(PrivateAddresses::All, false)
    }

    fn strict() -> Outbound {
        outbound(PrivateAddresses::none(), false)
    }

    /// A URL is rejected for its scheme, its credentials, an ambiguous form, or a private address in any
    /// spelling. `http` may be permitted to some private addresses only.
    #[test]
    fn urls_are_checked() {
        let ten: PrivateAddresses =
            PrivateAddresses::Within(["10.0.0.0/8".parse().unwrap()].into());
        let live = outbound(PrivateAddresses::none(), true);
        let clients = [strict(), live, outbound(ten, true), open()];
        let check = |outbound: &Outbound, url: &str| match outbound.check_url(url) {
            Ok(()) => "allowed",
            Err(OutboundError::Invalid) => "invalid",
            Err(OutboundError::Scheme { schemes }) => schemes,
            Err(OutboundError::Ambiguous) => "ambiguous",
            Err(OutboundError::Credentials) => "credentials",
            Err(OutboundError::ForbiddenAddress(ForbiddenAddress::Private)) => "private",
            Err(OutboundError::ForbiddenAddress(ForbiddenAddress::Http)) => "plain",
            Err(OutboundError::Call { .. }) => "call",
        };
        let mut checked = String::new();
        for url in [
            "https://example.com/hook?token=1",
            "HTTPS://example.com",
            "http://example.com",
            "ftp://example.com",
            "example.com",
            "https://",
            "https://user:secret@example.com",
            "http://127.0.0.1:4000/hook",
            "http://0x7f.1/",
            "http://2130706433/",
            "http://[::ffff:10.0.0.1]/",
            "http://8.8.8.8/",
            "https://10.0.0.1/",
            "http:\\\\example.com",
            "http:example.com",
            "https://example.com/a b",
            "https://example.com/\r\nx: y",
            " https://example.com",
        ] {
            let results = clients.each_ref().map(|outbound| check(outbound, url)).join(" | ");
            checked.extend([&url.escape_debug().to_string(), ": ", &results, "\n"]);
        }
        insta::assert_snapshot!(checked, @r"
        https://example.com/hook?token=1: allowed | allowed | allowed | allowed
        HTTPS://example.com: allowed | allowed | allowed | allowed
        http://example.com: allowed | https | allowed | allowed
        ftp://example.com: http or https | https | http or https | http or https
        example.com: invalid | invalid | invalid | invalid
        https://: invalid | invalid | invalid | invalid
        https://user:secret@example.com: credentials | credentials | credentials | credentials
        http://127.0.0.1:4000/hook: private | https | plain | allowed
        http://0x7f.1/: private | https | plain | allowed
        http://2130706433/: private | https | plain | allowed
        http://[::ffff:10.0.0.1]/: private | https | allowed | allowed
        http://8.8.8.8/: allowed | https | plain | allowed
        https://10.0.0.1/: private | private | allowed | allowed
        http:\\\\example.com: ambiguous | https | ambiguous | ambiguous
        http:example.com: ambiguous | https | ambiguous | ambiguous
        https://example.com/a b: ambiguous | ambiguous | ambiguous | ambiguous
        https://example.com/\r\nx: y: ambiguous | ambiguous | ambiguous | ambiguous
         https://example.com: ambiguous | ambiguous | ambiguous | ambiguous
        ");
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
        let outbound = open();
        let posted = outbound.post(&url, &[("stripe-signature", "t=1")], b"{}".to_vec()).await;
        assert_eq!(posted.status, Ok(302));
        assert_eq!(posted.body.len(), ATTEMPT_BODY_BYTES_MAX);
        let request = server.await.unwrap();
        assert!(request.starts_with("POST /hook HTTP/1.1\r\n"), "{request}");
        assert!(request.contains("stripe-signature: t=1\r\n"), "{request}");
    }

    /// A response whose body does not end before the deadline is a failure. One whose body ends early
    /// is not.
    #[tokio::test]
    async fn an_endless_body_is_a_failure() {
        let head = "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nthanks";
        let settings = OutboundSettings {
            private: PrivateAddresses::All,
            https_to_public: false,
            timeout_ms: 300,
        };
        let outbound = Outbound::new(settings);
        let (keep, mut kept) = tokio::sync::mpsc::channel(1);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.write_all(head.as_bytes()).await.unwrap();
            keep.send(stream).await.unwrap();
            listener
        });
        let posted = outbound.post(&url, &[], b"{}".to_vec()).await;
        assert_eq!(posted.status, Err(TOO_LATE.to_owned()));
        assert_eq!(posted.body, "thanks");
        drop(kept.recv().await);

        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        tokio::spawn(serve_once(listener, head.as_bytes().to_vec()));
        let posted = outbound.post(&url, &[], b"{}".to_vec()).await;
        assert_eq!(posted, Posted { status: Ok(200), body: "thanks".to_owned() });
    }

    /// The reason for a missing response does not contain the URL.
    #[tokio::test]
    async fn failures_hold_no_secrets() {
        let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let reasons = [
            open().post(&format!("http://{free}/secret"), &[], vec![]).await,
            strict().post(&format!("http://{free}/secret"), &[], vec![]).await,
            strict().post("http://localhost/secret", &[], vec![]).await,
            open().post("http://localhost/", &[("a b", "c")], vec![]).await,
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
        let outbound = open();
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
        let outbound = open();
        for post in 1..=15_usize {
            let posted = outbound.post(&receiver.url, &[], b"{}".to_vec()).await;
            assert_eq!(posted.status, Ok(200));
            assert_eq!(receiver.accepted.load(Ordering::SeqCst), post.div_ceil(7));
        }
    }
}
