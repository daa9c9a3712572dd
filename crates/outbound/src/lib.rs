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
mod reason;
mod resolve;
#[cfg(test)]
mod tests;

pub use resolve::{ForbiddenAddress, PrivateAddresses};

use client::{Exchange, Failure, HttpClient, Place};
use http_body_util::BodyExt;
use hyper::Method;
use model::limits::ATTEMPT_BODY_BYTES_MAX;
use reason::{TOO_LATE, reason};
use resolve::AddressRule;
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
        self.call_within(method, url, headers, body, CALL_BYTES_MAX).await
    }

    /// The same, with a bound of the response's body in bytes.
    pub async fn call_within(
        &self,
        method: &str,
        url: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
        response_bytes_max: usize,
    ) -> Result<Called, OutboundError> {
        let Target(place) = self.target(url)?;
        let method = method.parse().map_err(|_| OutboundError::Invalid)?;
        let calling = Box::pin(async {
            let exchange = self.client.send(&place, method, headers, body).await;
            let exchange = exchange.map_err(|failure| reason(&failure))?;
            complete(exchange, response_bytes_max).await
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
        let is_ambiguous =
            |letter: char| letter == '\\' || letter.is_whitespace() || letter.is_control();
        let after_scheme = text.get(url.scheme().len()..).and_then(|rest| rest.strip_prefix("://"));
        let after_scheme = after_scheme.filter(|rest| !rest.starts_with('/'));
        let Some(rest) = after_scheme.filter(|_| !text.contains(is_ambiguous)) else {
            return Err(OutboundError::Ambiguous);
        };
        if rest.split(['/', '?', '#']).next().is_some_and(|authority| authority.contains('@')) {
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

/// Reads a response to its end, within a bound in bytes.
async fn complete(mut exchange: Exchange, bytes_max: usize) -> Result<Called, &'static str> {
    let status = exchange.response.status().as_u16();
    let headers = exchange.response.headers();
    let header = |name| Some(headers.get(name)?.to_str().ok()?.to_owned());
    let (notice, date) = (header("stripe-notice"), header("date"));
    let mut body = Vec::new();
    while let Some(frame) = exchange.response.body_mut().frame().await {
        let frame = frame.map_err(|error| reason(&Failure::Broken(error)))?;
        let Ok(chunk) = frame.into_data() else { continue };
        if body.len() + chunk.len() > bytes_max {
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
