//! Transactions: the feed that followers read.

use crate::account::{permitted, readable};
use crate::{Answer, Context, Engine, Error};
use model::account::{Account, AccountStatus};
use model::bank::Feature;
use model::id::{RefreshId, TransactionId};
use store::{Bounds, Cursor, FindAccount, FindTransaction, ListTransactions, Page};
use wire::error::Error as Refusal;
use wire::json::JsonWriter;
use wire::list::{PageParams, write_list};
use wire::render::transaction::{BYTES_TYPICAL, Renderer};

/// Which transactions a list holds.
#[derive(Clone, Debug)]
pub struct TransactionFilter {
    /// Of which account.
    pub account: String,
    /// Those that took place within, by the bank's time.
    pub transacted_at: Bounds,
    /// Those that a refresh after this one created or changed.
    pub after: Option<String>,
    /// Which page.
    pub page: PageParams,
}

impl Engine {
    /// Lists an account's transactions.
    pub async fn list_transactions(
        &self,
        context: &Context,
        filter: &TransactionFilter,
    ) -> Result<Answer, Error> {
        let account = self.get_account(context, &filter.account, "account").await?;
        readable(&account)?;
        permitted(&account, Feature::Transactions, "account")?;
        // A refresh of another account is a fault of the request whatever the state of this one;
        // followers start over on it.
        let after = match &filter.after {
            Some(given) => Some(known_refresh(&account, given)?),
            None => None,
        };
        if !account.transactions_listable {
            let message = "No refresh of this account's transactions has succeeded yet.";
            let code = "financial_connections_no_successful_transaction_refresh";
            return Err(Refusal::invalid(message).code(code).into());
        }
        let list = ListTransactions {
            merchant: context.merchant,
            account: account.id,
            transacted_at: filter.transacted_at,
            after,
            page: self.transaction_page(context, &account, &filter.page).await?,
        };
        let listed = self.store.read(list).await?;
        let mut writer = JsonWriter::with_capacity(256 + listed.items.len() * BYTES_TYPICAL);
        let url = "/v1/financial_connections/transactions";
        let mut renderer = Renderer::new(account.livemode);
        write_list(&mut writer, url, listed.has_more, &listed.items, |w, row| {
            renderer.write(w, row);
        });
        Ok(Answer::unchanged(writer.into_bytes()))
    }

    /// Shows a transaction.
    pub async fn retrieve_transaction(
        &self,
        context: &Context,
        given: &str,
    ) -> Result<Answer, Error> {
        let missing = || {
            Error::from(Refusal::no_such("Financial Connections transaction", given, "transaction"))
        };
        let id: TransactionId = given.parse().map_err(|_| missing())?;
        let find = FindAccount { merchant: context.merchant, account: id.account };
        let account = self.store.read(find).await?.ok_or_else(missing)?;
        let find = FindTransaction { merchant: context.merchant, transaction: id };
        let row = self.store.read(find).await?.ok_or_else(missing)?;
        if account.status == AccountStatus::Disconnected {
            let message = "The account was disconnected, so its data can no longer be read.";
            let code = "financial_connections_account_inactive";
            return Err(Refusal::invalid(message).code(code).param("transaction").into());
        }
        let body = crate::context::render(|w| {
            wire::render::transaction::write(w, &row, account.livemode);
        });
        Ok(Answer::unchanged(body))
    }

    async fn transaction_page(
        &self,
        context: &Context,
        account: &Account,
        page: &PageParams,
    ) -> Result<Page<TransactionId>, Error> {
        let (given, param) = match (&page.starting_after, &page.ending_before) {
            (Some(given), _) => (given, "starting_after"),
            (None, Some(given)) => (given, "ending_before"),
            (None, None) => return Ok(Page { limit: page.limit, cursor: Cursor::Newest }),
        };
        let what = "Financial Connections transaction";
        let missing = || Error::from(Refusal::no_such(what, given, param).status(400));
        let transaction: TransactionId = given.parse().map_err(|_| missing())?;
        if transaction.account != account.id {
            return Err(missing());
        }
        let find = FindTransaction { merchant: context.merchant, transaction };
        self.store.read(find).await?.ok_or_else(missing)?;
        let cursor = if page.starting_after.is_some() {
            Cursor::After(transaction)
        } else {
            Cursor::Before(transaction)
        };
        Ok(Page { limit: page.limit, cursor })
    }
}

/// The sequence of a refresh of this account, succeeded or not, however old.
fn known_refresh(account: &Account, given: &str) -> Result<u32, Error> {
    let newest = account.transaction_refresh.as_ref().map_or(0, |state| state.sequence);
    given
        .parse::<RefreshId>()
        .ok()
        .filter(|refresh| refresh.account == account.id)
        .map(|refresh| refresh.sequence)
        .filter(|sequence| (1..=newest).contains(sequence))
        .ok_or_else(|| {
            let param = "transaction_refresh[after]";
            Refusal::no_such("transaction refresh", given, param).into()
        })
}
