//! What every request is answered with.

use super::auth::Keys;
use super::headers::{REQUEST_ID, put};
use super::idempotency::RunningKeys;
use super::record::Record;
use super::visits::{Visitor, Visits};
use crate::rng::{RequestIds, Stream};
use axum::extract::State;
use axum::http::Method;
use axum::response::Response;
use engine::Engine;
use lab::Lab;
use std::sync::Arc;
use wire::error::Error;

/// What requests are answered with.
pub struct App {
    pub(super) engine: Arc<Engine>,
    pub(super) lab: Arc<Lab>,
    pub(super) keys: Keys,
    pub(super) request_ids: RequestIds,
    pub(super) running: RunningKeys,
    pub(super) visits: Visits,
    pub(super) record: Option<Arc<Record>>,
    pub(super) strict: bool,
}

impl App {
    /// An application around a laboratory and its engine.
    pub fn new(lab: Arc<Lab>, keys: Keys, request_ids: RequestIds, visits: Stream) -> Self {
        let (running, visits) = (RunningKeys::default(), Visits::new(visits));
        let engine = Arc::clone(lab.engine());
        Self { engine, lab, keys, request_ids, running, visits, record: None, strict: false }
    }

    /// The same; a strict one refuses parameters that are known and not acted on.
    #[must_use]
    pub fn strict(self, strict: bool) -> Self {
        Self { strict, ..self }
    }

    /// The same, with a record of its calls.
    #[must_use]
    pub fn recording(self, record: Option<Record>) -> Self {
        Self { record: record.map(Arc::new), ..self }
    }

    /// Begins a visit of the settings page with a secret key; answers its token.
    pub(crate) fn begin_visit(&self, key: &str) -> Result<String, Error> {
        self.visits.begin(&self.keys, key, self.engine.clock().server_now())
    }

    /// Who has this token.
    pub(crate) fn find_visitor(&self, token: &str) -> Result<Option<Visitor>, Error> {
        self.visits.find(&self.keys, token, self.engine.clock().server_now())
    }

    /// The id of the next request with this method.
    pub(crate) fn next_request(&self, method: &Method) -> model::id::RequestId {
        self.request_ids.next(method)
    }

    /// The engine behind it.
    pub fn engine(&self) -> &Arc<Engine> {
        &self.engine
    }
}

/// Gives an answer that no call made a request id of its own: every answer can be named.
pub(super) async fn identified(State(app): State<Arc<App>>, mut response: Response) -> Response {
    if !response.headers().contains_key(REQUEST_ID) {
        let id = app.next_request(&Method::GET);
        put(response.headers_mut(), REQUEST_ID, id.text().as_str());
    }
    response
}
