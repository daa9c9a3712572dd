//! Authentication: finds the caller of a request by its API key.
//!
//! An issued key is accepted under every policy and is looked up by its hash ([`super::keys`]).
//! Live keys are always issued. Test keys may be arbitrary if the policy allows it. Then
//! `sk_test_X` and the restricted `rk_test_X` belong to the same merchant. The publishable
//! `pk_test_X` belongs to it too, but it is visible in browsers and may therefore only drive client
//! flows. This module stores no key: a hash of the key identifies the merchant.

use super::caller::Caller;
use super::keys::{IssuedKeys, Known};
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, HeaderValue};
use model::id::MerchantId;
use model::key::KeyDigest;
use settings::KeyPolicy;
use store::KeyFileError;
use wire::error::Error;

/// The maximum length of a key, in characters.
const KEY_CHARS_MAX: usize = 255;

/// The keys that a server accepts.
#[derive(Debug)]
pub struct Keys {
    /// The policy for keys that were not issued.
    pub policy: KeyPolicy,
    /// The issued keys.
    pub issued: IssuedKeys,
}

/// Authenticates the caller of a request.
pub(super) fn authenticate(keys: &Keys, headers: &HeaderMap) -> Result<Caller, Error> {
    let header = headers.get(AUTHORIZATION).ok_or_else(Error::no_key)?;
    let key = read_key(header).ok_or_else(Error::malformed_authorization)?;
    if key.is_empty() {
        return Err(Error::no_key());
    }
    keys.find_caller(&key)
}

impl Keys {
    /// Finds the caller that a key belongs to.
    pub(super) fn find_caller(&self, key: &str) -> Result<Caller, Error> {
        let issued = self.issued.find(key).map_err(|error| unreadable(&error))?;
        let known = match issued {
            Some(Known { revoked: true, .. }) => return Err(Error::expired_key(key)),
            Some(Known { caller, .. }) => Some(caller),
            None if self.policy == KeyPolicy::Any => read_test_key(key),
            None => None,
        };
        known.ok_or_else(|| Error::invalid_key(key))
    }

    /// True if the key with this hash was issued and is now revoked.
    pub(super) fn is_revoked(&self, key: KeyDigest) -> Result<bool, Error> {
        let known = self.issued.find_digest(key).map_err(|error| unreadable(&error))?;
        Ok(known.is_some_and(|known| known.revoked))
    }
}

fn unreadable(error: &KeyFileError) -> Error {
    let error = error as &dyn std::error::Error;
    tracing::error!(error, "the issued keys cannot be read");
    Error::internal()
}

/// Reads the key from `Bearer KEY` or from `Basic base64(KEY:)`.
fn read_key(header: &HeaderValue) -> Option<String> {
    let (scheme, rest) = header.to_str().ok()?.split_once(' ')?;
    let rest = rest.trim();
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(rest.to_owned());
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(decode_base64(rest)?).ok()?;
    let user = decoded.split_once(':').map_or(decoded.as_str(), |(user, _)| user);
    Some(user.to_owned())
}

fn read_test_key(key: &str) -> Option<Caller> {
    let kinds = [("sk_test_", false), ("rk_test_", false), ("pk_test_", true)];
    let (name, publishable) = kinds
        .iter()
        .find_map(|(prefix, publishable)| Some((key.strip_prefix(prefix)?, *publishable)))?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    if name.is_empty() || key.len() > KEY_CHARS_MAX || !name.bytes().all(plain) {
        return None;
    }
    let merchant = MerchantId::of_key(&format!("sk_test_{name}"));
    Some(Caller { merchant, livemode: false, publishable })
}

/// Decodes the standard alphabet, with or without padding.
fn decode_base64(text: &str) -> Option<Vec<u8>> {
    let digits = text.trim_end_matches('=').as_bytes();
    let mut bytes = Vec::with_capacity(digits.len());
    for group in digits.chunks(4) {
        let mut bits = 0_u32;
        for digit in group {
            let value = match digit {
                b'A'..=b'Z' => digit - b'A',
                b'a'..=b'z' => digit - b'a' + 26,
                b'0'..=b'9' => digit - b'0' + 52,
                b'+' => 62,
                b'/' => 63,
                _ => return None,
            };
            bits = (bits << 6) | u32::from(value);
        }
        // Four digits encode three bytes, three encode two, and two encode one. A single digit is
        // invalid.
        match group.len() {
            4 => bytes.extend_from_slice(&bits.to_be_bytes()[1..]),
            3 => bytes.extend_from_slice(&(bits >> 2).to_be_bytes()[2..]),
            2 => bytes.extend_from_slice(&(bits >> 4).to_be_bytes()[3..]),
            _ => return None,
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(policy: KeyPolicy, authorization: &str) -> Result<Caller, (u16, String)> {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, authorization.parse().unwrap());
        let keys = Keys { policy, issued: IssuedKeys::default() };
        authenticate(&keys, &headers).map_err(|error| (error.status, error.message))
    }

    fn any(authorization: &str) -> Result<Caller, (u16, String)> {
        ask(KeyPolicy::Any, authorization)
    }

    /// Bearer and Basic, and secret and restricted keys, identify the same merchant. Other keys
    /// identify another merchant.
    #[test]
    fn names_the_merchant() {
        let merchant = MerchantId::of_key("sk_test_123");
        let secret = Caller { merchant, livemode: false, publishable: false };
        assert_eq!(any("Bearer sk_test_123"), Ok(secret));
        assert_eq!(any("bearer rk_test_123"), Ok(secret));
        assert_eq!(any("Basic c2tfdGVzdF8xMjM6"), Ok(secret));
        assert_eq!(any("Basic c2tfdGVzdF8xMjM="), Ok(secret));
        assert_eq!(any("Bearer pk_test_123"), Ok(Caller { publishable: true, ..secret }));
        assert_ne!(any("Bearer sk_test_124").unwrap().merchant, merchant);
    }

    /// Every other key is rejected with 401 and a message that names the problem.
    #[test]
    fn rejects_other_keys() {
        let messages: Vec<String> = [
            any("Bearer sk_live_1234567890"),
            any("Bearer sk_test_"),
            any("Bearer sk_test_a b"),
            any("Bearer "),
            any("Basic Og=="),
            any("Basic !"),
            any("Digest sk_test_123"),
            any("sk_test_123"),
            ask(KeyPolicy::Issued, "Bearer sk_test_123"),
        ]
        .into_iter()
        .map(|result| {
            let (status, message) = result.unwrap_err();
            format!("{status} {}", message.chars().take(60).collect::<String>())
        })
        .collect();
        insta::assert_snapshot!(messages.join("\n"), @"
        401 Invalid API key: sk_live_****
        401 Invalid API key: sk_test_****
        401 Invalid API key: sk_test_****
        401 No API key was given. Send it as 'Authorization: Bearer sk_…
        401 No API key was given. Send it as 'Authorization: Bearer sk_…
        401 The Authorization header could not be read. Send 'Bearer sk_
        401 The Authorization header could not be read. Send 'Bearer sk_
        401 The Authorization header could not be read. Send 'Bearer sk_
        401 Invalid API key: sk_test_****
        ");
    }

    /// The decoder agrees with known pairs of every length and rejects invalid base64.
    #[test]
    fn decodes_base64() {
        for (text, bytes) in
            [("", ""), ("Zg==", "f"), ("Zm8=", "fo"), ("Zm9v", "foo"), ("Zm9vYmFy", "foobar")]
        {
            assert_eq!(decode_base64(text).as_deref(), Some(bytes.as_bytes()));
        }
        assert_eq!(decode_base64("Z"), None);
        assert_eq!(decode_base64("Zm9*"), None);
    }
}
