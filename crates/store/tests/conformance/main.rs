//! What every back end of the store must do: each test runs on `SQLite` and on the plain
//! collections, and a property test sends random lists of commands to both and compares.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod account;
mod agree;
mod clock;
mod compare;
mod concurrent;
mod delivery;
mod event;
mod fixture;
mod idempotency;
mod object;
mod prune;
mod refresh;
mod snapshot;
mod steps;
mod transaction;
