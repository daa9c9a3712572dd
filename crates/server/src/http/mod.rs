//! The HTTP server.
//!
//! A connection passes only request heads that [`raw_head`] has checked. A request passes [`call`],
//! which reads its key, version, parameters and idempotency key. A resource file turns the parameters
//! into typed input, and the engine produces the response. [`router`] lists every address. At shutdown
//! the server accepts no more connections and completes the running requests. After [`DRAIN_MAX`] it
//! drops all open connections. A write that was handed to the store is completed even then.

pub(crate) mod app;
pub(crate) mod auth;
mod budget;
mod call;
mod caller;
mod client_address;
mod connect;
mod connection;
mod connection_bounds;
mod connections;
mod cors;
mod events;
mod extra_params;
mod forward;
mod framing;
mod guard;
mod head;
mod headers;
mod hosts;
mod idempotency;
mod indent;
mod keys;
mod listener;
mod metrics;
mod payments;
mod places;
mod raw_head;
mod read_buffer;
mod record;
mod refused;
mod router;
mod routes;
mod sent;
mod socket;
pub(crate) mod test_helpers;
pub(crate) mod texts;
pub(crate) mod visits;

pub use app::App;
pub use auth::Keys;
pub use connection_bounds::ConnectionBounds;
pub use forward::OtherServer;
pub use hosts::Hosts;
pub use keys::IssuedKeys;
pub use record::Record;

use axum::Router;
use listener::{Connections, Peer};
use places::Places;
use rustls::ServerConfig;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

/// The maximum time for running requests after the server stops.
pub const DRAIN_MAX: Duration = Duration::from_secs(25);

/// Serves requests until `stop` becomes true, then completes the running requests.
pub async fn serve(
    listener: TcpListener,
    app: Arc<App>,
    stop: watch::Receiver<bool>,
) -> io::Result<()> {
    serve_within(listener, None, app, stop).await
}

/// Like [`serve`], within TLS if there are settings for it.
pub async fn serve_within(
    listener: TcpListener,
    tls: Option<Arc<ServerConfig>>,
    app: Arc<App>,
    stop: watch::Receiver<bool>,
) -> io::Result<()> {
    let hosts = Arc::clone(&app.hosts);
    let connections = Connections::new(listener, places(&app, app.bounds), hosts);
    let connections = connections.within(tls.map(TlsAcceptor::from));
    serve_routes(connections, router::router(app), stop).await
}

/// Serves only the metrics and the state of the server to these hosts, until `stop` becomes true.
pub async fn serve_metrics(
    listener: TcpListener,
    hosts: Hosts,
    app: Arc<App>,
    stop: watch::Receiver<bool>,
) -> io::Result<()> {
    let places = places(&app, app.bounds.of_monitors());
    let connections = Connections::new(listener, places, Arc::new(hosts));
    serve_routes(connections, router::metrics_router(app), stop).await
}

fn places(app: &App, bounds: ConnectionBounds) -> Places {
    Places::new(bounds, app.trusted_proxies.clone(), app.connection_counts.clone())
}

async fn serve_routes(
    connections: Connections,
    routes: Router,
    stop: watch::Receiver<bool>,
) -> io::Result<()> {
    let service = routes.into_make_service_with_connect_info::<Peer>();
    let serving = axum::serve(connections, service).with_graceful_shutdown(stopped(stop.clone()));
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
