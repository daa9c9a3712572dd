//! Deliveries: one per event and subscribed endpoint, with one or more attempts. An event destination
//! may have two of an event, because an event has up to two thin events.

use crate::clock::ServerTime;
use crate::digits::{read_digits, write_digits};
use crate::id::{EndpointId, EventId, ID_DIGITS, MerchantId, NotAnId, ThinEventId};
use crate::word::words;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// The prefix of a delivery's id.
const PREFIX: &str = "whd_";
/// Digits of an endpoint's number.
const ENDPOINT_DIGITS: usize = 11;

words! {
    /// The state of a delivery.
    DeliveryStatus {
        /// Another attempt is due.
        Pending = "pending",
        /// An attempt got a 2xx response.
        Succeeded = "succeeded",
        /// The last attempt failed.
        Failed = "failed",
        /// The endpoint was deleted or disabled before the delivery succeeded.
        Canceled = "canceled",
        /// A hook withheld it before the first attempt.
        Lost = "lost",
    }
}

/// The key of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeliveryKey {
    /// The event.
    pub event: EventId,
    /// The endpoint.
    pub endpoint: EndpointId,
    /// True for the delivery of the thin event that tells how a refresh ended.
    pub outcome: bool,
}

impl DeliveryKey {
    /// Returns the thin event of the delivery, if its endpoint receives thin events.
    pub fn thin_event(self) -> ThinEventId {
        ThinEventId { event: self.event, outcome: self.outcome }
    }
}

/// The id that clients see: the digits of the event and of the endpoint's number.
impl fmt::Display for DeliveryKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let event = if self.outcome { self.thin_event().text() } else { self.event.text() };
        let Some(event) = event.as_str().strip_prefix(EventId::PREFIX) else {
            unreachable!("the text of an id begins with its prefix")
        };
        let mut digits = [0; ENDPOINT_DIGITS];
        write_digits(u128::from(self.endpoint.number()), &mut digits);
        let Ok(endpoint) = std::str::from_utf8(&digits) else { unreachable!("digits are ASCII") };
        write!(formatter, "{PREFIX}{event}{endpoint}")
    }
}

impl FromStr for DeliveryKey {
    type Err = NotAnId;

    fn from_str(id: &str) -> Result<Self, NotAnId> {
        let digits = id.strip_prefix(PREFIX).ok_or(NotAnId)?;
        let (event, endpoint) = digits.split_at_checked(ID_DIGITS).ok_or(NotAnId)?;
        if endpoint.len() != ENDPOINT_DIGITS {
            return Err(NotAnId);
        }
        let number = read_digits(endpoint.as_bytes()).ok_or(NotAnId)?;
        let number = u64::try_from(number).map_err(|_| NotAnId)?;
        let event = format!("{}{event}", EventId::PREFIX);
        let (event, outcome) = match event.parse::<ThinEventId>() {
            Ok(ThinEventId { event, outcome: true }) => (event, true),
            Ok(_) => return Err(NotAnId),
            Err(NotAnId) => (event.parse()?, false),
        };
        let key = Self { event, endpoint: EndpointId::from_number(number), outcome };
        // A number beyond the bound would name another endpoint.
        if key.endpoint.number() == number { Ok(key) } else { Err(NotAnId) }
    }
}

/// One delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The key.
    pub key: DeliveryKey,
    /// The merchant that owns it.
    pub merchant: MerchantId,
    /// The state.
    pub status: DeliveryStatus,
    /// The number of attempts so far.
    pub attempts: u32,
    /// The due time of the next attempt.
    pub due_at: ServerTime,
    /// The claim number. Every claim raises it, and a settlement must carry the newest.
    pub claim: u32,
    /// The end of the lease.
    pub leased_until: Option<ServerTime>,
    /// The exact bytes that every attempt sends.
    pub payload: Vec<u8>,
    /// The number of attempts before it was sent again on demand. `None` if it was not.
    pub resent_from: Option<u32>,
    /// A text that a hook attached when the delivery was created. Only the hook reads it.
    pub mark: Option<String>,
}

impl Delivery {
    /// True if its first attempt is still to be made or recorded, also after it was sent again on
    /// demand.
    pub fn is_unattempted(&self) -> bool {
        self.status == DeliveryStatus::Pending && self.attempts <= self.resent_from.unwrap_or(0)
    }
}

/// One attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// Its number, from 1.
    pub number: u32,
    /// The time of the attempt.
    pub at: ServerTime,
    /// The HTTP status of the response. `None` without a response.
    pub status: Option<u16>,
    /// The duration in milliseconds.
    pub duration_ms: u32,
    /// The beginning of the response body, at most [`crate::limits::ATTEMPT_BODY_BYTES_MAX`] bytes.
    pub body: String,
    /// The reason for a missing response.
    pub error: Option<String>,
    /// The signature header of the request.
    #[serde(default)]
    pub signature: Option<String>,
    /// True if the delivery was sent again on demand.
    #[serde(default)]
    pub resent: bool,
    /// A word that a hook attached before the attempt. Only the hook reads it.
    #[serde(default, rename = "fault")]
    pub mark: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// A key reads back from its id.
        #[test]
        fn names_read_back(
            shard in 0..1_u64 << 63, number in 0..1_u64 << 63, to in 0..1_u64 << 63, outcome: bool,
        ) {
            let event = EventId { shard, number };
            let key = DeliveryKey { event, endpoint: EndpointId::from_number(to), outcome };
            prop_assert_eq!(key.to_string().parse(), Ok(key));
        }
    }

    /// A text with another prefix, length or digit is rejected, and so is a number too great for an
    /// endpoint.
    #[test]
    fn other_texts_are_no_names() {
        let event = EventId { shard: 1, number: 2 };
        let key = DeliveryKey { event, endpoint: EndpointId::from_number(3), outcome: false };
        let name = key.to_string();
        let thin = key.thin_event().to_string().replace("evt_", "");
        for wrong in [
            format!("whd_{thin}00000000003"),
            name.replace("whd_", "evt_"),
            format!("{name}0"),
            name.replace('0', "-"),
            name.replace("00000000003", "zzzzzzzzzzz"),
            "whd_".to_owned(),
        ] {
            assert_eq!(wrong.parse::<DeliveryKey>(), Err(NotAnId), "{wrong}");
        }
    }
}
