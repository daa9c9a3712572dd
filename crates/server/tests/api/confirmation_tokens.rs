//! Confirmation tokens, as Stripe's reference describes them (`api/confirmation_tokens`).

use testkit::{App, Response};

const TOKENS: &str = "/v1/test_helpers/confirmation_tokens";
const INTENTS: &str = "/v1/payment_intents";
const SUCCESS: &str = "payment_method=pm_usBankAccount_success";
const PAYMENT: &str = "amount=2000&currency=usd&confirm=true";
const DATA: &str = "payment_method_data[type]=us_bank_account\
    &payment_method_data[billing_details][name]=Ada\
    &payment_method_data[us_bank_account][account_holder_type]=individual\
    &payment_method_data[us_bank_account][routing_number]=110000000\
    &payment_method_data[us_bank_account][account_number]=000123456789";

async fn token(app: &App, form: &str) -> Response {
    app.post(TOKENS, form).await.ok()
}

/// A token shows a preview of its payment method, which is not stored, and the time of its expiry
/// after twelve hours.
#[tokio::test]
async fn a_token_shows_its_data() {
    let app = App::start().await;
    let form = format!(
        "{DATA}&return_url=https://shop.example/done&setup_future_usage=off_session\
         &shipping[name]=Ada&shipping[address][line1]=1 Main St"
    );
    let token = token(&app, &form).await;
    assert!(token.id().starts_with("ctoken_"), "{}", token.body);
    let expires_at = token.at("/expires_at").as_i64().unwrap();
    assert_eq!(expires_at - token.at("/created").as_i64().unwrap(), 12 * 60 * 60);
    for (pointer, expected) in [
        ("/object", r#""confirmation_token""#),
        ("/livemode", "false"),
        ("/mandate_data/customer_acceptance/type", r#""online""#),
        ("/payment_intent", "null"),
        ("/setup_intent", "null"),
        ("/payment_method_options", "null"),
        ("/payment_method_preview/type", r#""us_bank_account""#),
        ("/payment_method_preview/billing_details/name", r#""Ada""#),
        ("/payment_method_preview/us_bank_account/last4", r#""6789""#),
        ("/payment_method_preview/customer", "null"),
        ("/return_url", r#""https://shop.example/done""#),
        ("/setup_future_usage", r#""off_session""#),
        ("/shipping/address/line1", r#""1 Main St""#),
        ("/shipping/address/line2", "null"),
        ("/use_stripe_sdk", "true"),
    ] {
        assert_eq!(token.at(pointer).to_string(), expected, "{pointer}");
    }
    assert!(token.at("/payment_method_preview/id").is_null(), "a preview has no id");
    assert_eq!(app.count("/v1/payment_methods").await, 0);
    let read = app.get(&format!("/v1/confirmation_tokens/{}", token.id())).await.ok();
    assert_eq!(read.json(), token.json());
}

/// A token confirms one intent, at its creation or later. Its payment method, mandate, return URL
/// and shipping apply, except where the request has values of its own.
#[tokio::test]
async fn a_token_confirms_one_intent() {
    let app = App::start().await;
    let form =
        format!("{SUCCESS}&return_url=https://shop.example/a&setup_future_usage=off_session");
    let first = token(&app, &form).await.id();
    let intent = app.post(INTENTS, &format!("{PAYMENT}&confirmation_token={first}")).await.ok();
    assert_eq!(intent.at("/status"), "processing");
    assert_eq!(intent.at("/setup_future_usage"), "off_session");
    let method = intent.text("/payment_method");
    app.get(&format!("/v1/payment_methods/{method}")).await.ok();
    let used = app.get(&format!("/v1/confirmation_tokens/{first}")).await.ok();
    assert_eq!(used.at("/payment_intent"), intent.id());
    let again = app.post(INTENTS, &format!("{PAYMENT}&confirmation_token={first}")).await;
    assert_eq!(again.status, 400);
    assert_eq!(again.at("/error/param"), "confirmation_token");
    assert!(again.text("/error/message").contains("was used to confirm"), "{}", again.body);
    assert_eq!(app.count(INTENTS).await, 1);

    let second = token(&app, SUCCESS).await.id();
    let later = app.post(INTENTS, "amount=2000&currency=usd").await.ok().id();
    let confirm = format!("{INTENTS}/{later}/confirm");
    let own = "payment_method=pm_usBankAccount_processing&return_url=https://shop.example/own";
    let form = format!("confirmation_token={second}&{own}");
    let confirmed = app.post(&confirm, &form).await.ok();
    assert_eq!(confirmed.at("/status"), "processing");
    app.run_workers_until_idle().await;
    let shown = app.get(&format!("{INTENTS}/{later}")).await.ok();
    assert_eq!(shown.at("/status"), "processing", "the request's own payment method is debited");

    let third = token(&app, SUCCESS).await.id();
    let form = format!("confirm=true&confirmation_token={third}");
    let setup = app.post("/v1/setup_intents", &form).await.ok();
    assert_eq!(setup.at("/status"), "succeeded");
    let used = app.get(&format!("/v1/confirmation_tokens/{third}")).await.ok();
    assert_eq!(used.at("/setup_intent"), setup.id());
}

/// A token expires after twelve hours. A failed confirmation does not use it up.
#[tokio::test]
async fn a_token_expires() {
    let app = App::start().await;
    let id = token(&app, SUCCESS).await.id();
    let form = format!("{PAYMENT}&confirmation_token={id}");
    let refused = app.post(INTENTS, &format!("{form}&customer=cus_1")).await;
    assert_eq!(refused.status, 404);
    app.pass_s(12 * 60 * 60);
    let late = app.post(INTENTS, &form).await;
    let message = late.text("/error/message");
    assert!(message.contains("expired 12 hours after its creation"), "{message}");
    let id = token(&app, SUCCESS).await.id();
    app.pass_s(12 * 60 * 60 - 1);
    app.post(INTENTS, &format!("{PAYMENT}&confirmation_token={id}")).await.ok();
}

/// Wrong params are rejected with their names. Both forms of a payment method exclude each other.
#[tokio::test]
async fn wrong_tokens_are_rejected() {
    let app = App::start().await;
    let both = format!("{SUCCESS}&{DATA}");
    let told = app
        .api_errors(&[
            ("POST", TOKENS, ""),
            ("POST", TOKENS, "payment_method=pm_1"),
            ("POST", INTENTS, "amount=2000&currency=usd&confirmation_token=ctoken_1"),
            ("POST", INTENTS, "amount=2000&currency=usd&confirm=true&confirmation_token=ctoken_1"),
            ("GET", "/v1/confirmation_tokens/ctoken_1", ""),
        ])
        .await;
    insta::assert_snapshot!(told, @"
    POST /v1/test_helpers/confirmation_tokens
        400 parameter_missing payment_method: Missing required parameter: payment_method.
    POST /v1/test_helpers/confirmation_tokens payment_method=pm_1
        404 resource_missing payment_method: No such PaymentMethod: 'pm_1'
    POST /v1/payment_intents amount=2000&currency=usd&confirmation_token=ctoken_1
        400 - confirmation_token: confirmation_token may be given only together with confirm=true.
    POST /v1/payment_intents amount=2000&currency=usd&confirm=true&confirmation_token=ctoken_1
    GET /v1/confirmation_tokens/ctoken_1
        404 resource_missing confirmation_token: No such confirmation_token: 'ctoken_1'
    ");
    assert_eq!(app.post(TOKENS, &both).await.status, 400);
}

/// A browser makes a token with a publishable key, and cannot read it.
#[tokio::test]
async fn a_browser_makes_a_token() {
    let app = App::start().await;
    let browser = app.with_key("pk_test_123");
    let token = browser.post(TOKENS, DATA).await.ok();
    let path = format!("/v1/confirmation_tokens/{}", token.id());
    assert_eq!(browser.get(&path).await.status, 403);
    let form = format!("{PAYMENT}&confirmation_token={}", token.id());
    let intent = app.post(INTENTS, &form).await.ok();
    assert_eq!(intent.at("/status"), "requires_action", "typed numbers wait for deposits");
}

/// A browser that names a stored payment method sees none of its holder's details.
#[tokio::test]
async fn a_browser_reads_no_holder() {
    let app = App::start().await;
    let form = "type=us_bank_account&billing_details[name]=Ada\
                &us_bank_account[account_holder_type]=individual\
                &us_bank_account[routing_number]=110000000\
                &us_bank_account[account_number]=000123456789";
    let method = app.post("/v1/payment_methods", form).await.ok().id();
    let browser = app.with_key("pk_test_123");
    let name = "/payment_method_preview/billing_details/name";
    let form = format!("payment_method={method}");
    assert!(browser.post(TOKENS, &form).await.ok().at(name).is_null());
    assert_eq!(app.post(TOKENS, &form).await.ok().at(name), "Ada");
}

/// Another type of payment method returns the type that this server has, not Stripe's long list of
/// types. Intents do the same.
#[tokio::test]
async fn other_types_name_the_accepted_one() {
    let app = App::start().await;
    for path in [TOKENS, INTENTS, "/v1/setup_intents"] {
        for word in ["card", "sepa_debit", "nonsense"] {
            let data = format!("payment_method_data[type]={word}");
            let form = if path == INTENTS { format!("{PAYMENT}&{data}") } else { data };
            let refused = app.post(path, &form).await;
            assert_eq!(refused.status, 400, "{path} {word}: {}", refused.body);
            assert_eq!(refused.at("/error/param"), "payment_method_data[type]", "{path} {word}");
            let message = refused.text("/error/message");
            assert!(message.contains("of the type us_bank_account only"), "{path}: {message}");
        }
    }
}
