//! Deliveries: one per event and subscribed endpoint, with one or more attempts.

use crate::clock::ServerTime;
use crate::id::{EndpointId, EventId, MerchantId};
use crate::word::words;
use serde::{Deserialize, Serialize};

words! {
    /// Where a delivery stands.
    DeliveryStatus {
        /// Another attempt is due.
        Pending = "pending",
        /// An attempt was answered with 2xx.
        Succeeded = "succeeded",
        /// The last attempt was not.
        Failed = "failed",
        /// The endpoint was deleted or disabled before.
        Canceled = "canceled",
    }
}

/// Names one delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeliveryKey {
    /// What is delivered.
    pub event: EventId,
    /// To where.
    pub endpoint: EndpointId,
}

/// One delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Which one.
    pub key: DeliveryKey,
    /// Whose it is.
    pub merchant: MerchantId,
    /// Where it stands.
    pub status: DeliveryStatus,
    /// Attempts made.
    pub attempts: u32,
    /// When the next attempt is due.
    pub due_at: ServerTime,
    /// Raised by every claim; a settlement must carry the newest.
    pub claim: u32,
    /// Until when a claim holds.
    pub leased_until: Option<ServerTime>,
    /// The exact bytes that every attempt sends.
    pub payload: Vec<u8>,
}

/// One attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// Its number, from 1.
    pub number: u32,
    /// When it was made.
    pub at: ServerTime,
    /// The status that was answered; none when nothing was.
    pub status: Option<u16>,
    /// How long it took.
    pub duration_ms: u32,
    /// The beginning of the answer, at most [`crate::limits::ATTEMPT_BODY_BYTES_MAX`] bytes.
    pub body: String,
    /// Why nothing was answered.
    pub error: Option<String>,
}
