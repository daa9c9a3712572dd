//! The calls of Stripe's guide to transactions, with the printed bodies and the documented effects.

use crate::cool_down::with_cool_down;
use serde_json::{Value, json};
use testkit::{App, BEGIN_S, DAY_S, HOLDER, Response};

const ACCOUNTS: &str = "/v1/financial_connections/accounts";
const REFRESHED: &str = "financial_connections.account.refreshed_transactions";

async fn act(app: &App, account: &str, call: &str) -> Response {
    app.post(&format!("{ACCOUNTS}/{account}/{call}"), "features[]=transactions").await
}

async fn steer(app: &App, account: &str, call: &str, form: &str) -> Response {
    let base = "/v1/test_helpers/financial_connections/accounts";
    app.post(&format!("{base}/{account}/{call}"), form).await.ok()
}

async fn show(app: &App, account: &str) -> Response {
    app.get(&format!("{ACCOUNTS}/{account}")).await.ok()
}

/// The refreshes in the emitted events, newest first.
async fn told_refreshes(app: &App) -> Vec<Value> {
    let events = app.get(&format!("/v1/events?type={REFRESHED}&limit=100")).await.ok();
    let refresh = |event: &Value| event["data"]["object"]["transaction_refresh"].clone();
    events.items("/data").iter().map(refresh).collect()
}

/// A customer and a session as the guide creates them.
#[tokio::test]
async fn customer_and_session() {
    let app = App::start().await;
    let customer = app.post("/v1/customers", "name=Jenny+Rosen&email=jenny@example.com").await;
    insta::assert_snapshot!(customer.shown(), @r#"
    200
    {
      balance: 0
      created: 1767225600
      delinquent: false
      email: "jenny@example.com"
      id: "cus_…"
      invoice_settings: {
        null: custom_fields, default_payment_method, footer, rendering_options
      }
      livemode: false
      metadata: {}
      name: "Jenny Rosen"
      next_invoice_sequence: 1
      object: "customer"
      preferred_locales: []
      tax_exempt: "none"
      null: address, currency, customer_account, default_source, description, discount
      null: invoice_prefix, phone, shipping, test_clock
    }
    "#);
    let form = format!(
        "{HOLDER}={}&permissions[]=payment_method&permissions[]=balances&permissions[]=transactions\
         &prefetch[]=transactions",
        customer.id()
    );
    let session = app.post("/v1/financial_connections/sessions", &form).await;
    insta::assert_snapshot!(session.shown(), @r#"
    200
    {
      account_holder: { customer: "cus_…", type: "customer" }
      accounts: {
        data: []
        has_more: false
        object: "list"
        url: "/v1/financial_connections/accounts"
      }
      client_secret: "fcsess_client_secret_…"
      id: "fcsess_…"
      livemode: false
      object: "financial_connections.session"
      permissions: ["balances", "payment_method", "transactions"]
      prefetch: ["transactions"]
    }
    "#);
}

/// Before any refresh, `transaction_refresh` is null and transactions cannot be listed. Subscribing
/// returns the subscription and a pending refresh. An event reports the end of the refresh.
#[tokio::test]
async fn subscribe() {
    let (app, account) = App::with_account().await;
    assert_eq!(show(&app, &account).await.at("/transaction_refresh"), Value::Null);

    let subscribed = act(&app, &account, "subscribe").await.ok();
    assert_eq!(subscribed.at("/subscriptions"), json!(["transactions"]));
    let refresh = subscribed.at("/transaction_refresh");
    assert!(refresh["id"].as_str().unwrap().starts_with("fctxnref_"));
    assert_eq!(refresh["status"], "pending");
    assert_eq!(refresh["next_refresh_available_at"], Value::Null);

    let list = format!("/v1/financial_connections/transactions?account={account}");
    insta::assert_snapshot!(app.get(&list).await.api_error(), @"
    400 financial_connections_no_successful_transaction_refresh: No refresh of this account's
      transactions has succeeded yet.
    ");
    app.run_workers_until_idle().await;
    let told = told_refreshes(&app).await;
    assert_eq!((told.len(), &told[0]["id"]), (1, &refresh["id"]));
    assert_eq!(app.count(&list).await, 10);
}

/// A refresh request has no effect while a refresh is pending or too soon after one. The response
/// is 200 with the same refresh id and a notice, and no event is emitted.
#[tokio::test]
async fn refresh_too_early() {
    let (app, account) = with_cool_down(1).await;
    let first = act(&app, &account, "refresh").await.ok();
    assert_eq!(first.header("stripe-notice"), None);
    let id = first.text("/transaction_refresh/id");
    let pending = act(&app, &account, "refresh").await.ok();
    assert_eq!(pending.text("/transaction_refresh/id"), id);
    insta::assert_snapshot!(pending.header("stripe-notice").unwrap(), @"No refresh was started, because the previous refresh is still pending.");

    app.run_workers_until_idle().await;
    let ended = act(&app, &account, "refresh").await.ok();
    assert_eq!(ended.text("/transaction_refresh/id"), id);
    assert_eq!(ended.text("/transaction_refresh/status"), "succeeded");
    app.run_workers_until_idle().await;
    assert_eq!(told_refreshes(&app).await.len(), 1);

    app.pass_s(1);
    let next = act(&app, &account, "refresh").await.ok();
    assert_ne!(next.text("/transaction_refresh/id"), id);
}

/// An inactive account cannot be refreshed or subscribed to and shows no time of the next refresh.
/// Data from earlier refreshes stays readable.
#[tokio::test]
async fn inactive_account() {
    let (app, account) = App::with_account().await;
    act(&app, &account, "refresh").await.ok();
    app.run_workers_until_idle().await;
    assert!(
        show(&app, &account).await.at("/transaction_refresh/next_refresh_available_at").is_i64()
    );
    steer(&app, &account, "deactivate", "cause=access_denied").await;

    let mut told = act(&app, &account, "refresh").await.api_error();
    told += &act(&app, &account, "subscribe").await.api_error();
    insta::assert_snapshot!(told, @"
    400 financial_connections_account_inactive: Data cannot be refreshed on inactive accounts.
    400 financial_connections_account_inactive: Data cannot be refreshed on inactive accounts.
    ");
    let shown = show(&app, &account).await;
    assert_eq!(shown.text("/status"), "inactive");
    assert_eq!(shown.at("/transaction_refresh/next_refresh_available_at"), Value::Null);
    app.get(&format!("/v1/financial_connections/transactions?account={account}")).await.ok();
}

/// Subscribing while a prefetch is pending starts no second refresh.
#[tokio::test]
async fn subscribe_during_prefetch() {
    let app = App::start().await;
    let session = app.session(&app.customer().await, "prefetch[]=transactions").await;
    let linked = app.link(&session, "").await;
    let account = linked.text("/accounts/data/0/id");
    assert_eq!(linked.text("/accounts/data/0/transaction_refresh/status"), "pending");
    let subscribed = act(&app, &account, "subscribe").await.ok();
    assert_eq!(subscribed.at("/subscriptions"), json!(["transactions"]));
    let id = linked.text("/accounts/data/0/transaction_refresh/id");
    assert_eq!(subscribed.text("/transaction_refresh/id"), id);
    app.run_workers_until_idle().await;
    assert_eq!(told_refreshes(&app).await.len(), 1);
}

/// A subscribed account is refreshed once a day, and a refresh on demand does not change that. In
/// the three days after unsubscribing no refresh runs. Subscribing again starts a new refresh.
#[tokio::test]
async fn daily_work() {
    let (app, account) = with_cool_down(1).await;
    act(&app, &account, "subscribe").await.ok();
    app.run_workers_until_idle().await;
    for day in 2..=4 {
        app.elapse_s(DAY_S).await;
        assert_eq!(told_refreshes(&app).await.len(), day);
    }
    act(&app, &account, "refresh").await.ok();
    app.run_workers_until_idle().await;
    // The daily refresh ran in this very second, so the one on demand was too early.
    assert_eq!(told_refreshes(&app).await.len(), 4);
    app.pass_s(10);
    act(&app, &account, "refresh").await.ok();
    app.run_workers_until_idle().await;
    app.elapse_s(DAY_S).await;
    assert_eq!(told_refreshes(&app).await.len(), 6);

    let last = show(&app, &account).await.at("/transaction_refresh");
    let unsubscribed = act(&app, &account, "unsubscribe").await.ok();
    assert_eq!(unsubscribed.at("/subscriptions"), json!([]));
    assert_eq!(unsubscribed.at("/transaction_refresh"), last);
    for _ in 0..3 {
        app.elapse_s(DAY_S).await;
    }
    assert_eq!(told_refreshes(&app).await.len(), 6);
    let again = act(&app, &account, "subscribe").await.ok();
    assert_eq!(again.text("/transaction_refresh/status"), "pending");
    assert_ne!(again.at("/transaction_refresh/id"), last["id"]);
}

/// A failed refresh also emits its event, and keeps the existing data.
#[tokio::test]
async fn failure_is_told() {
    let (app, account) = App::with_account().await;
    act(&app, &account, "refresh").await.ok();
    app.run_workers_until_idle().await;
    steer(&app, &account, "next_refresh", "outcome=failed&cause=institution_timeout").await;
    app.pass_s(5);
    let asked = act(&app, &account, "refresh").await.ok();
    app.run_workers_until_idle().await;
    let told = told_refreshes(&app).await;
    assert_eq!(told.len(), 2);
    assert_eq!(told[0]["id"], asked.at("/transaction_refresh/id"));
    assert_eq!(told[0]["status"], "failed");
    let list = format!("/v1/financial_connections/transactions?account={account}");
    assert_eq!(app.count(&list).await, 10);
    // The reason for the failure is visible in preview versions.
    let preview = app.in_version("2026-10-14.preview");
    let shown = preview.get(&format!("{ACCOUNTS}/{account}")).await.ok();
    let error = shown.at("/transaction_refresh/error");
    assert_eq!(error["code"], "institution_timeout");
}

/// A list with the id of a refresh returns exactly the transactions that later refreshes created or
/// changed, page by page.
#[tokio::test]
async fn list_after_a_refresh() {
    let (app, account) = App::with_account().await;
    let first = act(&app, &account, "refresh").await.ok().text("/transaction_refresh/id");
    app.run_workers_until_idle().await;
    let list = format!("/v1/financial_connections/transactions?account={account}");
    let after = format!("{list}&transaction_refresh[after]={first}");
    assert_eq!(app.count(&after).await, 0);

    let mut added = Vec::new();
    for amount in 1..=3 {
        let form = format!("amount=-{amount}00&description=Coffee+{amount}");
        steer(&app, &account, "transactions", &form).await;
        added.push(format!("Coffee {amount}"));
    }
    app.pass_s(5);
    let second = act(&app, &account, "refresh").await.ok().text("/transaction_refresh/id");
    app.run_workers_until_idle().await;

    let mut seen = Vec::new();
    let mut page = app.get(&format!("{after}&limit=2")).await.ok();
    loop {
        for row in page.items("/data") {
            assert_eq!(row["transaction_refresh"], second.as_str());
            seen.push(row);
        }
        if page.at("/has_more") == false {
            break;
        }
        let cursor = seen.last().unwrap()["id"].as_str().unwrap().to_owned();
        page = app.get(&format!("{after}&limit=2&starting_after={cursor}")).await.ok();
    }
    let mut coffees: Vec<String> = seen
        .iter()
        .filter_map(|row| row["description"].as_str())
        .filter(|text| text.starts_with("Coffee"))
        .map(str::to_owned)
        .collect();
    coffees.sort();
    assert_eq!(coffees, added);
    let later = format!("{list}&transaction_refresh[after]={second}");
    assert_eq!(app.count(&later).await, 0);
}

/// The webhook is signed, and contains the account in the version of the endpoint.
#[tokio::test]
async fn webhook() {
    let (app, receiver) = App::with_receiver().await;
    let version = "api_version=2026-07-29.dahlia";
    let endpoint = app.endpoint(&receiver.url, REFRESHED, version).await;
    let account = app.account().await;
    act(&app, &account, "subscribe").await.ok();
    app.run_workers_until_idle().await;
    let posts = receiver.take();
    let [post] = posts.as_slice() else { panic!("{posts:?}") };
    let now = BEGIN_S;
    let signature = post.header("stripe-signature").unwrap();
    let secret = endpoint.text("/secret");
    wire::signature::verify(signature, &secret, post.body.as_bytes(), now, 300).unwrap();
    assert_eq!(post.text("/type"), REFRESHED);
    assert_eq!(post.text("/api_version"), "2026-07-29.dahlia");
    assert_eq!(post.text("/data/object/id"), account);
    assert_eq!(post.text("/data/object/transaction_refresh/status"), "succeeded");
    let event = app.get(&format!("/v1/events/{}", post.id())).await.ok();
    assert_eq!(event.at("/pending_webhooks"), 0);
}
