//! A delivery of an event to an endpoint (`bankfeed.delivery`), with its attempts.

use crate::fault::Hit;
use model::Word;
use model::delivery::{Attempt, Delivery, DeliveryStatus};
use model::id::{IdText, ThinEventId};
use serde_json::Value;
use wire::json::JsonWriter;
use wire::render::events::thin::id_in;

/// Returns the thin event of a delivery. `None` if the endpoint receives other events.
pub(crate) fn thin_event(delivery: &Delivery) -> Option<ThinEventId> {
    id_in(&delivery.payload)
}

/// Writes a delivery with its attempts. The event is the one in the payload, which is a thin event if
/// the endpoint receives those.
pub(crate) fn write(
    writer: &mut JsonWriter,
    delivery: &Delivery,
    endpoint: IdText,
    attempts: &[Attempt],
) {
    let event = match thin_event(delivery) {
        Some(thin) => thin.text(),
        None => delivery.key.event.text(),
    };
    let due = delivery.status == DeliveryStatus::Pending;
    let sent: Value = serde_json::from_slice(&delivery.payload).unwrap_or_default();
    writer.object(|w| {
        w.key("id").plain(delivery.key.to_string());
        w.key("object").plain("bankfeed.delivery");
        w.key("attempts").array(|w| {
            for attempt in attempts {
                write_attempt(w, attempt);
            }
        });
        w.key("event").plain(event.as_str());
        w.key("event_type").optional_string(sent["type"].as_str());
        w.key("fault");
        match Hit::of(delivery) {
            Some(hit) => w.object(|w| {
                w.key("id").plain(hit.fault.text().as_str());
                w.key("kind").plain(hit.kind.word());
            }),
            None => w.null(),
        };
        w.key("next_attempt_at").optional_integer(due.then(|| delivery.due_at.seconds()));
        w.key("status").plain(delivery.status.word());
        w.key("webhook_endpoint").plain(endpoint.as_str());
    });
}

fn write_attempt(writer: &mut JsonWriter, attempt: &Attempt) {
    writer.object(|w| {
        w.key("at").integer(attempt.at.seconds());
        w.key("duration_ms").integer(i64::from(attempt.duration_ms));
        w.key("error").optional_string(attempt.error.as_deref());
        w.key("fault").optional_plain(attempt.mark.as_deref());
        w.key("number").integer(i64::from(attempt.number));
        w.key("resent").boolean(attempt.resent);
        w.key("response").string(&attempt.body);
        w.key("signature").optional_string(attempt.signature.as_deref());
        w.key("status").optional_integer(attempt.status.map(i64::from));
    });
}
