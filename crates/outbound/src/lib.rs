//! The only place that builds HTTP clients, for banks and for webhooks.
//!
//! - One post is one attempt. The client follows no redirect, makes no retry and uses no proxy from
//!   the environment. Time and response size are bounded.
//! - If private addresses are denied, they are rejected in the URL and again among the resolved
//!   addresses at the moment of connecting. A name that resolves to another address later is
//!   therefore rejected too. Connections to allowed addresses stay open for reuse.
//! - An error never contains the URL, a header or the body, because they can contain secrets.

mod address;

use address::is_public;
use model::limits::ATTEMPT_BODY_BYTES_MAX;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::error::Error;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use url::{Host, Url};

/// The most bytes of a response that are read. Bytes beyond the stored part are read so that the
/// connection can be reused.
const RESPONSE_BYTES_READ_MAX: usize = 64 * 1024;
/// The most bytes of a response to a call.
const CALL_BYTES_MAX: usize = 16 * 1024 * 1024;
/// The time after which an idle connection is closed.
const IDLE_TIMEOUT: Duration = Duration::from_mins(1);
/// The most idle connections to one host.
const IDLE_PER_HOST_MAX: usize = 32;

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
    /// The HTTP client could not be built.
    #[error("building the HTTP client")]
    Client(#[source] reqwest::Error),
}

/// The client for posts and calls to other machines. Clones share one pool of connections.
#[derive(Clone, Debug)]
pub struct Outbound {
    settings: OutboundSettings,
    client: reqwest::Client,
}

/// A checked URL, to which many posts may go.
#[derive(Clone, Debug)]
pub struct Target(Url);

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
    pub fn new(settings: OutboundSettings) -> Result<Self, OutboundError> {
        // An error means that the process already has a provider. That one works as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let trusting = builder(settings).build();
        // A machine without root certificates can still post to http, and only https fails.
        let client = trusting
            .or_else(|error| builder(settings).tls_certs_only([]).build().map_err(|_| error))
            .map_err(OutboundError::Client)?;
        Ok(Self { settings, client })
    }

    /// Checks a URL without resolving its name.
    pub fn check_url(&self, url: &str) -> Result<(), OutboundError> {
        self.parse(url).map(drop)
    }

    /// Checks a URL for posts, without resolving its name.
    pub fn target(&self, url: &str) -> Result<Target, OutboundError> {
        self.parse(url).map(Target)
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
        let Target(url) = match target {
            Ok(target) => target,
            Err(error) => return none(&error.to_string()),
        };
        let mut request = self.client.post(url.clone()).body(body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        match request.send().await {
            Err(error) => none(reason(&error)),
            Ok(response) => {
                let status = response.status().as_u16();
                // The status decides the result, so a body that ends early is stored as far as it
                // was read.
                Posted { status: Ok(status), body: beginning(response).await }
            }
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
        let url = self.parse(url)?;
        let method = method.parse().map_err(|_| OutboundError::Invalid)?;
        let mut request = self.client.request(method, url).body(body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let failed = |error: reqwest::Error| OutboundError::Call { reason: reason(&error) };
        let mut response = request.send().await.map_err(failed)?;
        let status = response.status().as_u16();
        let header = |name| Some(response.headers().get(name)?.to_str().ok()?.to_owned());
        let (notice, date) = (header("stripe-notice"), header("date"));
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            if body.len() + chunk.len() > CALL_BYTES_MAX {
                return Err(OutboundError::Call { reason: "the response is too large" });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Called { status, notice, date, body })
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

#[expect(clippy::disallowed_methods, reason = "the one place that builds HTTP clients")]
fn builder(settings: OutboundSettings) -> reqwest::ClientBuilder {
    let timeout = Duration::from_millis(settings.timeout_ms);
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .no_proxy()
        .referer(false)
        .https_only(settings.https_only)
        .timeout(timeout)
        .connect_timeout(timeout)
        .pool_idle_timeout(IDLE_TIMEOUT)
        .pool_max_idle_per_host(IDLE_PER_HOST_MAX)
        .dns_resolver(Arc::new(Resolver { deny_private: settings.deny_private }))
}

/// The beginning of a response's body.
async fn beginning(mut response: reqwest::Response) -> String {
    let mut stored: Vec<u8> = Vec::new();
    let mut read = 0;
    while read < RESPONSE_BYTES_READ_MAX {
        let Ok(Some(chunk)) = response.chunk().await else { break };
        read += chunk.len();
        let room = ATTEMPT_BODY_BYTES_MAX - stored.len();
        stored.extend_from_slice(&chunk[..chunk.len().min(room)]);
    }
    text(&stored)
}

/// Bytes as text, within [`ATTEMPT_BODY_BYTES_MAX`] bytes. A replacement character has three bytes.
fn text(bytes: &[u8]) -> String {
    let mut text = String::from_utf8_lossy(bytes).into_owned();
    text.truncate(text.floor_char_boundary(ATTEMPT_BODY_BYTES_MAX));
    text
}

/// The reason for a missing response, as a fixed text.
fn reason(error: &reqwest::Error) -> &'static str {
    let mut source: Option<&(dyn Error + 'static)> = Some(error);
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
    match kind {
        _ if error.is_timeout() => "no response in time",
        Some(std::io::ErrorKind::ConnectionRefused) => "the connection was refused",
        Some(std::io::ErrorKind::ConnectionReset) => "the connection was reset",
        _ if error.is_connect() => "no connection",
        _ if error.is_builder() => "the request could not be built",
        _ => "the connection broke before a response",
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

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let deny_private = self.deny_private;
        Box::pin(async move {
            // reqwest replaces port 0 with the port of the URL.
            let found = tokio::net::lookup_host((name.as_str(), 0)).await;
            let found: Vec<SocketAddr> = found.map_err(|_| NoAddress)?.collect();
            admit(found, deny_private)
        })
    }
}

/// The addresses that may be called.
fn admit(
    found: Vec<SocketAddr>,
    deny_private: bool,
) -> Result<Addrs, Box<dyn Error + Send + Sync>> {
    if found.is_empty() {
        return Err(Box::new(NoAddress));
    }
    let admitted: Vec<SocketAddr> =
        found.into_iter().filter(|found| !deny_private || is_public(found.ip())).collect();
    if admitted.is_empty() {
        return Err(Box::new(PrivateAddress));
    }
    Ok(Box::new(admitted.into_iter()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    fn outbound(deny_private: bool, https_only: bool) -> Outbound {
        Outbound::new(OutboundSettings { deny_private, https_only, timeout_ms: 5_000 }).unwrap()
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
}
