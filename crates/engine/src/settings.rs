//! What an operator may choose about the engine. Each has a default that suits tests.

use crate::test_helpers::fault::FaultInput;
use model::bank::Feature;

/// The settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// What goes wrong on demand for every merchant in test mode, before faults of its own.
    pub faults: Vec<FaultInput>,
    /// Cool-downs of accounts linked with a test key.
    pub cool_down_test: CoolDown,
    /// Cool-downs of accounts on a test clock.
    pub cool_down_clock: CoolDown,
    /// Cool-downs of accounts linked with a live key.
    pub cool_down_live: CoolDown,
    /// Whether a failed refresh shows its `error` hash in every API version, not in previews only.
    pub show_refresh_errors: bool,
    /// Waits between the attempts of a delivery in test mode; one attempt more than waits.
    pub retry_test: RetrySchedule,
    /// Waits between the attempts of a delivery in live mode.
    pub retry_live: RetrySchedule,
    /// How long a refresh, an advance or a delivery is leased.
    pub lease_ms: i64,
    /// How long an idle worker waits before it looks again, if nothing wakes it.
    pub poll_ms: u64,
    /// Whether refreshes are worked on one after the other, so that events are committed in the
    /// same order whenever the same calls are made. Slower.
    pub in_order: bool,
    /// What link flows call the merchant.
    pub merchant_name: String,
    /// Where clients reach this server, for the URLs it hands out; without a slash at the end.
    pub public_url: String,
}

/// Seconds until the next refresh of a feature may be asked for, counted from the start of the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CoolDown {
    /// Of the balance.
    pub balance_s: i64,
    /// Of the owners.
    pub ownership_s: i64,
    /// Of the transactions.
    pub transactions_s: i64,
}

impl CoolDown {
    /// The same for every feature.
    pub fn of(seconds: i64) -> Self {
        Self { balance_s: seconds, ownership_s: seconds, transactions_s: seconds }
    }

    /// The one of a feature.
    pub fn seconds(&self, feature: Feature) -> i64 {
        match feature {
            Feature::Balance => self.balance_s,
            Feature::Ownership => self.ownership_s,
            Feature::Transactions => self.transactions_s,
        }
    }
}

/// When a delivery is tried again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetrySchedule {
    /// Milliseconds to wait after each failed attempt. After the last wait comes the last attempt.
    pub waits_ms: Vec<i64>,
    /// Waits are lengthened by up to this part of them, in percent.
    pub jitter_percent: i64,
}

impl Default for Settings {
    fn default() -> Self {
        const MINUTE_MS: i64 = 60_000;
        const HOUR_MS: i64 = 60 * MINUTE_MS;
        Self {
            faults: Vec::new(),
            cool_down_test: CoolDown::of(1),
            cool_down_clock: CoolDown::of(0),
            cool_down_live: CoolDown {
                balance_s: 600,
                ownership_s: 86_400,
                transactions_s: 6 * 3_600,
            },
            show_refresh_errors: false,
            retry_test: RetrySchedule {
                waits_ms: vec![5_000, 10 * MINUTE_MS, 2 * HOUR_MS],
                jitter_percent: 10,
            },
            retry_live: RetrySchedule {
                waits_ms: vec![
                    MINUTE_MS,
                    5 * MINUTE_MS,
                    30 * MINUTE_MS,
                    2 * HOUR_MS,
                    5 * HOUR_MS,
                    10 * HOUR_MS,
                    14 * HOUR_MS,
                    20 * HOUR_MS,
                    20 * HOUR_MS,
                ],
                jitter_percent: 20,
            },
            lease_ms: model::limits::LEASE_MS_DEFAULT,
            poll_ms: 500,
            in_order: false,
            merchant_name: "Test merchant".to_owned(),
            public_url: "http://127.0.0.1:12111".to_owned(),
        }
    }
}
