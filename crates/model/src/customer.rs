//! A customer (`cus_…`): the end user a bank account belongs to.

use crate::clock::AccountTime;
use crate::id::{ClockId, CustomerId, MerchantId, PaymentMethodId};
use crate::word::words;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

words! {
    /// The tax status of a customer. It is stored and shown, and has no other effect.
    TaxExempt {
        /// Exempt.
        Exempt = "exempt",
        /// Not exempt.
        None = "none",
        /// Taxes are reverse-charged.
        Reverse = "reverse",
    }
}

/// A postal address. Every line may be unknown.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Address {
    /// Town.
    pub city: Option<String>,
    /// Country, two letters.
    pub country: Option<String>,
    /// Street.
    pub line1: Option<String>,
    /// Flat.
    pub line2: Option<String>,
    /// Postal code.
    pub postal_code: Option<String>,
    /// State.
    pub state: Option<String>,
}

/// The shipping address and recipient.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shipping {
    /// The address.
    pub address: Address,
    /// The name of the recipient.
    pub name: String,
    /// The telephone number.
    pub phone: Option<String>,
}

/// One customer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Customer {
    /// Its id.
    pub id: CustomerId,
    /// The merchant that owns it.
    pub merchant: MerchantId,
    /// The version, which every change raises by one.
    pub version: u64,
    /// True if it was created with a live key.
    pub livemode: bool,
    /// The time of creation, by its clock.
    pub created: AccountTime,
    /// True if it was deleted. Only the id is then shown.
    pub deleted: bool,
    /// The time at which the server completes the deletion, if the call has not completed it. `None`
    /// before a deletion, and after its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deletion_due: Option<AccountTime>,
    /// The test clock that it belongs to.
    pub test_clock: Option<ClockId>,
    /// Postal address.
    pub address: Option<Address>,
    /// The balance in minor units. Negative is a credit, positive is a debt.
    pub balance: i64,
    /// Name of the business.
    pub business_name: Option<String>,
    /// The payment method that invoices of a subscription debit by default.
    #[serde(default)]
    pub default_payment_method: Option<PaymentMethodId>,
    /// Free text.
    pub description: Option<String>,
    /// E-mail address. It also seeds the customer's test banks.
    pub email: Option<String>,
    /// Name of the person.
    pub individual_name: Option<String>,
    /// The prefix of invoice numbers.
    pub invoice_prefix: Option<String>,
    /// The merchant's metadata. Its key `seed`, if set, seeds the customer's test banks.
    pub metadata: BTreeMap<String, String>,
    /// Full name.
    pub name: Option<String>,
    /// The number of the next invoice.
    pub next_invoice_sequence: Option<i64>,
    /// Telephone number.
    pub phone: Option<String>,
    /// Preferred languages, best first.
    pub preferred_locales: Vec<String>,
    /// The shipping address.
    pub shipping: Option<Shipping>,
    /// The tax status.
    pub tax_exempt: TaxExempt,
}
