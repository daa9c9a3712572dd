//! The billing of subscriptions in time: announcements, drafts, the ends of trials, deposits, and a
//! new billing cycle.

use crate::browser::Browser;
use serde_json::Value;
use std::fmt::Write as _;
use testkit::{
    ACCEPTED, App, BEGIN_S, Client, DAY_S, MONTHLY, SUBSCRIPTIONS, path_of, typed_numbers,
};

const HOUR_S: i64 = 3_600;

/// A new subscription waits for its first payment.
const WAITS: &str = "payment_behavior=default_incomplete&expand[]=latest_invoice.payments";

async fn state(app: &Client, id: &str) -> String {
    let shown = app.retrieve(&format!("{id}?expand[]=latest_invoice")).await;
    shown.facts(&["/status", "/latest_invoice/status"])
}

/// With a linked account the subscription becomes active as soon as its first debit is processing
/// (Stripe's guide for subscriptions by ACH debit). If the debit then fails, the invoice is open and
/// the subscription past due (our decision).
#[tokio::test]
async fn active_while_the_first_debit_is_processing() {
    let app = App::with_gold().await;
    let (customer, clock) = app.customer_on_clock().await;
    let mut seen = String::new();
    for name in ["success", "noAccount"] {
        let made = app.subscription(&customer, &format!("{MONTHLY}&{WAITS}")).await;
        let id = made.id();
        let intent = made.text("/latest_invoice/payments/data/0/payment/payment_intent");
        let _ = writeln!(seen, "{name}: {}", state(&app, &id).await);
        let form = format!("payment_method=pm_usBankAccount_{name}&{ACCEPTED}");
        app.act(&intent, "confirm", &form).await.ok();
        let _ = writeln!(seen, "    {}", state(&app, &id).await);
        let updated = app.get("/v1/events?limit=1&type=customer.subscription.updated").await.ok();
        let data = "/data/0/data";
        assert_eq!(updated.text(&format!("{data}/object/id")), id);
        assert_eq!(updated.text(&format!("{data}/object/status")), "active");
        assert_eq!(updated.text(&format!("{data}/previous_attributes/status")), "incomplete");
        let days = if name == "success" { 5 } else { 12 };
        app.advance(&clock, BEGIN_S + days * DAY_S).await;
        let _ = writeln!(seen, "    {}", state(&app, &id).await);
    }
    insta::assert_snapshot!(seen, @"
    success: incomplete open
        active open
        active paid
    noAccount: incomplete open
        active open
        past_due open
    ");
}

/// The response of the confirmation, with expansions, and the page of the invoice show the same.
#[tokio::test]
async fn active_in_the_response_and_by_the_page() {
    let (app, customer) = App::with_gold_and_customer().await;
    let more = format!("{MONTHLY}&{WAITS}");
    let made = app.subscription(&customer, &more).await;
    let intent = made.text("/latest_invoice/payments/data/0/payment/payment_intent");
    let expand = "expand[]=invoice.subscription";
    let form = format!("payment_method=pm_usBankAccount_success&{ACCEPTED}&{expand}");
    // Versions before basil show the invoice of a payment.
    let confirmed = app.in_version("2024-06-20").act(&intent, "confirm", &form).await.ok();
    let facts = ["/status", "/invoice/status", "/invoice/subscription/status"];
    assert_eq!(confirmed.facts(&facts), "processing open active");

    let hosted = app.subscription(&customer, &more).await;
    app.link_carrier(&hosted.id(), "").await.ok();
    let page = Browser::at(&app, &hosted.text("/latest_invoice/hosted_invoice_url"));
    page.step("pay", "").await;
    assert_eq!(state(&app, &hosted.id()).await, "active open");
}

/// A subscription that waits for deposits has ten days instead of 23 hours. Then it expires, its
/// invoice is voided and its intent canceled (Stripe's guide for subscriptions by ACH debit).
#[tokio::test]
async fn deposits_extend_the_first_payment() {
    let app = App::with_gold().await;
    let (customer, clock) = app.customer_on_clock().await;
    let made = app.subscription(&customer, &format!("{MONTHLY}&{WAITS}")).await;
    let intent = made.text("/latest_invoice/payments/data/0/payment/payment_intent");
    let typed = typed_numbers("000123456789").replace("confirm=true&", "");
    app.act(&intent, "confirm", &typed).await.ok();
    let mut seen = String::new();
    for to_s in [DAY_S, 10 * DAY_S - 1, 10 * DAY_S] {
        app.advance(&clock, BEGIN_S + to_s).await;
        let (status, of_intent) = (state(&app, &made.id()).await, app.status(&intent).await);
        let _ = writeln!(seen, "{status} {of_intent}");
    }
    insta::assert_snapshot!(seen, @"
    incomplete open requires_action
    incomplete open requires_action
    incomplete_expired void canceled
    ");
}

/// At the end of a trial without a payment method, `trial_settings` decide (Stripe's guide for
/// trials). The events are those that the guide names.
#[tokio::test]
async fn trials_end_without_a_payment_method() {
    let mut seen = String::new();
    for behavior in ["cancel", "pause", "create_invoice"] {
        let app = App::with_gold().await;
        let (customer, clock) = app.customer_on_clock().await;
        let end = format!("trial_settings[end_behavior][missing_payment_method]={behavior}");
        let more = format!("{MONTHLY}&trial_period_days=10&{end}");
        let id = app.subscription(&customer, &more).await.id();
        for to_s in [7 * DAY_S, 10 * DAY_S, 10 * DAY_S + HOUR_S] {
            let before = app.event_types().await.len();
            app.advance(&clock, BEGIN_S + to_s).await;
            let mut events = app.event_types().await.split_off(before);
            events.retain(|event| !event.starts_with("test_helpers"));
            let _ = writeln!(seen, "{behavior}: {} {events:?}", state(&app, &id).await);
        }
    }
    insta::assert_snapshot!(seen, @r#"
    cancel: trialing paid ["invoice.upcoming", "customer.subscription.trial_will_end"]
    cancel: canceled paid ["setup_intent.canceled", "customer.subscription.deleted"]
    cancel: canceled paid []
    pause: trialing paid ["invoice.upcoming", "customer.subscription.trial_will_end"]
    pause: paused paid ["customer.subscription.updated", "customer.subscription.paused"]
    pause: paused paid []
    create_invoice: trialing paid ["invoice.upcoming", "customer.subscription.trial_will_end"]
    create_invoice: active draft ["invoice.created", "customer.subscription.updated"]
    create_invoice: past_due open ["customer.updated", "payment_intent.created", "invoice.finalized", "invoice.payment_failed", "customer.subscription.updated"]
    "#);
}

/// A call that ends a trial at once has the outcome of `trial_settings` too (`trial_end=now` of a
/// subscription's update in Stripe's reference ends the trial immediately).
#[tokio::test]
async fn a_call_ends_a_trial_without_a_payment_method() {
    let mut seen = String::new();
    for behavior in ["cancel", "pause", "create_invoice"] {
        let app = App::with_gold().await;
        let (customer, _) = app.customer_on_clock().await;
        let end = format!("trial_settings[end_behavior][missing_payment_method]={behavior}");
        let more = format!("{MONTHLY}&trial_period_days=10&{end}");
        let id = app.subscription(&customer, &more).await.id();
        let before = app.event_types().await.len();
        app.post(&format!("/v1/subscriptions/{id}"), "trial_end=now").await.ok();
        let mut events = app.event_types().await.split_off(before);
        events.retain(|event| event.starts_with("customer.subscription"));
        let _ = writeln!(seen, "{behavior}: {} {events:?}", state(&app, &id).await);
    }
    insta::assert_snapshot!(seen, @r#"
    cancel: canceled paid ["customer.subscription.deleted"]
    pause: paused paid ["customer.subscription.updated", "customer.subscription.paused"]
    create_invoice: past_due open ["customer.subscription.updated"]
    "#);
}

/// The end of a trial is announced three days before it, or at once for a shorter trial (event
/// `customer.subscription.trial_will_end` of Stripe's reference).
#[tokio::test]
async fn trials_are_announced() {
    let app = App::with_gold().await;
    let (customer, clock) = app.customer_on_clock().await;
    let trial = |days: i64| format!("{MONTHLY}&trial_period_days={days}");
    let long = app.subscription(&customer, &trial(10)).await.id();
    let short = app.subscription(&customer, &trial(2)).await.id();
    let announced = async || {
        let events = app.get("/v1/events?type=customer.subscription.trial_will_end").await.ok();
        let of = |event: &Value| {
            let day = (event["created"].as_i64().unwrap() - BEGIN_S) / DAY_S;
            (event["data"]["object"]["id"].as_str().unwrap().to_owned(), day)
        };
        events.items("/data").iter().map(of).collect::<Vec<_>>()
    };
    assert_eq!(announced().await, [(short.clone(), 0)]);
    app.advance(&clock, BEGIN_S + 30 * DAY_S).await;
    assert_eq!(announced().await, [(long, 7), (short, 0)]);
}

/// The invoice of a renewal is announced seven days before, without an id, because it does not exist
/// yet (event `invoice.upcoming` of Stripe's reference; the days are our decision). A weekly
/// subscription has no announcement.
#[tokio::test]
async fn renewals_are_announced() {
    let app = App::with_gold().await;
    let (customer, clock) = app.customer_on_clock().await;
    app.pays_by(&customer, "success").await;
    let id = app.subscription(&customer, MONTHLY).await.id();
    let weekly = MONTHLY.replace("month", "week");
    app.subscription(&customer, &weekly).await;
    let canceled = app.subscription(&customer, MONTHLY).await.id();
    app.post(&path_of(&canceled), "cancel_at_period_end=true").await.ok();
    app.advance(&clock, BEGIN_S + 24 * DAY_S - 1).await;
    assert_eq!(app.count("/v1/events?type=invoice.upcoming").await, 0);
    app.advance(&clock, BEGIN_S + 24 * DAY_S).await;
    let events = app.get("/v1/events?type=invoice.upcoming").await.ok();
    assert_eq!(events.items("/data").len(), 1);
    let invoice = events.at("/data/0/data/object");
    assert_eq!(invoice.get("id"), None);
    let at = |path: &str| invoice.pointer(path).cloned().unwrap_or_default().to_string();
    let facts = [
        "/object",
        "/status",
        "/billing_reason",
        "/amount_due",
        "/next_payment_attempt",
        "/period_end",
        "/lines/data/0/period/start",
        "/lines/data/0/invoice",
    ];
    insta::assert_snapshot!(facts.map(at).join(" "), @r#""invoice" "draft" "upcoming" 1000 1769907600 1772323200 1769904000 null"#);
    assert_eq!(at("/parent/subscription_details/subscription"), format!("\"{id}\""));
    // The thin event has no related object, as its class in Stripe's SDKs.
    let thin = app.get("/v2/core/events?types[]=v1.invoice.upcoming").await.ok();
    assert_eq!(thin.text("/data/0/type"), "v1.invoice.upcoming");
    assert_eq!(thin.at("/data/0/related_object"), Value::Null);
    app.advance(&clock, BEGIN_S + 60 * DAY_S).await;
    assert_eq!(app.count("/v1/events?type=invoice.upcoming").await, 2);
}

/// The invoice of a renewal is a draft for an hour. Items can be added to it. Then it is finalized and
/// debited by the clock (Stripe's guide for invoices of subscriptions).
#[tokio::test]
async fn a_renewal_is_a_draft_for_an_hour() {
    let app = App::with_gold().await;
    let (customer, clock) = app.customer_on_clock().await;
    app.pays_by(&customer, "success").await;
    let id = app.subscription(&customer, MONTHLY).await.id();
    let renewal = BEGIN_S + 31 * DAY_S;
    app.advance(&clock, renewal + HOUR_S - 1).await;
    let draft = app.retrieve(&format!("{id}?expand[]=latest_invoice")).await;
    let invoice = draft.text("/latest_invoice/id");
    let times = ["/automatically_finalizes_at", "/next_payment_attempt"];
    for time in times {
        assert_eq!(draft.at(&format!("/latest_invoice{time}")), renewal + HOUR_S);
    }
    let facts = ["/status", "/latest_invoice/status", "/latest_invoice/auto_advance"];
    insta::assert_snapshot!(draft.facts(&facts), @"active draft true");
    let item = format!("customer={customer}&invoice={invoice}&amount=500&currency=usd");
    app.post("/v1/invoiceitems", &item).await.ok();
    app.advance(&clock, renewal + HOUR_S).await;
    let open = app.retrieve(&invoice).await;
    let sums = ["/status", "/amount_due", "/attempt_count", "/automatically_finalizes_at"];
    insta::assert_snapshot!(open.facts(&sums), @"open 1500 1 null");
    assert_eq!(open.at("/status_transitions/finalized_at"), renewal + HOUR_S);
    app.advance(&clock, renewal + 5 * DAY_S).await;
    assert_eq!(app.status(&invoice).await, "paid");
    let events = app.get(&format!("/v1/events?limit=100&created[gte]={renewal}")).await.ok();
    let of_billing = |event: &Value| {
        let name = event["type"].as_str().unwrap().to_owned();
        let at = event["created"].as_i64().unwrap() - renewal;
        (!name.starts_with("test_helpers")).then(|| format!("{at} {name}"))
    };
    let events: Vec<String> = events.items("/data").iter().rev().filter_map(of_billing).collect();
    insta::assert_snapshot!(events.join("\n"), @"
    0 invoice.created
    0 customer.subscription.updated
    3599 invoiceitem.created
    3599 invoice.updated
    3600 customer.updated
    3600 payment_intent.created
    3600 invoice.finalized
    3600 charge.pending
    3600 payment_intent.processing
    3600 invoice.updated
    349200 charge.succeeded
    349200 payment_intent.succeeded
    349200 invoice.paid
    349200 invoice.payment_succeeded
    ");
}

/// A draft does not wait in vain after a call finalizes it, or cancels its subscription within the
/// hour.
#[tokio::test]
async fn drafts_of_renewals_can_change_course() {
    let app = App::with_gold().await;
    let (customer, clock) = app.customer_on_clock().await;
    app.pays_by(&customer, "success").await;
    let mut invoices = Vec::new();
    let mut subscriptions = Vec::new();
    for _ in 0..4 {
        subscriptions.push(app.subscription(&customer, MONTHLY).await.id());
    }
    let renewal = BEGIN_S + 31 * DAY_S;
    app.advance(&clock, renewal).await;
    for id in &subscriptions {
        invoices.push(app.retrieve(id).await.text("/latest_invoice"));
    }
    app.act(&invoices[0], "finalize", "").await.ok();
    app.delete(&path_of(&subscriptions[1])).await.ok();
    app.post(&path_of(&invoices[2]), "auto_advance=false").await.ok();
    app.act(&invoices[3], "pay", "").await.ok();
    app.advance(&clock, renewal + HOUR_S).await;
    let mut seen = String::new();
    for invoice in &invoices {
        let shown = app.retrieve(invoice).await;
        let facts = ["/status", "/attempt_count", "/auto_advance", "/next_payment_attempt"];
        let _ = writeln!(seen, "{}", shown.facts(&facts));
    }
    insta::assert_snapshot!(seen, @"
    open 1 true null
    draft 0 false null
    draft 0 false null
    open 1 true null
    ");
}

/// `billing_cycle_anchor=now` begins a new period at once and invoices it. Since
/// `2026-09-30.endive` it is a hash (Stripe's changelog, "polymorphic billing cycle anchor").
#[tokio::test]
async fn the_anchor_is_reset() {
    let mut seen = String::new();
    for (version, form) in [
        ("2026-08-26.dahlia", "billing_cycle_anchor=unchanged"),
        ("2026-08-26.dahlia", "billing_cycle_anchor=now"),
        ("2026-09-30.endive", "billing_cycle_anchor[type]=unchanged"),
        ("2026-09-30.endive", "billing_cycle_anchor[type]=now"),
    ] {
        let app = App::with_gold().await;
        let (customer, clock) = app.customer_on_clock().await;
        app.pays_by(&customer, "success").await;
        let id = app.subscription(&customer, MONTHLY).await.id();
        app.advance(&clock, BEGIN_S + 10 * DAY_S).await;
        let expand = "expand[]=latest_invoice";
        let path = path_of(&id);
        let updated = app.in_version(version).post(&path, &format!("{form}&{expand}")).await.ok();
        let day = |path: &str| (updated.at(path).as_i64().unwrap() - BEGIN_S) / DAY_S;
        let item = "/items/data/0/current_period";
        let _ = writeln!(
            seen,
            "{form}: anchor {}, period {} to {}, {}",
            day("/billing_cycle_anchor"),
            day(&format!("{item}_start")),
            day(&format!("{item}_end")),
            updated.facts(&["/status", "/latest_invoice/status", "/latest_invoice/billing_reason"]),
        );
    }
    insta::assert_snapshot!(seen, @"
    billing_cycle_anchor=unchanged: anchor 0, period 0 to 31, active paid subscription_create
    billing_cycle_anchor=now: anchor 10, period 10 to 41, active open subscription_update
    billing_cycle_anchor[type]=unchanged: anchor 0, period 0 to 31, active paid subscription_create
    billing_cycle_anchor[type]=now: anchor 10, period 10 to 41, active open subscription_update
    ");
    let (app, customer) = App::with_gold_and_customer().await;
    let trial = app.subscription(&customer, &format!("{MONTHLY}&trial_period_days=9")).await.id();
    let form = "billing_cycle_anchor[type]=now";
    let refused =
        app.in_version("2026-09-30.endive").post(&format!("{SUBSCRIPTIONS}/{trial}"), form).await;
    assert_eq!(refused.text("/error/param"), "billing_cycle_anchor");
}
