//! What a server and Stripe's CLI say to each other for `stripe listen`: the session that says where
//! events are read, a message for each event, and what comes back. Read from the CLI's own code; no
//! document of Stripe's describes it.

use crate::json::JsonWriter;
use crate::version::{DEFAULT, NEWEST};
use serde_json::{Value, json};

/// Seconds after which a reader begins a new connection by itself. It loses nothing by it.
const RECONNECT_DELAY_S: i64 = 3_600;

/// Where a stream is read, and what verifies its events.
#[derive(Clone, Copy, Debug)]
pub struct Session<'a> {
    /// The id that the connection names.
    pub id: &'a str,
    /// The address of the connection.
    pub url: &'a str,
    /// The signing secret.
    pub secret: &'a str,
    /// What it is read for.
    pub feature: &'a str,
}

/// An event as it is sent.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    /// Its id.
    pub event: &'a str,
    /// Its JSON, exactly as it was signed.
    pub payload: &'a str,
    /// The signature header.
    pub signature: &'a str,
    /// The API version that it is rendered in; none stands for the account's own.
    pub version: Option<&'a str>,
}

/// What a reader says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Received {
    /// It has this message.
    Acknowledged {
        /// Which, as the message was marked.
        conversation: String,
    },
    /// It passed the event on, and was answered.
    Answered {
        /// The event's id.
        event: String,
        /// The HTTP status.
        status: i64,
    },
}

/// Writes a session.
pub fn write_session(writer: &mut JsonWriter, session: &Session<'_>) {
    writer.object(|w| {
        w.key("default_version").plain(DEFAULT);
        w.key("display_connect_filter_warning").boolean(false);
        w.key("latest_version").plain(NEWEST);
        w.key("reconnect_delay").integer(RECONNECT_DELAY_S);
        w.key("secret").string(session.secret);
        w.key("websocket_authorized_feature").string(session.feature);
        w.key("websocket_id").string(session.id);
        w.key("websocket_url").string(session.url);
    });
}

/// The text of a message; `conversation` is what its acknowledgement names.
pub fn message(message: &Message<'_>, conversation: &str) -> String {
    json!({
        "type": "webhook_event",
        "endpoint": {"api_version": message.version},
        "event_payload": message.payload,
        "http_headers": {
            "Content-Type": "application/json; charset=utf-8",
            "Stripe-Signature": message.signature,
            "User-Agent": "bankfeed/1.0 (webhooks)",
        },
        "webhook_conversation_id": conversation,
        "webhook_id": message.event,
    })
    .to_string()
}

/// Reads what a reader says; nothing when it is not known here.
///
/// ```
/// # use wire::render::events::event_stream::{Received, read};
/// let text = r#"{"type":"event_ack","webhook_conversation_id":"wc_1","event_id":"evt_1"}"#;
/// assert_eq!(read(text), Some(Received::Acknowledged { conversation: "wc_1".into() }));
/// ```
pub fn read(text: &str) -> Option<Received> {
    let said: Value = serde_json::from_str(text).ok()?;
    let word = |name: &str| said.get(name).and_then(Value::as_str).map(str::to_owned);
    match word("type")?.as_str() {
        "event_ack" => {
            Some(Received::Acknowledged { conversation: word("webhook_conversation_id")? })
        }
        "webhook_response" => {
            let status = said.get("status").and_then(Value::as_i64)?;
            Some(Received::Answered { event: word("webhook_id")?, status })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is no message of a reader says nothing.
    #[test]
    fn reads_only_what_it_knows() {
        let answered = r#"{"type":"webhook_response","webhook_id":"evt_1","status":200}"#;
        let read_so = Received::Answered { event: "evt_1".into(), status: 200 };
        assert_eq!(read(answered), Some(read_so));
        for text in ["", "null", "[]", r#"{"type":"event_ack"}"#, r#"{"type":"other"}"#] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    /// A message without a version is one in the account's own.
    #[test]
    fn names_the_version_only_where_it_is_another() {
        let shown = |version| {
            let sent = Message { event: "evt_1", payload: "{}", signature: "t=1", version };
            let text = message(&sent, "wc_1");
            serde_json::from_str::<Value>(&text).unwrap()["endpoint"]["api_version"].clone()
        };
        assert_eq!(shown(None), Value::Null);
        assert_eq!(shown(Some(NEWEST)), NEWEST);
    }
}
