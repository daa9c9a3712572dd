//! Payment Intents and Setup Intents as carriers, from the guide's calls to the account's data.
//! Payment methods and mandates are included.

use serde_json::Value;
use testkit::{ACCEPTED, App, FC, INTENTS, OPTIONS, SETUP_INTENTS, path_of, typed_numbers};

/// The guide's own call, with the printed permissions and prefetch.
fn guide_call(more: &str) -> String {
    format!(
        "setup_future_usage=off_session&payment_method_types[]=us_bank_account\
         &{OPTIONS}[permissions][]=payment_method&{OPTIONS}[permissions][]=transactions\
         &{OPTIONS}[prefetch][]=transactions{more}"
    )
}

/// A payment from the first call to the transactions: linked, prefetched, confirmed, settled.
#[tokio::test]
async fn a_payment_intent_collects_an_account() {
    let (app, customer) = App::with_customer().await;
    let form = guide_call(&format!("&amount=2000&currency=usd&customer={customer}"));
    let intent = app.post(INTENTS, &form).await.ok();
    insta::assert_snapshot!(intent.shown(), @r#"
    200
    {
      amount: 2000
      amount_capturable: 0
      amount_details: { tip: {} }
      amount_received: 0
      capture_method: "automatic"
      client_secret: "pi_…_secret_…"
      confirmation_method: "automatic"
      created: 1767225600
      currency: "usd"
      customer: "cus_…"
      id: "pi_…"
      livemode: false
      metadata: {}
      object: "payment_intent"
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
      setup_future_usage: "off_session"
      status: "requires_payment_method"
      null: allowed_payment_method_types, application, application_fee_amount
      null: automatic_payment_methods, canceled_at, cancellation_reason, customer_account
      null: description, excluded_payment_method_types, last_payment_error, latest_charge
      null: next_action, on_behalf_of, payment_method, payment_method_configuration_details
      null: processing, receipt_email, review, shipping, statement_descriptor
      null: statement_descriptor_suffix, transfer_data, transfer_group
    }
    "#);
    let linked = app.link_carrier(&intent.id(), "&expand[]=payment_method").await.ok();
    assert_eq!(linked.at("/status"), "requires_confirmation");
    insta::assert_snapshot!(linked.shown_at("/payment_method"), @r#"
    {
      allow_redisplay: "unspecified"
      billing_details: {
        address: {
          null: city, country, line1, line2, postal_code, state
        }
        null: email, name, phone, tax_id
      }
      created: 1767225600
      id: "pm_…"
      livemode: false
      metadata: {}
      object: "payment_method"
      type: "us_bank_account"
      us_bank_account: {
        account_holder_type: "individual"
        account_type: "checking"
        bank_name: "Test (Non-OAuth)"
        financial_connections_account: "fca_…"
        fingerprint: "…"
        last4: "2395"
        networks: { preferred: "ach", supported: ["ach"] }
        routing_number: "110000000"
        status_details: {}
      }
      null: customer, customer_account
    }
    "#);

    // The reference documents this path to the account, and its transactions are already fetched.
    let account = linked.account_of("/payment_method");
    app.run_workers_until_idle().await;
    assert_ne!(app.count_transactions(&account).await, 0);

    let accept = "mandate_data[customer_acceptance][type]=offline";
    let confirmed = app.act(&intent.id(), "confirm", accept).await.ok();
    assert_eq!(confirmed.at("/status"), "processing");
    app.run_workers_until_idle().await;
    let expanded = format!("{}?expand[]=payment_method.customer", intent.id());
    let settled = app.retrieve(&expanded).await;
    assert_eq!(settled.at("/status"), "succeeded");
    assert_eq!(settled.at("/amount_received"), 2000);
    assert_eq!(settled.at("/payment_method/customer/id"), customer.as_str());
    insta::assert_snapshot!(app.event_types().await.join("\n"), @"
    customer.created
    payment_intent.created
    financial_connections.account.created
    financial_connections.account.refreshed_transactions
    charge.pending
    payment_intent.processing
    payment_method.attached
    charge.succeeded
    payment_intent.succeeded
    ");
}

/// A Setup Intent without a customer links an account without an owner. It is listed and can be
/// refreshed, and no second link is merged with it.
#[tokio::test]
async fn a_setup_intent_without_customer_links_an_account_of_nobody() {
    let app = App::start().await;
    let form = guide_call("").replace("setup_future_usage=off_session&", "");
    let intent = app.post(SETUP_INTENTS, &form).await.ok();
    insta::assert_snapshot!(intent.shown(), @r#"
    200
    {
      client_secret: "seti_…_secret_…"
      created: 1767225600
      id: "seti_…"
      livemode: false
      metadata: {}
      object: "setup_intent"
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
      status: "requires_payment_method"
      usage: "off_session"
      null: allowed_payment_method_types, application, automatic_payment_methods
      null: cancellation_reason, customer, customer_account, description
      null: excluded_payment_method_types, flow_directions, last_setup_error, latest_attempt
      null: mandate, next_action, on_behalf_of, payment_method, payment_method_configuration_details
      null: single_use_mandate
    }
    "#);
    app.link_carrier(&intent.id(), "").await.ok();
    let form = format!("{ACCEPTED}&expand[]=mandate&expand[]=payment_method");
    let done = app.act(&intent.id(), "confirm", &form).await.ok();
    assert_eq!(done.at("/status"), "succeeded");
    insta::assert_snapshot!(done.shown_at("/mandate"), @r#"
    {
      customer_acceptance: { accepted_at: 1767225600, offline: {}, type: "offline" }
      id: "mandate_…"
      livemode: false
      multi_use: {}
      object: "mandate"
      payment_method: "pm_…"
      payment_method_details: { type: "us_bank_account", us_bank_account: {} }
      status: "active"
      type: "multi_use"
    }
    "#);

    app.run_workers_until_idle().await;
    let account = done.account_of("/payment_method");
    let shown = app.retrieve(&account).await;
    assert_eq!(shown.at("/account_holder"), Value::Null);
    assert_eq!(shown.at("/transaction_refresh/status"), "succeeded");
    assert_eq!(app.subscribe(&account).await.at("/subscriptions/0"), "transactions");

    let second = app.post(SETUP_INTENTS, "payment_method_types[]=us_bank_account").await.ok();
    app.link_carrier(&second.id(), "").await.ok();
    let all = app.get(&format!("{FC}/accounts")).await.ok();
    assert_eq!(all.items("/data").len(), 2);
    assert_eq!(all.at("/data/0/permissions/0"), "payment_method");
    assert_eq!(all.at("/data/0/permissions/1"), Value::Null);
}

/// Two small deposits verify typed numbers. Wrong amounts are counted and reported.
#[tokio::test]
async fn typed_numbers_are_verified_by_deposits() {
    let app = App::start().await;
    let numbers = typed_numbers("000123456789");
    let form = format!("payment_method_types[]=us_bank_account&{numbers}");
    let intent = app.post(SETUP_INTENTS, &form).await.ok();
    insta::assert_snapshot!(intent.shown_at("/next_action"), @r#"
    {
      type: "verify_with_microdeposits"
      verify_with_microdeposits: {
        arrival_date: 1767398400
        hosted_verification_url: "http://127.0.0.1:12111/microdeposits/…"
        microdeposit_type: "amounts"
      }
    }
    "#);
    let path = path_of(&format!("{}/verify_microdeposits", intent.id()));
    insta::assert_snapshot!(app.api_errors(&[
        ("POST", &path, "amounts[]=1&amounts[]=2"),
        ("POST", &path, "descriptor_code=SM00AA"),
        ("POST", &path, "amounts[]=1"),
        ("POST", &path, ""),
        ("POST", &path, "amounts[]=1&amounts[]=2&descriptor_code=SM11AA"),
    ]).await, @"
    POST /v1/setup_intents/seti_…/verify_microdeposits amounts[]=1&amounts[]=2
        400 payment_method_microdeposit_verification_amounts_mismatch: The amounts given are not
          those of the deposits.
    POST /v1/setup_intents/seti_…/verify_microdeposits descriptor_code=SM00AA
        400 payment_method_microdeposit_verification_descriptor_code_mismatch: The code given is not
          that of the deposit.
    POST /v1/setup_intents/seti_…/verify_microdeposits amounts[]=1
        400 - amounts: Give the amounts of both deposits, in cents.
    POST /v1/setup_intents/seti_…/verify_microdeposits
        400 parameter_missing amounts: Missing required parameter: amounts.
    POST /v1/setup_intents/seti_…/verify_microdeposits amounts[]=1&amounts[]=2&
      descriptor_code=SM11AA
        400 parameters_exclusive amounts: You may give only one of these parameters: amounts,
          descriptor_code.
    ");
    let done = app.post(&path, "amounts[]=32&amounts[]=45").await.ok();
    assert_eq!(done.at("/status"), "succeeded");
    assert_eq!(done.at("/payment_method").as_str().map(|text| &text[..3]), Some("pm_"));

    let spoiled = app.post(SETUP_INTENTS, &form).await.ok().id();
    let refused = app.act(&spoiled, "verify_microdeposits", "amounts[]=10&amounts[]=11").await;
    insta::assert_snapshot!(refused.api_error(), @"
    400 payment_method_microdeposit_verification_attempts_exceeded: Too many attempts to verify the
      deposits were wrong.
    ");
    assert_eq!(app.status(&spoiled).await, "requires_payment_method");
    let failing = form.replace("000123456789", "000666666661");
    let failed = app.post(SETUP_INTENTS, &failing).await.ok();
    assert_eq!(failed.at("/last_setup_error/code"), "payment_method_microdeposit_failed");
}

/// The payment method of an account is attached, changed, listed and detached.
#[tokio::test]
async fn payment_methods_live() {
    let (app, customer) = App::with_customer().await;
    let session = app.session(&customer, "&permissions[]=payment_method").await;
    let account = app.link(&session, "").await.text("/accounts/data/0/id");
    let form = format!(
        "type=us_bank_account&us_bank_account[financial_connections_account]={account}\
         &billing_details[name]=Ada&metadata[a]=1"
    );
    let method = app.post("/v1/payment_methods", &form).await.ok().id();
    let given = app.act(&method, "attach", &format!("customer={customer}")).await.ok();
    assert_eq!(given.at("/customer"), customer.as_str());
    let form = "billing_details[email]=a@b.co&metadata[a]=";
    let changed = app.post(&path_of(&method), form).await.ok();
    assert_eq!(changed.at("/billing_details/name"), "Ada");
    assert_eq!(changed.at("/billing_details/email"), "a@b.co");
    for list in [
        format!("/v1/payment_methods?customer={customer}&type=us_bank_account"),
        format!("/v1/customers/{customer}/payment_methods"),
    ] {
        assert_eq!(app.get(&list).await.ok().at("/data/0/id"), method.as_str());
    }
    let one = app.retrieve(&format!("{customer}/payment_methods/{method}")).await;
    assert_eq!(one.at("/id"), method.as_str());
    let taken = app.act(&method, "detach", "").await.ok();
    assert_eq!(taken.at("/customer"), Value::Null);
    insta::assert_snapshot!(app.event_types().await.join("\n"), @"
    customer.created
    financial_connections.account.created
    payment_method.attached
    payment_method.updated
    payment_method.detached
    ");
}

/// A browser with the client secret sees its own intent, and no other object of the merchant.
#[tokio::test]
async fn a_browser_sees_its_own_intent() {
    let app = App::start().await;
    let form = "amount=500&currency=usd&metadata[inner]=secret";
    let intent = app.post(INTENTS, form).await.ok();
    let secret = intent.text("/client_secret");
    let browser = app.with_key("pk_test_123");
    let path = path_of(&intent.id());
    let seen = browser.get(&format!("{path}?client_secret={secret}")).await.ok();
    assert_eq!(seen.at("/status"), "requires_payment_method");
    assert_eq!(seen.at("/metadata"), Value::Null);
    insta::assert_snapshot!(browser.api_errors(&[
        ("GET", &path, ""),
        ("POST", &path, "amount=600"),
        ("GET", "/v1/payment_intents", ""),
    ]).await, @"
    GET /v1/payment_intents/pi_…
        400 parameter_missing client_secret: Missing required parameter: client_secret.
    POST /v1/payment_intents/pi_… amount=600
    GET /v1/payment_intents
        403 secret_key_required: This call needs a secret API key (sk_…). A publishable key (pk_…)
          is for client flows only.
    ");
}
