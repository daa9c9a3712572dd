//! A customer (`cus_…`): the end user a bank account belongs to.

use crate::clock::AccountTime;
use crate::id::{ClockId, CustomerId, MerchantId, PaymentMethodId};
use crate::word::words;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

words! {
    /// Whether a customer pays taxes; kept and shown, not acted on.
    TaxExempt {
        /// Exempt.
        Exempt = "exempt",
        /// Not exempt.
        None = "none",
        /// Taxes are reversed.
        Reverse = "reverse",
    }
}

/// A postal address; every line may be unknown.
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

/// Where goods go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shipping {
    /// To where.
    pub address: Address,
    /// To whom.
    pub name: String,
    /// With which number.
    pub phone: Option<String>,
}

/// One customer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Customer {
    /// Its id.
    pub id: CustomerId,
    /// Whose it is.
    pub merchant: MerchantId,
    /// Raised by every change.
    pub version: u64,
    /// Whether it was made with a live key.
    pub livemode: bool,
    /// When it was made, by its clock.
    pub created: AccountTime,
    /// Whether it was deleted; then only the id is shown.
    pub deleted: bool,
    /// The test clock it hangs on.
    pub test_clock: Option<ClockId>,
    /// Postal address.
    pub address: Option<Address>,
    /// Credit or debt, minor units.
    pub balance: i64,
    /// Name of the business.
    pub business_name: Option<String>,
    /// What invoices of a subscription debit unless it says otherwise.
    #[serde(default)]
    pub default_payment_method: Option<PaymentMethodId>,
    /// Free text.
    pub description: Option<String>,
    /// E-mail address; seeds the customer's test banks.
    pub email: Option<String>,
    /// Name of the person.
    pub individual_name: Option<String>,
    /// What invoice numbers begin with.
    pub invoice_prefix: Option<String>,
    /// The merchant's own data. Its `seed`, if set, seeds the customer's test banks.
    pub metadata: BTreeMap<String, String>,
    /// Full name.
    pub name: Option<String>,
    /// The number of the next invoice.
    pub next_invoice_sequence: Option<i64>,
    /// Telephone number.
    pub phone: Option<String>,
    /// Languages, the best first.
    pub preferred_locales: Vec<String>,
    /// Where goods go.
    pub shipping: Option<Shipping>,
    /// Whether taxes are paid.
    pub tax_exempt: TaxExempt,
}
