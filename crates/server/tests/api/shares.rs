//! Fair shares: the work of one merchant delays that of another by no more than its turn.

use engine::connections::refresh::InProgress;
use engine::events::deliver::InFlight;
use std::collections::BTreeSet;
use std::pin::{Pin, pin};
use std::sync::Arc;
use store::{Summary, WriteGate};
use testkit::client::{Client, Response};
use testkit::gate::Gate;
use testkit::{App, Recorder};
use tokio::sync::{Semaphore, watch};

/// Endpoints of one merchant, as many as it may have.
const ENDPOINTS: usize = model::limits::ENDPOINTS_MAX;
/// Events for each of them. All together are more than one command claims.
const EVENTS: usize = 17;

/// Beside endpoints that accept posts and never respond, the first delivery of another merchant is
/// attempted while all of their first attempts are under way.
#[tokio::test]
async fn hanging_endpoints_delay_no_other_merchant() {
    let app = App::start().await;
    let (hanging, receiver) = (Recorder::start().await.unwrap(), Recorder::start().await.unwrap());
    hanging.hold_after(0);
    for _ in 0..ENDPOINTS {
        app.endpoint(&hanging.url, "customer.created", "").await;
    }
    let other = app.with_key("sk_test_other");
    other.endpoint(&receiver.url, "customer.created", "").await;
    for _ in 0..EVENTS {
        app.customer().await;
    }
    app.engine.run_dispatch_once().await.unwrap();
    let mut in_flight = InFlight::default();
    while app.engine.begin_deliveries(&mut in_flight).await.unwrap() > 0 {}
    let begun = in_flight.count();
    assert!((ENDPOINTS..ENDPOINTS * EVENTS).contains(&begun), "{begun}");
    hanging.arrived(begun).await;

    let customer = other.post("/v1/customers", "").await.ok().id();
    app.engine.run_dispatch_once().await.unwrap();
    assert_eq!(app.engine.begin_deliveries(&mut in_flight).await.unwrap(), 1);
    receiver.arrived(1).await;
    let posts = receiver.take();
    assert_eq!(posts[0].text("/data/object/id"), customer);

    // None of the other attempts has ended, and none is a second one.
    assert_eq!(in_flight.count(), begun + 1);
    let posts = hanging.take();
    let signatures: BTreeSet<_> =
        posts.iter().map(|post| post.header("stripe-signature")).collect();
    assert_eq!((posts.len(), signatures.len()), (begun, begun));
}

/// A gate that stops a copy of a sandbox before each of its steps.
struct Between {
    arrived: watch::Sender<usize>,
    passing: Semaphore,
}

impl WriteGate for Between {
    fn pass(&self, command: Summary) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        let steps = ["FillSnapshot", "BuildGeneration", "RemoveGenerations"];
        let is_step = steps.contains(&command.command);
        Box::pin(async move {
            if is_step {
                self.arrived.send_modify(|arrived| *arrived += 1);
                self.passing.acquire().await.unwrap().forget();
            }
        })
    }
}

/// Runs a copy, and reads as another merchant before each of its steps. Returns the number of steps.
async fn beside_reads(
    gate: &Between,
    copy: impl Future<Output = Response>,
    reads: impl AsyncFn(),
) -> usize {
    let mut copy = pin!(copy);
    let mut arrived = gate.arrived.subscribe();
    let before = *arrived.borrow();
    let mut steps = 0;
    loop {
        tokio::select! {
            copied = &mut copy => {
                copied.ok();
                return steps;
            }
            _ = arrived.wait_for(|arrived| *arrived > before + steps) => {}
        }
        reads().await;
        steps += 1;
        gate.passing.add_permits(1);
    }
}

/// While the sandbox of a merchant is copied, another merchant reads between any two steps: an account, a
/// list, and what it has just written.
#[tokio::test]
async fn a_copy_delays_no_read_of_another_merchant() {
    let app = App::start().await;
    let customer = app.post("/v1/customers", "email=ada@example.com").await.ok().id();
    let session = app.session(&customer, "").await;
    let account = app.link(&session, "").await.text("/accounts/data/0/id");
    app.refresh(&account, "transactions").await;
    app.run_workers_until_idle().await;
    let other = app.with_key("sk_test_other");
    let others = other.account().await;
    let reads = async || {
        let path = format!("/v1/financial_connections/accounts/{others}");
        assert_eq!(other.get(&path).await.ok().id(), others);
        let listed = other.get("/v1/financial_connections/accounts?limit=100").await.ok();
        assert_eq!(listed.items("/data").len(), 1);
        let customer = other.post("/v1/customers", "").await.ok().id();
        assert_eq!(other.get(&format!("/v1/customers/{customer}")).await.ok().id(), customer);
    };
    let gate = Between { arrived: watch::Sender::default(), passing: Semaphore::new(0) };
    let gate = Arc::new(gate);
    let behind = app.behind(gate.clone()).await;
    let snapshots = "/v1/test_helpers/snapshots".to_owned();
    let steps = beside_reads(&gate, behind.client.post(&snapshots, ""), &reads).await;
    assert!(steps > 1, "{steps}");
    let snapshot = app.get(&snapshots).await.ok().text("/data/0/id");
    let restore = format!("{snapshots}/{snapshot}/restore");
    let steps = beside_reads(&gate, behind.client.post(&restore, ""), &reads).await;
    assert!(steps > 2, "{steps}");
    let steps = beside_reads(&gate, behind.client.post("/v1/test_helpers/reset", ""), &reads).await;
    assert!(steps > 1, "{steps}");
    let delete = format!("{snapshots}/{snapshot}");
    let steps = beside_reads(&gate, behind.client.delete(&delete), &reads).await;
    assert!(steps > 1, "{steps}");
}

/// A refresh that does not end keeps only its own place. The refresh of another merchant begins and ends
/// beside it.
#[tokio::test]
async fn a_slow_refresh_delays_no_other_merchant() {
    let app = App::start().await;
    let account = app.account().await;
    let other = app.with_key("sk_test_other");
    let others = other.account().await;
    app.run_workers_until_idle().await;
    let gate = Arc::new(Gate::default());
    let behind = app.behind(gate.clone()).await;
    app.refresh(&account, "balance").await;
    // The claim passes, and the end of the refresh is held back.
    gate.hold_after(1);
    let mut in_progress = InProgress::default();
    assert_eq!(behind.engine.begin_refreshes(&mut in_progress).await.unwrap(), 1);
    gate.held().await;
    other.refresh(&others, "balance").await;
    assert_eq!(behind.engine.begin_refreshes(&mut in_progress).await.unwrap(), 1);
    in_progress.ended().await;
    assert_eq!(in_progress.count(), 1);
    let status = async |client: &Client, account: &str| {
        let path = format!("/v1/financial_connections/accounts/{account}");
        client.get(&path).await.ok().text("/balance_refresh/status")
    };
    assert_eq!(status(&other, &others).await, "succeeded");
    assert_eq!(status(&app, &account).await, "pending");
    gate.open();
    in_progress.ended().await;
    assert_eq!(status(&app, &account).await, "succeeded");
}
