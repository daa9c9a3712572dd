//! Financial Connections: customers, sessions, link flows, accounts, transactions and test clocks.

pub(super) mod account;
pub(super) mod authorization;
pub(super) mod clock;
pub(super) mod collection;
pub(super) mod connections_settings;
pub(super) mod customer;
pub(super) mod institution;
pub(super) mod link_flow;
pub(super) mod session;
pub(super) mod transaction;
