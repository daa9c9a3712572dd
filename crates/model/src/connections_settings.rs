//! What a merchant has set for Financial Connections: what dynamic payment methods ask for.
//!
//! A merchant has one row for its mode, which comes into being when it is first changed.

use crate::clock::AccountTime;
use crate::collection::Collection;
use crate::id::MerchantId;
use serde::{Deserialize, Serialize};

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
}

impl ConnectionsSettings {
    /// The number of a merchant's only row.
    pub const NUMBER: u64 = 1;
}
