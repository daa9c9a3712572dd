//! Stripe's dialect in both directions: what a request says, and how an answer is spelled.
//!
//! Inwards: [`params`] turns a form body and a query string into typed values and tells what is
//! wrong with them; [`list`] and [`expand`] read the parameters that every list or object takes;
//! [`version`] reads `Stripe-Version`, and [`change`] knows what versions changed. Outwards:
//! [`error`] is the envelope of every failure, [`json`] the writer, [`render`] one file per object,
//! [`address`] the addresses of pages that objects name, [`signature`] the header of a webhook.
//!
//! Nothing here knows HTTP, waits, stores or reads a clock: bytes in, values out, and back.

pub mod acted;
pub mod address;
pub mod change;
pub mod error;
pub mod expand;
pub mod json;
pub mod list;
pub mod params;
pub mod render;
pub mod shape;
pub mod signature;
pub mod version;
