//! A fault on demand (`bankfeed.fault`): a failure that the server injects for a merchant, so that
//! a client's handling of it can be tested.
//!
//! The fault and the position of a call or webhook decide if it is hit. The same calls after the
//! same faults therefore fail in the same positions.

use crate::clock::AccountTime;
use crate::id::{EndpointId, FaultId, MerchantId, hash_number};
use crate::word::words;
use serde::{Deserialize, Serialize};

words! {
    /// The kind of failure.
    FaultKind {
        /// A call gets a 500 response and is not executed.
        ApiErrorBefore = "api_error_before",
        /// A call is executed and gets a 500 response.
        ApiErrorAfter = "api_error_after",
        /// The connection is closed before the call is executed.
        ApiCutBefore = "api_cut_before",
        /// The connection is closed after the call is executed, before the response.
        ApiCutAfter = "api_cut_after",
        /// A call is delayed before it is executed.
        ApiLatency = "api_latency",
        /// A call gets a 429 response and is not executed.
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
    /// True if it is about webhooks, false if it is about API calls.
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

/// The selection of the matching calls or webhooks that are hit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Share {
    /// This percentage, from 1 to 100, chosen by the seed.
    Percent(u8),
    /// Every call or webhook with a position that is a multiple of this number, from 1.
    Every(u32),
    /// The first ones, up to this number.
    First(u32),
}

impl Share {
    /// True if the call or webhook at this position, counted from 1, is hit.
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

/// A fault that was applied to a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hit {
    /// The fault.
    pub fault: FaultId,
    /// The kind of failure.
    pub kind: FaultKind,
}

/// One fault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// Its id.
    pub id: FaultId,
    /// The merchant. The fault applies to webhooks to its endpoints, or to calls on its behalf.
    pub merchant: MerchantId,
    /// The version: 1 at creation, raised by one by every change.
    pub version: u64,
    /// The time of creation.
    pub created: AccountTime,
    /// True if it was removed.
    pub deleted: bool,
    /// The kind of failure.
    pub kind: FaultKind,
    /// For webhooks: the only event types that match. A word may end in `.*`. All types match if it
    /// is empty.
    pub event_types: Vec<String>,
    /// For webhooks: the only endpoint that matches.
    pub endpoint: Option<EndpointId>,
    /// For calls: the only HTTP method that matches.
    pub method: Option<String>,
    /// For calls: the prefix of the paths that match. Without it all paths but those of test
    /// helpers match.
    pub path: Option<String>,
    /// The selection of the matching ones that are hit.
    pub share: Share,
    /// The seed of the selection.
    pub seed: u64,
    /// The delay in milliseconds, for faults that delay.
    pub delay_ms: u32,
    /// The number of hits after which the fault is over.
    pub hits_max: Option<u32>,
}

impl Fault {
    /// True if the fault can hit no more, after this many matches and hits.
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

    /// Each selection takes its share: the first ones, every nth, or about a percentage. Only the
    /// same seed takes the same ones.
    #[test]
    fn selections_take_their_share() {
        assert_eq!(taken(Share::First(2), 0), [1, 2]);
        assert_eq!(taken(Share::Every(400), 0), [400, 800]);
        assert_eq!(taken(Share::Percent(100), 0).len(), 1_000);
        let tenth = taken(Share::Percent(10), 7);
        assert!((70..130).contains(&tenth.len()), "{}", tenth.len());
        assert_eq!(tenth, taken(Share::Percent(10), 7));
        assert_ne!(tenth, taken(Share::Percent(10), 8));
    }
}
