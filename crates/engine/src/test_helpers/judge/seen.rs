//! What the judge hears of: calls that were answered, and attempts to deliver a webhook.

use model::Word;
use model::bank::Feature;
use model::clock::ServerTime;
use model::id::{AccountId, EventId, RefreshId, RequestId, TransactionId};
use serde::Deserialize;
use store::Bounds;

/// What an answered call tells of its client. Use cases put it beside their answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The account that the call names; none if it is about all of the merchant.
    pub(crate) account: Option<AccountId>,
    pub(crate) what: What,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// Its transactions were listed.
    Listed(Listed),
    /// Its transactions were asked for before any refresh had succeeded; up to this one none had.
    Unlistable(u32),
    /// It was shown, with the sequences of its pending refreshes, in the order of the features.
    Shown([Option<u32>; Feature::ALL.len()]),
    /// Refreshes of these features were asked for; none is pending and none was started.
    CoolingDown(Vec<Feature>),
    /// These were shown in a list.
    Accounts(Vec<AccountId>),
    /// Anything else that is done with it, or with all of the merchant.
    Named,
    /// Rows of it were read, which say nothing of how its refreshes ended.
    Read,
}

/// One page of transactions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Listed {
    /// The sequence of the refresh that was asked behind.
    pub(crate) after: Option<u32>,
    /// The bank's times that were asked for.
    pub(crate) transacted_at: Bounds,
    /// The newest refresh that touched a row behind `after` that these times leave out. Looked up
    /// for pages from the top only.
    pub(crate) left_out: Option<u32>,
    /// Where the page begins.
    pub(crate) from: Edge,
    /// Its first row.
    pub(crate) first: Option<TransactionId>,
    /// Its last row.
    pub(crate) last: Option<TransactionId>,
    /// The latest of the bank's times on it, in seconds since 1970.
    pub(crate) latest: Option<i64>,
    /// Whether more rows follow.
    pub(crate) has_more: bool,
    /// The sequence of the newest refresh that had ended.
    pub(crate) ended: u32,
}

impl Listed {
    /// The refresh behind which the list brings every row that was touched.
    pub(crate) fn behind(&self) -> u32 {
        self.after.max(self.left_out).unwrap_or(0)
    }
}

/// Where a page begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Edge {
    /// At the newest row.
    Newest,
    /// After this row.
    After(TransactionId),
    /// It ends before this row.
    Before(TransactionId),
}

/// When something was seen, and in which request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Call {
    pub(crate) at: ServerTime,
    pub(crate) request: RequestId,
}

/// What an event says that tells of the end of a refresh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) event: EventId,
    pub(crate) account: AccountId,
    pub(crate) feature: Feature,
    pub(crate) failed: bool,
    /// Of a refresh of transactions, its sequence.
    pub(crate) sequence: Option<u32>,
    /// Whether the next refresh comes by itself.
    pub(crate) daily: bool,
}

/// How an attempt to deliver ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    /// When.
    pub at: ServerTime,
    /// What the endpoint answered, if it did.
    pub status: Option<u16>,
    /// Whether there is no further attempt.
    pub is_last: bool,
    /// Whether the signature was made wrong on purpose.
    pub is_forged: bool,
}

impl Ended {
    /// Whether the endpoint took the event.
    pub(crate) fn is_taken(&self) -> bool {
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
pub(crate) fn read_payload(event: EventId, payload: &[u8]) -> Option<Told> {
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
    Some(Told {
        event,
        account: AccountId::from_number(event.shard),
        feature,
        failed: refresh.status == "failed",
        sequence: id.map(|id| id.sequence),
        daily: is_active && subscribed.iter().any(|word| word == feature.word()),
    })
}
