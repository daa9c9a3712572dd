//! Waiting until all due work is done.

use testkit::{App, BEGIN_S, Client, DAY_S, Recorder, Response, start_process};

const SETTLED: &str = "/v1/test_helpers/settled";
const CLOCKS: &str = "/v1/test_helpers/test_clocks";

/// Looks once, and returns true if all work is done, or the message of the API error.
async fn look(app: &App, query: &str) -> Result<(), String> {
    let response = app.get(&format!("{SETTLED}?timeout=0&{query}")).await;
    if response.status == 200 { Ok(()) } else { Err(response.api_error()) }
}

/// Links an account of a new customer on a clock and subscribes to it. Returns both ids.
async fn subscribed(client: &Client, clock: &str) -> (String, String) {
    let customer = client.post("/v1/customers", &format!("test_clock={clock}")).await.ok().id();
    let session = client.session(&customer, "").await;
    let account = client.link(&session, "").await.text("/accounts/data/0/id");
    client.subscribe(&account).await;
    (customer, account)
}

async fn clock(client: &Client) -> String {
    client.post(CLOCKS, &format!("frozen_time={BEGIN_S}")).await.ok().id()
}

async fn advanced(client: &Client, clock: &str, more: &str) -> Response {
    client.post(&format!("{CLOCKS}/{clock}/advance"), more).await
}

/// Work is open until each step that it causes is done: the refresh, the dispatch of its event, and the
/// first attempt of the delivery, with or without success. The error names what is open.
#[tokio::test]
async fn names_open_work_until_it_is_done() {
    let (app, receiver) = App::with_receiver().await;
    let endpoint = "financial_connections.account.refreshed_balance";
    app.endpoint(&receiver.url, endpoint, "").await;
    let account = app.account().await;
    app.run_workers_until_idle().await;
    assert_eq!(look(&app, "").await, Ok(()));
    receiver.respond(500);
    app.refresh(&account, "balance").await;
    let mut steps = vec![look(&app, "").await.unwrap_err()];
    app.engine.run_refresh_once().await.unwrap();
    steps.push(look(&app, "").await.unwrap_err());
    app.engine.run_dispatch_once().await.unwrap();
    steps.push(look(&app, "").await.unwrap_err());
    insta::assert_snapshot!(steps.concat(), @"
    408 api_error: Not settled within 0 seconds. Still open: the refresh of balance of account
      fca_….
    408 api_error: Not settled within 0 seconds. Still open: the dispatch of event evt_…
      (financial_connections.account.refreshed_balance).
    408 api_error: Not settled within 0 seconds. Still open: the first attempt of whd_… (evt_… to
      we_…).
    ");
    app.engine.run_deliver_once().await.unwrap();
    assert_eq!(look(&app, "").await, Ok(()));
    // The retry is no first attempt.
    app.pass_s(6);
    assert_eq!(look(&app, "").await, Ok(()));
    let delivery = app.ids("/v1/test_helpers/deliveries").await.remove(0);
    app.post(&format!("/v1/test_helpers/deliveries/{delivery}/resend"), "").await.ok();
    assert!(look(&app, "").await.is_err());
}

/// A scope leaves out the work of other accounts, customers and test clocks.
#[tokio::test]
async fn a_scope_leaves_out_other_work() {
    let app = App::start().await;
    let [mine, others] = [clock(&app).await, clock(&app).await];
    let (customer, account) = subscribed(&app, &mine).await;
    let (other_customer, other_account) = subscribed(&app, &others).await;
    app.run_workers_until_idle().await;
    let scopes = [
        format!("account={account}"),
        format!("customer={customer}"),
        format!("clock={mine}"),
        format!("account={other_account}"),
        format!("customer={other_customer}"),
        format!("clock={others}"),
    ];
    let open = async || {
        let mut open = String::new();
        for scope in &scopes {
            open.push(if look(&app, scope).await.is_ok() { '-' } else { 'x' });
        }
        open
    };
    assert_eq!(open().await, "------");
    app.refresh(&account, "balance").await;
    assert_eq!(open().await, "xxx---");
    app.engine.run_refresh_once().await.unwrap();
    assert_eq!(open().await, "xxx---");
    app.run_workers_until_idle().await;
    app.post(&format!("/v1/customers/{other_customer}"), "name=Eve").await.ok();
    assert_eq!(open().await, "----xx");
    app.run_workers_until_idle().await;
    let week = format!("frozen_time={}", BEGIN_S + 7 * DAY_S);
    advanced(&app, &others, &week).await.ok();
    assert_eq!(open().await, "---xxx");
    app.run_workers_until_idle().await;
    assert_eq!(open().await, "------");
}

/// Due changes of payment objects are open work of their customer.
#[tokio::test]
async fn a_debit_under_way_is_open() {
    let (app, customer) = App::with_customer().await;
    let other = app.customer().await;
    app.run_workers_until_idle().await;
    let form = format!(
        "amount=2000&currency=usd&customer={customer}&payment_method_types[]=us_bank_account\
         &payment_method=pm_usBankAccount_success&confirm=true\
         &mandate_data[customer_acceptance][type]=offline"
    );
    app.post("/v1/payment_intents", &form).await.ok();
    app.engine.run_dispatch_once().await.unwrap();
    let open = look(&app, &format!("customer={customer}")).await.unwrap_err();
    insta::assert_snapshot!(open, @"
    408 api_error: Not settled within 0 seconds. Still open: a due change of payment_intent pi_….
    ");
    assert_eq!(look(&app, &format!("customer={other}")).await, Ok(()));
    app.run_workers_until_idle().await;
    assert_eq!(look(&app, "").await, Ok(()));
}

/// Two scopes, an unknown object and a timeout that is too long are rejected.
#[tokio::test]
async fn rejects_what_it_cannot_wait_for() {
    let app = App::start().await;
    let calls = [
        "account=fca_1&clock=clock_1",
        "account=fca_1",
        "customer=cus_1",
        "clock=clock_1",
        "timeout=61",
    ]
    .map(|query| format!("{SETTLED}?{query}"));
    let calls: Vec<_> = calls.iter().map(|call| ("GET", call.as_str(), "")).collect();
    insta::assert_snapshot!(app.api_errors(&calls).await, @"
    GET /v1/test_helpers/settled?account=fca_1&clock=clock_1
        400 parameters_exclusive account: You may give only one of these parameters: account, clock.
    GET /v1/test_helpers/settled?account=fca_1
        404 resource_missing account: No such Financial Connections account: 'fca_1'
    GET /v1/test_helpers/settled?customer=cus_1
        404 resource_missing customer: No such customer: 'cus_1'
    GET /v1/test_helpers/settled?clock=clock_1
        404 resource_missing clock: No such test clock: 'clock_1'
    GET /v1/test_helpers/settled?timeout=61
        400 parameter_invalid_integer timeout: Invalid integer: timeout must be between 0 and 60
    ");
}

/// An advance with `wait=true` returns the ready clock after all webhooks of the advance have arrived.
/// Then the events, the ledger and the list of the receiver agree without a further wait.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_advance_waits_for_its_webhooks() {
    let (started, client) = start_process(&[]).await;
    let receiver = Recorder::start().await.unwrap();
    client.endpoint(&receiver.url, "*", "").await;
    let clock = clock(&client).await;
    for _ in 0..2 {
        subscribed(&client, &clock).await;
    }
    client.get(SETTLED).await.ok();
    for day in 1..=7 {
        let form = format!("frozen_time={}&wait=true", BEGIN_S + day * DAY_S);
        let ready = advanced(&client, &clock, &form).await.ok();
        assert_eq!(
            ready.facts(&["/status", "/frozen_time"]),
            format!("ready {}", BEGIN_S + day * DAY_S)
        );
        let mut arrived: Vec<String> =
            receiver.posts_so_far().iter().map(|post| post.id()).collect();
        let mut listed = client.ids("/v1/events?limit=100").await;
        arrived.sort();
        listed.sort();
        assert_eq!(arrived, listed);
        let refreshed = client
            .count("/v1/events?limit=100&type=financial_connections.account.refreshed_transactions")
            .await;
        assert_eq!(refreshed, 2 * (usize::try_from(day).unwrap() + 1));
    }
    started.stop().await.unwrap();
}

/// A wait of an advance that takes too long ends with 408 and names the held back attempt. The advance
/// itself is done.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_advance_does_not_wait_for_ever() {
    let (started, client) = start_process(&[]).await;
    let receiver = Recorder::start().await.unwrap();
    let clock = clock(&client).await;
    client.get(SETTLED).await.ok();
    receiver.hold_after(0);
    client.endpoint(&receiver.url, "test_helpers.test_clock.ready", "").await;
    let form = format!("frozen_time={}&timeout=1", BEGIN_S + DAY_S);
    let rejected = advanced(&client, &clock, &form).await;
    insta::assert_snapshot!(rejected.api_error(), @"400 - timeout: timeout needs wait=true, because the call does not wait otherwise.");
    let form = format!("frozen_time={}&wait=true&timeout=1", BEGIN_S + DAY_S);
    let late = advanced(&client, &clock, &form).await;
    insta::assert_snapshot!(late.api_error(), @"
    408 api_error: Not settled within 1 second. Still open: the first attempt of whd_… (evt_… to
      we_…).
    ");
    let path = format!("{CLOCKS}/{clock}");
    assert_eq!(client.get(&path).await.ok().text("/status"), "ready");
    receiver.release();
    client.get(&format!("{SETTLED}?clock={clock}")).await.ok();
    started.stop().await.unwrap();
}

/// The response names the scope.
#[tokio::test]
async fn shows_its_scope() {
    let (app, customer) = App::with_customer().await;
    app.run_workers_until_idle().await;
    let shown = app.get(&format!("{SETTLED}?customer={customer}")).await.ok();
    assert_eq!(shown.facts(&["/object", "/account", "/clock"]), "bankfeed.settled null null");
    assert_eq!(shown.text("/customer"), customer);
}
