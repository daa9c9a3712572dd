//! Connected accounts (`acct_…`), which a platform manages with its own keys.
//!
//! A platform is a merchant, and so is each of its connected accounts, with its own rows. Two rows
//! link them. A [`ConnectedAccount`] among the platform's rows holds the fields that the API shows.
//! A [`PlatformTie`] among the connected account's rows names the platform, for workers that reach
//! a row without a call. Both are created in one commit.
//!
//! An account that the platform creates has an id of ours. In test mode any id of Stripe's form is
//! accepted, so that fixtures of other servers keep working.

use crate::clock::AccountTime;
use crate::extra_params::ExtraParams;
use crate::id::{ApplicationId, BankAccountId, MerchantId, hash_number};
use crate::token::{BankAccountType, BankHolderType};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The maximum length of an id in characters.
const ID_CHARS_MAX: usize = 64;

/// One connected account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectedAccount {
    /// Its id, as it was first given.
    pub account: String,
    /// The platform.
    pub merchant: MerchantId,
    /// The version, which every change raises by one.
    pub version: u64,
    /// True if it was created with a live key.
    pub livemode: bool,
    /// The time of creation, or of the first write.
    pub created: AccountTime,
    /// True if it was deleted. Calls on its behalf are then rejected.
    pub deleted: bool,
    /// The time at which the server completes the deletion, if the call has not completed it. `None`
    /// before a deletion, and after its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deletion_due: Option<AccountTime>,
    /// The capabilities by name, with true if active. A requested capability is active at once.
    pub capabilities: BTreeMap<String, bool>,
    /// The external accounts that receive payouts, oldest first.
    pub external_accounts: Vec<ExternalAccount>,
    /// The platform's metadata.
    pub metadata: BTreeMap<String, String>,
    /// Parameters that the server echoes and otherwise ignores.
    pub given: ExtraParams,
}

/// A bank account that a connected account is paid out to (`ba_…`), without its number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExternalAccount {
    /// Its id.
    pub id: BankAccountId,
    /// The id of the connected account.
    pub account: String,
    /// The country of the bank, two letters.
    pub country: String,
    /// The currency of payouts, three letters.
    pub currency: String,
    /// True if payouts in its currency go here.
    pub default_for_currency: bool,
    /// The name of the holder.
    pub holder_name: Option<String>,
    /// The kind of holder.
    pub holder_type: Option<BankHolderType>,
    /// The kind of account.
    pub account_type: Option<BankAccountType>,
    /// The bank's name, if known.
    pub bank_name: Option<String>,
    /// The routing number.
    pub routing_number: String,
    /// The last four digits of the account number.
    pub last4: String,
    /// A fingerprint that is equal for equal numbers of one platform, and only for those. For an
    /// account made from a payment method it is that of the payment method.
    pub fingerprint: String,
    /// The platform's metadata.
    pub metadata: BTreeMap<String, String>,
}

/// The link from a connected account to its platform: a row of the merchant that the account acts
/// as.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlatformTie {
    /// The merchant that the connected account acts as.
    pub merchant: MerchantId,
    /// The version, which every change raises by one.
    pub version: u64,
    /// The time of creation.
    pub created: AccountTime,
    /// The platform.
    pub platform: MerchantId,
    /// The id of the connected account.
    pub account: String,
    /// True if the connected account was deleted. Commands of calls in it require that it is not.
    #[serde(default)]
    pub deleted: bool,
}

impl ApplicationId {
    /// Returns the id of a platform's application. Each platform has one.
    pub fn of_platform(platform: MerchantId) -> Self {
        Self::from_number(hash_number(&[b"application", &platform.number().to_be_bytes()]))
    }
}

impl PlatformTie {
    /// The number of the single row that a merchant has.
    pub const NUMBER: u64 = 1;
}

impl ConnectedAccount {
    /// Creates an account with an id and no other data.
    pub fn of(platform: MerchantId, account: &str, livemode: bool, created: AccountTime) -> Self {
        Self {
            account: account.to_owned(),
            merchant: platform,
            version: 1,
            livemode,
            created,
            deleted: false,
            deletion_due: None,
            capabilities: BTreeMap::new(),
            external_accounts: Vec::new(),
            metadata: BTreeMap::new(),
            given: ExtraParams::empty(),
        }
    }

    /// True if a text has the form of an id: `acct_`, then letters and digits.
    pub fn is_id(text: &str) -> bool {
        text.strip_prefix(MerchantId::PREFIX).is_some_and(|rest| {
            !rest.is_empty()
                && text.len() <= ID_CHARS_MAX
                && rest.bytes().all(|byte| byte.is_ascii_alphanumeric())
        })
    }

    /// Returns the number of the row of an id: the number in an id of ours, else a hash of the
    /// text.
    pub fn number_of(account: &str) -> u64 {
        let chosen = |_| hash_number(&[b"connected account", account.as_bytes()]);
        account.parse().map_or_else(chosen, MerchantId::number)
    }

    /// Returns the merchant that the account acts as.
    pub fn acts_as(&self) -> MerchantId {
        MerchantId::of_connected(self.merchant, &self.account)
    }

    /// Returns the row that names its platform.
    pub fn tie(&self) -> PlatformTie {
        PlatformTie {
            merchant: self.acts_as(),
            version: 1,
            created: self.created,
            platform: self.merchant,
            account: self.account.clone(),
            deleted: false,
        }
    }

    /// True if it may take payments.
    pub fn charges_enabled(&self) -> bool {
        self.capabilities.iter().any(|(name, active)| *active && name.ends_with("_payments"))
    }

    /// True if it may receive payouts.
    pub fn payouts_enabled(&self) -> bool {
        self.capabilities.values().any(|active| *active) && !self.external_accounts.is_empty()
    }

    /// Adds an external account. The first of a currency becomes its default. A later one becomes
    /// the default if it asks for it.
    pub fn add_external_account(&mut self, mut added: ExternalAccount) {
        let first =
            !self.external_accounts.iter().any(|account| account.currency == added.currency);
        added.default_for_currency |= first;
        let (id, default) = (added.id, added.default_for_currency);
        self.external_accounts.push(added);
        if default {
            self.make_default(id);
        }
    }

    /// Makes an external account the only default of its currency.
    pub fn make_default(&mut self, id: BankAccountId) {
        let chosen = self.external_accounts.iter().find(|account| account.id == id);
        let Some(currency) = chosen.map(|chosen| chosen.currency.clone()) else {
            unreachable!("callers choose one of the account's own external accounts")
        };
        for account in &mut self.external_accounts {
            if account.currency == currency {
                account.default_for_currency = account.id == id;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn external(number: u64, currency: &str, default: bool) -> ExternalAccount {
        ExternalAccount {
            id: BankAccountId::from_number(number),
            account: "acct_1".to_owned(),
            country: "US".to_owned(),
            currency: currency.to_owned(),
            default_for_currency: default,
            holder_name: None,
            holder_type: None,
            account_type: None,
            bank_name: None,
            routing_number: String::new(),
            last4: String::new(),
            fingerprint: String::new(),
            metadata: BTreeMap::new(),
        }
    }

    /// Only ids of Stripe's form are accepted.
    #[test]
    fn tells_ids() {
        for good in ["acct_1", "acct_1032D82eZvKYlo2C"] {
            assert!(ConnectedAccount::is_id(good), "{good}");
        }
        for bad in ["", "acct_", "cus_1", "acct_1 2", "acct_é", "acct_1_2", &"acct_1".repeat(20)] {
            assert!(!ConnectedAccount::is_id(bad), "{bad}");
        }
    }

    /// One account of two platforms is two merchants, and neither is a platform.
    #[test]
    fn acts_as_its_own_merchant() {
        let (one, two) = (MerchantId::from_number(1), MerchantId::from_number(2));
        let of =
            |platform| ConnectedAccount::of(platform, "acct_1", false, AccountTime(0)).acts_as();
        assert_eq!(of(one), of(one));
        assert_ne!(of(one), of(two));
        assert_ne!(of(one), one);
    }

    /// A currency has exactly one default as soon as it has an account.
    #[test]
    fn a_currency_has_one_default() {
        let mut account =
            ConnectedAccount::of(MerchantId::from_number(1), "acct_1", false, AccountTime(0));
        let defaults = |account: &ConnectedAccount| {
            let external = account.external_accounts.iter();
            external
                .filter(|external| external.default_for_currency)
                .map(|external| external.id.number())
                .collect::<Vec<_>>()
        };
        account.add_external_account(external(1, "usd", false));
        account.add_external_account(external(2, "usd", false));
        account.add_external_account(external(3, "cad", false));
        assert_eq!(defaults(&account), [1, 3]);
        account.add_external_account(external(4, "usd", true));
        assert_eq!(defaults(&account), [3, 4]);
        account.make_default(BankAccountId::from_number(2));
        assert_eq!(defaults(&account), [2, 3]);
    }
}
