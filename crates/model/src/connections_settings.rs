//! A merchant's settings for Financial Connections: the link requirements for dynamic payment
//! methods, and the kinds of data that are registered for live mode.
//!
//! A merchant has one row per mode. The first change creates it.

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
    /// The kinds of data with a complete registration. Only live mode requires one.
    #[serde(default)]
    pub registered: BTreeSet<Permission>,
}

words! {
    /// The state of the registration for one kind of live data. It only moves forward.
    Registration {
        /// Not requested.
        Unrequested = "unrequested",
        /// Complete.
        Active = "active",
    }
}

impl ConnectionsSettings {
    /// Creates the default settings, at version 0, for a first change.
    pub fn unchanged(merchant: MerchantId, livemode: bool, now: AccountTime) -> Self {
        let collection = Collection::default();
        let registered = BTreeSet::new();
        Self { merchant, version: 0, livemode, created: now, collection, registered }
    }

    /// The number of the single row that a merchant has.
    pub const NUMBER: u64 = 1;
}
