//! Transactions: the feed that followers read.

use crate::connections::account::{no_such_account, permitted};
use crate::observer::{CallFact, PageStart, TransactionsPage};
use crate::{ApiResponse, Context, Engine, Error};
use model::account::{AccountStatus, ListableAccount, Permission};
use model::bank::Feature;
use model::id::{AccountId, RefreshId, TransactionId};
use store::{
    Bounds, Cursor, FindAccount, FindTransaction, ListTransactions, ListedTransactions, Page,
};
use wire::error::Error as ApiError;
use wire::json::JsonWriter;
use wire::list::{PageParams, write_list};
use wire::render::connections::transaction::{BYTES_TYPICAL, Renderer};

/// The filter of a list of transactions.
#[derive(Clone, Debug)]
pub struct TransactionFilter {
    /// The account's id.
    pub account: String,
    /// Those that took place within, by the bank's time.
    pub transacted_at: Bounds,
    /// Those that a refresh after this one created or changed.
    pub after: Option<String>,
    /// The page of the list.
    pub page: PageParams,
}

impl Engine {
    /// Lists an account's transactions.
    pub async fn list_transactions(
        &self,
        context: &Context,
        filter: &TransactionFilter,
    ) -> Result<ApiResponse, Error> {
        self.check_registered(context, [Permission::Transactions]).await?;
        let missing = || no_such_account(&filter.account, "account");
        let id: AccountId = filter.account.parse().map_err(|_| missing())?;
        let after = filter.after.as_deref().and_then(|id_text| refresh_of(id, id_text));
        let is_known = after.is_some() == filter.after.is_some();
        let Some(cursor) = row_cursor(id, &filter.page).filter(|_| is_known) else {
            // The request names a row or a refresh of another account, so no page is read. Errors
            // about the account itself come first.
            let find = FindAccount { merchant: context.merchant, account: id };
            let account = self.store.read(find).await?.ok_or_else(missing)?;
            let account = ListableAccount::from(&account);
            self.check_listable(context, id, &account, filter, after)?;
            return Err(no_such_row(&filter.page));
        };
        // Account and page are read together, because followers list again and again.
        let list = ListTransactions {
            merchant: context.merchant,
            account: id,
            transacted_at: filter.transacted_at,
            after: after.map(|after| after.sequence),
            page: Page { limit: filter.page.limit, cursor },
        };
        let ListedTransactions { account, page: listed } =
            self.store.read(list).await?.ok_or_else(missing)?;
        self.check_listable(context, id, &account, filter, after)?;
        self.find_edge(context, &filter.page, cursor).await?;
        let mut writer = JsonWriter::with_capacity(256 + listed.items.len() * BYTES_TYPICAL);
        let url = "/v1/financial_connections/transactions";
        let mut renderer = Renderer::new(account.livemode);
        write_list(&mut writer, url, listed.has_more, &listed.items, |w, row| {
            renderer.write(w, row);
        });
        let shown = TransactionsPage {
            after: after.map(|after| after.sequence),
            transacted_at: filter.transacted_at,
            from: match cursor {
                Cursor::After(row) => PageStart::After(row),
                Cursor::Before(row) => PageStart::Before(row),
                Cursor::Newest => PageStart::Newest,
            },
            first: listed.items.first().map(|row| row.id),
            last: listed.items.last().map(|row| row.id),
            latest: listed.items.iter().map(|row| row.transacted_at.0).max(),
            has_more: listed.has_more,
            ended: ended(&account),
            pending: pending(&account),
        };
        self.emit_call(context, Some(id), CallFact::TransactionsListed(shown));
        Ok(ApiResponse::unchanged(writer.into_bytes()))
    }

    /// Shows a transaction.
    pub async fn retrieve_transaction(
        &self,
        context: &Context,
        id_text: &str,
    ) -> Result<ApiResponse, Error> {
        self.check_registered(context, [Permission::Transactions]).await?;
        let missing = || {
            Error::from(ApiError::no_such(
                "Financial Connections transaction",
                id_text,
                "transaction",
            ))
        };
        let id: TransactionId = id_text.parse().map_err(|_| missing())?;
        let find = FindAccount { merchant: context.merchant, account: id.account };
        let account = self.store.read(find).await?.ok_or_else(missing)?;
        let find = FindTransaction { merchant: context.merchant, transaction: id };
        let row = self.store.read(find).await?.ok_or_else(missing)?;
        if account.status == AccountStatus::Disconnected {
            let message = "The account was disconnected, so its data can no longer be read.";
            let code = "financial_connections_account_inactive";
            return Err(ApiError::invalid(message).code(code).param("transaction").into());
        }
        let body = crate::context::render(|w| {
            wire::render::connections::transaction::write(w, &row, account.livemode);
        });
        self.emit_call(context, Some(id.account), CallFact::DataShown);
        Ok(ApiResponse::unchanged(body))
    }

    /// Rejects a list if the account's transactions cannot be read, or not after this refresh.
    fn check_listable(
        &self,
        context: &Context,
        id: AccountId,
        account: &ListableAccount,
        filter: &TransactionFilter,
        after: Option<RefreshId>,
    ) -> Result<(), Error> {
        self.check_readable(context, id, account.status)?;
        permitted(&account.permissions, Feature::Transactions, "account")?;
        // A refresh of another account is an error of the request, in whatever state this account
        // is. Followers start over on it.
        if let Some(text) = &filter.after {
            known_refresh(account, after, text)?;
        }
        if !account.transactions_listable {
            let fact =
                CallFact::TransactionsNotReady { ended: ended(account), pending: pending(account) };
            self.emit_call(context, Some(id), fact);
            let message = "No refresh of this account's transactions has succeeded yet.";
            let code = "financial_connections_no_successful_transaction_refresh";
            return Err(ApiError::invalid(message).code(code).into());
        }
        Ok(())
    }

    /// Checks that the cursor of a page names a stored row.
    async fn find_edge(
        &self,
        context: &Context,
        page: &PageParams,
        cursor: Cursor<TransactionId>,
    ) -> Result<(), Error> {
        let (Cursor::After(transaction) | Cursor::Before(transaction)) = cursor else {
            return Ok(());
        };
        let find = FindTransaction { merchant: context.merchant, transaction };
        self.store.read(find).await?.ok_or_else(|| no_such_row(page))?;
        Ok(())
    }
}

/// The API error about a cursor that is no row of the account.
fn no_such_row(page: &PageParams) -> Error {
    let Some((id, param)) = edge(page) else { unreachable!("a page without a cursor is found") };
    ApiError::no_such("Financial Connections transaction", id, param).status(400).into()
}

/// The row that a page begins or ends at, and the name of its parameter.
fn edge(page: &PageParams) -> Option<(&str, &'static str)> {
    match (&page.starting_after, &page.ending_before) {
        (Some(id), _) => Some((id, "starting_after")),
        (None, Some(id)) => Some((id, "ending_before")),
        (None, None) => None,
    }
}

/// The sequence of the pending refresh.
fn pending(account: &ListableAccount) -> Option<u32> {
    let newest = account.transaction_refresh.as_ref();
    newest.filter(|newest| newest.is_pending()).map(|newest| newest.sequence)
}

/// The sequence of the newest refresh that has ended, or 0.
fn ended(account: &ListableAccount) -> u32 {
    let newest = account.transaction_refresh.as_ref();
    newest.map_or(0, |newest| newest.sequence.saturating_sub(u32::from(newest.is_pending())))
}

/// The cursor of a page, or `None` if it is no row of this account.
fn row_cursor(account: AccountId, page: &PageParams) -> Option<Cursor<TransactionId>> {
    let Some((id, _)) = edge(page) else { return Some(Cursor::Newest) };
    let row: TransactionId = id.parse().ok()?;
    let cursor =
        if page.starting_after.is_some() { Cursor::After(row) } else { Cursor::Before(row) };
    (row.account == account).then_some(cursor)
}

/// The refresh of an id, if it is one of this account.
fn refresh_of(account: AccountId, id: &str) -> Option<RefreshId> {
    id.parse().ok().filter(|refresh: &RefreshId| refresh.account == account)
}

/// Rejects a refresh that this account never had. Its age and its outcome do not matter.
fn known_refresh(
    account: &ListableAccount,
    refresh: Option<RefreshId>,
    id: &str,
) -> Result<(), Error> {
    if refresh.is_some_and(|refresh| account.has_refresh(refresh.sequence)) {
        return Ok(());
    }
    Err(ApiError::no_such("transaction refresh", id, "transaction_refresh[after]").into())
}
