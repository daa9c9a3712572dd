//! Names of headers that HTTP itself does not define.

use axum::http::{HeaderMap, HeaderName, HeaderValue};

/// The origin of the server that handled a call in place of this one.
pub(super) const FORWARDED: HeaderName = HeaderName::from_static("bankfeed-forwarded");
pub(super) const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
pub(super) const IDEMPOTENT_REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");
pub(super) const ORIGINAL_REQUEST: HeaderName = HeaderName::from_static("original-request");
pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("request-id");
pub(super) const STRIPE_ACCOUNT: HeaderName = HeaderName::from_static("stripe-account");
pub(super) const STRIPE_CLIENT: HeaderName = HeaderName::from_static("x-stripe-client-user-agent");
pub(super) const STRIPE_CONTEXT: HeaderName = HeaderName::from_static("stripe-context");
pub(super) const STRIPE_NOTICE: HeaderName = HeaderName::from_static("stripe-notice");
pub(super) const STRIPE_RATE_LIMITED_REASON: HeaderName =
    HeaderName::from_static("stripe-rate-limited-reason");
pub(super) const STRIPE_SHOULD_RETRY: HeaderName = HeaderName::from_static("stripe-should-retry");
pub(super) const STRIPE_VERSION: HeaderName = HeaderName::from_static("stripe-version");

/// Sets a header.
pub(super) fn put(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    // Ids and versions are printable ASCII, so the fallback cannot be reached.
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}
