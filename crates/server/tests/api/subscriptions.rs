//! Subscriptions as carriers of a link flow.

use serde_json::{Value, json};
use testkit::{ACCEPTED, App, CONNECTIONS, FC, MONTHLY, OPTIONS, SUBSCRIPTIONS};

/// The guide's call without items, as it is printed. The subscription is active, has no invoice,
/// and collects an account by its Setup Intent and a prefetch. The account can be expanded before and
/// after the confirmation, and its transactions are available at once. The subscription has every key
/// that the official types require.
#[tokio::test]
async fn a_setup_intent_collects() {
    let (app, customer) = App::with_customer().await;
    let more = format!("{CONNECTIONS}[prefetch][]=transactions");
    let made = app.subscription(&customer, &more).await;
    insta::assert_snapshot!(made.shown(), @r#"
    200
    {
      automatic_tax: { disabled_reason: null, enabled: false, liability: null }
      billing_cycle_anchor: 1767225600
      billing_mode: { type: "flexible" }
      billing_schedules: []
      cancel_at_period_end: false
      cancellation_details: { comment: null, feedback: null, feedback_option: null, reason: null }
      collection_method: "charge_automatically"
      created: 1767225600
      currency: "usd"
      customer: "cus_…"
      default_tax_rates: []
      discounts: []
      id: "sub_…"
      invoice_settings: {
        issuer: { type: "self" }
        null: account_tax_ids, custom_fields, description, footer
      }
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

    let id = made.id();
    let linked = app.link_carrier(&id, "expand[]=payment_method").await.ok();
    let account = linked.account_of("/payment_method");
    let waiting = app.retrieve(&format!("{id}?expand[]=pending_setup_intent.payment_method")).await;
    assert_eq!(waiting.account_of("/pending_setup_intent/payment_method"), account);
    let intent = waiting.text("/pending_setup_intent/id");
    app.act(&intent, "confirm", ACCEPTED).await.ok();
    app.run_workers_until_idle().await;
    let done = app.retrieve(&format!("{id}?expand[]=default_payment_method")).await;
    assert_eq!(done.at("/pending_setup_intent"), Value::Null);
    assert_eq!(done.account_of("/default_payment_method"), account);
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
    let (app, customer) = App::with_gold_and_customer().await;
    let more = format!(
        "{MONTHLY}&payment_behavior=default_incomplete\
         &payment_settings[save_default_payment_method]=on_subscription\
         &expand[]=latest_invoice.confirmation_secret&expand[]=latest_invoice.payments"
    );
    let made = app.subscription(&customer, &more).await;
    let id = made.id();
    let intent = made.text("/latest_invoice/payments/data/0/payment/payment_intent");
    let secret = made.text("/latest_invoice/confirmation_secret/client_secret");
    assert!(secret.starts_with(&intent), "{secret}");
    let linked = app.link_carrier(&id, "expand[]=payment_method").await.ok();
    assert_eq!(linked.id(), intent);
    let account = linked.account_of("/payment_method");
    app.subscribe(&account).await;
    let confirmed = app.act(&intent, "confirm", ACCEPTED).await.ok();
    let under_way = app.retrieve(&id).await;
    app.run_workers_until_idle().await;
    let paid = app
        .retrieve(&format!("{id}?expand[]=default_payment_method&expand[]=latest_invoice"))
        .await;
    assert_eq!(paid.account_of("/default_payment_method"), account);
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
        active
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
    charge.pending
    payment_intent.processing
    payment_method.attached
    invoice.updated
    customer.subscription.updated
    charge.succeeded
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
    let permissions = async |carrier: &str| {
        let linked = app.link_carrier(carrier, "expand[]=payment_method").await.ok();
        app.retrieve(&linked.account_of("/payment_method")).await.at("/permissions")
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
    app.act(&invoice, "finalize", "").await.ok();
    assert_eq!(permissions(&invoice).await, both);
    let form = format!("customer={third}&{CONNECTIONS}[prefetch][]=transactions");
    app.post("/v1/invoices", &form).await.ok();
    app.post(SUBSCRIPTIONS, &form).await.ok();
}

/// Each way to create a subscription leads to an account with transactions, by a prefetch or by a
/// later subscription to the account.
#[tokio::test]
async fn every_way_leads_to_transactions() {
    let app = App::with_gold().await;
    let monthly = format!("{MONTHLY}&payment_behavior=default_incomplete");
    for prefetched in [true, false] {
        let word = |hash: &str| {
            if prefetched { format!("{hash}[prefetch][]=transactions") } else { String::new() }
        };
        for way in ["", monthly.as_str(), "checkout"] {
            let customer = app.customer().await;
            let account = if way == "checkout" {
                let form = format!(
                    "customer={customer}&{OPTIONS}[permissions][]=payment_method\
                     &{OPTIONS}[permissions][]=transactions&{}&{}",
                    MONTHLY.replace("items", "line_items"),
                    word(OPTIONS)
                );
                let form = format!("mode=subscription&line_items[0][quantity]=1&{form}");
                let session = app.checkout(&form).await.id();
                let expand = "expand[]=subscription.default_payment_method";
                let linked = app.link_carrier(&session, expand).await.ok();
                linked.account_of("/subscription/default_payment_method")
            } else {
                let id = app.subscription(&customer, &format!("{way}&{}", word(CONNECTIONS))).await;
                let linked = app.link_carrier(&id.id(), "expand[]=payment_method").await.ok();
                linked.account_of("/payment_method")
            };
            app.run_workers_until_idle().await;
            let path = format!("{FC}/transactions?account={account}");
            assert_eq!(app.get(&path).await.status == 200, prefetched, "{way}");
            app.subscribe(&account).await;
            app.run_workers_until_idle().await;
            assert!(app.count_transactions(&account).await > 0, "{way}");
        }
    }
}
