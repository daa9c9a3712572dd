//! Collections of Stripe that have no objects here, plans, and the balance. Programs that read a
//! whole account stop at the first collection that is unknown: dj-stripe 2.11.0, airbyte-source-stripe
//! 5.14.1, beangulp-stripe 0.3.0.

use serde_json::json;
use testkit::{App, SETUP_INTENTS};

/// The collections, with a filter that each takes.
const LISTS: [(&str, &str); 12] = [
    ("/v1/balance_transactions", "created[gte]=1&payout=po_1&type=charge"),
    ("/v1/coupons", "created[lt]=5"),
    ("/v1/credit_notes", "invoice=in_1"),
    ("/v1/files", "purpose=dispute_evidence"),
    ("/v1/payouts", "arrival_date=5&status=paid"),
    ("/v1/promotion_codes", "active=true&code=X"),
    ("/v1/radar/early_fraud_warnings", "charge=ch_1"),
    ("/v1/subscription_schedules", "scheduled=true&released_at[gt]=1"),
    ("/v1/tax_ids", "owner[type]=self"),
    ("/v1/tax_rates", "inclusive=false"),
    ("/v1/transfers", "transfer_group=x"),
    ("/v1/setup_attempts", "created=1"),
];

/// Every collection is an empty list at its own address, takes the parameters of Stripe's
/// description (OpenAPI document of 2026-05-27.dahlia), and rejects others.
#[tokio::test]
async fn collections_without_objects_are_empty() {
    let app = App::start().await;
    let customer = app.customer().await;
    let product = app.post("/v1/products", "name=Tea").await.ok().id();
    let account = app.post("/v1/accounts", "type=custom&country=US").await.ok().id();
    let own = app.get("/v1/account").await.ok().id();
    let intent = app.post(SETUP_INTENTS, "").await.ok().id();
    let of_objects = [
        (format!("/v1/customers/{customer}/sources"), "object=card"),
        (format!("/v1/customers/{customer}/tax_ids"), ""),
        (format!("/v1/products/{product}/features"), ""),
        (format!("/v1/accounts/{account}/persons"), "relationship[owner]=true"),
        (format!("/v1/accounts/{own}/persons"), ""),
    ];
    let lists = LISTS.map(|(path, query)| (path.to_owned(), query));
    for (path, query) in lists.into_iter().chain(of_objects) {
        let needed = if path.ends_with("setup_attempts") {
            format!("?setup_intent={intent}")
        } else {
            "?limit=100".to_owned()
        };
        let list = app.get(&format!("{path}{needed}&{query}")).await.ok();
        let empty = json!({"object": "list", "data": [], "has_more": false, "url": path});
        assert_eq!(list.json(), empty);
        let unknown = app.get(&format!("{path}{needed}&colour=red")).await;
        assert_eq!(unknown.status, 400, "{path}");
        assert_eq!(unknown.at("/error/param"), "colour", "{path}");
        let cursor = app.get(&format!("{path}{needed}&starting_after=x")).await;
        assert_eq!(cursor.at("/error/code"), "resource_missing", "{path}");
        assert_eq!((cursor.status, cursor.at("/error/param")), (400, json!("starting_after")));
        if !path.ends_with("setup_attempts") {
            let one = app.get(&format!("{path}/x_1")).await;
            assert_eq!((one.status, one.at("/error/code")), (404, json!("resource_missing")));
        }
        assert_eq!(app.post(&path, "").await.status, 405, "{path}");
    }
}

/// A list of an object that does not exist is 404, and a wrong value of a filter is 400.
#[tokio::test]
async fn what_empty_lists_reject() {
    let app = App::start().await;
    insta::assert_snapshot!(app.api_errors(&[
        ("GET", "/v1/customers/cus_1/sources", ""),
        ("GET", "/v1/customers/cus_1/tax_ids", ""),
        ("GET", "/v1/products/x/features", ""),
        ("GET", "/v1/accounts/acct_x/persons", ""),
        ("GET", "/v1/setup_attempts", ""),
        ("GET", "/v1/setup_attempts?setup_intent=seti_1", ""),
        ("GET", "/v1/files?purpose=x", ""),
        ("GET", "/v1/tax_ids?owner[colour]=red", ""),
        ("GET", "/v1/payouts?created=x", ""),
        ("GET", "/v1/payouts/po_1", ""),
        ("GET", "/v1/balance_transactions/txn_1", ""),
        ("GET", "/v1/plans/price_1", ""),
    ]).await, @"
    GET /v1/customers/cus_1/sources
    GET /v1/customers/cus_1/tax_ids
        404 resource_missing customer: No such customer: 'cus_1'
    GET /v1/products/x/features
        404 resource_missing product: No such product: 'x'
    GET /v1/accounts/acct_x/persons
        403 account_invalid: The API key has no access to the account 'acct_x': there is no such
          account, or it is no longer connected to yours.
    GET /v1/setup_attempts
        400 parameter_missing setup_intent: Missing required parameter: setup_intent.
    GET /v1/setup_attempts?setup_intent=seti_1
        404 resource_missing setup_intent: No such setup_intent: 'seti_1'
    GET /v1/files?purpose=x
        400 - purpose: Invalid purpose: must be one of account_requirement, additional_verification,
          business_icon, business_logo, customer_signature, dispute_evidence,
          document_provider_identity_document, finance_report_run, financial_account_statement,
          identity_document, identity_document_downloadable, issuing_regulatory_reporting,
          pci_document, platform_terms_of_service, selfie, sigma_scheduled_query,
          tax_document_user_upload, terminal_android_apk, terminal_reader_splashscreen,
          terminal_wifi_certificate, or terminal_wifi_private_key
    GET /v1/tax_ids?owner[colour]=red
        400 parameter_unknown owner[colour]: Received unknown parameter: owner[colour]
    GET /v1/payouts?created=x
        400 parameter_invalid_integer created: Invalid integer: x
    GET /v1/payouts/po_1
        404 resource_missing payout: No such payout: 'po_1'
    GET /v1/balance_transactions/txn_1
        404 resource_missing id: No such balance_transaction: 'txn_1'
    GET /v1/plans/price_1
        404 resource_missing plan: No such plan: 'price_1'
    ");
}

/// Recurring prices are listed as plans, which are their older form at Stripe.
#[tokio::test]
async fn plans_are_recurring_prices() {
    let app = App::with_gold().await;
    app.price(500, "").await;
    let monthly = app.price(1_000, "recurring[interval]=month").await;
    let yearly = app.price(9_000, "recurring[interval]=year&active=false").await;
    assert_eq!(app.ids("/v1/plans").await, [yearly, monthly.clone()]);
    assert_eq!(app.ids("/v1/plans?active=true&product=gold").await, [monthly.as_str()]);
    let plan = app.get(&format!("/v1/plans/{monthly}?expand[]=product")).await.ok();
    assert_eq!(plan.at("/object"), "plan");
    assert_eq!((plan.at("/amount"), plan.at("/interval")), (json!(1_000), json!("month")));
    assert_eq!(plan.at("/product/name"), "Gold");
}

/// The balance is zero in usd. Its keys are those that Stripe declares as required.
#[tokio::test]
async fn the_balance_is_zero() {
    let app = App::start().await;
    let nothing = json!([{"amount": 0, "currency": "usd", "source_types": {"bank_account": 0}}]);
    let balance = json!({
        "object": "balance", "available": nothing, "livemode": false, "pending": nothing,
    });
    assert_eq!(app.get("/v1/balance").await.ok().json(), balance);
}

/// Payment methods of other known types are an empty list. An unknown type is rejected with the
/// accepted words (Stripe's guide to the list of payment methods).
#[tokio::test]
async fn payment_methods_of_other_types() {
    let app = App::start().await;
    let customer = app.customer().await;
    app.pays_by(&customer, "success").await;
    let of_customer = format!("/v1/customers/{customer}/payment_methods");
    for path in [of_customer, format!("/v1/payment_methods?customer={customer}")] {
        let and = if path.contains('?') { '&' } else { '?' };
        assert_eq!(app.ids(&format!("{path}{and}type=us_bank_account")).await.len(), 1);
        let cards = app.get(&format!("{path}{and}type=card")).await.ok();
        assert_eq!((cards.at("/data"), cards.at("/has_more")), (json!([]), json!(false)));
        let unknown = app.get(&format!("{path}{and}type=cheque")).await;
        assert_eq!((unknown.status, unknown.at("/error/param")), (400, json!("type")));
        assert!(unknown.text("/error/message").contains("us_bank_account"));
    }
}
