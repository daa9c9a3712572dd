//! The HTTP server that speaks Stripe's API, in front of the engine.
//!
//! This crate parses requests into typed input and serializes responses. The engine decides the
//! effect of a call. Time and randomness enter the process in this crate. [`start`] creates a
//! server from the settings of the process. Tests start one with [`http::serve`] on a listener of
//! their own.

mod addresses;
pub mod clock;
mod engine_settings;
pub mod http;
mod logo;
mod pages;
pub mod rng;
mod start;
mod tls;

pub use start::{SEAL_KEY_BYTES, StartError, Started, check_settings, read_seal_key, start};
pub use tls::{Certificate, TlsError, UnfitCertificate};
