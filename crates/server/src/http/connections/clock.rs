//! `/v1/test_helpers/test_clocks`.

use crate::http::call::{Call, Outcome};
use crate::http::events::event::find_timeout;
use engine::ApiResponse;
use model::limits::EVENT_WAIT_S_DEFAULT;
use wire::error::Error;
use wire::expand::Returns;
use wire::list::take_page;
use wire::params::Params;

const NAME_CHARS_MAX: usize = 300;
/// The last second of the year 9999, so that the sum of a time and a bounded span never overflows.
const TIME_MAX: i64 = 253_402_300_799;

pub(in crate::http) async fn create(mut call: Call) -> Outcome {
    let frozen_time = take_time(&mut call.params)?;
    let name = call.params.text_up_to("name", NAME_CHARS_MAX)?;
    if call.params.text("customer")?.is_some() {
        // An API error is better than a customer that silently runs on real time.
        let message = "A customer hangs on a test clock from its creation: pass test_clock to \
                       POST /v1/customers instead.";
        return Err(Error::invalid(message).param("customer").into());
    }
    let call = call.ready(Returns::Nothing)?;
    Ok(call.engine.create_clock(&call.context, frozen_time, name).await?)
}

pub(in crate::http) async fn retrieve(call: Call) -> Outcome {
    let call = call.ready(Returns::Nothing)?;
    Ok(call.engine.retrieve_clock(&call.context, call.id()).await?)
}

pub(in crate::http) async fn list(mut call: Call) -> Outcome {
    let page = take_page(&mut call.params)?;
    let call = call.ready(Returns::Nothing)?;
    Ok(call.engine.list_clocks(&call.context, &page).await?)
}

pub(in crate::http) async fn advance(mut call: Call) -> Outcome {
    let frozen_time = take_time(&mut call.params)?;
    let waits = call.params.boolean("wait")?.unwrap_or(false);
    let timeout_s = find_timeout(&mut call.params)?;
    if !waits && timeout_s.is_some() {
        let message = "timeout needs wait=true, because the call does not wait otherwise.";
        return Err(Error::invalid(message).param("timeout").into());
    }
    let call = call.ready(Returns::Nothing)?;
    let advancing = call.engine.advance_clock(&call.context, call.id(), frozen_time).await?;
    if !waits {
        return Ok(advancing);
    }
    let timeout_s = timeout_s.unwrap_or(EVENT_WAIT_S_DEFAULT.unsigned_abs());
    let settled = call.lab.wait_for_clock(&call.context, call.id(), timeout_s);
    // The record of an idempotency key is that of the advance, which has begun.
    Ok(ApiResponse { recorded: true, ..Box::pin(settled).await? })
}

pub(in crate::http) async fn delete(call: Call) -> Outcome {
    let call = call.ready(Returns::Nothing)?;
    Ok(call.engine.delete_clock(&call.context, call.id()).await?)
}

fn take_time(params: &mut Params) -> Result<i64, wire::error::Error> {
    params.need("frozen_time", |params, name| params.integer_within(name, 0, TIME_MAX))
}
