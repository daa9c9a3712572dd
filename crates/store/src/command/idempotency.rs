//! Idempotency records. Their bodies are stored sealed, because they contain secrets.

use crate::Written;
use model::clock::ServerTime;
use model::id::MerchantId;

/// The response to a request with an idempotency key.
///
/// A command that carries a record inserts it first. If the key has a record that is younger than
/// [`model::limits::IDEMPOTENCY_AGE_MS_MAX`], the command writes no rows and returns `KeyTaken`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyRecord {
    /// The owner of the rows.
    pub merchant: MerchantId,
    /// The idempotency key.
    pub key: String,
    /// SHA-256 over method, path, sorted parameters and API version.
    pub fingerprint: [u8; 32],
    /// The id of the request.
    pub request_id: String,
    /// The status of the response.
    pub status: u16,
    /// The exact bytes of the response.
    pub body: Vec<u8>,
    /// The time of the response.
    pub at: ServerTime,
}

/// Stores an idempotency record without another change. Returns [`crate::Written`].
#[derive(Clone, Debug)]
pub struct CreateIdempotencyRecord {
    /// The record.
    pub record: IdempotencyRecord,
}

writes!(CreateIdempotencyRecord => Written, idempotency::record; prepared::of_record);

/// Finds an idempotency record, unless it is too old. Returns `Option<IdempotencyRecord>`.
#[derive(Clone, Debug)]
pub struct FindIdempotencyRecord {
    /// The owner of the rows.
    pub merchant: MerchantId,
    /// The idempotency key.
    pub key: String,
    /// The current server time.
    pub now: ServerTime,
}

reads!(FindIdempotencyRecord => Option<IdempotencyRecord>, idempotency::find);
