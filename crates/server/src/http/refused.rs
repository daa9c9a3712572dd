//! The responses to request heads that the check refuses.
//!
//! The connection gives the HTTP library another head in place of a refused one. That head leads to
//! the handler here, which responds with the API error. So the response is written like every other
//! one: after the responses to earlier requests of the connection, with a request id, and counted.
//! The other head also ends the connection.

use super::app::App;
use super::call;
use super::listener::Peer;
use axum::extract::{ConnectInfo, Request, State};
use axum::response::Response;
use model::limits::{HEAD_BYTES_MAX, HEADERS_MAX, TARGET_BYTES_MAX};
use std::sync::Arc;
use wire::error::Error as ApiError;

/// The path to which a refused head leads.
pub(super) const PATH: &str = "/.refused";
/// The heads in place of a refused one. A response to HEAD has no body.
const HEADS: [&[u8]; 2] = [
    b"GET /.refused HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n",
    b"HEAD /.refused HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n",
];

/// The reason for which a request head is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The head breaks a rule of HTTP. The text completes "The request is not valid HTTP: ".
    Malformed(&'static str),
    Version,
    TargetTooLong,
    HeadTooLarge,
    /// The head did not arrive in time.
    TooSlow,
    /// A header with one meaning occurs twice.
    Repeated(&'static str),
    NoHost,
    UnreadableHost,
    /// The server speaks TLS, and the request came without it.
    WithoutTls,
    /// The server may not be called by this name.
    Host(String),
    /// The server has as many connections as it can have.
    Full(usize),
    /// The client's address has as many connections as it can have.
    AddressFull(usize),
}

impl Refusal {
    /// The head that the HTTP library reads in place of this one.
    pub(super) fn head_in_place_of(bytes: &[u8]) -> &'static [u8] {
        HEADS[usize::from(bytes.starts_with(b"HEAD "))]
    }

    fn api_error(&self) -> ApiError {
        match self {
            Self::Malformed(reason) => ApiError::not_http(reason),
            Self::Version => ApiError::not_http("the version must be HTTP/1.1 or HTTP/1.0"),
            Self::TargetTooLong => {
                ApiError::too_large("request target", TARGET_BYTES_MAX).status(414)
            }
            Self::HeadTooLarge => ApiError::head_too_large(HEAD_BYTES_MAX, HEADERS_MAX),
            Self::TooSlow => ApiError::head_too_slow(),
            Self::Repeated(name) => ApiError::repeated_header(name),
            Self::NoHost => ApiError::not_http("an HTTP/1.1 request needs a Host header"),
            Self::UnreadableHost => ApiError::not_http("Host must be a host name and a port"),
            Self::WithoutTls => ApiError::without_tls(),
            Self::Host(host) => ApiError::other_host(host),
            Self::Full(connections_max) => ApiError::no_connection(*connections_max),
            Self::AddressFull(connections_max) => {
                ApiError::no_connection_of_address(*connections_max)
            }
        }
    }
}

/// Responds to a refused head. A client that calls this path itself gets the error of an unknown one.
pub(super) async fn respond(
    State(app): State<Arc<App>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    request: Request,
) -> Response {
    match peer.link.refusal() {
        Some(refusal) => call::reject(&app, request, "refused", |_, _| refusal.api_error()),
        None => call::reject(&app, request, "unknown", ApiError::unknown_url),
    }
}
