//! Time that only a test moves.

use model::clock::{AccountTime, Clock, ServerTime};
use std::sync::atomic::{AtomicI64, Ordering};

/// A clock that only its owner moves.
#[derive(Debug)]
pub struct ManualClock {
    server_us: AtomicI64,
    account: Account,
}

/// The relation of account time to server time.
#[derive(Clone, Copy, Debug)]
enum Account {
    Ahead { seconds: i64 },
    Fixed(AccountTime),
}

impl ManualClock {
    /// A clock that begins at this second since 1970. Account time is equal to server time.
    pub fn at(begin_s: i64) -> Self {
        Self::at_us(begin_s * 1_000_000)
    }

    /// A clock that begins at this microsecond since 1970.
    pub fn at_us(begin_us: i64) -> Self {
        Self { server_us: AtomicI64::new(begin_us), account: Account::Ahead { seconds: 0 } }
    }

    /// The same clock with an account time that is ahead of server time, as after a fixed time that
    /// was chosen in the future. It reveals code that confuses the two kinds of time.
    #[must_use]
    pub fn ahead_by(self, seconds: i64) -> Self {
        Self { account: Account::Ahead { seconds }, ..self }
    }

    /// The same clock with an account time that never moves.
    #[must_use]
    pub fn with_fixed(self, account: AccountTime) -> Self {
        Self { account: Account::Fixed(account), ..self }
    }

    /// Server time.
    pub fn now(&self) -> ServerTime {
        ServerTime(self.server_us.load(Ordering::Relaxed))
    }

    /// Moves server time forward, and account time unless it is fixed.
    pub fn pass_ms(&self, time_ms: i64) {
        self.server_us.fetch_add(time_ms * 1_000, Ordering::Relaxed);
    }
}

impl Clock for ManualClock {
    fn server_now(&self) -> ServerTime {
        self.now()
    }

    fn account_now(&self) -> AccountTime {
        match self.account {
            Account::Ahead { seconds } => AccountTime(self.now().seconds() + seconds),
            Account::Fixed(time) => time,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Account time follows server time at its distance, or never moves.
    #[test]
    fn both_kinds_of_time_move_as_built() {
        let ahead = ManualClock::at(1_000).ahead_by(50);
        let fixed = ManualClock::at(1_000).with_fixed(AccountTime(7));
        for clock in [&ahead, &fixed] {
            clock.pass_ms(2_500);
            assert_eq!(clock.server_now(), ServerTime(1_002_500_000));
        }
        assert_eq!(
            (ahead.account_now(), fixed.account_now()),
            (AccountTime(1_052), AccountTime(7))
        );
    }
}
