//! `/v1/events`, and the test helpers that wait for an event and for the end of all due work.

use crate::http::call::{Call, Outcome};
use crate::http::connections::customer::bounds;
use engine::events::event::EventFilter;
use lab::{SettledFilter, WaitFilter, check_type};
use model::limits::{EVENT_WAIT_S_DEFAULT, EVENT_WAIT_S_MAX};
use wire::error::Error;
use wire::expand::Returns;
use wire::list::take_page;
use wire::params::Params;

pub(in crate::http) async fn list(mut call: Call) -> Outcome {
    let params = &mut call.params;
    params.exclusive(&["type", "types"])?;
    let one = params.text("type")?;
    let many = params.texts("types")?;
    let filter = EventFilter {
        types: one.map(|one| vec![one]).or(many).unwrap_or_default(),
        created: bounds(params.range("created")?),
        delivery_success: params.boolean("delivery_success")?,
        page: take_page(params)?,
    };
    let call = call.ready(Returns::Nothing)?;
    Ok(call.engine.list_events(&call.context, &filter).await?)
}

pub(in crate::http) async fn retrieve(call: Call) -> Outcome {
    let call = call.ready(Returns::Nothing)?;
    Ok(call.engine.retrieve_event(&call.context, call.id()).await?)
}

pub(in crate::http) async fn wait(mut call: Call) -> Outcome {
    let params = &mut call.params;
    params.exclusive(&["type", "types"])?;
    let one = params.text("type")?;
    let many = params.texts("types")?;
    if let Some(one) = &one {
        check_type(one, "type")?;
    }
    for (index, one) in many.iter().flatten().enumerate() {
        check_type(one, &format!("types[{index}]"))?;
    }
    let timeout_s = take_timeout(params)?;
    let filter = WaitFilter {
        types: one.map(|one| vec![one]).or(many).unwrap_or_default(),
        account: params.text("account")?,
        object: params.text("object")?,
        after: params.text("after")?,
        endpoint: params.text("webhook_endpoint")?,
        timeout_s,
    };
    let call = call.ready(Returns::Nothing)?;
    Ok(Box::pin(call.lab.wait_for_event(&call.context, &filter)).await?)
}

pub(in crate::http) async fn settled(mut call: Call) -> Outcome {
    let params = &mut call.params;
    params.exclusive(&["account", "clock", "customer"])?;
    let filter = SettledFilter {
        account: params.text("account")?,
        customer: params.text("customer")?,
        clock: params.text("clock")?,
        timeout_s: take_timeout(params)?,
    };
    let call = call.ready(Returns::Nothing)?;
    Ok(Box::pin(call.lab.wait_until_settled(&call.context, &filter)).await?)
}

/// The longest wait in seconds.
pub(in crate::http) fn take_timeout(params: &mut Params) -> Result<u64, Error> {
    Ok(find_timeout(params)?.unwrap_or(EVENT_WAIT_S_DEFAULT.unsigned_abs()))
}

/// Takes the longest wait in seconds, if the call sets one.
pub(in crate::http) fn find_timeout(params: &mut Params) -> Result<Option<u64>, Error> {
    let timeout = params.integer_within("timeout", 0, EVENT_WAIT_S_MAX)?;
    Ok(timeout.map(i64::unsigned_abs))
}
