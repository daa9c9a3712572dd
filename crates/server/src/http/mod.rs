//! The HTTP server.
//!
//! A request passes [`call`]: its key, version, parameters and idempotency key are read there, one
//! of the resource files turns the parameters into typed input, and the engine answers. [`router`]
//! lists every address. At shutdown no connection is accepted any more, requests under way are
//! answered, and after [`DRAIN_MAX`] what is still open is dropped; a write that was handed to the
//! store is finished even then.

pub(crate) mod app;
pub(crate) mod auth;
mod call;
mod caller;
mod connect;
mod connection;
mod connections;
mod cors;
mod events;
mod given;
mod headers;
mod idempotency;
mod keys;
mod payments;
mod record;
mod router;
mod sent;
pub(crate) mod test_helpers;
pub(crate) mod texts;
pub(crate) mod visits;

pub use app::App;
pub use auth::Keys;
pub use connection::CONNECTIONS_MAX;
pub use keys::IssuedKeys;
pub use record::Record;

use connection::{Connections, Cut};
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;

/// How long requests under way may take once the server stops.
pub const DRAIN_MAX: Duration = Duration::from_secs(25);

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
