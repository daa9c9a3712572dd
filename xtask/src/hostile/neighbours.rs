//! Merchants beside each other. One has sixteen endpoints that never respond, many events, and all the
//! waits and streams that it may have. Another's webhooks, waits, streams and refreshes go on.

use super::raw::{call, succeed};
use super::{Plan, Tally, new_folder, start};
use crate::Failure;
use crate::time::{POLL_AGAIN, bounded, pass};
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Attempts end after three quarters of a lease. The checks need far less time.
const ENVIRONMENT: &[(&str, &str)] =
    &[("BANKFEED_LEASE_MS", "12000"), ("BANKFEED_RETRY_TEST", "100ms,100ms,100ms")];
/// The key of the merchant that takes everything, and of the other one.
const GREEDY: &str = "sk_test_greedy";
const OTHER: &str = "sk_test_other";
/// Endpoints of the greedy merchant, and its events in each form.
const ENDPOINTS: usize = 16;
const EVENTS_SHORT: u64 = 60;
const EVENTS_LONG: u64 = 400;
/// Waits and streams that the greedy merchant asks for. Some of them are refused.
const WAITS: usize = 160;
const STREAMS: usize = 20;
/// Attempts that hang before the other merchant begins.
const HANGING_MIN: u64 = 32;
/// The longest wait for a state.
const WAIT_MAX: Duration = Duration::from_secs(40);
const CUSTOMERS: &str = "/v1/customers";
const ENDPOINTS_PATH: &str = "/v1/webhook_endpoints";
const HELPERS: &str = "/v1/test_helpers/financial_connections";
const REFRESHED: &str = "financial_connections.account.refreshed_transactions";

/// A receiver that accepts connections and never responds.
struct Hanging {
    url: String,
    /// The connections with a request.
    attempts: watch::Receiver<u64>,
    /// The attempts that the sender has ended.
    ended: Arc<AtomicU64>,
    _accepting: JoinSet<()>,
}

impl Hanging {
    async fn start() -> Result<Self, Failure> {
        let failed = |error: std::io::Error| error.to_string();
        let listener = TcpListener::bind("127.0.0.1:0").await.map_err(failed)?;
        let url = format!("http://{}", listener.local_addr().map_err(failed)?);
        let (sender, attempts) = watch::channel(0);
        let ended = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&ended);
        let mut accepting = JoinSet::new();
        accepting.spawn(async move {
            let sender = Arc::new(sender);
            while let Ok((mut stream, _)) = listener.accept().await {
                let (sender, counted) = (Arc::clone(&sender), Arc::clone(&counted));
                tokio::spawn(async move {
                    let mut bytes = [0; 4096];
                    let mut has_request = false;
                    while matches!(stream.read(&mut bytes).await, Ok(count) if count > 0) {
                        if !has_request {
                            has_request = true;
                            sender.send_modify(|attempts| *attempts += 1);
                        }
                    }
                    counted.fetch_add(1, Ordering::Relaxed);
                });
            }
        });
        Ok(Self { url, attempts, ended, _accepting: accepting })
    }

    /// Waits for this number of attempts.
    async fn attempts(&mut self, count: u64) -> Result<(), Failure> {
        bounded("attempts at hanging endpoints", WAIT_MAX, async {
            let met = self.attempts.wait_for(|attempts| *attempts >= count).await;
            met.map(drop).map_err(|error| error.to_string())
        })
        .await
    }
}

/// Webhooks of the other merchant, with the attempts at hanging endpoints that had ended before.
#[derive(Clone, Debug, Default)]
struct Arrival {
    types: Vec<String>,
    ended_before: u64,
}

/// Runs the checks.
pub(super) async fn run(plan: Plan, tally: &mut Tally) -> Result<(), Failure> {
    let folder = new_folder()?;
    let mut server = start(&folder, &[], ENVIRONMENT).await?;
    let address = server.address()?;
    let mut hanging = Hanging::start().await?;
    for number in 0..ENDPOINTS {
        let url = format!("{}/{number}", hanging.url);
        let form = [("url", url.as_str()), ("enabled_events[]", "*")];
        succeed(&address, GREEDY, "POST", ENDPOINTS_PATH, &form).await?;
    }
    let arrivals = watch::Sender::new(Arrival::default());
    let (sender, ended) = (arrivals.clone(), Arc::clone(&hanging.ended));
    let receiver = testkit::receiver::Receiver::start(move |post| {
        let (sender, ended) = (sender.clone(), Arc::clone(&ended));
        async move {
            let kind = post.event()["type"].as_str().unwrap_or_default().to_owned();
            sender.send_modify(|arrival| {
                if arrival.types.is_empty() {
                    arrival.ended_before = ended.load(Ordering::Relaxed);
                }
                arrival.types.push(kind);
            });
            200
        }
    });
    let receiver = receiver.await.map_err(|error| error.to_string())?;
    // The planted fault: the other merchant's endpoint hangs too.
    let url = if plan.sabotage { format!("{}/other", hanging.url) } else { receiver.url.clone() };
    let form = [("url", url.as_str()), ("enabled_events[]", "*")];
    succeed(&address, OTHER, "POST", ENDPOINTS_PATH, &form).await?;

    let events = if plan.long { EVENTS_LONG } else { EVENTS_SHORT };
    for _ in 0..events {
        succeed(&address, GREEDY, "POST", CUSTOMERS, &[]).await?;
    }
    tally.add("events for 16 hanging endpoints", events);
    hanging.attempts(HANGING_MIN).await?;
    let mut waits = take_waits(&address, tally).await?;
    take_streams(&address, tally).await?;

    deliveries_arrive(&address, &mut arrivals.subscribe(), &hanging, tally).await?;
    if !plan.sabotage {
        waits_and_streams_are_free(&address, tally).await?;
        refreshes_end(&address, &mut arrivals.subscribe(), tally).await?;
    }
    tally.add("hanging attempts", *hanging.attempts.borrow());
    waits.abort_all();
    // A clean stop would wait for the hanging attempts.
    server.kill().await.map(drop)
}

/// Takes all waits of the greedy merchant. Further ones are refused with 429.
async fn take_waits(address: &str, tally: &mut Tally) -> Result<JoinSet<Option<u16>>, Failure> {
    let refused = watch::Sender::new(0_u64);
    let mut waits = JoinSet::new();
    for _ in 0..WAITS {
        let (address, refused) = (address.to_owned(), refused.clone());
        waits.spawn(async move {
            let path = "/v1/test_helpers/events/wait?type=charge.refunded&timeout=60";
            let reply = call(&address, GREEDY, "GET", path, &[]).await.ok()?;
            if reply.status == 429 {
                refused.send_modify(|refused| *refused += 1);
            }
            Some(reply.status)
        });
    }
    // The limit is 128 for each merchant, so 32 of these waits are refused.
    let limit = model::limits::EVENT_WAITS_PER_MERCHANT_MAX;
    let wanted = (WAITS - limit) as u64;
    let mut seen = refused.subscribe();
    let met = bounded("waits above the merchant's limit to be refused", WAIT_MAX, async {
        let met = seen.wait_for(|refused| *refused >= wanted).await;
        met.map(drop).map_err(|error| error.to_string())
    });
    met.await?;
    tally.add("waits refused", wanted);
    tally.check(true, String::new);
    Ok(waits)
}

/// Takes all streams of the greedy merchant. Further ones are refused.
async fn take_streams(address: &str, tally: &mut Tally) -> Result<(), Failure> {
    let mut refused = 0;
    for _ in 0..STREAMS {
        let reply = open_stream(address, GREEDY).await?;
        refused += u64::from(reply != 200);
    }
    let limit = model::limits::EVENT_STREAMS_PER_MERCHANT_MAX;
    tally.check(refused == (STREAMS - limit) as u64, || format!("{refused} streams are refused"));
    tally.add("streams refused", refused);
    Ok(())
}

async fn open_stream(address: &str, key: &str) -> Result<u16, Failure> {
    let form = [("device_name", "hostile"), ("websocket_features[]", "webhooks")];
    let reply = call(address, key, "POST", "/v1/stripecli/sessions", &form).await?;
    Ok(reply.status)
}

/// The other merchant's delivery arrives before any attempt at a hanging endpoint has ended, and so before
/// any second attempt. This needs a share of the deliveries in flight for each merchant.
async fn deliveries_arrive(
    address: &str,
    arrivals: &mut watch::Receiver<Arrival>,
    hanging: &Hanging,
    tally: &mut Tally,
) -> Result<(), Failure> {
    succeed(address, OTHER, "POST", CUSTOMERS, &[]).await?;
    let first = bounded("the other merchant's webhook", WAIT_MAX, async {
        tokio::select! {
            met = arrivals.wait_for(|arrival| !arrival.types.is_empty()) => {
                met.map(|arrival| arrival.ended_before).map_err(|error| error.to_string())
            }
            ended = until_ended(hanging) => Ok(ended),
        }
    });
    let ended_before = first.await?;
    tally.check(ended_before == 0, || {
        format!("{ended_before} hanging attempts ended before the other merchant's webhook arrived")
    });
    Ok(())
}

/// Waits until an attempt at a hanging endpoint has ended. Returns the number of ended attempts.
async fn until_ended(hanging: &Hanging) -> u64 {
    loop {
        let ended = hanging.ended.load(Ordering::Relaxed);
        if ended > 0 {
            return ended;
        }
        pass(POLL_AGAIN).await;
    }
}

/// The other merchant can wait for an event and open a stream.
async fn waits_and_streams_are_free(address: &str, tally: &mut Tally) -> Result<(), Failure> {
    let path = "/v1/test_helpers/events/wait?type=customer.created&timeout=30";
    let waited = call(address, OTHER, "GET", path, &[]).await?;
    tally
        .check(waited.status == 200, || format!("the other merchant's wait got {}", waited.status));
    let opened = open_stream(address, OTHER).await?;
    tally.check(opened == 200, || format!("the other merchant's stream got {opened}"));
    Ok(())
}

/// A refresh of the other merchant ends, and its webhook arrives.
async fn refreshes_end(
    address: &str,
    arrivals: &mut watch::Receiver<Arrival>,
    tally: &mut Tally,
) -> Result<(), Failure> {
    let customer = succeed(address, OTHER, "POST", CUSTOMERS, &[]).await?;
    let form = [
        ("account_holder[type]", "customer"),
        ("account_holder[customer]", text(&customer, "id")),
        ("permissions[]", "transactions"),
    ];
    let path = "/v1/financial_connections/sessions";
    let session = succeed(address, OTHER, "POST", path, &form).await?;
    let form = [
        ("client_secret", text(&session, "client_secret")),
        ("institution", "Test (Non-OAuth)"),
        ("accounts[]", "Success"),
    ];
    let linked = succeed(address, OTHER, "POST", &format!("{HELPERS}/link"), &form).await?;
    let account = text(&linked["accounts"]["data"][0], "id").to_owned();
    let path = format!("/v1/financial_connections/accounts/{account}/refresh");
    succeed(address, OTHER, "POST", &path, &[("features[]", "transactions")]).await?;
    let path =
        format!("/v1/test_helpers/events/wait?type={REFRESHED}&account={account}&timeout=60");
    let waited = call(address, OTHER, "GET", &path, &[]).await?;
    tally.check(waited.status == 200, || format!("the wait for a refresh got {}", waited.status));
    let arrived = bounded("the webhook of a refresh", WAIT_MAX, async {
        let met = arrivals.wait_for(|arrival| arrival.types.iter().any(|kind| kind == REFRESHED));
        met.await.map(drop).map_err(|error| error.to_string())
    });
    arrived.await?;
    tally.check(true, String::new);
    Ok(())
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}
