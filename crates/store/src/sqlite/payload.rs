//! The stored form of a webhook's body. A body that contains a client secret or the token of a page is
//! sealed, because these give access. Any other body is stored as it is.
//!
//! A body is JSON and begins with a brace. A sealed value begins with its version byte, so both forms
//! are told apart.

use super::Failure;
use super::target::Target;
use crate::seal::{CellPosition, Sealer};
use model::delivery::{Delivery, DeliveryKey};
use std::borrow::Cow;

/// The texts of which each secret contains one: client secrets, and the paths of hosted pages.
const MARKS: [&str; 5] = ["_secret_", "/c/pay/", "/i/", "/microdeposits/", "/link/"];

/// The stored form of a delivery's body.
pub(super) fn stored<'a>(delivery: &'a Delivery, seal: &Sealer) -> Result<Cow<'a, [u8]>, Failure> {
    let text = str::from_utf8(&delivery.payload).unwrap_or_default();
    if !MARKS.iter().any(|mark| text.contains(mark)) {
        return Ok(Cow::Borrowed(&delivery.payload));
    }
    let row = row_of(delivery.key);
    let position = CellPosition { column: "deliveries.payload", row: &[&row] };
    seal.seal(position, &delivery.payload).map(Cow::Owned)
}

/// The body from its stored form.
pub(super) fn read(key: DeliveryKey, stored: Vec<u8>, seal: &Sealer) -> Result<Vec<u8>, Failure> {
    if stored.first().is_none_or(|first| *first == b'{') {
        return Ok(stored);
    }
    let row = row_of(key);
    seal.open(CellPosition { column: "deliveries.payload", row: &[&row] }, &stored)
}

/// The key of the row. It stays when a snapshot is restored.
fn row_of(key: DeliveryKey) -> [u8; 24] {
    let mut row = [0; 24];
    let target = Target::of(key).column().to_be_bytes();
    let numbers = [key.event.shard.to_be_bytes(), key.event.number.to_be_bytes(), target];
    for (part, number) in row.chunks_exact_mut(8).zip(numbers) {
        part.copy_from_slice(&number);
    }
    row
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::clock::ServerTime;
    use model::delivery::DeliveryStatus;
    use model::id::{EndpointId, EventId, MerchantId};
    use std::sync::Arc;
    use testkit::rng::RepeatedByte;

    fn delivery(payload: &[u8]) -> Delivery {
        let event = EventId { shard: 7, number: 1 };
        Delivery {
            key: DeliveryKey { event, endpoint: EndpointId::from_number(3), outcome: false },
            merchant: MerchantId::from_number(7),
            status: DeliveryStatus::Pending,
            attempts: 0,
            due_at: ServerTime(0),
            claim: 0,
            leased_until: None,
            payload: payload.to_vec(),
            resent_from: None,
            mark: None,
        }
    }

    /// A body with a secret is sealed for its row, and reads back there. Another body is stored as it
    /// is, and a body of an earlier release with a secret is still read.
    #[test]
    fn bodies_with_secrets_are_sealed() {
        let seal = Sealer::new([1; 32], Arc::new(RepeatedByte(7)));
        let plain = br#"{"url":"https://a.example/other"}"#.to_vec();
        for secret in ["pi_1_secret_abc", "http://a/i/abc", "http://a/c/pay/abc"] {
            let payload = format!(r#"{{"text":"{secret}"}}"#).into_bytes();
            let delivery = delivery(&payload);
            let kept = stored(&delivery, &seal).unwrap().into_owned();
            assert!(!kept.windows(secret.len()).any(|part| part == secret.as_bytes()), "{secret}");
            assert_eq!(read(delivery.key, kept.clone(), &seal).unwrap(), payload);
            let mut other = delivery.key;
            other.event.number += 1;
            assert!(read(other, kept, &seal).is_err(), "it is bound to its row");
            assert_eq!(read(delivery.key, payload.clone(), &seal).unwrap(), payload);
        }
        let delivery = delivery(&plain);
        assert_eq!(stored(&delivery, &seal).unwrap(), plain.as_slice());
        assert_eq!(read(delivery.key, plain.clone(), &seal).unwrap(), plain);
    }
}
