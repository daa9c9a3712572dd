//! The common end of every page request: sends the page, or an error page with the reason.

use super::document;
use super::form::{FORM_BYTES_MAX, Posted};
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::Response;
use model::id::RequestId;

/// The reason for an error page.
pub(super) enum Miss {
    /// The token is unknown.
    Unknown,
    /// The posted body is not a form of this server.
    Unreadable,
    /// The engine returned an error.
    Engine(engine::Error),
}

impl From<engine::Error> for Miss {
    fn from(error: engine::Error) -> Self {
        Self::Engine(error)
    }
}

pub(super) type Outcome = Result<Response, Miss>;

/// Builds the response and logs the request.
pub(super) fn finish(request: RequestId, route: &'static str, outcome: Outcome) -> Response {
    let response = outcome.unwrap_or_else(|miss| missed(request, &miss));
    let status = response.status().as_u16();
    tracing::info!(route, status, request.id = %request, "page");
    response
}

fn missed(request: RequestId, miss: &Miss) -> Response {
    let (status, title, text) = match miss {
        Miss::Unknown => (
            StatusCode::NOT_FOUND,
            "This link does not work",
            "It may be incomplete. Go back to the page with the link and try again.",
        ),
        Miss::Unreadable => {
            (StatusCode::BAD_REQUEST, "We could not read your input", "Go back and try again.")
        }
        Miss::Engine(error) => {
            let status = error.api_error().status;
            if status >= 500 {
                let error = error as &dyn std::error::Error;
                tracing::error!(request.id = %request, error, "page failed");
            }
            match status {
                429 => (
                    StatusCode::TOO_MANY_REQUESTS,
                    "One moment, please",
                    "Another change is in progress. Reload the page.",
                ),
                500.. => (
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "Something went wrong",
                    "No change was made. Reload the page to try again.",
                ),
                _ => (
                    StatusCode::NOT_FOUND,
                    "This link no longer works",
                    "Go back to the page with the link and start again.",
                ),
            }
        }
    };
    document::respond(status, &document::notice(title, text), None)
}

/// Reads a posted form.
pub(super) async fn read(request: Request) -> Result<Posted, Miss> {
    let bytes = axum::body::to_bytes(request.into_body(), FORM_BYTES_MAX)
        .await
        .map_err(|_| Miss::Unreadable)?;
    Posted::read(&bytes).ok_or(Miss::Unreadable)
}
