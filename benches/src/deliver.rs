//! Webhook deliveries with durably recorded attempts, compared with bare signed posts of the same
//! payloads. Both sides use the same HTTP client and the same number of posts in flight.
//!
//! Events and deliveries are made before the measurement. The workload steps the deliver worker as
//! the worker's own loop does: it records the attempts that have ended, and claims others in their place.

use crate::Failure;
use crate::harness::Harness;
use crate::measure::{Form, Meter, Spent};
use crate::report::Row;
use engine::connections::customer::CustomerInput;
use engine::events::deliver::InFlight;
use engine::events::endpoint::EndpointInput;
use model::clock::Clock as _;
use model::limits::DELIVERIES_IN_FLIGHT_PER_ENDPOINT_MAX;
use rusqlite::Connection;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use testkit::receiver::Receiver;
use tokio::task::JoinSet;

/// Deliveries of a turn: long form, short form.
const DELIVERIES: (u32, u32) = (2_000, 50);
/// Turns: long form, short form.
const TURNS: (u32, u32) = (3, 1);

const COUNT_DELIVERED: &str = "SELECT COUNT(*) FROM deliveries WHERE status = 'succeeded'";
const LIST_PAYLOADS: &str = "SELECT payload FROM deliveries";

/// Deliveries per second to one endpoint.
pub(crate) async fn run(place: &Path, form: Form) -> Result<Vec<Row>, Failure> {
    let deliveries = form.pick(DELIVERIES);
    let turns = form.pick(TURNS);
    let receiver = start_receiver().await?;
    let harness = Harness::open(place)?;
    create_endpoint(&harness, &receiver.url).await?;
    let (mut ours, mut bare) = (Spent::default(), Spent::default());
    for turn in 1..=turns {
        make_deliveries(&harness, deliveries).await?;
        ours += deliver(&harness).await?;
        let payloads = payloads(&harness, deliveries, deliveries * turn)?;
        bare += post_bare(&harness, &receiver.url, payloads).await?;
    }
    let what =
        format!("webhook deliveries, recorded, {DELIVERIES_IN_FLIGHT_PER_ENDPOINT_MAX} in flight");
    Ok(vec![Row::of_rates(what, "posts", deliveries * turns, [ours, bare], "0.30")])
}

/// A receiver that returns 200 to every webhook.
pub(crate) async fn start_receiver() -> Result<Receiver, Failure> {
    Ok(Receiver::start(async |_| 200).await?)
}

/// Creates an endpoint for every event type.
pub(crate) async fn create_endpoint(harness: &Harness, url: &str) -> Result<(), Failure> {
    let input = EndpointInput {
        url: Some(url.to_owned()),
        enabled_events: Some(vec!["*".to_owned()]),
        ..EndpointInput::default()
    };
    harness.engine.create_endpoint(&harness.context(), &input).await?;
    Ok(())
}

/// Creates customers, which gives one event each, and the deliveries of those events.
pub(crate) async fn make_deliveries(harness: &Harness, count: u32) -> Result<(), Failure> {
    let mut making = JoinSet::new();
    for number in 0..count {
        let engine = Arc::clone(&harness.engine);
        let context = harness.context();
        making.spawn(async move {
            let name = Some(format!("Customer {number}"));
            let input = CustomerInput { name, ..CustomerInput::default() };
            engine.create_customer(&context, &input).await.map(drop)
        });
    }
    while let Some(made) = making.join_next().await {
        made??;
    }
    while harness.engine.run_dispatch_once().await? > 0 {}
    Ok(())
}

/// Delivers all due deliveries, as the worker's loop does.
async fn deliver(harness: &Harness) -> Result<Spent, Failure> {
    let meter = Meter::start()?;
    let mut in_flight = InFlight::default();
    loop {
        harness.engine.begin_deliveries(&mut in_flight).await?;
        if in_flight.has_more() {
            continue;
        }
        if in_flight.count() == 0 {
            return meter.spent();
        }
        in_flight.ended().await;
    }
}

/// Payloads for a turn of bare posts. It is an error if a delivery has not succeeded.
fn payloads(harness: &Harness, count: u32, due: u32) -> Result<Vec<Vec<u8>>, Failure> {
    let connection = Connection::open(&harness.database)?;
    let delivered: u32 = connection.query_row(COUNT_DELIVERED, [], |row| row.get(0))?;
    if delivered != due {
        return Err(format!("{delivered} of {due} deliveries succeeded").into());
    }
    let mut statement = connection.prepare(LIST_PAYLOADS)?;
    let payloads = statement.query_map([], |row| row.get(0))?.take(usize::try_from(count)?);
    Ok(payloads.collect::<Result<_, _>>()?)
}

/// Signs and posts payloads without recording the attempts.
async fn post_bare(harness: &Harness, url: &str, payloads: Vec<Vec<u8>>) -> Result<Spent, Failure> {
    let payloads = Arc::new(payloads);
    let next = Arc::new(AtomicUsize::new(0));
    let meter = Meter::start()?;
    let mut posting = JoinSet::new();
    for _ in 0..DELIVERIES_IN_FLIGHT_PER_ENDPOINT_MAX {
        let (outbound, clock) = (harness.outbound.clone(), Arc::clone(&harness.clock));
        let (payloads, next, url) = (Arc::clone(&payloads), Arc::clone(&next), url.to_owned());
        posting.spawn(async move {
            while let Some(payload) = payloads.get(next.fetch_add(1, Ordering::Relaxed)) {
                let now = clock.server_now().seconds();
                let signature = wire::signature::sign(&["whsec_bench"], now, payload);
                let headers = [
                    ("Content-Type", "application/json; charset=utf-8"),
                    ("Stripe-Signature", signature.as_str()),
                    ("User-Agent", "bankfeed/1.0 (webhooks)"),
                ];
                let posted = outbound.post(&url, &headers, payload.clone()).await;
                if posted.status != Ok(200) {
                    return Err(Failure::from("a bare post failed"));
                }
            }
            Ok(())
        });
    }
    while let Some(ended) = posting.join_next().await {
        ended??;
    }
    meter.spent()
}
