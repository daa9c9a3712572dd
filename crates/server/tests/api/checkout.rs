//! Checkout Sessions as carriers of a link flow, and their life cycle.

use serde_json::{Value, json};
use testkit::{App, BEGIN_S, CHECKOUT, DAY_S, ONE_ITEM, OPTIONS};

/// The guide's call as it is printed. Without a mode it sets up a bank account for later payments.
/// The linked account and its transactions can be expanded from the session.
#[tokio::test]
async fn as_the_guide_prints_it() {
    let (app, customer) = App::with_customer().await;
    let form = format!(
        "customer={customer}&payment_method_types[]=us_bank_account\
         &{OPTIONS}[permissions][]=payment_method&{OPTIONS}[permissions][]=transactions\
         &{OPTIONS}[prefetch][]=transactions"
    );
    let session = app.checkout(&form).await;
    insta::assert_snapshot!(session.shown(), @r#"
    200
    {
      automatic_tax: { enabled: false, liability: null, provider: null, status: null }
      created: 1767225600
      custom_fields: []
      custom_text: {
        null: after_submit, shipping_address, submit, terms_of_service_acceptance
      }
      customer: "cus_…"
      customer_details: {
        email: "ada@example.com"
        tax_exempt: "none"
        tax_ids: []
        null: address, business_name, individual_name, name, phone
      }
      discounts: []
      expires_at: 1767312000
      id: "cs_test_…"
      livemode: false
      metadata: {}
      mode: "setup"
      object: "checkout.session"
      payment_method_collection: "if_required"
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
      payment_status: "no_payment_required"
      phone_number_collection: { enabled: false }
      shipping_options: []
      status: "open"
      ui_mode: "hosted_page"
      url: "http://127.0.0.1:12111/c/pay/…"
      null: adaptive_pricing, after_expiration, allow_promotion_codes, amount_subtotal, amount_total
      null: billing_address_collection, cancel_url, client_reference_id, client_secret
      null: collected_information, consent, consent_collection, currency, currency_conversion
      null: customer_account, customer_creation, customer_email, integration_identifier, invoice
      null: invoice_creation, locale, managed_payments, optional_items, origin_context
      null: payment_intent, payment_link, payment_method_configuration_details, permissions
      null: recovered_from, saved_payment_method_options, setup_intent, shipping_address_collection
      null: shipping_cost, submit_type, subscription, success_url, total_details, wallet_options
    }
    "#);

    let id = session.id();
    let linked = app.link_carrier(&id, "expand[]=setup_intent.payment_method").await.ok();
    assert_eq!(linked.at("/status"), "complete");
    assert_eq!(linked.at("/payment_status"), "no_payment_required");
    assert_eq!(linked.at("/url"), Value::Null);
    assert_eq!(linked.at("/setup_intent/status"), "succeeded");
    assert_eq!(linked.at("/setup_intent/customer"), customer.as_str());
    app.run_workers_until_idle().await;

    let shown = app.retrieve(&format!("{id}?expand[]=setup_intent.payment_method")).await;
    assert_eq!(shown.at("/setup_intent/payment_method/customer"), customer.as_str());
    let account = shown.account_of("/setup_intent/payment_method");
    assert_ne!(app.count_transactions(&account).await, 0);
    insta::assert_snapshot!(app.event_types().await.join("\n"), @"
    customer.created
    financial_connections.account.created
    setup_intent.created
    setup_intent.succeeded
    payment_method.attached
    checkout.session.completed
    financial_connections.account.refreshed_transactions
    ");
}

/// A payment session is complete before it is paid. Both changes emit events, and the payment
/// method stays attached to the customer.
#[tokio::test]
async fn a_payment_is_paid_when_its_debit_ends() {
    let (app, customer) = App::with_customer().await;
    let form = format!(
        "{ONE_ITEM}&customer={customer}&metadata[order]=7&success_url=https://shop.example/thanks\
         &payment_intent_data[description]=Tea&payment_intent_data[metadata][order]=7"
    );
    let session = app.checkout(&form).await;
    let setup = app.checkout(&format!("customer={customer}")).await;
    insta::assert_snapshot!(session.shown_beside(&setup), @r#"
    {
      amount_subtotal: 2500
      amount_total: 2500
      currency: "usd"
      id: "cs_test_…"
      metadata: { order: "7" }
      mode: "payment"
      payment_status: "unpaid"
      success_url: "https://shop.example/thanks"
      total_details: { amount_discount: 0, amount_shipping: 0, amount_tax: 0 }
      url: "http://127.0.0.1:12111/c/pay/…"
    }
    absent: []
    "#);

    let id = session.id();
    let linked = app.link_carrier(&id, "expand[]=payment_intent.payment_method").await.ok();
    assert_eq!(
        (linked.at("/status"), linked.at("/payment_status")),
        (json!("complete"), json!("unpaid"))
    );
    let intent = linked.at("/payment_intent");
    assert_eq!(intent["status"], "processing");
    assert_eq!((&intent["amount"], &intent["description"]), (&json!(2_500), &json!("Tea")));
    assert_eq!(intent["metadata"], json!({"order": "7"}));
    assert_eq!(intent["payment_method"]["customer"], customer.as_str());
    linked.account_of("/payment_intent/payment_method");

    app.run_workers_until_idle().await;
    assert_eq!(app.retrieve(&id).await.at("/payment_status"), "paid");
    insta::assert_snapshot!(app.event_types().await.join("\n"), @"
    customer.created
    product.created
    price.created
    financial_connections.account.created
    payment_intent.created
    charge.pending
    payment_intent.processing
    payment_method.attached
    checkout.session.completed
    charge.succeeded
    mandate.updated
    payment_intent.succeeded
    checkout.session.async_payment_succeeded
    ");
}

/// On a test clock the debit takes days. If it fails, the session stays complete and unpaid, and an
/// event reports it.
#[tokio::test]
async fn a_failed_debit_is_told() {
    let (app, customer, clock) = App::on_clock().await;
    let form = format!("{ONE_ITEM}&customer={customer}");
    let id = app.checkout(&form).await.id();
    let linked = app.link_carrier(&id, "accounts[]=Insufficient+Funds").await.ok();
    assert_eq!(linked.at("/payment_status"), "unpaid");
    app.run_workers_until_idle().await;
    let told_before = app.event_types().await;
    assert!(!told_before.contains(&"checkout.session.async_payment_failed".to_owned()));

    app.advance(&clock, BEGIN_S + 5 * DAY_S).await;
    let told_after = app.event_types().await.split_off(told_before.len());
    let of_the_debit = |word: &&String| !word.contains("test_clock");
    let of_the_debit: Vec<&String> = told_after.iter().filter(of_the_debit).collect();
    assert_eq!(
        of_the_debit,
        [
            "charge.failed",
            "mandate.updated",
            "payment_intent.payment_failed",
            "checkout.session.async_payment_failed",
        ]
    );
    let shown = app.retrieve(&format!("{id}?expand[]=payment_intent")).await;
    assert_eq!(
        (shown.at("/status"), shown.at("/payment_status")),
        (json!("complete"), json!("unpaid"))
    );
    assert_eq!(shown.at("/payment_intent/status"), "requires_payment_method");
}

/// A session stays open when the holder leaves the flow. Without a customer the account has no
/// owner.
#[tokio::test]
async fn leaving_keeps_it_open() {
    let app = App::start().await;
    let id = app.checkout("mode=setup&customer_email=ada@example.com").await.id();
    let left = app.link_carrier(&id, "outcome=cancel").await.ok();
    assert_eq!(left.at("/status"), "open");
    assert_eq!(left.at("/customer_details/email"), "ada@example.com");
    let linked = app.link_carrier(&id, "expand[]=setup_intent.payment_method").await.ok();
    assert_eq!(linked.at("/status"), "complete");
    let shown = app.retrieve(&linked.account_of("/setup_intent/payment_method")).await;
    assert_eq!(shown.at("/account_holder"), Value::Null);
    assert_eq!(shown.at("/permissions"), json!(["payment_method"]));
    let again = app.link_carrier(&id, "").await;
    insta::assert_snapshot!(again.api_error(), @"400: This link flow has ended; make a new session to link again.");
}

/// A session expires after a day, or earlier by a call. An expired session cannot be opened.
#[tokio::test]
async fn expires() {
    let app = App::start().await;
    let left = app.checkout("mode=setup").await.id();
    let early = app.checkout("mode=setup&expires_at=1767227400").await.id();
    let ended = app.checkout("mode=setup").await.id();
    let expired = app.act(&ended, "expire", "").await.ok();
    assert_eq!((expired.at("/status"), expired.at("/url")), (json!("expired"), Value::Null));
    insta::assert_snapshot!(
        app.act(&ended, "expire", "").await.api_error(), @"
    400: Only a Checkout Session that is open can be expired; this one is expired.
    ");

    app.elapse_s(30 * 60).await;
    assert_eq!(app.status(&early).await, "expired");
    app.elapse_s(DAY_S - 30 * 60 - 1).await;
    assert_eq!(app.status(&left).await, "open");
    app.pass_s(1);
    insta::assert_snapshot!(app.link_carrier(&left, "").await.api_error(), @"
    400: This link flow has expired; make a new session.
    ");
    app.run_workers_until_idle().await;
    assert_eq!(app.status(&left).await, "expired");
    insta::assert_snapshot!(app.link_carrier(&left, "").await.api_error(), @"
    400: This link flow has ended; make a new session to link again.
    ");
    let events = app.get("/v1/events?type=checkout.session.expired").await.ok();
    let ids: Vec<Value> =
        events.items("/data").iter().map(|event| event["data"]["object"]["id"].clone()).collect();
    assert_eq!(ids, [left, early, ended].map(Value::from));
    let by_itself = |event: &Value| event["request"]["id"].is_null();
    let alone: Vec<bool> = events.items("/data").iter().map(by_itself).collect();
    assert_eq!(alone, [true, true, false]);
}

/// The session of a customer on a test clock expires by that clock.
#[tokio::test]
async fn expires_on_its_clock() {
    let (app, customer, clock) = App::on_clock().await;
    let id = app.checkout(&format!("customer={customer}")).await.id();
    app.elapse_s(2 * DAY_S).await;
    assert_eq!(app.status(&id).await, "open");
    app.advance(&clock, BEGIN_S + DAY_S).await;
    assert_eq!(app.status(&id).await, "expired");
}

/// Lists filter by customer, address, status, time and Payment Intent, and page in both directions.
#[tokio::test]
async fn lists() {
    let (app, customer) = App::with_customer().await;
    let mut ids = Vec::new();
    for form in ["mode=setup", &format!("customer={customer}"), ONE_ITEM, "mode=setup"] {
        ids.push(app.checkout(form).await.id());
        app.pass_s(1);
    }
    app.act(&ids[3], "expire", "").await.ok();
    let linked = app.link_carrier(&ids[2], "").await.ok();
    let intent = linked.text("/payment_intent");
    for (query, places) in [
        ("", "3 2 1 0"),
        (&format!("customer={customer}"), "1"),
        ("customer_details[email]=ada@example.com", "1"),
        (&format!("payment_intent={intent}"), "2"),
        (&format!("payment_intent={intent}&customer={customer}"), ""),
        ("status=open", "1 0"),
        ("status=open&limit=1", "1 …"),
        (&format!("status=open&limit=1&starting_after={}", ids[1]), "0"),
        (&format!("limit=1&ending_before={}", ids[0]), "1 …"),
        (&format!("status=expired&limit=1&ending_before={}", ids[0]), "3"),
        ("payment_link=plink_1", ""),
        ("created[gt]=1767225601", "3 2"),
    ] {
        assert_eq!(app.places(CHECKOUT, &ids, query).await, places, "{query}");
    }
    let expanded = app.get(&format!("{CHECKOUT}?expand[]=data.payment_intent")).await.ok();
    assert_eq!(expanded.at("/data/1/payment_intent/id"), intent.as_str());
}
