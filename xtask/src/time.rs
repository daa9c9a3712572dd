//! The only place of this tool that reads a clock. Every wait elsewhere is for a named condition
//! and has a bound; a condition that nothing announces is looked at again after a short pause.

use crate::Failure;
use std::future::Future;
use std::time::{Duration, Instant, SystemTime};
use tokio::time::timeout;

/// Between two looks at a condition that nothing announces.
pub(crate) const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// Real seconds since 1970, for the signatures of webhooks.
#[expect(clippy::disallowed_methods, reason = "the one place of this tool that reads the clock")]
pub(crate) fn now_s() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

/// A seed for a run that was given none.
#[expect(clippy::disallowed_methods, reason = "the one place of this tool that reads the clock")]
pub(crate) fn fresh_seed() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::from(since.subsec_micros()) ^ (since.as_secs() << 20 & 0xFFFF_FFFF)
}

/// A moment to measure from.
#[expect(clippy::disallowed_methods, reason = "the one place of this tool that reads the clock")]
pub(crate) fn moment() -> Instant {
    Instant::now()
}

/// Lets so much time pass.
pub(crate) async fn pass(time: Duration) {
    let _ = timeout(time, std::future::pending::<()>()).await;
}

/// Waits for a named condition, for so long at most.
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
