//! What clients meet: every call through HTTP against a server in this process.
//!
//! One test binary for all of it, because linking it takes longer than running it.

mod customers;
mod determinism;
mod dialect;
mod endpoints;
mod errors;
mod guide;
mod idempotency;
mod support;
