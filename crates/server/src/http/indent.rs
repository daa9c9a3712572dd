//! Indentation of responses for people.
//!
//! Stripe indents its JSON for everyone. A program does not see the difference, and a person who
//! reads a response of `curl` or a browser needs it. SDKs and other programs get compact JSON,
//! because each byte costs them time. The decision is made when a response is written, so the
//! stored response of an idempotency key serves both kinds of readers.

use super::headers::STRIPE_CLIENT;
use axum::http::HeaderMap;
use axum::http::header::USER_AGENT;
use wire::indent;

/// The beginnings of the `User-Agent` of programs that show a response to a person.
const FOR_PEOPLE: [&[u8]; 4] = [b"curl/", b"Mozilla/", b"Wget", b"HTTPie"];

/// True if a person reads the response. An SDK in a browser is a program, and Stripe's SDKs name
/// themselves in a header of their own.
pub(super) fn is_for_people(headers: &HeaderMap) -> bool {
    let agent = headers.get(USER_AGENT).map_or(&b""[..], |agent| agent.as_bytes());
    FOR_PEOPLE.iter().any(|beginning| agent.starts_with(beginning))
        && !headers.contains_key(STRIPE_CLIENT)
}

/// Indents a body. A body that is not JSON stays as it is.
pub(super) fn indented(body: Vec<u8>) -> Vec<u8> {
    indent::indented(&body).unwrap_or(body)
}
