//! `/v1/webhook_endpoints`.

use crate::http::call::{Call, Outcome};
use engine::events::endpoint::EndpointInput;
use model::endpoint::EventPayload;
use model::limits::{ENABLED_EVENTS_MAX, SECRET_ROLL_MS_MAX, TEXT_CHARS_MAX};
use wire::error::Error;
use wire::event_names::check_names;
use wire::expand::Returns;
use wire::list::take_page;
use wire::params::{Params, without_repeats};
use wire::version::Version;

pub(in crate::http) async fn create(mut call: Call) -> Outcome {
    let params = &mut call.params;
    let url = params.need("url", Params::text)?;
    let enabled_events = params.need("enabled_events", take_events)?;
    let version = match params.text("api_version")? {
        Some(text) => Some(Version::parse(&text).map_err(|error| error.param("api_version"))?),
        None => None,
    };
    let input = EndpointInput {
        connect: params.boolean("connect")?.unwrap_or(false),
        url: Some(url),
        enabled_events: Some(enabled_events),
        api_version: version.map(|version| version.as_str().to_owned()),
        ..take_common(params)?
    };
    let call = call.ready(Returns::Nothing)?;
    Ok(call.engine.create_endpoint(&call.context, &input).await?)
}

pub(in crate::http) async fn retrieve(call: Call) -> Outcome {
    let call = call.ready(Returns::Nothing)?;
    Ok(call.engine.retrieve_endpoint(&call.context, call.id()).await?)
}

pub(in crate::http) async fn update(mut call: Call) -> Outcome {
    let params = &mut call.params;
    let input = EndpointInput {
        url: params.text("url")?,
        enabled_events: take_events(params, "enabled_events")?,
        disabled: params.boolean("disabled")?,
        ..take_common(params)?
    };
    let call = call.ready(Returns::Nothing)?;
    Ok(call.engine.update_endpoint(&call.context, call.id(), &input).await?)
}

pub(in crate::http) async fn delete(call: Call) -> Outcome {
    let call = call.ready(Returns::Nothing)?;
    Ok(call.engine.delete_endpoint(&call.context, call.id()).await?)
}

pub(in crate::http) async fn list(mut call: Call) -> Outcome {
    let page = take_page(&mut call.params)?;
    let call = call.ready(Returns::Nothing)?;
    Ok(call.engine.list_endpoints(&call.context, &page).await?)
}

pub(in crate::http) async fn roll_secret(mut call: Call) -> Outcome {
    let seconds_max = SECRET_ROLL_MS_MAX / 1_000;
    let expires_after_s = call.params.integer_within("expires_after_seconds", 0, seconds_max)?;
    let call = call.ready(Returns::Nothing)?;
    Ok(call.engine.roll_endpoint(&call.context, call.id(), expires_after_s).await?)
}

fn take_common(params: &mut Params) -> Result<EndpointInput, Error> {
    Ok(EndpointInput {
        description: params.unsettable_text("description", TEXT_CHARS_MAX)?,
        metadata: params.metadata()?,
        ..EndpointInput::default()
    })
}

/// Takes event names. Any name of Stripe's is accepted, also of an event that this server does not
/// emit, so that an endpoint for all events of a merchant works unchanged.
fn take_events(params: &mut Params, name: &'static str) -> Result<Option<Vec<String>>, Error> {
    let path = params.path_of(name);
    let Some(events) = params.texts(name)? else { return Ok(None) };
    if events.len() > ENABLED_EVENTS_MAX {
        let message = format!("An endpoint names at most {ENABLED_EVENTS_MAX} event types.");
        return Err(Error::invalid(message).param(path));
    }
    check_names(&events, EventPayload::Snapshot, &path)?;
    Ok(Some(without_repeats(events)))
}
