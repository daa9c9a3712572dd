//! The link requirements of a payment object: the `us_bank_account` part of its options.
//!
//! The same hash appears in six places of the API: in the options of both intents and of Checkout,
//! in the payment settings of invoices and subscriptions, and in the settings of the merchant.

use crate::account::{Permission, Subcategory};
use crate::id::InstitutionId;
use crate::session::{ManualEntry, Prefetch};
use crate::word::words;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

words! {
    /// The way in which the holder proves that a bank account is theirs.
    VerificationMethod {
        /// The link flow, or two small deposits to numbers that the holder types.
        Automatic = "automatic",
        /// Only the link flow.
        Instant = "instant",
        /// Only two small deposits.
        Microdeposits = "microdeposits",
    }
}

/// The link requirements of a payment object. All fields are `None` if the request names no
/// requirement.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Collection {
    /// The permissions that the holder is asked to grant, as sent. They include `payment_method`.
    pub permissions: Option<BTreeSet<Permission>>,
    /// The data that is fetched as soon as the account is linked, as sent.
    pub prefetch: Option<Vec<Prefetch>>,
    /// The only account subcategories that are offered.
    pub account_subcategories: Option<Vec<Subcategory>>,
    /// The bank at which the holder logs in. No other bank is offered.
    #[serde(default)]
    pub institution: Option<InstitutionId>,
    /// The rule for typed account numbers, as sent.
    #[serde(default)]
    pub manual_entry: Option<ManualEntry>,
    /// The address to which a webview returns.
    pub return_url: Option<String>,
    /// The way in which the holder proves that the account is theirs.
    pub verification_method: Option<VerificationMethod>,
}

impl Collection {
    /// True if the holder types account numbers and cannot pick a bank.
    pub fn numbers_only(&self) -> bool {
        self.verification_method == Some(VerificationMethod::Microdeposits)
    }

    /// True if the holder leaves the flow to type account numbers on a form of the merchant.
    pub fn has_own_form(&self) -> bool {
        self.manual_entry == Some(ManualEntry::Custom) && !self.numbers_only()
    }

    /// Returns the permissions that the holder is asked for: those of the request, else those of
    /// the merchant's settings. `payment_method` is always among them.
    pub fn requested_permissions(&self, settings: Option<&Self>) -> BTreeSet<Permission> {
        let of_settings = || settings.and_then(|settings| settings.permissions.clone());
        let mut requested = self.permissions.clone().or_else(of_settings).unwrap_or_default();
        requested.insert(Permission::PaymentMethod);
        requested
    }

    /// Returns the data that is fetched at once. The request comes first. The settings apply only
    /// if the permissions come from them as well.
    pub fn requested_prefetch(&self, settings: Option<&Self>) -> Vec<Prefetch> {
        let of_settings = || {
            let settings = settings.filter(|_| self.permissions.is_none())?;
            settings.prefetch.clone()
        };
        self.prefetch.clone().or_else(of_settings).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A request overrides the settings, and `payment_method` is always asked for.
    #[test]
    fn a_request_overrides_the_settings() {
        let settings = Collection {
            permissions: Some([Permission::PaymentMethod, Permission::Transactions].into()),
            prefetch: Some(vec![Prefetch::Transactions]),
            ..Collection::default()
        };
        let silent = Collection::default();
        assert_eq!(silent.requested_permissions(None), [Permission::PaymentMethod].into());
        assert_eq!(
            silent.requested_permissions(Some(&settings)),
            [Permission::PaymentMethod, Permission::Transactions].into()
        );
        assert_eq!(silent.requested_prefetch(Some(&settings)), [Prefetch::Transactions]);
        let sent = Collection {
            permissions: Some([Permission::PaymentMethod, Permission::Balances].into()),
            ..Collection::default()
        };
        assert_eq!(
            sent.requested_permissions(Some(&settings)),
            [Permission::PaymentMethod, Permission::Balances].into()
        );
        assert_eq!(sent.requested_prefetch(Some(&settings)), []);
    }
}
