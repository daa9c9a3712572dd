//! Linking again: the authorization that a session renews, and the accounts that this helps.
//!
//! The flow is that of any session, begun at the bank of the authorization
//! ([`link`](crate::connections::link)). Its accounts keep the authorization.

use crate::connections::carrier::LinkRequirements;
use crate::{Context, Engine, Error};
use model::account::{Account, AccountStatus, StatusAction};
use model::id::{AuthorizationId, MerchantId};
use model::limits::PAGE_ROWS_MAX;
use model::link::Offer;
use model::session::Relink;
use store::{AccountsOf, Cursor, ListAccounts, Page};
use wire::error::Error as ApiError;

/// The relink params of a create.
#[derive(Clone, Debug)]
pub struct RelinkInput {
    /// The authorization, by its id.
    pub authorization: String,
    /// The only account of it to renew.
    pub account: Option<String>,
}

const AUTHORIZATION: &str = "relink_options[authorization]";
const ACCOUNT: &str = "relink_options[account]";

impl Engine {
    /// The authorization that a session renews, and one of its accounts. `hosted` is true for a
    /// session on a page of this server, which accepts only accounts that need it.
    pub(crate) async fn find_relink(
        &self,
        context: &Context,
        input: &RelinkInput,
        hosted: bool,
    ) -> Result<(Relink, Account), Error> {
        let missing = || {
            let what = "Financial Connections authorization";
            Error::from(ApiError::no_such(what, &input.authorization, AUTHORIZATION))
        };
        let authorization = input.authorization.parse().map_err(|_| missing())?;
        let mut accounts = self.accounts_of_authorization(context.merchant, authorization).await?;
        if accounts.is_empty() {
            return Err(missing());
        }
        let mut wanted = None;
        if let Some(id) = &input.account {
            let account = self.get_account(context, id, ACCOUNT).await?;
            if account.authorization != authorization {
                let message = "This account does not belong to the authorization given.";
                return Err(ApiError::invalid(message).param(ACCOUNT).into());
            }
            wanted = Some((account.id, account.bank_account.clone()));
            accounts = vec![account];
        }
        let param = if wanted.is_some() { ACCOUNT } else { AUTHORIZATION };
        accounts.retain(helps);
        let Some(first) = accounts.first().cloned() else {
            let message =
                "Linking again does not help: nothing here is active or says relink_required.";
            return Err(ApiError::invalid(message).param(param).into());
        };
        if hosted && !accounts.iter().any(needs_it) {
            let message = "A hosted session relinks only accounts that are inactive or have an account \
                           number that expires within 30 days.";
            return Err(ApiError::invalid(message).param(param).into());
        }
        let institution = first.institution;
        let (account, bank_account) = wanted.unzip();
        Ok((Relink { authorization, account, bank_account, institution, failure: None }, first))
    }

    /// The accounts of an authorization, the newest first.
    pub(crate) async fn accounts_of_authorization(
        &self,
        merchant: MerchantId,
        authorization: AuthorizationId,
    ) -> Result<Vec<Account>, Error> {
        let of = AccountsOf::Authorization(authorization);
        let page = Page { limit: PAGE_ROWS_MAX, cursor: Cursor::Newest };
        Ok(self.store.read(ListAccounts { merchant, of, page }).await?.items)
    }

    /// The accounts of the login to renew, if there is one. Accounts that it helps are preselected.
    pub(crate) async fn known_to_relink(
        &self,
        needs: &LinkRequirements,
    ) -> Result<Vec<Offer>, Error> {
        let Some(relink) = &needs.relink else { return Ok(Vec::new()) };
        let mut offers = Vec::new();
        for account in self.accounts_of_authorization(needs.merchant, relink.authorization).await? {
            let preselected = helps(&account);
            if account.status != AccountStatus::Disconnected {
                let offer = self.known_account(account).await?;
                offers.extend(offer.map(|offer| Offer { preselected, ..offer }));
            }
        }
        Ok(offers)
    }
}

/// True if linking again helps an account. An active account may share more data, or have its
/// number or its access renewed.
fn helps(account: &Account) -> bool {
    match account.status {
        AccountStatus::Active => true,
        AccountStatus::Inactive { action, .. } => action == StatusAction::RelinkRequired,
        AccountStatus::Disconnected => false,
    }
}

/// True if an account does not work, or will soon stop working.
fn needs_it(account: &Account) -> bool {
    !account.is_active() || account.account_numbers.iter().any(|number| number.announced)
}
