//! Connected accounts (`acct_…`): whose affairs a platform runs with its own keys.
//!
//! A platform is a merchant, and so is each of its connected accounts, with rows of its own. Two
//! rows tie them together: a [`ConnectedAccount`] among the platform's rows is what the API shows
//! of it, and a [`PlatformTie`] among its own rows says whose it is, for those who meet a row of it
//! without a call. Both are made in one commit.
//!
//! An account that the platform makes has an id of ours. In test mode any id of Stripe's form will
//! do, so that fixtures of other servers go on working.

use crate::clock::AccountTime;
use crate::given::Given;
use crate::id::{BankAccountId, MerchantId, hash_number};
use crate::token::{BankAccountType, BankHolderType};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The most characters of an id.
const ID_CHARS_MAX: usize = 64;

/// One connected account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectedAccount {
    /// Its id, as it was given first.
    pub account: String,
    /// The platform.
    pub merchant: MerchantId,
    /// Raised by every change.
    pub version: u64,
    /// Whether it was made with a live key.
    pub livemode: bool,
    /// When it was made, or first written in.
    pub created: AccountTime,
    /// A deleted account lets nobody act in it any more.
    pub deleted: bool,
    /// What it may do, by name: what was asked for is active at once.
    pub capabilities: BTreeMap<String, bool>,
    /// Where it is paid out to, the oldest first.
    pub external_accounts: Vec<ExternalAccount>,
    /// The platform's own keys.
    pub metadata: BTreeMap<String, String>,
    /// What it echoes without acting on it.
    pub given: Given,
}

/// A bank account that a connected account is paid out to (`ba_…`), without its number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExternalAccount {
    /// Its id.
    pub id: BankAccountId,
    /// The id of the connected account.
    pub account: String,
    /// Where the bank is, two letters.
    pub country: String,
    /// What it is paid in, three letters.
    pub currency: String,
    /// Whether payouts in its currency go here.
    pub default_for_currency: bool,
    /// Who holds it.
    pub holder_name: Option<String>,
    /// Whose it is.
    pub holder_type: Option<BankHolderType>,
    /// Its kind.
    pub account_type: Option<BankAccountType>,
    /// The bank's name, where it is known.
    pub bank_name: Option<String>,
    /// The bank.
    pub routing_number: String,
    /// The last four digits of the account number.
    pub last4: String,
    /// The same for the same numbers of the same platform, and for no others; of a payment method,
    /// that of the payment method.
    pub fingerprint: String,
    /// The platform's own keys.
    pub metadata: BTreeMap<String, String>,
}

/// Whose a connected account is: a row of the merchant that it acts as.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlatformTie {
    /// The merchant that the connected account acts as.
    pub merchant: MerchantId,
    /// Raised by every change.
    pub version: u64,
    /// When it was made.
    pub created: AccountTime,
    /// The platform.
    pub platform: MerchantId,
    /// The id of the connected account.
    pub account: String,
}

impl PlatformTie {
    /// The number of a merchant's only row.
    pub const NUMBER: u64 = 1;
}

impl ConnectedAccount {
    /// An account of which nothing is known but its id.
    pub fn of(platform: MerchantId, account: &str, livemode: bool, created: AccountTime) -> Self {
        Self {
            account: account.to_owned(),
            merchant: platform,
            version: 1,
            livemode,
            created,
            deleted: false,
            capabilities: BTreeMap::new(),
            external_accounts: Vec::new(),
            metadata: BTreeMap::new(),
            given: Given::nothing(),
        }
    }

    /// Whether a text may be the id of one: `acct_` and letters and digits.
    pub fn is_id(given: &str) -> bool {
        given.strip_prefix(MerchantId::PREFIX).is_some_and(|rest| {
            !rest.is_empty()
                && given.len() <= ID_CHARS_MAX
                && rest.bytes().all(|byte| byte.is_ascii_alphanumeric())
        })
    }

    /// The number of the row of an id: its own, or one that follows from the text.
    pub fn number_of(account: &str) -> u64 {
        let chosen = |_| hash_number(&[b"connected account", account.as_bytes()]);
        account.parse().map_or_else(chosen, MerchantId::number)
    }

    /// The merchant that it acts as.
    pub fn acts_as(&self) -> MerchantId {
        MerchantId::of_connected(self.merchant, &self.account)
    }

    /// The row that says whose it is.
    pub fn tie(&self) -> PlatformTie {
        PlatformTie {
            merchant: self.acts_as(),
            version: 1,
            created: self.created,
            platform: self.merchant,
            account: self.account.clone(),
        }
    }

    /// Whether it may take payments.
    pub fn charges_enabled(&self) -> bool {
        self.capabilities.iter().any(|(name, active)| *active && name.ends_with("_payments"))
    }

    /// Whether it may be paid out to.
    pub fn payouts_enabled(&self) -> bool {
        self.capabilities.values().any(|active| *active) && !self.external_accounts.is_empty()
    }

    /// Adds where it is paid out to. The first of a currency is its default; a later one becomes
    /// it when it says so.
    pub fn add_external_account(&mut self, mut added: ExternalAccount) {
        let first = !self.external_accounts.iter().any(|held| held.currency == added.currency);
        added.default_for_currency |= first;
        let (id, default) = (added.id, added.default_for_currency);
        self.external_accounts.push(added);
        if default {
            self.make_default(id);
        }
    }

    /// Makes one the default of its currency in place of the one that was.
    pub fn make_default(&mut self, id: BankAccountId) {
        let chosen = self.external_accounts.iter().find(|held| held.id == id);
        let Some(currency) = chosen.map(|chosen| chosen.currency.clone()) else {
            unreachable!("callers choose one of the account's own external accounts")
        };
        for held in &mut self.external_accounts {
            if held.currency == currency {
                held.default_for_currency = held.id == id;
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

    /// Ids are Stripe's form and nothing else.
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

    /// A currency has one default from its first account on.
    #[test]
    fn a_currency_has_one_default() {
        let mut account =
            ConnectedAccount::of(MerchantId::from_number(1), "acct_1", false, AccountTime(0));
        let defaults = |account: &ConnectedAccount| {
            let held = account.external_accounts.iter();
            held.filter(|held| held.default_for_currency)
                .map(|held| held.id.number())
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
