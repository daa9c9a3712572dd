//! The effects of test accounts and test numbers in payments, on the days of a test clock, and
//! disputes.

use crate::browser::Browser;
use crate::days::Days;
use serde_json::Value;
use std::fmt::Write as _;
use testkit::{ACCEPTED, App, BEGIN_S, DAY_S, INTENTS, ONE_ITEM, Response, path_of, typed_numbers};

/// Accounts of Test (Non-OAuth) that can pay.
const ACCOUNTS: [&str; 11] = [
    "Success",
    "Failure",
    "Account closes after linking",
    "High Balance",
    "Very High Balance",
    "Insufficient Funds",
    "Success (Later Disputed)",
    "Payment Processes Indefinitely",
    "Debit Not Authorized",
    "Weekly Payment Volume Exceeded",
    "Savings",
];
/// Test numbers, with the names that represent them in `pm_usBankAccount_…`. The last has none.
const NUMBERS: [(&str, &str); 13] = [
    ("000123456789", "success"),
    ("000111111113", "accountClosed"),
    ("000111111116", "noAccount"),
    ("000222222227", "insufficientFunds"),
    ("000333333335", "debitNotAuthorized"),
    ("000444444440", "invalidCurrency"),
    ("000666666661", "failMicrodeposits"),
    ("000555555559", "dispute"),
    ("000000000009", "processing"),
    ("000000005126", "refundFail"),
    ("000777777771", "weeklyLimitExceeded"),
    ("000000004954", "riskLevelHighest"),
    ("000888888885", ""),
];

impl Days {
    /// Creates a payment of the customer, with these further parameters.
    async fn payment(&self, more: &str) -> Response {
        let form = format!(
            "amount=2000&currency=usd&customer={}&payment_method_types[]=us_bank_account{more}",
            self.customer
        );
        self.app.post(INTENTS, &form).await.ok()
    }

    async fn linked(&self, account: &str) -> String {
        let intent = self.payment("").await.id();
        let account = format!("accounts[]={}", account.replace(' ', "+"));
        self.app.link_carrier(&intent, &account).await.ok();
        self.app.act(&intent, "confirm", ACCEPTED).await.ok();
        intent
    }

    async fn typed(&self, number: &str) -> String {
        let intent = self.payment(&format!("&{}", typed_numbers(number))).await;
        if intent.at("/status") == "requires_action" {
            let form = "amounts[]=32&amounts[]=45";
            self.app.act(&intent.id(), "verify_microdeposits", form).await.ok();
        }
        intent.id()
    }

    async fn status(&self, intent: &str) -> String {
        let shown = self.app.retrieve(intent).await;
        match shown.at("/last_payment_error/code") {
            Value::String(code) => format!("{} ({code})", shown.text("/status")),
            _ => shown.text("/status"),
        }
    }
}

/// Every test account and test number that Stripe documents has the effect that its name describes.
/// The effect occurs on the fourth day after the confirmation, not earlier.
#[tokio::test]
async fn debits_do_what_their_names_say() {
    let mut days = Days::begin().await;
    let mut payments = Vec::new();
    for account in ACCOUNTS {
        payments.push((account.to_owned(), days.linked(account).await));
    }
    for (number, name) in NUMBERS {
        payments.push((format!("{number} typed"), days.typed(number).await));
        if name.is_empty() {
            continue;
        }
        let form = format!("&confirm=true&{ACCEPTED}&payment_method=pm_usBankAccount_{name}");
        payments.push((format!("pm_usBankAccount_{name}"), days.payment(&form).await.id()));
    }
    let mut lines = vec![String::new(); payments.len()];
    for pass in [0, 3, 1, 30] {
        if pass > 0 {
            days.pass(pass).await;
        }
        for ((_, intent), line) in payments.iter().zip(&mut lines) {
            let status = days.status(intent).await;
            if !line.ends_with(&status) {
                let _ = write!(line, "  {}: {status}", days.passed);
            }
        }
    }
    for ((name, intent), line) in payments.iter().zip(&mut lines) {
        let path = format!("/v1/disputes?payment_intent={intent}");
        for dispute in days.app.get(&path).await.ok().items("/data") {
            let day = (dispute["created"].as_i64().unwrap() - BEGIN_S) / DAY_S;
            let _ = write!(line, "  {day}: disputed");
        }
        *line = format!("{name}\n  {line}");
    }
    insta::assert_snapshot!(lines.join("\n"), @"
    Success
        0: processing  4: succeeded
    Failure
        0: processing  4: requires_payment_method (account_closed)
    Account closes after linking
        0: processing  4: requires_payment_method (account_closed)
    High Balance
        0: processing  4: succeeded
    Very High Balance
        0: processing  4: succeeded
    Insufficient Funds
        0: processing  4: requires_payment_method (insufficient_funds)
    Success (Later Disputed)
        0: processing  4: succeeded  7: disputed
    Payment Processes Indefinitely
        0: processing
    Debit Not Authorized
        0: processing  4: requires_payment_method (debit_not_authorized)
    Weekly Payment Volume Exceeded
        0: processing  4: requires_payment_method (charge_exceeds_source_limit)
    Savings
        0: processing  4: succeeded
    000123456789 typed
        0: processing  4: succeeded
    pm_usBankAccount_success
        0: processing  4: succeeded
    000111111113 typed
        0: processing  4: requires_payment_method (account_closed)
    pm_usBankAccount_accountClosed
        0: processing  4: requires_payment_method (account_closed)
    000111111116 typed
        0: processing  4: requires_payment_method (no_account)
    pm_usBankAccount_noAccount
        0: processing  4: requires_payment_method (no_account)
    000222222227 typed
        0: processing  4: requires_payment_method (insufficient_funds)
    pm_usBankAccount_insufficientFunds
        0: processing  4: requires_payment_method (insufficient_funds)
    000333333335 typed
        0: processing  4: requires_payment_method (debit_not_authorized)
    pm_usBankAccount_debitNotAuthorized
        0: processing  4: requires_payment_method (debit_not_authorized)
    000444444440 typed
        0: processing  4: requires_payment_method (invalid_currency)
    pm_usBankAccount_invalidCurrency
        0: processing  4: requires_payment_method (invalid_currency)
    000666666661 typed
        0: requires_payment_method (payment_method_microdeposit_failed)
    pm_usBankAccount_failMicrodeposits
        0: requires_payment_method (payment_method_microdeposit_failed)
    000555555559 typed
        0: processing  4: succeeded  7: disputed
    pm_usBankAccount_dispute
        0: processing  4: succeeded  7: disputed
    000000000009 typed
        0: processing
    pm_usBankAccount_processing
        0: processing
    000000005126 typed
        0: processing  4: succeeded
    pm_usBankAccount_refundFail
        0: processing  4: succeeded
    000777777771 typed
        0: processing  4: requires_payment_method (charge_exceeds_source_limit)
    pm_usBankAccount_weeklyLimitExceeded
        0: processing  4: requires_payment_method (charge_exceeds_source_limit)
    000000004954 typed
        0: requires_payment_method (payment_intent_payment_attempt_failed)
    pm_usBankAccount_riskLevelHighest
        0: requires_payment_method (payment_intent_payment_attempt_failed)
    000888888885 typed
        0: processing  4: requires_payment_method (tokenized_account_number_deactivated)
    ");
    let events = days.app.get("/v1/events?limit=100&type=payment_intent.payment_failed").await.ok();
    let times = events.items("/data").into_iter().map(|event| event["created"].as_i64().unwrap());
    let times: Vec<i64> = times.map(|time| (time - BEGIN_S) / DAY_S).collect();
    insta::assert_snapshot!(format!("{times:?}"), @"[4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 0, 0, 0, 0]");
}

/// A dispute is opened three days after the debit has succeeded and is lost from the start. The
/// payment does not change.
#[tokio::test]
async fn a_payment_is_disputed_later() {
    let mut days = Days::begin().await;
    let intent = days.linked("Success (Later Disputed)").await;
    let other = days.linked("Success").await;
    days.pass(4).await;
    days.pass(2).await;
    assert_eq!(days.app.count("/v1/disputes").await, 0);
    days.pass(1).await;
    let disputes = days.app.get("/v1/disputes").await.ok();
    assert_eq!(disputes.items("/data").len(), 1);
    assert_eq!(disputes.at("/data/0/payment_intent"), intent.as_str());
    assert_eq!(disputes.at("/data/0/created"), BEGIN_S + 7 * DAY_S);
    assert_eq!(days.status(&intent).await, "succeeded");

    let path = path_of(&disputes.text("/data/0/id"));
    insta::assert_snapshot!(days.app.get(&path).await.shown(), @r#"
    200
    {
      amount: 2000
      balance_transactions: []
      charge: "py_…"
      created: 1767830400
      currency: "usd"
      enhanced_eligibility_types: []
      evidence: {
        enhanced_evidence: {}
        null: access_activity_log, billing_address, cancellation_policy
        null: cancellation_policy_disclosure, cancellation_rebuttal, customer_communication
        null: customer_email_address, customer_name, customer_purchase_ip, customer_signature
        null: duplicate_charge_documentation, duplicate_charge_explanation, duplicate_charge_id
        null: product_description, receipt, refund_policy, refund_policy_disclosure
        null: refund_refusal_explanation, service_date, service_documentation, shipping_address
        null: shipping_carrier, shipping_date, shipping_documentation, shipping_tracking_number
        null: uncategorized_file, uncategorized_text
      }
      evidence_details: {
        enhanced_eligibility: {}
        has_evidence: false
        past_due: false
        submission_count: 0
        null: due_by
      }
      id: "du_…"
      is_charge_refundable: false
      livemode: false
      metadata: {}
      object: "dispute"
      payment_intent: "pi_…"
      reason: "debit_not_authorized"
      status: "lost"
    }
    "#);
    let expanded = days.app.get(&format!("{path}?expand[]=payment_intent.payment_method")).await;
    let method = expanded.ok().text("/payment_intent/payment_method/us_bank_account/bank_name");
    assert_eq!(method, "Test (Non-OAuth)");

    let events = days.app.get("/v1/events?type=charge.dispute.*").await.ok();
    let types: Vec<String> = events
        .items("/data")
        .iter()
        .map(|event| format!("{} {}", event["type"], event["data"]["object"]["status"]))
        .collect();
    insta::assert_snapshot!(types.join("\n"), @r#"
    "charge.dispute.closed" "lost"
    "charge.dispute.created" "lost"
    "#);
    let charge = disputes.text("/data/0/charge");
    let other_charge = days.app.retrieve(&other).await.text("/latest_charge");
    for (filter, count) in [
        (format!("payment_intent={intent}"), 1),
        (format!("payment_intent={other}"), 0),
        (format!("charge={charge}"), 1),
        (format!("charge={charge}&payment_intent={other}"), 0),
        (format!("charge={other_charge}"), 0),
        (format!("created[gte]={}", BEGIN_S + 7 * DAY_S), 1),
        (format!("created[gt]={}", BEGIN_S + 7 * DAY_S), 0),
    ] {
        assert_eq!(days.app.count(&format!("/v1/disputes?{filter}")).await, count, "{filter}");
    }
    insta::assert_snapshot!(
        days.app.api_errors(&[
            ("GET", "/v1/disputes/du_1", ""),
            ("GET", "/v1/disputes?payment_intent=pi_1", ""),
            ("GET", "/v1/disputes?charge=ch_1", ""),
            ("GET", "/v1/disputes?starting_after=du_1", ""),
            ("GET", "/v1/disputes?status=lost", ""),
            ("GET", &format!("{path}?expand[]=evidence"), ""),
        ]).await,
        @"
        GET /v1/disputes/du_1
            404 resource_missing dispute: No such dispute: 'du_1'
        GET /v1/disputes?payment_intent=pi_1
            404 resource_missing payment_intent: No such payment_intent: 'pi_1'
        GET /v1/disputes?charge=ch_1
            404 resource_missing charge: No such charge: 'ch_1'
        GET /v1/disputes?starting_after=du_1
            400 resource_missing starting_after: No such dispute: 'du_1'
        GET /v1/disputes?status=lost
            400 parameter_unknown status: Received unknown parameter: status
        GET /v1/disputes/du_…?expand[]=evidence
            400 - expand: The property 'evidence' cannot be expanded.
        "
    );
    let other_key = days.app.with_key("sk_test_other");
    assert_eq!(other_key.get(&path).await.status, 404);
    assert_eq!(other_key.count("/v1/disputes").await, 0);
}

/// Without a test clock, a debit completes immediately and a dispute is opened immediately.
#[tokio::test]
async fn without_a_clock_nobody_waits() {
    let app = App::start().await;
    let mut seen = Vec::new();
    for name in ["dispute", "noAccount"] {
        let form = format!(
            "amount=2000&currency=usd&confirm=true&{ACCEPTED}\
             &payment_method=pm_usBankAccount_{name}"
        );
        let intent = app.post(INTENTS, &form).await.ok().id();
        app.run_workers_until_idle().await;
        let shown = app.retrieve(&intent).await.facts(&["/status", "/last_payment_error/code"]);
        let disputes = app.count(&format!("/v1/disputes?payment_intent={intent}")).await;
        seen.push(format!("{name}: {shown}, disputes {disputes}"));
    }
    insta::assert_snapshot!(seen.join("\n"), @"
    dispute: succeeded null, disputes 1
    noAccount: requires_payment_method no_account, disputes 0
    ");
}

/// A Checkout Session stays open when the deposits to typed numbers cannot be sent. The holder
/// makes another attempt with the same intent, which is canceled together with the session.
#[tokio::test]
async fn deposits_that_fail_leave_a_checkout_open() {
    let app = App::start().await;
    let mut ends = Vec::new();
    for complete in [true, false] {
        let session = app.checkout(ONE_ITEM).await.id();
        let shown = format!("{session}?expand[]=payment_intent");
        type_numbers(&app, &session, "000666666661").await;
        let failed = app.retrieve(&shown).await;
        assert_eq!(failed.at("/status"), "open");
        assert_eq!(failed.at("/payment_intent/status"), "requires_payment_method");
        let intent = failed.text("/payment_intent/id");
        if complete {
            type_numbers(&app, &session, "000123456789").await;
        } else {
            app.act(&session, "expire", "").await.ok();
        }
        let ended = app.retrieve(&shown).await;
        assert_eq!(ended.at("/payment_intent/id"), intent.as_str());
        ends.push(format!("{} {}", ended.text("/status"), ended.text("/payment_intent/status")));
        if complete {
            app.act(&intent, "verify_microdeposits", "descriptor_code=SM33CC").await;
            let ended = app.retrieve(&shown).await;
            ends.push(format!("{} {}", ended.text("/status"), ended.text("/payment_status")));
        }
    }
    insta::assert_snapshot!(ends.join("\n"), @"
    complete requires_action
    complete unpaid
    expired canceled
    ");
    insta::assert_snapshot!(app.event_types().await.join("\n"), @"
    product.created
    price.created
    payment_intent.created
    payment_intent.payment_failed
    payment_intent.requires_action
    checkout.session.completed
    mandate.updated
    payment_intent.payment_failed
    checkout.session.async_payment_failed
    product.created
    price.created
    payment_intent.created
    payment_intent.payment_failed
    checkout.session.expired
    payment_intent.canceled
    ");
}

/// Completes the link flow of a carrier by typing numbers.
pub(crate) async fn type_numbers(app: &App, carrier: &str, number: &str) {
    let browser = Browser::open_of_id(app, carrier).await;
    browser.step("manual", "").await.ok();
    browser.type_numbers(number, "").await.ok();
}
