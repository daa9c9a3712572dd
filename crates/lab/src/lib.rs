//! The test laboratory: the tools of a test besides the API.
//!
//! A *fault* makes calls or webhooks fail on demand. A *scenario* is a file with test banks. A
//! *snapshot* is a sandbox that a test can return to. The *client checker* observes the client of a
//! merchant and names mistakes that would lose data in production. Test helpers control the
//! sandbox banks, wait for deliveries and send events again.
//!
//! The laboratory depends on the engine, never the reverse. The engine emits observations
//! ([`engine::observer`]) and calls hooks ([`engine::hooks`]); [`Instruments`] receives both.
//! Faults, scenarios and snapshots are stored. Counts of faults, waits and diagnostics are in
//! memory and begin again after a restart.

mod call;
mod checker;
mod delivery;
pub mod diagnostic;
pub mod fault;
mod faults;
mod instruments;
mod opaque;
mod render;
mod sandbox;
mod scenario;
mod settled;
mod snapshot;
mod wait;
mod waits;

pub use call::WatchedCall;
pub use delivery::{LedgerFilter, ResendTo};
pub use fault::{FaultKind, FaultRule, Share};
pub use faults::CallFault;
pub use instruments::Instruments;
pub use sandbox::AddTransaction;
pub use scenario::ScenarioInput;
pub use settled::SettledFilter;
pub use wait::{WaitFilter, check_type};

use engine::Engine;
use model::limits::SNAPSHOTS_AT_ONCE_MAX;
use std::sync::Arc;
use tokio::sync::Semaphore;

/// The settings of the laboratory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// Faults of every merchant in test mode. They count before the merchant's own faults.
    pub faults: Vec<FaultRule>,
}

/// The laboratory around an engine.
pub struct Lab {
    engine: Arc<Engine>,
    instruments: Arc<Instruments>,
    /// Snapshots that may still be taken now.
    snapshots: Semaphore,
}

impl Lab {
    /// Puts a laboratory together. The engine must have been built with the same instruments as its
    /// observer and its hooks.
    pub fn new(engine: Arc<Engine>, instruments: Arc<Instruments>) -> Self {
        Self { engine, instruments, snapshots: Semaphore::new(SNAPSHOTS_AT_ONCE_MAX) }
    }

    /// The engine.
    pub fn engine(&self) -> &Arc<Engine> {
        &self.engine
    }
}
