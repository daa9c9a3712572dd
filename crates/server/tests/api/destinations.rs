//! Event destinations of `/v2`: their life, their members, their pages and their deliveries.

use crate::connect::with_connected;
use serde_json::{Value, json};
use std::fmt::Write as _;
use testkit::{App, BEGIN_S, Client, Recorder, Response};

pub(crate) const DESTINATIONS: &str = "/v2/core/event_destinations";

/// The body of a creation, with other members.
fn body(more: &Value) -> Value {
    let mut body = json!({
        "name": "Mine",
        "type": "webhook_endpoint",
        "event_payload": "thin",
        "enabled_events": ["v1.customer.created"],
        "webhook_endpoint": {"url": "https://example.com/hook"},
    });
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

/// Creates a destination with other members and returns it.
async fn made(client: &Client, more: &Value) -> Response {
    client.post_json(DESTINATIONS, &body(more)).await.ok()
}

/// A destination shows its URL and its secret only if the call includes them, and the secret only in
/// the response to the creation (`EventDestination` of stripe-python). `/v1` does not show it.
#[tokio::test]
async fn life_of_a_destination() {
    let app = App::start().await;
    let include = ["webhook_endpoint.signing_secret", "webhook_endpoint.url"];
    let more = json!({"description": "d", "metadata": {"a": "b"}, "include": include});
    let destination = made(&app, &more).await;
    insta::assert_snapshot!(destination.shown(), @r#"
    200
    {
      created: "2026-01-01T00:00:00.000Z"
      description: "d"
      enabled_events: ["v1.customer.created"]
      event_payload: "thin"
      events_from: ["@self"]
      id: "ed_test_…"
      livemode: false
      metadata: { a: "b" }
      name: "Mine"
      object: "v2.core.event_destination"
      status: "enabled"
      type: "webhook_endpoint"
      updated: "2026-01-01T00:00:00.000Z"
      webhook_endpoint: {
        signing_secret: "whsec_…"
        url: "https://example.com/hook"
      }
      null: snapshot_api_version, status_details
    }
    "#);
    let path = format!("{DESTINATIONS}/{}", destination.id());
    let bare = app.get(&path).await.ok();
    assert_eq!(bare.at("/webhook_endpoint"), json!({"signing_secret": null, "url": null}));
    let shown = app.get(&format!("{path}?include[0]=webhook_endpoint.url")).await.ok();
    assert_eq!(shown.text("/webhook_endpoint/url"), "https://example.com/hook");

    app.pass_s(60);
    let change = json!({
        "name": "Other",
        "description": "",
        "enabled_events": ["*"],
        "metadata": {"a": null, "c": "d"},
        "webhook_endpoint": {"url": "https://example.com/other"},
    });
    let changed = app.post_json(&path, &change).await.ok();
    insta::assert_snapshot!(changed.shown_beside(&bare), @r#"
    {
      description: ""
      enabled_events: ["*"]
      metadata: { c: "d" }
      name: "Other"
      updated: "2026-01-01T00:01:00.000Z"
    }
    absent: []
    "#);
    let disabled = app.post_json(&format!("{path}/disable"), &json!({})).await.ok();
    insta::assert_snapshot!(disabled.shown_beside(&changed), @r#"
    { status: "disabled", status_details: { disabled: { reason: "user" } } }
    absent: []
    "#);
    let enabled = app.request("POST", &format!("{path}/enable")).send().await.ok();
    assert_eq!(enabled.at("/status_details"), Value::Null);

    assert_eq!(app.count("/v1/webhook_endpoints").await, 0);
    let secret = app.get(&format!("/v1/webhook_endpoints/{}", destination.id())).await;
    assert_eq!(secret.status, 404);
    insta::assert_snapshot!(app.delete(&path).await.shown(), @r#"
    200
    { id: "ed_test_…", object: "v2.core.event_destination" }
    "#);
    insta::assert_snapshot!(app.get(&path).await.second_version_error(), @"404 not_found: No such event destination: 'ed_test_…'");
    assert!(app.get(DESTINATIONS).await.ok().items("/data").is_empty());
}

/// Every member is checked, and an error names the exact path.
#[tokio::test]
async fn members_are_checked() {
    let app = App::start().await;
    let mut shown = String::new();
    let wrong = [
        json!({"nmae": "x"}),
        json!({"name": 5}),
        json!({"name": ""}),
        json!({"name": null}),
        json!({"type": "amazon_eventbridge"}),
        json!({"type": "queue"}),
        json!({"azure_event_grid": {"azure_region": "x"}}),
        json!({"event_payload": "fat"}),
        json!({"enabled_events": []}),
        json!({"enabled_events": "v1.customer.created"}),
        json!({"enabled_events": ["v1.customer.created", 7]}),
        json!({"enabled_events": ["v1.customer.create"]}),
        json!({"enabled_events": ["customer.created"]}),
        json!({"enabled_events": ["zzz"]}),
        json!({"event_payload": "snapshot"}),
        json!({"event_payload": "snapshot", "enabled_events": ["customer.create"]}),
        json!({"snapshot_api_version": "2026-08-26.dahlia"}),
        json!({
            "event_payload": "snapshot",
            "enabled_events": ["*"],
            "snapshot_api_version": "newest",
        }),
        json!({"events_from": []}),
        json!({"events_from": ["@self", "@everybody"]}),
        json!({"events_from": ["@organization_members"]}),
        json!({"webhook_endpoint": null}),
        json!({"webhook_endpoint": {}}),
        json!({"webhook_endpoint": {"url": "http://127.0.0.1:9/", "urls": 1}}),
        json!({"webhook_endpoint": {"url": "ftp://example.com"}}),
        json!({"metadata": {"a": {"b": "c"}}}),
        json!({"include": ["webhook_endpoint"]}),
        json!({"expand": ["data"]}),
    ];
    for wrong in wrong {
        let error = app.post_json(DESTINATIONS, &body(&wrong)).await;
        writeln!(shown, "{wrong}").unwrap();
        write!(shown, "  {}", error.second_version_error()).unwrap();
    }
    insta::assert_snapshot!(shown, @r#"
    {"nmae":"x"}
      400 parameter_unknown: Received unknown parameter: nmae. Did you mean name?
    {"name":5}
      400 invalid_request: name: Invalid string: 5
    {"name":""}
      400 parameter_invalid_empty: name is an empty string. Send a value, or leave it out.
    {"name":null}
      400 parameter_missing: Missing required parameter: name.
    {"type":"amazon_eventbridge"}
      400 invalid_request: This server sends events to webhook endpoints only, not to
      amazon_eventbridge. Use type=webhook_endpoint.
    {"type":"queue"}
      400 invalid_request: Invalid type: must be webhook_endpoint
    {"azure_event_grid":{"azure_region":"x"}}
      400 invalid_request: A destination of the type webhook_endpoint has no azure_event_grid.
    {"event_payload":"fat"}
      400 invalid_request: Invalid event_payload: must be one of snapshot or thin
    {"enabled_events":[]}
      400 invalid_request: enabled_events is an empty list.
    {"enabled_events":"v1.customer.created"}
      400 invalid_request: enabled_events: Invalid array: v1.customer.created
    {"enabled_events":["v1.customer.created",7]}
      400 invalid_request: enabled_events[1]: Invalid string: 7
    {"enabled_events":["v1.customer.create"]}
      400 invalid_request: enabled_events[0]: v1.customer.create is not the name of a thin event. Did
      you mean v1.customer.created?
    {"enabled_events":["customer.created"]}
      400 invalid_request: enabled_events[0]: customer.created is not the name of a thin event. Did
      you mean v1.customer.created?
    {"enabled_events":["zzz"]}
      400 invalid_request: enabled_events[0]: zzz is not the name of a thin event.
    {"event_payload":"snapshot"}
      400 invalid_request: enabled_events[0]: v1.customer.created is the name of a thin event. Thin
      events go to event destinations with event_payload=thin. Create one with POST /v2/core/
      event_destinations.
    {"enabled_events":["customer.create"],"event_payload":"snapshot"}
      400 invalid_request: enabled_events[0]: customer.create is not the name of an event type. Did
      you mean customer.created?
    {"snapshot_api_version":"2026-08-26.dahlia"}
      400 invalid_request: Thin events have no API version. Leave out snapshot_api_version, or use
      event_payload=snapshot.
    {"enabled_events":["*"],"event_payload":"snapshot","snapshot_api_version":"newest"}
      400 invalid_request: snapshot_api_version: Invalid Stripe API version: newest
    {"events_from":[]}
      400 invalid_request: events_from is an empty list.
    {"events_from":["@self","@everybody"]}
      400 invalid_request: Invalid events_from[1]: must be one of @self or @accounts
    {"events_from":["@organization_members"]}
      400 invalid_request: Invalid events_from[0]: this server has no organizations.
    {"webhook_endpoint":null}
      400 parameter_missing: Missing required parameter: webhook_endpoint.
    {"webhook_endpoint":{}}
      400 parameter_missing: Missing required parameter: webhook_endpoint.url.
    {"webhook_endpoint":{"url":"http://127.0.0.1:9/","urls":1}}
      400 parameter_unknown: Received unknown parameter: webhook_endpoint.urls. Did you mean url?
    {"webhook_endpoint":{"url":"ftp://example.com"}}
      400 url_invalid: webhook_endpoint.url: Invalid URL: the URL must begin with http or https.
    {"metadata":{"a":{"b":"c"}}}
      400 invalid_request: Invalid string: metadata.a must be a string, not a hash or a list
    {"include":["webhook_endpoint"]}
      400 invalid_request: Invalid include[0]: must be one of webhook_endpoint.signing_secret or
      webhook_endpoint.url
    {"expand":["data"]}
      400 parameter_unknown: Received unknown parameter: expand
    "#);
    assert!(app.get(DESTINATIONS).await.ok().items("/data").is_empty());

    let id = made(&app, &json!({})).await.id();
    let path = format!("{DESTINATIONS}/{id}");
    let mut shown = String::new();
    for wrong in [
        json!({"enabled_events": ["customer.created"]}),
        json!({"event_payload": "snapshot"}),
        json!({"include": ["webhook_endpoint.signing_secret"]}),
    ] {
        shown += &app.post_json(&path, &wrong).await.second_version_error();
    }
    let list = app.get(&format!("{DESTINATIONS}?limit=0&page=x")).await;
    shown += &list.second_version_error();
    let list = app.get(&format!("{DESTINATIONS}?page=x")).await;
    shown += &list.second_version_error();
    let form = app.request("POST", DESTINATIONS).form("name=x").send().await;
    shown += &form.second_version_error();
    let list = app.request("POST", DESTINATIONS).header("Content-Type", "application/json");
    shown += &list.body("[1]").send().await.second_version_error();
    shown += &app.bare_request("GET", DESTINATIONS).send().await.second_version_error();
    shown += &app.get("/v2/core/accounts").await.second_version_error();
    insta::assert_snapshot!(shown, @"
    400 invalid_request: enabled_events[0]: customer.created is not the name of a thin event. Did
      you mean v1.customer.created?
    400 parameter_unknown: Received unknown parameter: event_payload
    400 invalid_request: include[0]: The signing secret is shown only in the response to the
      creation.
    400 parameter_invalid_integer: Invalid integer: limit must be between 1 and 100
    400 invalid_request: No such page: 'x'. Use next_page_url as it is.
    400 invalid_request: Request bodies under /v2 must be application/json, not application/
      x-www-form-urlencoded.
    400 invalid_request: The request body must be a JSON object.
    401 invalid_request: No API key was given. Send it as 'Authorization: Bearer sk_…', or as the
      user name of HTTP Basic authentication.
    404 not_found: This server has no call GET /v2/core/accounts. Under /v2 it has event
      destinations and events of /v2/core only.
    ");
}

/// Pages lead to each other in both directions by their addresses, which repeat the parameters.
#[tokio::test]
async fn pages_of_destinations() {
    let app = App::start().await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        app.pass_s(1);
        ids.push(made(&app, &json!({})).await.id());
    }
    // A webhook endpoint is not a destination.
    app.endpoint("https://example.com/", "customer.created", "").await;
    ids.reverse();
    let first =
        app.get(&format!("{DESTINATIONS}?limit=2&include[]=webhook_endpoint.url")).await.ok();
    assert_eq!((first.ids(), first.at("/previous_page_url")), (ids[..2].to_vec(), Value::Null));
    assert!(first.at("/object").is_null() && first.at("/has_more").is_null(), "{}", first.body);
    let second = app.get(&first.text("/next_page_url")).await.ok();
    assert_eq!((second.ids(), second.at("/next_page_url")), (ids[2..].to_vec(), Value::Null));
    assert_eq!(second.text("/data/0/webhook_endpoint/url"), "https://example.com/hook");
    let back = app.get(&second.text("/previous_page_url")).await.ok();
    assert_eq!(back.body, first.body);
}

/// POST and DELETE with an idempotency key run once. Another request with the key is 409, as Stripe's
/// reference of the calls says.
#[tokio::test]
async fn keys_of_both_methods() {
    let app = App::start().await;
    let keyed = app.idempotent("k");
    let first = made(&keyed, &json!({})).await;
    assert_eq!(made(&keyed, &json!({})).await.body, first.body);
    let other = keyed.post_json(DESTINATIONS, &body(&json!({"name": "Other"}))).await;
    insta::assert_snapshot!(other.second_version_error(), @"
    409 idempotency_error idempotency_error: The idempotency key 'k' was first used for a different
      request. Use a new key for each request.
    ");
    assert_eq!(app.count(DESTINATIONS).await, 1);
    let path = format!("{DESTINATIONS}/{}", first.id());
    let keyed = app.idempotent("d");
    let deleted = keyed.delete(&path).await.ok();
    let again = keyed.delete(&path).await.ok();
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(again.body, deleted.body);
    let unknown = app.idempotent("u");
    for _ in 0..2 {
        let response = unknown.post_json(&path, &json!({"name": "x"})).await;
        assert_eq!((response.status, response.text("/error/code").as_str()), (404, "not_found"));
    }
}

/// A snapshot destination receives events with the copy of their object, in its own version.
#[tokio::test]
async fn snapshots_in_a_version() {
    let (app, receiver) = App::with_receiver().await;
    let version = "2025-08-27.basil";
    let more = json!({
        "event_payload": "snapshot",
        "enabled_events": ["customer.created"],
        "snapshot_api_version": version,
        "webhook_endpoint": {"url": receiver.url},
        "include": ["webhook_endpoint.signing_secret"],
    });
    let destination = made(&app, &more).await;
    assert_eq!(destination.text("/snapshot_api_version"), version);
    let customer = app.customer().await;
    app.run_workers_until_idle().await;
    let posts = receiver.take();
    let [post] = posts.as_slice() else { panic!("{posts:?}") };
    assert_eq!(post.text("/object"), "event");
    assert_eq!(
        (post.text("/data/object/id"), post.text("/api_version")),
        (customer, version.into())
    );
    let secret = destination.text("/webhook_endpoint/signing_secret");
    let signature = post.header("stripe-signature").unwrap();
    wire::signature::verify(signature, &secret, post.body.as_bytes(), BEGIN_S, 300).unwrap();
}

/// Events come from the sources of a destination. Those of a connected account have its id as context,
/// and a client that sends the context can fetch the event and its object.
#[tokio::test]
async fn sources_of_events() {
    let (app, account) = with_connected().await;
    let inside = app.in_account(&account);
    app.run_workers_until_idle().await;
    let [own, connected, both] = App::three_receivers().await;
    let sources = [json!(["@self"]), json!(["@accounts"]), json!(["@self", "@accounts"])];
    for (receiver, from) in [&own, &connected, &both].into_iter().zip(sources) {
        let to = json!({"webhook_endpoint": {"url": receiver.url}, "events_from": from});
        assert_eq!(made(&app, &to).await.at("/events_from"), from);
    }
    let (here, there) = (app.customer().await, inside.customer().await);
    app.run_workers_until_idle().await;
    let seen = |receiver: &Recorder| -> Vec<(String, Value)> {
        let posts = receiver.take();
        let seen = posts.iter().map(|post| (post.text("/related_object/id"), post.at("/context")));
        let mut seen: Vec<_> = seen.collect();
        seen.sort_by_key(|(id, _)| *id != here);
        seen
    };
    assert_eq!(seen(&own), [(here.clone(), Value::Null)]);
    assert_eq!(seen(&connected), [(there.clone(), account.as_str().into())]);
    assert_eq!(
        seen(&both),
        [(here.clone(), Value::Null), (there.clone(), account.as_str().into())]
    );

    let listed = inside.get("/v2/core/events?types[]=v1.customer.created").await.ok();
    assert_eq!(listed.text("/data/0/context"), account);
    let path = format!("/v2/core/events/{}", listed.text("/data/0/id"));
    assert_eq!(app.get(&path).await.status, 404);
    let with_context = |path: &str| {
        app.request("GET", path)
            .header("Stripe-Context", &account)
            .header("Stripe-Request-Trigger", "event=evt_1")
    };
    assert_eq!(with_context(&path).send().await.ok().json(), listed.at("/data/0"));
    let related = with_context(&listed.text("/data/0/related_object/url")).send().await.ok();
    assert_eq!(related.id(), there);
}
