//! The only module of this tool that reads a clock. Every wait is for a named condition and has a
//! bound. A condition without a notification is polled.

use crate::Failure;
use std::future::Future;
use std::time::{Duration, Instant, SystemTime};
use tokio::time::timeout;

/// The time between two polls of a condition.
pub(crate) const POLL_AGAIN: Duration = Duration::from_millis(20);

/// Real seconds since 1970, for the signatures of webhooks.
#[expect(clippy::disallowed_methods, reason = "the only module of this tool that reads a clock")]
pub(crate) fn now_s() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

/// A seed for a run without one.
#[expect(clippy::disallowed_methods, reason = "the only module of this tool that reads a clock")]
pub(crate) fn fresh_seed() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::from(since.subsec_micros()) ^ (since.as_secs() << 20 & 0xFFFF_FFFF)
}

/// The start of a measurement.
#[expect(clippy::disallowed_methods, reason = "the only module of this tool that reads a clock")]
pub(crate) fn moment() -> Instant {
    Instant::now()
}

/// Waits for a fixed time.
pub(crate) async fn pass(time: Duration) {
    let _ = timeout(time, std::future::pending::<()>()).await;
}

/// Waits for a named condition, for at most this time.
pub(crate) async fn bounded<T>(
    what: &str,
    limit: Duration,
    condition: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    match timeout(limit, condition).await {
        Ok(met) => met,
        Err(_) => Err(format!("waited {} s for {what}", limit.as_secs())),
    }
}
