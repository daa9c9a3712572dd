//! What every back end of the store must do: each test runs on `SQLite` and on the plain
//! collections, and a property test sends random lists of commands to both and compares.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod account;
mod agree;
mod bed;
mod clock;
mod concurrent;
mod delivery;
mod event;
mod look;
mod object;
mod prune;
mod refresh;
mod reply;
mod snapshot;
mod steps;
mod transaction;
