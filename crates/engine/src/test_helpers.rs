//! What only tests ask for: the bank's side of a sandbox, faults, what was delivered and seen, and
//! sandboxes kept whole.

pub mod delivery;
pub mod fault;
pub mod judge;
pub mod sandbox;
pub mod scenario;
pub mod snapshot;
pub mod wait;
