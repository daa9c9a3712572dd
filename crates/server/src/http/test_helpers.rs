//! The calls under `/v1/test_helpers`, except test clocks.

pub(super) mod delivery;
pub(crate) mod fault;
pub(super) mod judge;
pub(super) mod sandbox;
pub(super) mod scenario;
pub(super) mod snapshot;
