//! Changes that run until they commit.
//!
//! A use case reads, decides and commits. If an object changed in the meantime, the store reports a
//! version conflict and writes nothing, and the use case begins again with the stored objects. A
//! crash loses at most an attempt that had not committed.

use crate::{Engine, Error};
use model::limits::STALE_RETRIES_MAX;
use std::pin::pin;
use tracing::Instrument;

impl Engine {
    /// Runs an attempt until it commits. An attempt returns `None` if something that it read has
    /// changed. After [`STALE_RETRIES_MAX`] such attempts the change ends with [`Error::Locked`].
    pub async fn change<T, F>(
        &self,
        name: &'static str,
        attempt: impl Fn() -> F,
    ) -> Result<T, Error>
    where
        F: Future<Output = Result<Option<T>, Error>>,
    {
        let span = tracing::debug_span!("change", change = name, retries = tracing::field::Empty);
        let began = self.clock.server_now();
        // Pinned here, because an attempt takes many kilobytes and `instrument` moves what it gets.
        let changed = pin!(async {
            for attempts in 1..=STALE_RETRIES_MAX {
                match attempt().await {
                    Ok(None) => {}
                    Ok(Some(done)) => return (attempts, Some(Ok(done))),
                    Err(error) => return (attempts, Some(Err(error))),
                }
            }
            (STALE_RETRIES_MAX, None)
        });
        let (attempts, ended) = changed.instrument(span.clone()).await;
        span.record("retries", attempts - 1);
        let duration_us = self.clock.server_now().0 - began.0;
        span.in_scope(|| tracing::debug!(duration_us, "change ended"));
        self.metrics.count_change(name, attempts, ended.is_none(), duration_us);
        ended.unwrap_or(Err(Error::Locked))
    }
}
