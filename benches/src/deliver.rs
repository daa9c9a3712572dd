//! Webhook deliveries, each with its attempt recorded durably, beside bare signed posts of the same
//! payloads by the same client, as many at a time.
//!
//! Events and deliveries are made beforehand. The deliver worker is stepped as its loop does it:
//! it claims whenever a place is free.

use crate::Failure;
use crate::harness::House;
use crate::measure::{Meter, Spent};
use crate::report::Row;
use axum::Router;
use axum::routing::post;
use engine::connections::customer::CustomerInput;
use engine::events::deliver::InFlight;
use engine::events::endpoint::EndpointInput;
use model::clock::Clock as _;
use model::limits::DELIVERIES_IN_FLIGHT_PER_ENDPOINT_MAX;
use rusqlite::Connection;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// Deliveries of a turn.
const DELIVERIES: u32 = 2_000;
const TURNS: u32 = 3;

const COUNT_DELIVERED: &str = "SELECT COUNT(*) FROM deliveries WHERE status = 'succeeded'";
const LIST_PAYLOADS: &str = "SELECT payload FROM deliveries";

/// Deliveries a second to one endpoint.
pub(crate) async fn run(place: &Path) -> Result<Vec<Row>, Failure> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/", listener.local_addr()?);
    let receiver = Router::new().route("/", post(async |_: axum::body::Bytes| "ok"));
    let receiver = tokio::spawn(async move { axum::serve(listener, receiver).await });
    let house = House::open(place)?;
    let input = EndpointInput {
        url: Some(url.clone()),
        enabled_events: Some(vec!["*".to_owned()]),
        ..EndpointInput::default()
    };
    house.engine.create_endpoint(&house.context(), &input).await?;
    let (mut ours, mut bare) = (Spent::default(), Spent::default());
    for turn in 1..=TURNS {
        make_events(&house).await?;
        ours += deliver(&house).await?;
        let payloads = payloads(&house, turn)?;
        bare += post_bare(&house, &url, payloads).await?;
    }
    receiver.abort();
    let count = DELIVERIES * TURNS;
    let what =
        format!("webhook deliveries, recorded, {DELIVERIES_IN_FLIGHT_PER_ENDPOINT_MAX} in flight");
    Ok(vec![Row::of_rates(what, "posts", count, [ours, bare], "0.30")])
}

/// Makes customers, each of which is an event, and the deliveries of those events.
async fn make_events(house: &House) -> Result<(), Failure> {
    let mut making = JoinSet::new();
    for number in 0..DELIVERIES {
        let engine = Arc::clone(&house.engine);
        let context = house.context();
        making.spawn(async move {
            let invoice_prefix = Some(format!("BENCH{number}"));
            let input = CustomerInput { invoice_prefix, ..CustomerInput::default() };
            engine.create_customer(&context, &input).await.map(drop)
        });
    }
    while let Some(made) = making.join_next().await {
        made??;
    }
    while house.engine.run_dispatch_once().await? > 0 {}
    Ok(())
}

/// Delivers all that is due, as the worker's loop does.
async fn deliver(house: &House) -> Result<Spent, Failure> {
    let meter = Meter::start()?;
    let mut in_flight = InFlight::default();
    loop {
        let begun = house.engine.begin_deliveries(&mut in_flight).await?;
        if begun > 0 {
            continue;
        }
        if in_flight.count() == 0 {
            return meter.spent();
        }
        in_flight.ended().await;
    }
}

/// The payloads of the deliveries that were made so far, all of which must have arrived.
fn payloads(house: &House, turn: u32) -> Result<Vec<Vec<u8>>, Failure> {
    let connection = Connection::open(&house.database)?;
    let delivered: u32 = connection.query_row(COUNT_DELIVERED, [], |row| row.get(0))?;
    if delivered != DELIVERIES * turn {
        return Err(format!("{delivered} deliveries succeeded").into());
    }
    let mut statement = connection.prepare(LIST_PAYLOADS)?;
    let payloads = statement.query_map([], |row| row.get(0))?.take(usize::try_from(DELIVERIES)?);
    Ok(payloads.collect::<Result<_, _>>()?)
}

/// Signs and posts payloads, and records nothing.
async fn post_bare(house: &House, url: &str, payloads: Vec<Vec<u8>>) -> Result<Spent, Failure> {
    let payloads = Arc::new(payloads);
    let next = Arc::new(AtomicUsize::new(0));
    let meter = Meter::start()?;
    let mut posting = JoinSet::new();
    for _ in 0..DELIVERIES_IN_FLIGHT_PER_ENDPOINT_MAX {
        let (outbound, clock) = (house.outbound.clone(), Arc::clone(&house.clock));
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
