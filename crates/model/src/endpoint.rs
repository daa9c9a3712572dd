//! A webhook endpoint (`we_…`): where events are posted to, and with which secrets they are signed.

use crate::clock::{AccountTime, ServerTime};
use crate::id::{EndpointId, MerchantId};
use crate::word::words;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

words! {
    /// Whether events are posted.
    EndpointStatus {
        /// They are.
        Enabled = "enabled",
        /// They are not.
        Disabled = "disabled",
    }
}

/// One signing secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndpointSecret {
    /// The whole `whsec_…` text, which is the key.
    pub value: String,
    /// When it stops signing; the newest never does.
    pub expires_at: Option<ServerTime>,
}

/// One endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    /// Its id.
    pub id: EndpointId,
    /// Whose it is.
    pub merchant: MerchantId,
    /// Raised by every change.
    pub version: u64,
    /// Whether it was made with a live key.
    pub livemode: bool,
    /// When it was made, as shown.
    pub created: AccountTime,
    /// When it was made, in real time: it gets events committed from then on.
    pub made_at: ServerTime,
    /// When it was deleted it is shown no more and gets nothing more.
    pub deleted: bool,
    /// Where events are posted to.
    pub url: String,
    /// Whether it gets what happens in connected accounts instead of what happens to the merchant.
    #[serde(default)]
    pub connect: bool,
    /// Which types; `*` is all.
    pub enabled_events: Vec<String>,
    /// The API version that its events are rendered in, when it named one.
    pub api_version: Option<String>,
    /// Free text.
    pub description: Option<String>,
    /// The merchant's own data.
    pub metadata: BTreeMap<String, String>,
    /// Whether events are posted.
    pub status: EndpointStatus,
    /// The secrets, the newest first. Stored sealed, apart from the rest.
    #[serde(skip)]
    pub secrets: Vec<EndpointSecret>,
}

/// The metadata of an endpoint that only prints what it is sent: its key, and its value.
pub const ONLY_PRINTS: (&str, &str) = ("bankfeed_listen", "printing");

impl Endpoint {
    /// Whether what it answers says nothing of a client, because it only prints what it is sent.
    pub fn only_prints(&self) -> bool {
        let (key, value) = ONLY_PRINTS;
        self.metadata.get(key).is_some_and(|held| held == value)
    }

    /// Whether anything is posted here now.
    pub fn is_open(&self) -> bool {
        self.status == EndpointStatus::Enabled && !self.deleted
    }

    /// Whether an event of this type is posted here now.
    pub fn takes(&self, event_type: &str) -> bool {
        self.is_open()
            && self.enabled_events.iter().any(|enabled| enabled == "*" || enabled == event_type)
    }

    /// The secrets that sign at `now`, the newest first.
    pub fn active_secrets(&self, now: ServerTime) -> impl Iterator<Item = &str> {
        self.secrets
            .iter()
            .filter(move |secret| secret.expires_at.is_none_or(|at| at > now))
            .map(|secret| secret.value.as_str())
    }
}
