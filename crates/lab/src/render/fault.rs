//! A fault on demand. This object is ours and does not exist at Stripe.

use crate::fault::{Fault, Share};
use model::Word;
use model::id::DestinationId;
use wire::json::JsonWriter;

/// The value of `object`.
pub(crate) const OBJECT: &str = "bankfeed.fault";

/// Writes a fault with the numbers of matches and hits.
pub(crate) fn write(writer: &mut JsonWriter, fault: &Fault) {
    let over = fault.is_over();
    let (percent, every, first) = match fault.rule.share {
        Share::Percent(percent) => (Some(i64::from(percent)), None, None),
        Share::Every(every) => (None, Some(i64::from(every)), None),
        Share::First(first) => (None, None, Some(i64::from(first))),
    };
    writer.object(|w| {
        w.key("id").plain(fault.id.text().as_str());
        w.key("object").plain(OBJECT);
        w.key("created").integer(fault.created.0);
        w.key("delay_ms").integer(i64::from(fault.rule.delay_ms));
        w.key("every").optional_integer(every);
        w.key("first").optional_integer(first);
        w.key("fitting").count(fault.count.fitting);
        w.key("hits").count(fault.count.hits);
        w.key("kind").plain(fault.rule.kind.word());
        w.key("livemode").boolean(false);
        w.key("method").optional_string(fault.rule.method.as_deref());
        w.key("path").optional_string(fault.rule.path.as_deref());
        w.key("percent").optional_integer(percent);
        w.key("seed").count(fault.rule.seed);
        w.key("status").plain(if over { "over" } else { "active" });
        w.key("times").optional_integer(fault.rule.hits_max.map(i64::from));
        w.key("types").strings(fault.rule.event_types.iter().map(String::as_str));
        w.key("webhook_endpoint");
        match fault.rule.endpoint {
            Some(endpoint) if fault.rule.of_destination => {
                w.plain(DestinationId::from_number(endpoint.number()).text().as_str())
            }
            Some(endpoint) => w.plain(endpoint.text().as_str()),
            None => w.null(),
        };
    });
}
