//! The protocol between a server and Stripe's CLI for `stripe listen`: the session with the address
//! of the events, a message per event, and the responses. It follows the CLI's source code, because
//! Stripe does not document it.

use crate::json::JsonWriter;
use crate::version::{DEFAULT, NEWEST};
use serde_json::{Value, json};

/// The interval in seconds at which a reader opens a new connection. It loses no message by it.
const RECONNECT_DELAY_S: i64 = 3_600;

/// The address of a stream and the secret that verifies its events.
#[derive(Clone, Copy, Debug)]
pub struct Session<'a> {
    /// The id that the connection names.
    pub id: &'a str,
    /// The address of the connection.
    pub url: &'a str,
    /// The signing secret.
    pub secret: &'a str,
    /// The feature that the stream is for.
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
    /// The API version of its rendering. `None` for the account's own version.
    pub version: Option<&'a str>,
}

/// A message from a reader.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Received {
    /// The reader received a message.
    Acknowledged {
        /// The conversation id of that message.
        conversation: String,
    },
    /// The reader forwarded an event and got a response.
    Response {
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

/// Returns the text of a message. Its acknowledgement repeats `conversation`.
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

/// Reads a message from a reader. Returns `None` if it is not known.
///
/// ```
/// # use wire::render::events::event_stream::{Received, read};
/// let text = r#"{"type":"event_ack","webhook_conversation_id":"wc_1","event_id":"evt_1"}"#;
/// assert_eq!(read(text), Some(Received::Acknowledged { conversation: "wc_1".into() }));
/// ```
pub fn read(text: &str) -> Option<Received> {
    let message_json: Value = serde_json::from_str(text).ok()?;
    let word = |name: &str| message_json.get(name).and_then(Value::as_str).map(str::to_owned);
    match word("type")?.as_str() {
        "event_ack" => {
            Some(Received::Acknowledged { conversation: word("webhook_conversation_id")? })
        }
        "webhook_response" => {
            let status = message_json.get("status").and_then(Value::as_i64)?;
            Some(Received::Response { event: word("webhook_id")?, status })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An unknown message is ignored.
    #[test]
    fn ignores_unknown_messages() {
        let answered = r#"{"type":"webhook_response","webhook_id":"evt_1","status":200}"#;
        let read_so = Received::Response { event: "evt_1".into(), status: 200 };
        assert_eq!(read(answered), Some(read_so));
        for text in ["", "null", "[]", r#"{"type":"event_ack"}"#, r#"{"type":"other"}"#] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    /// A message without a version is in the account's own version.
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
