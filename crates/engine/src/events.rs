//! Events: endpoints and event streams that receive them, and the workers that dispatch and deliver.
//!
//! After a crash an event still waits for its dispatch, and a delivery without a recorded attempt is due again.

pub mod deliver;
pub mod destination;
pub mod dispatch;
pub mod endpoint;
pub mod event;
pub mod event_stream;
mod stream_bytes;
pub mod thin;

use model::event::Event;

/// The position of the next event of a change, which is part of the event's id.
pub(crate) fn next_position(events: &[Event]) -> u8 {
    let Ok(position) = u8::try_from(events.len()) else {
        unreachable!("a change with 256 events would give two of them one id")
    };
    position
}
