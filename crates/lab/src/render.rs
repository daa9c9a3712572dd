//! Objects that only the test helpers show.

pub(crate) mod bank;
pub(crate) mod consumer_report;
pub(crate) mod delivery;
pub(crate) mod fault;
pub(crate) mod scenario;
pub(crate) mod settled;
pub(crate) mod snapshot;
