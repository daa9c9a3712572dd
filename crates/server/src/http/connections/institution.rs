//! `/v1/financial_connections/institutions`.

use crate::http::call::{Call, Outcome};
use model::id::InstitutionId;
use wire::error::Error;
use wire::expand::Returns;
use wire::list::take_page;

pub(in crate::http) async fn list(mut call: Call) -> Outcome {
    let page = take_page(&mut call.params)?;
    let call = call.ready(Returns::Nothing)?;
    Ok(call.engine.list_institutions(&call.context, &page).await?)
}

pub(in crate::http) async fn retrieve(call: Call) -> Outcome {
    let call = call.ready(Returns::Nothing)?;
    Ok(call.engine.retrieve_institution(&call.context, call.id()).await?)
}

/// Reads the id of the bank to which a holder is sent.
pub(in crate::http) fn read_id(text: &str, param: &str) -> Result<InstitutionId, Error> {
    text.parse().map_err(|_| Error::no_such_institution(text, param))
}
