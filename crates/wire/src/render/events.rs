//! Events, the endpoints that receive them, and the stream that `stripe listen` reads.

pub mod endpoint;
pub mod event;
pub mod event_stream;
