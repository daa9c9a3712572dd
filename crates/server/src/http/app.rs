//! The application state that every request handler shares.

use super::auth::Keys;
use super::budget::{Budgets, Room};
use super::connection_bounds::ConnectionBounds;
use super::forward::OtherServer;
use super::headers::{REQUEST_ID, put};
use super::hosts::Hosts;
use super::idempotency::RunningKeys;
use super::metrics::Metrics;
use super::places::ConnectionCounts;
use super::record::Record;
use super::sent::Sent;
use super::visits::{Visitor, Visits};
use crate::logo::Logo;
use crate::rng::{RequestIds, Stream};
use axum::extract::State;
use axum::http::Method;
use axum::response::Response;
use engine::Engine;
use ipnet::IpNet;
use lab::Lab;
use model::id::MerchantId;
use model::limits::{RESPONSE_BYTES_MAX, RESPONSE_FREE_BYTES_MAX};
use std::sync::Arc;
use wire::error::Error;

/// The name of the limit of responses that wait for their readers.
pub(super) const RESPONSE_LIMIT: &str = "response-bytes";

/// The state that request handlers share.
pub struct App {
    pub(super) engine: Arc<Engine>,
    pub(super) lab: Arc<Lab>,
    pub(super) keys: Keys,
    pub(super) request_ids: RequestIds,
    pub(super) running: RunningKeys,
    pub(super) visits: Visits,
    pub(super) budgets: Budgets,
    pub(super) record: Option<Arc<Record>>,
    /// The server for calls that this server does not have, if the operator names one.
    pub(super) other_server: Option<OtherServer>,
    pub(super) strict: bool,
    /// The logo of the merchant.
    logo: Option<Logo>,
    /// The metrics, if the server measures.
    pub(super) metrics: Option<Metrics>,
    /// True if the address of the API also serves the metrics.
    pub(super) shows_metrics: bool,
    pub(super) trusted_proxies: Vec<IpNet>,
    /// The hosts by which clients may call the server.
    pub(super) hosts: Arc<Hosts>,
    pub(super) bounds: ConnectionBounds,
    pub(super) connection_counts: ConnectionCounts,
}

impl App {
    /// An application around a laboratory and its engine.
    pub fn new(lab: Arc<Lab>, keys: Keys, request_ids: RequestIds, visits: Stream) -> Self {
        let (running, visits) = (RunningKeys::default(), Visits::new(visits));
        let engine = Arc::clone(lab.engine());
        Self {
            engine,
            lab,
            keys,
            request_ids,
            running,
            visits,
            budgets: Budgets::default(),
            record: None,
            other_server: None,
            strict: false,
            logo: None,
            metrics: None,
            shows_metrics: false,
            trusted_proxies: Vec::new(),
            hosts: Arc::new(Hosts::of_loopback()),
            bounds: ConnectionBounds::default(),
            connection_counts: ConnectionCounts::default(),
        }
    }

    /// Measures requests. With `shows`, the address of the API serves the metrics too.
    #[must_use]
    pub fn measuring(self, shows: bool) -> Self {
        let metrics = Some(Metrics::new(&self.engine, &self.connection_counts));
        Self { metrics, shows_metrics: shows, ..self }
    }

    /// Sets the proxies that report the addresses of clients in `X-Forwarded-For`.
    #[must_use]
    pub fn behind(self, trusted_proxies: Vec<IpNet>) -> Self {
        Self { trusted_proxies, ..self }
    }

    /// Sets the hosts by which clients may call the server. Without it, they are those of loopback.
    #[must_use]
    pub fn at_hosts(self, hosts: Hosts) -> Self {
        Self { hosts: Arc::new(hosts), ..self }
    }

    /// Sets the bounds of connections.
    #[must_use]
    pub fn bounding(self, bounds: ConnectionBounds) -> Self {
        Self { bounds, ..self }
    }

    /// Sets strict mode, which rejects parameters that are known but not supported.
    #[must_use]
    pub fn strict(self, strict: bool) -> Self {
        Self { strict, ..self }
    }

    /// Sets the logo of the merchant.
    #[must_use]
    pub(crate) fn with_logo(self, logo: Option<Logo>) -> Self {
        Self { logo, ..self }
    }

    /// The logo of the merchant.
    pub(crate) fn logo(&self) -> Option<&Logo> {
        self.logo.as_ref()
    }

    /// Sets the file that records API calls.
    #[must_use]
    pub fn recording(self, record: Option<Record>) -> Self {
        Self { record: record.map(Arc::new), ..self }
    }

    /// Sets the server that handles the calls in test mode which this server does not have.
    #[must_use]
    pub fn forwarding(self, other_server: Option<OtherServer>) -> Self {
        Self { other_server, ..self }
    }

    /// The address of the server for clients.
    pub(crate) fn public_url(&self) -> &str {
        &self.engine.settings().public_url
    }

    /// Begins a visit of the settings page with a secret key. Returns the token of the visit.
    pub(crate) fn begin_visit(&self, key: &str) -> Result<String, Error> {
        self.visits.begin(&self.keys, key, self.engine.clock().server_now())
    }

    /// The visitor with this token.
    pub(crate) fn find_visitor(&self, token: &str) -> Result<Option<Visitor>, Error> {
        self.visits.find(&self.keys, token, self.engine.clock().server_now())
    }

    /// Creates the id of the next request with this method.
    pub(crate) fn next_request(&self, method: &Method) -> model::id::RequestId {
        self.request_ids.next(method)
    }

    /// Notes the call of a merchant, so that its sandbox counts as used.
    pub(super) async fn note_use(&self, merchant: MerchantId, livemode: bool) {
        let store = self.engine.store();
        if store.note_use(merchant, livemode)
            && let Err(error) = store.store_uses(self.engine.clock().server_now()).await
        {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(error, "the uses of sandboxes were not stored");
        }
    }

    /// Takes the room of a response. A read with a response that is too large, or finds no room, gets an error
    /// instead. Writes were rejected before they began.
    pub(super) fn admit_response(&self, method: &Method, sent: Sent) -> (Sent, Option<Room>) {
        let bytes = sent.body.len();
        let reads = method == Method::GET;
        if reads && bytes > RESPONSE_BYTES_MAX {
            return (Sent::rejected(&Error::response_too_large()), None);
        }
        if bytes <= RESPONSE_FREE_BYTES_MAX {
            return (sent, None);
        }
        match self.budgets.response_room(bytes) {
            Some(room) => (sent, Some(room)),
            None if reads => (Sent::full(RESPONSE_LIMIT), None),
            None => (sent, self.budgets.rest_for_response(bytes)),
        }
    }

    /// The engine behind the server.
    pub fn engine(&self) -> &Arc<Engine> {
        &self.engine
    }
}

/// Adds a request id to a response that has none, so that every response can be referred to.
pub(super) async fn identified(State(app): State<Arc<App>>, mut response: Response) -> Response {
    if !response.headers().contains_key(REQUEST_ID) {
        let id = app.next_request(&Method::GET);
        put(response.headers_mut(), REQUEST_ID, id.text().as_str());
    }
    response
}
