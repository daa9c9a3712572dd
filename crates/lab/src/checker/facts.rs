//! The facts that the client checker observes: completed calls, and attempts to deliver a webhook.

use engine::observer::{CallFact, TransactionsPage};
use model::Word;
use model::bank::Feature;
use model::clock::ServerTime;
use model::id::{AccountId, EventId, RefreshId, RequestId};
use serde::Deserialize;

/// An observed call.
#[derive(Clone, Copy, Debug)]
pub(super) struct Observed<'a> {
    /// The account that the call names. `None` if the call concerns the whole merchant.
    pub(super) account: Option<AccountId>,
    /// The outcome.
    pub(super) fact: &'a CallFact,
    /// The newest refresh after `after` that touched a row which a page of transactions excludes by
    /// the bank's time. Determined for pages from the top only.
    pub(super) left_out: Option<u32>,
}

/// A page of transactions, with the newest refresh of the rows that it excludes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Listed {
    pub(super) page: TransactionsPage,
    /// See [`Observed::left_out`].
    pub(super) left_out: Option<u32>,
}

impl Listed {
    /// Returns the refresh after which the list contains every row that was touched.
    pub(super) fn behind(&self) -> u32 {
        self.page.after.max(self.left_out).unwrap_or(0)
    }
}

/// The time of an observation, and its request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Call {
    pub(super) at: ServerTime,
    pub(super) request: RequestId,
}

/// The end of a refresh, as an event reports it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RefreshNews {
    pub(super) event: EventId,
    pub(super) account: AccountId,
    pub(super) feature: Feature,
    pub(super) failed: bool,
    /// For a refresh of transactions: its sequence.
    pub(super) sequence: Option<u32>,
    /// True if the next refresh is automatic.
    pub(super) daily: bool,
}

/// The end of an attempt to deliver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ended {
    /// The time.
    pub(super) at: ServerTime,
    /// The status of the endpoint's response, if there was one.
    pub(super) status: Option<u16>,
    /// True if there is no further attempt.
    pub(super) is_last: bool,
    /// True if the signature was wrong on purpose.
    pub(super) is_forged: bool,
}

impl Ended {
    /// True if the endpoint accepted the event.
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
    inferred_balances_refresh: Option<Refresh>,
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

/// Reads the end of a refresh from a payload. Returns `None` for any other event.
pub(super) fn read_payload(event: EventId, payload: &[u8]) -> Option<RefreshNews> {
    const BEGINNING: &str = "financial_connections.account.refreshed_";
    // Most events concern something else and need not be parsed in full. Text has few periods, which
    // are found faster than the whole beginning.
    let text = str::from_utf8(payload).ok()?;
    let (family, rest) = BEGINNING.split_at(BEGINNING.find('.')?);
    let begins = |(at, _)| text[..at].ends_with(family) && text[at..].starts_with(rest);
    text.match_indices('.').any(begins).then_some(())?;
    let Payload { event_type, data: Data { object } } = serde_json::from_str(text).ok()?;
    let feature = Feature::from_word(event_type.strip_prefix(BEGINNING)?)?;
    let refresh = match feature {
        Feature::Balance => object.balance_refresh,
        Feature::Ownership => object.ownership_refresh,
        Feature::Transactions => object.transaction_refresh,
        Feature::InferredBalances => object.inferred_balances_refresh,
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
