//! Idempotency keys: a repeated POST with the same key has one outcome and one response.
//!
//! A use case stores its response in the commit of its change. This module rejects a key while its
//! request is still running, replays the stored response, and stores responses of calls that
//! changed no data. Errors that precede the use case, and 401, 409, 429 and 500, are not stored.
//! The client may fix such a request and reuse the key. After a crash the key is either unused or
//! has the response of a committed change.

use super::sent::Sent;
use axum::http::{HeaderMap, Method};
use engine::{Engine, Error, Idempotency};
use model::id::{MerchantId, RequestId};
use model::limits::IDEMPOTENCY_KEY_CHARS_MAX;
use sha2::{Digest, Sha256};
use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};
use store::{CreateIdempotencyRecord, FindIdempotencyRecord, IdempotencyRecord, Written};
use wire::error::Error as ApiError;
use wire::version::Version;

/// Reads the key of a request. Only POST has one, and under `/v2` DELETE too.
pub(super) fn read_key(
    method: &Method,
    headers: &HeaderMap,
    is_second_version: bool,
) -> Result<Option<String>, ApiError> {
    let header = headers.get(super::headers::IDEMPOTENCY_KEY);
    let has_key = *method == Method::POST || (is_second_version && *method == Method::DELETE);
    let Some(header) = header.filter(|header| has_key && !header.is_empty()) else {
        return Ok(None);
    };
    let key = std::str::from_utf8(header.as_bytes())
        .map_err(|_| ApiError::invalid("The idempotency key is not UTF-8 text."))?;
    if key.chars().count() > IDEMPOTENCY_KEY_CHARS_MAX {
        return Err(ApiError::invalid(format!(
            "An idempotency key has at most {IDEMPOTENCY_KEY_CHARS_MAX} characters."
        )));
    }
    Ok(Some(key.to_owned()))
}

/// A hash of everything that two requests with the same key must have in common.
pub(super) fn fingerprint(
    method: &Method,
    path: &str,
    parameters: &[u8],
    version: &Version,
) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in [method.as_str().as_bytes(), path.as_bytes(), version.as_str().as_bytes()] {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    hash.update(parameters);
    hash.finalize().into()
}

/// The keys with a running request in this process.
#[derive(Debug, Default)]
pub(super) struct RunningKeys(Mutex<HashSet<(MerchantId, String)>>);

/// A key that counts as running until this value is dropped.
pub(super) struct RunningKey<'a> {
    keys: &'a RunningKeys,
    key: (MerchantId, String),
}

impl RunningKeys {
    /// Marks a key as running. Returns an API error if it already is.
    pub(super) fn enter(
        &self,
        merchant: MerchantId,
        key: &str,
    ) -> Result<RunningKey<'_>, ApiError> {
        let key = (merchant, key.to_owned());
        let mut running = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !running.insert(key.clone()) {
            return Err(ApiError::idempotency_key_in_use(&key.1));
        }
        drop(running);
        Ok(RunningKey { keys: self, key })
    }
}

impl Drop for RunningKey<'_> {
    fn drop(&mut self) {
        self.keys.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
    }
}

/// Finds the stored response of the key. Returns an API error if the key belongs to a different
/// request.
pub(super) async fn find_replay(
    engine: &Engine,
    merchant: MerchantId,
    idempotency: &Idempotency,
) -> Result<Option<Sent>, Error> {
    let key = idempotency.key.clone();
    let find = FindIdempotencyRecord { merchant, key, now: engine.clock().server_now() };
    match engine.store().read(find).await? {
        None => Ok(None),
        Some(record) if record.fingerprint == idempotency.fingerprint => {
            Ok(Some(Sent::replayed(record)))
        }
        Some(_) => Err(ApiError::idempotency_mismatch(&idempotency.key).into()),
    }
}

/// Stores a response that changed no data. Returns the response to send: this one, or the one that
/// another server stored under the key at the same moment.
pub(super) async fn record(
    engine: &Engine,
    merchant: MerchantId,
    request: RequestId,
    idempotency: &Idempotency,
    sent: Sent,
) -> Result<Sent, Error> {
    let record = IdempotencyRecord {
        merchant,
        key: idempotency.key.clone(),
        fingerprint: idempotency.fingerprint,
        request_id: request.to_string(),
        status: sent.status,
        body: sent.body.clone(),
        at: engine.clock().server_now(),
    };
    match engine.store().write(CreateIdempotencyRecord { record }).await? {
        Written::Done => Ok(sent),
        Written::VersionConflict | Written::KeyTaken => {
            find_replay(engine, merchant, idempotency).await?.ok_or(Error::KeyTaken)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A merchant's key runs once at a time, and can run again when the first request is done.
    #[test]
    fn a_key_runs_once_at_a_time() {
        let keys = RunningKeys::default();
        let (one, other) = (MerchantId::from_number(1), MerchantId::from_number(2));
        let running = keys.enter(one, "k").unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(keys.enter(one, "k").err().map(|error| error.status), Some(409));
        assert!(keys.enter(other, "k").is_ok());
        drop(running);
        assert!(keys.enter(one, "k").is_ok());
    }

    /// Each part of a request changes the fingerprint, and the boundary between parts matters.
    #[test]
    fn every_part_counts() {
        let version = Version::default();
        let base = fingerprint(&Method::POST, "/v1/a", b"x", &version);
        assert_eq!(base, fingerprint(&Method::POST, "/v1/a", b"x", &version));
        assert_ne!(base, fingerprint(&Method::PUT, "/v1/a", b"x", &version));
        assert_ne!(base, fingerprint(&Method::POST, "/v1/", b"ax", &version));
        assert_ne!(base, fingerprint(&Method::POST, "/v1/a", b"y", &version));
        assert_ne!(base, fingerprint(&Method::POST, "/v1/a", b"x", &Version::newest()));
    }
}
