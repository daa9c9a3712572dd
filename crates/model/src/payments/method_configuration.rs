//! A configuration of payment methods (`pmc_…`): which of them payment objects offer that leave the
//! choice to the merchant's settings.
//!
//! Every merchant has a default configuration, which comes into being with the first change or the
//! first further one. Of all that a configuration may switch, bank accounts are what this server has.

use crate::clock::AccountTime;
use crate::id::{MerchantId, MethodConfigurationId, hash_number};
use crate::word::words;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The payment method that this server has.
pub const BANK_ACCOUNT: &str = "us_bank_account";

words! {
    /// What the merchant wants of a payment method.
    Preference {
        /// What the default is: bank accounts are on.
        None = "none",
        /// Not to offer it.
        Off = "off",
        /// To offer it.
        On = "on",
    }
}

/// One configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MethodConfiguration {
    /// Its id.
    pub id: MethodConfigurationId,
    /// Whose it is.
    pub merchant: MerchantId,
    /// Raised by every change.
    pub version: u64,
    /// Whether it is of live mode.
    pub livemode: bool,
    /// When it was made; the default one stands below all others.
    pub created: AccountTime,
    /// Whether payment objects take it that name none.
    pub is_default: bool,
    /// Whether payment objects may name it.
    pub active: bool,
    /// What the merchant calls it.
    pub name: String,
    /// The configuration that it is a child of, as it was given.
    pub parent: Option<String>,
    /// What was said of each payment method, by its name.
    pub preferences: BTreeMap<String, Preference>,
}

/// What of a configuration decided for a payment object, as it was then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfiguredBy {
    /// The configuration.
    pub id: MethodConfigurationId,
    /// The configuration that it is a child of.
    pub parent: Option<String>,
    /// Whether bank accounts are offered.
    pub offers_bank_account: bool,
}

impl MethodConfiguration {
    /// The default configuration of a merchant that has changed nothing; not stored, so at version 0.
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

    /// The id of a merchant's default configuration: the same from the beginning.
    pub fn default_id(merchant: MerchantId) -> MethodConfigurationId {
        let number = hash_number(&[b"method configuration", &merchant.number().to_le_bytes()]);
        MethodConfigurationId::from_number(number)
    }

    /// What is wanted of bank accounts.
    pub fn bank_account(&self) -> Preference {
        self.preferences.get(BANK_ACCOUNT).copied().unwrap_or(Preference::None)
    }

    /// Whether bank accounts are offered.
    pub fn offers_bank_account(&self) -> bool {
        self.bank_account() != Preference::Off
    }

    /// What it decides for a payment object that is made now.
    pub fn decision(&self) -> ConfiguredBy {
        ConfiguredBy {
            id: self.id,
            parent: self.parent.clone(),
            offers_bank_account: self.offers_bank_account(),
        }
    }
}

/// The text that configurations are looked up by.
pub fn state(active: bool) -> &'static str {
    if active { "active" } else { "inactive" }
}

/// The types of payment method that an object offers: those that it names, else what decided for it.
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
