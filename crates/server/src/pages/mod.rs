//! Pages for people.
//!
//! A page is rendered from the engine's view and sent. All state is in the store. Therefore every
//! page works without script, survives a reload, and looks the same in a second tab.
//!
//! [`link`] handles the requests of the link flow, and [`panes`] and [`bank`] render its pages.
//! [`at_bank`], [`typed`] and [`ends`] contain some of the panes. [`sheet`] is the structure of every
//! page, and [`pieces`], [`icons`] and [`marks`] contain common parts.
//! [`leave`] asks a holder who wants to leave.
//! [`form`] parses posted forms, and [`words`] contains the texts. [`hosted`] handles the requests
//! of the other pages that a holder visits: [`checkout`], [`invoice`] and [`deposits`], which share
//! [`bill`]. [`pdf`] writes an invoice as a file. Every page has the same head and headers
//! ([`document`]) and the same error pages ([`response`]). The browser may load files of this
//! server only: style, script, fonts, and the colours and the logo of the merchant ([`brand`]).
//!
//! [`settings`] is a page for the merchant, and [`documents`] are the documents for callers.
//!
//! `/stripe.js` is for the pages of merchants. It calls the API with a publishable key and shows the
//! flow in a frame. Its parts are in `assets/stripe`.

mod at_bank;
mod bank;
mod bill;
pub(crate) mod brand;
mod checkout;
mod deposits;
mod document;
pub(crate) mod documents;
mod ends;
mod fields;
mod form;
pub(crate) mod hosted;
mod icons;
mod invoice;
mod leave;
pub(crate) mod link;
mod making;
mod marks;
mod panes;
mod pdf;
mod pieces;
mod response;
pub(crate) mod settings;
mod sheet;
mod typed;
mod words;

use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderName, HeaderValue};

const FONTS: &str = include_str!("assets/fonts/fonts.css");
const STYLE: &str = concat!(
    include_str!("assets/fonts/fonts.css"),
    include_str!("assets/tokens.css"),
    include_str!("assets/base.css"),
    include_str!("assets/link.css"),
    include_str!("assets/marks.css"),
    include_str!("assets/bill.css"),
    include_str!("assets/settings.css"),
);
const ICON: &str = include_str!("assets/icon.svg");
const SCRIPT: &str = include_str!("assets/pages.js");
/// The parts share one function, so that the page of a merchant sees only `window.Stripe`.
const STRIPE: &str = concat!(
    include_str!("assets/stripe/head.js"),
    "(() => {\n",
    include_str!("assets/stripe/api.js"),
    include_str!("assets/stripe/modal.js"),
    include_str!("assets/stripe/collect.js"),
    include_str!("assets/stripe/intents.js"),
    include_str!("assets/stripe/checks.js"),
    include_str!("assets/stripe/appearance.js"),
    include_str!("assets/stripe/look.js"),
    include_str!("assets/stripe/fields.js"),
    include_str!("assets/stripe/listeners.js"),
    include_str!("assets/stripe/payment.js"),
    include_str!("assets/stripe/elements.js"),
    include_str!("assets/stripe/stripe.js"),
    "})();\n",
);

/// A static file that pages load.
type Asset<T = &'static str> = ([(HeaderName, HeaderValue); 3], T);

/// The style of all pages.
pub(crate) async fn style() -> Asset {
    asset("text/css; charset=utf-8", STYLE)
}

/// The script of all pages.
pub(crate) async fn script() -> Asset {
    asset("text/javascript; charset=utf-8", SCRIPT)
}

/// The replacement for Stripe.js, for the pages of merchants.
pub(crate) async fn stripe() -> Asset {
    asset("text/javascript; charset=utf-8", STRIPE)
}

/// The icon of all pages.
pub(crate) async fn icon() -> Asset {
    asset("image/svg+xml", ICON)
}

/// A font file, if there is one with this name. The style contains the name, which has a hash of the
/// file, so browsers may keep it.
pub(crate) fn font(name: &str) -> Option<Asset<&'static [u8]>> {
    let bytes: &[u8] = match name.split('.').next() {
        Some("inter-latin") => include_bytes!("assets/fonts/inter-latin.woff2"),
        Some("inter-latin-ext") => include_bytes!("assets/fonts/inter-latin-ext.woff2"),
        _ => return None,
    };
    let is_known = FONTS.contains(&format!("\"/assets/{name}\""));
    is_known.then(|| (headers("font/woff2", "public, max-age=31536000, immutable"), bytes))
}

fn asset(content_type: &'static str, text: &'static str) -> Asset {
    (headers(content_type, "no-cache"), text)
}

fn headers(content_type: &'static str, cache: &'static str) -> [(HeaderName, HeaderValue); 3] {
    [
        (CONTENT_TYPE, HeaderValue::from_static(content_type)),
        (CACHE_CONTROL, HeaderValue::from_static(cache)),
        (HeaderName::from_static("x-content-type-options"), HeaderValue::from_static("nosniff")),
    ]
}
