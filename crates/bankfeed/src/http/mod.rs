//! The HTTP server.
//!
//! A request passes [`call`]: its key, version, parameters and idempotency key are read there, one
//! of the resource files turns the parameters into typed input, and the engine answers. [`router`]
//! lists every address. At shutdown no connection is accepted any more, requests under way are
//! answered, and after [`DRAIN_MAX`] what is still open is dropped; a write that was handed to the
//! store is finished even then.

mod account;
mod auth;
mod call;
mod caller;
mod clock;
mod collection;
mod connected_account;
mod connection;
mod connections_settings;
mod cors;
mod customer;
mod endpoint;
mod event;
mod event_stream;
mod external_account;
mod given;
mod headers;
mod idempotency;
mod keys;
mod link_flow;
mod payments;
mod record;
mod router;
mod sent;
mod session;
mod test_helpers;
mod texts;
mod token;
mod transaction;
mod visits;

pub use auth::{KeyPolicy, Keys};
pub(crate) use connection::CONNECTIONS_MAX;
pub use keys::IssuedKeys;
pub use record::Record;
pub(crate) use test_helpers::fault::read_fault;
pub(crate) use texts::goes_somewhere;

pub(crate) use visits::Visitor;

use crate::rng::{RequestIds, Stream};
use connection::{Connections, Cut};
use engine::Engine;
use idempotency::RunningKeys;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;
use visits::Visits;
use wire::error::Error;

/// How long requests under way may take once the server stops.
pub const DRAIN_MAX: Duration = Duration::from_secs(25);

/// What requests are answered with.
pub struct App {
    engine: Arc<Engine>,
    keys: Keys,
    request_ids: RequestIds,
    running: RunningKeys,
    visits: Visits,
    record: Option<Record>,
    strict: bool,
}

impl App {
    /// An application around an engine.
    pub fn new(engine: Arc<Engine>, keys: Keys, request_ids: RequestIds, visits: Stream) -> Self {
        let (running, visits) = (RunningKeys::default(), Visits::new(visits));
        Self { engine, keys, request_ids, running, visits, record: None, strict: false }
    }

    /// The same; a strict one refuses parameters that are known and not acted on.
    #[must_use]
    pub fn strict(self, strict: bool) -> Self {
        Self { strict, ..self }
    }

    /// The same, with a record of its calls.
    #[must_use]
    pub fn recording(self, record: Option<Record>) -> Self {
        Self { record, ..self }
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
    pub(crate) fn next_request(&self, method: &axum::http::Method) -> model::id::RequestId {
        self.request_ids.next(method)
    }

    /// The engine behind it.
    pub fn engine(&self) -> &Arc<Engine> {
        &self.engine
    }
}

/// Answers requests until `stop` says true, then those that are under way.
pub async fn serve(
    listener: TcpListener,
    app: Arc<App>,
    stop: watch::Receiver<bool>,
) -> io::Result<()> {
    let service = router::router(app).into_make_service_with_connect_info::<Cut>();
    let serving = axum::serve(Connections::new(listener), service)
        .with_graceful_shutdown(stopped(stop.clone()));
    let overdue = async {
        stopped(stop).await;
        let _ = tokio::time::timeout(DRAIN_MAX, std::future::pending::<()>()).await;
    };
    tokio::select! {
        result = serving => result,
        () = overdue => {
            tracing::warn!("connections were still open when the time to stop was over");
            Ok(())
        }
    }
}

/// Waits until the server is to stop; a sender that is gone says so too.
async fn stopped(mut stop: watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}
