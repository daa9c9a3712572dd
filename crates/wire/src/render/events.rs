//! Events in both forms, the endpoints and destinations that receive them, and the stream that
//! `stripe listen` reads.

pub mod destination;
pub mod endpoint;
pub mod event;
pub mod event_stream;
pub mod thin;
