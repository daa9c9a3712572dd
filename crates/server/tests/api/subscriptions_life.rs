//! The life cycle of subscriptions: creation, renewal, changes and end.

use crate::subscriptions::{MONTHLY, SUBSCRIPTIONS, create, gold, show};
use serde_json::Value;
use testkit::{App, BEGIN_S, Client, DAY_S, Response};

/// Attaches the payment method with this test name to a customer as the default. Returns its id.
pub(crate) async fn pays_by(client: &Client, customer: &str, method: &str) -> String {
    let form = format!("customer={customer}&payment_method={method}&confirm=true");
    let intent = client.post("/v1/setup_intents", &form).await.ok();
    let method = intent.text("/payment_method");
    let form = format!("invoice_settings[default_payment_method]={method}");
    client.post(&format!("/v1/customers/{customer}"), &form).await.ok();
    method
}

/// A failed first payment leaves the subscription incomplete, and it expires after 23 hours. It
/// does not expire during a debit.
#[tokio::test]
async fn expires_when_it_is_not_paid() {
    let app = App::start().await;
    gold(&app).await;
    let (customer, clock) = app.customer_on_clock().await;
    let more = format!("{MONTHLY}&payment_behavior=default_incomplete");
    let (left, failed) =
        (create(&app, &customer, &more).await, create(&app, &customer, &more).await);
    let (left, failed) = (left.id(), failed.id());
    let shown = show(&app, &failed, "").await;
    let pay = format!("/v1/invoices/{}/pay", shown.text("/latest_invoice"));
    app.post(&pay, "payment_method=pm_usBankAccount_insufficientFunds").await.ok();
    let states = async || {
        let query = "expand[]=latest_invoice";
        let (left, failed) = (show(&app, &left, query).await, show(&app, &failed, query).await);
        let facts = |reply: &Response| reply.facts(&["/status", "/latest_invoice/status"]);
        format!("{}, {}", facts(&left), facts(&failed))
    };
    let mut seen = Vec::new();
    for to_s in [23 * 3_600 - 1, 23 * 3_600, 3 * DAY_S, 5 * DAY_S] {
        app.advance(&clock, BEGIN_S + to_s).await;
        seen.push(states().await);
    }
    insta::assert_snapshot!(seen.join("\n"), @"
    incomplete open, incomplete open
    incomplete_expired void, incomplete open
    incomplete_expired void, incomplete open
    incomplete_expired void, incomplete_expired void
    ");
    let paid = app.post(&pay, "payment_method=pm_usBankAccount_success").await;
    insta::assert_snapshot!(paid.api_error(), @"400: This invoice is void and cannot be paid.");
}

/// With a default payment method of the customer the invoice is paid at once. Each month creates
/// another, and emits events without a request. A failed debit makes the subscription past due, and
/// paying the invoice makes it active again.
#[tokio::test]
async fn renews_on_its_clock() {
    let app = App::start().await;
    gold(&app).await;
    let (customer, clock) = app.customer_on_clock().await;
    pays_by(&app, &customer, "pm_usBankAccount_success").await;
    let made = create(&app, &customer, MONTHLY).await;
    let id = made.id();
    let state = async || {
        let shown = show(&app, &id, "expand[]=latest_invoice").await;
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
    pays_by(&app, &customer, "pm_usBankAccount_insufficientFunds").await;
    for day in [59, 64] {
        app.advance(&clock, BEGIN_S + day * DAY_S).await;
        seen.push(state().await);
    }
    let method = pays_by(&app, &customer, "pm_usBankAccount_success").await;
    let shown = show(&app, &id, "").await;
    let pay = format!("/v1/invoices/{}/pay", shown.text("/latest_invoice"));
    app.post(&pay, &format!("payment_method={method}")).await.ok();
    app.advance(&clock, BEGIN_S + 70 * DAY_S).await;
    seen.push(state().await);
    insta::assert_snapshot!(seen.join("\n"), @"
    incomplete open subscription_create 0..31
    active paid subscription_create 0..31
    active open subscription_cycle 31..59
    active paid subscription_cycle 31..59
    active open subscription_cycle 59..90
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
    true status
    ");
    let invoices = app.get(&format!("/v1/invoices?subscription={id}")).await.ok();
    assert_eq!(invoices.items("/data").len(), 3);
}

/// A trial requires no payment. Without a payment method a Setup Intent collects one. The first
/// month is invoiced when the trial ends, on schedule or by an update.
#[tokio::test]
async fn trials_end() {
    let app = App::start().await;
    gold(&app).await;
    let (customer, clock) = app.customer_on_clock().await;
    let more = format!("{MONTHLY}&trial_period_days=10&expand[]=latest_invoice");
    let made = create(&app, &customer, &more).await;
    let id = made.id();
    let moved = create(&app, &customer, &more).await.id();
    app.link_carrier(&id, "").await.ok();
    let intent = made.text("/pending_setup_intent");
    app.post(&format!("/v1/setup_intents/{intent}/confirm"), "").await.ok();
    let ended = app
        .post(&format!("{SUBSCRIPTIONS}/{moved}"), "trial_end=now&expand[]=latest_invoice")
        .await
        .ok();
    let begun = made.facts(&["/status", "/latest_invoice/status", "/latest_invoice/total"]);
    let ended = ended.facts(&["/status", "/latest_invoice/status", "/latest_invoice/total"]);
    app.advance(&clock, BEGIN_S + 10 * DAY_S).await;
    let over = show(&app, &id, "expand[]=latest_invoice").await;
    let over = over.facts(&["/status", "/latest_invoice/status", "/latest_invoice/total"]);
    app.advance(&clock, BEGIN_S + 15 * DAY_S).await;
    let paid = show(&app, &id, "expand[]=latest_invoice").await;
    let paid = paid.facts(&["/status", "/latest_invoice/status", "/billing_cycle_anchor"]);
    insta::assert_snapshot!([begun, ended, over, paid].join("\n"), @"
    trialing paid 0
    past_due open 1000
    active open 1000
    active paid 1768089600
    ");
}

/// Invoices that are sent wait for the customer, and the subscription stays active.
#[tokio::test]
async fn sends_invoices() {
    let app = App::start().await;
    gold(&app).await;
    let customer = app.customer().await;
    let more = format!("{MONTHLY}&collection_method=send_invoice&days_until_due=30");
    let made = create(&app, &customer, &format!("{more}&expand[]=latest_invoice")).await;
    let invoice = "/latest_invoice";
    let pointers = ["/status", "/pending_setup_intent"].map(str::to_owned);
    let of_invoice =
        ["/status", "/collection_method", "/due_date"].map(|name| format!("{invoice}{name}"));
    let pointers: Vec<&str> = pointers.iter().chain(&of_invoice).map(String::as_str).collect();
    insta::assert_snapshot!(made.facts(&pointers), @"active null open send_invoice 1769817600");
}

/// Canceling ends the subscription immediately, with its open invoice and Setup Intent. A
/// subscription can also end automatically at the end of the period. Deleting the customer ends the
/// rest.
#[tokio::test]
async fn ends() {
    let app = App::start().await;
    gold(&app).await;
    let (customer, clock) = app.customer_on_clock().await;
    let waits = format!("{MONTHLY}&payment_behavior=default_incomplete");
    let incomplete = create(&app, &customer, &waits).await.id();
    let bare = create(&app, &customer, "").await;
    let (intent, bare) = (bare.text("/pending_setup_intent"), bare.id());
    pays_by(&app, &customer, "pm_usBankAccount_success").await;
    let later = create(&app, &customer, MONTHLY).await.id();
    let form = "cancel_at_period_end=true";
    let asked = app.post(&format!("{SUBSCRIPTIONS}/{later}"), form).await.ok();
    let left = create(&app, &customer, MONTHLY).await.id();
    let path = format!("{SUBSCRIPTIONS}/{incomplete}?expand[]=latest_invoice");
    let ended = app.delete(&path).await.ok();
    let details = "?cancellation_details[feedback]=unused";
    let gone = app.delete(&format!("{SUBSCRIPTIONS}/{bare}{details}")).await.ok();
    let setup = app.get(&format!("/v1/setup_intents/{intent}")).await.ok();
    app.advance(&clock, BEGIN_S + 31 * DAY_S).await;
    let by_itself = show(&app, &later, "").await;
    let running = show(&app, &left, "").await;
    app.delete(&format!("/v1/customers/{customer}")).await.ok();
    let with_customer = show(&app, &left, "").await;
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
        incomplete 1769904000 1767225600 null
        canceled 1769904000 1767225600 1769904000
        active
        canceled
        "
    );
    let events = app.get("/v1/events?type=customer.subscription.deleted").await.ok();
    assert_eq!(events.items("/data").len(), 4);
    insta::assert_snapshot!(app.delete(&format!("{SUBSCRIPTIONS}/{bare}")).await.api_error(), @"
    404 resource_missing id: No such subscription: 'sub_…'
    ");
}

/// Items are changed, added and removed, and the next period is invoiced with the new items. Items
/// are also listed and retrieved separately.
#[tokio::test]
async fn changes_items() {
    let app = App::start().await;
    gold(&app).await;
    let (customer, clock) = app.customer_on_clock().await;
    pays_by(&app, &customer, "pm_usBankAccount_success").await;
    let made = create(&app, &customer, &format!("{MONTHLY}&items[0][quantity]=2")).await;
    let (id, item) = (made.id(), made.text("/items/data/0/id"));
    let price = "product=gold&currency=usd&unit_amount=50&recurring[interval]=month";
    let price = app.post("/v1/prices", price).await.ok().id();
    let form = format!(
        "items[0][id]={item}&items[0][quantity]=3&items[1][price]={price}&metadata[a]=b\
         &description=More&expand[]=items.data.price.product"
    );
    let changed = app.post(&format!("{SUBSCRIPTIONS}/{id}"), &form).await.ok();
    assert_eq!(changed.at("/items/data/1/price/product/name"), "Gold");
    let listed = app.get(&changed.text("/items/url")).await.ok();
    assert_eq!(listed.items("/data").len(), 2);
    let second = listed.text("/data/1/id");
    let shown = app.get(&format!("/v1/subscription_items/{second}")).await.ok();
    assert_eq!(shown.at(""), listed.at("/data/1"));
    let page = format!("{}&starting_after={item}&limit=1", changed.text("/items/url"));
    assert_eq!(app.get(&page).await.ok().text("/data/0/id"), second);
    app.advance(&clock, BEGIN_S + 31 * DAY_S).await;
    let renewed = show(&app, &id, "expand[]=latest_invoice").await;
    assert_eq!(renewed.at("/latest_invoice/total"), 3_050);
    let form = format!("items[0][id]={second}&items[0][deleted]=true");
    let fewer = app.post(&format!("{SUBSCRIPTIONS}/{id}"), &form).await.ok();
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
    let app = App::start().await;
    gold(&app).await;
    let customer = app.customer().await;
    let (other, clock) = app.customer_on_clock().await;
    let price = "product=gold&currency=usd&unit_amount=50&recurring[interval]=month";
    let price = app.post("/v1/prices", price).await.ok().id();
    let mut ids = Vec::new();
    let priced = format!("items[0][price]={price}&payment_behavior=default_incomplete");
    for (customer, more) in [(&customer, ""), (&customer, &priced), (&other, ""), (&customer, "")] {
        ids.push(create(&app, customer, more).await.id());
        app.pass_s(1);
    }
    app.delete(&format!("{SUBSCRIPTIONS}/{}", ids[3])).await.ok();
    let places = async |query: &str| {
        let list = app.get(&format!("{SUBSCRIPTIONS}?{query}")).await.ok();
        let place = |item: &Value| ids.iter().position(|id| item["id"] == **id).unwrap();
        list.items("/data").iter().map(place).collect::<Vec<usize>>()
    };
    assert_eq!(places("").await, [1, 0]);
    assert_eq!(places("status=all").await, [3, 1, 0]);
    assert_eq!(places("status=ended").await, [3]);
    assert_eq!(places("status=incomplete").await, [1]);
    assert_eq!(places(&format!("customer={other}")).await, [2]);
    assert_eq!(places(&format!("test_clock={clock}")).await, [2]);
    assert_eq!(places(&format!("price={price}")).await, [1]);
    assert_eq!(places("collection_method=send_invoice").await, [] as [usize; 0]);
    let after = BEGIN_S + DAY_S;
    assert_eq!(places(&format!("current_period_end[gt]={after}")).await, [1]);
    assert_eq!(places(&format!("limit=1&starting_after={}", ids[1])).await, [0]);
    assert_eq!(places("created[gt]=1767225600").await, [1]);
}

/// Without a test clock the same happens in real time, one period at a time however late it is.
/// Deleting a clock ends the subscriptions on it.
#[tokio::test]
async fn renews_in_real_time() {
    let app = App::start().await;
    gold(&app).await;
    let customer = app.customer().await;
    let waits = format!("{MONTHLY}&payment_behavior=default_incomplete");
    let waiting = create(&app, &customer, &waits).await.id();
    pays_by(&app, &customer, "pm_usBankAccount_success").await;
    let running = create(&app, &customer, MONTHLY).await.id();
    let (other, clock) = app.customer_on_clock().await;
    let hanging = create(&app, &other, "").await.id();
    app.run_workers_until_idle().await;
    app.pass_s(100 * DAY_S);
    app.run_workers_until_idle().await;
    assert_eq!(show(&app, &waiting, "").await.text("/status"), "incomplete_expired");
    let shown = show(&app, &running, "").await;
    assert_eq!(shown.text("/status"), "active");
    // April 1st to May 1st.
    let begin = shown.at("/items/data/0/current_period_start").as_i64().unwrap();
    assert_eq!((begin - BEGIN_S) / DAY_S, 90);
    let invoices = app.get(&format!("/v1/invoices?subscription={running}")).await.ok();
    let paid = |invoice: &Value| invoice["status"] == "paid";
    assert_eq!(invoices.items("/data").iter().filter(|invoice| paid(invoice)).count(), 4);
    app.delete(&format!("/v1/test_helpers/test_clocks/{clock}")).await.ok();
    assert_eq!(show(&app, &hanging, "").await.text("/status"), "canceled");
}
