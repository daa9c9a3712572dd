//! A webhook endpoint (`we_…`): the address that receives events, and the secrets that sign them.
//!
//! An event destination (`ed_test_…`) is an endpoint with a [`Destination`]. It is made and shown by
//! `/v2`, and `/v1` does not show it.

use crate::clock::{AccountTime, ServerTime};
use crate::event::{Event, Snapshot};
use crate::id::{DestinationId, DestinationLiveId, EndpointId, IdText, MerchantId, ThinEventId};
use crate::thin::{ThinName, thin_names};
use crate::word::{Word, words};
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

words! {
    /// The form of the events of a destination.
    EventPayload {
        /// Events with a copy of their object, as webhook endpoints receive them.
        Snapshot = "snapshot",
        /// Thin events: notifications without data.
        Thin = "thin",
    }
}

words! {
    /// The accounts that events of a destination come from.
    EventSource {
        /// The merchant itself.
        Own = "@self",
        /// The connected accounts of the merchant.
        Accounts = "@accounts",
    }
}

/// The part of an endpoint that makes it an event destination.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Destination {
    /// The name that the merchant chose.
    pub name: String,
    /// The form of its events.
    pub payload: EventPayload,
    /// The accounts that its events come from, at least one.
    pub events_from: Vec<EventSource>,
    /// The time of the last change, as shown.
    pub updated: AccountTime,
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
    /// True if it gets the events of connected accounts instead of the merchant's own events. A
    /// destination has a list of sources instead.
    #[serde(default)]
    pub connect: bool,
    /// The part of an event destination. `None` for a webhook endpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destination: Option<Destination>,
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

/// The form in which an endpoint receives an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventForm {
    /// The event with the copy of its object.
    Snapshot,
    /// One of its thin events.
    Thin(ThinEventId),
}

/// Returns the number of an endpoint in the text of its id. Both webhook endpoints and destinations
/// have one.
pub fn number_of(text: &str) -> Option<u64> {
    let of_webhook = text.parse().ok().map(EndpointId::number);
    let of_destination = || text.parse().ok().map(DestinationId::number);
    let of_live = || text.parse().ok().map(DestinationLiveId::number);
    of_webhook.or_else(of_destination).or_else(of_live)
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

    /// Returns the id as clients see it, which says if this is a webhook endpoint or a destination.
    pub fn shown_id(&self) -> IdText {
        let number = self.id.number();
        match (&self.destination, self.livemode) {
            (None, _) => self.id.text(),
            (Some(_), false) => DestinationId::from_number(number).text(),
            (Some(_), true) => DestinationLiveId::from_number(number).text(),
        }
    }

    /// True if it receives thin events.
    pub fn is_thin(&self) -> bool {
        self.destination.as_ref().is_some_and(|part| part.payload == EventPayload::Thin)
    }

    /// True if its events have a preview version.
    pub fn is_in_preview(&self) -> bool {
        self.api_version.as_deref().is_some_and(|version| version.ends_with(".preview"))
    }

    /// True if events of this account, or of its connected accounts, are sent here.
    pub fn receives_from(&self, source: EventSource) -> bool {
        match &self.destination {
            Some(destination) => destination.events_from.contains(&source),
            None => self.connect == (source == EventSource::Accounts),
        }
    }

    /// True if events with this name are sent here now.
    pub fn takes(&self, name: &str) -> bool {
        self.is_open()
            && self.enabled_events.iter().any(|enabled| enabled == "*" || enabled == name)
    }

    /// Returns the forms in which this endpoint receives an event now. It receives the event itself,
    /// or the thin events that it subscribes to.
    pub fn forms_of(&self, event: &Event) -> Vec<EventForm> {
        if !self.is_open() {
            return Vec::new();
        }
        if let Snapshot::Destination(pinged) = &event.snapshot {
            // Only the destination of the call, whatever it subscribes to.
            let ping = ThinEventId { event: event.id, outcome: false };
            return if pinged.id == self.id { vec![EventForm::Thin(ping)] } else { Vec::new() };
        }
        if !self.is_thin() {
            let is_known = self.is_in_preview() || !event.event_type.is_in_preview();
            let takes = is_known && self.takes(event.event_type.word());
            return if takes { vec![EventForm::Snapshot] } else { Vec::new() };
        }
        let taken = thin_names(event).filter(|ThinName { name, .. }| self.takes(name));
        taken.map(|ThinName { id, .. }| EventForm::Thin(id)).collect()
    }

    /// Returns the secrets that sign at `now`, newest first.
    pub fn active_secrets(&self, now: ServerTime) -> impl Iterator<Item = &str> {
        self.secrets
            .iter()
            .filter(move |secret| secret.expires_at.is_none_or(|at| at > now))
            .map(|secret| secret.value.as_str())
    }
}
