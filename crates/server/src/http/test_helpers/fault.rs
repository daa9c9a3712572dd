//! `/v1/test_helpers/faults`: failures on demand, and their effect on a call.

use crate::http::call::{Call, Outcome};
use lab::{FaultKind, FaultRule, Share, check_type};
use model::Word;
use model::limits::{
    FAULT_COUNT_MAX, FAULT_DELAY_MS_MAX, FAULT_LATENCY_MS_MAX, FAULT_PATH_CHARS_MAX,
    FAULT_TYPES_MAX,
};
use wire::error::Error;
use wire::expand::Returns;
use wire::list::take_page;
use wire::params::Params;

/// The default delay of a held call or webhook, in milliseconds.
const DELAY_MS_DEFAULT: u32 = 1_000;
/// The default limit on the time that a webhook waits for the next one to overtake it, in
/// milliseconds.
const REORDER_MS_DEFAULT: u32 = 10_000;

/// The HTTP methods of calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Method {
    Delete,
    Get,
    Post,
}

impl Word for Method {
    const ALL: &'static [Self] = &[Self::Delete, Self::Get, Self::Post];

    fn word(self) -> &'static str {
        match self {
            Self::Delete => "DELETE",
            Self::Get => "GET",
            Self::Post => "POST",
        }
    }
}

pub(in crate::http) async fn create(mut call: Call) -> Outcome {
    let (rule, endpoint) = take_fault(&mut call.params)?;
    let call = call.ready(Returns::Nothing)?;
    Ok(call.lab.create_fault(&call.context, &rule, endpoint.as_deref()).await?)
}

pub(in crate::http) async fn list(mut call: Call) -> Outcome {
    let page = take_page(&mut call.params)?;
    let call = call.ready(Returns::Nothing)?;
    Ok(call.lab.list_faults(&call.context, &page).await?)
}

pub(in crate::http) async fn retrieve(call: Call) -> Outcome {
    let call = call.ready(Returns::Nothing)?;
    Ok(call.lab.retrieve_fault(&call.context, call.id()).await?)
}

pub(in crate::http) async fn delete(call: Call) -> Outcome {
    let call = call.ready(Returns::Nothing)?;
    Ok(call.lab.delete_fault(&call.context, call.id()).await?)
}

/// Reads a fault of every test key, in the form of the call's parameters. It names no endpoint,
/// because an endpoint belongs to one key.
pub(crate) fn read_fault(form: &str) -> Result<FaultRule, Error> {
    let mut params = Params::parse("", form)?;
    if params.has("webhook_endpoint") {
        let message = "A fault of every key names no webhook_endpoint.";
        return Err(Error::invalid(message).param("webhook_endpoint"));
    }
    let (rule, _) = take_fault(&mut params)?;
    params.finish()?;
    Ok(rule)
}

/// Takes a fault, and the id of the endpoint that it names.
fn take_fault(params: &mut Params) -> Result<(FaultRule, Option<String>), Error> {
    let kind: FaultKind = params.need("kind", Params::choice)?;
    let (of_calls, of_webhooks) = (["method", "path"], ["types", "webhook_endpoint"]);
    for name in if kind.is_of_webhooks() { of_calls } else { of_webhooks } {
        if params.has(name) {
            let message = format!("A fault of the kind {} has no {name}.", kind.word());
            return Err(Error::invalid(message).param(name));
        }
    }
    let event_types = params.texts("types")?.unwrap_or_default();
    if event_types.len() > FAULT_TYPES_MAX {
        let message = format!("A fault names at most {FAULT_TYPES_MAX} types.");
        return Err(Error::invalid(message).param("types"));
    }
    for (index, event_type) in event_types.iter().enumerate() {
        check_type(event_type, &format!("types[{index}]"))?;
    }
    let method: Option<Method> = params.choice("method")?;
    let path = params.text_up_to("path", FAULT_PATH_CHARS_MAX)?;
    let is_known = |path: &String| ["/v1/", "/v2/"].iter().any(|version| path.starts_with(version));
    if path.as_ref().is_some_and(|path| !is_known(path)) {
        return Err(Error::invalid("A path begins with /v1/ or /v2/.").param("path"));
    }
    let seed = params.integer_within("seed", 0, i64::MAX)?.unwrap_or(0);
    let times = params.integer_within("times", 1, FAULT_COUNT_MAX)?;
    let endpoint = params.text("webhook_endpoint")?;
    let rule = FaultRule {
        kind,
        event_types,
        endpoint: None,
        of_destination: false,
        method: method.map(|method| method.word().to_owned()),
        path,
        share: take_share(params)?,
        seed: seed.unsigned_abs(),
        delay_ms: take_delay(params, kind)?,
        hits_max: times.and_then(|times| u32::try_from(times).ok()),
    };
    Ok((rule, endpoint))
}

fn take_share(params: &mut Params) -> Result<Share, Error> {
    params.exclusive(&["percent", "every", "first"])?;
    let percent = params.integer_within("percent", 1, 100)?;
    let every = params.integer_within("every", 1, FAULT_COUNT_MAX)?;
    let first = params.integer_within("first", 1, FAULT_COUNT_MAX)?;
    let count = |count: i64| u32::try_from(count).unwrap_or(1);
    Ok(match (every, first) {
        (Some(every), _) => Share::Every(count(every)),
        (None, Some(first)) => Share::First(count(first)),
        (None, None) => {
            Share::Percent(percent.and_then(|one| u8::try_from(one).ok()).unwrap_or(100))
        }
    })
}

fn take_delay(params: &mut Params, kind: FaultKind) -> Result<u32, Error> {
    let (default, most) = match kind {
        FaultKind::ApiLatency => (DELAY_MS_DEFAULT, FAULT_LATENCY_MS_MAX),
        FaultKind::WebhookDelayed => (DELAY_MS_DEFAULT, FAULT_DELAY_MS_MAX),
        FaultKind::WebhookReordered => (REORDER_MS_DEFAULT, FAULT_DELAY_MS_MAX),
        _ if params.has("delay_ms") => {
            let message = format!("A fault of the kind {} has no delay.", kind.word());
            return Err(Error::invalid(message).param("delay_ms"));
        }
        _ => return Ok(0),
    };
    let delay_ms = params.integer_within("delay_ms", 0, most)?;
    Ok(delay_ms.and_then(|delay_ms| u32::try_from(delay_ms).ok()).unwrap_or(default))
}
