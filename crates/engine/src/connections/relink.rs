//! Linking again: the authorization that a session renews, and the accounts that this helps.
//!
//! The flow is that of any session, begun at the bank of the authorization
//! ([`link`](crate::connections::link)). Its accounts keep the authorization.

use crate::connections::carrier::LinkRequirements;
use crate::{Context, Engine, Error};
use model::account::{Account, AccountNumber, AccountStatus, Holder, NumberType, StatusAction};
use model::clock::AccountTime;
use model::customer::Customer;
use model::id::{AuthorizationId, ClockId, MerchantId};
use model::limits::{HOSTED_RELINK_PAUSE_S, PAGE_ROWS_MAX};
use model::link::Offer;
use model::session::{Relink, Session};
use model::stored::Filter;
use store::{AccountsOf, Cursor, ListAccounts, ObjectsOf, Page};
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
            let message = "A hosted session relinks only accounts that are inactive or have a tokenized \
                           account number that expires within 30 days.";
            return Err(ApiError::invalid(message).param(param).into());
        }
        let institution = first.institution;
        let (account, bank_account) = wanted.unzip();
        Ok((Relink { authorization, account, bank_account, institution, failure: None }, first))
    }

    /// Checks that a hosted session may ask the holder to link again: the holder has an e-mail
    /// address, and no such session of the last 48 hours waits for them. Returns the numbers of the
    /// older sessions that did not succeed, unless they are too many for a precondition.
    pub(crate) async fn check_hosted_relink(
        &self,
        context: &Context,
        input: &RelinkInput,
        relink: &Relink,
        holder: (Option<&Holder>, Option<ClockId>),
    ) -> Result<Option<Vec<u64>>, Error> {
        let param = if input.account.is_some() { ACCOUNT } else { AUTHORIZATION };
        let (holder, clock) = holder;
        if !self.has_email(context, holder).await? {
            let message = "A hosted session relinks only accounts of a holder with an e-mail address. \
                           Set the email of the customer or of the connected account.";
            return Err(ApiError::invalid(message).param(param).into());
        }
        let of = ObjectsOf::value(Filter::HostedRelink, &relink.authorization);
        let earlier = self.newest::<Session>(context.merchant, of, PAGE_ROWS_MAX).await?;
        let now = self.moment(context.merchant, clock).await?.now;
        let since = AccountTime(now.0 - HOSTED_RELINK_PAUSE_S);
        if earlier.iter().any(|session| session.created > since) {
            let message = "The holder got a hosted session for these accounts within the last 48 hours. \
                           Wait until it has succeeded, or until the 48 hours have passed.";
            return Err(ApiError::invalid(message).param(param).into());
        }
        let is_complete = earlier.len() < PAGE_ROWS_MAX as usize;
        let numbers = earlier.iter().map(|session| session.id.number());
        Ok(is_complete.then(|| numbers.collect()))
    }

    /// True if a holder has an e-mail address.
    async fn has_email(&self, context: &Context, holder: Option<&Holder>) -> Result<bool, Error> {
        Ok(match holder {
            Some(Holder::Customer(id)) => {
                let customer = self.find::<Customer>(context.merchant, id.number()).await?;
                customer.is_some_and(|customer| customer.email.is_some())
            }
            Some(Holder::Account(id)) => {
                let account = self.account_value_of(context, id).await?;
                account.is_some_and(|account| account["email"].is_string())
            }
            None => false,
        })
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
    let expires = |number: &AccountNumber| {
        number.announced && number.identifier_type == NumberType::TokenizedAccountNumber
    };
    !account.is_active() || account.account_numbers.iter().any(expires)
}
