//! Due work that fails blocks neither other objects, nor other merchants, nor a test clock. No call
//! creates such objects, so these tests write them into the store.

use engine::connections::advance::Advances;
use model::id::{MerchantId, SubscriptionId};
use model::payments::subscription::Subscription;
use serde_json::Value;
use store::{ChangeObject, FindObject, Kind, Object, Written};
use testkit::{App, BEGIN_S, DAY_S, MONTHLY};
use tokio::sync::watch;

/// Two trials that end on day ten.
const TRIAL: &str = "trial_period_days=10";

/// Changes a subscription directly in the store.
async fn spoil(app: &App, id: &str, spoil: impl FnOnce(&mut Subscription)) {
    let number = id.parse::<SubscriptionId>().unwrap().number();
    let merchant = MerchantId::of_key("sk_test_123");
    let find = FindObject { merchant, kind: Kind::Subscription, number };
    let Some(Object::Subscription(mut held)) = app.engine.store().read(find).await.unwrap() else {
        panic!("there is no such subscription");
    };
    held.version += 1;
    spoil(&mut held);
    let change = ChangeObject::of(Object::Subscription(held));
    assert_eq!(app.engine.store().write(change).await.unwrap(), Written::Done);
}

/// Makes the subscription exceed the maximum amount of an invoice.
fn cost_too_much(held: &mut Subscription) {
    held.items[0].quantity = 1_000_000;
}

/// Makes the work on the subscription overflow.
fn count_too_far(held: &mut Subscription) {
    held.periods = i64::MAX;
}

/// A period that cannot be invoiced begins without an invoice, and the subscription becomes past
/// due. Work that panics stays due. Later subscriptions and those of another merchant are renewed
/// in the meantime.
#[tokio::test]
async fn others_go_on() {
    let app = App::start().await;
    let other = app.with_key("sk_test_other");
    let mut ids = Vec::new();
    app.gold().await;
    other.gold().await;
    for client in [&*app, &*app, &*app, &other] {
        let customer = client.customer().await;
        client.pays_by(&customer, "success").await;
        let made = client.subscription(&customer, &format!("{MONTHLY}&{TRIAL}")).await;
        ids.push((client, made.id()));
    }
    spoil(&app, &ids[0].1, cost_too_much).await;
    spoil(&app, &ids[1].1, count_too_far).await;
    app.elapse_s(10 * DAY_S).await;
    let mut seen = Vec::new();
    for (client, id) in &ids {
        let shown = client.retrieve(&format!("{id}?expand[]=latest_invoice")).await;
        let pointers = ["/status", "/latest_invoice/total", "/items/data/0/current_period_start"];
        seen.push(shown.facts(&pointers));
    }
    insta::assert_snapshot!(seen.join("\n"), @"
    past_due 0 1768089600
    trialing 0 1767225600
    active 1000 1768089600
    active 1000 1768089600
    ");
}

/// The advance of a clock completes although a period cannot be invoiced.
#[tokio::test]
async fn a_clock_arrives() {
    let app = App::with_gold().await;
    let (customer, clock) = app.customer_on_clock().await;
    app.pays_by(&customer, "success").await;
    let id = app.subscription(&customer, &format!("{MONTHLY}&{TRIAL}")).await.id();
    spoil(&app, &id, cost_too_much).await;
    app.advance(&clock, BEGIN_S + 60 * DAY_S).await;
    let clock = app.retrieve(&clock).await;
    assert_eq!(clock.text("/status"), "ready");
    assert_eq!(app.status(&id).await, "past_due");
}

/// When the server stops, an advance ends at its next step. The next start continues it at once.
#[tokio::test]
async fn a_clock_stops_with_the_server() {
    let (app, customer, clock) = App::on_clock().await;
    let session = app.session(&customer, "").await;
    let account = app.link(&session, "").await.text("/accounts/data/0/id");
    app.subscribe(&account).await;
    app.run_workers_until_idle().await;
    let path = format!("/v1/test_helpers/test_clocks/{clock}");
    let arrival = BEGIN_S + 9 * DAY_S;
    app.post(&format!("{path}/advance"), &format!("frozen_time={arrival}")).await.ok();
    let mut steps = 0;
    while app.get(&path).await.ok().text("/status") == "advancing" {
        assert_eq!(app.engine.run_clock_until(|| true).await.unwrap(), 1, "after {steps} steps");
        steps += 1;
        assert!(steps < 100, "the advance never ends");
    }
    assert!(steps >= 9, "a step for each daily refresh, and not {steps}");
    assert_eq!(app.get(&path).await.ok().at("/frozen_time"), arrival);
}

/// The most advances of one merchant: half of all.
const SHARE: usize = model::limits::ADVANCES_MAX / 2;

/// Advances run side by side up to the share of their merchant, and each that ends makes room for the next
/// one. An advance of another merchant begins beside them.
#[tokio::test]
async fn clocks_advance_side_by_side() {
    let app = App::start().await;
    let mut clocks = Vec::new();
    for _ in 0..SHARE + 2 {
        let (_, clock) = app.customer_on_clock().await;
        let path = format!("/v1/test_helpers/test_clocks/{clock}");
        let later = format!("frozen_time={}", BEGIN_S + DAY_S);
        app.post(&format!("{path}/advance"), &later).await.ok();
        clocks.push(path);
    }
    let other = app.with_key("sk_test_other");
    let (_, clock) = other.customer_on_clock().await;
    let path = format!("/v1/test_helpers/test_clocks/{clock}/advance");
    other.post(&path, &format!("frozen_time={}", BEGIN_S + DAY_S)).await.ok();
    let (mut advances, (_stop, stopping)) = (Advances::default(), watch::channel(false));
    assert_eq!(app.engine.begin_advances(&mut advances, &stopping).await.unwrap(), SHARE + 1);
    advances.all_ended().await;
    assert_eq!(app.engine.begin_advances(&mut advances, &stopping).await.unwrap(), 2);
    advances.all_ended().await;
    for path in clocks {
        assert_eq!(app.get(&path).await.ok().at("/frozen_time"), BEGIN_S + DAY_S);
    }
}

/// An advance that cannot continue ends as a failure and emits an event. The clock can be deleted
/// afterwards. Another clock still completes its advance.
#[tokio::test]
async fn a_clock_fails() {
    let app = App::with_gold().await;
    let mut clocks = Vec::new();
    for _ in 0..2 {
        let (customer, clock) = app.customer_on_clock().await;
        let id = app.subscription(&customer, &format!("{MONTHLY}&{TRIAL}")).await.id();
        clocks.push((format!("/v1/test_helpers/test_clocks/{clock}"), id));
    }
    spoil(&app, &clocks[0].1, count_too_far).await;
    for (path, _) in &clocks {
        let form = format!("frozen_time={}", BEGIN_S + 20 * DAY_S);
        app.post(&format!("{path}/advance"), &form).await.ok();
    }
    app.run_workers_until_idle().await;
    let mut seen = Vec::new();
    for (path, _) in &clocks {
        let shown = app.get(path).await.ok();
        seen.push(shown.facts(&["/status", "/frozen_time", "/status_details"]));
    }
    insta::assert_snapshot!(seen.join("\n"), @"
    internal_failure 1767225600 {}
    ready 1768953600 {}
    ");
    let events = app.get("/v1/events?type=test_helpers.test_clock.internal_failure").await.ok();
    let told = |event: &Value| event["data"]["object"]["status"].as_str().unwrap().to_owned();
    let told: Vec<String> = events.items("/data").iter().map(told).collect();
    assert_eq!(told, ["internal_failure"]);
    app.delete(&clocks[0].0).await.ok();
    assert_eq!(app.get(&clocks[0].0).await.status, 404);
}
