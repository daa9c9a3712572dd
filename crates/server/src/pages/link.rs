//! The link flow in a browser. `GET` shows the current pane. `POST` takes a step and redirects the
//! browser back. The token in the path grants access, so the path is never logged.

use super::document::{self, Page};
use super::fields::{CONNECTING, FRAME, LEAVE, LEFT, QUERY, STEP};
use super::form::{Fault, Posted};
use super::making::Place;
use super::response::{self, Miss, Outcome, read};
use super::{bank, ends, leave, panes};
use crate::http::app::App;
use axum::extract::{Path, RawQuery, Request, State};
use axum::http::{Method, StatusCode};
use axum::response::Response;
use engine::connections::link::{FlowView, LinkStep, Shown, Stepped};
use model::id::RequestId;
use model::link::Pane;
use std::sync::Arc;

/// A request for a page.
struct Visit {
    app: Arc<App>,
    token: String,
    query: Posted,
    request: RequestId,
}

/// Shows the current pane.
pub(crate) async fn show(
    State(app): State<Arc<App>>,
    Path(token): Path<String>,
    RawQuery(query): RawQuery,
) -> Response {
    let visit = Visit::of(app, token, query, &Method::GET);
    let outcome = visit.show().await;
    response::finish(visit.request, "GET /link/{token}", outcome)
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
    response::finish(visit.request, "POST /link/{token}", outcome)
}

/// Shows the bank's own page.
pub(crate) async fn show_bank(
    State(app): State<Arc<App>>,
    Path(token): Path<String>,
    RawQuery(query): RawQuery,
) -> Response {
    let visit = Visit::of(app, token, query, &Method::GET);
    let outcome = visit.show_bank().await;
    response::finish(visit.request, "GET /link/{token}/bank", outcome)
}

/// Takes the holder's input on the bank's own page.
pub(crate) async fn step_bank(
    State(app): State<Arc<App>>,
    Path(token): Path<String>,
    RawQuery(query): RawQuery,
    request: Request,
) -> Response {
    let visit = Visit::of(app, token, query, &Method::POST);
    let outcome = visit.step_bank(request).await;
    response::finish(visit.request, "POST /link/{token}/bank", outcome)
}

/// True if the bank was contacted to make the pane.
fn is_at_bank(shown: &Shown) -> bool {
    matches!(
        shown,
        Shown::Pane(
            Pane::Login { .. }
                | Pane::BankPage { .. }
                | Pane::Accounts
                | Pane::Down { .. }
                | Pane::Failed
        )
    )
}

impl Visit {
    fn of(app: Arc<App>, token: String, query: Option<String>, method: &Method) -> Self {
        let query = query.unwrap_or_default();
        let request = app.next_request(method);
        Self { app, token, query: Posted::read(query.as_bytes()).unwrap_or_default(), request }
    }

    /// True if the page is shown in a frame of the waiting page.
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
        // The action that needed the flow continues on that page.
        if let Some(page) = view.page.as_deref().filter(|_| ends::is_over(&view.shown)) {
            return Ok(document::see_other(page));
        }
        if let Some(page) = self.leaving(&view) {
            return Ok(self.send(StatusCode::OK, &page, &view));
        }
        if self.query.get(CONNECTING) == Some("1") && is_at_bank(&view.shown) {
            let path = self.path();
            let page = panes::connecting(&view, &self.place(&path));
            return Ok(self.send(StatusCode::OK, &page, &view));
        }
        Ok(self.pane(StatusCode::OK, &view, &Posted::default(), None))
    }

    /// The page of a holder who wants to leave or has left. A flow that is over has neither.
    fn leaving(&self, view: &FlowView) -> Option<Page> {
        let is_set = |flag| self.query.get(flag) == Some("1") && !ends::is_over(&view.shown);
        let path = self.path();
        if is_set(LEFT) {
            Some(leave::left(view, &path))
        } else {
            is_set(LEAVE).then(|| leave::question(view, &path))
        }
    }

    fn pane(
        &self,
        status: StatusCode,
        view: &FlowView,
        posted: &Posted,
        fault: Option<Fault>,
    ) -> Response {
        let path = self.path();
        let page = panes::page(view, &self.place(&path), posted, fault);
        self.send(status, &page, view)
    }

    fn place<'a>(&'a self, path: &'a str) -> Place<'a> {
        Place {
            path,
            bank_path: format!("/link/{}/bank", self.token),
            framed: self.framed(),
            query: self.query.get(QUERY).unwrap_or_default(),
        }
    }

    fn send(&self, status: StatusCode, page: &Page, view: &FlowView) -> Response {
        let ancestor = view.origin.as_deref().filter(|_| self.framed());
        document::respond(status, page, ancestor)
    }

    async fn step(&self, request: Request) -> Outcome {
        let posted = read(request).await?;
        if posted.get(STEP) == Some(LEAVE) {
            return self.leave().await;
        }
        let step = posted.step().ok_or(Miss::Unreadable)?;
        let fault = match step {
            Ok(step) => match self.take(&posted, &step).await? {
                Stepped::Done => return self.stepped(&posted, &step).await,
                Stepped::Fault(fault) => Fault::Step(fault),
            },
            Err(fault) => fault,
        };
        let view = self.view().await?;
        // A fault of a pane that is no longer shown does not matter.
        if view.version != posted.version() {
            return Ok(document::see_other(&self.path()));
        }
        Ok(self.pane(StatusCode::UNPROCESSABLE_ENTITY, &view, &posted, Some(fault)))
    }

    /// Leads to the pane after a step. A step that contacts the bank leads to a page that says so.
    async fn stepped(&self, posted: &Posted, step: &LinkStep) -> Outcome {
        let path = self.path();
        let is_login = matches!(step, LinkStep::Fields(_));
        if !is_login && !matches!(step, LinkStep::Consent | LinkStep::Retry) {
            return Ok(document::see_other(&path));
        }
        let view = self.view().await?;
        if is_login && matches!(view.shown, Shown::Pane(Pane::Login { refused: true, .. })) {
            // A redirect would lose the holder's input.
            return Ok(self.pane(StatusCode::UNPROCESSABLE_ENTITY, &view, posted, None));
        }
        if !is_at_bank(&view.shown) {
            return Ok(document::see_other(&path));
        }
        let join = if self.framed() { '&' } else { '?' };
        Ok(document::see_other(&format!("{path}{join}{CONNECTING}=1")))
    }

    /// Leaves the flow, which stays where it is. The holder goes back to the page that the flow
    /// began on, if it is one of this server.
    async fn leave(&self) -> Outcome {
        let engine = self.app.engine();
        engine.leave_link_flow(&self.token, self.request).await?.ok_or(Miss::Unknown)?;
        Ok(match self.view().await?.page {
            Some(page) => document::see_other(&page),
            None => document::see_other(&leave::address(&self.path(), LEFT)),
        })
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
        let step = match posted.get(STEP) {
            Some("allow") => LinkStep::BankReturned { accounts: picks.then(|| posted.picks()) },
            Some("deny") => LinkStep::BankDenied,
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
}
