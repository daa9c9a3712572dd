//! Events: endpoints and event streams that receive them, and the workers that dispatch and deliver.
//!
//! After a crash an event still has its mark, and a delivery without a recorded attempt is due again.

pub mod deliver;
pub mod dispatch;
pub mod endpoint;
pub mod event;
pub mod event_stream;
