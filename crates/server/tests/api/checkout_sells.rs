//! Prices in Checkout Sessions, one-time and recurring.

use crate::debits::type_numbers;
use serde_json::{Value, json};
use testkit::{App, CHECKOUT, ONE_ITEM, OPTIONS};

/// The parameters of a session that begins a subscription to tea at nine dollars a month.
const TEA_A_MONTH: &str = "mode=subscription&line_items[0][quantity]=1\
                           &line_items[0][price_data][currency]=usd\
                           &line_items[0][price_data][unit_amount]=900\
                           &line_items[0][price_data][product_data][name]=Tea\
                           &line_items[0][price_data][recurring][interval]=month";

/// Prices that a session creates are shown with their products, but are not for sale. Stored prices
/// are used unchanged. Both appear in the line items.
#[tokio::test]
async fn sells_at_prices() {
    let app = App::with_gold().await;
    let price = app.price(700, "").await;
    let form = format!(
        "{ONE_ITEM}&line_items[1][price]={price}&line_items[1][quantity]=3&expand[]=line_items"
    );
    let session = app.checkout(&form).await;
    let items = session.items("/line_items/data");
    assert_eq!(
        (&items[0]["description"], &items[1]["description"]),
        (&json!("Tea"), &json!("Gold"))
    );
    assert_eq!(items[1]["price"]["id"], price.as_str());
    assert_eq!(session.at("/amount_total"), 4_600);
    let made = items[0]["price"]["id"].as_str().unwrap();
    let made = app.retrieve(&format!("{made}?expand[]=product")).await;
    assert_eq!((made.at("/active"), made.at("/product/name")), (json!(false), json!("Tea")));
    let linked = app.link_carrier(&session.id(), "expand[]=payment_intent").await.ok();
    assert_eq!(linked.at("/payment_intent/amount"), 4_600);
    let monthly = app.price(700, "recurring[interval]=month").await;
    let of = |mode: &str, price: &str, more: &str| {
        format!("mode={mode}&line_items[0][price]={price}&line_items[0][quantity]=1&{more}")
    };
    let yearly = "line_items[1][quantity]=1&line_items[1][price_data][currency]=usd\
                  &line_items[1][price_data][product]=gold&line_items[1][price_data][unit_amount]=1\
                  &line_items[1][price_data][recurring][interval]=year";
    let prefetch = format!("{OPTIONS}[prefetch][]=balances");
    let calls = [
        of("payment", &monthly, ""),
        of("subscription", &price, ""),
        of("subscription", &monthly, yearly),
        of("subscription", &monthly, "subscription_data[trial_end]=5"),
        of("subscription", &monthly, "setup_intent_data[description]=x"),
        of("subscription", &monthly, &prefetch),
        of("payment", &made.id(), ""),
    ];
    insta::assert_snapshot!(app.post_errors(CHECKOUT, &calls).await, @"
    POST /v1/checkout/sessions mode=payment&line_items[0][price]=price_…&line_items[0][quantity]=1&
        400 - line_items[0][price]: This session is for one payment, so it needs a price that is
          paid once. Use mode=subscription for a recurring price.
    POST /v1/checkout/sessions mode=subscription&line_items[0][price]=price_…&
      line_items[0][quantity]=1&
        400 - line_items: A session in mode=subscription needs a price that is paid again and again
          among its line items.
    POST /v1/checkout/sessions mode=subscription&line_items[0][price]=price_…&
      line_items[0][quantity]=1&line_items[1][quantity]=1&line_items[1][price_data][currency]=usd&
      line_items[1][price_data][product]=gold&line_items[1][price_data][unit_amount]=1&
      line_items[1][price_data][recurring][interval]=year
        400 - line_items[1][price_data]: All prices of a subscription here have the same interval.
    POST /v1/checkout/sessions mode=subscription&line_items[0][price]=price_…&
      line_items[0][quantity]=1&subscription_data[trial_end]=5
        400 - subscription_data[trial_end]: A trial ends after now, and within five years.
    POST /v1/checkout/sessions mode=subscription&line_items[0][price]=price_…&
      line_items[0][quantity]=1&setup_intent_data[description]=x
        400 - setup_intent_data: setup_intent_data does not go with mode=subscription.
    POST /v1/checkout/sessions mode=subscription&line_items[0][price]=price_…&
      line_items[0][quantity]=1&…[prefetch][]=balances
        400 - payment_method_options[us_bank_account][financial_connections][prefetch][0]: To
          prefetch balances, ask for the permission balances too.
    POST /v1/checkout/sessions mode=payment&line_items[0][price]=price_…&line_items[0][quantity]=1&
        400 - line_items[0][price]: The price is inactive.
    ");
}

/// In subscription mode the link begins a subscription. The linked account pays the first invoice
/// and all later ones. The account and its transactions can be found through the subscription.
#[tokio::test]
async fn a_link_begins_a_subscription() {
    let (app, customer) = App::with_customer().await;
    let form = format!(
        "{TEA_A_MONTH}&customer={customer}&line_items[1][quantity]=1&line_items[1][price_data][currency]=usd\
         &line_items[1][price_data][unit_amount]=2000\
         &line_items[1][price_data][product_data][name]=Pot\
         &subscription_data[metadata][a]=b\
         &{OPTIONS}[permissions][]=payment_method&{OPTIONS}[permissions][]=transactions\
         &{OPTIONS}[prefetch][]=transactions"
    );
    let session = app.checkout(&form).await;
    assert_eq!(
        (session.at("/amount_total"), session.at("/subscription")),
        (json!(2_900), Value::Null)
    );
    let id = session.id();
    let expand = "expand[]=subscription.default_payment_method&expand[]=invoice";
    let linked = app.link_carrier(&id, expand).await.ok();
    let account = linked.account_of("/subscription/default_payment_method");
    let begun = [linked.at("/status"), linked.at("/payment_status"), linked.at("/invoice/total")];
    assert_eq!(begun, [json!("complete"), json!("unpaid"), json!(2_900)]);
    assert_eq!(linked.at("/subscription/metadata"), json!({"a": "b"}));
    let begun = linked.text("/subscription/status");
    app.run_workers_until_idle().await;
    let done = app.retrieve(&format!("{id}?expand[]=subscription")).await;
    let subscription = done.text("/subscription/id");
    assert_ne!(app.count_transactions(&account).await, 0);
    let listed = app.get(&format!("{CHECKOUT}?subscription={subscription}")).await.ok();
    assert_eq!(listed.text("/data/0/id"), id);
    let states = [begun, done.text("/subscription/status"), done.text("/payment_status")];
    insta::assert_snapshot!(format!("{}\n{}", states.join(" "), app.event_types().await.join("\n")), @"
    active active paid
    customer.created
    product.created
    price.created
    product.created
    price.created
    financial_connections.account.created
    invoice.created
    customer.updated
    payment_intent.created
    invoice.finalized
    charge.pending
    payment_intent.processing
    payment_method.attached
    invoice.updated
    customer.subscription.created
    checkout.session.completed
    charge.succeeded
    payment_intent.succeeded
    checkout.session.async_payment_succeeded
    invoice.paid
    invoice.payment_succeeded
    financial_connections.account.refreshed_transactions
    ");
}

/// A trial postpones the first payment, and a customer is created if there is none. If the deposits
/// cannot be sent, no subscription begins and the session stays open.
#[tokio::test]
async fn a_trial_needs_no_payment() {
    let app = App::start().await;
    let form = format!("{TEA_A_MONTH}&customer_email=ada@example.com");
    let trial = app.checkout(&format!("{form}&subscription_data[trial_period_days]=7")).await;
    assert_eq!(
        (trial.at("/amount_total"), trial.at("/payment_status")),
        (json!(0), json!("no_payment_required"))
    );
    let expand = "expand[]=subscription&expand[]=customer&expand[]=invoice";
    let linked = app.link_carrier(&trial.id(), expand).await.ok();
    assert_eq!(linked.at("/subscription/status"), "trialing");
    assert_eq!(linked.at("/invoice/status"), "paid");
    assert_eq!(linked.at("/customer/email"), "ada@example.com");
    let method = linked.text("/subscription/default_payment_method");
    let method = app.retrieve(&method).await;
    assert_eq!(method.at("/customer"), linked.at("/customer/id"));

    let bad = app.checkout(&form).await.id();
    type_numbers(&app, &bad, "000666666661").await;
    let failed = app.retrieve(&bad).await;
    assert_eq!((failed.at("/status"), failed.at("/subscription")), (json!("open"), Value::Null));
    assert_eq!(app.count("/v1/subscriptions?status=all").await, 1);
}
