//! A payment method configuration (`pmc_…`): the payment methods that are offered by payment
//! objects that name no types.
//!
//! Every merchant has a default configuration. It is stored when it is first changed, or when a
//! second one is created. Of all payment methods that a configuration can switch, this server
//! supports bank accounts.

use crate::clock::AccountTime;
use crate::id::{MerchantId, MethodConfigurationId, hash_number};
use crate::word::words;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The payment method that this server supports.
pub const BANK_ACCOUNT: &str = "us_bank_account";

words! {
    /// A merchant's preference for a payment method.
    Preference {
        /// No preference, as in the default: bank accounts are on.
        None = "none",
        /// Do not offer it.
        Off = "off",
        /// Offer it.
        On = "on",
    }
}

/// One configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MethodConfiguration {
    /// Its id.
    pub id: MethodConfigurationId,
    /// The merchant that owns it.
    pub merchant: MerchantId,
    /// The version, which every change raises by one.
    pub version: u64,
    /// True if it belongs to live mode.
    pub livemode: bool,
    /// The time of creation. The default configuration comes after all others.
    pub created: AccountTime,
    /// True if it applies to payment objects that name no configuration.
    pub is_default: bool,
    /// True if payment objects may name it.
    pub active: bool,
    /// The name.
    pub name: String,
    /// The parent configuration, as sent.
    pub parent: Option<String>,
    /// The preferences by the name of the payment method.
    pub preferences: BTreeMap<String, Preference>,
}

/// The decision of a configuration for a payment object, as it was at creation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfiguredBy {
    /// The configuration.
    pub id: MethodConfigurationId,
    /// The parent configuration.
    pub parent: Option<String>,
    /// True if bank accounts are offered.
    pub offers_bank_account: bool,
}

impl MethodConfiguration {
    /// Returns the default configuration of a merchant that has changed none. It is not stored, so
    /// its version is 0.
    pub fn default_of(merchant: MerchantId, livemode: bool) -> Self {
        Self {
            id: Self::default_id(merchant),
            merchant,
            version: 0,
            livemode,
            created: AccountTime(0),
            is_default: true,
            active: true,
            name: "Default".to_owned(),
            parent: None,
            preferences: BTreeMap::new(),
        }
    }

    /// Returns the id of a merchant's default configuration. It never changes.
    pub fn default_id(merchant: MerchantId) -> MethodConfigurationId {
        let number = hash_number(&[b"method configuration", &merchant.number().to_le_bytes()]);
        MethodConfigurationId::from_number(number)
    }

    /// Returns the preference for bank accounts.
    pub fn bank_account(&self) -> Preference {
        self.preferences.get(BANK_ACCOUNT).copied().unwrap_or(Preference::None)
    }

    /// True if bank accounts are offered.
    pub fn offers_bank_account(&self) -> bool {
        self.bank_account() != Preference::Off
    }

    /// Returns its decision for a payment object that is created now.
    pub fn decision(&self) -> ConfiguredBy {
        ConfiguredBy {
            id: self.id,
            parent: self.parent.clone(),
            offers_bank_account: self.offers_bank_account(),
        }
    }
}

/// Returns the text that configurations are looked up by.
pub fn state(active: bool) -> &'static str {
    if active { "active" } else { "inactive" }
}

/// Returns the payment method types that an object offers: the types that it names, else the types
/// of its configuration.
pub fn types_offered(
    named: Option<&[String]>,
    configuration: Option<&ConfiguredBy>,
) -> Vec<String> {
    match (named, configuration) {
        (Some(named), _) => named.to_vec(),
        (None, Some(decided)) if !decided.offers_bank_account => Vec::new(),
        (None, _) => vec![BANK_ACCOUNT.to_owned()],
    }
}
