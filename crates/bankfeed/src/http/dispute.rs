//! Disputes.

use super::call::{Call, Outcome};
use super::product::take_created;
use engine::dispute::DisputeFilter;
use wire::list::take_page;
use wire::render::dispute::{FIELDS, LIST_FIELDS};

pub(super) async fn retrieve(call: Call) -> Outcome {
    let call = call.ready(FIELDS)?;
    Ok(call.engine.retrieve_dispute(&call.context, call.id()).await?)
}

pub(super) async fn list(mut call: Call) -> Outcome {
    let params = &mut call.params;
    let filter = DisputeFilter {
        charge: params.text("charge")?,
        payment_intent: params.text("payment_intent")?,
        created: take_created(params)?,
        page: take_page(params)?,
    };
    let call = call.ready(LIST_FIELDS)?;
    Ok(call.engine.list_disputes(&call.context, &filter).await?)
}
