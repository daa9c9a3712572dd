//! The link flow in a browser: `GET` shows the current pane, `POST` takes a step and sends the
//! browser back. The token in the path lets a browser in, so the path stands in no log.

use super::document::{self, Page};
use super::fields::{FRAME, QUERY};
use super::form::{FORM_BYTES_MAX, Fault, Posted};
use super::{bank, panes};
use crate::http::App;
use axum::extract::{Path, RawQuery, Request, State};
use axum::http::{Method, StatusCode};
use axum::response::Response;
use engine::link::{FlowView, LinkStep, Shown, Stepped};
use model::id::RequestId;
use model::link::Pane;
use std::sync::Arc;

/// A page that is being asked for.
struct Visit {
    app: Arc<App>,
    token: String,
    query: Posted,
    request: RequestId,
}

/// Why there is no page of a run.
enum Miss {
    /// The token opens nothing.
    Unknown,
    /// What was posted is no form of ours.
    Unreadable,
    /// The engine says so.
    Engine(engine::Error),
}

impl From<engine::Error> for Miss {
    fn from(error: engine::Error) -> Self {
        Self::Engine(error)
    }
}

type Outcome = Result<Response, Miss>;

/// Shows the current pane.
pub(crate) async fn show(
    State(app): State<Arc<App>>,
    Path(token): Path<String>,
    RawQuery(query): RawQuery,
) -> Response {
    let visit = Visit::of(app, token, query, &Method::GET);
    let outcome = visit.show().await;
    visit.finish("GET /link/{token}", outcome)
}

/// Takes a step.
pub(crate) async fn step(
    State(app): State<Arc<App>>,
    Path(token): Path<String>,
    RawQuery(query): RawQuery,
    request: Request,
) -> Response {
    let visit = Visit::of(app, token, query, &Method::POST);
    let outcome = visit.step(request).await;
    visit.finish("POST /link/{token}", outcome)
}

/// Shows the bank's own page.
pub(crate) async fn show_bank(
    State(app): State<Arc<App>>,
    Path(token): Path<String>,
    RawQuery(query): RawQuery,
) -> Response {
    let visit = Visit::of(app, token, query, &Method::GET);
    let outcome = visit.show_bank().await;
    visit.finish("GET /link/{token}/bank", outcome)
}

/// Takes what the holder said on the bank's own page.
pub(crate) async fn step_bank(
    State(app): State<Arc<App>>,
    Path(token): Path<String>,
    RawQuery(query): RawQuery,
    request: Request,
) -> Response {
    let visit = Visit::of(app, token, query, &Method::POST);
    let outcome = visit.step_bank(request).await;
    visit.finish("POST /link/{token}/bank", outcome)
}

impl Visit {
    fn of(app: Arc<App>, token: String, query: Option<String>, method: &Method) -> Self {
        let query = query.unwrap_or_default();
        let request = app.next_request(method);
        Self { app, token, query: Posted::read(query.as_bytes()).unwrap_or_default(), request }
    }

    /// Whether the page stands in a frame of the page that waits.
    fn framed(&self) -> bool {
        self.query.get(FRAME) == Some("1")
    }

    fn path(&self) -> String {
        let frame = if self.framed() { "?frame=1" } else { "" };
        format!("/link/{}{frame}", self.token)
    }

    async fn view(&self) -> Result<FlowView, Miss> {
        let view = self.app.engine().show_link_flow(&self.token, self.request).await?;
        view.ok_or(Miss::Unknown)
    }

    async fn show(&self) -> Outcome {
        let view = self.view().await?;
        Ok(self.pane(StatusCode::OK, &view, &Posted::default(), None))
    }

    fn pane(
        &self,
        status: StatusCode,
        view: &FlowView,
        posted: &Posted,
        fault: Option<Fault>,
    ) -> Response {
        let place = panes::Place {
            path: &self.path(),
            bank_path: &format!("/link/{}/bank", self.token),
            framed: self.framed(),
            query: self.query.get(QUERY).unwrap_or_default(),
        };
        let page = panes::page(view, &place, posted, fault);
        self.send(status, &page, view)
    }

    fn send(&self, status: StatusCode, page: &Page, view: &FlowView) -> Response {
        let ancestor = view.origin.as_deref().filter(|_| self.framed());
        document::respond(status, page, ancestor)
    }

    async fn step(&self, request: Request) -> Outcome {
        let posted = read(request).await?;
        let step = posted.step().ok_or(Miss::Unreadable)?;
        let fault = match step {
            Ok(step) => match self.take(&posted, &step).await? {
                Stepped::Done => return Ok(document::see_other(&self.path())),
                Stepped::Fault(fault) => Fault::Step(fault),
            },
            Err(fault) => fault,
        };
        let view = self.view().await?;
        // A fault of a pane that is no longer shown is nobody's.
        if view.version != posted.version() {
            return Ok(document::see_other(&self.path()));
        }
        Ok(self.pane(StatusCode::UNPROCESSABLE_ENTITY, &view, &posted, Some(fault)))
    }

    async fn take(&self, posted: &Posted, step: &LinkStep) -> Result<Stepped, Miss> {
        let engine = self.app.engine();
        let stepped = engine.step_link_flow(&self.token, posted.version(), step, self.request);
        stepped.await?.ok_or(Miss::Unknown)
    }

    async fn show_bank(&self) -> Outcome {
        let view = self.view().await?;
        let page = if matches!(view.shown, Shown::Pane(Pane::BankPage { .. })) {
            bank::page(&view, &self.token, &Posted::default(), None)
        } else {
            bank::done(&view, &self.token)
        };
        Ok(document::respond(StatusCode::OK, &page, None))
    }

    async fn step_bank(&self, request: Request) -> Outcome {
        let posted = read(request).await?;
        let picks = self.view().await?.institution.is_some_and(|bank| bank.picks_accounts);
        let step = match posted.get(super::fields::STEP) {
            Some("allow") => LinkStep::BankReturned { accounts: picks.then(|| posted.picks()) },
            Some("deny") => LinkStep::BankRefused,
            _ => return Err(Miss::Unreadable),
        };
        let stepped = self.take(&posted, &step).await?;
        let view = self.view().await?;
        Ok(match stepped {
            Stepped::Done => {
                document::respond(StatusCode::OK, &bank::done(&view, &self.token), None)
            }
            Stepped::Fault(fault) => {
                let page = bank::page(&view, &self.token, &posted, Some(fault));
                document::respond(StatusCode::UNPROCESSABLE_ENTITY, &page, None)
            }
        })
    }

    /// The answer, with its line in the log.
    fn finish(&self, route: &'static str, outcome: Outcome) -> Response {
        let response = outcome.unwrap_or_else(|miss| self.missed(&miss));
        let status = response.status().as_u16();
        tracing::info!(route, status, request.id = %self.request, "page");
        response
    }

    fn missed(&self, miss: &Miss) -> Response {
        let (status, title, text) = match miss {
            Miss::Unknown => (
                StatusCode::NOT_FOUND,
                "This link does not work",
                "It may be incomplete. Go back to where you found it, and begin again.",
            ),
            Miss::Unreadable => {
                (StatusCode::BAD_REQUEST, "That could not be read", "Go back, and try again.")
            }
            Miss::Engine(error) => {
                let status = error.refusal().status;
                if status >= 500 {
                    let error = error as &dyn std::error::Error;
                    tracing::error!(request.id = %self.request, error, "page failed");
                }
                match status {
                    429 => (
                        StatusCode::TOO_MANY_REQUESTS,
                        "One moment, please",
                        "Something else is changing this right now. Reload the page.",
                    ),
                    500.. => (
                        StatusCode::INTERNAL_SERVER_ERROR,
                        "Something went wrong",
                        "Nothing was changed. Reload the page to try again.",
                    ),
                    _ => (
                        StatusCode::NOT_FOUND,
                        "This link does not work any more",
                        "Go back to where you found it, and begin again.",
                    ),
                }
            }
        };
        document::respond(status, &document::notice(title, text), None)
    }
}

async fn read(request: Request) -> Result<Posted, Miss> {
    let bytes = axum::body::to_bytes(request.into_body(), FORM_BYTES_MAX)
        .await
        .map_err(|_| Miss::Unreadable)?;
    Posted::read(&bytes).ok_or(Miss::Unreadable)
}
