//! Deliveries: one per event and subscribed endpoint, with one or more attempts.

use crate::clock::ServerTime;
use crate::digits::{read_digits, write_digits};
use crate::fault::{FaultKind, Hit};
use crate::id::{EndpointId, EventId, ID_DIGITS, MerchantId, NotAnId};
use crate::word::words;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// What the name of a delivery begins with.
const PREFIX: &str = "whd_";
/// Digits of an endpoint's number.
const ENDPOINT_DIGITS: usize = 11;

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
        /// A fault on demand kept it from ever being sent.
        Lost = "lost",
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

/// As clients name it: the digits of the event and of the endpoint's number.
impl fmt::Display for DeliveryKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let event = self.event.text();
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

    fn from_str(given: &str) -> Result<Self, NotAnId> {
        let digits = given.strip_prefix(PREFIX).ok_or(NotAnId)?;
        let (event, endpoint) = digits.split_at_checked(ID_DIGITS).ok_or(NotAnId)?;
        if endpoint.len() != ENDPOINT_DIGITS {
            return Err(NotAnId);
        }
        let number = read_digits(endpoint.as_bytes()).ok_or(NotAnId)?;
        let number = u64::try_from(number).map_err(|_| NotAnId)?;
        let key = Self {
            event: format!("{}{event}", EventId::PREFIX).parse()?,
            endpoint: EndpointId::from_number(number),
        };
        // A number beyond the bound would be another's.
        if key.endpoint.number() == number { Ok(key) } else { Err(NotAnId) }
    }
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
    /// Attempts made before it was sent again on demand; none when it never was.
    pub resent_from: Option<u32>,
    /// The fault on demand that hits its first attempt.
    pub hit: Option<Hit>,
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
    /// The signature header that it was sent with.
    #[serde(default)]
    pub signature: Option<String>,
    /// Whether it was asked for: the delivery was sent again on demand.
    #[serde(default)]
    pub resent: bool,
    /// The fault on demand that it was made under.
    #[serde(default)]
    pub fault: Option<FaultKind>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// A delivery reads back from its name.
        #[test]
        fn names_read_back(shard in 0..1_u64 << 63, number in 0..1_u64 << 63, to in 0..1_u64 << 63) {
            let event = EventId { shard, number };
            let key = DeliveryKey { event, endpoint: EndpointId::from_number(to) };
            prop_assert_eq!(key.to_string().parse(), Ok(key));
        }
    }

    /// What is no name of a delivery is refused: another prefix, length or digit, or a number too
    /// great for an endpoint.
    #[test]
    fn other_texts_are_no_names() {
        let event = EventId { shard: 1, number: 2 };
        let name = DeliveryKey { event, endpoint: EndpointId::from_number(3) }.to_string();
        for wrong in [
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
