//! `/v1/financial_connections/authorizations`.

use crate::http::call::{Call, Outcome};
use wire::expand::Returns;

pub(in crate::http) async fn retrieve(call: Call) -> Outcome {
    let call = call.ready(Returns::Object("financial_connections.authorization"))?;
    Ok(call.engine.retrieve_authorization(&call.context, call.id()).await?)
}
