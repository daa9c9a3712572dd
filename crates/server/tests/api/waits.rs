//! Waiting for an event to be delivered.

use engine::Context;
use engine::events::deliver::InFlight;
use lab::WaitFilter;
use model::id::MerchantId;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use testkit::{App, BEGIN_S, DAY_S, KEY, Recorder};

const WAIT: &str = "/v1/test_helpers/events/wait";
const REFRESHED: &str = "financial_connections.account.refreshed_balance";

fn context() -> Context {
    testkit::engine::context(MerchantId::of_key(KEY), 1)
}

fn filter(event_type: &str) -> WaitFilter {
    WaitFilter {
        types: vec![event_type.to_owned()],
        account: None,
        object: None,
        after: None,
        endpoint: None,
        timeout_s: 60,
    }
}

/// Waits for the event and returns its id and type, or the message of the API error.
async fn waited(app: &App, query: &str) -> Result<String, String> {
    let reply = app.get(&format!("{WAIT}?{query}")).await;
    if reply.status == 200 { Ok(reply.id()) } else { Err(reply.api_error()) }
}

/// A delivered event is returned at once and in full. `after` continues with the next one in the
/// order of the feed. A wait for an event that was not delivered yet ends without one.
#[tokio::test]
async fn answers_what_was_delivered() {
    let (app, receiver) = (App::start().await, Recorder::start().await.unwrap());
    app.endpoint(&receiver.url, "*", "").await.id();
    let account = app.account().await;
    let query = format!("type={REFRESHED}&account={account}&timeout=0");
    insta::assert_snapshot!(waited(&app, &query).await.unwrap_err(), @"
    408 api_error: No such event was delivered within 0 seconds, nor did one happen.
    ");
    for _ in 0..2 {
        app.refresh(&account, "balance").await;
        app.run_workers_until_idle().await;
        app.pass_s(10);
    }
    let first = app.get(&format!("{WAIT}?{query}")).await.ok();
    let id = first.id();
    assert_eq!(first.text("/data/object/id"), account);
    assert_eq!(first.body, app.get(&format!("/v1/events/{id}")).await.ok().body);
    let second = waited(&app, &format!("{query}&after={id}")).await.unwrap();
    let listed = app.get(&format!("/v1/events?type={REFRESHED}")).await.ok();
    assert_eq!([listed.text("/data/1/id"), listed.text("/data/0/id")], [id, second.clone()]);
    assert!(waited(&app, &format!("{query}&after={second}")).await.is_err());
}

/// A waiting call returns when the attempt was settled. The event itself, a failed attempt, and
/// events of another key do not end it.
#[tokio::test]
async fn waits_for_the_answer_of_the_endpoint() {
    let (app, receiver) = (App::start().await, Recorder::start().await.unwrap());
    app.endpoint(&receiver.url, "*", "").await.id();
    receiver.respond(500);
    let (context, created) = (context(), filter("customer.created"));
    let mut waiting = pin!(app.lab.wait_for_event(&context, &created));
    let mut looks = async || poll_fn(|task| Poll::Ready(waiting.as_mut().poll(task))).await;
    assert!(looks().await.is_pending());
    app.with_key("sk_test_other").customer().await;
    let customer = app.customer().await;
    app.run_workers_until_idle().await;
    assert!(looks().await.is_pending());
    receiver.respond(200);
    app.elapse_s(60).await;
    let Poll::Ready(Ok(answer)) = looks().await else { panic!("the wait did not end") };
    assert!(String::from_utf8(answer.body).unwrap().contains(&customer));
    assert_eq!(receiver.take().len(), 2);
}

/// An event without a subscribed enabled endpoint counts as delivered after its dispatch. One with
/// an abandoned delivery never does, and the API error describes its course.
#[tokio::test]
async fn tells_what_became_of_it() {
    let (app, receiver) = (App::start().await, Recorder::start().await.unwrap());
    let customer = app.customer().await;
    let query = "type=customer.created&timeout=0";
    assert!(waited(&app, query).await.is_err());
    app.run_workers_until_idle().await;
    let first = waited(&app, query).await.unwrap();
    assert_eq!(waited(&app, &format!("object={customer}&timeout=0")).await.unwrap(), first);
    let endpoint = app.endpoint(&receiver.url, "*", "").await.id();
    receiver.respond(404);
    let second = app.customer().await;
    app.run_workers_until_idle().await;
    let told = waited(&app, &format!("type=customer.*&object={second}&timeout=0")).await;
    insta::assert_snapshot!(told.unwrap_err(), @"
    408 api_error: No such event was delivered within 0 seconds; 1 happened, the last of them evt_…;
      its delivery to we_… is pending, attempt 1 got 404.
    ");
    // That endpoint never receives the first event.
    let of_endpoint = format!("object={customer}&webhook_endpoint={endpoint}&timeout=0");
    assert!(waited(&app, &of_endpoint).await.is_err());
}

/// A wait for an event of a connected account is a call within that account, even if the platform's
/// endpoint receives the event.
#[tokio::test]
async fn waits_in_a_connected_account() {
    let (app, receiver) = (App::start().await, Recorder::start().await.unwrap());
    let endpoint = app.endpoint(&receiver.url, "*", "connect=true").await.id();
    let connected = app.in_account("acct_1");
    let customer = connected.customer().await;
    app.run_workers_until_idle().await;
    let path = format!("{WAIT}?type=customer.created&webhook_endpoint={endpoint}&timeout=0");
    assert_eq!(connected.get(&path).await.ok().text("/data/object/id"), customer);
    assert_eq!(app.get(&format!("{WAIT}?type=customer.created&timeout=0")).await.status, 408);
}

/// The number of waiting calls of a merchant is bounded, and another merchant has places of its own.
/// A client that disconnects makes room, and a server that stops ends all waits.
#[tokio::test]
async fn waits_end() {
    let app = App::start().await;
    let (context, created) = (context(), filter("customer.created"));
    let mut waits = Vec::new();
    for _ in 0..model::limits::EVENT_WAITS_PER_MERCHANT_MAX {
        let mut wait = Box::pin(app.lab.wait_for_event(&context, &created));
        assert!(poll_fn(|task| Poll::Ready(wait.as_mut().poll(task))).await.is_pending());
        waits.push(wait);
    }
    let refused = app.get(&format!("{WAIT}?timeout=0")).await;
    assert_eq!(refused.header("stripe-should-retry"), None);
    assert_eq!(refused.header("stripe-rate-limited-reason"), Some("global-concurrency"));
    insta::assert_snapshot!(refused.api_error(), @"
    429 rate_limit: Too many requests: an API key may have at most 128 waiting calls at once, and at
      most as many as are free on this server. End one first.
    ");
    let other = app.with_key("sk_test_other");
    assert_eq!(other.get(&format!("{WAIT}?timeout=0")).await.status, 408);
    waits.pop();
    assert_eq!(app.get(&format!("{WAIT}?timeout=0")).await.status, 408);
    app.lab.end_waits();
    let api_error = waits.pop().unwrap().await.unwrap_err().api_error();
    assert_eq!(api_error.status, 408);
}

/// A wait for something that cannot happen is rejected at once.
#[tokio::test]
async fn refuses_what_never_comes() {
    let app = App::start().await;
    let calls: Vec<String> = [
        "type=financial_connections.account.refreshed",
        "types[]=customer.created&types[]=nothing.*",
        "type=customer.created&types[]=customer.created",
        "account=fca_1",
        "after=evt_1",
        "webhook_endpoint=we_1",
        "timeout=61",
        "until=1",
    ]
    .map(|query| format!("{WAIT}?{query}"))
    .to_vec();
    let calls: Vec<(&str, &str, &str)> =
        calls.iter().map(|call| ("GET", call.as_str(), "")).collect();
    insta::assert_snapshot!(app.api_errors(&calls).await, @"
    GET /v1/test_helpers/events/wait?type=financial_connections.account.refreshed
        400 - type: This server sends no event of the type
          'financial_connections.account.refreshed'.
    GET /v1/test_helpers/events/wait?types[]=customer.created&types[]=nothing.*
        400 - types[1]: This server sends no event of the type 'nothing.*'.
    GET /v1/test_helpers/events/wait?type=customer.created&types[]=customer.created
        400 parameters_exclusive type: You may give only one of these parameters: type, types.
    GET /v1/test_helpers/events/wait?account=fca_1
        404 resource_missing account: No such Financial Connections account: 'fca_1'
    GET /v1/test_helpers/events/wait?after=evt_1
        404 resource_missing after: No such event: 'evt_1'
    GET /v1/test_helpers/events/wait?webhook_endpoint=we_1
        404 resource_missing webhook_endpoint: No such webhook endpoint: 'we_1'
    GET /v1/test_helpers/events/wait?timeout=61
        400 parameter_invalid_integer timeout: Invalid integer: timeout must be between 0 and 60
    GET /v1/test_helpers/events/wait?until=1
        400 parameter_unknown until: Received unknown parameter: until
    ");
}

/// A loop that passes the last event returns every event once, in one order, as soon as it is
/// dispatched. Several endpoints have failing and delayed deliveries.
#[tokio::test]
async fn a_walk_skips_no_event() {
    let app = App::start().await;
    let [steady, failing, delayed] = App::three_receivers().await;
    app.customer().await;
    app.run_workers_until_idle().await;
    let mut walked = vec![waited(&app, "timeout=0").await.unwrap()];
    for receiver in [&steady, &failing, &delayed] {
        app.endpoint(&receiver.url, "*", "").await;
    }
    let late = app.endpoint(&delayed.url, "customer.created", "").await.id();
    let fault = format!("kind=webhook_delayed&every=3&delay_ms=9000&webhook_endpoint={late}");
    app.post("/v1/test_helpers/faults", &fault).await.ok();
    let account = app.account().await;
    let mut undelivered = 0;
    for round in 0..12 {
        failing.respond(if round % 3 == 0 { 500 } else { 200 });
        app.customer().await;
        app.refresh(&account, "balance").await;
        app.engine.run_refresh_once().await.unwrap();
        app.engine.run_dispatch_once().await.unwrap();
        app.engine.run_deliver_once().await.unwrap();
        app.customer().await;
        while let Ok(id) = walk(&app, &walked).await {
            walked.push(id);
        }
        undelivered += app.ids("/v1/events?delivery_success=false&limit=100").await.len();
        app.pass_s(4);
    }
    assert!(undelivered > 12, "{undelivered} events were passed before their delivery");
    failing.respond(200);
    for _ in 0..3 {
        app.elapse_s(3_600).await;
    }
    while let Ok(id) = walk(&app, &walked).await {
        walked.push(id);
    }
    let mut all = app.ids("/v1/events?limit=100").await;
    all.reverse();
    assert!(all.len() > 30, "{}", all.len());
    assert_eq!(walked, all);
}

/// The next event after the last one.
async fn walk(app: &App, walked: &[String]) -> Result<String, String> {
    let last = walked.last().unwrap();
    waited(app, &format!("timeout=0&after={last}")).await
}

/// A wait after an event ends on the first match once its deliveries were attempted, also without
/// success. An event that is not dispatched yet has no follower. With an endpoint, events that do
/// not go to it are skipped.
#[tokio::test]
async fn a_walk_goes_past_failed_deliveries() {
    let (app, receiver) = (App::start().await, Recorder::start().await.unwrap());
    let all = app.endpoint(&receiver.url, "*", "").await.id();
    let some = app.endpoint(&receiver.url, "product.created", "").await.id();
    let fault = format!("kind=webhook_lost&first=1&webhook_endpoint={all}");
    app.customer().await;
    let after = async |more: &str| {
        let first = app.ids("/v1/events?limit=100").await.pop().unwrap();
        let returned = waited(&app, &format!("timeout=0&after={first}{more}")).await;
        returned.map_err(|error| error.trim_end().to_owned())
    };
    let nothing =
        "408 api_error: No such event was delivered within 0 seconds, nor did one happen.";
    assert_eq!(after("").await, Err(nothing.to_owned()));
    app.run_workers_until_idle().await;
    assert_eq!(after("").await, Err(nothing.to_owned()));
    app.post("/v1/test_helpers/faults", &fault).await.ok();
    app.customer().await;
    app.post("/v1/products", "name=Gold").await.ok();
    app.run_workers_until_idle().await;
    let [product, lost, _] = &app.ids("/v1/events").await[..] else { panic!("three events") };
    assert_eq!(after("").await.as_ref(), Ok(lost));
    assert_eq!(after(&format!("&webhook_endpoint={some}")).await.as_ref(), Ok(product));
    assert_eq!(after("&type=product.*").await.as_ref(), Ok(product));
}

/// A wait after an event skips no event whose deliveries are in flight, from an event that is dispatched
/// and from one that is not, with and without filters.
#[tokio::test]
async fn deliveries_in_flight_hide_no_event() {
    let app = App::start().await;
    let [first, second, third] = App::three_receivers().await;
    let (clock, accounts) = subscribed_on_clock(&app).await;
    app.run_workers_until_idle().await;
    for receiver in [&first, &second, &third] {
        receiver.hold_after(0);
        app.endpoint(&receiver.url, "*", "").await;
    }
    let dispatched = app.ids("/v1/events").await.swap_remove(0);
    app.customer().await;
    let waiting = app.ids("/v1/events").await.swap_remove(0);
    assert!(waited(&app, &format!("timeout=0&after={dispatched}")).await.is_err());
    assert!(waited(&app, &format!("timeout=0&after={waiting}")).await.is_err());
    app.post(&format!("/v1/test_helpers/test_clocks/{clock}/advance"), &week_after_begin()).await;
    app.engine.run_clock_once().await.unwrap();
    app.engine.run_dispatch_once().await.unwrap();
    let delivering = tokio::spawn({
        let engine = Arc::clone(&app.engine);
        async move { engine.run_deliver_once().await.unwrap() }
    });
    for receiver in [&first, &second, &third] {
        receiver.arrived(5).await;
    }
    let mut all = app.ids("/v1/events?limit=100").await;
    all.reverse();
    let place = |id: &str| all.iter().position(|event| event == id).unwrap();
    assert_eq!(walk_from(&app, &dispatched, "").await, all[place(&dispatched) + 1..]);
    assert_eq!(walk_from(&app, &waiting, "").await, all[place(&waiting) + 1..]);
    let refreshed = "financial_connections.account.refreshed_transactions";
    for account in &accounts {
        let query = format!("&type={refreshed}&account={account}");
        assert_eq!(walk_from(&app, &dispatched, &query).await.len(), 7);
    }
    // The call waits for the first attempt, and then returns the same event.
    let (context, filter) = (context(), after_event(&waiting));
    let mut wait = pin!(app.lab.wait_for_event(&context, &filter));
    let mut look = async || poll_fn(|task| Poll::Ready(wait.as_mut().poll(task))).await;
    assert!(look().await.is_pending());
    for receiver in [&first, &second, &third] {
        receiver.release();
    }
    delivering.await.unwrap();
    app.run_workers_until_idle().await;
    let returned = String::from_utf8(wait.await.unwrap().body).unwrap();
    assert!(returned.contains(&all[place(&waiting) + 1]), "{returned}");
}

/// A wait without `after` does not pass an event whose first attempt is in flight, so a loop that begins
/// with it skips no event.
#[tokio::test]
async fn the_first_wait_passes_no_event_in_flight() {
    let app = App::start().await;
    let [slow, quick, _] = App::three_receivers().await;
    app.endpoint(&slow.url, "customer.created", "").await;
    app.endpoint(&quick.url, "product.created", "").await;
    slow.hold_after(0);
    let customer = app.customer().await;
    app.gold().await;
    app.engine.run_dispatch_once().await.unwrap();
    let mut in_flight = InFlight::default();
    assert_eq!(app.engine.begin_deliveries(&mut in_flight).await.unwrap(), 2);
    // The second event is delivered while the first is in flight.
    in_flight.ended().await;
    app.engine.begin_deliveries(&mut in_flight).await.unwrap();
    assert_eq!(waited(&app, "type=product.created&timeout=0").await.map(drop), Ok(()));
    let both = "types[]=customer.created&types[]=product.created&timeout=0";
    assert!(waited(&app, both).await.is_err());
    slow.release();
    app.engine.end_deliveries(&mut in_flight).await;
    let first = app.get(&format!("{WAIT}?{both}")).await.ok();
    assert_eq!(first.text("/data/object/id"), customer);
}

/// Links two subscribed accounts on one test clock. Returns the ids of the clock and the accounts.
async fn subscribed_on_clock(app: &App) -> (String, Vec<String>) {
    let (first, clock) = app.customer_on_clock().await;
    let second = app.post("/v1/customers", &format!("test_clock={clock}")).await.ok().id();
    let mut accounts = Vec::new();
    for customer in [first, second] {
        let session = app.session(&customer, "").await;
        let account = app.link(&session, "").await.text("/accounts/data/0/id");
        app.subscribe(&account).await;
        accounts.push(account);
    }
    (clock, accounts)
}

fn week_after_begin() -> String {
    format!("frozen_time={}", BEGIN_S + 7 * DAY_S)
}

fn after_event(event: &str) -> WaitFilter {
    WaitFilter { types: Vec::new(), after: Some(event.to_owned()), ..filter("") }
}

/// All events that follow one, each returned by the wait after the last.
async fn walk_from(app: &App, from: &str, more: &str) -> Vec<String> {
    let mut walked = Vec::new();
    let mut last = from.to_owned();
    while let Ok(id) = waited(app, &format!("timeout=0&after={last}{more}")).await {
        assert!(walked.len() < 1_000, "the walk does not end");
        last.clone_from(&id);
        walked.push(id);
    }
    walked
}
