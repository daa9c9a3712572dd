//! Answers kept for idempotency keys. Bodies are stored sealed, for they hold secrets.

use crate::Written;
use model::clock::ServerTime;
use model::id::MerchantId;

/// The answer to a request that came with an idempotency key.
///
/// A command that carries one inserts it first; if the key is taken and younger than
/// [`model::limits::IDEMPOTENCY_AGE_MS_MAX`], the command does nothing and answers `KeyTaken`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// Whose.
    pub merchant: MerchantId,
    /// The key.
    pub key: String,
    /// SHA-256 over method, path, sorted parameters and API version.
    pub fingerprint: [u8; 32],
    /// The request that was answered.
    pub request_id: String,
    /// The status that was answered.
    pub status: u16,
    /// The exact bytes that were answered.
    pub body: Vec<u8>,
    /// When.
    pub at: ServerTime,
}

/// Keeps an answer that changed nothing else. Answers [`crate::Written`].
#[derive(Clone, Debug)]
pub struct RecordReply {
    /// The answer.
    pub reply: Reply,
}

writes!(RecordReply => Written, idempotency::record);

/// Finds a kept answer, unless it is too old. Answers `Option<Reply>`.
#[derive(Clone, Debug)]
pub struct FindReply {
    /// Whose.
    pub merchant: MerchantId,
    /// The key.
    pub key: String,
    /// Real time.
    pub now: ServerTime,
}

reads!(FindReply => Option<Reply>, idempotency::find);
