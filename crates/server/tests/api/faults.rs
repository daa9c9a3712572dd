//! Faults on demand, for webhooks and for calls.

use connectors::sandbox::Sandbox;
use model::id::MerchantId;
use serde_json::json;
use std::sync::Arc;
use testkit::clock::ManualClock;
use testkit::engine::EngineParts;
use testkit::rng::SeededRng;
use testkit::{App, BEGIN_S, Client, FC, KEY, Recorder, Response, start_process};

const FAULTS: &str = "/v1/test_helpers/faults";
const LEDGER: &str = "/v1/test_helpers/deliveries";

async fn fault(client: &Client, form: &str) -> String {
    client.post(FAULTS, form).await.ok().id()
}

async fn hook(client: &Client, receiver: &Recorder) -> String {
    client.endpoint(&receiver.url, "customer.created", "").await.text("/secret")
}

/// The customers in the posts since the last call, in the order of the posts.
fn heard(receiver: &Recorder) -> Vec<String> {
    receiver.take().iter().map(|post| post.text("/data/object/id")).collect()
}

/// True if a post was signed with a secret.
fn is_signed(post: &Response, secret: &str) -> bool {
    let header = post.header("stripe-signature").unwrap();
    let at = header.split(',').next().unwrap().strip_prefix("t=").unwrap().parse().unwrap();
    wire::signature::sign(&[secret], at, post.body.as_bytes()) == header
}

async fn customers(app: &App, count: usize) -> Vec<String> {
    let mut made = Vec::new();
    for _ in 0..count {
        made.push(app.customer().await);
        app.run_workers_until_idle().await;
    }
    made
}

/// A fault shows its rule and its counts. After its deletion it has no effect and is not found.
#[tokio::test]
async fn is_made_shown_and_taken_away() {
    let (app, receiver) = (App::start().await, Recorder::start().await.unwrap());
    hook(&app, &receiver).await;
    let form = "kind=webhook_lost&types[]=customer.*&every=2&times=1&seed=7";
    let made = app.post(FAULTS, form).await.ok();
    let id = made.id();
    insta::assert_snapshot!(made.shown(), @r#"
    200
    {
      created: 1767225600
      delay_ms: 0
      every: 2
      fitting: 0
      hits: 0
      id: "fault_…"
      kind: "webhook_lost"
      livemode: false
      object: "bankfeed.fault"
      seed: 7
      status: "active"
      times: 1
      types: ["customer.*"]
      null: first, method, path, percent, webhook_endpoint
    }
    "#);
    let told = customers(&app, 5).await;
    assert_eq!(heard(&receiver), [&told[0], &told[2], &told[3], &told[4]].map(String::clone));
    let shown = app.get(&format!("{FAULTS}/{id}")).await.ok();
    let counts = ["/fitting", "/hits", "/status"].map(|name| shown.at(name));
    assert_eq!(counts, [json!(5), json!(1), json!("over")]);
    assert_eq!(app.get(FAULTS).await.ok().at("/data/0"), shown.json());
    app.delete(&format!("{FAULTS}/{id}")).await.ok();
    assert_eq!(app.count(FAULTS).await, 0);
    let gone = app.api_errors(&[("GET", &format!("{FAULTS}/{id}"), "")]).await;
    insta::assert_snapshot!(gone, @"
    GET /v1/test_helpers/faults/fault_…
        404 resource_missing id: No such fault: 'fault_…'
    ");
}

/// A lost webhook is never sent, and the ledger shows the reason. A call that waits for its event
/// gets it only after it was sent again on demand.
#[tokio::test]
async fn a_lost_webhook_never_comes() {
    let (app, receiver) = (App::start().await, Recorder::start().await.unwrap());
    hook(&app, &receiver).await;
    let id = fault(&app, "kind=webhook_lost&first=1").await;
    let customer = customers(&app, 1).await.remove(0);
    app.elapse_s(30 * 86_400).await;
    assert!(heard(&receiver).is_empty());
    let lost = app.get(&format!("{LEDGER}?status=lost")).await.ok();
    assert_eq!(lost.at("/data/0/fault"), json!({"id": id, "kind": "webhook_lost"}));
    assert!(lost.items("/data/0/attempts").is_empty());
    let wait = "/v1/test_helpers/events/wait?type=customer.created&timeout=0";
    let vain = app.get(wait).await;
    assert_eq!(vain.status, 408);
    assert!(vain.text("/error/message").ends_with(" is lost."), "{}", vain.body);
    let path = format!("{LEDGER}/{}/resend", lost.text("/data/0/id"));
    app.post(&path, "").await.ok();
    app.run_workers_until_idle().await;
    assert_eq!(heard(&receiver), [customer]);
    app.get(wait).await.ok();
}

/// Webhooks arrive twice, later, or after the next one. One that is signed with another secret is
/// repeated with the right one. Each attempt shows its fault.
#[tokio::test]
async fn webhooks_go_wrong() {
    let (app, receiver) = (App::start().await, Recorder::start().await.unwrap());
    let secret = hook(&app, &receiver).await;
    let attempts = async || {
        let delivery = app.get(&format!("{LEDGER}?limit=1")).await.ok();
        let words = delivery.items("/data/0/attempts");
        words.iter().map(|one| one["fault"].clone()).collect::<Vec<_>>()
    };
    fault(&app, "kind=webhook_doubled&first=1").await;
    let one = customers(&app, 1).await.remove(0);
    assert_eq!(heard(&receiver), [one.clone(), one]);
    assert_eq!(attempts().await, ["webhook_doubled", "webhook_doubled"]);

    fault(&app, "kind=webhook_delayed&first=1&delay_ms=60000").await;
    let one = customers(&app, 1).await.remove(0);
    app.elapse_s(59).await;
    assert!(heard(&receiver).is_empty());
    app.elapse_s(1).await;
    assert_eq!(heard(&receiver), [one]);

    fault(&app, "kind=webhook_reordered&first=1").await;
    let made = customers(&app, 2).await;
    assert_eq!(heard(&receiver), [made[1].clone(), made[0].clone()]);
    // Without a later webhook, it is sent when its delay is over.
    fault(&app, "kind=webhook_reordered&first=1&delay_ms=5000").await;
    let one = customers(&app, 1).await.remove(0);
    assert!(heard(&receiver).is_empty());
    app.elapse_s(5).await;
    assert_eq!(heard(&receiver), [one]);

    fault(&app, "kind=webhook_wrongly_signed&first=1").await;
    receiver.respond(400);
    customers(&app, 1).await;
    receiver.respond(200);
    app.elapse_s(10).await;
    let posts = receiver.take();
    let signed: Vec<bool> = posts.iter().map(|post| is_signed(post, &secret)).collect();
    assert_eq!(signed, [false, true]);
    assert_eq!(attempts().await, [json!("webhook_wrongly_signed"), json!(null)]);
}

/// The same calls after the same faults fail in the same positions, independent of all other
/// randomness. Another seed picks other positions.
#[tokio::test]
async fn the_same_run_goes_wrong_in_the_same_places() {
    let mut runs = Vec::new();
    for (key, seed) in [("sk_test_one", 1), ("sk_test_two", 1), ("sk_test_three", 2)] {
        let (app, receiver) = (App::start().await, Recorder::start().await.unwrap());
        let client = app.with_key(key);
        hook(&client, &receiver).await;
        fault(&client, &format!("kind=webhook_lost&percent=50&seed={seed}")).await;
        fault(
            &client,
            &format!("kind=api_error_before&path=/v1/customers/&percent=50&seed={seed}"),
        )
        .await;
        let mut run = Vec::new();
        for _ in 0..16 {
            let customer = client.customer().await;
            app.run_workers_until_idle().await;
            let shown = client.get(&format!("/v1/customers/{customer}")).await;
            run.push((heard(&receiver).len(), shown.status));
        }
        runs.push(run);
    }
    assert_eq!(runs[0], runs[1]);
    assert_ne!(runs[0], runs[2]);
    for wrong in [(0, 200), (1, 200), (0, 500), (1, 500)] {
        assert!(runs[0].contains(&wrong), "{wrong:?}: {:?}", runs[0]);
    }
}

/// Calls get an error before or after their execution, a rate limit as at Stripe, or a delay. The
/// next call with the same idempotency key gets the result of the executed one.
#[tokio::test]
async fn calls_go_wrong() {
    let app = App::start().await;
    let create = async |key: &str| app.idempotent(key).post("/v1/customers", "name=Ada").await;
    let count = async || app.count("/v1/customers").await;
    let of_posts = "method=POST&path=/v1/customers&first=1";
    fault(&app, &format!("kind=api_error_before&{of_posts}")).await;
    let refused = create("before").await;
    insta::assert_snapshot!(refused.api_error(), @"
    500 api_error: The server failed to process this request. Its log has the details.
    ");
    assert_eq!((refused.header("stripe-should-retry"), count().await), (Some("true"), 0));
    create("before").await.ok();

    fault(&app, &format!("kind=api_error_after&{of_posts}")).await;
    assert_eq!((create("after").await.status, count().await), (500, 2));
    let again = create("after").await.ok();
    assert_eq!((again.header("idempotent-replayed"), count().await), (Some("true"), 2));

    fault(&app, &format!("kind=api_rate_limited&{of_posts}")).await;
    let limited = create("limited").await;
    insta::assert_snapshot!(limited.api_error(), @"
    429 rate_limit: Too many requests: the limit global-rate is reached. Slow down.
    ");
    assert_eq!(limited.header("stripe-rate-limited-reason"), Some("global-rate"));
    assert_eq!((limited.header("stripe-should-retry"), count().await), (None, 2));
    create("limited").await.ok();

    let held = fault(&app, &format!("kind=api_latency&delay_ms=1&{of_posts}")).await;
    create("held").await.ok();
    assert_eq!(app.get(&format!("{FAULTS}/{held}")).await.ok().at("/hits"), 1);
}

/// Faults that match the same calls hit in turn, because each counts only the calls that the older
/// ones left. A fault that hits the first calls is over after them.
#[tokio::test]
async fn each_fault_counts_its_own() {
    let app = App::start().await;
    let of_posts = "method=POST&path=/v1/customers";
    let mut ids = Vec::new();
    for (kind, share) in [
        ("api_error_before", "every=2"),
        ("api_rate_limited", "every=2"),
        ("api_latency", "first=2"),
    ] {
        ids.push(fault(&app, &format!("kind={kind}&{share}&{of_posts}")).await);
    }
    let mut statuses = Vec::new();
    for _ in 0..7 {
        statuses.push(app.post("/v1/customers", "").await.status);
    }
    assert_eq!(statuses, [200, 500, 429, 500, 200, 500, 429]);
    let mut counts = Vec::new();
    for id in ids {
        let shown = app.get(&format!("{FAULTS}/{id}")).await.ok();
        counts.push(["fitting", "hits", "status"].map(|name| shown.at(&format!("/{name}"))));
    }
    let count = |fitting, hits, status| [json!(fitting), json!(hits), json!(status)];
    assert_eq!(counts, [count(7, 3, "active"), count(4, 2, "active"), count(2, 2, "over")]);
}

/// A connection is closed before or after the call is executed. The client gets no response, and a
/// repeat with the same idempotency key executes the call once.
#[tokio::test]
async fn connections_are_cut() {
    use std::io::{Read as _, Write as _};
    let app = App::start().await;
    let address = app.url().strip_prefix("http://").unwrap().to_owned();
    let create = async || {
        let address = address.clone();
        let read = tokio::task::spawn_blocking(move || {
            let mut stream = std::net::TcpStream::connect(address).unwrap();
            let head = "POST /v1/customers HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
                        Authorization: Bearer sk_test_123\r\nIdempotency-Key: cut\r\n\
                        Content-Length: 0\r\n\r\n";
            stream.write_all(head.as_bytes()).unwrap();
            let mut answer = String::new();
            // The connection was closed or reset. In both cases there was no response.
            let _ = stream.read_to_string(&mut answer);
            answer
        });
        read.await.unwrap()
    };
    let count = async || app.count("/v1/customers").await;
    for (kind, made) in [("api_cut_before", 0), ("api_cut_after", 1)] {
        fault(&app, &format!("kind={kind}&path=/v1/customers&method=POST&first=1")).await;
        assert_eq!(create().await, "", "{kind}");
        assert_eq!(count().await, made, "{kind}");
    }
    let answer = create().await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("idempotent-replayed: true"));
    assert_eq!(count().await, 1);
}

/// Faults affect only the key that created them and the calls that they match, and never the calls
/// that delete them. Test helpers are affected only if they are named.
#[tokio::test]
async fn faults_keep_to_what_they_are_for() {
    let app = App::start().await;
    let id = fault(&app, "kind=api_error_before").await;
    let other = app.with_key("sk_test_other");
    let link = format!("{FC}/accounts").replace("/v1/", "/v1/test_helpers/");
    let institutions = link.replace("accounts", "institutions");
    let mut statuses = Vec::new();
    for (client, path) in [
        (app.client(), "/v1/customers"),
        (app.in_account("acct_1"), "/v1/customers"),
        (other, "/v1/customers"),
        (app.client(), institutions.as_str()),
        (app.client(), FAULTS),
    ] {
        statuses.push(client.get(path).await.status);
    }
    assert_eq!(statuses, [500, 200, 200, 200, 200]);
    fault(&app, "kind=api_error_before&path=/v1/test_helpers/").await;
    assert_eq!(app.get(&institutions).await.status, 500);
    app.delete(&format!("{FAULTS}/{id}")).await.ok();
    app.get("/v1/customers").await.ok();
}

/// An invalid fault is rejected, and the error names the wrong parameter.
#[tokio::test]
async fn refuses_what_is_no_fault() {
    let app = App::start().await;
    let calls = [
        "",
        "kind=flood",
        "kind=webhook_lost&path=/v1/customers",
        "kind=webhook_lost&types[]=customer.cretaed",
        "kind=webhook_lost&webhook_endpoint=we_1",
        "kind=api_latency&types[]=customer.created",
        "kind=api_latency&delay_ms=60001",
        "kind=api_latency&method=PATCH",
        "kind=api_latency&path=customers",
        "kind=webhook_doubled&delay_ms=1",
        "kind=webhook_lost&every=2&first=1",
        "kind=webhook_lost&percent=0",
        "kind=webhook_lost&times=0",
        "kind=webhook_lost&seed=-1",
        "kind=webhook_lost&share=1",
    ]
    .map(|form| ("POST", FAULTS, form));
    insta::assert_snapshot!(app.api_errors(&calls).await, @"
    POST /v1/test_helpers/faults
        400 parameter_missing kind: Missing required parameter: kind.
    POST /v1/test_helpers/faults kind=flood
        400 - kind: Invalid kind: must be one of api_error_before, api_error_after, api_cut_before,
          api_cut_after, api_latency, api_rate_limited, webhook_lost, webhook_doubled,
          webhook_delayed, webhook_reordered, or webhook_wrongly_signed
    POST /v1/test_helpers/faults kind=webhook_lost&path=/v1/customers
        400 - path: A fault of the kind webhook_lost has no path.
    POST /v1/test_helpers/faults kind=webhook_lost&types[]=customer.cretaed
        400 - types[0]: This server sends no event of the type 'customer.cretaed'.
    POST /v1/test_helpers/faults kind=webhook_lost&webhook_endpoint=we_1
        404 resource_missing webhook_endpoint: No such webhook endpoint: 'we_1'
    POST /v1/test_helpers/faults kind=api_latency&types[]=customer.created
        400 - types: A fault of the kind api_latency has no types.
    POST /v1/test_helpers/faults kind=api_latency&delay_ms=60001
        400 parameter_invalid_integer delay_ms: Invalid integer: delay_ms must be between 0 and
          60000
    POST /v1/test_helpers/faults kind=api_latency&method=PATCH
        400 - method: Invalid method: must be one of DELETE, GET, or POST
    POST /v1/test_helpers/faults kind=api_latency&path=customers
        400 - path: A path begins with /v1/ or /v2/.
    POST /v1/test_helpers/faults kind=webhook_doubled&delay_ms=1
        400 - delay_ms: A fault of the kind webhook_doubled has no delay.
    POST /v1/test_helpers/faults kind=webhook_lost&every=2&first=1
        400 parameters_exclusive every: You may give only one of these parameters: every, first.
    POST /v1/test_helpers/faults kind=webhook_lost&percent=0
        400 parameter_invalid_integer percent: Invalid integer: percent must be between 1 and 100
    POST /v1/test_helpers/faults kind=webhook_lost&times=0
        400 parameter_invalid_integer times: Invalid integer: times must be between 1 and 1000000
    POST /v1/test_helpers/faults kind=webhook_lost&seed=-1
        400 parameter_invalid_integer seed: Invalid integer: seed must be between 0 and
          9223372036854775807
    POST /v1/test_helpers/faults kind=webhook_lost&share=1
        400 parameter_unknown share: Received unknown parameter: share
    ");
    assert_eq!(app.count(FAULTS).await, 0);
}

/// Faults of the server apply to every key, with separate counts for each, and are in no key's
/// list.
#[tokio::test]
async fn a_server_has_faults_for_every_key() {
    let forms = "kind=api_error_before&method=POST&path=/v1/customers&every=2,kind=webhook_lost";
    let (_server, client) = start_process(&[("fault", forms)]).await;
    for client in [client.with_key("sk_test_one"), client.with_key("sk_test_two")] {
        let mut statuses = Vec::new();
        for _ in 0..4 {
            statuses.push(client.post("/v1/customers", "").await.status);
        }
        assert_eq!(statuses, [200, 500, 200, 500]);
        assert_eq!(client.count(FAULTS).await, 0);
    }
}

/// Two servers on one database dispatch one feed in turn. Each event has one delivery, and the
/// counts of faults continue, for webhooks and for calls.
#[tokio::test]
async fn servers_share_feeds_and_counts() {
    let (app, receiver) = (App::start().await, Recorder::start().await.unwrap());
    hook(&app, &receiver).await;
    let parts = EngineParts {
        store: app.engine.store().clone(),
        sandbox: Sandbox::new(1),
        clock: Arc::new(ManualClock::at(BEGIN_S)),
        rng: Arc::new(SeededRng::new(9)),
        settings: engine::Settings::default(),
    };
    let (second, lab) = parts.build();
    let id = fault(&app, "kind=webhook_lost&every=2").await;
    let mut statuses = Vec::new();
    for engine in [&app.engine, &second, &second, &app.engine, &second, &app.engine] {
        app.customer().await;
        assert_eq!(engine.run_dispatch_once().await.unwrap(), 1);
        statuses.push(app.get(&format!("{LEDGER}?limit=1")).await.ok().text("/data/0/status"));
    }
    assert_eq!(statuses, ["pending", "lost"].repeat(3));
    assert_eq!(app.count(LEDGER).await, 6);
    let shown = app.get(&format!("{FAULTS}/{id}")).await.ok();
    assert_eq!((shown.at("/fitting"), shown.at("/hits")), (json!(6), json!(3)));

    fault(&app, "kind=api_error_before&every=3&path=/v1/prices").await;
    let context = testkit::engine::context(MerchantId::of_key(KEY), 1);
    let mut hits = Vec::new();
    for lab in [&app.lab, &lab, &lab, &app.lab, &app.lab, &lab] {
        hits.push(lab.fault_of_call(&context, "GET", "/v1/prices").await.unwrap().is_some());
    }
    assert_eq!(hits, [false, false, true, false, false, true]);
}
