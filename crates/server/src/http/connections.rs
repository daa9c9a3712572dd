//! The main job: customers, sessions and link flows, accounts, transactions, test clocks.

pub(super) mod account;
pub(super) mod clock;
pub(super) mod collection;
pub(super) mod connections_settings;
pub(super) mod customer;
pub(super) mod link_flow;
pub(super) mod session;
pub(super) mod transaction;
