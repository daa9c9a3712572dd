//! A mandate (`mandate_…`): the holder's word that a bank account may be debited.

use crate::clock::AccountTime;
use crate::given::Given;
use crate::id::{ClockId, MandateId, MerchantId, PaymentMethodId};
use crate::word::words;
use serde::{Deserialize, Serialize};

words! {
    /// How often it may be used.
    MandateKind {
        /// Again and again.
        MultiUse = "multi_use",
        /// For one payment.
        SingleUse = "single_use",
    }
}

/// One mandate. It is active from the confirmation that made it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mandate {
    /// Its id.
    pub id: MandateId,
    /// Whose it is.
    pub merchant: MerchantId,
    /// Raised by every change.
    pub version: u64,
    /// Whether it was made with a live key.
    pub livemode: bool,
    /// When it was made.
    pub created: AccountTime,
    /// The test clock of the customer.
    pub clock: Option<ClockId>,
    /// What may be debited.
    pub payment_method: PaymentMethodId,
    /// How often.
    pub kind: MandateKind,
    /// The one payment of a single-use mandate, in minor units and with its currency.
    pub single_use: Option<(i64, crate::money::Currency)>,
    /// How the holder accepted it, as the confirmation said.
    pub acceptance: Given,
}

/// How a holder accepts a mandate on a page of this server, in the words of a confirmation. What a
/// proxy lets through of their address is not known, so none is told.
pub fn accepted_online(user_agent: String) -> Given {
    let hash = |members: [(&str, Given); 2]| {
        Given::Hash(members.map(|(name, member)| (name.to_owned(), member)).into())
    };
    let online = hash([("ip_address", Given::Unset), ("user_agent", Given::Text(user_agent))]);
    hash([("online", online), ("type", Given::Text("online".to_owned()))])
}
