//! The conformance suite of the store. Each test runs on `SQLite` and on the in-memory model, and a
//! property test compares both on random lists of commands.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod account;
mod agree;
mod backlog;
mod changes;
mod clock;
mod compare;
mod concurrent;
mod delivery;
mod event;
mod feed;
mod fixture;
mod idempotency;
mod object;
mod object_filter;
mod open_work;
mod place;
mod precondition;
mod prune;
mod refresh;
mod sample;
mod shares;
mod snapshot;
mod steps;
mod taking;
mod transaction;
