//! The system clock. This is the only module that reads the time from the operating system.

use model::clock::{AccountTime, Clock, ServerTime};
use std::time::{SystemTime, UNIX_EPOCH};

/// The system's clock. Objects without a test clock can use a fixed time, so that two runs of the
/// same calls return the same responses.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock {
    /// The fixed time for objects without a test clock. They use real time if it is absent.
    pub account_time: Option<AccountTime>,
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock that all others are given")]
    fn server_now(&self) -> ServerTime {
        // A system clock before 1970 reads as 1970.
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        ServerTime(i64::try_from(since_1970.as_micros()).unwrap_or(i64::MAX))
    }

    fn account_now(&self) -> AccountTime {
        self.account_time.unwrap_or_else(|| AccountTime(self.server_now().seconds()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A fixed account time does not advance, while server time stays real.
    #[test]
    fn fixes_account_time_only() {
        let fixed = SystemClock { account_time: Some(AccountTime(1_000)) };
        assert_eq!(fixed.account_now(), AccountTime(1_000));
        assert!(fixed.server_now().seconds() > 1_700_000_000);
        let real = SystemClock::default();
        assert!(real.account_now().0 >= fixed.server_now().seconds());
    }
}
