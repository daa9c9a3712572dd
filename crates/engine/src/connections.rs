//! Financial Connections: link flows and their carriers, bank accounts, refreshes, transactions,
//! and the time and due work of all of them.
//!
//! After a crash every job, flow and clock continues from its last commit.

pub mod account;
pub mod advance;
pub mod authorization;
pub mod banks;
pub(crate) mod carrier;
pub mod change;
pub mod clock;
pub mod connections_settings;
pub mod customer;
mod deletion;
pub mod hosted;
pub mod inferred_balance;
pub mod institution;
pub mod link;
pub(crate) mod live;
pub(crate) mod owner;
pub mod refresh;
pub mod registry;
pub mod relink;
pub(crate) mod row_cache;
pub mod schedule;
pub mod session;
pub mod transaction;
pub mod watch;
