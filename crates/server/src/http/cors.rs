//! Cross-origin access (CORS). A page on another origin may read the responses to calls that it makes
//! with a publishable key. Cookies have no meaning here, so every origin is allowed. The response to a
//! call with a secret key has none of these headers, so that a browser hides it from the page.

use super::app::{App, identified};
use axum::body::Body;
use axum::extract::State;
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS, VARY,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use std::sync::Arc;

/// The headers that a browser may always send.
const HEADERS: &str =
    "authorization, content-type, stripe-version, stripe-account, idempotency-key";
/// The prefix of headers that Stripe's own libraries may add.
const FURTHER: &str = "x-stripe-";
/// The maximum number of such headers in one call.
const FURTHER_MAX: usize = 10;

/// Lets every origin read a response.
pub(super) fn open(headers: &mut HeaderMap) {
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("Request-Id"));
}

/// Responds to the preflight request that a browser sends before it calls from another origin.
pub(super) async fn preflight(State(app): State<Arc<App>>, request_headers: HeaderMap) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    open(headers);
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, POST"));
    // The names were parsed as header names, so the fallback cannot be reached.
    let allowed = HeaderValue::from_str(&allowed(&request_headers));
    let allowed = allowed.unwrap_or(HeaderValue::from_static(HEADERS));
    headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, allowed);
    headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
    headers.insert(VARY, HeaderValue::from_static("access-control-request-headers"));
    identified(State(app), response).await
}

/// The headers that a call may have, including the requested headers with the prefix of Stripe's
/// libraries.
fn allowed(headers: &HeaderMap) -> String {
    let wanted = headers.get(ACCESS_CONTROL_REQUEST_HEADERS).and_then(|names| names.to_str().ok());
    let further = wanted
        .unwrap_or_default()
        .split(',')
        .filter_map(|name| name.trim().parse::<HeaderName>().ok())
        .filter(|name| name.as_str().starts_with(FURTHER));
    further.take(FURTHER_MAX).fold(HEADERS.to_owned(), |names, name| names + ", " + name.as_str())
}
