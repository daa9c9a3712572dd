//! `/v1/test_helpers/test_clocks`.

use super::call::{Call, Outcome};
use wire::list::take_page;
use wire::params::Params;

const NAME_CHARS_MAX: usize = 300;
/// The last second of the year 9999, so that every sum of a time and a bounded span fits.
const TIME_MAX: i64 = 253_402_300_799;

pub(super) async fn create(mut call: Call) -> Outcome {
    let frozen_time = take_time(&mut call.params)?;
    let name = call.params.text_up_to("name", NAME_CHARS_MAX)?;
    // Stripe's clocks may name the one customer they are for; ours serve any number.
    call.params.pass_over("customer");
    let call = call.ready(&[])?;
    Ok(call.engine.create_clock(&call.context, frozen_time, name).await?)
}

pub(super) async fn retrieve(call: Call) -> Outcome {
    let call = call.ready(&[])?;
    Ok(call.engine.retrieve_clock(&call.context, call.id()).await?)
}

pub(super) async fn list(mut call: Call) -> Outcome {
    let page = take_page(&mut call.params)?;
    let call = call.ready(&[])?;
    Ok(call.engine.list_clocks(&call.context, &page).await?)
}

pub(super) async fn advance(mut call: Call) -> Outcome {
    let frozen_time = take_time(&mut call.params)?;
    let call = call.ready(&[])?;
    Ok(call.engine.advance_clock(&call.context, call.id(), frozen_time).await?)
}

pub(super) async fn delete(call: Call) -> Outcome {
    let call = call.ready(&[])?;
    Ok(call.engine.delete_clock(&call.context, call.id()).await?)
}

fn take_time(params: &mut Params) -> Result<i64, wire::error::Error> {
    params.need("frozen_time", |params, name| params.integer_within(name, 0, TIME_MAX))
}
