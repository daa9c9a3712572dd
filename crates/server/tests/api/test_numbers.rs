//! The test account numbers of Stripe's guide for ACH debits, and the deposits that verify them.

use std::fmt::Write as _;
use testkit::{ACCEPTED, App, BEGIN_S, DAY_S, INTENTS, SETUP_INTENTS, typed_numbers};

/// Test mode accepts the documented account numbers only. The error lists them (our decision).
#[tokio::test]
async fn other_numbers_are_rejected() {
    let (app, customer) = App::with_customer().await;
    let method = "type=us_bank_account&billing_details[name]=Ada\
         &us_bank_account[account_holder_type]=individual\
         &us_bank_account[routing_number]=110000000&us_bank_account[account_number]=";
    let typed =
        format!("amount=99&currency=usd&customer={customer}&{}", typed_numbers("000123456780"));
    insta::assert_snapshot!(app.api_errors(&[
        ("POST", "/v1/payment_methods", &format!("{method}000123456780")),
        ("POST", INTENTS, &typed),
    ]).await, @"
    POST /v1/payment_methods type=us_bank_account&billing_details[name]=Ada&
      us_bank_account[account_holder_type]=individual&us_bank_account[routing_number]=110000000&
      us_bank_account[account_number]=000123456780
        400 account_number_invalid us_bank_account[account_number]: Test mode accepts only the test
          account numbers, with the routing number 110000000: 000123456789 (payments succeed),
          000111111113 (the account is closed), 000111111116 (no such account), 000222222227
          (insufficient funds), 000333333335 (the debit is not authorized), 000444444440 (the
          currency is wrong), 000666666661 (the microdeposits cannot be sent), 000555555559
          (payments are disputed later), 000000000009 (payments never end), 000000005126 (payments
          succeed, and refunds fail), 000777777771 (payments exceed the weekly limit), 000000004954
          (payments are blocked as too risky), 000888888885 (the tokenized number is deactivated).
    POST /v1/payment_intents amount=99&currency=usd&customer=cus_…&confirm=true&
      mandate_data[customer_acceptance][type]=offline&payment_method_data[type]=us_bank_account&
      payment_method_data[billing_details][name]=Ada&…[account_holder_type]=individual&
      …[routing_number]=110000000&…[account_number]=000123456780
        400 account_number_invalid payment_method_data[us_bank_account][account_number]: Test mode
          accepts only the test account numbers, with the routing number 110000000: 000123456789
          (payments succeed), 000111111113 (the account is closed), 000111111116 (no such account),
          000222222227 (insufficient funds), 000333333335 (the debit is not authorized),
          000444444440 (the currency is wrong), 000666666661 (the microdeposits cannot be sent),
          000555555559 (payments are disputed later), 000000000009 (payments never end),
          000000005126 (payments succeed, and refunds fail), 000777777771 (payments exceed the
          weekly limit), 000000004954 (payments are blocked as too risky), 000888888885 (the
          tokenized number is deactivated).
    ");
    for number in ["000777777771", "000888888885", "000000004954"] {
        app.post("/v1/payment_methods", &format!("{method}{number}")).await.ok();
    }
}

/// A payment of the highest risk is blocked at its confirmation. The charge shows the `outcome` that
/// Stripe's reference of charges names. A Setup Intent debits no money and succeeds.
#[tokio::test]
async fn the_highest_risk_is_blocked() {
    let app = App::start().await;
    let method = "payment_method=pm_usBankAccount_riskLevelHighest&confirm=true";
    app.post(SETUP_INTENTS, &format!("{method}&{ACCEPTED}")).await.ok();
    let form = format!("amount=99&currency=usd&{method}&{ACCEPTED}&expand[]=latest_charge");
    let blocked = app.post(INTENTS, &form).await.ok();
    let error = ["/code", "/type", "/message", "/charge"];
    let error = error.map(|key| blocked.text(&format!("/last_payment_error{key}")));
    assert_eq!(error[3], blocked.text("/latest_charge/id"));
    let outcome = ["/network_status", "/reason", "/risk_level", "/type"];
    let outcome = outcome.map(|key| blocked.text(&format!("/latest_charge/outcome{key}")));
    let shown = [
        blocked.facts(&["/status", "/latest_charge/status"]),
        error[..3].join(" "),
        outcome.join(" "),
    ];
    insta::assert_snapshot!(shown.join("\n"), @"
    requires_payment_method failed
    payment_intent_payment_attempt_failed invalid_request_error The payment was blocked as too risky.
    not_sent_to_network highest_risk_level highest blocked
    ");
    insta::assert_snapshot!(app.event_types().await.join("\n"), @"
    setup_intent.created
    setup_intent.succeeded
    payment_intent.created
    charge.failed
    payment_intent.payment_failed
    ");
}

/// A debit that is processing can be canceled, also one of the number that Stripe documents as useful
/// for this. Its charge has failed.
#[tokio::test]
async fn a_processing_debit_is_canceled() {
    let (app, customer, clock) = App::on_clock().await;
    let mut seen = String::new();
    for name in ["processing", "success"] {
        let form = format!(
            "amount=99&currency=usd&customer={customer}&confirm=true&{ACCEPTED}\
             &payment_method=pm_usBankAccount_{name}"
        );
        let id = app.post(INTENTS, &form).await.ok().id();
        app.act(&id, "cancel", "cancellation_reason=requested_by_customer").await.ok();
        app.advance(&clock, BEGIN_S + if name == "processing" { 20 } else { 40 } * DAY_S).await;
        let shown = app.retrieve(&format!("{id}?expand[]=latest_charge")).await;
        let facts = ["/status", "/cancellation_reason", "/latest_charge/status"];
        let _ = writeln!(seen, "{name}: {}", shown.facts(&facts));
        assert_eq!(app.act(&id, "cancel", "").await.status, 400);
    }
    insta::assert_snapshot!(seen, @"
    processing: canceled requested_by_customer failed
    success: canceled requested_by_customer failed
    ");
    assert_eq!(app.count("/v1/events?type=payment_intent.canceled").await, 2);
    assert_eq!(app.count("/v1/events?type=charge.failed").await, 2);
}

/// Three wrong amounts or ten wrong codes end the attempt (Stripe's guide for ACH debits, "Verify
/// bank accounts with microdeposits").
#[tokio::test]
async fn wrong_attempts_are_counted() {
    let app = App::start().await;
    let mut seen = Vec::new();
    for (path, account_type, wrong) in [
        (INTENTS, "checking", "amounts[]=1&amounts[]=2"),
        (SETUP_INTENTS, "checking", "amounts[]=1&amounts[]=2"),
        (INTENTS, "savings", "descriptor_code=SM22BB"),
        (SETUP_INTENTS, "savings", "descriptor_code=SM22BB"),
    ] {
        let amount = if path == INTENTS { "amount=99&currency=usd&" } else { "" };
        let kind = format!("payment_method_data[us_bank_account][account_type]={account_type}");
        let form = format!("{amount}{}&{kind}", typed_numbers("000123456789"));
        let id = app.post(path, &form).await.ok().id();
        let mut codes: Vec<String> = Vec::new();
        while app.status(&id).await == "requires_action" {
            let refused = app.act(&id, "verify_microdeposits", wrong).await;
            codes.push(refused.text("/error/code"));
        }
        let count = codes.len();
        codes.dedup();
        let shown = app.retrieve(&id).await;
        let error =
            if path == INTENTS { "/last_payment_error/code" } else { "/last_setup_error/code" };
        assert_eq!(&shown.text(error), codes.last().unwrap());
        seen.push(format!("{count}: {}, {}", codes.join(" "), shown.text("/status")));
    }
    insta::assert_snapshot!(seen.join("\n"), @"
    3: payment_method_microdeposit_verification_amounts_mismatch payment_method_microdeposit_verification_attempts_exceeded, requires_payment_method
    3: payment_method_microdeposit_verification_amounts_mismatch payment_method_microdeposit_verification_attempts_exceeded, requires_payment_method
    10: payment_method_microdeposit_verification_descriptor_code_mismatch payment_method_microdeposit_verification_attempts_exceeded, requires_payment_method
    10: payment_method_microdeposit_verification_descriptor_code_mismatch payment_method_microdeposit_verification_attempts_exceeded, requires_payment_method
    ");
}

/// Deposits that are not verified time out ten days after their arrival, without a call (Stripe's
/// guide for ACH debits). The intent needs another payment method.
#[tokio::test]
async fn deposits_time_out() {
    let (app, customer, clock) = App::on_clock().await;
    let typed = format!("customer={customer}&{}", typed_numbers("000123456789"));
    let payment = app.post(INTENTS, &format!("amount=99&currency=usd&{typed}")).await.ok().id();
    let setup = app.post(SETUP_INTENTS, &typed).await.ok().id();
    let mut seen = String::new();
    for to_s in [12 * DAY_S - 1, 12 * DAY_S] {
        app.advance(&clock, BEGIN_S + to_s).await;
        for id in [&payment, &setup] {
            let shown = app.retrieve(id).await;
            let errors = ["/last_payment_error/code", "/last_setup_error/code"];
            let error = errors.iter().find_map(|path| shown.at(path).as_str().map(str::to_owned));
            let _ = writeln!(seen, "{} {}", shown.text("/status"), error.unwrap_or_default());
        }
    }
    insta::assert_snapshot!(seen, @"
    requires_action 
    requires_action 
    requires_payment_method payment_method_microdeposit_verification_timeout
    requires_payment_method payment_method_microdeposit_verification_timeout
    ");
    let events = app
        .get("/v1/events?types[]=payment_intent.payment_failed&types[]=setup_intent.setup_failed")
        .await
        .ok();
    let times: Vec<i64> =
        events.items("/data").iter().map(|event| event["created"].as_i64().unwrap()).collect();
    assert_eq!(times, [BEGIN_S + 12 * DAY_S; 2]);
}
