//! A webhook endpoint (`we_…`): the address that receives events, and the secrets that sign them.

use crate::clock::{AccountTime, ServerTime};
use crate::id::{EndpointId, MerchantId};
use crate::word::words;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

words! {
    /// The state of an endpoint.
    EndpointStatus {
        /// Events are sent.
        Enabled = "enabled",
        /// Events are not sent.
        Disabled = "disabled",
    }
}

/// One signing secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndpointSecret {
    /// The whole `whsec_…` text, which is the key.
    pub value: String,
    /// The time at which it stops signing. `None` for the newest secret.
    pub expires_at: Option<ServerTime>,
}

/// One endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    /// Its id.
    pub id: EndpointId,
    /// The merchant that owns it.
    pub merchant: MerchantId,
    /// The version, which every change raises by one.
    pub version: u64,
    /// True if it was created with a live key.
    pub livemode: bool,
    /// The time of creation, as shown.
    pub created: AccountTime,
    /// True if it was deleted. It is then not shown and gets no events.
    pub deleted: bool,
    /// The address that receives events.
    pub url: String,
    /// True if it gets the events of connected accounts instead of the merchant's own events.
    #[serde(default)]
    pub connect: bool,
    /// The event types that it receives. `*` means all.
    pub enabled_events: Vec<String>,
    /// The API version of its events, if it names one.
    pub api_version: Option<String>,
    /// Free text.
    pub description: Option<String>,
    /// The merchant's metadata.
    pub metadata: BTreeMap<String, String>,
    /// The state.
    pub status: EndpointStatus,
    /// The secrets, newest first. They are stored sealed, apart from the other fields.
    #[serde(skip)]
    pub secrets: Vec<EndpointSecret>,
}

/// The metadata of an endpoint that only prints incoming events: the key and the value.
pub const ONLY_PRINTS: (&str, &str) = ("bankfeed_listen", "printing");

impl Endpoint {
    /// True if the endpoint only prints incoming events. The client checker ignores its responses.
    pub fn only_prints(&self) -> bool {
        let (key, value) = ONLY_PRINTS;
        self.metadata.get(key).is_some_and(|stored| stored == value)
    }

    /// True if events are sent here now.
    pub fn is_open(&self) -> bool {
        self.status == EndpointStatus::Enabled && !self.deleted
    }

    /// True if events of this type are sent here now.
    pub fn takes(&self, event_type: &str) -> bool {
        self.is_open()
            && self.enabled_events.iter().any(|enabled| enabled == "*" || enabled == event_type)
    }

    /// Returns the secrets that sign at `now`, newest first.
    pub fn active_secrets(&self, now: ServerTime) -> impl Iterator<Item = &str> {
        self.secrets
            .iter()
            .filter(move |secret| secret.expires_at.is_none_or(|at| at > now))
            .map(|secret| secret.value.as_str())
    }
}
