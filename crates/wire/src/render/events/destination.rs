//! An event destination of `/v2`. Its URL and its secret are shown only if the call includes them, and
//! the secret only in the response to the creation.

use crate::date_time::text_of;
use crate::json::JsonWriter;
use model::Word;
use model::endpoint::{Destination, Endpoint, EndpointStatus, EventPayload, EventSource};

/// The value of `object`.
pub const OBJECT: &str = "v2.core.event_destination";
/// The only type of a destination here.
pub const WEBHOOK_ENDPOINT: &str = "webhook_endpoint";

/// The parts of a destination that a call includes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Included {
    /// True for the URL.
    pub url: bool,
    /// True for the signing secret.
    pub signing_secret: bool,
}

/// Writes a destination, which is an endpoint with its part.
pub fn write(
    writer: &mut JsonWriter,
    endpoint: &Endpoint,
    destination: &Destination,
    included: Included,
) {
    let is_snapshot = destination.payload == EventPayload::Snapshot;
    let version = endpoint.api_version.as_deref().filter(|_| is_snapshot);
    let secret = endpoint.secrets.first().filter(|_| included.signing_secret);
    writer.object(|w| {
        w.key("id").plain(endpoint.shown_id());
        w.key("object").plain(OBJECT);
        w.key("created").string(&text_of(endpoint.created));
        // The SDKs declare a text that is always there.
        w.key("description").string(endpoint.description.as_deref().unwrap_or_default());
        w.key("enabled_events").strings(endpoint.enabled_events.iter().map(String::as_str));
        w.key("event_payload").plain(destination.payload.word());
        w.key("events_from").strings(destination.events_from.iter().map(|from| from.word()));
        w.key("livemode").boolean(endpoint.livemode);
        w.key("metadata").string_map(&endpoint.metadata);
        w.key("name").string(&destination.name);
        w.key("snapshot_api_version").optional_string(version);
        w.key("status").plain(endpoint.status.word());
        w.key("status_details");
        match endpoint.status {
            EndpointStatus::Enabled => w.null(),
            EndpointStatus::Disabled => w.object(|w| {
                w.key("disabled").object(|w| {
                    w.key("reason").plain("user");
                });
            }),
        };
        w.key("type").plain(WEBHOOK_ENDPOINT);
        w.key("updated").string(&text_of(destination.updated));
        w.key("webhook_endpoint").object(|w| {
            let secret = secret.map(|secret| secret.value.as_str());
            w.key("signing_secret").optional_string(secret);
            w.key("url").optional_string(included.url.then_some(endpoint.url.as_str()));
        });
    });
}

/// Writes a deleted destination.
pub fn write_deleted(writer: &mut JsonWriter, endpoint: &Endpoint) {
    writer.object(|w| {
        w.key("id").plain(endpoint.shown_id());
        w.key("object").plain(OBJECT);
    });
}

/// The words of the sources of events that this server knows.
pub fn sources() -> Vec<&'static str> {
    EventSource::ALL.iter().map(|source| source.word()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::samples::{self, indented, written};
    use model::time::AccountTime;

    fn destination() -> Destination {
        Destination {
            name: "Mine".to_owned(),
            payload: EventPayload::Thin,
            events_from: vec![EventSource::Own],
            updated: AccountTime(1_700_000_060),
        }
    }

    /// Every key is written. URL and secret are null unless the call includes them.
    #[test]
    fn writes_a_destination() {
        let endpoint = samples::endpoint();
        let endpoint = Endpoint { destination: Some(destination()), ..endpoint };
        let part = destination();
        let all = Included { url: true, signing_secret: true };
        insta::assert_snapshot!(indented(|w| write(w, &endpoint, &part, all)), @r#"
        {
          "id": "ed_test_00000000001cjOv14TZr26QX",
          "object": "v2.core.event_destination",
          "created": "2023-11-14T22:13:20.000Z",
          "description": "",
          "enabled_events": [
            "*"
          ],
          "event_payload": "thin",
          "events_from": [
            "@self"
          ],
          "livemode": false,
          "metadata": {},
          "name": "Mine",
          "snapshot_api_version": null,
          "status": "enabled",
          "status_details": null,
          "type": "webhook_endpoint",
          "updated": "2023-11-14T22:14:20.000Z",
          "webhook_endpoint": {
            "signing_secret": "whsec_new",
            "url": "https://example.com/hook"
          }
        }
        "#);
        let bare = written(|w| write(w, &endpoint, &part, Included::default()));
        assert!(bare.ends_with(r#""webhook_endpoint":{"signing_secret":null,"url":null}}"#));
        let disabled = Endpoint { status: EndpointStatus::Disabled, ..endpoint.clone() };
        let disabled = written(|w| write(w, &disabled, &part, Included::default()));
        assert!(disabled.contains(r#""status_details":{"disabled":{"reason":"user"}}"#));
        let live = Endpoint { livemode: true, ..endpoint };
        assert!(written(|w| write_deleted(w, &live)).starts_with(r#"{"id":"ed_0000"#));
    }
}
