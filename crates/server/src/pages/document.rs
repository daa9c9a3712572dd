//! The frame of every page: head, bar and response headers.

use super::brand;
use super::icons::Icon;
use super::pieces::badge;
use super::sheet::Sheet;
use axum::body::Body;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use maud::{DOCTYPE, Markup, html};
use model::color::Color;

/// The facts about a page that the script reads.
#[derive(Clone, Debug, Default)]
pub(super) struct Facts {
    /// The flow.
    pub(super) flow: Option<String>,
    /// The origin of the page that is notified when the flow ends.
    pub(super) origin: Option<String>,
    /// The outcome of the flow.
    pub(super) status: Option<&'static str>,
    /// True if the script reports the outcome immediately, false if the holder clicks a button
    /// first.
    pub(super) at_once: bool,
    /// The URL that the browser is redirected to, without script.
    pub(super) goes_to: Option<String>,
    /// The address of the page that follows after a moment. The script opens it sooner.
    pub(super) next: Option<String>,
    /// The colour of the merchant's buttons, if it differs from that of this server. It is a fact
    /// for the style, which the script ignores.
    pub(super) color: Option<Color>,
}

/// A page.
pub(super) struct Page {
    pub(super) title: String,
    /// The style of the page: this server's or a bank's.
    pub(super) look: &'static str,
    pub(super) facts: Facts,
    pub(super) body: Markup,
}

/// Sends a page. `ancestor` is the origin that may show the page in a frame.
pub(super) fn respond(status: StatusCode, page: &Page, ancestor: Option<&str>) -> Response {
    let facts = &page.facts;
    let markup = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="robots" content="noindex";
                // The policy for form targets would block a redirect, because it allows only this
                // origin.
                @if let Some(url) = &facts.goes_to {
                    meta http-equiv="refresh" content=(format!("0; url={url}"));
                }
                @if let Some(next) = &facts.next {
                    noscript { meta http-equiv="refresh" content=(format!("1; url={next}")); }
                }
                title { (page.title) }
                link rel="icon" href="/assets/icon.svg" type="image/svg+xml";
                link rel="stylesheet" href="/assets/pages.css";
                @if let Some(color) = facts.color {
                    link rel="stylesheet" href=(brand::address(color));
                }
                script src="/assets/pages.js" defer {}
            }
            body class=(page.look)
                data-flow=[facts.flow.as_deref()]
                data-origin=[facts.origin.as_deref()]
                data-status=[facts.status]
                data-at-once[facts.at_once]
                data-next=[facts.next.as_deref()]
            { (page.body) }
        }
    };
    let mut response = Response::new(Body::from(markup.into_string()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    protect(headers, ancestor);
    response
}

/// Sends a file of this type.
pub(super) fn file(content_type: &'static str, bytes: Vec<u8>) -> Response {
    let mut response = Response::new(Body::from(bytes));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    protect(headers, None);
    response
}

/// Redirects the browser with 303, so that a reload repeats no step.
pub(super) fn see_other(path: &str) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SEE_OTHER;
    let headers = response.headers_mut();
    // Tokens are letters and digits, so the fallback cannot be reached.
    let location = HeaderValue::from_str(path).unwrap_or(HeaderValue::from_static("/"));
    headers.insert(LOCATION, location);
    protect(headers, None);
    response
}

/// Sets the headers that isolate a page: no foreign resource is loaded, no address leaks, and no
/// cache stores the page.
fn protect(headers: &mut HeaderMap, ancestor: Option<&str>) {
    let policy = format!(
        "default-src 'none'; style-src 'self'; script-src 'self'; font-src 'self'; \
         img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; \
         frame-ancestors {}",
        ancestor.unwrap_or("'none'")
    );
    // The origin was checked when the flow began. An origin that is not a valid header value allows
    // no site to frame the page.
    let policy = HeaderValue::from_str(&policy)
        .unwrap_or(HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"));
    headers.insert(CONTENT_SECURITY_POLICY, policy);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    let isolation = HeaderName::from_static("cross-origin-resource-policy");
    headers.insert(isolation, HeaderValue::from_static("same-origin"));
}

/// A page with one message, outside any flow.
pub(super) fn notice(title: &str, text: &str) -> Page {
    Page {
        title: title.to_owned(),
        look: "ours",
        facts: Facts::default(),
        body: Sheet {
            centred: true,
            main: html! {
                (badge(Icon::Alert, "bad"))
                h1 tabindex="-1" autofocus { (title) }
                p { (text) }
            },
            ..Sheet::default()
        }
        .render(),
    }
}
