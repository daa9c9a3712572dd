//! Events, the endpoints that they are sent to, and streams of them.

pub(super) mod endpoint;
pub(super) mod event;
pub(super) mod event_stream;
