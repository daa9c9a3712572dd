//! `/v1/balance`.

use crate::http::call::{Call, Outcome};
use wire::expand::Returns;

pub(in crate::http) async fn retrieve(call: Call) -> Outcome {
    let call = call.ready(Returns::Nothing)?;
    Ok(call.engine.retrieve_balance(&call.context).await?)
}
