//! The effects of a reset. It is a series of commands, and one of them switches the sandbox to the
//! empty state. A gate holds a call or the reset back between two commands.

use crate::{merchant, refused};
use model::connected_account::PlatformTie;
use model::id::MerchantId;
use std::sync::Arc;
use store::{FindObject, Kind, MeasureSandbox};
use testkit::gate::Gate;
use testkit::{App, Client, FC, LINK, Recorder, Response};

const RESET: &str = "/v1/test_helpers/reset";
const SNAPSHOTS: &str = "/v1/test_helpers/snapshots";
/// The commands of a reset that begin it. The one after them switches the sandbox.
const BEGINNING: usize = 1;

/// Makes a call behind a gate, holds it back after this number of its writes, and runs `meanwhile`
/// then.
async fn held<F: Future>(app: &App, call: (&str, &str), writes: usize, meanwhile: F) -> Response {
    let gate = Arc::new(Gate::default());
    let behind = app.behind(gate.clone()).await;
    gate.hold_after(writes);
    let (path, form) = (call.0.to_owned(), call.1.to_owned());
    let client = behind.client.clone();
    let calling = tokio::spawn(async move { client.post(&path, &form).await });
    gate.held().await;
    meanwhile.await;
    gate.open();
    calling.await.unwrap()
}

async fn reset(client: &Client) {
    client.post(RESET, "").await.ok();
}

/// The number of all rows of the sandbox.
async fn rows(app: &App) -> u64 {
    app.engine.store().read(MeasureSandbox { merchant: merchant() }).await.unwrap().rows()
}

/// A reset removes every object without an event, and no row is left. Snapshots stay, and a restore
/// brings the objects back.
#[tokio::test]
async fn a_reset_leaves_snapshots() {
    let app = App::start().await;
    let receiver = Recorder::start().await.unwrap();
    app.endpoint(&receiver.url, "*", "").await;
    let account = app.account().await;
    app.run_workers_until_idle().await;
    let snapshot = app.post(SNAPSHOTS, "").await.ok().id();
    let before = rows(&app).await;
    receiver.take();
    reset(&app).await;
    app.run_workers_until_idle().await;
    assert_eq!((rows(&app).await, receiver.take().len()), (0, 0));
    assert_eq!(app.ids(SNAPSHOTS).await, std::slice::from_ref(&snapshot));
    app.post(&format!("{SNAPSHOTS}/{snapshot}/restore"), "").await.ok();
    assert_eq!(rows(&app).await, before);
    assert_eq!(crate::account_status(&app, &account).await, "active");
}

/// A connected account that resets itself stays connected. Its platform deletes it afterwards.
#[tokio::test]
async fn a_connected_account_resets_itself() {
    let app = App::start().await;
    let id = app.post("/v1/accounts", "type=custom").await.ok().id();
    let inside = app.in_account(&id);
    inside.customer().await;
    let own = app.customer().await;
    reset(&inside).await;
    assert_eq!(inside.count("/v1/customers").await, 0);
    assert_eq!(app.ids("/v1/customers").await, [own]);
    let acting = MerchantId::of_connected(merchant(), &id);
    let (kind, number) = (Kind::PlatformTie, PlatformTie::NUMBER);
    let find = FindObject { merchant: acting, kind, number };
    assert!(app.engine.store().read(find).await.unwrap().is_some());
    inside.customer().await;
    app.delete(&format!("/v1/accounts/{id}")).await.ok();
    assert_eq!(refused(&inside.get("/v1/customers").await), "403 account_invalid");
}

/// Issued keys work after a reset, and the report of the client checker is empty.
#[tokio::test]
async fn keys_stay_and_observations_go() {
    let app = App::start().await;
    let key = app.keys().issue(1, false);
    let client = app.with_key(&key.secret);
    let account = client.account().await;
    client.get(&format!("{FC}/accounts/{account}")).await.ok();
    let report = "/v1/test_helpers/consumer_report";
    assert_ne!(client.get(report).await.ok().at("/watched/calls"), 0);
    reset(&client).await;
    assert_eq!(client.get(report).await.ok().text("/verdict"), "nothing_seen");
    assert_eq!(client.count("/v1/customers").await, 0);
}

/// A refresh and a webhook that are under way during a reset leave no row. The webhook was received.
#[tokio::test]
async fn work_under_way_leaves_no_row() {
    let app = App::start().await;
    let receiver = Recorder::start().await.unwrap();
    app.endpoint(&receiver.url, "financial_connections.account.created", "").await;
    let account = app.account().await;
    app.run_workers_until_idle().await;
    receiver.take();
    app.pass_s(10);
    app.refresh(&account, "transactions").await;
    app.account().await;
    app.engine.run_dispatch_once().await.unwrap();
    let gates = [Arc::new(Gate::default()), Arc::new(Gate::default())];
    let behind = [app.behind(gates[0].clone()).await, app.behind(gates[1].clone()).await];
    for gate in &gates {
        // The claim passes, and the end of the work is held back.
        gate.hold_after(1);
    }
    let engines = behind.each_ref().map(|behind| Arc::clone(&behind.engine));
    let [refreshing, delivering] = engines;
    let refreshing = tokio::spawn(async move { refreshing.run_refresh_once().await });
    let delivering = tokio::spawn(async move { delivering.run_deliver_once().await });
    for gate in &gates {
        gate.held().await;
    }
    reset(&app).await;
    for gate in &gates {
        gate.open();
    }
    refreshing.await.unwrap().unwrap();
    assert_eq!(delivering.await.unwrap().unwrap(), 1);
    app.run_workers_until_idle().await;
    assert_eq!((rows(&app).await, receiver.take().len()), (0, 1));
}

/// A call that commits before the reset is removed by it. One that commits after it stays. The reset
/// is held back before each of its commands.
#[tokio::test]
async fn a_call_is_before_the_reset_or_after_it() {
    for (writes, stays) in [(0, false), (BEGINNING, false), (BEGINNING + 1, true)] {
        let (app, early) = App::with_customer().await;
        let mut late = String::new();
        let create = async { late = app.customer().await };
        held(&app, (RESET, ""), writes, create).await.ok();
        let left = app.ids("/v1/customers").await;
        let expected = if stays { vec![late.clone()] } else { vec![] };
        assert_eq!(left, expected, "after {writes} writes, beside {early}");
        assert_eq!(app.ids("/v1/events").await.len(), usize::from(stays));
    }
}

/// A call whose parent was removed by a reset before its commit returns 404, as a later call does, and
/// leaves no row. A call without a parent leaves its object in the empty sandbox.
#[tokio::test]
async fn a_call_under_way_needs_its_parent_after_the_reset() {
    let app = App::start().await;
    for name in ["link", "session", "invoice", "update"] {
        let customer = app.customer().await;
        let session = app.session(&customer, "").await.id();
        let holder = format!("{}={customer}&permissions[]=balances", testkit::HOLDER);
        let (path, form, expected) = match name {
            "link" => (LINK.to_owned(), format!("carrier={session}"), "carrier"),
            "session" => (format!("{FC}/sessions"), holder, "account_holder[customer]"),
            "invoice" => ("/v1/invoices".to_owned(), format!("customer={customer}"), "customer"),
            _ => (format!("/v1/customers/{customer}"), "name=Ada".to_owned(), "id"),
        };
        let response = held(&app, (&path, &form), 0, reset(&app)).await;
        assert_eq!(refused(&response), format!("404 resource_missing {expected}"), "{name}");
        assert_eq!(rows(&app).await, 0, "{name}");
    }
    let created = held(&app, ("/v1/customers", "name=Ada"), 0, reset(&app)).await.ok();
    assert_eq!(app.ids("/v1/customers").await, [created.id()]);
}

/// A call in a connected account that a reset of its platform removes returns 429, and leaves no row. A
/// repeated call creates the account again.
#[tokio::test]
async fn a_call_under_way_in_a_removed_account_conflicts() {
    let app = App::start().await;
    let inside = app.in_account("acct_1");
    inside.customer().await;
    let gate = Arc::new(Gate::default());
    let behind = app.behind(gate.clone()).await;
    gate.hold_after(0);
    let client = behind.client.in_account("acct_1");
    let calling = tokio::spawn(async move { client.post("/v1/customers", "").await });
    gate.held().await;
    reset(&app).await;
    gate.open();
    assert_eq!(refused(&calling.await.unwrap()), "429 lock_timeout");
    assert_eq!(inside.count("/v1/customers").await, 0);
    let customer = inside.customer().await;
    assert_eq!(inside.ids("/v1/customers").await, [customer]);
    reset(&app).await;
    assert_eq!(inside.count("/v1/customers").await, 0);
}
