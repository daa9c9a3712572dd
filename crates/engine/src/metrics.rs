//! The counters of the engine, which a metrics endpoint registers and encodes.
//!
//! Counting is a few atomic additions and never waits for a scrape. Labels are words of the code, so
//! their number is bounded. Counters begin at 0 when the server starts. A crash loses them, and
//! monitoring systems expect that.

use crate::Engine;
use model::Word;
use model::bank::Feature;
use model::delivery::DeliveryStatus;
use model::refresh::RefreshCause;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

/// The upper bounds of durations in seconds, from a cached read to a bank or a receiver that hangs.
pub const DURATION_BUCKETS_S: [f64; 11] =
    [0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1.0, 5.0, 30.0];

/// Counts durations by [`DURATION_BUCKETS_S`].
pub fn duration_histogram() -> Histogram {
    Histogram::new(DURATION_BUCKETS_S)
}

/// The workers, by the words in logs and metrics.
const WORKERS: [&str; 6] = ["schedule", "refresh", "clock", "dispatch", "deliver", "prune"];

/// The statuses of a delivery after an attempt. A delivery that a test's fault loses has no attempt.
const ATTEMPT_STATUSES: [DeliveryStatus; 4] = [
    DeliveryStatus::Pending,
    DeliveryStatus::Succeeded,
    DeliveryStatus::Failed,
    DeliveryStatus::Canceled,
];

type Durations<L> = Family<L, Histogram, fn() -> Histogram>;

/// An empty family of histograms of durations.
pub fn durations<L: Clone + std::hash::Hash + Eq>() -> Durations<L> {
    Family::new_with_constructor(duration_histogram as fn() -> Histogram)
}

/// The counters of an engine.
#[derive(Debug)]
pub struct Metrics {
    change_durations: Durations<ChangeLabels>,
    change_retries: Family<ChangeLabels, Counter>,
    change_conflicts: Family<ChangeLabels, Counter>,
    refreshes: Family<RefreshLabels, Counter>,
    delivery_attempts: Family<AttemptLabels, Counter>,
    delivery_durations: Histogram,
    worker_failures: Family<WorkerLabels, Counter>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ChangeLabels {
    name: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RefreshLabels {
    mode: &'static str,
    feature: &'static str,
    outcome: &'static str,
    cause: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct AttemptLabels {
    mode: &'static str,
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct WorkerLabels {
    worker: &'static str,
}

/// The outcome of an attempt at a refresh that was committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RefreshOutcome {
    /// The refresh succeeded.
    Succeeded,
    /// The refresh failed.
    Failed(RefreshCause),
    /// The bank requested a later attempt.
    Delayed,
}

impl RefreshOutcome {
    /// The word in logs and metrics.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Failed(_) => "failed",
            Self::Delayed => "delayed",
        }
    }
}

impl Default for Metrics {
    /// Failures of workers and attempts begin at 0 with every label, because the first value of a new
    /// series is not a rise to a monitoring system.
    fn default() -> Self {
        let metrics = Self {
            change_durations: durations(),
            change_retries: Family::default(),
            change_conflicts: Family::default(),
            refreshes: Family::default(),
            delivery_attempts: Family::default(),
            delivery_durations: duration_histogram(),
            worker_failures: Family::default(),
        };
        for worker in WORKERS {
            metrics.worker_failures.get_or_create(&WorkerLabels { worker }).inc_by(0);
        }
        for mode in [true, false].map(mode) {
            for outcome in ATTEMPT_STATUSES.map(outcome_of) {
                metrics.delivery_attempts.get_or_create(&AttemptLabels { mode, outcome }).inc_by(0);
            }
        }
        metrics
    }
}

impl Metrics {
    /// Adds the counters to a registry. The registry shares them with the engine.
    pub fn register(&self, registry: &mut Registry) {
        registry.register_with_unit(
            "change_duration",
            "Durations of changes, with all their attempts, by name of the use case",
            Unit::Seconds,
            self.change_durations.clone(),
        );
        registry.register(
            "change_retries",
            "Further attempts of changes after version conflicts",
            self.change_retries.clone(),
        );
        registry.register(
            "change_conflicts",
            "Changes that ended with 429 because every attempt had a version conflict",
            self.change_conflicts.clone(),
        );
        registry.register(
            "refreshes",
            "Committed attempts at refreshes of bank accounts",
            self.refreshes.clone(),
        );
        registry.register(
            "delivery_attempts",
            "Committed attempts to deliver a webhook, by the state of the delivery after it",
            self.delivery_attempts.clone(),
        );
        registry.register_with_unit(
            "delivery_attempt_duration",
            "Durations of attempts to deliver a webhook",
            Unit::Seconds,
            self.delivery_durations.clone(),
        );
        registry.register(
            "worker_failures",
            "Rounds of a worker that ended with an error or a panic",
            self.worker_failures.clone(),
        );
    }

    /// Counts a change that ended after so many attempts.
    pub(crate) fn count_change(
        &self,
        name: &'static str,
        attempts: u32,
        is_conflict: bool,
        duration_us: i64,
    ) {
        let labels = ChangeLabels { name };
        self.change_durations.get_or_create(&labels).observe(seconds(duration_us));
        let retries = u64::from(attempts.saturating_sub(1));
        self.change_retries.get_or_create(&labels).inc_by(retries);
        self.change_conflicts.get_or_create(&labels).inc_by(u64::from(is_conflict));
    }

    /// Counts an attempt at a refresh.
    pub(crate) fn count_refresh(&self, livemode: bool, feature: Feature, outcome: RefreshOutcome) {
        let cause = match outcome {
            RefreshOutcome::Failed(cause) => cause.word(),
            RefreshOutcome::Succeeded | RefreshOutcome::Delayed => "",
        };
        let (mode, feature, outcome) = (mode(livemode), feature.word(), outcome.word());
        self.refreshes.get_or_create(&RefreshLabels { mode, feature, outcome, cause }).inc();
    }

    /// Counts an attempt at a delivery by the delivery's status after it. A delivery that was canceled
    /// without an attempt has no duration.
    pub(crate) fn count_attempt(
        &self,
        livemode: bool,
        status: DeliveryStatus,
        duration_us: Option<i64>,
    ) {
        let labels = AttemptLabels { mode: mode(livemode), outcome: outcome_of(status) };
        self.delivery_attempts.get_or_create(&labels).inc();
        if let Some(duration_us) = duration_us {
            self.delivery_durations.observe(seconds(duration_us));
        }
    }

    /// Counts a round of a worker that failed.
    pub(crate) fn count_worker_failure(&self, worker: &'static str) {
        self.worker_failures.get_or_create(&WorkerLabels { worker }).inc();
    }
}

/// The outcome of an attempt in logs and metrics, from the status of the delivery after it.
pub(crate) fn outcome_of(status: DeliveryStatus) -> &'static str {
    match status {
        DeliveryStatus::Pending => "retried",
        ended => ended.word(),
    }
}

fn mode(livemode: bool) -> &'static str {
    if livemode { "live" } else { "test" }
}

/// Microseconds as seconds. The clock of the machine may have been set back.
fn seconds(us: i64) -> f64 {
    std::time::Duration::from_micros(u64::try_from(us).unwrap_or(0)).as_secs_f64()
}

impl Engine {
    /// The counters of this engine.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// The number of accounts and objects with due work that fails at every try.
    pub fn stuck_count(&self) -> usize {
        self.stuck.count()
    }
}
