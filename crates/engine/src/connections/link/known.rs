//! Returning holders: the accounts that are known by an e-mail address. These are the active
//! accounts of the merchant's customers with that address, and those of flows in which the holder
//! chose to save them under it.

use super::complete::is_of;
use crate::{Engine, Error};
use model::account::{Account, Holder};
use model::customer::Customer;
use model::id::{AccountId, MerchantId};
use model::limits::{KNOWN_CUSTOMERS_MAX, LINKED_ACCOUNTS_MAX, PAGE_ROWS_MAX};
use model::link::{LinkFlow, Offer};
use store::{AccountsOf, Cursor, ListAccounts, ObjectsOf, Page};

impl Engine {
    /// The accounts known by an address, the newest first.
    pub(super) async fn known_accounts(
        &self,
        merchant: MerchantId,
        email: &str,
    ) -> Result<Vec<Offer>, Error> {
        let mut of = Vec::new();
        let mut linked: Vec<AccountId> = Vec::new();
        let limit = KNOWN_CUSTOMERS_MAX;
        let with_email = || ObjectsOf::Lookup(email.to_owned());
        for customer in self.newest::<Customer>(merchant, with_email(), limit).await? {
            of.push(AccountsOf::Holder(Holder::Customer(customer.id)));
        }
        for flow in self.newest::<LinkFlow>(merchant, with_email(), limit).await? {
            linked.extend(flow.run.accounts);
        }
        linked.truncate(LINKED_ACCOUNTS_MAX);
        if !linked.is_empty() {
            of.push(AccountsOf::Ids(linked));
        }
        let mut offers: Vec<Offer> = Vec::new();
        for of in of {
            let page = Page { limit: PAGE_ROWS_MAX, cursor: Cursor::Newest };
            let list = ListAccounts { merchant, of, page };
            for account in self.store.read(list).await?.items {
                let there = offers.iter().any(|offer| is_of(&account, offer));
                if account.is_active() && !there && offers.len() < LINKED_ACCOUNTS_MAX {
                    offers.extend(self.known_account(account).await?);
                }
            }
        }
        Ok(offers)
    }

    /// An account as it was linked.
    pub(crate) async fn known_account(&self, account: Account) -> Result<Option<Offer>, Error> {
        let Some(connection) = self.connection_of(&account).await? else { return Ok(None) };
        Ok(Some(Offer {
            institution: account.institution,
            name: account.display_name.unwrap_or_else(|| account.institution_name.clone()),
            institution_name: account.institution_name,
            bank_account: account.bank_account,
            category: account.category,
            subcategory: account.subcategory,
            last4: account.last4,
            supported_payment_method_types: account.supported_payment_method_types,
            preselected: false,
            credential: connection.credential,
        }))
    }
}
