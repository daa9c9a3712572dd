//! What the judge hears of: calls that were answered, and attempts to deliver a webhook.

use engine::observer::{CallFact, TransactionsPage};
use model::Word;
use model::bank::Feature;
use model::clock::ServerTime;
use model::id::{AccountId, EventId, RefreshId, RequestId};
use serde::Deserialize;

/// An observed call.
#[derive(Clone, Copy, Debug)]
pub(super) struct Observed<'a> {
    /// The account that the call names. `None` if it is about all of the merchant.
    pub(super) account: Option<AccountId>,
    /// The outcome.
    pub(super) fact: &'a CallFact,
    /// The newest refresh that touched a row which a page of transactions leaves out by the bank's
    /// time, among those after `after`. Looked up for pages from the top only.
    pub(super) left_out: Option<u32>,
}

/// A page of transactions, with the rows that it leaves out.
#[derive(Clone, Copy, Debug)]
pub(super) struct Listed {
    pub(super) page: TransactionsPage,
    /// See [`Observed::left_out`].
    pub(super) left_out: Option<u32>,
}

impl Listed {
    /// The refresh after which the list contains every row that was touched.
    pub(super) fn behind(&self) -> u32 {
        self.page.after.max(self.left_out).unwrap_or(0)
    }
}

/// When something was seen, and in which request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Call {
    pub(super) at: ServerTime,
    pub(super) request: RequestId,
}

/// What an event says that tells of the end of a refresh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RefreshNews {
    pub(super) event: EventId,
    pub(super) account: AccountId,
    pub(super) feature: Feature,
    pub(super) failed: bool,
    /// Of a refresh of transactions, its sequence.
    pub(super) sequence: Option<u32>,
    /// Whether the next refresh comes by itself.
    pub(super) daily: bool,
}

/// How an attempt to deliver ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ended {
    /// When.
    pub(super) at: ServerTime,
    /// What the endpoint answered, if it did.
    pub(super) status: Option<u16>,
    /// Whether there is no further attempt.
    pub(super) is_last: bool,
    /// Whether the signature was made wrong on purpose.
    pub(super) is_forged: bool,
}

impl Ended {
    /// Whether the endpoint took the event.
    pub(super) fn is_taken(&self) -> bool {
        self.status.is_some_and(|status| (200..300).contains(&status))
    }
}

/// The parts of an event that matter here.
#[derive(Deserialize)]
struct Payload<'a> {
    #[serde(rename = "type")]
    event_type: &'a str,
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    object: Object,
}

#[derive(Deserialize)]
struct Object {
    #[serde(default)]
    status: Option<String>,
    #[serde(default)]
    subscriptions: Option<Vec<String>>,
    #[serde(default)]
    balance_refresh: Option<Refresh>,
    #[serde(default)]
    ownership_refresh: Option<Refresh>,
    #[serde(default)]
    transaction_refresh: Option<Refresh>,
}

#[derive(Deserialize)]
struct Refresh {
    #[serde(default)]
    id: Option<String>,
    status: String,
}

/// What a payload tells of the end of a refresh; nothing if it is about anything else.
pub(super) fn read_payload(event: EventId, payload: &[u8]) -> Option<RefreshNews> {
    const BEGINNING: &str = "financial_connections.account.refreshed_";
    // Most events are about something else, and are not worth reading whole.
    let needle = BEGINNING.as_bytes();
    payload.windows(needle.len()).any(|window| window == needle).then_some(())?;
    let Payload { event_type, data: Data { object } } = serde_json::from_slice(payload).ok()?;
    let feature = Feature::from_word(event_type.strip_prefix(BEGINNING)?)?;
    let refresh = match feature {
        Feature::Balance => object.balance_refresh,
        Feature::Ownership => object.ownership_refresh,
        Feature::Transactions => object.transaction_refresh,
    }?;
    let id: Option<RefreshId> = refresh.id.as_deref().and_then(|id| id.parse().ok());
    let subscribed = object.subscriptions.unwrap_or_default();
    let is_active = object.status.as_deref() == Some("active");
    Some(RefreshNews {
        event,
        account: AccountId::from_number(event.shard),
        feature,
        failed: refresh.status == "failed",
        sequence: id.map(|id| id.sequence),
        daily: is_active && subscribed.iter().any(|word| word == feature.word()),
    })
}
