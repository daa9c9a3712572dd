//! The ledger of deliveries, and sending an event again.

use serde_json::Value;
use testkit::{App, Client, Recorder, Response};

const LEDGER: &str = "/v1/test_helpers/deliveries";

async fn endpoint(client: &Client, receiver: &Recorder, more: &str) -> String {
    client.endpoint(&receiver.url, "customer.created", more).await.id()
}

/// The deliveries of a list, each as its event, its endpoint and its status.
fn told(listed: &Response) -> Vec<[String; 3]> {
    let word = |item: &Value, name: &str| item[name].as_str().unwrap().to_owned();
    let told = |item: &Value| ["event", "webhook_endpoint", "status"].map(|name| word(item, name));
    listed.items("/data").iter().map(told).collect()
}

/// A delivery shows the response to each attempt, the signature of each attempt, and the time of
/// the next one.
#[tokio::test]
async fn shows_every_attempt() {
    let (app, receiver) = (App::start().await, Recorder::start().await.unwrap());
    endpoint(&app, &receiver, "").await;
    receiver.respond(500);
    app.customer().await;
    app.run_workers_until_idle().await;
    let listed = app.get(LEDGER).await.ok();
    let delivery = app.get(&format!("{LEDGER}/{}", listed.text("/data/0/id"))).await.ok();
    assert_eq!(delivery.json(), listed.at("/data/0"));
    let posted = receiver.take().remove(0);
    let signature = posted.header("stripe-signature").unwrap();
    insta::assert_snapshot!(delivery.shown().replace(signature, "the header"), @r#"
    200
    {
      attempts: [
        {
          at: 1767225600
          duration_ms: 0
          number: 1
          resent: false
          response: ""
          signature: "t=1767225600,v1=…"
          status: 500
          null: error, fault
        }
      ]
      event: "evt_…"
      event_type: "customer.created"
      id: "whd_…"
      next_attempt_at: 1767225605
      object: "bankfeed.delivery"
      status: "pending"
      webhook_endpoint: "we_…"
      null: fault
    }
    "#);
}

/// The merchant's list is filtered by event, endpoint and status, and each page continues after the
/// previous one.
#[tokio::test]
async fn lists_what_is_asked_for() {
    let (app, receiver) = (App::start().await, Recorder::start().await.unwrap());
    let first = endpoint(&app, &receiver, "").await;
    let second = endpoint(&app, &receiver, "").await;
    app.customer().await;
    app.elapse_s(1).await;
    receiver.respond(404);
    app.customer().await;
    app.run_workers_until_idle().await;
    let whole = told(&app.get(LEDGER).await.ok());
    let events = [whole[3][0].clone(), whole[0][0].clone()];
    let row = |event: usize, endpoint: &String, status: &str| {
        [events[event].clone(), endpoint.clone(), status.to_owned()]
    };
    let rows = [
        row(1, &second, "pending"),
        row(1, &first, "pending"),
        row(0, &second, "succeeded"),
        row(0, &first, "succeeded"),
    ];
    assert_eq!(whole, rows);
    for (query, wanted) in [
        (format!("endpoint={first}"), vec![&rows[1], &rows[3]]),
        ("status=succeeded".to_owned(), vec![&rows[2], &rows[3]]),
        ("status=lost".to_owned(), vec![]),
        (format!("event={}", events[1]), vec![&rows[0], &rows[1]]),
        (format!("event={}&limit=1", events[1]), vec![&rows[0]]),
        (format!("event={}&endpoint={first}&status=pending", events[1]), vec![&rows[1]]),
        ("limit=3".to_owned(), vec![&rows[0], &rows[1], &rows[2]]),
    ] {
        let listed = app.get(&format!("{LEDGER}?{query}")).await.ok();
        assert_eq!(told(&listed).iter().collect::<Vec<_>>(), wanted, "{query}");
        assert_eq!(listed.at("/has_more"), query.contains("limit"), "{query}");
    }
    let ids = app.ids(LEDGER).await;
    for (query, wanted) in [
        (format!("starting_after={}", ids[0]), &rows[1..]),
        (format!("starting_after={}&limit=1", ids[1]), &rows[2..3]),
        (format!("ending_before={}&limit=1", ids[2]), &rows[1..2]),
        (format!("event={}&starting_after={}", events[1], ids[0]), &rows[1..2]),
        (format!("event={}&ending_before={}", events[1], ids[1]), &rows[..1]),
    ] {
        let listed = app.get(&format!("{LEDGER}?{query}")).await.ok();
        assert_eq!(told(&listed), wanted, "{query}");
    }
}

/// A repeated delivery has the same bytes and a new signature, as a further attempt, and follows
/// the schedule from its beginning.
#[tokio::test]
async fn sends_a_delivery_again() {
    let (app, receiver) = (App::start().await, Recorder::start().await.unwrap());
    endpoint(&app, &receiver, "").await;
    app.customer().await;
    app.run_workers_until_idle().await;
    let id = app.get(LEDGER).await.ok().text("/data/0/id");
    app.pass_s(60);
    receiver.respond(503);
    let path = format!("{LEDGER}/{id}/resend");
    let resend = async || app.idempotent("again").post(&path, "").await;
    let sent = resend().await.ok();
    assert_eq!(sent.text("/status"), "pending");
    app.run_workers_until_idle().await;
    assert_eq!(resend().await.ok().body, sent.body);
    app.run_workers_until_idle().await;
    receiver.respond(200);
    app.elapse_s(10).await;
    let posts = receiver.take();
    assert_eq!(posts.len(), 3);
    assert!(posts.iter().all(|post| post.body == posts[0].body));
    assert_ne!(posts[0].header("stripe-signature"), posts[1].header("stripe-signature"));
    let delivery = app.get(&format!("{LEDGER}/{id}")).await.ok();
    let attempts: Vec<(Value, Value, Value)> = delivery
        .items("/attempts")
        .into_iter()
        .map(|attempt| {
            (attempt["number"].clone(), attempt["resent"].clone(), attempt["status"].clone())
        })
        .collect();
    let wanted = [(1, false, 200), (2, true, 503), (3, true, 200)];
    assert_eq!(
        attempts,
        wanted.map(|(n, resent, status)| (n.into(), resent.into(), status.into()))
    );
    assert_eq!(delivery.text("/status"), "succeeded");
}

/// An event is sent again to the named endpoint, even if that is younger than the event, or to all
/// that subscribe to it. Events of a connected account can be sent again too.
#[tokio::test]
async fn sends_an_event_again() {
    let (app, old, young) =
        (App::start().await, Recorder::start().await.unwrap(), Recorder::start().await.unwrap());
    endpoint(&app, &old, "").await;
    let customer = app.customer().await;
    app.run_workers_until_idle().await;
    let event = app.get("/v1/events").await.ok().text("/data/0/id");
    let named = endpoint(&app, &young, "").await;
    let retry = format!("/v1/events/{event}/retry");
    let mut counts = Vec::new();
    for form in [format!("webhook_endpoint={named}"), String::new()] {
        let sent = app.post(&retry, &form).await.ok();
        assert_eq!((sent.id(), sent.text("/data/object/id")), (event.clone(), customer.clone()));
        app.run_workers_until_idle().await;
        counts.push((old.take().len(), young.take().len()));
    }
    assert_eq!(counts, [(1, 1), (1, 1)]);
    let connected = Recorder::start().await.unwrap();
    endpoint(&app, &connected, "connect=true").await;
    app.in_account("acct_1").customer().await;
    app.run_workers_until_idle().await;
    let event = app.in_account("acct_1").get("/v1/events").await.ok().text("/data/0/id");
    app.post(&format!("/v1/events/{event}/retry"), "account=acct_1").await.ok();
    app.run_workers_until_idle().await;
    let posts = connected.take();
    assert_eq!((posts.len(), posts[1].text("/account")), (2, "acct_1".to_owned()));
}

/// An event or delivery that cannot be sent again gets an error with the reason, and no webhook is
/// sent.
#[tokio::test]
async fn refuses_what_cannot_be_sent() {
    let (app, receiver) = (App::start().await, Recorder::start().await.unwrap());
    let hook = endpoint(&app, &receiver, "").await;
    app.customer().await;
    app.run_workers_until_idle().await;
    let delivery = app.get(LEDGER).await.ok();
    let (id, event) = (delivery.text("/data/0/id"), delivery.text("/data/0/event"));
    app.post(&format!("/v1/webhook_endpoints/{hook}"), "disabled=true").await.ok();
    receiver.take();
    let (resend, retry) = (format!("{LEDGER}/{id}/resend"), format!("/v1/events/{event}/retry"));
    let of_hook = format!("webhook_endpoint={hook}");
    let list = format!("{LEDGER}?starting_after=whd_1");
    insta::assert_snapshot!(app.api_errors(&[
        ("POST", &resend, ""),
        ("POST", &retry, ""),
        ("POST", &retry, &of_hook),
        ("POST", &retry, "webhook_endpoint=we_1"),
        ("POST", &retry, "for_stripecli=true"),
        ("POST", &retry, "for_stripecli=true&webhook_endpoint=we_1"),
        ("POST", &retry, "account=123"),
        ("POST", "/v1/events/evt_1/retry", ""),
        ("POST", "/v1/test_helpers/deliveries/whd_1/resend", ""),
        ("GET", "/v1/test_helpers/deliveries/whd_1", ""),
        ("GET", "/v1/test_helpers/deliveries?event=evt_1", ""),
        ("GET", "/v1/test_helpers/deliveries?endpoint=we_1", ""),
        ("GET", "/v1/test_helpers/deliveries?status=gone", ""),
        ("GET", &list, ""),
    ]).await, @"
    POST /v1/test_helpers/deliveries/whd_…/resend
        400 - id: The webhook endpoint we_… is disabled.
    POST /v1/events/evt_…/retry
        400 - webhook_endpoint: No enabled webhook endpoint takes this event: make one that does, or
          name another in webhook_endpoint.
    POST /v1/events/evt_…/retry webhook_endpoint=we_…
        400 - webhook_endpoint: The webhook endpoint we_… is disabled.
    POST /v1/events/evt_…/retry webhook_endpoint=we_1
        404 resource_missing webhook_endpoint: No such webhook endpoint: 'we_1'
    POST /v1/events/evt_…/retry for_stripecli=true
        400 - for_stripecli: Nobody listens: run 'stripe listen' with this key first, or name the
          webhook_endpoint that is to get the event again.
    POST /v1/events/evt_…/retry for_stripecli=true&webhook_endpoint=we_1
        400 parameters_exclusive webhook_endpoint: You may give only one of these parameters:
          webhook_endpoint, for_stripecli.
    POST /v1/events/evt_…/retry account=123
        400 - account: The account to act in must be the id of a connected account (acct_…), not
          '123'.
    POST /v1/events/evt_1/retry
        404 resource_missing id: No such event: 'evt_1'
    POST /v1/test_helpers/deliveries/whd_1/resend
    GET /v1/test_helpers/deliveries/whd_1
        404 resource_missing id: No such delivery: 'whd_1'
    GET /v1/test_helpers/deliveries?event=evt_1
        404 resource_missing event: No such event: 'evt_1'
    GET /v1/test_helpers/deliveries?endpoint=we_1
        404 resource_missing endpoint: No such webhook endpoint: 'we_1'
    GET /v1/test_helpers/deliveries?status=gone
        400 - status: Invalid status: must be one of pending, succeeded, failed, canceled, or lost
    GET /v1/test_helpers/deliveries?starting_after=whd_1
        400 resource_missing starting_after: No such delivery: 'whd_1'
    ");
    app.run_workers_until_idle().await;
    assert!(receiver.take().is_empty());
}
