//! Panics of requests. A defect fails one request with 500 and is logged with the request's span.
//! The connection and the server continue.

use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use std::any::Any;
use std::panic::AssertUnwindSafe;

/// Runs this work and returns its output, or `None` after a panic, which is logged. State in memory
/// is dropped, and the store contains whole commits only.
pub(super) fn caught<T>(work: impl Future<Output = T>) -> impl Future<Output = Option<T>> {
    // Not an async function, because that would store and move the work twice.
    AssertUnwindSafe(work).catch_unwind().map(|ended| {
        let log = |panic: &Box<dyn Any + Send>| {
            tracing::error!(panic = text_of(&**panic), "request panicked");
        };
        ended.inspect_err(log).ok()
    })
}

/// Middleware that turns the panic of a page into a response.
pub(super) async fn guard_page(request: Request, next: Next) -> Response {
    let response = caught(next.run(request)).await;
    response.unwrap_or_else(|| StatusCode::INTERNAL_SERVER_ERROR.into_response())
}

/// The message of a panic.
fn text_of(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message")
}
