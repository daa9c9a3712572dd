//! A mandate (`mandate_…`): the holder's permission to debit a bank account.

use crate::clock::AccountTime;
use crate::extra_params::ExtraParams;
use crate::id::{ClockId, MandateId, MerchantId, PaymentMethodId};
use crate::word::words;
use serde::{Deserialize, Serialize};

words! {
    /// The number of uses of a mandate.
    MandateKind {
        /// Repeated use.
        MultiUse = "multi_use",
        /// One payment.
        SingleUse = "single_use",
    }
}

/// One mandate. It is active from the confirmation that created it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mandate {
    /// Its id.
    pub id: MandateId,
    /// The merchant that owns it.
    pub merchant: MerchantId,
    /// The version, which every change raises by one.
    pub version: u64,
    /// True if it was created with a live key.
    pub livemode: bool,
    /// The time of creation.
    pub created: AccountTime,
    /// The test clock of the customer.
    pub clock: Option<ClockId>,
    /// The payment method that may be debited.
    pub payment_method: PaymentMethodId,
    /// The kind.
    pub kind: MandateKind,
    /// The one payment of a single-use mandate: the amount in minor units and the currency.
    pub single_use: Option<(i64, crate::money::Currency)>,
    /// The acceptance by the holder, as in the confirmation.
    pub acceptance: ExtraParams,
}

/// Returns the acceptance of a mandate on a page of this server, in the form of a confirmation. The
/// IP address is left out, because behind a proxy it is unknown.
pub fn accepted_online(user_agent: String) -> ExtraParams {
    let hash = |members: [(&str, ExtraParams); 2]| {
        ExtraParams::Hash(members.map(|(name, member)| (name.to_owned(), member)).into())
    };
    let online =
        hash([("ip_address", ExtraParams::Unset), ("user_agent", ExtraParams::Text(user_agent))]);
    hash([("online", online), ("type", ExtraParams::Text("online".to_owned()))])
}
