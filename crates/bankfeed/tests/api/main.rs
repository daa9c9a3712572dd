//! What clients meet: every call through HTTP against a server in this process.
//!
//! One test binary for all of it, because linking it takes longer than running it.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]
#![expect(clippy::too_many_lines, reason = "a snapshot is as long as what it shows")]

mod customers;
mod determinism;
mod dialect;
mod endpoints;
mod errors;
mod errors_intents;
mod errors_steering;
mod guide;
mod idempotency;
mod intents;
mod limits;
mod other_origins;
mod support;
