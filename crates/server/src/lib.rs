//! The HTTP server in Stripe's dialect, in front of the engine.
//!
//! This crate turns bytes into typed input and responses into bytes; the engine decides what a call
//! does. Time and randomness enter here. [`start`] makes a server from the settings of the process.
//! Tests start one with [`http::serve`] on a listener of their own.

pub mod clock;
mod engine_settings;
pub mod http;
mod pages;
pub mod rng;
mod start;

pub use start::{SEAL_KEY_BYTES, StartError, Started, check_settings, read_seal_key, start};
