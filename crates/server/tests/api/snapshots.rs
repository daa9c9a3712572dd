//! Snapshots of a sandbox. A restore brings back every object, and the sandbox continues
//! consistently from there.

use serde_json::Value;
use std::collections::BTreeSet;
use testkit::{App, BEGIN_S, Client, DAY_S, FC, HELPERS};

const SNAPSHOTS: &str = "/v1/test_helpers/snapshots";
const RESET: &str = "/v1/test_helpers/reset";

/// The merchant's view of all objects, as the bytes of the responses.
async fn seen(client: &Client, account: &str) -> Vec<String> {
    let mut seen = Vec::new();
    for path in [
        "/v1/customers?limit=100".to_owned(),
        "/v1/events?limit=100".to_owned(),
        "/v1/webhook_endpoints".to_owned(),
        "/v1/test_helpers/test_clocks".to_owned(),
        format!("{FC}/accounts"),
        format!("{FC}/transactions?account={account}&limit=100"),
        format!("{HELPERS}/accounts/{account}/next_refresh"),
    ] {
        seen.push(client.get(&path).await.ok().body);
    }
    seen
}

/// Refreshes the transactions of an account and returns the id of the refresh.
async fn refresh(app: &App, account: &str) -> String {
    app.pass_s(10);
    app.refresh(account, "transactions").await;
    app.run_workers_until_idle().await;
    let shown = app.get(&format!("{FC}/accounts/{account}")).await.ok();
    assert_eq!(shown.text("/transaction_refresh/status"), "succeeded");
    shown.text("/transaction_refresh/id")
}

/// The facts of rows that a bank and a follower both know: time, amount and description. Void rows
/// are excluded.
fn facts(rows: &[Value]) -> Vec<String> {
    let alive = rows.iter().filter(|row| row["status"] != "void");
    let mut facts: Vec<String> = alive
        .map(|row| format!("{} {} {}", row["transacted_at"], row["amount"], row["description"]))
        .collect();
    facts.sort();
    facts
}

/// The facts in an account's list, and those in the bank's own ledger.
async fn told_and_true(app: &App, account: &str) -> (Vec<String>, Vec<String>) {
    let first = format!("{FC}/transactions?account={account}&limit=100");
    let mut rows = Vec::new();
    let mut path = first.clone();
    loop {
        let page = app.get(&path).await.ok();
        rows.extend(page.items("/data"));
        if page.at("/has_more") == false {
            break;
        }
        path = format!("{first}&starting_after={}", page.text("/data/99/id"));
    }
    (facts(&rows), facts(&app.ledger(account).await))
}

async fn snapshot(client: &Client) -> String {
    client.post(SNAPSHOTS, "").await.ok().id()
}

async fn restore(client: &Client, snapshot: &str) {
    client.post(&format!("{SNAPSHOTS}/{snapshot}/restore"), "").await.ok();
}

/// The main job across a restore. Every list is byte for byte as before. A refresh that was undone
/// stays unknown. Later bank rows are read without duplicates, and no id is used again.
#[tokio::test]
async fn goes_back_and_goes_on() {
    for app in [App::start().await, App::start().await] {
        let account = app.account().await;
        let first = refresh(&app, &account).await;
        app.post(&format!("{HELPERS}/accounts/{account}/next_refresh"), "delay_seconds=0")
            .await
            .ok();
        let before = seen(&app, &account).await;
        let snapshot = snapshot(&app).await;
        let taken = seen(&app, &account).await;
        assert_eq!(before, taken, "a snapshot changes nothing");

        let add = format!("{HELPERS}/accounts/{account}/transactions");
        let added = app.post(&add, "amount=-1200&description=Undone").await.ok().id();
        let undone = refresh(&app, &account).await;
        app.customer().await;
        app.post(&format!("{FC}/accounts/{account}/disconnect"), "").await.ok();
        app.run_workers_until_idle().await;
        for _ in 0..2 {
            restore(&app, &snapshot).await;
            app.run_workers_until_idle().await;
            assert_eq!(seen(&app, &account).await, before);
        }

        let added_anew = app.post(&add, "amount=-3400&description=Done").await.ok().id();
        assert_ne!(added_anew, added);
        let next = refresh(&app, &account).await;
        assert!(![&first, &undone].contains(&&next), "{next}");
        let (told, truth) = told_and_true(&app, &account).await;
        assert_eq!(told, truth);
        assert!(told.iter().any(|fact| fact.contains("Done")));
        assert!(!told.iter().any(|fact| fact.contains("Undone")));
        let after = |refresh: &str| {
            format!("{FC}/transactions?account={account}&transaction_refresh[after]={refresh}")
        };
        let brought = app.get(&after(&first)).await.ok();
        assert_eq!(facts(&brought.items("/data")).len(), 1, "{}", brought.body);
        let unknown = app.get(&after(&undone)).await;
        assert_eq!(unknown.status, 404, "{}", unknown.body);
        assert_eq!(unknown.text("/error/param"), "transaction_refresh[after]");
    }
}

/// A test clock shows the time of the snapshot again. Advancing it a second time leads to the same
/// bank facts as the first time.
#[tokio::test]
async fn clocks_go_back() {
    let app = App::start().await;
    let path = "/v1/test_helpers/test_clocks";
    let (customer, clock) = app.customer_on_clock().await;
    let session = app.session(&customer, "prefetch[]=transactions").await;
    let account = app.link(&session, "").await.text("/accounts/data/0/id");
    app.subscribe(&account).await;
    app.run_workers_until_idle().await;
    let snapshot = snapshot(&app).await;
    let mut ways = Vec::new();
    for _ in 0..2 {
        app.advance(&clock, BEGIN_S + 9 * DAY_S).await;
        let shown = app.get(&format!("{path}/{clock}")).await.ok();
        assert_eq!(shown.text("/status"), "ready");
        assert_eq!(shown.at("/frozen_time"), BEGIN_S + 9 * DAY_S);
        refresh(&app, &account).await;
        let (told, truth) = told_and_true(&app, &account).await;
        assert_eq!(told, truth);
        ways.push(told);
        restore(&app, &snapshot).await;
        let shown = app.get(&format!("{path}/{clock}")).await.ok();
        assert_eq!(shown.at("/frozen_time"), BEGIN_S);
    }
    assert_eq!(ways[0], ways[1]);
    // An advance that is in progress at the restore is over.
    let advance = format!("{path}/{clock}/advance");
    app.post(&advance, &format!("frozen_time={}", BEGIN_S + DAY_S)).await.ok();
    restore(&app, &snapshot).await;
    app.run_workers_until_idle().await;
    assert_eq!(app.get(&format!("{path}/{clock}")).await.ok().at("/frozen_time"), BEGIN_S);
}

/// Webhooks that were pending at the time of the snapshot are delivered after the restore, even if
/// they were delivered in between. A client that was restored too has not received them.
#[tokio::test]
async fn deliveries_go_back() {
    let (app, receiver) = App::with_receiver().await;
    app.endpoint(&receiver.url, "customer.created", "").await;
    let early = app.customer().await;
    let snapshot = snapshot(&app).await;
    let late = app.customer().await;
    app.run_workers_until_idle().await;
    // Deliveries that are due together arrive in any order.
    let told = |posts: Vec<testkit::Response>| -> BTreeSet<String> {
        posts.iter().map(|post| post.text("/data/object/id")).collect()
    };
    assert_eq!(told(receiver.take()), BTreeSet::from([early.clone(), late]));
    restore(&app, &snapshot).await;
    app.run_workers_until_idle().await;
    assert_eq!(told(receiver.take()), BTreeSet::from([early]));
}

/// A reset leaves an empty sandbox and its snapshots. Another key is not affected, and a repeated
/// request gets the first response.
#[tokio::test]
async fn resets() {
    let app = App::start().await;
    let other = app.with_key("sk_test_other");
    other.customer().await;
    let account = app.account().await;
    app.run_workers_until_idle().await;
    let snapshot = snapshot(&app).await;
    app.in_account("acct_1").customer().await;
    let reset = async || app.idempotent("k").post(RESET, "").await;
    let told = reset().await.ok();
    insta::assert_snapshot!(told.shown(), @r#"
    200
    { created: 1767225600, livemode: false, object: "bankfeed.reset" }
    "#);
    for list in ["/v1/customers", "/v1/events", "/v1/accounts", &format!("{FC}/accounts")] {
        assert_eq!(app.count(list).await, 0, "{list}");
    }
    assert_eq!(app.in_account("acct_1").count("/v1/customers").await, 0);
    assert_eq!(app.get(&format!("{FC}/accounts/{account}")).await.status, 404);
    assert_eq!(other.count("/v1/customers").await, 1);
    let next = app.customer().await;
    assert_eq!(reset().await.ok().body, told.body);
    app.get(&format!("/v1/customers/{next}")).await.ok();
    restore(&app, &snapshot).await;
    app.get(&format!("{FC}/accounts/{account}")).await.ok();
    assert_eq!(app.get(&format!("/v1/customers/{next}")).await.status, 404);
}

/// A snapshot shows its content. It is listed, shown and deleted. The same idempotency key repeats
/// it, even after a restore.
#[tokio::test]
async fn tells_of_snapshots() {
    let app = App::start().await;
    app.customer().await;
    let form = "name=seeded&metadata[suite]=a";
    let take = async || app.idempotent("k").post(SNAPSHOTS, form).await.ok();
    let taken = take().await;
    insta::assert_snapshot!(taken.shown(), @r#"
    200
    {
      bytes: 1192
      counts: { customer: 1, event: 1 }
      created: 1767225600
      id: "snap_…"
      livemode: false
      metadata: { suite: "a" }
      name: "seeded"
      object: "bankfeed.snapshot"
    }
    "#);
    let id = taken.id();
    restore(&app, &id).await;
    assert_eq!(take().await.body, taken.body);
    assert_eq!(app.get(&format!("{SNAPSHOTS}/{id}")).await.ok().body, taken.body);
    let newer = snapshot(&app).await;
    let listed = app.get(&format!("{SNAPSHOTS}?limit=1")).await.ok();
    assert_eq!((listed.text("/data/0/id"), listed.at("/has_more")), (newer.clone(), true.into()));
    let older = app.get(&format!("{SNAPSHOTS}?starting_after={newer}")).await.ok();
    assert_eq!(older.text("/data/0/id"), id);
    let deleted = app.delete(&format!("{SNAPSHOTS}/{id}")).await.ok();
    assert_eq!(deleted.at("/deleted"), true);
    assert_eq!(app.count(SNAPSHOTS).await, 1);
}

/// Every error of these calls.
#[tokio::test]
async fn api_errors() {
    let app = App::start().await;
    let deleted = snapshot(&app).await;
    app.delete(&format!("{SNAPSHOTS}/{deleted}")).await.ok();
    for _ in 0..model::limits::SNAPSHOTS_MAX {
        snapshot(&app).await;
    }
    insta::assert_snapshot!(app.api_errors(&[
        ("POST", SNAPSHOTS, ""),
        ("POST", SNAPSHOTS, &format!("name={}", "n".repeat(301))),
        ("POST", SNAPSHOTS, "metadata=x"),
        ("GET", &format!("{SNAPSHOTS}?starting_after=snap_1"), ""),
        ("GET", &format!("{SNAPSHOTS}/snap_1"), ""),
        ("GET", &format!("{SNAPSHOTS}/{deleted}"), ""),
        ("DELETE", &format!("{SNAPSHOTS}/{deleted}"), ""),
        ("POST", &format!("{SNAPSHOTS}/{deleted}/restore"), ""),
        ("POST", &format!("{SNAPSHOTS}/snap_1/restore"), ""),
        ("POST", RESET, "everything=true"),
    ]).await, @"
    POST /v1/test_helpers/snapshots
        400: Limit reached: at most 50 snapshots. Delete one first.
    POST /v1/test_helpers/snapshots name=…
        400 - name: Invalid string: name may have at most 300 characters
    POST /v1/test_helpers/snapshots metadata=x
        400 - metadata: Invalid object: x
    GET /v1/test_helpers/snapshots?starting_after=snap_1
        400 resource_missing starting_after: No such snapshot: 'snap_1'
    GET /v1/test_helpers/snapshots/snap_1
        404 resource_missing snapshot: No such snapshot: 'snap_1'
    GET /v1/test_helpers/snapshots/snap_…
    DELETE /v1/test_helpers/snapshots/snap_…
    POST /v1/test_helpers/snapshots/snap_…/restore
        404 resource_missing snapshot: No such snapshot: 'snap_…'
    POST /v1/test_helpers/snapshots/snap_1/restore
        404 resource_missing snapshot: No such snapshot: 'snap_1'
    POST /v1/test_helpers/reset everything=true
        400 parameter_unknown everything: Received unknown parameter: everything
    ");
    let live = app.live().api_errors(&[("POST", SNAPSHOTS, ""), ("POST", RESET, "")]).await;
    insta::assert_snapshot!(live, @"
    POST /v1/test_helpers/snapshots
    POST /v1/test_helpers/reset
        400: This call works in test mode only. Use a test key (sk_test_…).
    ");
}

/// A fault is removed and restored with its sandbox, and its counts begin again.
#[tokio::test]
async fn faults_go_and_come() {
    let app = App::start().await;
    let fails = "kind=api_error_before&path=/v1/customers&first=1";
    let fault = app.post("/v1/test_helpers/faults", fails).await.ok().id();
    let kept = app.post(SNAPSHOTS, "").await.ok().id();
    let status = async || app.get("/v1/customers").await.status;
    assert_eq!([status().await, status().await], [500, 200]);
    app.post(&format!("{SNAPSHOTS}/{kept}/restore"), "").await.ok();
    assert_eq!([status().await, status().await], [500, 200], "counted from the beginning");
    app.delete(&format!("/v1/test_helpers/faults/{fault}")).await.ok();
    app.post(&format!("{SNAPSHOTS}/{kept}/restore"), "").await.ok();
    assert_eq!(status().await, 500, "back with the snapshot");
    app.post("/v1/test_helpers/faults", "kind=api_error_before&path=/v1/customers").await.ok();
    assert_eq!(status().await, 500);
    app.post(RESET, "").await.ok();
    assert_eq!(status().await, 200, "gone with the sandbox");
}
