//! Payments by tokenized account numbers, which expire.

use testkit::{App, BEGIN_S, DAY_S};

/// An account whose number has expired cannot be linked where one must pay.
#[tokio::test]
async fn an_expired_number_cannot_pay() {
    let (app, customer) = App::with_customer().await;
    let payment = format!("amount=1000&currency=usd&customer={customer}");
    let intent = app.post("/v1/payment_intents", &payment).await.ok().id();
    let more = "institution=Tokenized Account Number&accounts[]=Expired Tokenized Account Number";
    let rejected = app.link_carrier(&intent, more).await;
    // Elsewhere it can be linked, and no expiry is announced for it.
    let session = app.session(&customer, "permissions[]=payment_method").await;
    app.link(&session, more).await;
    let upcoming = "financial_connections.account.upcoming_account_number_expiry";
    assert!(!app.event_types().await.contains(&upcoming.to_owned()));
    assert_eq!((rejected.status, rejected.text("/error/param")), (400, "accounts[0]".to_owned()));
}

/// A payment method pays until its token expires, or until a later link replaces the token. The code of
/// the failure is that of Stripe's test number 000888888885.
#[tokio::test]
async fn a_token_that_expired_pays_no_more() {
    let (app, customer, clock) = App::on_clock().await;
    let session = app.session(&customer, "permissions[]=payment_method").await;
    let more = "institution=Tokenized Account Number\
                &accounts[]=Immediately Expiring Tokenized Account Number";
    let account = app.link(&session, more).await.text("/accounts/data/0/id");
    let method = format!(
        "type=us_bank_account&billing_details[name]=Ada\
         &us_bank_account[financial_connections_account]={account}"
    );
    let method = app.post("/v1/payment_methods", &method).await.ok().id();
    let attach = format!("/v1/payment_methods/{method}/attach");
    app.post(&attach, &format!("customer={customer}")).await.ok();
    let payment = format!(
        "amount=1000&currency=usd&customer={customer}&payment_method={method}&confirm=true\
         &payment_method_types[]=us_bank_account&mandate_data[customer_acceptance][type]=offline"
    );
    let intent = app.post("/v1/payment_intents", &payment).await.ok();
    assert_eq!(intent.text("/status"), "processing");
    app.advance(&clock, BEGIN_S + 10 * DAY_S).await;
    let intent = app.get(&format!("/v1/payment_intents/{}", intent.id())).await.ok();
    let code = "tokenized_account_number_deactivated";
    assert_eq!(intent.text("/status"), "requires_payment_method");
    assert_eq!(intent.text("/last_payment_error/code"), code);
}
