//! Disputes.

use crate::http::call::{Call, Outcome};
use crate::http::extra_params::take_created;
use engine::payments::dispute::DisputeFilter;
use wire::expand::Returns;
use wire::list::take_page;

pub(in crate::http) async fn retrieve(call: Call) -> Outcome {
    let call = call.ready(Returns::Object("dispute"))?;
    Ok(call.engine.retrieve_dispute(&call.context, call.id()).await?)
}

pub(in crate::http) async fn list(mut call: Call) -> Outcome {
    let params = &mut call.params;
    let filter = DisputeFilter {
        charge: params.text("charge")?,
        payment_intent: params.text("payment_intent")?,
        created: take_created(params)?,
        page: take_page(params)?,
    };
    let call = call.ready(Returns::List("dispute"))?;
    Ok(call.engine.list_disputes(&call.context, &filter).await?)
}
