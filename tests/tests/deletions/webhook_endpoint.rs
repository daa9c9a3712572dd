//! The children of a deleted or disabled webhook endpoint.

use crate::{merchant, refused, stored};
use model::delivery::DeliveryStatus;
use model::endpoint::{Endpoint, EndpointSecret};
use std::sync::{Arc, Mutex};
use store::{ChangeObject, Failpoints, Kind, Object, Written};
use testkit::receiver::Receiver;
use testkit::{App, BEGIN_S, DAY_S, Options, Recorder};
use tokio::sync::Notify;

const ENDPOINTS: &str = "/v1/webhook_endpoints";
const LEDGER: &str = "/v1/test_helpers/deliveries";
const FAULTS: &str = "/v1/test_helpers/faults";
const CREATED: &str = "customer.created";

async fn delete(app: &App, endpoint: &str) {
    app.delete(&format!("{ENDPOINTS}/{endpoint}")).await.ok();
}

async fn endpoint_row(app: &App, id: &str) -> Endpoint {
    match stored(app, merchant(), Kind::Endpoint, id).await {
        Object::Endpoint(endpoint) => endpoint,
        other => panic!("{other:?} is no endpoint"),
    }
}

/// The statuses of all deliveries, newest first.
async fn statuses(app: &App) -> Vec<String> {
    app.get(LEDGER).await.ok().texts("/data", "status")
}

/// A crash after the deletion leaves its pending deliveries. They are canceled at the time of their
/// next attempt, without an attempt.
#[tokio::test]
async fn deliveries_are_canceled_after_a_crash() {
    let failpoints = Failpoints::parse("ReleaseEndpoint:0:panic").unwrap();
    let app = App::with(Options { failpoints, ..Options::default() }).await;
    let receiver = Recorder::start().await.unwrap();
    receiver.respond(500);
    let endpoint = app.endpoint(&receiver.url, CREATED, "").await.id();
    app.customer().await;
    app.run_workers_until_idle().await;
    let path = format!("{ENDPOINTS}/{endpoint}");
    assert_eq!(app.delete(&path).await.status, 500);
    assert_eq!(refused(&app.get(&path).await), "404 resource_missing id");
    app.run_workers_until_idle().await;
    assert_eq!(statuses(&app).await, ["pending"]);
    app.elapse_s(60).await;
    assert_eq!(statuses(&app).await, [model::Word::word(DeliveryStatus::Canceled)]);
    assert_eq!(receiver.take().len(), 1);
}

/// An attempt that is under way during the deletion is signed with the secret and recorded. A further
/// attempt is canceled.
#[tokio::test]
async fn an_attempt_under_way_is_recorded() {
    let app = App::start().await;
    let (begun, release) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let posts = Arc::new(Mutex::new(Vec::new()));
    let state = (Arc::clone(&begun), Arc::clone(&release), Arc::clone(&posts));
    let receiver = Receiver::start(move |post| {
        let (begun, release, posts) = state.clone();
        async move {
            posts.lock().unwrap().push(post);
            begun.notify_one();
            release.notified().await;
            500
        }
    });
    let receiver = receiver.await.unwrap();
    let endpoint = app.endpoint(&receiver.url, CREATED, "").await;
    app.customer().await;
    app.engine.run_dispatch_once().await.unwrap();
    let engine = Arc::clone(&app.engine);
    let delivering = tokio::spawn(async move { engine.run_deliver_once().await });
    begun.notified().await;
    delete(&app, &endpoint.id()).await;
    assert_eq!(endpoint_row(&app, &endpoint.id()).await.secrets, []);
    release.notify_one();
    assert_eq!(delivering.await.unwrap().unwrap(), 1);

    let delivery = app.get(LEDGER).await.ok();
    let facts = ["/data/0/status", "/data/0/attempts/0/status", "/data/0/attempts/1"];
    assert_eq!(delivery.facts(&facts), "canceled 500 null");
    app.elapse_s(DAY_S).await;
    let posts = posts.lock().unwrap();
    assert_eq!(posts.len(), 1);
    posts[0].verify(&endpoint.text("/secret"), BEGIN_S).unwrap();
}

/// Settled deliveries stay with their attempts until their event is 30 days old.
#[tokio::test]
async fn settled_deliveries_stay() {
    let (app, receiver) = App::with_receiver().await;
    let endpoint = app.endpoint(&receiver.url, CREATED, "").await.id();
    app.customer().await;
    app.run_workers_until_idle().await;
    let before = app.get(LEDGER).await.ok().body;
    delete(&app, &endpoint).await;
    for (days, is_left) in [(29, true), (2, false)] {
        app.elapse_s(days * DAY_S).await;
        app.engine.run_prune_once().await.unwrap();
        let left = app.get(LEDGER).await.ok();
        assert_eq!(left.body == before, is_left, "{}", left.body);
        assert_eq!(left.items("/data").len(), usize::from(is_left));
    }
}

/// Events that are dispatched after its deletion, or after it was disabled, have no delivery to it.
#[tokio::test]
async fn later_events_have_no_delivery() {
    for form in [None, Some("disabled=true")] {
        let (app, receiver) = App::with_receiver().await;
        let endpoint = app.endpoint(&receiver.url, CREATED, "").await.id();
        app.customer().await;
        match form {
            None => delete(&app, &endpoint).await,
            Some(form) => drop(app.post(&format!("{ENDPOINTS}/{endpoint}"), form).await.ok()),
        }
        app.run_workers_until_idle().await;
        assert_eq!((receiver.take().len(), statuses(&app).await.len()), (0, 0));
    }
}

/// A fault that names the endpoint stays, and hits no delivery of another one.
#[tokio::test]
async fn faults_of_the_endpoint_stay() {
    let (app, receiver) = App::with_receiver().await;
    let endpoint = app.endpoint(&receiver.url, CREATED, "").await.id();
    let form = format!("kind=webhook_lost&webhook_endpoint={endpoint}");
    let path = format!("{FAULTS}/{}", app.post(FAULTS, &form).await.ok().id());
    let before = app.get(&path).await.ok().body;
    delete(&app, &endpoint).await;
    app.endpoint(&receiver.url, CREATED, "").await;
    app.customer().await;
    app.run_workers_until_idle().await;
    assert_eq!(receiver.take().len(), 1);
    assert_eq!(app.get(&path).await.ok().body, before);
}

/// The signing secrets are erased in the commit of the deletion. A disabled endpoint keeps them.
#[tokio::test]
async fn the_signing_secrets_are_erased() {
    let app = App::start().await;
    let endpoint = app.endpoint("http://127.0.0.1:9/", CREATED, "").await.id();
    let path = format!("{ENDPOINTS}/{endpoint}");
    app.post(&format!("{path}/roll_secret"), "expires_after_seconds=60").await.ok();
    app.post(&path, "disabled=true").await.ok();
    assert_eq!(endpoint_row(&app, &endpoint).await.secrets.len(), 2);
    delete(&app, &endpoint).await;
    let row = endpoint_row(&app, &endpoint).await;
    assert_eq!((row.deleted, row.secrets), (true, vec![]));
}

/// A deleted endpoint of an earlier release, which has its secrets, is read as it was written.
#[tokio::test]
async fn secrets_of_earlier_deletions_are_read() {
    let app = App::start().await;
    let endpoint = app.endpoint("http://127.0.0.1:9/", CREATED, "").await;
    let mut row = endpoint_row(&app, &endpoint.id()).await;
    (row.deleted, row.version) = (true, row.version + 1);
    let change = ChangeObject::of(Object::Endpoint(row));
    assert_eq!(app.engine.store().write(change).await.unwrap(), Written::Done);
    let secret = EndpointSecret { value: endpoint.text("/secret"), expires_at: None };
    assert_eq!(endpoint_row(&app, &endpoint.id()).await.secrets, [secret]);
    let path = format!("{ENDPOINTS}/{}", endpoint.id());
    assert_eq!(refused(&app.get(&path).await), "404 resource_missing id");
}
