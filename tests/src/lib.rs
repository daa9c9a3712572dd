//! A whole bankfeed without network or processes, a follower of it, and a random life around both.
//!
//! - [`app`] is the engine on a store, with time and randomness that tests hold in their hands.
//! - [`follower`] is a client that follows the feed exactly as the documentation tells it to.
//! - [`operation`] is what may happen, as plain values that shrink; [`world`] and [`call`] make it
//!   happen.
//! - [`journal`] watches every commit for what must hold at all times; [`judge`] compares the
//!   follower's copy with the server's list and with the bank's own books.
//! - [`steps`] runs workers, wholly or up to some wait for the store.
//!
//! The tests themselves stand in `tests/`. A bug that the simulation finds becomes a short list of
//! operations in `tests/reproductions.rs`.
#![allow(clippy::expect_used, reason = "a test that cannot go on stops and says where")]

pub mod app;
pub mod call;
pub mod follower;
pub mod journal;
pub mod judge;
pub mod operation;
pub mod steps;
pub mod time;
pub mod world;
