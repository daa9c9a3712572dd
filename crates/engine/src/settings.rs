//! Settings of the engine. Each has a default that suits tests.

use model::bank::Feature;
use model::color::Color;

/// The settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Milliseconds from the start of a refresh in test mode to its first attempt. Refreshes on a
    /// test clock have no delay.
    pub refresh_delay_ms: i64,
    /// Milliseconds from an event in test mode to the first attempt of its deliveries.
    pub webhook_delay_ms: i64,
    /// Cool-downs of accounts linked with a test key.
    pub cool_down_test: CoolDown,
    /// Cool-downs of accounts on a test clock.
    pub cool_down_clock: CoolDown,
    /// Cool-downs of accounts linked with a live key.
    pub cool_down_live: CoolDown,
    /// True if a failed refresh shows its `error` hash in every API version. Otherwise only
    /// previews show it.
    pub show_refresh_errors: bool,
    /// The waits between the attempts of a delivery in test mode. There is one attempt more than
    /// waits.
    pub retry_test: RetrySchedule,
    /// The waits between the attempts of a delivery in live mode.
    pub retry_live: RetrySchedule,
    /// The lease of a refresh, an advance or a delivery, in milliseconds.
    pub lease_ms: i64,
    /// The time that an idle worker waits before it polls again, in milliseconds.
    pub poll_ms: u64,
    /// True if one worker does due work in a fixed order, and each call waits for it, so that the
    /// same calls have the same responses and events. Slower.
    pub in_order: bool,
    /// The merchant's name on pages for holders.
    pub merchant_name: String,
    /// The other parts of the merchant's brand.
    pub brand: Brand,
    /// The base URL of this server for its clients, without a slash at the end.
    pub public_url: String,
}

/// The brand of a merchant on its pages, besides its name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Brand {
    /// The colour of its buttons, if it differs from that of this server.
    pub color: Option<Color>,
    /// True if this server has its logo.
    pub logo: bool,
    /// The lines of its address.
    pub address: Vec<String>,
}

/// Seconds between two starts of a refresh of a feature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CoolDown {
    /// For the balance.
    pub balance_s: i64,
    /// For the owners.
    pub ownership_s: i64,
    /// For the transactions.
    pub transactions_s: i64,
}

impl CoolDown {
    /// The same for every feature.
    pub fn of(seconds: i64) -> Self {
        Self { balance_s: seconds, ownership_s: seconds, transactions_s: seconds }
    }

    /// The cool-down of a feature.
    pub fn seconds(&self, feature: Feature) -> i64 {
        match feature {
            Feature::Balance | Feature::InferredBalances => self.balance_s,
            Feature::Ownership => self.ownership_s,
            Feature::Transactions => self.transactions_s,
        }
    }
}

/// The times of the retries of a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetrySchedule {
    /// Milliseconds to wait after each failed attempt. The last attempt follows the last wait.
    pub waits_ms: Vec<i64>,
    /// The maximum jitter that is added to a wait, in percent.
    pub jitter_percent: i64,
}

impl Default for Settings {
    fn default() -> Self {
        const MINUTE_MS: i64 = 60_000;
        const HOUR_MS: i64 = 60 * MINUTE_MS;
        Self {
            refresh_delay_ms: 0,
            webhook_delay_ms: 0,
            cool_down_test: CoolDown::of(0),
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
            brand: Brand::default(),
            public_url: "http://127.0.0.1:12111".to_owned(),
        }
    }
}
