//! Inferred balances. They are computed at each read from the balance of the last refresh and the
//! stored transactions ([`model::inferred_balance`]).

use crate::connections::account::permitted;
use crate::context::render;
use crate::list::{list_body, page_by_id};
use crate::observer::CallFact;
use crate::{ApiResponse, Context, Engine, Error};
use model::account::{Account, permissions_for};
use model::bank::Feature;
use model::clock::{AccountTime, DAY_S};
use model::inferred_balance::{InferredBalance, inferred_balances};
use model::limits::INFERRED_DAYS_MAX;
use store::FindStoredTransactions;
use wire::list::PageParams;
use wire::render::connections::inferred_balance::write;

/// The days by which a transaction may be posted after its own time.
const POSTED_DAYS_MAX: i64 = 30;

impl Engine {
    /// Lists the inferred balances of an account, the newest first.
    pub async fn list_inferred_balances(
        &self,
        context: &Context,
        id: &str,
        page: &PageParams,
    ) -> Result<ApiResponse, Error> {
        let needed = permissions_for(Feature::InferredBalances).iter().copied();
        self.check_registered(context, needed).await?;
        let account = self.get_account(context, id, "account").await?;
        self.check_readable(context, account.id, account.status)?;
        permitted(&account.permissions, Feature::InferredBalances, "account")?;
        let Account { merchant, id, .. } = account;
        let until = account.inferred_from.as_ref().map_or(AccountTime(0), |from| from.until);
        let from = AccountTime(until.0 - (INFERRED_DAYS_MAX + POSTED_DAYS_MAX) * DAY_S);
        let range = Some((from, AccountTime(i64::MAX)));
        let find = FindStoredTransactions { merchant, account: id, bank_ids: Vec::new(), range };
        let rows = self.store.read(find).await?.into_iter().map(|row| row.shown);
        let balances = inferred_balances(&account, &rows.collect::<Vec<_>>());
        let has_id = |balance: &InferredBalance, id: &str| balance.id.to_string() == id;
        let (shown, has_more) = page_by_id(&balances, has_id, page, "inferred balance")?;
        let bodies = shown.iter().map(|balance| render(|w| write(w, balance)));
        let bodies: Vec<Vec<u8>> = bodies.collect();
        let url = format!("/v1/financial_connections/accounts/{id}/inferred_balances");
        let body = list_body(&url, has_more, &bodies);
        self.emit_call(context, Some(id), CallFact::DataShown);
        Ok(ApiResponse::unchanged(body))
    }
}
