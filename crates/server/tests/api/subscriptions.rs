//! Subscriptions as carriers of a link flow.

use crate::checkout::CHECKOUT;
use serde_json::{Value, json};
use testkit::{App, CONNECTIONS, Client, FC, OPTIONS, Response};

pub(crate) const SUBSCRIPTIONS: &str = "/v1/subscriptions";
/// An item of ten dollars a month, with the product `gold`.
pub(crate) const MONTHLY: &str = "items[0][price_data][currency]=usd&items[0][price_data][product]=gold\
                       &items[0][price_data][unit_amount]=1000\
                       &items[0][price_data][recurring][interval]=month";

/// The guide's link requirements.
fn asks() -> String {
    format!(
        "payment_settings[payment_method_types][]=us_bank_account\
         &{CONNECTIONS}[permissions][]=payment_method&{CONNECTIONS}[permissions][]=transactions"
    )
}

/// Sends the guide's call with these further parameters. Returns the subscription.
pub(crate) async fn create(client: &Client, customer: &str, more: &str) -> Response {
    let form = format!("customer={customer}&{}&{more}", asks());
    client.post(SUBSCRIPTIONS, &form).await.ok()
}

pub(crate) async fn gold(client: &Client) {
    client.post("/v1/products", "id=gold&name=Gold").await.ok();
}

pub(crate) async fn show(client: &Client, id: &str, query: &str) -> Response {
    client.get(&format!("{SUBSCRIPTIONS}/{id}?{query}")).await.ok()
}

/// The guide's call without items, as it is printed. The subscription is active, has no invoice,
/// and collects an account by a Setup Intent. It has every key that the official types require.
#[tokio::test]
async fn as_the_guide_prints_it() {
    let app = App::start().await;
    let customer = app.customer().await;
    let more = format!("{CONNECTIONS}[prefetch][]=transactions");
    let made = create(&app, &customer, &more).await;
    insta::assert_snapshot!(made.shown(), @r#"
    200
    {
      automatic_tax: { disabled_reason: null, enabled: false, liability: null }
      billing_cycle_anchor: 1767225600
      billing_mode: { type: "flexible" }
      billing_schedules: []
      cancel_at_period_end: false
      cancellation_details: { comment: null, feedback: null, reason: null }
      collection_method: "charge_automatically"
      created: 1767225600
      currency: "usd"
      customer: "cus_…"
      default_tax_rates: []
      discounts: []
      id: "sub_…"
      invoice_settings: { account_tax_ids: null, issuer: { type: "self" } }
      items: {
        data: []
        has_more: false
        object: "list"
        url: "/v1/subscription_items?subscription=sub_…"
      }
      livemode: false
      metadata: {}
      object: "subscription"
      payment_settings: {
        payment_method_options: {
          us_bank_account: {
            financial_connections: {
              permissions: ["payment_method", "transactions"]
              prefetch: ["transactions"]
            }
            verification_method: "automatic"
          }
        }
        payment_method_types: ["us_bank_account"]
        save_default_payment_method: "off"
      }
      pending_setup_intent: "seti_…"
      start_date: 1767225600
      status: "active"
      trial_settings: { end_behavior: { missing_payment_method: "create_invoice" } }
      null: application, application_fee_percent, billing_cycle_anchor_config, billing_thresholds
      null: cancel_at, canceled_at, customer_account, days_until_due, default_payment_method
      null: default_source, description, ended_at, latest_invoice, managed_payments
      null: next_pending_invoice_item_invoice, on_behalf_of, pause_collection
      null: pending_invoice_item_interval, pending_update, schedule, test_clock, transfer_data
      null: trial_end, trial_start
    }
    "#);
}

/// A subscription collects an account by its Setup Intent and a prefetch. The account can be
/// expanded before and after the confirmation, and its transactions are available at once.
#[tokio::test]
async fn a_setup_intent_collects() {
    let app = App::start().await;
    let customer = app.customer().await;
    let more = format!("{CONNECTIONS}[prefetch][]=transactions");
    let id = create(&app, &customer, &more).await.id();
    let linked = app.link_carrier(&id, "expand[]=payment_method").await.ok();
    let account = linked.text("/payment_method/us_bank_account/financial_connections_account");
    let waiting = show(&app, &id, "expand[]=pending_setup_intent.payment_method").await;
    let setup = "/pending_setup_intent";
    let path = "/payment_method/us_bank_account/financial_connections_account";
    assert_eq!(waiting.text(&format!("{setup}{path}")), account);
    let intent = waiting.text(&format!("{setup}/id"));
    app.post(&format!("/v1/setup_intents/{intent}/confirm"), "").await.ok();
    app.run_workers_until_idle().await;
    let done = show(&app, &id, "expand[]=default_payment_method").await;
    assert_eq!(done.at(setup), Value::Null);
    let path = "/default_payment_method/us_bank_account/financial_connections_account";
    assert_eq!(done.text(path), account);
    assert!(app.count_transactions(&account).await > 0);
    let again = app.link_carrier(&id, "").await;
    insta::assert_snapshot!(format!("{}{}", again.api_error(), app.event_types().await.join("\n")), @"
    400 - carrier: The subscription has neither a pending Setup Intent nor an invoice to pay, so it
      collects no account.
    customer.created
    setup_intent.created
    customer.subscription.created
    financial_connections.account.created
    setup_intent.succeeded
    payment_method.attached
    customer.subscription.updated
    financial_connections.account.refreshed_transactions
    ");
}

/// With items, the first invoice collects the account, which is subscribed to later. The
/// subscription is incomplete until the debit succeeds. It stores the payment method as its
/// settings request.
#[tokio::test]
async fn an_invoice_collects() {
    let app = App::start().await;
    gold(&app).await;
    let customer = app.customer().await;
    let more = format!(
        "{MONTHLY}&payment_behavior=default_incomplete\
         &payment_settings[save_default_payment_method]=on_subscription\
         &expand[]=latest_invoice.confirmation_secret&expand[]=latest_invoice.payments"
    );
    let made = create(&app, &customer, &more).await;
    let id = made.id();
    let intent = made.text("/latest_invoice/payments/data/0/payment/payment_intent");
    assert!(
        made.text("/latest_invoice/confirmation_secret/client_secret").starts_with(&intent),
        "{}",
        made.body
    );
    let form = "expand[]=payment_method";
    let linked = app.link_carrier(&id, form).await.ok();
    assert_eq!(linked.id(), intent);
    let account = linked.text("/payment_method/us_bank_account/financial_connections_account");
    app.subscribe(&account).await;
    let confirmed = app.post(&format!("/v1/payment_intents/{intent}/confirm"), "").await.ok();
    let under_way = show(&app, &id, "").await;
    app.run_workers_until_idle().await;
    let paid = show(&app, &id, "expand[]=default_payment_method&expand[]=latest_invoice").await;
    let path = "/default_payment_method/us_bank_account/financial_connections_account";
    assert_eq!(paid.text(path), account);
    assert!(app.count_transactions(&account).await > 0);
    let line = "/latest_invoice/lines/data/0";
    insta::assert_snapshot!(
        [
            made.facts(&["/status", "/latest_invoice/status", "/latest_invoice/billing_reason"]),
            confirmed.facts(&["/status", "/setup_future_usage", "/description"]),
            under_way.facts(&["/status"]),
            paid.facts(&["/status", "/latest_invoice/status", "/latest_invoice/amount_paid"]),
            paid.facts(&["/items/data/0/current_period_start"]),
            paid.facts(&["/items/data/0/current_period_end"]),
            paid.facts(&[&format!("{line}/amount"), &format!("{line}/parent/type")]),
        ]
        .join("\n"),
        @"
        incomplete open subscription_create
        processing off_session Subscription creation
        incomplete
        active paid 1000
        1767225600
        1769904000
        1000 subscription_item_details
        "
    );
    let line = paid.at(line);
    let details = &line["parent"]["subscription_item_details"];
    assert_eq!(details["subscription"], id.as_str());
    assert_eq!(details["subscription_item"], paid.at("/items/data/0/id"));
    insta::assert_snapshot!(app.event_types().await.join("\n"), @"
    product.created
    customer.created
    price.created
    invoice.created
    customer.updated
    payment_intent.created
    invoice.finalized
    customer.subscription.created
    financial_connections.account.created
    payment_intent.processing
    payment_method.attached
    invoice.updated
    payment_intent.succeeded
    invoice.paid
    invoice.payment_succeeded
    customer.subscription.updated
    financial_connections.account.refreshed_transactions
    ");
}

/// Subscriptions and invoices without named payment method types take their link requirements from
/// the merchant's settings. Parameters of the call take precedence.
#[tokio::test]
async fn settings_speak_for_the_silent() {
    let app = App::start().await;
    let form = "permissions[]=payment_method&permissions[]=transactions&prefetch[]=transactions";
    app.post(&format!("{FC}/settings"), form).await.ok();
    let customer = app.customer().await;
    let path = "/payment_method/us_bank_account/financial_connections_account";
    let permissions = async |carrier: &str| {
        let linked = app.link_carrier(carrier, "expand[]=payment_method").await.ok();
        let account = linked.text(path);
        let shown = app.get(&format!("{FC}/accounts/{account}")).await.ok();
        shown.at("/permissions")
    };
    let silent = app.post(SUBSCRIPTIONS, &format!("customer={customer}")).await.ok();
    let both = json!(["payment_method", "transactions"]);
    assert_eq!(permissions(&silent.id()).await, both);

    let other = app.customer().await;
    let form = format!("customer={other}&{CONNECTIONS}[permissions][]=payment_method");
    let said = app.post(SUBSCRIPTIONS, &form).await.ok();
    assert_eq!(permissions(&said.id()).await, json!(["payment_method"]));

    let third = app.customer().await;
    let invoice = app.post("/v1/invoices", &format!("customer={third}")).await.ok().id();
    let form = format!("customer={third}&invoice={invoice}&amount=1000");
    app.post("/v1/invoiceitems", &form).await.ok();
    app.post(&format!("/v1/invoices/{invoice}/finalize"), "").await.ok();
    assert_eq!(permissions(&invoice).await, both);
    let form = format!("customer={third}&{CONNECTIONS}[prefetch][]=transactions");
    app.post("/v1/invoices", &form).await.ok();
    app.post(SUBSCRIPTIONS, &form).await.ok();
}

/// Each way to create a subscription leads to an account with transactions, by a prefetch or by a
/// later subscription to the account.
#[tokio::test]
async fn every_way_leads_to_transactions() {
    let app = App::start().await;
    gold(&app).await;
    let monthly = format!("{MONTHLY}&payment_behavior=default_incomplete");
    let bank = "us_bank_account";
    for prefetched in [true, false] {
        let word = |hash: &str| {
            if prefetched { format!("{hash}[prefetch][]=transactions") } else { String::new() }
        };
        for way in ["", monthly.as_str(), "checkout"] {
            let customer = app.customer().await;
            let method = if way == "checkout" {
                let form = format!(
                    "customer={customer}&{OPTIONS}[permissions][]=payment_method\
                     &{OPTIONS}[permissions][]=transactions&{}&{}",
                    MONTHLY.replace("items", "line_items"),
                    word(OPTIONS)
                );
                let form = format!("mode=subscription&line_items[0][quantity]=1&{form}");
                let session = app.post(CHECKOUT, &form).await.ok().id();
                let expand = "expand[]=subscription.default_payment_method";
                let linked = app.link_carrier(&session, expand).await.ok();
                linked.at("/subscription/default_payment_method")
            } else {
                let id = create(&app, &customer, &format!("{way}&{}", word(CONNECTIONS))).await;
                app.link_carrier(&id.id(), "expand[]=payment_method")
                    .await
                    .ok()
                    .at("/payment_method")
            };
            let account =
                method[bank]["financial_connections_account"].as_str().unwrap().to_owned();
            app.run_workers_until_idle().await;
            let path = format!("{FC}/transactions?account={account}");
            assert_eq!(app.get(&path).await.status == 200, prefetched, "{way}");
            app.subscribe(&account).await;
            app.run_workers_until_idle().await;
            assert!(app.count_transactions(&account).await > 0, "{way}");
        }
    }
}
