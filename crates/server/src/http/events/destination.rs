//! `/v2/core/event_destinations`. Bodies are JSON.

use crate::http::call::{Call, Outcome};
use engine::events::destination::{DestinationInput, NewDestination};
use model::Word;
use model::endpoint::{EndpointStatus, EventPayload, EventSource};
use model::limits::{ENABLED_EVENTS_MAX, TEXT_CHARS_MAX};
use wire::error::Error;
use wire::event_names::check_names;
use wire::list::take_token_page;
use wire::params::{Params, without_repeats};
use wire::render::events::destination::{Included, WEBHOOK_ENDPOINT};
use wire::version::Version;

/// The types that Stripe has and this server lacks, with the members of their settings.
const OTHER_TYPES: [&str; 2] = ["amazon_eventbridge", "azure_event_grid"];
const URL: &str = "webhook_endpoint.url";
const SIGNING_SECRET: &str = "webhook_endpoint.signing_secret";

pub(in crate::http) async fn create(mut call: Call) -> Outcome {
    let params = &mut call.params;
    check_type(params)?;
    let payload: EventPayload = params.need("event_payload", Params::choice)?;
    let new = NewDestination {
        payload,
        events_from: take_sources(params)?,
        api_version: take_version(params, payload)?,
    };
    let name = params.need("name", take_name)?;
    let enabled_events = params.need("enabled_events", take_names)?;
    check_names(&enabled_events, payload, "enabled_events")?;
    let input = DestinationInput {
        name: Some(name),
        enabled_events: Some(enabled_events),
        url: Some(params.need(WEBHOOK_ENDPOINT, take_url)?),
        ..take_common(params)?
    };
    let included = take_included(params, &[SIGNING_SECRET, URL])?;
    let call = call.ready_in_second_version()?;
    Ok(call.engine.create_destination(&call.context, &new, &input, included).await?)
}

pub(in crate::http) async fn list(mut call: Call) -> Outcome {
    let page = take_token_page(&mut call.params)?;
    let included = take_included(&mut call.params, &[URL])?;
    let call = call.ready_in_second_version()?;
    Ok(call.engine.list_destinations(&call.context, &page, included).await?)
}

pub(in crate::http) async fn retrieve(mut call: Call) -> Outcome {
    let included = take_included(&mut call.params, &[URL])?;
    let call = call.ready_in_second_version()?;
    Ok(call.engine.retrieve_destination(&call.context, call.id(), included).await?)
}

pub(in crate::http) async fn update(mut call: Call) -> Outcome {
    let params = &mut call.params;
    let input = DestinationInput {
        name: take_name(params, "name")?,
        enabled_events: take_names(params, "enabled_events")?,
        url: take_url(params, WEBHOOK_ENDPOINT)?,
        ..take_common(params)?
    };
    let included = take_included(params, &[URL])?;
    let call = call.ready_in_second_version()?;
    Ok(call.engine.update_destination(&call.context, call.id(), &input, included).await?)
}

pub(in crate::http) async fn delete(call: Call) -> Outcome {
    let call = call.ready_in_second_version()?;
    Ok(call.engine.delete_destination(&call.context, call.id()).await?)
}

pub(in crate::http) async fn enable(call: Call) -> Outcome {
    set_status(call, EndpointStatus::Enabled).await
}

pub(in crate::http) async fn disable(call: Call) -> Outcome {
    set_status(call, EndpointStatus::Disabled).await
}

async fn set_status(mut call: Call, status: EndpointStatus) -> Outcome {
    let included = take_included(&mut call.params, &[URL])?;
    let call = call.ready_in_second_version()?;
    Ok(call.engine.set_destination_status(&call.context, call.id(), status, included).await?)
}

pub(in crate::http) async fn ping(call: Call) -> Outcome {
    let call = call.ready_in_second_version()?;
    Ok(call.engine.ping_destination(&call.context, call.id()).await?)
}

/// Takes the type, of which this server has one.
fn check_type(params: &mut Params) -> Result<(), Error> {
    let destination_type = params.need("type", Params::text)?;
    if OTHER_TYPES.contains(&destination_type.as_str()) {
        let message = format!(
            "This server sends events to webhook endpoints only, not to {destination_type}. Use \
             type=webhook_endpoint."
        );
        return Err(Error::invalid(message).param("type"));
    }
    if destination_type != WEBHOOK_ENDPOINT {
        return Err(Error::bad_choice("type", &[WEBHOOK_ENDPOINT]));
    }
    for other in OTHER_TYPES {
        if params.has(other) {
            let message = format!("A destination of the type {WEBHOOK_ENDPOINT} has no {other}.");
            return Err(Error::invalid(message).param(other));
        }
    }
    Ok(())
}

/// Takes the sources of events. The default is the merchant itself.
fn take_sources(params: &mut Params) -> Result<Vec<EventSource>, Error> {
    let name = "events_from";
    let Some(texts) = params.texts(name)? else { return Ok(vec![EventSource::Own]) };
    if texts.is_empty() {
        return Err(Error::invalid("events_from is an empty list.").param(name));
    }
    let mut sources = Vec::with_capacity(texts.len());
    for (index, text) in texts.iter().enumerate() {
        let path = format!("{name}[{index}]");
        if text.starts_with("@organization_members") {
            let message = format!("Invalid {path}: this server has no organizations.");
            return Err(Error::invalid(message).param(path));
        }
        let words: Vec<&str> = EventSource::ALL.iter().map(|source| source.word()).collect();
        let source = EventSource::from_word(text);
        sources.push(source.ok_or_else(|| Error::bad_choice(&path, &words))?);
    }
    Ok(without_repeats(sources))
}

fn take_version(params: &mut Params, payload: EventPayload) -> Result<Option<String>, Error> {
    let name = "snapshot_api_version";
    let Some(text) = params.text(name)? else { return Ok(None) };
    if payload == EventPayload::Thin {
        let message = "Thin events have no API version. Leave out snapshot_api_version, or use \
                       event_payload=snapshot.";
        return Err(Error::invalid(message).param(name));
    }
    let version = Version::parse(&text).map_err(|error| error.param(name))?;
    Ok(Some(version.as_str().to_owned()))
}

fn take_name(params: &mut Params, name: &'static str) -> Result<Option<String>, Error> {
    params.text_up_to(name, TEXT_CHARS_MAX)
}

fn take_names(params: &mut Params, name: &'static str) -> Result<Option<Vec<String>>, Error> {
    let Some(names) = params.texts(name)? else { return Ok(None) };
    if names.is_empty() {
        return Err(Error::invalid("enabled_events is an empty list.").param(name));
    }
    if names.len() > ENABLED_EVENTS_MAX {
        let message = format!("A destination names at most {ENABLED_EVENTS_MAX} event types.");
        return Err(Error::invalid(message).param(name));
    }
    Ok(Some(without_repeats(names)))
}

/// Takes the URL in the settings of a webhook endpoint.
fn take_url(params: &mut Params, name: &'static str) -> Result<Option<String>, Error> {
    let Some(mut settings) = params.hash(name)? else { return Ok(None) };
    let url = settings.need("url", Params::text)?;
    settings.finish()?;
    Ok(Some(url))
}

fn take_common(params: &mut Params) -> Result<DestinationInput, Error> {
    Ok(DestinationInput {
        description: params.unsettable_text("description", TEXT_CHARS_MAX)?,
        metadata: params.metadata()?,
        ..DestinationInput::default()
    })
}

/// Takes the parts of the response that are included.
fn take_included(params: &mut Params, known: &[&str]) -> Result<Included, Error> {
    let texts = params.texts("include")?.unwrap_or_default();
    if let Some(index) = texts.iter().position(|text| !known.contains(&text.as_str())) {
        let path = format!("include[{index}]");
        if texts[index] == SIGNING_SECRET {
            let message = "The signing secret is shown only in the response to the creation.";
            return Err(Error::invalid(message).param(path));
        }
        return Err(Error::bad_choice(&path, known));
    }
    let has = |part: &str| texts.iter().any(|text| text == part);
    Ok(Included { url: has(URL), signing_secret: has(SIGNING_SECRET) })
}
