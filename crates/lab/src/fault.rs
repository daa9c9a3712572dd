//! A fault on demand (`bankfeed.fault`): a failure that the server injects for a merchant, so that
//! a client's handling of it can be tested.
//!
//! The fault and the position of a call or webhook decide if it is hit. The same calls after the
//! same faults therefore fail in the same positions.

use crate::opaque::{fields_of, read_fields};
use engine::Error;
use model::clock::AccountTime;
use model::delivery::Delivery;
use model::id::{EndpointId, FaultId, MerchantId, hash_number};
use model::opaque::OpaqueObject;
use model::{Word, words};
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
                let word = kind.word().as_bytes();
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

impl Hit {
    /// The mark of a delivery that this fault hits: the fault as JSON.
    pub(crate) fn mark(&self) -> String {
        let text = serde_json::to_string(self);
        text.unwrap_or_else(|error| unreachable!("an id and a word always become JSON: {error}"))
    }

    /// The fault that hits a delivery, if one does.
    pub(crate) fn of(delivery: &Delivery) -> Option<Self> {
        serde_json::from_str(delivery.mark.as_deref()?).ok()
    }
}

/// The fault of an attempt. It applies to the first attempt, and to the second one too if the
/// webhook is doubled. A delivery that was sent again on demand has none.
pub(crate) fn fault_of_attempt(delivery: &Delivery) -> Option<FaultKind> {
    let kind = Hit::of(delivery).filter(|_| delivery.resent_from.is_none())?.kind;
    let attempts = if kind == FaultKind::WebhookDoubled { 2 } else { 1 };
    (delivery.attempts < attempts).then_some(kind)
}

/// True if the next attempt of a delivery carries a wrong signature.
pub(crate) fn is_wrongly_signed(delivery: &Delivery) -> bool {
    fault_of_attempt(delivery) == Some(FaultKind::WebhookWronglySigned)
}

/// The part of a fault that its owner chooses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaultRule {
    /// The kind of the failure.
    pub kind: FaultKind,
    /// Of webhooks: only these types. A word may end in `.*`. All types when empty.
    pub event_types: Vec<String>,
    /// For webhooks: the only endpoint that matches.
    pub endpoint: Option<EndpointId>,
    /// True if that endpoint is an event destination.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub of_destination: bool,
    /// For calls: the only HTTP method that matches.
    pub method: Option<String>,
    /// Of calls: only those with a path that begins with this text. All but test helpers if `None`.
    pub path: Option<String>,
    /// The part of the matching things that is hit.
    pub share: Share,
    /// The seed for [`Share::Percent`].
    pub seed: u64,
    /// The delay of a call or a webhook that the fault holds, in milliseconds.
    pub delay_ms: u32,
    /// The number of hits after which the fault has no further effect.
    pub hits_max: Option<u32>,
}

/// A fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The fault's id.
    pub id: FaultId,
    /// The merchant that owns it. It hits webhooks to this merchant's endpoints, or calls that act
    /// as this merchant.
    pub merchant: MerchantId,
    /// 1 at first, raised by one by every change.
    pub version: u64,
    /// The time of creation.
    pub created: AccountTime,
    /// True if the fault was deleted.
    pub deleted: bool,
    /// The part that the owner chose.
    pub rule: FaultRule,
    /// The number of matches and hits.
    pub count: Count,
}

/// The number of matches and hits of a fault.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Count {
    /// The number of matches.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub fitting: u64,
    /// The number of hits.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub hits: u64,
}

/// True for a count that a row need not store.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// The fields of a fault that only the laboratory reads.
#[derive(Serialize, Deserialize)]
struct Fields {
    #[serde(flatten)]
    rule: FaultRule,
    #[serde(flatten)]
    count: Count,
}

impl Fault {
    /// True if the fault has no further effect.
    pub fn is_over(&self) -> bool {
        let Count { fitting, hits } = self.count;
        let is_used_up =
            matches!(self.rule.share, Share::First(first) if fitting >= u64::from(first));
        is_used_up || self.rule.hits_max.is_some_and(|hits_max| hits >= u64::from(hits_max))
    }

    /// Counts a match. Returns true if it is hit.
    pub(crate) fn hits_next(&mut self) -> bool {
        let place = self.count.fitting + 1;
        let rule = &self.rule;
        let hits = rule.share.takes(rule.seed, rule.kind, place) && !self.is_over();
        self.count.fitting = place;
        self.count.hits += u64::from(hits);
        hits
    }

    /// Reads a stored fault.
    pub(crate) fn read(object: OpaqueObject<FaultId>) -> Result<Self, Error> {
        let OpaqueObject { id, merchant, version, created, deleted, fields } = object;
        let Fields { rule, count } = read_fields(fields)?;
        Ok(Self { id, merchant, version, created, deleted, rule, count })
    }

    /// The object to store.
    pub(crate) fn object(&self) -> OpaqueObject<FaultId> {
        OpaqueObject {
            id: self.id,
            merchant: self.merchant,
            version: self.version,
            created: self.created,
            deleted: self.deleted,
            fields: fields_of(&Fields { rule: self.rule.clone(), count: self.count }),
        }
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

    /// A row that an earlier release wrote is read, and written back with the same fields.
    #[test]
    fn stored_faults_of_earlier_releases_are_read() {
        let body = concat!(
            r#"{"id":"ID","merchant":"MERCHANT","version":2,"created":5,"deleted":false,"#,
            r#""kind":"webhook_delayed","event_types":["customer.*"],"endpoint":"ENDPOINT","#,
            r#""method":null,"path":null,"share":{"Every":3},"seed":9,"delay_ms":50,"#,
            r#""hits_max":null}"#
        );
        let body = body
            .replace("ID", FaultId::from_number(7).text().as_str())
            .replace("MERCHANT", MerchantId::from_number(1).text().as_str())
            .replace("ENDPOINT", EndpointId::from_number(2).text().as_str());
        let stored: OpaqueObject<FaultId> = serde_json::from_str(&body).unwrap();
        let fault = Fault::read(stored).unwrap();
        assert_eq!(
            (fault.rule.kind, fault.rule.endpoint, fault.rule.share, fault.rule.delay_ms),
            (FaultKind::WebhookDelayed, Some(EndpointId::from_number(2)), Share::Every(3), 50)
        );
        let written = serde_json::to_value(fault.object()).unwrap();
        assert_eq!(written, serde_json::from_str::<serde_json::Value>(&body).unwrap());
    }

    /// The mark in the row of a delivery has the form that earlier releases wrote.
    #[test]
    fn marks_of_earlier_releases_are_read() {
        let hit = Hit { fault: FaultId::from_number(7), kind: FaultKind::WebhookLost };
        let fault = hit.fault.text();
        let mark = format!(r#"{{"fault":"{}","kind":"webhook_lost"}}"#, fault.as_str());
        assert_eq!(hit.mark(), mark);
        assert_eq!(serde_json::from_str::<Hit>(&mark).unwrap(), hit);
    }
}
