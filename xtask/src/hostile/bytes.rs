//! Malformed requests (`generator`). Every response is Stripe's envelope, a success of a read, or a
//! closed connection. The server still runs, and its data are the same.

use super::generator::{Generator, KEY, Part};
use super::raw::{Reply, exchange_within, succeed};
use super::{Plan, Tally, new_folder, start};
use crate::Failure;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use testkit::rng::SeededRng;
use tokio::task::JoinSet;

/// Requests in each form.
const REQUESTS_SHORT: u64 = 3_000;
const REQUESTS_LONG: u64 = 100_000;
const REQUESTS_SABOTAGED: u64 = 160;
/// Requests at the same time.
const LANES: u64 = 16;
/// The time after which the rest of an incomplete request is not sent.
const PATIENCE: Duration = Duration::from_millis(500);
/// Bytes of a request that a fault shows.
const SHOWN_BYTES_MAX: usize = 300;
/// The lists that must not change.
const LISTS: &[&str] = &[
    "/v1/customers?limit=100",
    "/v1/events?limit=100",
    "/v1/webhook_endpoints",
    "/v1/financial_connections/accounts",
    "/v1/payment_intents",
    "/v1/setup_intents",
    "/v1/prices",
    "/v1/invoices",
    "/v1/subscriptions",
    "/v1/accounts",
    "/v1/test_helpers/test_clocks",
    "/v1/test_helpers/financial_connections/scenarios",
    "/v2/core/event_destinations",
];
/// Settings without daily work, which would change data meanwhile.
const FLAGS: &[&str] = &["--time", "1790000000", "--deny-private-webhooks"];

/// The class of a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Class {
    Envelope,
    Bare,
    Closed,
    Page,
    Success,
}

impl Class {
    fn label(self) -> &'static str {
        match self {
            Self::Envelope => "envelopes",
            Self::Bare => "errors of the HTTP parser",
            Self::Closed => "closed connections",
            Self::Page => "pages and preflights",
            Self::Success => "successful reads",
        }
    }
}

/// Runs the requests.
pub(super) async fn run(plan: Plan, tally: &mut Tally) -> Result<(), Failure> {
    let folder = new_folder()?;
    let mut server = start(&folder, FLAGS, &[]).await?;
    let address = server.address()?;
    for name in ["one", "two", "three"] {
        succeed(&address, KEY, "POST", "/v1/customers", &[("name", name)]).await?;
    }
    let before = data(&address).await?;
    let requests = match (plan.sabotage, plan.long) {
        (true, _) => REQUESTS_SABOTAGED,
        (false, true) => REQUESTS_LONG,
        (false, false) => REQUESTS_SHORT,
    };
    send_all(&address, plan.seed, requests, tally).await?;
    if plan.sabotage {
        // The planted fault: a request that writes.
        succeed(&address, KEY, "POST", "/v1/customers", &[("name", "planted")]).await?;
    }
    let after = data(&address).await?;
    for (list, content) in &before {
        tally.check(after.get(list) == Some(content), || format!("{list} has changed"));
    }
    server.stop().await
}

async fn send_all(
    address: &str,
    seed: u64,
    requests: u64,
    tally: &mut Tally,
) -> Result<(), Failure> {
    let address: Arc<str> = address.into();
    let mut lanes = JoinSet::new();
    for lane in 0..LANES {
        let address = Arc::clone(&address);
        lanes.spawn(async move {
            let generator = Generator { rng: SeededRng::of_lane(seed, lane), address: &address };
            let (mut classes, mut faults) = (BTreeMap::<Class, u64>::new(), Vec::new());
            let parts = Part::ALL.into_iter().cycle();
            let count = usize::try_from(requests / LANES).unwrap_or(usize::MAX);
            for part in parts.take(count) {
                let bytes = generator.request(part);
                let reply = exchange_within(&address, &bytes, PATIENCE).await?;
                match class(&bytes, reply.as_ref()) {
                    Ok(class) => *classes.entry(class).or_default() += 1,
                    Err(fault) => {
                        faults.push(format!("{}: {fault}: {}", part.label(), shown(&bytes)));
                    }
                }
            }
            Ok::<_, Failure>((classes, faults))
        });
    }
    let each = requests / LANES * LANES / Part::ALL.len() as u64;
    for part in Part::ALL {
        tally.add(part.label(), each);
    }
    while let Some(ended) = lanes.join_next().await {
        let (classes, faults) = ended.map_err(|error| error.to_string())??;
        for (class, count) in classes {
            tally.add(class.label(), count);
            tally.checks += u32::try_from(count).unwrap_or(u32::MAX);
        }
        tally.faults.extend(faults);
    }
    Ok(())
}

/// The class of an allowed response, or the fault of another one.
fn class(request: &[u8], reply: Option<&Reply>) -> Result<Class, String> {
    let Some(reply) = reply else { return Ok(Class::Closed) };
    let text = String::from_utf8_lossy(&request[..request.len().min(SHOWN_BYTES_MAX)]).into_owned();
    let is_call = ["/v1/", "/v2/"].iter().any(|prefix| text.contains(prefix));
    let is_read = ["GET ", "HEAD ", "OPTIONS "].iter().any(|method| text.starts_with(method));
    match reply.status {
        500.. => Err(format!("status {}", reply.status)),
        _ if reply.is_envelope() => Ok(Class::Envelope),
        _ if reply.is_bare() => Ok(Class::Bare),
        200 if is_read => Ok(Class::Success),
        400.. if text.starts_with("HEAD ") => Ok(Class::Page),
        204 | 301..400 if is_read => Ok(Class::Page),
        400.. if !is_call => Ok(Class::Page),
        status => {
            let body: String = String::from_utf8_lossy(&reply.body).chars().take(120).collect();
            Err(format!("status {status} without an envelope, body {body:?}"))
        }
    }
}

fn shown(bytes: &[u8]) -> String {
    format!("{:?}", String::from_utf8_lossy(&bytes[..bytes.len().min(SHOWN_BYTES_MAX)]))
}

/// The content of all lists.
async fn data(address: &str) -> Result<BTreeMap<&'static str, Value>, Failure> {
    let mut lists = BTreeMap::new();
    for list in LISTS {
        lists.insert(*list, succeed(address, KEY, "GET", list, &[]).await?);
    }
    Ok(lists)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(status: u16, body: &str) -> Reply {
        Reply { status, head: String::new(), body: body.as_bytes().to_vec() }
    }

    /// A 5xx, a successful write and an error without an envelope are faults.
    #[test]
    fn faults_are_found() {
        let (post, get) = (b"POST /v1/customers HTTP/1.1", b"GET /v1/customers HTTP/1.1");
        let envelope = r#"{"error": {"type": "invalid_request_error"}}"#;
        assert_eq!(class(post, None), Ok(Class::Closed));
        assert_eq!(class(post, Some(&reply(400, envelope))), Ok(Class::Envelope));
        assert_eq!(class(post, Some(&reply(431, ""))), Ok(Class::Bare));
        assert_eq!(class(get, Some(&reply(200, "{}"))), Ok(Class::Success));
        assert!(class(post, Some(&reply(200, "{}"))).is_err());
        assert!(class(post, Some(&reply(500, envelope))).is_err());
        assert!(class(get, Some(&reply(404, "gone"))).is_err());
    }
}
