//! Stripe's dialect in both directions: reading requests and writing responses.
//!
//! Requests: [`params`] turns a form body and a query string into typed values or an error.
//! [`list`] and [`expand`] read the parameters that all lists and objects share. [`version`] reads
//! `Stripe-Version`, [`change`] defines the differences between versions, [`search`] reads search
//! queries, and [`event_names`] knows the event types. Responses: [`error`] is the envelope of every
//! failure, [`json`] is the writer, [`indent`] indents for people, and [`render`] has one file per
//! object. [`address`] creates the addresses of hosted pages, and
//! [`signature`] the header of a webhook.
//!
//! This crate converts bytes into values and back. It does not know HTTP, is not async, stores no
//! data, and reads no clock.

pub mod address;
pub mod change;
pub mod date_time;
pub mod error;
pub mod event_names;
pub mod expand;
pub mod indent;
pub mod json;
pub mod list;
pub mod nested;
pub mod params;
pub mod render;
pub mod schema;
pub mod search;
pub mod signature;
pub mod supported;
pub mod version;
