//! What a payment object asks of the link flow: the `us_bank_account` part of its options.
//!
//! The same hash stands in six places of the API (in the options of both intents and of Checkout,
//! in the payment settings of invoices and subscriptions, and in the settings of the merchant).

use crate::account::{Permission, Subcategory};
use crate::session::Prefetch;
use crate::word::words;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

words! {
    /// How a bank account proves that it is the holder's.
    VerificationMethod {
        /// By the link flow, or by two small deposits to numbers that the holder types.
        Automatic = "automatic",
        /// By the link flow alone.
        Instant = "instant",
        /// By two small deposits alone.
        Microdeposits = "microdeposits",
    }
}

/// What a payment object asks for. Empty when nothing was said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Collection {
    /// What the holder is asked to allow, as sent; includes `payment_method`.
    pub permissions: Option<BTreeSet<Permission>>,
    /// What is fetched the moment the account is linked, as sent.
    pub prefetch: Option<Vec<Prefetch>>,
    /// Only these kinds of account.
    pub account_subcategories: Option<Vec<Subcategory>>,
    /// Where a webview goes back to.
    pub return_url: Option<String>,
    /// How the account proves that it is the holder's.
    pub verification_method: Option<VerificationMethod>,
}

impl Collection {
    /// Whether the holder types numbers and picks no bank.
    pub fn numbers_only(&self) -> bool {
        self.verification_method == Some(VerificationMethod::Microdeposits)
    }

    /// What the holder is asked to allow: what was sent, else what the merchant's settings say,
    /// else to pay.
    pub fn permissions_asked(&self, settings: Option<&Self>) -> BTreeSet<Permission> {
        let of_settings = || settings.and_then(|settings| settings.permissions.clone());
        let mut asked = self.permissions.clone().or_else(of_settings).unwrap_or_default();
        asked.insert(Permission::PaymentMethod);
        asked
    }

    /// What is fetched at once: what was sent, else what the settings say if the permissions come
    /// from there as well.
    pub fn prefetch_asked(&self, settings: Option<&Self>) -> Vec<Prefetch> {
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

    /// What is sent wins over the settings, and paying is always asked for.
    #[test]
    fn what_is_sent_wins() {
        let settings = Collection {
            permissions: Some([Permission::PaymentMethod, Permission::Transactions].into()),
            prefetch: Some(vec![Prefetch::Transactions]),
            ..Collection::default()
        };
        let silent = Collection::default();
        assert_eq!(silent.permissions_asked(None), [Permission::PaymentMethod].into());
        assert_eq!(
            silent.permissions_asked(Some(&settings)),
            [Permission::PaymentMethod, Permission::Transactions].into()
        );
        assert_eq!(silent.prefetch_asked(Some(&settings)), [Prefetch::Transactions]);
        let sent = Collection {
            permissions: Some([Permission::PaymentMethod, Permission::Balances].into()),
            ..Collection::default()
        };
        assert_eq!(
            sent.permissions_asked(Some(&settings)),
            [Permission::PaymentMethod, Permission::Balances].into()
        );
        assert_eq!(sent.prefetch_asked(Some(&settings)), []);
    }
}
