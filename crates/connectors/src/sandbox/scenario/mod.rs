//! Scenarios: bank timelines as data. A scenario is one file of TOML or JSON. It lists banks, their
//! accounts and the facts of each account, in days after the link.
//!
//! - `tree` reads a file into a tree that knows its lines. `value`, `money` and `fact` read single
//!   values and timeline entries, `stretch` reads repeated transactions, `institution` reads banks.
//!   `read` makes a [`Scenario`] of them, and an error names the line and the key.
//! - `contradiction` finds entries of a timeline that exclude each other.
//! - `check` finds histories in which a cash account falls below its limit.
//! - `write` writes files, and `plaid` uses it to convert custom users of Plaid's sandbox.
//! - `ready` holds the files that come with the server.
//!
//! An account of a scenario is a pure function of (scenario, time of the link, time), like every
//! other test account. Its credential holds the whole account as a `Plan`. A linked account
//! therefore continues after its scenario is deleted, and shows the same on every server.

pub(super) mod check;
mod contradiction;
mod fact;
mod institution;
mod money;
pub mod plaid;
mod read;
pub mod ready;
mod stretch;
mod tree;
mod value;
pub(super) mod write;

pub use check::BelowLimit;
pub use read::Scenario;
pub use tree::ScenarioError;

pub(super) use read::PlannedBank;
