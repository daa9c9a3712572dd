//! Events, the webhook endpoints that receive them, and event streams.

pub(super) mod endpoint;
pub(super) mod event;
pub(super) mod event_stream;
