//! The first line and the headers of a request, and the response with the headers that belong to it.

use super::app::App;
use super::budget::body_in;
use super::client_address::client_address;
use super::headers as names;
use super::indent::{indented, is_for_people};
use super::listener::Peer;
use super::metrics::us_since;
use super::sent::Sent;
use axum::extract::ConnectInfo;
use axum::http::header::{CONNECTION, CONTENT_TYPE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::Response;
use model::clock::ServerTime;
use model::id::{MerchantId, RequestId};
use std::borrow::Cow;
use std::net::IpAddr;
use wire::error::Error as ApiError;
use wire::version::Version;

/// The data of a request's first line and headers.
pub(super) struct Head {
    pub(super) id: RequestId,
    pub(super) method: Method,
    begun: ServerTime,
    pub(super) version: Version,
    idempotency_key: Option<HeaderValue>,
    account: Option<HeaderValue>,
    /// The address of the client. `None` if the request did not come over a connection.
    client: Option<IpAddr>,
    /// The merchant of the key, once it is known.
    pub(super) merchant: Option<MerchantId>,
    for_people: bool,
}

impl Head {
    pub(super) fn read(app: &App, parts: &Parts) -> (Self, Result<(), ApiError>) {
        let version = read_version(&parts.headers);
        let head = Self {
            id: app.request_ids.next(&parts.method),
            method: parts.method.clone(),
            begun: app.engine.clock().server_now(),
            version: version.as_ref().map_or_else(|_| Version::default(), Version::clone),
            idempotency_key: parts.headers.get(names::IDEMPOTENCY_KEY).cloned(),
            account: parts.headers.get(names::STRIPE_ACCOUNT).cloned(),
            client: parts.extensions.get::<ConnectInfo<Peer>>().map(|ConnectInfo(peer)| {
                client_address(&app.trusted_proxies, peer.address, &parts.headers)
            }),
            merchant: None,
            for_people: is_for_people(&parts.headers),
        };
        (head, version.map(drop))
    }

    /// Creates the response, counts it and writes its line to the log.
    pub(super) fn respond(self, app: &App, pattern: &'static str, sent: Sent) -> Response {
        let (sent, room) = app.admit_response(&self.method, sent);
        let duration_us = us_since(self.begun, &app.engine);
        if let Some(metrics) = &app.metrics {
            metrics.count(&self.method, pattern, sent.status, duration_us);
        }
        tracing::info!(
            method = %self.method,
            route = pattern,
            status = sent.status,
            duration_ms = duration_us.max(0) / 1_000,
            request.id = %self.id,
            merchant = self.merchant.map(display),
            client = self.client.map(display),
            replayed = sent.original.is_some(),
            "request"
        );
        let body = if self.for_people { indented(sent.body) } else { sent.body };
        let mut response = Response::new(body_in(room, body));
        *response.status_mut() =
            StatusCode::from_u16(sent.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        names::put(headers, names::REQUEST_ID, self.id.text().as_str());
        names::put(headers, names::STRIPE_VERSION, self.version.as_str());
        if sent.closes {
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        if let Some(key) = self.idempotency_key {
            headers.insert(names::IDEMPOTENCY_KEY, key);
        }
        if let Some(account) = self.account {
            headers.insert(names::STRIPE_ACCOUNT, account);
        }
        if let Some(notice) = sent.notice.or_else(|| self.version.notice().map(Cow::Borrowed)) {
            names::put(headers, names::STRIPE_NOTICE, &notice);
        }
        if let Some(original) = sent.original {
            headers.insert(names::IDEMPOTENT_REPLAYED, HeaderValue::from_static("true"));
            names::put(headers, names::ORIGINAL_REQUEST, &original);
        }
        if let Some(should_retry) = sent.should_retry {
            let word = if should_retry { "true" } else { "false" };
            headers.insert(names::STRIPE_SHOULD_RETRY, HeaderValue::from_static(word));
        }
        if let Some(limit) = sent.limited {
            headers.insert(names::STRIPE_RATE_LIMITED_REASON, HeaderValue::from_static(limit));
        }
        response
    }
}

pub(super) fn read_version(headers: &HeaderMap) -> Result<Version, ApiError> {
    match headers.get(names::STRIPE_VERSION) {
        None => Ok(Version::default()),
        Some(header) => Version::parse(&String::from_utf8_lossy(header.as_bytes())),
    }
}
