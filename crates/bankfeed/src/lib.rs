//! The bankfeed server: HTTP in Stripe's dialect in front of the engine, its settings, and the
//! command line.
//!
//! This crate turns bytes into typed input and answers into bytes; what a call does is decided in
//! the engine. It is also where time, randomness and the operator's choices enter. Tests start a
//! server with [`http::serve`] on a listener of their own.

pub mod cli;
pub mod clock;
mod engine_settings;
pub mod http;
mod pages;
pub mod rng;
mod start;

pub use start::{StartError, Started, check_settings, start};
