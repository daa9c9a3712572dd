//! `/v1/test_helpers/snapshots` and `/v1/test_helpers/reset`.

use crate::http::call::{Call, Outcome};
use wire::expand::Returns;
use wire::list::take_page;

const NAME_CHARS_MAX: usize = 300;

pub(in crate::http) async fn create(mut call: Call) -> Outcome {
    let name = call.params.text_up_to("name", NAME_CHARS_MAX)?;
    let metadata = call.params.metadata()?.unwrap_or_default();
    let call = call.ready(Returns::Nothing)?;
    Ok(call.lab.take_snapshot(&call.context, name, &metadata).await?)
}

pub(in crate::http) async fn list(mut call: Call) -> Outcome {
    let page = take_page(&mut call.params)?;
    let call = call.ready(Returns::Nothing)?;
    Ok(call.lab.list_snapshots(&call.context, &page).await?)
}

pub(in crate::http) async fn retrieve(call: Call) -> Outcome {
    let call = call.ready(Returns::Nothing)?;
    Ok(call.lab.retrieve_snapshot(&call.context, call.id()).await?)
}

pub(in crate::http) async fn delete(call: Call) -> Outcome {
    let call = call.ready(Returns::Nothing)?;
    Ok(call.lab.delete_snapshot(&call.context, call.id()).await?)
}

pub(in crate::http) async fn restore(call: Call) -> Outcome {
    let call = call.ready(Returns::Nothing)?;
    Ok(call.lab.restore_snapshot(&call.context, call.id()).await?)
}

pub(in crate::http) async fn reset(call: Call) -> Outcome {
    let call = call.ready(Returns::Nothing)?;
    Ok(call.lab.reset_sandbox(&call.context).await?)
}
