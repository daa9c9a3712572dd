//! A whole bankfeed without network or processes, a follower, and a random simulation of both.
//!
//! - [`app`] is the engine on a store, with time and randomness that tests control.
//! - [`follower`] is a client that follows the feed exactly as the documentation recommends.
//! - [`operation`] defines the operations as plain values that shrink. [`world`] and [`call`]
//!   perform them.
//! - [`journal`] checks the invariants after every commit. [`judge`] compares the follower's copy
//!   with the server's list and with the bank's own ledger.
//! - [`pairs`] runs API calls that overlap and compares the result with both orders.
//! - [`steps`] runs workers, wholly or up to a wait for the store.
//!
//! The tests themselves are in `tests/`. A bug that the simulation finds becomes a short list of
//! operations in `tests/reproductions.rs`.
#![allow(clippy::expect_used, reason = "a test that cannot go on stops and says where")]

pub mod app;
pub mod call;
pub mod follower;
pub mod journal;
pub mod judge;
pub mod operation;
pub mod pairs;
pub mod steps;
pub mod world;
