//! The places of test keys with objects, and the removal of unused sandboxes on a full server.

use crate::connect::connected;
use model::clock::DAY_S;
use store::{CountPlaces, StoreBounds};
use testkit::server::Options;
use testkit::{App, Client};

const CUSTOMERS: &str = "/v1/customers";
const FULL: &str = "places_taken";

/// A server with this number of places.
async fn with_places(places: u64) -> App {
    let bounds = StoreBounds { merchants_max: places, ..StoreBounds::default() };
    App::with(Options { bounds, ..Options::default() }).await
}

async fn taken(app: &App) -> u64 {
    app.engine.store().read(CountPlaces).await.unwrap().taken
}

/// The names of the customers of a client.
async fn names(client: &Client) -> Vec<String> {
    client.get(CUSTOMERS).await.ok().texts("/data", "name")
}

async fn make(client: &Client, name: &str) {
    client.post(CUSTOMERS, &format!("name={name}")).await.ok();
}

/// Lets time pass, after the uses until now were stored.
async fn pass(app: &App, days: i64) {
    app.engine.run_prune_once().await.unwrap();
    app.elapse_s(days * DAY_S).await;
}

/// The code of the error of a call that needs a new place.
async fn refused(client: &Client) -> String {
    client.post(CUSTOMERS, "").await.text("/error/code")
}

/// A key that only reads, or has no successful write, takes no place, however many such keys there are.
#[tokio::test]
async fn a_key_without_objects_takes_no_place() {
    let app = with_places(1).await;
    for number in 0..20 {
        let client = app.with_key(&format!("sk_test_visitor{number}"));
        client.get(CUSTOMERS).await.ok();
        client.get("/v1/account").await.ok();
        client.get("/v1/events").await.ok();
        client.get("/v1/payment_method_configurations").await.ok();
        client.in_account("acct_1visitor000000").get(CUSTOMERS).await.ok();
        assert_eq!(client.post(CUSTOMERS, "color=red").await.status, 400);
        assert_eq!(client.idempotent("key").post("/v1/refunds", "charge=ch_1").await.status, 404);
        assert_eq!(client.delete(&format!("{CUSTOMERS}/cus_1")).await.status, 404);
        client.post("/v1/test_helpers/reset", "").await.ok();
        client.post("/v1/stripecli/sessions", "websocket_features[]=webhooks").await.ok();
    }
    app.run_workers_until_idle().await;
    assert_eq!(taken(&app).await, 0);
    make(&app, "Ada").await;
    assert_eq!(taken(&app).await, 1);
}

/// On a full server, the sandbox that was unused for longest gives its place to a new key. Its own key then
/// has no objects, and may take a place again. Without an unused sandbox, the server says that it is full.
#[tokio::test]
async fn an_unused_sandbox_gives_up_its_place() {
    let app = with_places(2).await;
    let [reader, writer, late] =
        ["sk_test_reader", "sk_test_writer", "sk_test_late"].map(|key| app.with_key(key));
    make(&writer, "Old").await;
    make(&reader, "Kept").await;
    pass(&app, 20).await;
    names(&reader).await;
    pass(&app, 10).await;
    assert_eq!(refused(&late).await, FULL);
    assert_eq!(app.get("/readyz").await.body, "ready\nplaces taken\n");
    let metrics = app.get("/metrics").await.body;
    for line in ["bankfeed_places_taken 2\n", "bankfeed_places 2\n", "bankfeed_places_full 1\n"] {
        assert!(metrics.contains(line), "{line}");
    }

    pass(&app, 1).await;
    assert_eq!(app.get("/readyz").await.body, "ready\n");
    make(&late, "New").await;
    assert_eq!(names(&reader).await, ["Kept"]);
    assert_eq!(names(&writer).await, [""; 0]);
    assert_eq!(refused(&writer).await, FULL);
    while app.engine.run_prune_once().await.unwrap() > 0 {}
    assert_eq!((taken(&app).await, names(&late).await), (2, vec!["New".to_owned()]));

    // The reader and the late key were used since, but not for long enough.
    pass(&app, 32).await;
    make(&writer, "Again").await;
    assert_eq!(names(&writer).await, ["Again"]);
    assert_eq!(taken(&app).await, 2);
}

/// A call counts before the pruner has stored it.
#[tokio::test]
async fn a_use_counts_at_once() {
    let app = with_places(1).await;
    make(&app, "Ada").await;
    pass(&app, 40).await;
    names(&app).await;
    assert_eq!(refused(&app.with_key("sk_test_late")).await, FULL);
    app.engine.run_prune_once().await.unwrap();
    assert_eq!(refused(&app.with_key("sk_test_late")).await, FULL);
    assert_eq!(names(&app).await, ["Ada"]);
}

/// Sandboxes with an issued key stay, also after the key was revoked, and so do live data.
#[tokio::test]
async fn issued_keys_keep_their_place() {
    let app = with_places(3).await;
    let (issued, revoked) = (app.keys().issue(7, false), app.keys().issue(8, false));
    let [test, old] = [&issued, &revoked].map(|key| app.with_key(&key.secret));
    let live = app.live();
    for client in [&test, &old, &live] {
        make(client, "Ada").await;
    }
    app.keys().revoke(&revoked);
    pass(&app, 400).await;
    assert_eq!(refused(&app.with_key("sk_test_late")).await, FULL);
    assert_eq!((names(&test).await.len(), names(&live).await.len()), (1, 1));
    assert_eq!(app.get("/readyz").await.body, "ready\nplaces taken\n");
}

/// With `sandbox-idle-days` 0, no sandbox is removed.
#[tokio::test]
async fn removal_can_be_off() {
    let bounds = StoreBounds { merchants_max: 1, sandbox_idle_days: 0, ..StoreBounds::default() };
    let app = App::with(Options { bounds, ..Options::default() }).await;
    make(&app, "Ada").await;
    pass(&app, 4_000).await;
    assert_eq!(refused(&app.with_key("sk_test_late")).await, FULL);
    assert_eq!(names(&app).await, ["Ada"]);
}

/// A sandbox goes with its connected accounts, its snapshots and all of its rows, however many they are. A
/// connected account is not removed on its own.
#[tokio::test]
async fn all_of_a_sandbox_goes() {
    let app = with_places(3).await;
    let account = connected(&app).await;
    let own = app.in_account(&account);
    for number in 0..150 {
        make(&app, &format!("Own{number}")).await;
        make(&own, &format!("Connected{number}")).await;
    }
    app.post("/v1/test_helpers/snapshots", "name=before").await.ok();
    app.run_workers_until_idle().await;
    assert_eq!(taken(&app).await, 2);
    pass(&app, 31).await;
    let [late, later] = ["sk_test_late", "sk_test_later"].map(|key| app.with_key(key));
    make(&late, "New").await;
    assert_eq!(taken(&app).await, 3);
    make(&later, "New").await;
    assert_eq!(taken(&app).await, 2, "the platform and its account have left");
    // Before and after the pruner has removed the rows.
    for round in 0..2 {
        for list in [CUSTOMERS, "/v1/events", "/v1/accounts", "/v1/test_helpers/snapshots"] {
            assert_eq!(app.count(list).await, 0, "{list} in round {round}");
        }
        assert_eq!(own.count(CUSTOMERS).await, 0);
        app.run_workers_until_idle().await;
        while app.engine.run_prune_once().await.unwrap() > 0 {}
    }
    // The account would need a place besides that of its platform.
    assert_eq!(refused(&own).await, FULL);
    make(&app, "Again").await;
    assert_eq!((names(&app).await, taken(&app).await), (vec!["Again".to_owned()], 3));
}
