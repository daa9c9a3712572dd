//! `/v1/test_helpers/financial_connections/scenarios`, and the export of an account as a scenario.

use crate::http::call::{Call, Outcome};
use lab::ScenarioInput;
use model::limits::SCENARIO_BYTES_MAX;
use wire::error::Error;
use wire::expand::Returns;
use wire::list::take_page;

pub(in crate::http) async fn create(mut call: Call) -> Outcome {
    let params = &mut call.params;
    params.exclusive(&["scenario", "name"])?;
    let input = match (params.text_up_to("scenario", SCENARIO_BYTES_MAX)?, params.text("name")?) {
        (Some(text), _) => ScenarioInput::Text(text),
        (None, Some(name)) => ScenarioInput::Ready(name),
        (None, None) => return Err(Error::missing_param("scenario").into()),
    };
    let call = call.ready(Returns::Nothing)?;
    Ok(call.lab.create_scenario(&call.context, &input).await?)
}

pub(in crate::http) async fn retrieve(call: Call) -> Outcome {
    let call = call.ready(Returns::Nothing)?;
    Ok(call.lab.retrieve_scenario(&call.context, call.id()).await?)
}

pub(in crate::http) async fn delete(call: Call) -> Outcome {
    let call = call.ready(Returns::Nothing)?;
    Ok(call.lab.delete_scenario(&call.context, call.id()).await?)
}

pub(in crate::http) async fn list(mut call: Call) -> Outcome {
    let page = take_page(&mut call.params)?;
    let call = call.ready(Returns::Nothing)?;
    Ok(call.lab.list_scenarios(&call.context, &page).await?)
}

pub(in crate::http) async fn export(call: Call) -> Outcome {
    let call = call.ready(Returns::Nothing)?;
    Ok(call.lab.export_scenario(&call.context, call.id()).await?)
}
