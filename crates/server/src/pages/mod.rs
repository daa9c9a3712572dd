//! Pages for people. A page is made from what the engine shows, sent, and forgotten: all state is
//! in the store, so every page works without script, survives a reload, and a second tab shows the
//! same.
//!
//! [`link`] takes the requests, [`panes`] and [`bank`] make the pages of the link flow ([`typed`]
//! and [`ends`] hold some of the panes, [`pieces`] what several share), [`form`] reads what was
//! posted, [`words`] holds what is said. [`hosted`] takes the requests of the other pages that a
//! holder is sent to, [`checkout`], [`invoice`] and [`deposits`], which share [`bill`]. Every page has
//! the same head and headers ([`document`]) and the same answers to what is no page ([`answer`]);
//! style and script are two files of our own, and nothing else may load.
//!
//! [`settings`] is a page of its own, for the merchant.
//!
//! `stripe.js` is for the pages of merchants: it calls the API with a publishable key and shows the
//! flow in a frame.

mod answer;
mod bank;
mod bill;
mod checkout;
mod deposits;
mod document;
mod ends;
mod fields;
mod form;
pub(crate) mod hosted;
mod invoice;
pub(crate) mod link;
mod making;
mod panes;
mod pieces;
pub(crate) mod settings;
mod typed;
mod words;

use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderName, HeaderValue};

const STYLE: &str = include_str!("assets/link.css");
const SCRIPT: &str = include_str!("assets/link.js");
const STRIPE: &str = include_str!("stripe.js");

/// A file that pages load.
type Asset = ([(HeaderName, HeaderValue); 3], &'static str);

/// The style of all pages.
pub(crate) async fn style() -> Asset {
    asset("text/css; charset=utf-8", STYLE)
}

/// The script of all pages.
pub(crate) async fn script() -> Asset {
    asset("text/javascript; charset=utf-8", SCRIPT)
}

/// The stand-in for Stripe.js, for pages of merchants.
pub(crate) async fn stripe() -> Asset {
    asset("text/javascript; charset=utf-8", STRIPE)
}

fn asset(content_type: &'static str, text: &'static str) -> Asset {
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static(content_type)),
        (CACHE_CONTROL, HeaderValue::from_static("no-cache")),
        (HeaderName::from_static("x-content-type-options"), HeaderValue::from_static("nosniff")),
    ];
    (headers, text)
}
