//! The hosted pages: Checkout, an invoice, two small deposits. `GET` shows the current page. `POST`
//! takes a step and redirects the browser. The token in the path grants access, so the path is
//! never logged.

use super::document::{self, Page};
use super::fields::{AMOUNT, CODE, EMAIL, NAME, STEP};
use super::form::Posted;
use super::response::{Miss, Outcome, finish, read};
use super::{checkout, deposits, invoice};
use crate::http::app::App;
use axum::extract::{Path, RawQuery, Request, State};
use axum::http::header::USER_AGENT;
use axum::http::{Method, StatusCode};
use axum::response::Response;
use engine::connections::hosted::{PageFault, PageStep, Typed};
use engine::payments::intent::{DepositsOutcome, DepositsStanding};
use model::id::RequestId;
use model::payments::intent::{DepositKind, Deposits};
use std::sync::Arc;

/// The path suffix of a page that the holder has completed.
const DONE: &str = "done";
/// The maximum length of the stored user agent, in characters.
const USER_AGENT_CHARS_MAX: usize = 500;

/// A request for a page.
struct Visit {
    app: Arc<App>,
    token: String,
    request: RequestId,
}

/// Shows the page of a Checkout Session.
pub(crate) async fn show_checkout(
    State(app): State<Arc<App>>,
    Path(token): Path<String>,
    RawQuery(query): RawQuery,
) -> Response {
    let visit = Visit::of(app, token, &Method::GET);
    let done = query.as_deref() == Some(DONE);
    let outcome = visit.checkout(StatusCode::OK, done, &Posted::default(), None).await;
    finish(visit.request, "GET /c/pay/{token}", outcome)
}

/// Takes a step on the page of a Checkout Session.
pub(crate) async fn step_checkout(
    State(app): State<Arc<App>>,
    Path(token): Path<String>,
    request: Request,
) -> Response {
    let visit = Visit::of(app, token, &Method::POST);
    let outcome = visit.step_checkout(request).await;
    finish(visit.request, "POST /c/pay/{token}", outcome)
}

/// Shows the page of an invoice.
pub(crate) async fn show_invoice(
    State(app): State<Arc<App>>,
    Path(token): Path<String>,
) -> Response {
    let visit = Visit::of(app, token, &Method::GET);
    let outcome = visit.invoice(StatusCode::OK, None).await;
    finish(visit.request, "GET /i/{token}", outcome)
}

/// Sends an invoice as a PDF file.
pub(crate) async fn show_invoice_pdf(
    State(app): State<Arc<App>>,
    Path(token): Path<String>,
) -> Response {
    let visit = Visit::of(app, token, &Method::GET);
    let outcome = visit.invoice_pdf().await;
    finish(visit.request, "GET /i/{token}/pdf", outcome)
}

/// Takes a step on the page of an invoice.
pub(crate) async fn step_invoice(
    State(app): State<Arc<App>>,
    Path(token): Path<String>,
    request: Request,
) -> Response {
    let visit = Visit::of(app, token, &Method::POST);
    let outcome = visit.step_invoice(request).await;
    finish(visit.request, "POST /i/{token}", outcome)
}

/// Shows the page that asks for two small deposits.
pub(crate) async fn show_deposits(
    State(app): State<Arc<App>>,
    Path(token): Path<String>,
) -> Response {
    let visit = Visit::of(app, token, &Method::GET);
    let outcome = visit.deposits(StatusCode::OK, &Posted::default(), None).await;
    finish(visit.request, "GET /microdeposits/{token}", outcome)
}

/// Takes the holder's input about two small deposits.
pub(crate) async fn step_deposits(
    State(app): State<Arc<App>>,
    Path(token): Path<String>,
    request: Request,
) -> Response {
    let visit = Visit::of(app, token, &Method::POST);
    let outcome = visit.step_deposits(request).await;
    finish(visit.request, "POST /microdeposits/{token}", outcome)
}

impl Visit {
    fn of(app: Arc<App>, token: String, method: &Method) -> Self {
        let request = app.next_request(method);
        Self { app, token, request }
    }

    async fn checkout(
        &self,
        status: StatusCode,
        done: bool,
        posted: &Posted,
        fault: Option<PageFault>,
    ) -> Outcome {
        let engine = self.app.engine();
        let view = engine.show_checkout_page(&self.token, self.request).await?;
        let view = view.ok_or(Miss::Unknown)?;
        Ok(send(status, &checkout::page(&view, done, posted, fault)))
    }

    async fn step_checkout(&self, request: Request) -> Outcome {
        let mut typed = Typed { user_agent: user_agent(&request), ..Typed::default() };
        let posted = read(request).await?;
        typed.name = posted.get(NAME).map(str::to_owned);
        typed.email = posted.get(EMAIL).map(str::to_owned);
        let engine = self.app.engine();
        let (stepped, left) = match posted.get(STEP) {
            Some("link") => {
                (engine.link_on_checkout_page(&self.token, &typed, self.request).await?, false)
            }
            Some("pay") => {
                (engine.pay_on_checkout_page(&self.token, &typed, self.request).await?, true)
            }
            _ => return Err(Miss::Unreadable),
        };
        Ok(match stepped.ok_or(Miss::Unknown)? {
            PageStep::Go(path) => document::see_other(&path),
            PageStep::Done => {
                let mark = if left { format!("?{DONE}") } else { String::new() };
                document::see_other(&format!("/c/pay/{}{mark}", self.token))
            }
            PageStep::Fault(fault) => {
                let status = StatusCode::UNPROCESSABLE_ENTITY;
                return self.checkout(status, false, &posted, Some(fault)).await;
            }
        })
    }

    async fn invoice(&self, status: StatusCode, fault: Option<PageFault>) -> Outcome {
        let view = self.app.engine().show_invoice_page(&self.token, self.request).await?;
        let pdf = format!("/i/{}/pdf", self.token);
        Ok(send(status, &invoice::page(&view.ok_or(Miss::Unknown)?, &pdf, fault)))
    }

    async fn invoice_pdf(&self) -> Outcome {
        let view = self.app.engine().show_invoice_page(&self.token, self.request).await?;
        Ok(document::file("application/pdf", invoice::pdf(&view.ok_or(Miss::Unknown)?)))
    }

    async fn step_invoice(&self, request: Request) -> Outcome {
        let agent = user_agent(&request);
        let posted = read(request).await?;
        let engine = self.app.engine();
        let stepped = match posted.get(STEP) {
            Some("link") => engine.link_on_invoice_page(&self.token, self.request).await?,
            Some("pay") => engine.pay_on_invoice_page(&self.token, &agent, self.request).await?,
            _ => return Err(Miss::Unreadable),
        };
        Ok(match stepped.ok_or(Miss::Unknown)? {
            PageStep::Go(path) => document::see_other(&path),
            PageStep::Done => document::see_other(&format!("/i/{}", self.token)),
            PageStep::Fault(fault) => {
                return self.invoice(StatusCode::UNPROCESSABLE_ENTITY, Some(fault)).await;
            }
        })
    }

    async fn deposits(
        &self,
        status: StatusCode,
        posted: &Posted,
        fault: Option<deposits::Fault>,
    ) -> Outcome {
        let view = self.app.engine().show_deposits_page(&self.token, self.request).await?;
        Ok(send(status, &deposits::page(&view.ok_or(Miss::Unknown)?, posted, fault)))
    }

    async fn step_deposits(&self, request: Request) -> Outcome {
        let posted = read(request).await?;
        let engine = self.app.engine();
        let view = engine.show_deposits_page(&self.token, self.request).await?;
        let unprocessable = StatusCode::UNPROCESSABLE_ENTITY;
        let here = document::see_other(&format!("/microdeposits/{}", self.token));
        let DepositsStanding::Requested { kind, .. } = view.ok_or(Miss::Unknown)?.standing else {
            return Ok(here);
        };
        let Some(deposits) = read_deposits(kind, &posted) else {
            return self.deposits(unprocessable, &posted, Some(deposits::Fault::Unreadable)).await;
        };
        match engine.confirm_deposits(&self.token, &deposits, self.request).await? {
            None => Err(Miss::Unknown),
            Some(DepositsOutcome::Done) => Ok(here),
            Some(DepositsOutcome::Wrong) => {
                self.deposits(unprocessable, &posted, Some(deposits::Fault::Wrong)).await
            }
        }
    }
}

fn send(status: StatusCode, page: &Page) -> Response {
    document::respond(status, page, None)
}

fn user_agent(request: &Request) -> String {
    let header = request.headers().get(USER_AGENT).and_then(|header| header.to_str().ok());
    header.unwrap_or_default().chars().take(USER_AGENT_CHARS_MAX).collect()
}

/// Reads the typed deposits. Returns `None` if the input is malformed.
fn read_deposits(kind: DepositKind, posted: &Posted) -> Option<Deposits> {
    match kind {
        DepositKind::Amounts => {
            let mut amounts = posted.all(AMOUNT).map(read_cents);
            Some(Deposits::Amounts([amounts.next()??, amounts.next()??]))
        }
        DepositKind::DescriptorCode => {
            let code = posted.get(CODE)?.trim().to_ascii_uppercase();
            let fits = code.len() == 6 && code.bytes().all(|byte| byte.is_ascii_alphanumeric());
            fits.then_some(Deposits::DescriptorCode(code))
        }
    }
}

/// Reads cents, as `32` or as `$0.32`. Deposits are smaller than a dollar.
fn read_cents(text: &str) -> Option<i64> {
    let text = text.trim().trim_start_matches('$');
    let digits = match text.split_once('.') {
        Some(("" | "0", cents)) if cents.len() == 2 => cents,
        Some(_) => return None,
        None => text,
    };
    digits.parse().ok().filter(|cents| (1..100).contains(cents))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Amounts are read in the format of bank statements, and other texts are rejected.
    #[test]
    fn reads_cents() {
        for (text, cents) in [("32", 32), (" $0.32 ", 32), ("0.05", 5), (".45", 45), ("7", 7)] {
            assert_eq!(read_cents(text), Some(cents), "{text}");
        }
        for text in ["", "0", "100", "1.32", "0.3", "-5", "x", "0.321"] {
            assert_eq!(read_cents(text), None, "{text}");
        }
    }
}
