//! Issued keys: acceptance, isolation of rows, and revocation.

use settings::KeyPolicy;
use testkit::{App, Options, Recorder};

/// A server that accepts issued keys only.
async fn issued_only() -> App {
    App::with(Options { keys: KeyPolicy::Issued, ..Options::default() }).await
}

/// An issued key works under both policies as soon as it is created. Under the policy that accepts
/// any test key, its merchant differs from the merchant derived from the key's text.
#[tokio::test]
async fn opens_the_server_at_once() {
    for app in [App::start().await, issued_only().await] {
        let key = app.keys().issue(1, false);
        let client = app.with_key(&key.secret);
        client.customer().await;
        assert_eq!(client.count("/v1/customers").await, 1);
        assert_eq!(client.get("/v1/customers").await.ok().at("/data/0/livemode"), false);
    }
}

/// Under the policy that accepts only issued keys, another key of the same form is rejected.
#[tokio::test]
async fn refuses_keys_that_were_not_issued() {
    let app = issued_only().await;
    let told = [
        app.with_key("sk_test_123"),
        app.with_key(&format!("sk_test_{:032}", 77)),
        app.with_key(&format!("sk_live_{:032}", 77)),
    ];
    let mut shown = String::new();
    for client in told {
        shown += &client.get("/v1/customers").await.api_error();
    }
    insta::assert_snapshot!(shown, @"
    401: Invalid API key: sk_test_****
    401: Invalid API key: sk_test_****0077
    401: Invalid API key: sk_live_****0077
    ");
}

/// Live keys are always issued. The policy that accepts any test key rejects other live keys.
#[tokio::test]
async fn live_keys_are_always_issued() {
    let app = App::start().await;
    let unknown = app.with_key(&format!("sk_live_{:032}", 77));
    insta::assert_snapshot!(unknown.get("/v1/customers").await.api_error(), @"
    401: Invalid API key: sk_live_****0077
    ");
    assert_eq!(app.live().get("/v1/customers").await.status, 200);
}

/// A revoked key and its publishable key are rejected from the next request on. They stay rejected
/// under the policy that accepts any test key.
#[tokio::test]
async fn revoked_keys_open_nothing() {
    let app = App::start().await;
    let (test, live) = (app.keys().issue(1, false), app.keys().issue(1, true));
    for key in [&test, &live] {
        assert_eq!(app.with_key(&key.secret).get("/v1/customers").await.status, 200);
        app.keys().revoke(key);
    }
    let mut shown = String::new();
    for key in [&test.secret, &test.publishable, &live.secret] {
        shown += &app.with_key(key).get("/v1/customers").await.api_error();
    }
    insta::assert_snapshot!(shown, @"
    401 api_key_expired: Expired API key: sk_test_****0001
    401 api_key_expired: Expired API key: pk_test_****0001
    401 api_key_expired: Expired API key: sk_live_****0002
    ");
    let other = app.keys().issue(1, false);
    assert_eq!(app.with_key(&other.secret).get("/v1/customers").await.status, 200);
}

/// Keys of one merchant share its rows within a mode. They share no rows across modes or with other
/// merchants.
#[tokio::test]
async fn modes_and_merchants_are_apart() {
    let app = issued_only().await;
    let client = |merchant, livemode| app.with_key(&app.keys().issue(merchant, livemode).secret);
    let customer = client(1, false).customer().await;
    let found = |reply: testkit::Response| reply.items("/data").len();
    assert_eq!(found(client(1, false).get("/v1/customers").await.ok()), 1);
    assert_eq!(found(client(1, true).get("/v1/customers").await.ok()), 0);
    assert_eq!(found(client(2, false).get("/v1/customers").await.ok()), 0);
    let other_mode = client(1, true).get(&format!("/v1/customers/{customer}")).await;
    insta::assert_snapshot!(other_mode.api_error(), @"404 resource_missing id: No such customer: 'cus_…'");

    let live = client(1, true).customer().await;
    let shown = client(1, true).get(&format!("/v1/customers/{live}")).await.ok();
    assert_eq!(shown.at("/livemode"), true);
    assert_eq!(client(1, false).get(&format!("/v1/customers/{live}")).await.status, 404);
}

/// An issued publishable key drives only client flows of its own merchant and mode.
#[tokio::test]
async fn publishable_keys_drive_client_flows() {
    let app = issued_only().await;
    let (key, other) = (app.keys().issue(1, false), app.keys().issue(2, false));
    let secret = app.with_key(&key.secret);
    let session = secret.session(&secret.customer().await, "").await;
    let (id, client_secret) = (session.id(), session.text("/client_secret"));
    let path = format!("/v1/financial_connections/sessions/{id}?client_secret={client_secret}");
    assert_eq!(app.with_key(&key.publishable).get(&path).await.ok().id(), id);
    assert_eq!(app.with_key(&other.publishable).get(&path).await.status, 404);
    let refused = app.with_key(&key.publishable).get("/v1/customers").await;
    assert_eq!(refused.text("/error/code"), "secret_key_required");
}

/// Events and their webhook deliveries contain the mode of the key that caused them.
#[tokio::test]
async fn events_carry_their_mode() {
    let app = App::start().await;
    let live = app.live();
    let receiver = Recorder::start().await.unwrap();
    live.endpoint(&receiver.url, "*", "").await;
    live.customer().await;
    app.run_workers_until_idle().await;
    let posted = receiver.take();
    assert_eq!(posted.len(), 1);
    assert_eq!(posted[0].at("/livemode"), true);
    assert_eq!(posted[0].at("/data/object/livemode"), true);
}
