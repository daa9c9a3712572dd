//! The life cycle of subscriptions: creation, renewal, changes and end.

use serde_json::Value;
use testkit::{ACCEPTED, App, BEGIN_S, DAY_S, MONTHLY, SUBSCRIPTIONS, path_of};

/// A subscription without a first payment expires after 23 hours, and its invoice is void. One with a
/// debit under way is active, and past due after the debit has failed.
#[tokio::test]
async fn expires_when_it_is_not_paid() {
    let app = App::with_gold().await;
    let (customer, clock) = app.customer_on_clock().await;
    let more = format!("{MONTHLY}&payment_behavior=default_incomplete");
    let left = app.subscription(&customer, &more).await.id();
    let failed = app.subscription(&customer, &more).await.id();
    let shown = app.retrieve(&failed).await;
    let invoice = shown.text("/latest_invoice");
    let form = "payment_method=pm_usBankAccount_insufficientFunds";
    app.pay_open(&invoice, form).await.ok();
    let state = async |id: &str| {
        let shown = app.retrieve(&format!("{id}?expand[]=latest_invoice")).await;
        shown.facts(&["/status", "/latest_invoice/status"])
    };
    let mut seen = Vec::new();
    for to_s in [23 * 3_600 - 1, 23 * 3_600, 3 * DAY_S, 5 * DAY_S] {
        app.advance(&clock, BEGIN_S + to_s).await;
        seen.push(format!("{}, {}", state(&left).await, state(&failed).await));
    }
    insta::assert_snapshot!(seen.join("\n"), @"
    incomplete open, active open
    incomplete_expired void, active open
    incomplete_expired void, active open
    incomplete_expired void, past_due open
    ");
    let void = app.retrieve(&left).await.text("/latest_invoice");
    let paid = app.act(&void, "pay", "payment_method=pm_usBankAccount_success").await;
    insta::assert_snapshot!(paid.api_error(), @"400: This invoice is void and cannot be paid.");
}

/// With a default payment method of the customer the invoice is paid at once. Each month creates
/// another, and emits events without a request. A failed debit makes the subscription past due, and
/// paying the invoice makes it active again.
#[tokio::test]
async fn renews_on_its_clock() {
    let app = App::with_gold().await;
    let (customer, clock) = app.customer_on_clock().await;
    app.pays_by(&customer, "success").await;
    let made = app.subscription(&customer, MONTHLY).await;
    let id = made.id();
    let state = async || {
        let shown = app.retrieve(&format!("{id}?expand[]=latest_invoice")).await;
        let item = "/items/data/0";
        let (begin, end) = (
            shown.at(&format!("{item}/current_period_start")).as_i64().unwrap(),
            shown.at(&format!("{item}/current_period_end")).as_i64().unwrap(),
        );
        let facts =
            shown.facts(&["/status", "/latest_invoice/status", "/latest_invoice/billing_reason"]);
        format!("{facts} {}..{}", (begin - BEGIN_S) / DAY_S, (end - BEGIN_S) / DAY_S)
    };
    let mut seen = vec![state().await];
    for day in [5, 31, 36] {
        app.advance(&clock, BEGIN_S + day * DAY_S).await;
        seen.push(state().await);
    }
    app.pays_by(&customer, "insufficientFunds").await;
    for day in [59, 64] {
        app.advance(&clock, BEGIN_S + day * DAY_S).await;
        seen.push(state().await);
    }
    let method = app.pays_by(&customer, "success").await;
    let shown = app.retrieve(&id).await;
    let form = format!("payment_method={method}");
    app.act(&shown.text("/latest_invoice"), "pay", &form).await.ok();
    app.advance(&clock, BEGIN_S + 70 * DAY_S).await;
    seen.push(state().await);
    insta::assert_snapshot!(seen.join("\n"), @"
    active open subscription_create 0..31
    active paid subscription_create 0..31
    active draft subscription_cycle 31..59
    active paid subscription_cycle 31..59
    active draft subscription_cycle 59..90
    past_due open subscription_cycle 59..90
    active paid subscription_cycle 59..90
    ");
    let events = app.get("/v1/events?type=customer.subscription.updated").await.ok();
    let told = |event: &Value| {
        let previous = event["data"]["previous_attributes"].as_object().unwrap();
        let names: Vec<&str> = previous.keys().map(String::as_str).collect();
        format!("{} {}", event["request"]["id"].is_null(), names.join(","))
    };
    let told: Vec<String> = events.items("/data").iter().map(told).collect();
    insta::assert_snapshot!(told.join("\n"), @"
    true status
    true status
    true items,latest_invoice
    true items,latest_invoice
    ");
    assert_eq!(app.count(&format!("/v1/invoices?subscription={id}")).await, 3);
}

/// A trial requires no payment. Without a payment method a Setup Intent collects one. The first
/// month is invoiced when the trial ends, on schedule or by an update.
#[tokio::test]
async fn trials_end() {
    let app = App::with_gold().await;
    let (customer, clock) = app.customer_on_clock().await;
    let more = format!("{MONTHLY}&trial_period_days=10&expand[]=latest_invoice");
    let made = app.subscription(&customer, &more).await;
    let id = made.id();
    let moved = app.subscription(&customer, &more).await.id();
    app.link_carrier(&id, "").await.ok();
    let intent = made.text("/pending_setup_intent");
    app.act(&intent, "confirm", ACCEPTED).await.ok();
    let form = "trial_end=now&expand[]=latest_invoice";
    let ended = app.post(&path_of(&moved), form).await.ok();
    let facts = ["/status", "/latest_invoice/status", "/latest_invoice/total"];
    let (begun, ended) = (made.facts(&facts), ended.facts(&facts));
    app.advance(&clock, BEGIN_S + 10 * DAY_S).await;
    let over = app.retrieve(&format!("{id}?expand[]=latest_invoice")).await;
    let over = over.facts(&facts);
    app.advance(&clock, BEGIN_S + 15 * DAY_S).await;
    let paid = app.retrieve(&format!("{id}?expand[]=latest_invoice")).await;
    let paid = paid.facts(&["/status", "/latest_invoice/status", "/billing_cycle_anchor"]);
    insta::assert_snapshot!([begun, ended, over, paid].join("\n"), @"
    trialing paid 0
    past_due open 1000
    active draft 1000
    active paid 1768089600
    ");
}

/// Invoices that are sent wait for the customer, and the subscription stays active.
#[tokio::test]
async fn sends_invoices() {
    let (app, customer) = App::with_gold_and_customer().await;
    let more = format!("{MONTHLY}&collection_method=send_invoice&days_until_due=30");
    let made = app.subscription(&customer, &format!("{more}&expand[]=latest_invoice")).await;
    let facts = made.facts(&[
        "/status",
        "/pending_setup_intent",
        "/latest_invoice/status",
        "/latest_invoice/collection_method",
        "/latest_invoice/due_date",
    ]);
    insta::assert_snapshot!(facts, @"active null open send_invoice 1769817600");
}

/// Canceling ends the subscription immediately, with its open invoice and Setup Intent. A
/// subscription can also end automatically at the end of the period. Deleting the customer ends the
/// rest.
#[tokio::test]
async fn ends() {
    let app = App::with_gold().await;
    let (customer, clock) = app.customer_on_clock().await;
    let waits = format!("{MONTHLY}&payment_behavior=default_incomplete");
    let incomplete = app.subscription(&customer, &waits).await.id();
    let bare = app.subscription(&customer, "").await;
    let (intent, bare) = (bare.text("/pending_setup_intent"), bare.id());
    app.pays_by(&customer, "success").await;
    let later = app.subscription(&customer, MONTHLY).await.id();
    let asked = app.post(&path_of(&later), "cancel_at_period_end=true").await.ok();
    let left = app.subscription(&customer, MONTHLY).await.id();
    let path = path_of(&format!("{incomplete}?expand[]=latest_invoice"));
    let ended = app.delete(&path).await.ok();
    let path = path_of(&format!("{bare}?cancellation_details[feedback]=unused"));
    let gone = app.delete(&path).await.ok();
    let setup = app.retrieve(&intent).await;
    app.advance(&clock, BEGIN_S + 31 * DAY_S).await;
    let by_itself = app.retrieve(&later).await;
    let running = app.retrieve(&left).await;
    app.delete(&path_of(&customer)).await.ok();
    let with_customer = app.retrieve(&left).await;
    let ends = ["/status", "/cancel_at", "/canceled_at", "/ended_at"];
    assert_eq!(gone.at("/cancellation_details/feedback"), "unused");
    assert_eq!(by_itself.at("/cancellation_details/reason"), "cancellation_requested");
    insta::assert_snapshot!(
        [
            ended.facts(&["/status", "/latest_invoice/status"]),
            gone.facts(&ends) + " " + &setup.text("/status"),
            asked.facts(&ends),
            by_itself.facts(&ends),
            running.facts(&["/status"]),
            with_customer.facts(&["/status"]),
        ]
        .join("\n"),
        @"
        canceled void
        canceled null 1767225600 1767225600 canceled
        active 1769904000 1767225600 null
        canceled 1769904000 1767225600 1769904000
        active
        canceled
        "
    );
    assert_eq!(app.count("/v1/events?type=customer.subscription.deleted").await, 4);
    insta::assert_snapshot!(app.delete(&path_of(&bare)).await.api_error(), @"
    404 resource_missing id: No such subscription: 'sub_…'
    ");
}

/// Items are changed, added and removed, and the next period is invoiced with the new items. Items
/// are also listed and retrieved separately.
#[tokio::test]
async fn changes_items() {
    let app = App::with_gold().await;
    let (customer, clock) = app.customer_on_clock().await;
    app.pays_by(&customer, "success").await;
    let made = app.subscription(&customer, &format!("{MONTHLY}&items[0][quantity]=2")).await;
    let (id, item) = (made.id(), made.text("/items/data/0/id"));
    let price = app.price(50, "recurring[interval]=month").await;
    let form = format!(
        "items[0][id]={item}&items[0][quantity]=3&items[1][price]={price}&metadata[a]=b\
         &description=More&expand[]=items.data.price.product"
    );
    let changed = app.post(&path_of(&id), &form).await.ok();
    assert_eq!(changed.at("/items/data/1/price/product/name"), "Gold");
    let listed = app.get(&changed.text("/items/url")).await.ok();
    assert_eq!(listed.items("/data").len(), 2);
    let second = listed.text("/data/1/id");
    let shown = app.retrieve(&second).await;
    assert_eq!(shown.at(""), listed.at("/data/1"));
    let page = format!("{}&starting_after={item}&limit=1", changed.text("/items/url"));
    assert_eq!(app.get(&page).await.ok().text("/data/0/id"), second);
    app.advance(&clock, BEGIN_S + 31 * DAY_S).await;
    let renewed = app.retrieve(&format!("{id}?expand[]=latest_invoice")).await;
    assert_eq!(renewed.at("/latest_invoice/total"), 3_050);
    let form = format!("items[0][id]={second}&items[0][deleted]=true");
    let fewer = app.post(&path_of(&id), &form).await.ok();
    assert_eq!(fewer.items("/items/data").len(), 1);
    insta::assert_snapshot!(shown.shown(), @r#"
    200
    {
      created: 1767225600
      current_period_end: 1769904000
      current_period_start: 1767225600
      discounts: []
      id: "si_…"
      metadata: {}
      object: "subscription_item"
      plan: {
        active: true
        amount: 50
        amount_decimal: "50"
        billing_scheme: "per_unit"
        created: 1767225600
        currency: "usd"
        id: "price_…"
        interval: "month"
        interval_count: 1
        livemode: false
        metadata: {}
        object: "plan"
        product: "gold"
        usage_type: "licensed"
        null: meter, nickname, tiers_mode, transform_usage, trial_period_days
      }
      price: {
        active: true
        billing_scheme: "per_unit"
        created: 1767225600
        currency: "usd"
        id: "price_…"
        livemode: false
        metadata: {}
        object: "price"
        product: "gold"
        recurring: {
          interval: "month"
          interval_count: 1
          usage_type: "licensed"
          null: meter, trial_period_days
        }
        tax_behavior: "unspecified"
        type: "recurring"
        unit_amount: 50
        unit_amount_decimal: "50"
        null: custom_unit_amount, lookup_key, nickname, tiers_mode, transform_quantity
      }
      quantity: 1
      subscription: "sub_…"
      tax_rates: []
      null: billing_thresholds
    }
    "#);
}

/// Lists filter by customer, status, price, clock and period. Canceled subscriptions are listed
/// only on request.
#[tokio::test]
async fn lists() {
    let (app, customer) = App::with_gold_and_customer().await;
    let (other, clock) = app.customer_on_clock().await;
    let price = app.price(50, "recurring[interval]=month").await;
    let mut ids = Vec::new();
    let priced = format!("items[0][price]={price}&payment_behavior=default_incomplete");
    for (customer, more) in [(&customer, ""), (&customer, &priced), (&other, ""), (&customer, "")] {
        ids.push(app.subscription(customer, more).await.id());
        app.pass_s(1);
    }
    app.delete(&path_of(&ids[3])).await.ok();
    for (query, places) in [
        ("", "1 0"),
        ("status=all", "3 1 0"),
        ("status=ended", "3"),
        ("status=incomplete", "1"),
        (&format!("customer={other}"), "2"),
        (&format!("test_clock={clock}"), "2"),
        (&format!("price={price}"), "1"),
        ("collection_method=send_invoice", ""),
        (&format!("current_period_end[gt]={}", BEGIN_S + DAY_S), "1"),
        (&format!("limit=1&starting_after={}", ids[1]), "0"),
        ("created[gt]=1767225600", "1"),
    ] {
        assert_eq!(app.places(SUBSCRIPTIONS, &ids, query).await, places, "{query}");
    }
}

/// Without a test clock the same happens in real time, one period at a time however late it is.
/// Deleting a clock ends the subscriptions on it.
#[tokio::test]
async fn renews_in_real_time() {
    let (app, customer) = App::with_gold_and_customer().await;
    let waits = format!("{MONTHLY}&payment_behavior=default_incomplete");
    let waiting = app.subscription(&customer, &waits).await.id();
    app.pays_by(&customer, "success").await;
    let running = app.subscription(&customer, MONTHLY).await.id();
    let (other, clock) = app.customer_on_clock().await;
    let hanging = app.subscription(&other, "").await.id();
    app.run_workers_until_idle().await;
    app.elapse_s(100 * DAY_S).await;
    // The drafts of the renewals are an hour old.
    app.elapse_s(3_600).await;
    assert_eq!(app.status(&waiting).await, "incomplete_expired");
    let shown = app.retrieve(&running).await;
    assert_eq!(shown.text("/status"), "active");
    // April 1st to May 1st.
    let begin = shown.at("/items/data/0/current_period_start").as_i64().unwrap();
    assert_eq!((begin - BEGIN_S) / DAY_S, 90);
    let invoices = app.get(&format!("/v1/invoices?subscription={running}")).await.ok();
    let paid = |invoice: &Value| invoice["status"] == "paid";
    assert_eq!(invoices.items("/data").iter().filter(|invoice| paid(invoice)).count(), 4);
    app.delete(&path_of(&clock)).await.ok();
    assert_eq!(app.status(&hanging).await, "canceled");
}
