//! An authorization (`financial_connections.authorization`). Its own call is in preview at Stripe.
//! This server shows it in events.

use crate::change::RELINK;
use crate::json::JsonWriter;
use crate::render::{View, write_holder};
use model::Word;
use model::authorization::Authorization;

/// The value of `object`.
pub const OBJECT: &str = "financial_connections.authorization";

/// Writes an authorization.
pub fn write(writer: &mut JsonWriter, authorization: &Authorization, view: &View<'_>) {
    let preview = view.version.has(&RELINK);
    writer.object(|w| {
        w.key("id").plain(authorization.id.text());
        w.key("object").plain(OBJECT);
        if preview {
            w.key("account_holder");
            write_holder(w, authorization.holder.as_ref());
            w.key("institution").plain(authorization.institution.text());
        }
        w.key("institution_name").string(&authorization.institution_name);
        w.key("livemode").boolean(authorization.livemode);
        w.key("status").plain(if authorization.lost.is_some() { "inactive" } else { "active" });
        w.key("status_details").object(|w| {
            if let Some(action) = authorization.lost {
                w.key("inactive").object(|w| {
                    w.key("action").plain(action.word());
                });
            } else if let Some(expected) = authorization.expected_deactivation {
                w.key("active").object(|w| {
                    w.key("action").plain(expected.action.word());
                    w.key("expected_deactivation_date").integer(expected.at.0);
                });
            }
        });
    });
}
