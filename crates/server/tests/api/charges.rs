//! Charges: one for each debit of a Payment Intent, with its states, lists and notes.

use serde_json::json;
use testkit::{ACCEPTED, App, BEGIN_S, DAY_S, INTENTS, path_of};

const CHARGES: &str = "/v1/charges";

/// A confirmed payment with these further parameters. Returns its id.
async fn pay(app: &App, name: &str, more: &str) -> String {
    let form = format!(
        "amount=2000&currency=usd&confirm=true&{ACCEPTED}\
         &payment_method=pm_usBankAccount_{name}{more}"
    );
    app.post(INTENTS, &form).await.ok().id()
}

/// A debit has a charge from its start. The charge shows the bank account, the mandate and the notes
/// of the intent. It succeeds together with the intent, and each change has an event.
#[tokio::test]
async fn a_debit_has_a_charge() {
    let (app, customer, clock) = App::on_clock().await;
    let more = format!(
        "&customer={customer}&description=Rocket&metadata[order]=6735&receipt_email=ada@example.com\
         &transfer_group=crew"
    );
    let intent = pay(&app, "success", &more).await;
    let charge = app.retrieve(&intent).await.text("/latest_charge");
    insta::assert_snapshot!(app.get(&path_of(&charge)).await.shown(), @r#"
    200
    {
      amount: 2000
      amount_captured: 2000
      amount_refunded: 0
      billing_details: {
        address: {
          null: city, country, line1, line2, postal_code, state
        }
        null: email, name, phone, tax_id
      }
      captured: true
      created: 1767225600
      currency: "usd"
      customer: "cus_…"
      description: "Rocket"
      disputed: false
      fraud_details: {}
      id: "py_…"
      livemode: false
      metadata: { order: "6735" }
      object: "charge"
      outcome: {
        network_status: "approved_by_network"
        risk_level: "not_assessed"
        seller_message: "Payment complete."
        type: "authorized"
        null: advice_code, network_advice_code, network_decline_code, reason
      }
      paid: false
      payment_intent: "pi_…"
      payment_method: "pm_…"
      payment_method_details: {
        type: "us_bank_account"
        us_bank_account: {
          account_holder_type: "individual"
          account_type: "checking"
          bank_name: "STRIPE TEST BANK"
          fingerprint: "…"
          last4: "6789"
          mandate: "mandate_…"
          routing_number: "110000000"
          null: payment_reference
        }
      }
      radar_options: {}
      receipt_email: "ada@example.com"
      refunded: false
      status: "pending"
      transfer_group: "crew"
      null: application, application_fee, application_fee_amount, balance_transaction
      null: calculated_statement_descriptor, failure_balance_transaction, failure_code
      null: failure_message, on_behalf_of, receipt_number, receipt_url, review, shipping
      null: source_transfer, statement_descriptor, statement_descriptor_suffix, transfer_data
    }
    "#);
    let expanded = app.get(&format!("{}?expand[]=latest_charge", path_of(&intent))).await.ok();
    assert_eq!(expanded.at("/latest_charge"), app.retrieve(&charge).await.json());
    app.advance(&clock, BEGIN_S + 4 * DAY_S).await;
    let facts = ["/status", "/paid", "/captured", "/amount_captured", "/failure_code"];
    assert_eq!(app.retrieve(&charge).await.facts(&facts), "succeeded true true 2000 null");
    let events = app.get("/v1/events?type=charge.*").await.ok();
    assert_eq!(events.texts("/data", "type"), ["charge.succeeded", "charge.pending"]);
    assert_eq!(events.at("/data/0/data/object"), app.retrieve(&charge).await.json());
    assert_eq!(events.at("/data/1/data/object/status"), "pending");
}

/// A debit that fails leaves a failed charge with the error of the intent. The next confirmation has
/// a charge of its own, and the list of the intent shows both. Deposits that fail have no charge.
#[tokio::test]
async fn each_confirmation_has_a_charge() {
    let (app, customer, clock) = App::on_clock().await;
    let intent = pay(&app, "insufficientFunds", &format!("&customer={customer}")).await;
    let first = app.retrieve(&intent).await.text("/latest_charge");
    app.advance(&clock, BEGIN_S + 4 * DAY_S).await;
    let failed = app.retrieve(&first).await;
    let facts = ["/status", "/paid", "/captured", "/amount_captured", "/outcome/type"];
    assert_eq!(failed.facts(&facts), "failed false false 0 issuer_declined");
    let shown = app.retrieve(&intent).await;
    assert_eq!(shown.text("/latest_charge"), first);
    for (of_charge, of_intent) in [("failure_code", "code"), ("failure_message", "message")] {
        let expected = shown.text(&format!("/last_payment_error/{of_intent}"));
        assert_eq!(failed.text(&format!("/{of_charge}")), expected);
    }
    let again = format!("payment_method=pm_usBankAccount_success&{ACCEPTED}");
    app.act(&intent, "confirm", &again).await.ok();
    let second = app.retrieve(&intent).await.text("/latest_charge");
    let listed = app.ids(&format!("{CHARGES}?payment_intent={intent}")).await;
    assert_eq!(listed, [second, first]);
    let unsent = pay(&app, "failMicrodeposits", "").await;
    assert_eq!(app.count(&format!("{CHARGES}?payment_intent={unsent}")).await, 0);
    let types = app.get("/v1/events?type=charge.failed").await.ok();
    assert_eq!(types.items("/data").len(), 1);
}

/// A disputed charge stays paid. The dispute names it, and it can be expanded there.
#[tokio::test]
async fn a_dispute_has_its_charge() {
    let app = App::start().await;
    let intent = pay(&app, "dispute", "").await;
    app.run_workers_until_idle().await;
    let charge = app.retrieve(&intent).await.text("/latest_charge");
    let facts = ["/status", "/paid", "/disputed", "/amount_refunded"];
    assert_eq!(app.retrieve(&charge).await.facts(&facts), "succeeded true true 0");
    let disputes = app.get(&format!("/v1/disputes?charge={charge}&expand[]=data.charge")).await;
    assert_eq!(disputes.ok().text("/data/0/charge/id"), charge);
}

/// A charge takes a description, metadata and other notes, with an event that shows the earlier
/// values. A customer can be set once.
#[tokio::test]
async fn a_charge_takes_notes() {
    let app = App::start().await;
    let intent = pay(&app, "success", "&metadata[a]=b").await;
    let charge = app.retrieve(&intent).await.text("/latest_charge");
    let (ada, bob) = (app.customer().await, app.customer().await);
    let notes = "description=Rocket&metadata[c]=d&receipt_email=ada@example.com\
                 &transfer_group=crew&fraud_details[user_report]=safe&shipping[name]=Ada\
                 &shipping[address][city]=Paris";
    let form = format!("{notes}&customer={ada}");
    let updated = app.post(&path_of(&charge), &form).await.ok();
    assert_eq!(updated.at("/metadata"), json!({"a": "b", "c": "d"}));
    let facts = [
        "/description",
        "/receipt_email",
        "/transfer_group",
        "/fraud_details/user_report",
        "/shipping/address/city",
    ];
    assert_eq!(updated.facts(&facts), "Rocket ada@example.com crew safe Paris");
    assert_eq!(updated.text("/customer"), ada);
    app.post(&path_of(&charge), &form).await.ok();
    let events = app.get("/v1/events?type=charge.updated").await.ok();
    assert_eq!(events.items("/data").len(), 1);
    let previous = events.at("/data/0/data/previous_attributes");
    assert_eq!(previous["metadata"], json!({"c": null}));
    assert_eq!(previous["description"], json!(null));
    assert_eq!(app.retrieve(&intent).await.at("/metadata"), json!({"a": "b"}));
    insta::assert_snapshot!(
        app.api_errors(&[
            ("POST", &path_of(&charge), &format!("customer={bob}")),
            ("POST", &path_of(&charge), "customer=cus_1"),
            ("POST", &path_of(&charge), "receipt_email=ada"),
            ("POST", &path_of(&charge), "amount=1"),
            ("POST", "/v1/charges/py_1", "description=x"),
            ("POST", CHARGES, "amount=2000&currency=usd"),
            ("GET", "/v1/charges/ch_1", ""),
            ("GET", "/v1/charges?payment_intent=pi_1", ""),
            ("GET", "/v1/charges?customer=cus_1", ""),
            ("GET", "/v1/charges?starting_after=py_1", ""),
            ("GET", "/v1/charges?status=failed", ""),
        ]).await,
        @"
        POST /v1/charges/py_… customer=cus_…
            400 - customer: The charge has a customer already, which cannot be replaced.
        POST /v1/charges/py_… customer=cus_1
            404 resource_missing customer: No such customer: 'cus_1'
        POST /v1/charges/py_… receipt_email=ada
            400 email_invalid receipt_email: Invalid email address: ada
        POST /v1/charges/py_… amount=1
            400 parameter_unknown amount: Received unknown parameter: amount
        POST /v1/charges/py_1 description=x
            404 resource_missing charge: No such charge: 'py_1'
        POST /v1/charges amount=2000&currency=usd
            405: /v1/charges does not accept POST requests.
        GET /v1/charges/ch_1
            404 resource_missing charge: No such charge: 'ch_1'
        GET /v1/charges?payment_intent=pi_1
            404 resource_missing payment_intent: No such payment_intent: 'pi_1'
        GET /v1/charges?customer=cus_1
            404 resource_missing customer: No such customer: 'cus_1'
        GET /v1/charges?starting_after=py_1
            400 resource_missing starting_after: No such charge: 'py_1'
        GET /v1/charges?status=failed
            400 parameter_unknown status: Received unknown parameter: status
        "
    );
    let other_key = app.with_key("sk_test_other");
    assert_eq!(other_key.get(&path_of(&charge)).await.status, 404);
    assert_eq!(other_key.count(CHARGES).await, 0);
}
