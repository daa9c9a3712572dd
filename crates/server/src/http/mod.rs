//! The HTTP server.
//!
//! A request passes [`call`], which reads its key, version, parameters and idempotency key. A
//! resource file turns the parameters into typed input, and the engine produces the response.
//! [`router`] lists every address. At shutdown the server accepts no more connections and completes
//! the running requests. After [`DRAIN_MAX`] it drops all open connections. A write that was handed
//! to the store is completed even then.

pub(crate) mod app;
pub(crate) mod auth;
mod call;
mod caller;
mod client_address;
mod connect;
mod connection;
mod connections;
mod cors;
mod events;
mod extra_params;
mod guard;
mod head;
mod headers;
mod idempotency;
mod indent;
mod keys;
mod metrics;
mod payments;
mod record;
mod router;
mod routes;
mod sent;
pub(crate) mod test_helpers;
pub(crate) mod texts;
pub(crate) mod visits;

pub use app::App;
pub use auth::Keys;
pub use connection::CONNECTIONS_MAX;
pub use keys::IssuedKeys;
pub use record::Record;

use axum::Router;
use connection::{Connections, Peer};
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;

/// The maximum time for running requests after the server stops.
pub const DRAIN_MAX: Duration = Duration::from_secs(25);

/// Serves requests until `stop` becomes true, then completes the running requests.
pub async fn serve(
    listener: TcpListener,
    app: Arc<App>,
    stop: watch::Receiver<bool>,
) -> io::Result<()> {
    serve_routes(listener, router::router(app), stop).await
}

/// Serves only the metrics and the state of the server, until `stop` becomes true.
pub async fn serve_metrics(
    listener: TcpListener,
    app: Arc<App>,
    stop: watch::Receiver<bool>,
) -> io::Result<()> {
    serve_routes(listener, router::metrics_router(app), stop).await
}

async fn serve_routes(
    listener: TcpListener,
    routes: Router,
    stop: watch::Receiver<bool>,
) -> io::Result<()> {
    let service = routes.into_make_service_with_connect_info::<Peer>();
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

/// Waits until the server has to stop. A dropped sender also stops it.
async fn stopped(mut stop: watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}
