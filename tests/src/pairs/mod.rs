//! Pairs of API calls that overlap: the result must be that of one order or of the other.
//!
//! - [`fixture`] is the sandbox in which the calls are made, built by API calls and restored from a
//!   snapshot before each run.
//! - [`kinds`] lists the calls.
//! - [`outcome`] is all that can be seen of a run: both responses and the stored state.
//! - [`lane`] is a server on one back end, which runs pairs one after the other or overlapping.
//! - [`search`] runs many pairs and reports the broken ones.

pub mod fixture;
pub mod kinds;
pub mod lane;
pub mod outcome;
pub mod search;
