//! What a merchant has set for Financial Connections: what dynamic payment methods ask for, and of
//! what the registration for live data is complete.
//!
//! A merchant has one row for its mode, which comes into being when it is first changed.

use crate::account::Permission;
use crate::clock::AccountTime;
use crate::collection::Collection;
use crate::id::MerchantId;
use crate::word::words;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The settings of one merchant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectionsSettings {
    /// Whose they are.
    pub merchant: MerchantId,
    /// Raised by every change.
    pub version: u64,
    /// Whether they are of live mode.
    pub livemode: bool,
    /// When they were first changed.
    pub created: AccountTime,
    /// The permissions and the prefetch of payment objects that name no payment method types.
    pub collection: Collection,
    /// Of what the registration is complete; only live mode asks for it.
    #[serde(default)]
    pub registered: BTreeSet<Permission>,
}

words! {
    /// How far the registration for one kind of live data has come. It goes forward only.
    Registration {
        /// Nobody has asked for it.
        Unrequested = "unrequested",
        /// It is complete.
        Active = "active",
    }
}

impl ConnectionsSettings {
    /// The settings of a merchant that has not changed them, to be changed now.
    pub fn unchanged(merchant: MerchantId, livemode: bool, now: AccountTime) -> Self {
        let collection = Collection::default();
        let registered = BTreeSet::new();
        Self { merchant, version: 0, livemode, created: now, collection, registered }
    }

    /// The number of a merchant's only row.
    pub const NUMBER: u64 = 1;
}
