//! `GET /metrics`: what the server did and what waits, in the `OpenMetrics` text format.
//!
//! Requests are counted here and the rest in the engine and the store. A scrape reads the backlog
//! from the database, within a bound. A failed read is logged and leaves the backlog out. Counters
//! begin at 0 at every start. `docs/operations.md` describes each metric.

use super::app::App;
use super::guard::caught;
use super::places::ConnectionCounts;
use axum::extract::{Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use engine::Engine;
use engine::metrics::durations;
use model::clock::ServerTime;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{
    DescriptorEncoder, EncodeGaugeValue, EncodeLabelSet, EncodeMetric, text,
};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use store::{Backlog, CountPlaces, DueWork, MeasureBacklog};

const TEXT_FORMAT: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The metrics of a server.
#[derive(Debug)]
pub(super) struct Metrics {
    requests: Family<RequestLabels, Counter>,
    durations: Family<RouteLabels, Histogram, fn() -> Histogram>,
    waiting: Arc<Waiting>,
    registry: Registry,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    method: &'static str,
    route: &'static str,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteLabels {
    method: &'static str,
    route: &'static str,
}

impl Metrics {
    /// The metrics of a server with this engine.
    pub(super) fn new(engine: &Arc<Engine>, connections: &ConnectionCounts) -> Self {
        let (requests, durations) = (Family::default(), durations());
        let waiting = Arc::new(Waiting {
            engine: Arc::clone(engine),
            backlog: Mutex::default(),
            places: Mutex::default(),
        });
        let mut registry = Registry::with_prefix("bankfeed");
        let build = Info::new(vec![("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "The build of this server", build);
        registry.register(
            "http_requests",
            "Requests that were responded to",
            Family::clone(&requests),
        );
        registry.register_with_unit(
            "http_request_duration",
            "Durations of requests, from the headers to the response",
            Unit::Seconds,
            Family::clone(&durations),
        );
        registry.register("http_connections", "Open connections", connections.open.clone());
        registry.register(
            "http_connections_closed",
            "Connections that the server closed for a bound",
            connections.closed.clone(),
        );
        engine.metrics().register(&mut registry);
        registry.register_collector(Box::new(Arc::clone(&waiting)));
        Self { requests, durations, waiting, registry }
    }

    /// Counts a request.
    pub(super) fn count(
        &self,
        method: &axum::http::Method,
        route: &'static str,
        status: u16,
        duration_us: i64,
    ) {
        let method = known(method);
        self.requests.get_or_create(&RequestLabels { method, route, status }).inc();
        let duration = Duration::from_micros(u64::try_from(duration_us).unwrap_or(0));
        self.durations
            .get_or_create(&RouteLabels { method, route })
            .observe(duration.as_secs_f64());
    }

    /// Reads the backlog, and returns all metrics as text.
    async fn scrape(&self) -> Result<String, fmt::Error> {
        self.waiting.refresh().await;
        let mut body = String::new();
        text::encode(&mut body, &self.registry)?;
        Ok(body)
    }
}

/// The method as a label. Clients can invent methods, and labels must stay few.
fn known(method: &axum::http::Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "POST" => "POST",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        "HEAD" => "HEAD",
        _ => "other",
    }
}

/// Handles `GET /metrics`.
pub(super) async fn show(State(app): State<Arc<App>>) -> Response {
    let Some(metrics) = &app.metrics else {
        return axum::http::StatusCode::NOT_FOUND.into_response();
    };
    match metrics.scrape().await {
        Ok(body) => ([(CONTENT_TYPE, TEXT_FORMAT)], body).into_response(),
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "metrics were not encoded");
            axum::http::StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// Middleware that counts the requests of a page.
pub(super) async fn count_page(
    State((app, route)): State<(Arc<App>, &'static str)>,
    request: Request,
    next: Next,
) -> Response {
    let began = app.engine.clock().server_now();
    let method = request.method().clone();
    let response = next.run(request).await;
    if let Some(metrics) = &app.metrics {
        let duration_us = us_since(began, &app.engine);
        metrics.count(&method, route, response.status().as_u16(), duration_us);
    }
    response
}

/// Microseconds since a time.
pub(super) fn us_since(began: ServerTime, engine: &Engine) -> i64 {
    engine.clock().server_now().0.saturating_sub(began.0)
}

/// Values that are read at each scrape.
struct Waiting {
    engine: Arc<Engine>,
    /// The backlog of the last scrape. `None` if it could not be read.
    backlog: Mutex<Option<Backlog>>,
    /// The places taken at the last scrape, and 1 if none is free and no sandbox may be removed.
    places: Mutex<Option<(u64, u64)>>,
}

impl fmt::Debug for Waiting {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Waiting").finish_non_exhaustive()
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct KindLabels {
    kind: &'static str,
}

impl Waiting {
    async fn refresh(&self) {
        let clock = self.engine.clock();
        let measure = MeasureBacklog { now: clock.server_now(), account_now: clock.account_now() };
        let measured = caught(self.engine.store().read(measure)).await;
        let measured = measured.and_then(|measured| {
            let log = |error: &store::Error| {
                let error = error as &dyn std::error::Error;
                tracing::error!(error, "the backlog was not read");
            };
            measured.inspect_err(log).ok()
        });
        *self.backlog.lock().unwrap_or_else(PoisonError::into_inner) = measured;
        let places = self.count_places().await.ok();
        *self.places.lock().unwrap_or_else(PoisonError::into_inner) = places;
    }

    async fn count_places(&self) -> Result<(u64, u64), store::Error> {
        let store = self.engine.store();
        let taken = store.read(CountPlaces).await?.taken;
        let is_full = store.is_full(self.engine.clock().server_now()).await?;
        Ok((taken, u64::from(is_full)))
    }

    fn encode_places(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let places = *self.places.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((taken, is_full)) = places else { return Ok(()) };
        gauge(encoder, ("places_taken", None), "Keys with objects and connected accounts", &taken)?;
        let most = self.engine.store().merchants_max();
        gauge(encoder, ("places", None), "Places for keys with objects", &most)?;
        let help = "1 while no place is free and no sandbox may be removed";
        gauge(encoder, ("places_full", None), help, &is_full)
    }

    fn encode_backlog(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let backlog = *self.backlog.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(backlog) = backlog else { return Ok(()) };
        let kinds = [
            ("refresh", backlog.refreshes),
            ("event", backlog.events),
            ("delivery", backlog.deliveries),
            ("account", backlog.accounts),
            ("object", backlog.objects),
        ];
        let mut due = encoder.encode_descriptor(
            "due_work",
            "Due work that no worker has taken, at most 10000 of each kind",
            None,
            MetricType::Gauge,
        )?;
        for (kind, DueWork { count, .. }) in kinds {
            due.encode_family(&KindLabels { kind })?.encode_gauge(&count)?;
        }
        due.encode_family(&KindLabels { kind: "clock" })?.encode_gauge(&backlog.clocks)?;
        let mut age = encoder.encode_descriptor(
            "due_work_oldest_age",
            "Age of the oldest due work of each kind",
            Some(&Unit::Seconds),
            MetricType::Gauge,
        )?;
        for (kind, DueWork { oldest_ms, .. }) in kinds {
            age.encode_family(&KindLabels { kind })?.encode_gauge(&seconds(oldest_ms))?;
        }
        gauge(
            encoder,
            ("event_oldest_undelivered_age", Some(&Unit::Seconds)),
            "Age of the oldest event that an endpoint has not received yet, while it is retried",
            &seconds(backlog.oldest_undelivered_ms.unwrap_or(0)),
        )
    }

    fn encode_store(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let store = self.engine.store();
        let stats = store.writer_stats();
        let count = |number: usize| number as u64;
        gauge(
            encoder,
            ("ready", None),
            "1 while the server accepts writes",
            &u64::from(store.is_ready()),
        )?;
        gauge(
            encoder,
            ("writer_queue_commands", None),
            "Commands that wait for the writer",
            &count(stats.queue_length),
        )?;
        gauge(
            encoder,
            ("writer_last_group_commands", None),
            "Commands of the last commit",
            &stats.last_group_commands,
        )?;
        let stuck = count(self.engine.stuck_count());
        gauge(
            encoder,
            ("stuck_subjects", None),
            "Accounts and objects with due work that keeps failing",
            &stuck,
        )?;
        let bytes = Some(&Unit::Bytes);
        if let Some(size) = stats.database_bytes {
            gauge(encoder, ("database", bytes), "Size of the database file", &size)?;
        }
        if let Some(size) = stats.wal_bytes {
            gauge(encoder, ("wal", bytes), "Size of the write-ahead log", &size)?;
        }
        for (name, help, value) in [
            ("writer_groups", "Groups of commands that the writer has run", stats.groups),
            ("writer_commands", "Commands that the writer has run", stats.commands),
            ("writer_commands_failed", "Commands that returned an error", stats.commands_failed),
            ("writer_commands_panicked", "Commands that panicked", stats.commands_panicked),
            (
                "writer_version_conflicts",
                "Commands with a version conflict",
                stats.version_conflicts,
            ),
            ("writer_commits_failed", "Groups with a failed commit", stats.commits_failed),
            ("long_reads", "Reads that left their serving thread", store.long_reads()),
        ] {
            let counter = ConstCounter::new(value);
            counter.encode(encoder.encode_descriptor(name, help, None, MetricType::Counter)?)?;
        }
        Ok(())
    }
}

impl Collector for Waiting {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        self.encode_store(&mut encoder)?;
        self.encode_places(&mut encoder)?;
        self.encode_backlog(&mut encoder)
    }
}

fn gauge(
    encoder: &mut DescriptorEncoder<'_>,
    (name, unit): (&str, Option<&Unit>),
    help: &str,
    value: &impl EncodeGaugeValue,
) -> fmt::Result {
    encoder.encode_descriptor(name, help, unit, MetricType::Gauge)?.encode_gauge(value)
}

fn seconds(ms: i64) -> f64 {
    Duration::from_millis(u64::try_from(ms).unwrap_or(0)).as_secs_f64()
}
