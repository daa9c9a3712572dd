//! `/v1/financial_connections/transactions`.

use super::customer::bounds;
use crate::http::call::{Call, Outcome};
use engine::connections::transaction::TransactionFilter;
use wire::expand::Returns;
use wire::list::take_page;
use wire::params::Params;

pub(in crate::http) async fn list(mut call: Call) -> Outcome {
    let params = &mut call.params;
    let filter = TransactionFilter {
        account: params.need("account", Params::text)?,
        transacted_at: bounds(params.range("transacted_at")?),
        after: match params.hash("transaction_refresh")? {
            Some(mut refresh) => {
                let after = refresh.need("after", Params::text)?;
                refresh.finish()?;
                Some(after)
            }
            None => None,
        },
        page: take_page(params)?,
    };
    let call = call.ready(Returns::Nothing)?;
    Ok(call.engine.list_transactions(&call.context, &filter).await?)
}

pub(in crate::http) async fn retrieve(call: Call) -> Outcome {
    let call = call.ready(Returns::Nothing)?;
    Ok(call.engine.retrieve_transaction(&call.context, call.id()).await?)
}
