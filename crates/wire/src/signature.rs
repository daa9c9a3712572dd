//! The `Stripe-Signature` header of a webhook: `t=<seconds>,v1=<hex>[,v1=<hex>]`.
//!
//! Each `v1` is an HMAC-SHA256 over `<t>.<body>` with a whole `whsec_…` text as key. There is one
//! per active secret, so that a receiver can still verify while a secret is being rolled. Every
//! attempt has a new signature for the same body.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::fmt;

/// The maximum number of parts of a header that are read. A signature after them does not count.
const PARTS_MAX: usize = 32;
/// Bytes of an HMAC-SHA256.
const SIGNATURE_BYTES: usize = 32;

/// The reason why a signature was rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignatureError {
    /// The header has no readable time.
    Malformed,
    /// No `v1` of the header matches this body and secret.
    Mismatch,
    /// The signature matches, but its time is outside the tolerance.
    OutsideTolerance,
}

impl fmt::Display for SignatureError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Malformed => "the signature header has no readable time",
            Self::Mismatch => "no signature matches this body and secret",
            Self::OutsideTolerance => "the time of the signature is outside the tolerance",
        })
    }
}

impl std::error::Error for SignatureError {}

/// Returns the header for a body that is sent at `timestamp`, in seconds, with one `v1` per secret.
///
/// ```
/// # use wire::signature::{sign, verify};
/// let header = sign(&["whsec_1"], 1_700_000_000, b"{}");
/// assert!(header.starts_with("t=1700000000,v1="));
/// assert_eq!(verify(&header, "whsec_1", b"{}", 1_700_000_001, 300), Ok(()));
/// ```
pub fn sign(secrets: &[&str], timestamp: i64, body: &[u8]) -> String {
    let mut header = format!("t={timestamp}");
    header.reserve(secrets.len() * 68);
    for secret in secrets {
        header.push_str(",v1=");
        let mac = mac_of(secret, timestamp, body).finalize().into_bytes();
        let mut digits = [0; 2 * SIGNATURE_BYTES];
        // Several times as fast as `hex::encode`, which collects characters.
        match hex::encode_to_slice(mac, &mut digits).map(|()| str::from_utf8(&digits)) {
            Ok(Ok(digits)) => header.push_str(digits),
            _ => unreachable!("two digits for each byte, which are ASCII"),
        }
    }
    header
}

/// Verifies a header as a receiver does: one `v1` must match this secret and body (compared in
/// constant time), and the time must be within `tolerance_s` seconds of `now`.
pub fn verify(
    header: &str,
    secret: &str,
    body: &[u8],
    now: i64,
    tolerance_s: i64,
) -> Result<(), SignatureError> {
    let parts: Vec<(&str, &str)> =
        header.split(',').take(PARTS_MAX).filter_map(|part| part.trim().split_once('=')).collect();
    let timestamp = parts
        .iter()
        .find(|(scheme, _)| *scheme == "t")
        .and_then(|(_, value)| value.parse::<i64>().ok())
        .ok_or(SignatureError::Malformed)?;
    let matches = |digits: &str| {
        let mut signature = [0; SIGNATURE_BYTES];
        hex::decode_to_slice(digits, &mut signature).is_ok()
            && mac_of(secret, timestamp, body).verify_slice(&signature).is_ok()
    };
    if !parts.iter().any(|(scheme, value)| *scheme == "v1" && matches(value)) {
        return Err(SignatureError::Mismatch);
    }
    if now.abs_diff(timestamp) > tolerance_s.unsigned_abs() {
        return Err(SignatureError::OutsideTolerance);
    }
    Ok(())
}

fn mac_of(secret: &str, timestamp: i64, body: &[u8]) -> Hmac<Sha256> {
    let Ok(mut mac) = <Hmac<Sha256>>::new_from_slice(secret.as_bytes()) else {
        unreachable!("HMAC takes keys of any length")
    };
    mac.update(timestamp.to_string().as_bytes());
    mac.update(b".");
    mac.update(body);
    mac
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The digest equals that of other implementations for the same input.
    #[test]
    fn agrees_with_other_implementations() {
        let header = sign(&["whsec_test", "whsec_old"], 1_700_000_000, b"{\"a\":1}");
        insta::assert_snapshot!(header.replace(',', "\n"), @"
        t=1700000000
        v1=38877139021993b830af32feea6e18a8da83eb2f6e49ee50bd9e4cf4ca4d3789
        v1=b9d801502bb535e960ee9aeee7a294b082bda5089d79c7db610b85116ce6faa6
        ");
    }

    /// Each problem has its own error.
    #[test]
    fn rejects_wrong_headers() {
        let header = sign(&["one", "two"], 1_000, b"body");
        assert_eq!(verify(&header, "two", b"body", 1_300, 300), Ok(()));
        assert_eq!(verify(&header, "three", b"body", 1_000, 300), Err(SignatureError::Mismatch));
        assert_eq!(verify(&header, "one", b"bodY", 1_000, 300), Err(SignatureError::Mismatch));
        let late = verify(&header, "one", b"body", 1_301, 300);
        assert_eq!(late, Err(SignatureError::OutsideTolerance));
        let early = verify(&header, "one", b"body", 699, 300);
        assert_eq!(early, Err(SignatureError::OutsideTolerance));
        for header in ["", "v1=00", "t=x,v1=00", "t=,v1="] {
            assert_eq!(verify(header, "one", b"", 0, 300), Err(SignatureError::Malformed));
        }
        assert_eq!(verify("t=5,v0=00,v1=zz", "one", b"", 5, 300), Err(SignatureError::Mismatch));
    }

    proptest! {
        /// A signature verifies with each of its secrets, and no header makes the reader panic.
        #[test]
        fn signed_verifies(secret: String, other: String, at: i64, body: Vec<u8>, noise: String) {
            let header = sign(&[&secret, &other], at, &body);
            prop_assert_eq!(verify(&header, &secret, &body, at, 0), Ok(()));
            prop_assert_eq!(verify(&header, &other, &body, at, 0), Ok(()));
            let _ = verify(&noise, &secret, &body, at, 300);
            let _ = verify(&format!("t={at},v1={noise}"), &secret, &body, at, 300);
        }
    }
}
