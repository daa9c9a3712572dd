//! Calls that this server does not have, handled by another server: `serve --else URL`.
//!
//! Only calls in test mode with a secret key are forwarded. The other server receives the method, the path,
//! the query, the body and Stripe's headers, with a placeholder in place of the key. Its response is
//! passed on with the header `Bankfeed-Forwarded`. No part of a forwarded call is stored, so an
//! idempotency key is the other server's concern, and after a crash the client repeats the call.

use super::app::App;
use super::auth::authenticate;
use super::call::{self, collect_body};
use super::head::Head;
use super::headers::{
    FORWARDED, IDEMPOTENCY_KEY, STRIPE_ACCOUNT, STRIPE_CONTEXT, STRIPE_VERSION, put,
};
use super::sent::Sent;
use axum::body::Body;
use axum::extract::Request;
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::http::{HeaderName, Method, Uri};
use axum::response::Response;
use model::id::MerchantId;
use model::limits::{FORWARDED_CALL_MS_MAX, FORWARDED_CALLS_MAX, RESPONSE_BYTES_MAX};
use model::share::has_share;
use outbound::{Called, Outbound, OutboundError, OutboundSettings, PrivateAddresses};
use serde::de::IgnoredAny;
use std::borrow::Cow;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use url::Url;
use wire::error::Error as ApiError;

/// The name of forwarded calls in the log and in metrics.
const PATTERN: &str = "forwarded";
/// The name of the limit of calls that are forwarded at once.
const LIMIT: &str = "forwarded-calls";
/// The key that the other server receives. The client's key is a secret of this server.
const PLACEHOLDER: &str = "Bearer sk_test_placeholder";
/// The beginnings of the paths of calls.
const CALLS: [&str; 2] = ["/v1/", "/v2/"];
/// The headers that are passed on.
const PASSED_ON: [HeaderName; 5] =
    [CONTENT_TYPE, IDEMPOTENCY_KEY, STRIPE_ACCOUNT, STRIPE_CONTEXT, STRIPE_VERSION];

/// The server for calls that this server does not have.
#[derive(Debug)]
pub struct OtherServer {
    /// Its scheme, host and port.
    origin: String,
    outbound: Outbound,
    /// The calls of each merchant that are being forwarded.
    calls: Mutex<HashMap<MerchantId, usize>>,
}

/// A place for a forwarded call. It is given back when it is dropped.
struct Place<'a> {
    other: &'a OtherServer,
    merchant: MerchantId,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut calls = self.other.calls();
        if let Entry::Occupied(mut own) = calls.entry(self.merchant) {
            *own.get_mut() -= 1;
            if *own.get() == 0 {
                own.remove();
            }
        }
    }
}

impl OtherServer {
    /// The server with this origin. It may have a private address, because the operator names it.
    pub fn at(origin: &str) -> Self {
        let outbound = Outbound::new(OutboundSettings {
            private: PrivateAddresses::All,
            https_to_public: false,
            timeout_ms: FORWARDED_CALL_MS_MAX,
        });
        Self { origin: origin.to_owned(), outbound, calls: Mutex::default() }
    }

    fn calls(&self) -> MutexGuard<'_, HashMap<MerchantId, usize>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a place. Returns `None` if the merchant has used its share of the places.
    fn place_for(&self, merchant: MerchantId) -> Option<Place<'_>> {
        let mut calls = self.calls();
        let free = FORWARDED_CALLS_MAX.saturating_sub(calls.values().sum());
        let own = calls.get(&merchant).copied().unwrap_or(0);
        has_share(own, free).then(|| calls.insert(merchant, own + 1))?;
        drop(calls);
        Some(Place { other: self, merchant })
    }

    /// The URL of a call. `None` if a reader of URLs would change the path, because the call would reach
    /// another path than the client sent.
    fn url_of(&self, uri: &Uri) -> Option<String> {
        let url = format!("{}{}", self.origin, uri.path_and_query()?);
        let read = Url::parse(&url).ok()?;
        (read.path() == uri.path()).then_some(url)
    }

    /// Makes a call. Returns its response, or the API error for a response that cannot be passed on.
    async fn call(&self, url: &str, parts: &Parts, body: Vec<u8>) -> Result<Called, ApiError> {
        let names = PASSED_ON;
        let passed_on = names
            .iter()
            .filter_map(|name| Some((name.as_str(), parts.headers.get(name)?.to_str().ok()?)));
        let mark = FORWARDED;
        let own = [("authorization", PLACEHOLDER), (mark.as_str(), "1")];
        let headers: Vec<(&str, &str)> = passed_on.chain(own).collect();
        let method = parts.method.as_str();
        let called =
            self.outbound.call_within(method, url, &headers, body, RESPONSE_BYTES_MAX).await;
        let called = called.map_err(|error| match error {
            OutboundError::Call { reason } => ApiError::other_server_silent(&self.origin, reason),
            error => ApiError::other_server_unusable(&self.origin, &error.to_string()),
        })?;
        let unusable = |reason: &str| ApiError::other_server_unusable(&self.origin, reason);
        match called.status {
            200..=299 | 400..=599 => {}
            status => return Err(unusable(&format!("its status is {status}"))),
        }
        // `from_slice` would not check the encoding of texts that it ignores.
        let text = std::str::from_utf8(&called.body).ok();
        if text.is_none_or(|text| serde_json::from_str::<IgnoredAny>(text).is_err()) {
            return Err(unusable(&format!("its status is {}, and it is not JSON", called.status)));
        }
        Ok(called)
    }
}

/// Forwards a request that this server has no call for, or returns the API error.
pub(super) async fn forward_or_reject(
    app: &Arc<App>,
    request: Request,
    pattern: &'static str,
    api_error: fn(&str, &str) -> ApiError,
) -> Response {
    let Some(other) = app.other_server.as_ref().filter(|_| is_forwardable(&request)) else {
        return call::reject(app, request, pattern, api_error);
    };
    let Some(url) = other.url_of(request.uri()) else {
        return call::reject(app, request, pattern, api_error);
    };
    match authenticate(&app.keys, request.headers()) {
        Ok(caller) if caller.livemode || caller.publishable => {
            call::reject(app, request, pattern, api_error)
        }
        Ok(caller) => {
            let (parts, body) = request.into_parts();
            let (mut head, _) = Head::read(app, &parts);
            head.merchant = Some(caller.merchant);
            let outcome = match other.place_for(caller.merchant) {
                Some(_place) => forwarded(app, other, &url, &parts, body).await,
                None => Err(Box::new(Sent::full(LIMIT))),
            };
            let is_second_version = parts.uri.path().starts_with("/v2/");
            let (sent, is_forwarded) = match outcome {
                Ok(response) => (sent_of(response), true),
                Err(error) if is_second_version => (error.in_second_version(), false),
                Err(error) => (*error, false),
            };
            let mut response = head.respond(app, PATTERN, sent);
            if is_forwarded {
                put(response.headers_mut(), FORWARDED, &other.origin);
            }
            response
        }
        Err(invalid) => call::reject(app, request, pattern, |_, _| invalid),
    }
}

/// True for a call of the API that was not forwarded before. A server that forwards to itself would call
/// itself without end.
fn is_forwardable(request: &Request) -> bool {
    let path = request.uri().path();
    [Method::GET, Method::POST, Method::DELETE].contains(request.method())
        && CALLS.iter().any(|calls| path.starts_with(calls))
        && !request.headers().contains_key(FORWARDED)
}

/// Reads the body of a request and makes the call.
async fn forwarded(
    app: &App,
    other: &OtherServer,
    url: &str,
    parts: &Parts,
    body: Body,
) -> Result<Called, Box<Sent>> {
    let collected = collect_body(app, &parts.headers, body).await;
    // The rest of the body has no use, so the connection has none either.
    let (body, _body_room) =
        collected.map_err(|error| Box::new(Sent::rejected(&error).closing()))?;
    let called = other.call(url, parts, body.into()).await;
    called.map_err(|error| {
        tracing::warn!(reason = error.message, "a call could not be forwarded");
        Box::new(Sent::rejected(&error))
    })
}

/// The response of the other server, to pass on.
fn sent_of(called: Called) -> Sent {
    Sent::passed_on(called.status, called.body, called.notice.map(Cow::Owned))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A merchant whose calls hang leaves places for the others, and gets its own back.
    #[test]
    fn a_merchant_has_a_share_of_the_places() {
        let other = OtherServer::at("http://127.0.0.1:1");
        let [one, two] = ["sk_test_one", "sk_test_two"].map(MerchantId::of_key);
        let places: Vec<_> = std::iter::from_fn(|| other.place_for(one)).collect();
        assert_eq!(places.len(), FORWARDED_CALLS_MAX / 2);
        assert!(other.place_for(two).is_some());
        drop(places);
        assert!(other.calls().is_empty());
        assert!(other.place_for(one).is_some());
    }

    /// A path that a reader of URLs changes is not forwarded.
    #[test]
    fn paths_reach_the_other_server_unchanged() {
        let other = OtherServer::at("http://127.0.0.1:1");
        let url = |path: &str| other.url_of(&path.parse().unwrap());
        for path in ["/v1/quotes?limit=1&a[b]=c", "/v1/quotes/qt%5F1"] {
            assert_eq!(url(path), Some(format!("http://127.0.0.1:1{path}")));
        }
        for path in ["/v1/../admin", "/v1/%2e%2e/admin", "/v1/./x"] {
            assert_eq!(url(path), None, "{path}");
        }
    }
}
