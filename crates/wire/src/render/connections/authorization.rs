//! An authorization (`financial_connections.authorization`), in events and, in previews, by its own
//! call.

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
        let is_final = preview && authorization.disconnected;
        w.key("status").plain(match authorization.lost {
            None => "active",
            Some(_) if is_final => "disconnected",
            Some(_) => "inactive",
        });
        w.key("status_details").object(|w| {
            if is_final {
                return;
            }
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
