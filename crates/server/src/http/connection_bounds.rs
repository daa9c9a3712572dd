//! The bounds of connections, and the beat that measures their times.
//!
//! Setting a timer for each request would cost more than reading the request. So each connection has
//! one slow beat and counts it. A time is over after the first beat that is certainly later.

use model::limits::{
    BODY_MS_MAX, CONNECTIONS_MAX, CONNECTIONS_PER_ADDRESS_MAX, DROPPED_MS_MAX, HEAD_MS_MAX,
    HEALTH_CONNECTIONS_MAX, IDLE_CONNECTION_MS_MAX, RESPONSE_MS_MAX,
};
use std::task::Context;
use std::time::Duration;
use tokio::time::{Interval, MissedTickBehavior};

/// The beats within the shortest time.
const BEATS: u32 = 6;

/// The bounds of the connections of a server.
#[derive(Clone, Copy, Debug)]
pub struct ConnectionBounds {
    /// The maximum number of open connections.
    pub connections: usize,
    /// The maximum number of them from one client address.
    pub per_address: usize,
    /// The maximum number of further connections, which may only read the health of the server.
    pub for_health: usize,
    /// The time for a whole request head.
    pub head: Duration,
    /// The time for a whole request body.
    pub body: Duration,
    /// The time in which a slow client has to read a whole response.
    pub response: Duration,
    /// The time for which a connection without a request is kept open.
    pub idle: Duration,
    /// The time for which bytes of a rejected request are read and dropped.
    pub dropped: Duration,
}

impl Default for ConnectionBounds {
    fn default() -> Self {
        Self {
            connections: CONNECTIONS_MAX,
            per_address: CONNECTIONS_PER_ADDRESS_MAX,
            for_health: HEALTH_CONNECTIONS_MAX,
            head: Duration::from_millis(HEAD_MS_MAX),
            body: Duration::from_millis(BODY_MS_MAX),
            response: Duration::from_millis(RESPONSE_MS_MAX),
            idle: Duration::from_millis(IDLE_CONNECTION_MS_MAX),
            dropped: Duration::from_millis(DROPPED_MS_MAX),
        }
    }
}

impl ConnectionBounds {
    /// The bounds of a listener for monitors. All its addresses are those of health.
    pub(super) fn of_monitors(self) -> Self {
        Self { connections: self.for_health, per_address: self.for_health, for_health: 0, ..self }
    }

    /// The time from one beat to the next.
    fn beat(&self) -> Duration {
        let times = [self.head, self.body, self.response, self.idle, self.dropped];
        let shortest = times.into_iter().min().unwrap_or_default();
        (shortest / BEATS).max(Duration::from_millis(1))
    }

    /// The beats after which a time is over.
    pub(super) fn beats(&self, time: Duration) -> u32 {
        let beats = time.as_micros().div_ceil(self.beat().as_micros());
        u32::try_from(beats).unwrap_or(u32::MAX)
    }
}

/// The beat of a connection.
pub(super) enum Beat {
    Timer(Interval),
    /// A beat under the control of a test.
    #[cfg(test)]
    Manual(std::sync::Arc<std::sync::atomic::AtomicU32>),
}

impl Beat {
    pub(super) fn of(bounds: &ConnectionBounds) -> Self {
        let mut interval = tokio::time::interval(bounds.beat());
        // Beats that no task waited for must not count as time of a later wait.
        interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
        interval.reset();
        Self::Timer(interval)
    }

    /// The number of new beats. The task of this context is woken by the next one.
    pub(super) fn poll(&mut self, context: &mut Context<'_>) -> u32 {
        match self {
            Self::Timer(interval) => {
                let mut beats = 0;
                while interval.poll_tick(context).is_ready() {
                    beats += 1;
                }
                beats
            }
            #[cfg(test)]
            Self::Manual(beats) => beats.swap(0, std::sync::atomic::Ordering::Relaxed),
        }
    }
}
