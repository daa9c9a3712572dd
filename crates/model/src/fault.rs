//! A fault on demand (`bankfeed.fault`): what goes wrong for a key, so that a client can be shown to
//! bear it.
//!
//! Which of the things that fit are hit follows from the fault and from their places alone: the
//! same calls after the same faults go wrong in the same places.

use crate::clock::AccountTime;
use crate::id::{EndpointId, FaultId, MerchantId, hash_number};
use crate::word::words;
use serde::{Deserialize, Serialize};

words! {
    /// What goes wrong.
    FaultKind {
        /// A call is answered 500 and not done.
        ApiErrorBefore = "api_error_before",
        /// A call is done and answered 500.
        ApiErrorAfter = "api_error_after",
        /// The connection of a call is cut and it is not done.
        ApiCutBefore = "api_cut_before",
        /// A call is done and its connection cut before the answer.
        ApiCutAfter = "api_cut_after",
        /// A call waits before it is done.
        ApiLatency = "api_latency",
        /// A call is answered 429 and not done.
        ApiRateLimited = "api_rate_limited",
        /// A webhook is never sent.
        WebhookLost = "webhook_lost",
        /// A webhook is sent twice.
        WebhookDoubled = "webhook_doubled",
        /// A webhook is sent later.
        WebhookDelayed = "webhook_delayed",
        /// A webhook is sent after the next one to the same endpoint.
        WebhookReordered = "webhook_reordered",
        /// The first attempt of a webhook is signed with another secret.
        WebhookWronglySigned = "webhook_wrongly_signed",
    }
}

impl FaultKind {
    /// Whether it is about webhooks; else it is about API calls.
    pub fn is_of_webhooks(self) -> bool {
        matches!(
            self,
            Self::WebhookLost
                | Self::WebhookDoubled
                | Self::WebhookDelayed
                | Self::WebhookReordered
                | Self::WebhookWronglySigned
        )
    }
}

/// Which of the things that fit are hit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Share {
    /// So many of a hundred, from 1 to 100, picked by the seed.
    Percent(u8),
    /// Each of which the place is a multiple of this, from 1.
    Every(u32),
    /// The first so many.
    First(u32),
}

impl Share {
    /// Whether the thing at this place, counted from 1, is hit.
    pub fn takes(self, seed: u64, kind: FaultKind, place: u64) -> bool {
        match self {
            Self::Percent(percent) => {
                let word = crate::Word::word(kind).as_bytes();
                let drawn = hash_number(&[&seed.to_le_bytes(), word, &place.to_le_bytes()]);
                drawn % 100 < u64::from(percent)
            }
            Self::Every(every) => place.is_multiple_of(u64::from(every.max(1))),
            Self::First(first) => place <= u64::from(first),
        }
    }
}

/// What hit a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hit {
    /// Which fault.
    pub fault: FaultId,
    /// What goes wrong.
    pub kind: FaultKind,
}

/// One fault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// Its id.
    pub id: FaultId,
    /// Whose it is: of webhooks to its endpoints, or of calls that act as it.
    pub merchant: MerchantId,
    /// 1 at first, raised by one by every change.
    pub version: u64,
    /// When it was made.
    pub created: AccountTime,
    /// Whether it was taken away.
    pub deleted: bool,
    /// What goes wrong.
    pub kind: FaultKind,
    /// Of webhooks: only these types; a word may end in `.*`. All when empty.
    pub event_types: Vec<String>,
    /// Of webhooks: only those to this endpoint.
    pub endpoint: Option<EndpointId>,
    /// Of calls: only those with this method.
    pub method: Option<String>,
    /// Of calls: only those whose path begins so. All but test helpers if there is none.
    pub path: Option<String>,
    /// Which of those that fit are hit.
    pub share: Share,
    /// Picks among them.
    pub seed: u64,
    /// How long what waits is held.
    pub delay_ms: u32,
    /// After so many hits it is over.
    pub hits_max: Option<u32>,
}

impl Fault {
    /// Whether it hits nothing any more once so many things fitted it and so many of them were hit.
    pub fn is_over(&self, fitting: u64, hits: u32) -> bool {
        let is_used_up = matches!(self.share, Share::First(first) if fitting >= u64::from(first));
        is_used_up || self.hits_max.is_some_and(|hits_max| hits >= hits_max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(share: Share, seed: u64) -> Vec<u64> {
        let takes = |place: &u64| share.takes(seed, FaultKind::WebhookLost, *place);
        (1..=1_000).filter(takes).collect()
    }

    /// Shares take what they say: the first, every one of so many, or about so many of a hundred, and
    /// the same ones for the same seed only.
    #[test]
    fn shares_take_what_they_say() {
        assert_eq!(taken(Share::First(2), 0), [1, 2]);
        assert_eq!(taken(Share::Every(400), 0), [400, 800]);
        assert_eq!(taken(Share::Percent(100), 0).len(), 1_000);
        let tenth = taken(Share::Percent(10), 7);
        assert!((70..130).contains(&tenth.len()), "{}", tenth.len());
        assert_eq!(tenth, taken(Share::Percent(10), 7));
        assert_ne!(tenth, taken(Share::Percent(10), 8));
    }
}
