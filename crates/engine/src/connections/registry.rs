//! The operator's record of registrations for live data.
//!
//! Only the operator changes a registration of live mode. The record is outside of the store,
//! because a command of the operator changes it while the server runs.

use crate::Error;
use model::connections_settings::Registrations;
use model::id::MerchantId;

/// The record of registrations.
pub trait Registry: Send + Sync {
    /// The registrations of a merchant for live data. An absent one was not requested.
    fn registrations(&self, merchant: MerchantId) -> Result<Registrations, Error>;
}

/// A record without registrations, for a server that issues no live keys.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoRegistry;

impl Registry for NoRegistry {
    fn registrations(&self, _merchant: MerchantId) -> Result<Registrations, Error> {
        Ok(Registrations::new())
    }
}
