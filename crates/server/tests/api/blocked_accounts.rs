//! Bank accounts that are blocked after a debit that their bank returned (Stripe's guide "Blocked bank
//! accounts", and its type of `status_details`).

use std::fmt::Write as _;
use testkit::{ACCEPTED, App, INTENTS, SETUP_INTENTS, path_of};

/// A failed debit blocks the payment method with the ACH code of the return. A low balance, an
/// exceeded limit, a wrong currency and a dispute do not.
#[tokio::test]
async fn a_returned_debit_blocks_the_account() {
    let (app, customer) = App::with_customer().await;
    let mut seen = String::new();
    for name in [
        "success",
        "accountClosed",
        "noAccount",
        "debitNotAuthorized",
        "insufficientFunds",
        "weeklyLimitExceeded",
        "invalidCurrency",
        "dispute",
    ] {
        let form = format!(
            "amount=99&currency=usd&customer={customer}&confirm=true&{ACCEPTED}\
             &payment_method=pm_usBankAccount_{name}&setup_future_usage=off_session"
        );
        let method = app.post(INTENTS, &form).await.ok().text("/payment_method");
        app.run_workers_until_idle().await;
        let details = app.retrieve(&method).await.at("/us_bank_account/status_details");
        let _ = writeln!(seen, "{name}: {details}");
    }
    insta::assert_snapshot!(seen, @r#"
    success: {}
    accountClosed: {"blocked":{"network_code":"R02","reason":"bank_account_closed"}}
    noAccount: {"blocked":{"network_code":"R03","reason":"bank_account_invalid_details"}}
    debitNotAuthorized: {"blocked":{"network_code":"R10","reason":"debit_not_authorized"}}
    insufficientFunds: {}
    weeklyLimitExceeded: {}
    invalidCurrency: {}
    dispute: {}
    "#);
    // The block is no update by a call (our decision).
    assert_eq!(app.count("/v1/events?type=payment_method.updated").await, 0);
}

/// A company's bank returns an unauthorized debit with a code of its own. A deactivated token has
/// none.
#[tokio::test]
async fn the_code_depends_on_the_holder() {
    let app = App::start().await;
    let mut seen = String::new();
    for (number, holder) in
        [("000333333335", "company"), ("000333333335", "individual"), ("000888888885", "company")]
    {
        let typed = testkit::typed_numbers(number).replace("=individual", &format!("={holder}"));
        let form = format!("amount=99&currency=usd&{typed}");
        let intent = app.post(INTENTS, &form).await.ok();
        let verify = "amounts[]=32&amounts[]=45";
        app.act(&intent.id(), "verify_microdeposits", verify).await.ok();
        app.run_workers_until_idle().await;
        let failed = app.retrieve(&intent.id()).await;
        let details = "/last_payment_error/payment_method/us_bank_account/status_details/blocked";
        let _ = writeln!(seen, "{number} {holder}: {}", failed.at(details));
    }
    insta::assert_snapshot!(seen, @r#"
    000333333335 company: {"network_code":"R29","reason":"debit_not_authorized"}
    000333333335 individual: {"network_code":"R10","reason":"debit_not_authorized"}
    000888888885 company: {"network_code":null,"reason":"tokenized_account_number_deactivated"}
    "#);
}

/// The next confirmation with a blocked payment method fails before the bank sees it. Another payment
/// method of the same test number is not blocked, so that a test can be repeated (our decisions).
#[tokio::test]
async fn a_blocked_account_is_not_debited() {
    let (app, customer) = App::with_customer().await;
    let pay = format!("amount=99&currency=usd&customer={customer}&confirm=true");
    let first = format!(
        "{pay}&{ACCEPTED}&payment_method=pm_usBankAccount_accountClosed\
         &setup_future_usage=off_session"
    );
    let method = app.post(INTENTS, &first).await.ok().text("/payment_method");
    app.run_workers_until_idle().await;
    let events = app.event_types().await.len();
    let again = format!("{pay}&payment_method={method}&expand[]=latest_charge");
    let again = app.post(INTENTS, &again).await.ok();
    let setup = format!("customer={customer}&confirm=true&payment_method={method}");
    let setup = app.post(SETUP_INTENTS, &setup).await.ok();
    let shown = [
        again.facts(&["/status", "/last_payment_error/code", "/latest_charge/failure_code"]),
        again.facts(&[
            "/latest_charge/outcome/network_status",
            "/latest_charge/outcome/reason",
            "/latest_charge/outcome/type",
        ]),
        setup.facts(&["/status", "/last_setup_error/code"]),
        app.event_types().await[events..].join(" "),
    ];
    insta::assert_snapshot!(shown.join("\n"), @"
    requires_payment_method payment_method_bank_account_blocked payment_method_bank_account_blocked
    not_sent_to_network payment_method_bank_account_blocked blocked
    requires_payment_method payment_method_bank_account_blocked
    payment_intent.created charge.failed payment_intent.payment_failed setup_intent.created setup_intent.setup_failed
    ");
    let other = app.post(INTENTS, &first).await.ok();
    assert_eq!(other.at("/status"), "processing");
    let changed = app.post(&path_of(&method), "metadata[a]=1").await.ok();
    assert_eq!(changed.at("/us_bank_account/status_details/blocked/reason"), "bank_account_closed");
}
