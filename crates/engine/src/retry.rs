//! Changes that run until they commit, and the counters of how often they had to.
//!
//! A use case reads, decides and commits. If an object changed in the meantime, the store reports a
//! version conflict and writes nothing, and the use case begins again with the stored objects. A
//! crash loses at most an attempt that had not committed. The counters live in memory only.

use crate::{Engine, Error};
use model::clock::ServerTime;
use model::limits::STALE_RETRIES_MAX;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use tracing::Instrument;

/// The counters of one named change since the start of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChangeCount {
    /// The name of the change, such as `finalize_invoice`.
    pub name: &'static str,
    /// Changes that ended, in whatever way.
    pub count: u64,
    /// Attempts after the first.
    pub retries: u64,
    /// Changes that were given up after as many conflicts as there are attempts.
    pub conflicts: u64,
    /// Milliseconds that the changes took together.
    pub duration_ms: u64,
}

#[derive(Debug, Default)]
struct Counters {
    count: AtomicU64,
    retries: AtomicU64,
    conflicts: AtomicU64,
    duration_ms: AtomicU64,
}

/// The counters of all changes, by name. They are bounded, because names are literals in the code.
#[derive(Debug, Default)]
pub(crate) struct ChangeCounters(RwLock<BTreeMap<&'static str, Arc<Counters>>>);

impl ChangeCounters {
    fn of(&self, name: &'static str) -> Arc<Counters> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned();
        known.unwrap_or_else(|| {
            let mut by_name = self.0.write().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(by_name.entry(name).or_default())
        })
    }

    fn record(&self, name: &'static str, attempts: u32, is_conflict: bool, duration_ms: i64) {
        let counters = self.of(name);
        let add = |counter: &AtomicU64, by: u64| counter.fetch_add(by, Ordering::Relaxed);
        add(&counters.count, 1);
        add(&counters.retries, u64::from(attempts.saturating_sub(1)));
        add(&counters.conflicts, u64::from(is_conflict));
        // The clock of the machine may have been set back.
        add(&counters.duration_ms, u64::try_from(duration_ms).unwrap_or(0));
    }
}

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
        let span = tracing::debug_span!("change", name, retries = tracing::field::Empty);
        let began = self.clock.server_now();
        let changed = async {
            for attempts in 1..=STALE_RETRIES_MAX {
                match attempt().await {
                    Ok(None) => {}
                    Ok(Some(done)) => return (attempts, Some(Ok(done))),
                    Err(error) => return (attempts, Some(Err(error))),
                }
            }
            (STALE_RETRIES_MAX, None)
        };
        let (attempts, ended) = changed.instrument(span.clone()).await;
        span.record("retries", attempts - 1);
        self.record_change(name, attempts, ended.is_none(), began);
        ended.unwrap_or(Err(Error::Locked))
    }

    fn record_change(&self, name: &'static str, attempts: u32, locked: bool, began: ServerTime) {
        let duration_ms = self.clock.server_now().ms_since(began);
        self.changes.record(name, attempts, locked, duration_ms);
    }

    /// The counters of all changes that have run, by name.
    pub fn changes(&self) -> Vec<ChangeCount> {
        let by_name = self.changes.0.read().unwrap_or_else(PoisonError::into_inner);
        let counts = by_name.iter().map(|(name, counters)| ChangeCount {
            name,
            count: counters.count.load(Ordering::Relaxed),
            retries: counters.retries.load(Ordering::Relaxed),
            conflicts: counters.conflicts.load(Ordering::Relaxed),
            duration_ms: counters.duration_ms.load(Ordering::Relaxed),
        });
        counts.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_counted_by_name() {
        let counters = ChangeCounters::default();
        counters.record("b", 1, false, 4);
        counters.record("a", 3, false, 2);
        counters.record("b", 16, true, 6);
        counters.record("b", 1, false, -1);
        let of = |name| {
            let counters = counters.of(name);
            [&counters.count, &counters.retries, &counters.conflicts, &counters.duration_ms]
                .map(|counter| counter.load(Ordering::Relaxed))
        };
        assert_eq!(of("a"), [1, 2, 0, 2]);
        assert_eq!(of("b"), [3, 15, 1, 10]);
    }
}
