//! `/v1/webhook_endpoints`.

use crate::http::call::{Call, Outcome};
use engine::events::endpoint::EndpointInput;
use model::limits::{ENABLED_EVENTS_MAX, SECRET_ROLL_MS_MAX, TEXT_CHARS_MAX};
use wire::error::Error;
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

/// Takes event names. Stripe's list is far longer than the list of events that this server emits.
/// Any well-formed name is accepted, so that an endpoint for all events of a merchant works
/// unchanged.
fn take_events(params: &mut Params, name: &'static str) -> Result<Option<Vec<String>>, Error> {
    let path = params.path_of(name);
    let Some(events) = params.texts(name)? else { return Ok(None) };
    if events.len() > ENABLED_EVENTS_MAX {
        let message = format!("An endpoint names at most {ENABLED_EVENTS_MAX} event types.");
        return Err(Error::invalid(message).param(path));
    }
    if let Some(index) = events.iter().position(|event| !is_event_name(event)) {
        let message = format!("{} is not the name of an event type.", events[index]);
        return Err(Error::invalid(message).param(format!("{path}[{index}]")));
    }
    Ok(Some(without_repeats(events)))
}

/// True if a text is `*`, or words of lower-case letters, digits and underscores with dots between.
fn is_event_name(text: &str) -> bool {
    let word = |word: &str| {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
        !word.is_empty() && word.bytes().all(plain)
    };
    text == "*" || (text.len() <= 255 && text.contains('.') && text.split('.').all(word))
}

#[cfg(test)]
mod tests {
    use super::is_event_name;

    /// Dotted lower-case names and the star are event names; all other texts are invalid.
    #[test]
    fn tells_event_names() {
        for name in ["*", "invoice.paid", "financial_connections.account.created", "v1.a.b2"] {
            assert!(is_event_name(name), "{name}");
        }
        for name in ["", "invoice", "invoice.*", "Invoice.paid", ".paid", "a..b", "a b.c"] {
            assert!(!is_event_name(name), "{name}");
        }
    }
}
