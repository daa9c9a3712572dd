//! Waiting for an event to be delivered.

use engine::Context;
use lab::WaitFilter;
use model::id::MerchantId;
use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use testkit::{App, KEY, Recorder};

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
/// order of commits. A wait for an event that was not delivered yet ends without one.
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
    app.pass_s(60);
    app.run_workers_until_idle().await;
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

/// The number of waiting calls is bounded. A client that disconnects makes room, and a server that
/// stops ends all waits.
#[tokio::test]
async fn waits_end() {
    let app = App::start().await;
    let (context, created) = (context(), filter("customer.created"));
    let mut waits = Vec::new();
    for _ in 0..model::limits::EVENT_WAITS_MAX {
        let mut wait = Box::pin(app.lab.wait_for_event(&context, &created));
        assert!(poll_fn(|task| Poll::Ready(wait.as_mut().poll(task))).await.is_pending());
        waits.push(wait);
    }
    let refused = app.get(&format!("{WAIT}?timeout=0")).await;
    assert_eq!(refused.header("stripe-should-retry"), None);
    insta::assert_snapshot!(refused.api_error(), @"
    429 rate_limit: Too many requests: the limit global-concurrency is reached. Slow down.
    ");
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
