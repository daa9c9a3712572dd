//! The objects of Financial Connections, and the customers and test clocks that they belong to.

pub mod account;
pub mod authorization;
pub mod clock;
pub mod customer;
pub mod inferred_balance;
pub mod institution;
pub mod ownership;
pub mod session;
pub mod transaction;
