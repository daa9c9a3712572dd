//! Events in both forms, the webhook endpoints and event destinations that receive them, and event
//! streams.

pub(super) mod destination;
pub(super) mod endpoint;
pub(super) mod event;
pub(super) mod event_stream;
pub(super) mod thin_event;
