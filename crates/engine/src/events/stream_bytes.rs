//! The bytes of the messages of all event streams, and their bounds. They count for this process.

use model::id::MerchantId;
use model::limits::{EVENT_STREAMS_BYTES_MAX, EVENT_STREAMS_BYTES_PER_MERCHANT_MAX};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The bytes that streams have reserved.
#[derive(Debug, Default)]
pub(super) struct StreamBytes(Mutex<Reserved>);

#[derive(Debug, Default)]
struct Reserved {
    all: usize,
    /// The merchants with reserved bytes.
    of_merchants: HashMap<MerchantId, usize>,
}

impl StreamBytes {
    fn reserved(&self) -> MutexGuard<'_, Reserved> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reserves bytes for a stream of a merchant. Returns false at a bound. The first event of a stream
    /// without messages always fits.
    pub(super) fn reserve(&self, merchant: MerchantId, bytes: usize, is_first: bool) -> bool {
        let mut reserved = self.reserved();
        let own = reserved.of_merchants.get(&merchant).copied().unwrap_or(0);
        let fits = reserved.all + bytes <= EVENT_STREAMS_BYTES_MAX
            && own + bytes <= EVENT_STREAMS_BYTES_PER_MERCHANT_MAX;
        if !fits && !is_first {
            return false;
        }
        reserved.all += bytes;
        reserved.of_merchants.insert(merchant, own + bytes);
        true
    }

    /// Releases reserved bytes.
    pub(super) fn release(&self, merchant: MerchantId, bytes: usize) {
        let mut reserved = self.reserved();
        reserved.all -= bytes;
        if let Some(own) = reserved.of_merchants.get_mut(&merchant) {
            *own -= bytes;
            if *own == 0 {
                reserved.of_merchants.remove(&merchant);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One merchant cannot take the bytes of all, and a stream without messages always has room.
    #[test]
    fn merchants_have_shares() {
        let bytes = StreamBytes::default();
        let merchant = MerchantId::from_number;
        let share = EVENT_STREAMS_BYTES_PER_MERCHANT_MAX;
        assert!(bytes.reserve(merchant(1), share, false));
        assert!(!bytes.reserve(merchant(1), 1, false));
        for other in 2..=4 {
            assert!(bytes.reserve(merchant(other), share, false));
        }
        assert!(!bytes.reserve(merchant(5), 1, false), "all bytes are reserved");
        assert!(bytes.reserve(merchant(5), 9, true));
        bytes.release(merchant(1), share);
        assert!(bytes.reserve(merchant(5), share - 9, false));
        assert!(!bytes.reserve(merchant(5), 1, false));
    }
}
