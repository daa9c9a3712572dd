//! Budgets: the bytes of request bodies that are worked on, and of responses that wait for their readers.
//!
//! Without a budget, thousands of connections with bodies or responses of the maximum size would take
//! gigabytes. Small ones do not count, so that most calls never wait for large ones. The budgets count for
//! this process and end with it.

use axum::body::Body;
use bytes::Bytes;
use model::limits::{BODIES_BYTES_MAX, BODY_FREE_BYTES_MAX, RESPONSES_BYTES_MAX};
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The bytes of a permit.
const PERMIT_BYTES: usize = 1_024;

/// The budgets of a server.
pub(super) struct Budgets {
    bodies: Arc<Semaphore>,
    responses: Arc<Semaphore>,
}

/// The room that a body or a response takes. It is given back when it is dropped.
pub(super) struct Room(
    #[expect(dead_code, reason = "dropped to give the room back")] OwnedSemaphorePermit,
);

impl Default for Budgets {
    fn default() -> Self {
        let budget = |bytes: usize| Arc::new(Semaphore::new(bytes / PERMIT_BYTES));
        Self { bodies: budget(BODIES_BYTES_MAX), responses: budget(RESPONSES_BYTES_MAX) }
    }
}

impl Budgets {
    /// Waits for the room of a body of this size. A small body needs none.
    pub(super) async fn body_room(&self, bytes: usize) -> Option<Room> {
        if bytes <= BODY_FREE_BYTES_MAX {
            return None;
        }
        // The semaphore is never closed.
        Arc::clone(&self.bodies).acquire_many_owned(permits(bytes)).await.ok().map(Room)
    }

    /// True if the response of a call that writes finds room, most likely. The call is rejected before it
    /// writes, because its response must be sent afterwards.
    pub(super) fn takes_writes(&self) -> bool {
        self.responses.available_permits() > 0
    }

    /// Takes the room of a response of this size. Returns `None` if there is too little.
    pub(super) fn response_room(&self, bytes: usize) -> Option<Room> {
        Arc::clone(&self.responses).try_acquire_many_owned(permits(bytes)).ok().map(Room)
    }

    /// Takes the room that is left, for a response that must be sent.
    pub(super) fn rest_for_response(&self, bytes: usize) -> Option<Room> {
        let left = u32::try_from(self.responses.available_permits()).unwrap_or(u32::MAX);
        let taken = permits(bytes).min(left);
        Arc::clone(&self.responses).try_acquire_many_owned(taken).ok().map(Room)
    }
}

fn permits(bytes: usize) -> u32 {
    u32::try_from(bytes.div_ceil(PERMIT_BYTES)).unwrap_or(u32::MAX)
}

/// A body that gives its room back once its bytes were sent.
pub(super) fn body_in(room: Option<Room>, bytes: Vec<u8>) -> Body {
    struct Held(Vec<u8>, #[expect(dead_code, reason = "dropped with the bytes")] Room);

    impl AsRef<[u8]> for Held {
        fn as_ref(&self) -> &[u8] {
            &self.0
        }
    }

    match room {
        None => Body::from(bytes),
        Some(room) => Body::from(Bytes::from_owner(Held(bytes, room))),
    }
}
