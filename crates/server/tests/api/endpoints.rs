//! Webhook endpoints: secrets, rolls, retries, and deliveries to a removed endpoint.

use std::collections::BTreeSet;
use testkit::{App, BEGIN_S, Recorder};

const ENDPOINTS: &str = "/v1/webhook_endpoints";

/// Only the response to the creation contains the secret. The other values can be changed.
#[tokio::test]
async fn life_of_an_endpoint() {
    let app = App::start().await;
    let form = "url=https://example.com/hook&enabled_events[]=invoice.paid&description=d";
    let made = app.post(ENDPOINTS, form).await;
    insta::assert_snapshot!(made.shown(), @r#"
    200
    {
      created: 1767225600
      description: "d"
      enabled_events: ["invoice.paid"]
      id: "we_…"
      livemode: false
      metadata: {}
      object: "webhook_endpoint"
      secret: "whsec_…"
      status: "enabled"
      url: "https://example.com/hook"
      null: api_version, application
    }
    "#);
    let path = format!("{ENDPOINTS}/{}", made.id());
    assert_eq!(app.get(&path).await.ok().at("/secret"), serde_json::Value::Null);
    let form = "disabled=true&enabled_events[0]=*&description=&metadata[a]=b";
    let changed = app.post(&path, form).await.ok();
    insta::assert_snapshot!(changed.shown_beside(&made), @r#"
    { description: null, enabled_events: ["*"], metadata: { a: "b" }, status: "disabled" }
    absent: ["secret"]
    "#);
    assert_eq!(app.count(ENDPOINTS).await, 1);
    insta::assert_snapshot!(app.delete(&path).await.shown(), @r#"
    200
    { deleted: true, id: "we_…", object: "webhook_endpoint" }
    "#);
    assert_eq!(app.get(&path).await.status, 404);
}

/// After a roll both secrets sign until the older one expires.
#[tokio::test]
async fn rolls() {
    let (app, receiver) = App::with_receiver().await;
    let form = format!("url={}&enabled_events[]=customer.created", receiver.url);
    let made = app.post(ENDPOINTS, &form).await.ok();
    let path = format!("{ENDPOINTS}/{}/roll_secret", made.id());
    let rolled = app.post(&path, "expires_after_seconds=60").await.ok();
    assert_ne!(rolled.text("/secret"), made.text("/secret"));
    for (waited_s, signatures) in [(0, 2), (61, 1)] {
        app.pass_s(waited_s);
        app.customer().await;
        app.run_workers_until_idle().await;
        let posts = receiver.take();
        let signature = posts[0].header("stripe-signature").unwrap();
        assert_eq!(signature.matches("v1=").count(), signatures, "{signature}");
        let (now, body) = (BEGIN_S + waited_s, posts[0].body.as_bytes());
        wire::signature::verify(signature, &rolled.text("/secret"), body, now, 300).unwrap();
    }
}

/// A rejected delivery is retried on schedule, and each attempt is recorded. Until it succeeds, the
/// event counts it as pending. A disabled endpoint receives no further deliveries.
#[tokio::test]
async fn retries() {
    let (app, receiver) = App::with_receiver().await;
    receiver.respond(500);
    let form = format!("url={}&enabled_events[]=customer.created", receiver.url);
    let endpoint = app.post(ENDPOINTS, &form).await.ok().id();
    app.customer().await;
    let event = app.get("/v1/events").await.ok().text("/data/0/id");
    let pending =
        async || app.get(&format!("/v1/events/{event}")).await.ok().at("/pending_webhooks");
    assert_eq!(pending().await, 1);
    app.run_workers_until_idle().await;
    assert_eq!((receiver.take().len(), pending().await), (1, 1.into()));
    let failed = app.get("/v1/events?delivery_success=false").await.ok();
    assert_eq!(failed.items("/data").len(), 1);

    app.run_workers_until_idle().await;
    assert_eq!(receiver.take().len(), 0);
    receiver.respond(204);
    app.elapse_s(10).await;
    assert_eq!((receiver.take().len(), pending().await), (1, 0.into()));
    let deliveries = app.get(&format!("/v1/test_helpers/events/{event}/deliveries")).await.ok();
    assert_eq!(deliveries.text("/data/0/status"), "succeeded");
    assert_eq!(deliveries.items("/data/0/attempts").len(), 2);

    app.post(&format!("{ENDPOINTS}/{endpoint}"), "disabled=true").await.ok();
    app.customer().await;
    app.run_workers_until_idle().await;
    assert_eq!(receiver.take().len(), 0);
}

/// Deliveries that wait for a retry are canceled as soon as their endpoint is deleted or disabled.
/// A call that waits for the event then returns it.
#[tokio::test]
async fn a_closed_endpoint_is_waited_for_no_more() {
    let (app, receiver) = App::with_receiver().await;
    receiver.respond(500);
    app.customer().await;
    app.run_workers_until_idle().await;
    for close in ["disabled=true", ""] {
        let form = format!("url={}&enabled_events[]=customer.created", receiver.url);
        let endpoint = app.post(ENDPOINTS, &form).await.ok().id();
        app.pass_s(1);
        app.customer().await;
        app.run_workers_until_idle().await;
        let ledger = "/v1/test_helpers/deliveries";
        let status = async || app.get(ledger).await.ok().text("/data/0/status");
        assert_eq!(status().await, "pending");
        let path = format!("{ENDPOINTS}/{endpoint}");
        if close.is_empty() {
            app.delete(&path).await.ok();
        } else {
            app.post(&path, close).await.ok();
        }
        app.run_workers_until_idle().await;
        assert_eq!(status().await, "canceled");
        let event = app.get("/v1/events").await.ok().text("/data/0/id");
        let wait = "/v1/test_helpers/events/wait?timeout=0&type=customer.created&after=";
        let before = app.get("/v1/events?limit=2").await.ok().text("/data/1/id");
        assert_eq!(app.get(&format!("{wait}{before}")).await.ok().id(), event);
    }
    assert_eq!(receiver.take().len(), 2);
}

/// An endpoint receives no event that was committed before its creation, although the event was not
/// dispatched yet and no time has passed. Later events reach it. The same is true for endpoints of
/// a platform and events of its connected accounts.
#[tokio::test]
async fn a_new_endpoint_gets_only_later_events() {
    let (app, account) = crate::connect::with_connected().await;
    let own = app.in_account(&account);
    for (client, more) in [(&*app, ""), (&own, "connect=true")] {
        let (early, late) = (Recorder::start().await.unwrap(), Recorder::start().await.unwrap());
        let customers = "customer.created";
        app.endpoint(&early.url, customers, more).await;
        let first = client.customer().await;
        app.endpoint(&late.url, customers, more).await;
        let second = client.customer().await;
        app.run_workers_until_idle().await;
        let received = |receiver: &Recorder| -> BTreeSet<String> {
            receiver.take().iter().map(|post| post.text("/data/object/id")).collect()
        };
        assert_eq!(received(&early), BTreeSet::from([first, second.clone()]));
        assert_eq!(received(&late), BTreeSet::from([second]));
    }
}
