//! Objects that only the test helpers show.

pub mod bank;
pub mod consumer_report;
pub mod delivery;
pub mod fault;
pub mod scenario;
pub mod snapshot;
