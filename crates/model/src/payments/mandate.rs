//! A mandate (`mandate_…`): the holder's permission to debit a bank account.
//!
//! ```text
//! pending → active       the deposits of the confirmation were verified
//!         → inactive     they were not
//! active → inactive      a debit was disputed; the one debit of a single-use mandate ended
//! ```

use crate::clock::AccountTime;
use crate::extra_params::ExtraParams;
use crate::id::{ClockId, CustomerId, MandateId, MerchantId, PaymentMethodId};
use crate::payments::intent::{Intent, Purpose};
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

words! {
    /// The state of a mandate.
    MandateStatus {
        /// Debits are permitted.
        Active = "active",
        /// Debits are not permitted.
        Inactive = "inactive",
        /// The account of the confirmation waits for the verification of small deposits.
        Pending = "pending",
    }
}

/// One mandate.
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
    /// The state. Mandates of earlier releases are active.
    #[serde(default = "active")]
    pub status: MandateStatus,
    /// The customer that it permits to debit. `None` for a confirmation without a customer, and for
    /// mandates of earlier releases.
    #[serde(default)]
    pub customer: Option<CustomerId>,
    /// The payment method that may be debited.
    pub payment_method: PaymentMethodId,
    /// The kind.
    pub kind: MandateKind,
    /// The one payment of a single-use mandate: the amount in minor units and the currency.
    pub single_use: Option<(i64, crate::money::Currency)>,
    /// True for a single-use mandate of a Setup Intent until a payment uses it.
    #[serde(default)]
    pub unused: bool,
    /// The acceptance by the holder, as in the confirmation.
    pub acceptance: ExtraParams,
}

fn active() -> MandateStatus {
    MandateStatus::Active
}

impl Mandate {
    /// True if it permits a debit for which it was not given.
    pub fn serves_later(&self) -> bool {
        let reusable = self.kind == MandateKind::MultiUse || self.unused;
        self.status == MandateStatus::Active && reusable
    }

    /// True if it permits the debit of an intent for which it was not given.
    pub fn covers(&self, intent: &Intent) -> bool {
        let is_of_customer = self.customer.is_none() || self.customer == intent.customer;
        let fits = match (self.kind, intent.purpose) {
            (MandateKind::MultiUse, _) => true,
            (MandateKind::SingleUse, Purpose::Payment { amount, currency }) => {
                self.single_use == Some((amount, currency))
            }
            (MandateKind::SingleUse, Purpose::Setup) => false,
        };
        self.serves_later() && is_of_customer && fits
    }
}

/// Returns the acceptance of a mandate that the holder gave outside of a browser.
pub fn accepted_offline() -> ExtraParams {
    let members = [("type".to_owned(), ExtraParams::Text("offline".to_owned()))];
    ExtraParams::Hash(members.into())
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
