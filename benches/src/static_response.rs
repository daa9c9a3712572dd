//! The ceiling of an answer over HTTP: the same bytes and headers, ready in memory, served by the
//! same library. It runs as a process of its own, as the server does, so that both are measured
//! in the same way.

use crate::Failure;
use crate::client::Recorded;
use crate::server::LISTENING;
use axum::Router;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use bytes::Bytes;
use std::io::Write as _;
use std::path::Path;
use tokio::net::TcpListener;

/// Headers that the library writes by itself.
const WRITTEN_ANYHOW: &[&str] = &["content-length", "date", "connection"];

/// Answers every request with the answer in this file, until the process is ended.
pub(crate) async fn serve(file: &Path) -> Result<(), Failure> {
    let recorded = Recorded::parse(&std::fs::read(file)?)?;
    let mut headers = HeaderMap::new();
    for (name, value) in recorded.headers {
        if !WRITTEN_ANYHOW.contains(&name.as_str()) {
            headers.append(HeaderName::try_from(name)?, HeaderValue::try_from(value)?);
        }
    }
    let body = Bytes::from(recorded.body);
    let answer = move || {
        let answer = (headers.clone(), body.clone());
        async move { answer }
    };
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    writeln!(std::io::stdout(), "{LISTENING}{}", listener.local_addr()?)?;
    axum::serve(listener, Router::new().fallback(answer)).await?;
    Ok(())
}
