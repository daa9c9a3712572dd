//! Confirmation tokens (`ctoken_…`): the data of a confirmation, collected in a browser before an
//! intent exists. A token confirms one intent, within twelve hours.

use super::payment_method::PaymentMethod;
use crate::clock::AccountTime;
use crate::extra_params::ExtraParams;
use crate::id::{ConfirmationTokenId, MerchantId};
use serde::{Deserialize, Serialize};

/// The time within which a token can be used, by Stripe's reference, in seconds.
const USABLE_S: i64 = 12 * 60 * 60;

/// One token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfirmationToken {
    /// Its id.
    pub id: ConfirmationTokenId,
    /// The merchant that owns it.
    pub merchant: MerchantId,
    /// The version, which every change raises by one.
    pub version: u64,
    /// True if it was created with a live key.
    pub livemode: bool,
    /// The time of creation.
    pub created: AccountTime,
    /// The payment method. A confirmation stores it, unless it is stored already.
    pub method: PaymentMethod,
    /// True if the payment method was stored before the token.
    pub method_stored: bool,
    /// The holder's acceptance of debits.
    pub acceptance: ExtraParams,
    /// The URL that the browser goes to after the confirmation.
    pub return_url: Option<String>,
    /// The later payments for which the payment method is saved.
    pub setup_future_usage: Option<String>,
    /// The address for deliveries.
    pub shipping: Option<ExtraParams>,
    /// The id of the intent that it has confirmed.
    pub used_by: Option<String>,
}

impl ConfirmationToken {
    /// Returns the time from which it cannot be used any more.
    pub fn expires_at(&self) -> AccountTime {
        self.created.plus(USABLE_S)
    }
}
