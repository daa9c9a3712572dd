//! Thin events: their notifications, their list, pings, and the laboratory beside them.

use crate::destinations::DESTINATIONS;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use testkit::{App, BEGIN_S, HELPERS, Recorder, Response, show};

const EVENTS: &str = "/v2/core/events";
const FAMILY: &str = "v1.financial_connections.account.";
const WAIT: &str = "/v1/test_helpers/events/wait";
const LEDGER: &str = "/v1/test_helpers/deliveries";

/// The names of posts, sorted.
fn names(posts: &[Response]) -> Vec<String> {
    let mut names: Vec<String> = posts.iter().map(|post| post.text("/type")).collect();
    names.sort();
    names
}

/// From a destination to the object: the end of a refresh arrives as a signed notification without
/// data, and leads to the full event and to the account (`EventNotification` of stripe-python).
#[tokio::test]
async fn a_refresh_leads_to_its_account() {
    let (app, receiver) = App::with_receiver().await;
    let name = format!("{FAMILY}refreshed_transactions");
    let destination = app.thin_destination(&receiver.url, &name).await;
    let account = app.account().await;
    app.refresh(&account, "transactions").await;
    app.run_workers_until_idle().await;
    let posts = receiver.take();
    let [post] = posts.as_slice() else { panic!("{posts:?}") };
    insta::assert_snapshot!(show::value(&post.json()), @r#"
    {
      created: "2026-01-01T00:00:00.000Z"
      id: "evt_…"
      livemode: false
      object: "v2.core.event"
      related_object: {
        id: "fca_…"
        type: "financial_connections.account"
        url: "/v1/financial_connections/accounts/fca_…"
      }
      type: "v1.financial_connections.account.refreshed_transactions"
      null: context, reason
    }
    "#);
    let secret = destination.text("/webhook_endpoint/signing_secret");
    let signature = post.header("stripe-signature").unwrap();
    wire::signature::verify(signature, &secret, post.body.as_bytes(), BEGIN_S, 300).unwrap();

    let event = app.get(&format!("{EVENTS}/{}", post.id())).await.ok();
    insta::assert_snapshot!(event.shown_beside(post), @r#"
    { changes: null, snapshot_event: "evt_…" }
    absent: []
    "#);
    let related = app.get(&event.text("/related_object/url")).await.ok();
    assert_eq!(
        (related.id(), related.text("/transaction_refresh/status")),
        (account, "succeeded".into())
    );
    let snapshot = app.get(&format!("/v1/events/{}", event.text("/snapshot_event"))).await.ok();
    assert_eq!(snapshot.text("/type"), "financial_connections.account.refreshed_transactions");
}

/// The end of a refresh has two thin events with ids of their own, one of which tells how it ended. An
/// endpoint for all events receives both, and one for a name receives that one. Each is sent once.
#[tokio::test]
async fn a_refresh_has_two_names() {
    let app = App::start().await;
    let [all, failed, other] = App::three_receivers().await;
    let account = app.account().await;
    app.run_workers_until_idle().await;
    app.thin_destination(&all.url, "*").await;
    app.thin_destination(&failed.url, &format!("{FAMILY}balance_refresh_failed")).await;
    app.thin_destination(&other.url, &format!("{FAMILY}inferred_balances_refresh_failed")).await;
    for (script, end) in [("", "succeeded"), ("cause=institution_timeout", "failed")] {
        if !script.is_empty() {
            let path = format!("{HELPERS}/accounts/{account}/next_refresh");
            app.post(&path, &format!("feature=balance&{script}")).await.ok();
        }
        app.elapse_s(86_400).await;
        all.take();
        failed.take();
        app.refresh(&account, "balance").await;
        app.run_workers_until_idle().await;
        let posts = all.take();
        let ended = format!("{FAMILY}balance_refresh_{end}");
        assert_eq!(names(&posts), [ended.clone(), format!("{FAMILY}refreshed_balance")]);
        let mut snapshots = BTreeSet::new();
        for post in &posts {
            let event = app.get(&format!("{EVENTS}/{}", post.id())).await.ok();
            assert_eq!(event.text("/type"), post.text("/type"));
            snapshots.insert(event.text("/snapshot_event"));
        }
        assert_eq!((posts.len(), snapshots.len()), (2, 1));
        assert_ne!(posts[0].id(), posts[1].id());
        let told: &[String] = if end == "failed" { &[ended] } else { &[] };
        assert_eq!(names(&failed.take()), told);
    }
    assert!(other.take().is_empty());
}

/// An event is found under each API by its own id only.
#[tokio::test]
async fn ids_are_apart() {
    let app = App::start().await;
    app.customer().await;
    let thin = app.get(EVENTS).await.ok();
    let (id, snapshot) = (thin.text("/data/0/id"), thin.text("/data/0/snapshot_event"));
    assert_ne!(id, snapshot);
    assert_eq!(app.get(&format!("/v1/events/{snapshot}")).await.status, 200);
    assert_eq!(app.get(&format!("/v1/events/{id}")).await.status, 404);
    let mut shown = app.get(&format!("{EVENTS}/{snapshot}")).await.second_version_error();
    shown +=
        &app.with_key("sk_test_other").get(&format!("{EVENTS}/{id}")).await.second_version_error();
    insta::assert_snapshot!(shown, @"
    404 not_found: No such event: 'evt_…'
    404 not_found: No such event: 'evt_…'
    ");
}

/// The list is filtered by name, object and time, and its pages lead to each other. The two thin events
/// of a refresh may be on two pages.
#[tokio::test]
async fn lists_thin_events() {
    let (app, account) = App::with_account().await;
    app.run_workers_until_idle().await;
    app.pass_s(100);
    app.refresh(&account, "balance").await;
    app.run_workers_until_idle().await;
    let whole = app.get(&format!("{EVENTS}?limit=100")).await.ok();
    let ended =
        [format!("{FAMILY}balance_refresh_succeeded"), format!("{FAMILY}refreshed_balance")];
    assert_eq!(whole.texts("/data", "type")[..2], ended);
    assert_eq!(whole.at("/next_page_url"), Value::Null);

    let mut pages = vec![app.get(&format!("{EVENTS}?limit=1")).await.ok()];
    while let Value::String(next) = pages.last().unwrap().at("/next_page_url") {
        pages.push(app.get(&next).await.ok());
    }
    let ids: Vec<String> = pages.iter().flat_map(Response::ids).collect();
    assert_eq!(ids, whole.ids());
    let mut back = pages.pop().unwrap();
    while let Value::String(previous) = back.at("/previous_page_url") {
        back = app.get(&previous).await.ok();
        assert_eq!(back.ids(), pages.pop().unwrap().ids());
    }
    assert!(pages.is_empty(), "{}", back.body);

    let only =
        async |query: &str| app.get(&format!("{EVENTS}?{query}")).await.ok().texts("/data", "type");
    let one = format!("types[0]={}", ended[0]);
    assert_eq!(only(&one).await, ended[..1]);
    let unsent = format!("types[]={FAMILY}risk_intelligence_refresh_failed");
    assert!(only(&unsent).await.is_empty());
    let customer = "types[]=v1.customer.created&types[]=v1.customer.updated";
    assert_eq!(only(customer).await, ["v1.customer.created"]);
    let about = only(&format!("object_id={account}&limit=100")).await;
    assert!(about.iter().all(|name| name.starts_with(FAMILY)) && about.len() >= 3, "{about:?}");
    // The refresh was at 00:01:40, and everything else before.
    for (range, count) in [
        ("created[gte]=2026-01-01T00:01:40Z", 2),
        ("created[gt]=2026-01-01T00:01:40.000Z", 0),
        ("created[gt]=2026-01-01T01:01:39.999%2B01:00", 2),
        ("created[lt]=2026-01-01T00:01:40.001Z&created[gt]=2026-01-01T00:01:39Z", 2),
        ("created[lte]=2026-01-01T00:01:39.9Z&created[gte]=2026-01-01T00:00:01Z", 0),
    ] {
        assert_eq!(only(&format!("{range}&limit=100")).await.len(), count, "{range}");
    }
    let mut shown = String::new();
    for query in [
        "types[]=customer.created",
        "types[]=v1.customer.creatd",
        "created[gt]=1767225600",
        "created=2026-01-01T00:00:00Z",
        "created[after]=2026-01-01T00:00:00Z",
        "page=after_evt_1",
        "limit=101",
        "starting_after=evt_1",
    ] {
        shown += &app.get(&format!("{EVENTS}?{query}")).await.second_version_error();
    }
    let many: Vec<String> = (0..21).map(|at| format!("types[{at}]=v1.customer.created")).collect();
    shown += &app.get(&format!("{EVENTS}?{}", many.join("&"))).await.second_version_error();
    insta::assert_snapshot!(shown, @"
    400 invalid_request: types[0]: customer.created is not the name of a thin event. Did you mean
      v1.customer.created?
    400 invalid_request: types[0]: v1.customer.creatd is not the name of a thin event. Did you mean
      v1.customer.created?
    400 invalid_request: Invalid created.gt: must be a time in the form of RFC 3339, such as
      2026-01-31T09:30:00Z.
    400 invalid_request: created: Invalid object: 2026-01-01T00:00:00Z
    400 parameter_unknown: Received unknown parameter: created.after
    400 invalid_request: No such page: 'after_evt_1'. Use next_page_url as it is.
    400 parameter_invalid_integer: Invalid integer: limit must be between 1 and 100
    400 parameter_unknown: Received unknown parameter: starting_after
    400 invalid_request: types has at most 20 names.
    ");
}

/// A page that finds no event among 1,000 stored ones ends there, and its addresses lead on in both
/// directions (our decision: a page costs the same for every merchant).
#[tokio::test]
async fn a_rare_event_is_found_over_several_pages() {
    let app = App::start().await;
    let first = app.customer().await;
    for _ in 0..1_100 {
        app.post("/v1/customers", "").await.ok();
    }
    let about = |customer: &str| format!("{EVENTS}?object_id={customer}");
    let empty = app.get(&about(&first)).await.ok();
    assert_eq!((empty.ids().len(), empty.at("/previous_page_url")), (0, Value::Null));
    let found = app.get(&empty.text("/next_page_url")).await.ok();
    assert_eq!(found.text("/data/0/related_object/id"), first);
    assert_eq!((found.ids().len(), found.at("/next_page_url")), (1, Value::Null));
    let back = app.get(&found.text("/previous_page_url")).await.ok();
    assert!(back.ids().is_empty());
    let back = app.get(&back.text("/previous_page_url")).await.ok();
    assert_eq!((back.ids().len(), back.at("/previous_page_url")), (0, Value::Null));
}

/// A ping reaches its destination only, whatever that subscribes to. It is an event of `/v2` alone. A
/// disabled destination cannot be pinged.
#[tokio::test]
async fn pings() {
    let app = App::start().await;
    let [pinged, other, hook] = App::three_receivers().await;
    let id = app.thin_destination(&pinged.url, "v1.customer.created").await.id();
    app.thin_destination(&other.url, "*").await;
    app.endpoint(&hook.url, "*", "").await;
    let path = format!("{DESTINATIONS}/{id}");
    let event = app.idempotent("k").post_json(&format!("{path}/ping"), &json!({})).await.ok();
    insta::assert_snapshot!(event.shown(), @r#"
    200
    {
      created: "2026-01-01T00:00:00.000Z"
      id: "evt_…"
      livemode: false
      object: "v2.core.event"
      reason: {
        request: { id: "req_…", idempotency_key: "k" }
        type: "request"
      }
      related_object: {
        id: "ed_test_…"
        type: "v2.core.event_destination"
        url: "/v2/core/event_destinations/ed_test_…"
      }
      type: "v2.core.event_destination.ping"
      null: changes, context, snapshot_event
    }
    "#);
    app.run_workers_until_idle().await;
    let posts = pinged.take();
    let [post] = posts.as_slice() else { panic!("{posts:?}") };
    assert_eq!((post.id(), post.at("/data")), (event.id(), Value::Null));
    assert!(other.take().is_empty() && hook.take().is_empty());
    assert_eq!(app.get(&post.text("/related_object/url")).await.ok().id(), id);
    let event_path = format!("{EVENTS}/{}", event.id());
    assert_eq!(app.get(&event_path).await.ok().json(), event.json());
    assert_eq!(app.ids(EVENTS).await, [event.id()]);
    assert_eq!(app.count("/v1/events").await, 0);
    let waited =
        app.get(&format!("{WAIT}?type=v2.core.event_destination.ping&timeout=0")).await.ok();
    assert_eq!(waited.json(), event.json());
    app.post_json(&format!("{path}/disable"), &json!({})).await.ok();
    let disabled = app.post_json(&format!("{path}/ping"), &json!({})).await;
    insta::assert_snapshot!(disabled.second_version_error(), @"400 invalid_request: The event destination ed_test_… is disabled. Enable it first.");
}

/// A thin delivery is retried, listed, shown and sent again by its own id.
#[tokio::test]
async fn deliveries_are_shown_and_repeated() {
    let (app, receiver) = App::with_receiver().await;
    let id = app.thin_destination(&receiver.url, "*").await.id();
    receiver.respond(500);
    let account = app.account().await;
    app.run_workers_until_idle().await;
    receiver.respond(200);
    app.elapse_s(10).await;
    app.refresh(&account, "balance").await;
    app.run_workers_until_idle().await;
    receiver.take();
    let listed = app.get(&format!("{LEDGER}?endpoint={id}&limit=2")).await.ok();
    insta::assert_snapshot!(show::value(&listed.at("/data/0")), @r#"
    {
      attempts: [
        {
          at: 1767225610
          duration_ms: 0
          number: 1
          resent: false
          response: ""
          signature: "t=1767225610,v1=…"
          status: 200
          null: error, fault
        }
      ]
      event: "evt_…"
      event_type: "v1.financial_connections.account.balance_refresh_succeeded"
      id: "whd_…"
      object: "bankfeed.delivery"
      status: "succeeded"
      webhook_endpoint: "ed_test_…"
      null: fault, next_attempt_at
    }
    "#);
    let ended = format!("{FAMILY}balance_refresh_succeeded");
    assert_eq!(
        listed.texts("/data", "event_type"),
        [ended.clone(), format!("{FAMILY}refreshed_balance")]
    );
    let next = format!("{LEDGER}?endpoint={id}&limit=1&starting_after={}", listed.ids()[0]);
    assert_eq!(app.get(&next).await.ok().ids(), listed.ids()[1..]);
    let event = listed.text("/data/0/event");
    let of_event = app.get(&format!("/v1/test_helpers/events/{event}/deliveries")).await.ok();
    assert_eq!(of_event.ids(), listed.ids()[..1]);
    let snapshot = app.get(&format!("{EVENTS}/{event}")).await.ok().text("/snapshot_event");
    let of_both = app.get(&format!("{LEDGER}?event={snapshot}")).await.ok();
    assert_eq!(of_both.ids(), listed.ids());

    let first = app.get(&format!("{LEDGER}?endpoint={id}&limit=100")).await.ok();
    let attempts = first.items("/data").last().unwrap()["attempts"].as_array().unwrap().len();
    assert_eq!(attempts, 2);
    let sent = async |path: &str, form: &str| {
        app.post(path, form).await.ok();
        app.run_workers_until_idle().await;
        names(&receiver.take())
    };
    let ended = [ended];
    assert_eq!(sent(&format!("/v1/events/{event}/retry"), "").await, ended);
    let delivery = format!("{LEDGER}/{}/resend", listed.ids()[0]);
    assert_eq!(sent(&delivery, "").await, ended);
    let to = format!("webhook_endpoint={id}");
    assert_eq!(sent(&format!("/v1/events/{snapshot}/retry"), &to).await.len(), 2);
    let endpoint = app.endpoint(&receiver.url, "customer.updated", "").await.id();
    let path = format!("/v1/events/{event}/retry");
    let to = format!("webhook_endpoint={endpoint}");
    insta::assert_snapshot!(app.post(&path, &to).await.api_error(), @"400 - webhook_endpoint: we_… cannot receive this event, because it takes another form.");
}

/// A fault for the name of a thin event hits that delivery only. A wait for a thin name returns the
/// thin event once it was delivered.
#[tokio::test]
async fn faults_and_waits_know_thin_names() {
    let (app, receiver) = App::with_receiver().await;
    let account = app.account().await;
    app.run_workers_until_idle().await;
    let id = app.thin_destination(&receiver.url, "*").await.id();
    let ended = format!("{FAMILY}balance_refresh_succeeded");
    let rule = format!("kind=webhook_lost&types[]={ended}&webhook_endpoint={id}");
    let fault = app.post("/v1/test_helpers/faults", &rule).await.ok();
    assert_eq!(fault.text("/webhook_endpoint"), id);
    app.refresh(&account, "balance").await;
    let refreshed = format!("{FAMILY}refreshed_balance");
    let pending = app.get(&format!("{WAIT}?type={refreshed}&timeout=0")).await;
    assert_eq!(pending.status, 408, "{}", pending.body);
    app.run_workers_until_idle().await;
    assert_eq!(names(&receiver.take()), std::slice::from_ref(&refreshed));
    let waited = app.get(&format!("{WAIT}?type={refreshed}&timeout=0")).await.ok();
    assert_eq!((waited.text("/object"), waited.text("/type")), ("v2.core.event".into(), refreshed));
    let lost = app.get(&format!("{WAIT}?type={ended}&webhook_endpoint={id}&timeout=0")).await;
    insta::assert_snapshot!(lost.api_error(), @"
    408 api_error: No such event was delivered within 0 seconds; 1 happened, the last of them evt_…;
      its delivery to ed_test_… is succeeded, attempt 1 got 200; its delivery to ed_test_… is lost.
    ");
    let after = format!("{WAIT}?after={}&types[]={FAMILY}*&timeout=0", waited.id());
    assert_eq!(app.get(&after).await.status, 408);
    insta::assert_snapshot!(
        app.get(&format!("{WAIT}?type=v1.invoice.payd&timeout=0")).await.api_error(), @"400 - type: This server sends no event of the type 'v1.invoice.payd'."
    );
}

/// The object of every thin event can be fetched at its address, unless it was deleted.
#[tokio::test]
async fn related_objects_can_be_fetched() {
    let (app, account) = App::with_account().await;
    let (_, clock) = app.customer_on_clock().await;
    app.refresh(&account, "balance").await;
    app.run_workers_until_idle().await;
    let customer = app.customer().await;
    let product = app.post("/v1/products", "id=a+b/c%3F&name=Tea").await.ok().id();
    let price = format!("product={}&currency=usd&unit_amount=500", product.replace(' ', "+"));
    app.post("/v1/prices", &price.replace('?', "%3F")).await.ok();
    let confirmed = "payment_method=pm_usBankAccount_success&confirm=true\
                     &payment_method_types[]=us_bank_account\
                     &mandate_data[customer_acceptance][type]=offline";
    app.post("/v1/setup_intents", &format!("customer={customer}&{confirmed}")).await.ok();
    let amount = format!("customer={customer}&amount=900&currency=usd&{confirmed}");
    app.post("/v1/payment_intents", &amount).await.ok();
    let invoice = app.post("/v1/invoices", &format!("customer={customer}")).await.ok().id();
    let item = format!("customer={customer}&invoice={invoice}&amount=700&currency=usd");
    app.post("/v1/invoiceitems", &item).await.ok();
    app.run_workers_until_idle().await;
    let mut urls = BTreeMap::new();
    for event in app.get(&format!("{EVENTS}?limit=100")).await.ok().items("/data") {
        let related = &event["related_object"];
        urls.insert(related["url"].as_str().unwrap().to_owned(), related.clone());
    }
    let mut types = BTreeSet::new();
    for (url, related) in &urls {
        let object = app.get(url).await.ok();
        assert_eq!(object.at("/id"), related["id"], "{url}");
        assert_eq!(object.at("/object"), related["type"], "{url}");
        types.insert(object.text("/object"));
    }
    assert!(urls.contains_key(&format!("/v1/test_helpers/test_clocks/{clock}")), "{urls:?}");
    insta::assert_snapshot!(types.into_iter().collect::<Vec<_>>().join(" "), @"charge customer financial_connections.account invoice invoiceitem mandate payment_intent payment_method price product setup_intent test_helpers.test_clock");
}

/// A destination and the events that are committed before it: only later events reach it.
#[tokio::test]
async fn a_new_destination_gets_only_later_events() {
    let (app, early) = App::with_receiver().await;
    let late = Recorder::start().await.unwrap();
    app.thin_destination(&early.url, "v1.customer.created").await;
    let first = app.customer().await;
    app.thin_destination(&late.url, "v1.customer.created").await;
    let second = app.customer().await;
    app.run_workers_until_idle().await;
    let received = |receiver: &Recorder| -> BTreeSet<String> {
        receiver.take().iter().map(|post| post.text("/related_object/id")).collect()
    };
    assert_eq!(received(&early), BTreeSet::from([first, second.clone()]));
    assert_eq!(received(&late), BTreeSet::from([second]));
}
