//! `/v1/test_helpers/consumer_report`: habits of a merchant's client that would lose data.

use crate::http::call::{Call, Outcome};
use wire::expand::Returns;

pub(in crate::http) async fn report(mut call: Call) -> Outcome {
    let finished = call.params.boolean("finished")?.unwrap_or(false);
    let call = call.ready(Returns::Nothing)?;
    Ok(call.lab.report_consumer(&call.context, finished))
}

pub(in crate::http) async fn reset(call: Call) -> Outcome {
    let call = call.ready(Returns::Nothing)?;
    Ok(call.lab.reset_consumer_report(&call.context))
}
