//! The ceiling of a response over HTTP: the same bytes and headers from memory, served by the same
//! library. It runs as a separate process, as the server does, so that both are measured in the
//! same way.

use crate::Failure;
use crate::client::Recorded;
use crate::server::LISTENING;
use axum::Router;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use bytes::Bytes;
use std::io::Write as _;
use std::path::Path;
use tokio::net::TcpListener;

/// Headers that the library adds to every response.
const ADDED_BY_LIBRARY: &[&str] = &["content-length", "date", "connection"];

/// Returns the response in this file to every request, until the process ends.
pub(crate) async fn serve(file: &Path) -> Result<(), Failure> {
    let recorded = Recorded::parse(&std::fs::read(file)?)?;
    let mut headers = HeaderMap::new();
    for (name, value) in recorded.headers {
        if !ADDED_BY_LIBRARY.contains(&name.as_str()) {
            headers.append(HeaderName::try_from(name)?, HeaderValue::try_from(value)?);
        }
    }
    let body = Bytes::from(recorded.body);
    let response = move || {
        let response = (headers.clone(), body.clone());
        async move { response }
    };
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    writeln!(std::io::stdout(), "{LISTENING}{}", listener.local_addr()?)?;
    axum::serve(listener, Router::new().fallback(response)).await?;
    Ok(())
}
