//! A repeated POST with the same key has one outcome and one response.

use testkit::App;

const CUSTOMERS: &str = "/v1/customers";

/// On both back ends the second request returns the same bytes, is marked as a replay of the first,
/// and has no effect.
#[tokio::test]
async fn replays() {
    for app in [App::start().await, App::start().await] {
        let first = app.idempotent("k1").post(CUSTOMERS, "name=Ada&metadata[a]=1").await.ok();
        let again = app.idempotent("k1").post(CUSTOMERS, "metadata%5Ba%5D=1&name=Ada").await.ok();
        assert_eq!(first.body, again.body);
        assert_eq!(first.header("idempotent-replayed"), None);
        assert_eq!(first.header("idempotency-key"), Some("k1"));
        assert_eq!(again.header("idempotent-replayed"), Some("true"));
        assert_eq!(again.header("original-request"), first.header("request-id"));
        assert_ne!(again.header("request-id"), first.header("request-id"));
        assert_eq!(app.count(CUSTOMERS).await, 1);
    }
}

/// A replayed response contains the secret that only the first response contained.
#[tokio::test]
async fn replays_secrets() {
    let app = App::start().await;
    let form = "url=http://127.0.0.1:9/&enabled_events[]=*";
    let first = app.idempotent("k1").post("/v1/webhook_endpoints", form).await.ok();
    let again = app.idempotent("k1").post("/v1/webhook_endpoints", form).await.ok();
    assert!(again.text("/secret").starts_with("whsec_"));
    assert_eq!(first.body, again.body);
}

/// Different parameters, another path or another version under a used key is an error.
#[tokio::test]
async fn refuses_another_request_under_the_key() {
    let app = App::start().await;
    let id = app.idempotent("k1").post(CUSTOMERS, "name=Ada").await.ok().id();
    let mut told = app.idempotent("k1").post(CUSTOMERS, "name=Bob").await.api_error();
    told += &app.idempotent("k1").post(&format!("{CUSTOMERS}/{id}"), "name=Ada").await.api_error();
    let other_version = app
        .request("POST", CUSTOMERS)
        .header("Idempotency-Key", "k1")
        .header("Stripe-Version", "2026-10-28.endive");
    told += &other_version.form("name=Ada").send().await.api_error();
    told += &app.idempotent(&"k".repeat(256)).post(CUSTOMERS, "").await.api_error();
    insta::assert_snapshot!(told, @"
    400 idempotency_error: The idempotency key 'k1' was first used for a different request. Use a
      new key for each request.
    400 idempotency_error: The idempotency key 'k1' was first used for a different request. Use a
      new key for each request.
    400 idempotency_error: The idempotency key 'k1' was first used for a different request. Use a
      new key for each request.
    400: An idempotency key has at most 255 characters.
    ");
    app.idempotent(&"k".repeat(255)).post(CUSTOMERS, "").await.ok();
}

/// A response that changed no data, and an API error of a use case, are stored, even if the same
/// request would have another outcome by now. Parameter errors are not stored.
#[tokio::test]
async fn keeps_outcomes_but_not_parse_errors() {
    let (app, account) = App::with_account().await;
    let path = |call: &str| format!("/v1/financial_connections/accounts/{account}/{call}");
    app.post(&path("refresh"), "features[]=transactions").await.ok();
    let unchanged =
        app.idempotent("k1").post(&path("refresh"), "features[]=transactions").await.ok();
    assert!(unchanged.header("stripe-notice").is_some());
    app.run_workers_until_idle().await;
    let again = app.idempotent("k1").post(&path("refresh"), "features[]=transactions").await.ok();
    assert_eq!(unchanged.body, again.body);
    assert_eq!(again.header("idempotent-replayed"), Some("true"));

    let deactivate =
        format!("/v1/test_helpers/financial_connections/accounts/{account}/deactivate");
    app.post(&deactivate, "").await.ok();
    let refused = app.idempotent("k2").post(&path("subscribe"), "features[]=transactions").await;
    app.post(&deactivate.replace("deactivate", "reactivate"), "").await.ok();
    let again = app.idempotent("k2").post(&path("subscribe"), "features[]=transactions").await;
    assert_eq!((refused.status, &refused.body), (400, &again.body));
    assert_eq!(again.header("stripe-should-retry"), Some("false"));

    assert_eq!(app.idempotent("k3").post(CUSTOMERS, "nmae=Ada").await.status, 400);
    app.idempotent("k3").post(CUSTOMERS, "name=Ada").await.ok();
}

/// Keys belong to their merchant, expire after a day, and apply to POST only.
#[tokio::test]
async fn scope_and_age() {
    let app = App::start().await;
    let first = app.idempotent("k1").post(CUSTOMERS, "name=Ada").await.ok();
    let other = app
        .bare_request("POST", CUSTOMERS)
        .header("Authorization", "Bearer sk_test_other")
        .header("Idempotency-Key", "k1");
    assert_ne!(other.form("name=Ada").send().await.ok().id(), first.id());

    let get = app.request("GET", CUSTOMERS).header("Idempotency-Key", "k1").send().await.ok();
    assert_eq!(get.items("/data").len(), 1);
    assert_eq!(get.header("idempotency-key"), Some("k1"));

    app.pass_s(24 * 3_600 + 1);
    let new = app.idempotent("k1").post(CUSTOMERS, "name=Ada").await.ok();
    assert_ne!(new.id(), first.id());
}

/// Of many concurrent requests with one key, one is performed. The others are replays of it, or
/// return that it is still running.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_once() {
    let app = App::start().await;
    let requests = (0..16).map(|_| {
        let request = app.request("POST", CUSTOMERS).header("Idempotency-Key", "k1");
        tokio::spawn(request.form("name=Ada").send())
    });
    let requests: Vec<_> = requests.collect();
    let mut made = None;
    for request in requests {
        let reply = request.await.unwrap();
        if reply.status == 409 {
            assert_eq!(reply.header("stripe-should-retry"), Some("true"));
            // Two reports of Stripe's production have this type.
            let facts = reply.facts(&["/error/code", "/error/type"]);
            assert_eq!(facts, "idempotency_key_in_use invalid_request_error");
        } else {
            let id = reply.ok().id();
            assert_eq!(*made.get_or_insert(id.clone()), id);
        }
    }
    assert_eq!(app.count(CUSTOMERS).await, 1);
}
