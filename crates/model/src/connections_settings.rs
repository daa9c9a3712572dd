//! A merchant's settings for Financial Connections: the link requirements for dynamic payment
//! methods, and the rehearsed states of the registration for live data.
//!
//! A merchant has one row per mode. The first change creates it.

use crate::account::Permission;
use crate::clock::AccountTime;
use crate::collection::Collection;
use crate::id::MerchantId;
use crate::word::words;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The settings of one merchant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectionsSettings {
    /// The merchant that owns them.
    pub merchant: MerchantId,
    /// The version, which every change raises by one.
    pub version: u64,
    /// True if they belong to live mode.
    pub livemode: bool,
    /// The time of the first change.
    pub created: AccountTime,
    /// The permissions and the prefetch of payment objects that name no payment method types.
    pub collection: Collection,
    /// The registrations that the merchant's own key completed in an earlier release. They have no
    /// effect any more.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub registered: BTreeSet<Permission>,
    /// The states of the registration that a test has set. In test mode every other registration
    /// is complete. Live mode ignores them, because there the operator sets the states.
    #[serde(default)]
    pub rehearsed: Registrations,
}

words! {
    /// The state of the registration for one kind of live data.
    Registration {
        /// Not requested.
        Unrequested = "unrequested",
        /// Requested, and not decided yet.
        Pending = "pending",
        /// Requested and rejected.
        Rejected = "rejected",
        /// Complete.
        Active = "active",
        /// Withdrawn after it was complete.
        Revoked = "revoked",
    }
}

/// The states of the registration by kind of data.
pub type Registrations = BTreeMap<Permission, Registration>;

impl ConnectionsSettings {
    /// Creates the default settings, at version 0, for a first change.
    pub fn unchanged(merchant: MerchantId, livemode: bool, now: AccountTime) -> Self {
        let collection = Collection::default();
        Self {
            merchant,
            version: 0,
            livemode,
            created: now,
            collection,
            registered: BTreeSet::new(),
            rehearsed: Registrations::new(),
        }
    }

    /// The number of the single row that a merchant has.
    pub const NUMBER: u64 = 1;
}
