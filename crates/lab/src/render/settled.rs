//! The end of all due work (`bankfeed.settled`). It is ours, and exists in test mode only.

use crate::settled::SettledFilter;
use wire::json::JsonWriter;

/// Writes the scope in which all due work is done.
pub(crate) fn write(writer: &mut JsonWriter, filter: &SettledFilter) {
    writer.object(|w| {
        w.key("object").plain("bankfeed.settled");
        w.key("account").optional_string(filter.account.as_deref());
        w.key("clock").optional_string(filter.clock.as_deref());
        w.key("customer").optional_string(filter.customer.as_deref());
        w.key("livemode").boolean(false);
    });
}
