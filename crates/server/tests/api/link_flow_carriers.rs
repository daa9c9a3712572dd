//! The link requirements and results of payment objects in a browser: the verification methods, the
//! holder's details from the page, and the address of the Checkout page.

use crate::browser::{Browser, read, shown};
use testkit::{App, ONE_ITEM, Response};

const VERIFY: &str = "payment_method_options[us_bank_account][verification_method]";

async fn intent(app: &App, more: &str) -> Response {
    let form = format!("payment_method_types[]=us_bank_account&{more}");
    app.post("/v1/setup_intents", &form).await.ok()
}

/// If accounts are verified by deposits only, the flow is the form for numbers. No bank can be
/// picked, there is no step back, and the error of the headless call names the alternative.
#[tokio::test]
async fn numbers_alone() {
    let app = App::start().await;
    let carrier = intent(&app, &format!("{VERIFY}=microdeposits")).await;
    let browser = Browser::open(&app, &carrier).await;
    let first = browser.page().await;
    assert!(read(&first).starts_with("200\nEnter your bank details\n"));
    assert!(!first.body.contains("aria-label=\"Back\""));
    for step in ["back", "sign_in", "institution", "consent"] {
        let form =
            format!("institution={}", crate::browser::institution(&app, "Bank (Non-OAuth)").await);
        let after = browser.step(step, &form).await;
        assert!(read(&after).contains("Enter your bank details"), "{step}");
    }
    let saved = browser.type_numbers("000123456789", "").await;
    assert!(read(&saved).contains("Your bank details are saved"));
    assert_eq!(app.status(&carrier.id()).await, "requires_confirmation");

    let other = intent(&app, &format!("{VERIFY}=microdeposits")).await;
    insta::assert_snapshot!(app.link_carrier(&other.id(), "").await.api_error(), @"
    400: This carrier takes typed numbers only (verification_method=microdeposits): confirm it with
      payment_method_data, or open its link flow in a browser.
    ");
}

/// If accounts are verified instantly, there is no form for numbers. By default both are available.
#[tokio::test]
async fn banks_alone_or_both() {
    let app = App::start().await;
    for (method, numbers) in [("instant", false), ("automatic", true)] {
        let carrier = intent(&app, &format!("{VERIFY}={method}")).await;
        let browser = Browser::open(&app, &carrier).await;
        let first = read(&browser.page().await);
        assert!(first.contains("Choose your bank"));
        assert_eq!(first.contains("Enter account numbers instead"), numbers, "{method}");
        let typed = read(&browser.step("manual", "").await);
        assert_eq!(typed.contains("Enter your bank details"), numbers, "{method}");
    }
}

/// The payment method contains the holder's details from the page, whether linked or typed.
#[tokio::test]
async fn the_holder_is_told() {
    let app = App::start().await;
    let details = "billing_details[name]=Ada&billing_details[email]=ada@example.com\
                   &billing_details[address][city]=Bath";
    let mut told = Vec::new();
    for typed in [true, false] {
        let carrier = intent(&app, "").await;
        let browser = Browser::open_for(&app, &carrier, details).await;
        if typed {
            browser.step("manual", "").await;
            browser.type_numbers("000123456789", "").await;
        } else {
            browser.accounts_of(&app, "Test (Non-OAuth)").await;
            browser.step("accounts", "account=0").await;
        }
        let shown = app.retrieve(&format!("{}?expand[]=payment_method", carrier.id())).await;
        let facts = ["/name", "/email", "/address/city"]
            .map(|name| format!("/payment_method/billing_details{name}"));
        told.push(shown.facts(&facts.each_ref().map(String::as_str)));
    }
    assert_eq!(told, ["Ada ada@example.com Bath"; 2]);
    let carrier = intent(&app, "").await;
    let secret = carrier.text("/client_secret");
    let mut api_errors = Vec::new();
    for details in ["[nick]=a", "[address][planet]=a", "=a"] {
        let form = format!("client_secret={secret}&billing_details{details}");
        let reply = app.with_key("pk_test_123").post("/v1/link_flows", &form).await;
        api_errors.push(reply.api_error());
    }
    insta::assert_snapshot!(api_errors.join("\n"), @"
    400 parameter_unknown billing_details[nick]: Received unknown parameter: billing_details[nick]

    400 parameter_unknown billing_details[address][planet]: Received unknown parameter:
      billing_details[address][planet]. Did you mean line2?

    400 - billing_details: Invalid object: a
    ");
}

/// A browser that knows a session's id learns the address of its page while the session is open,
/// and no other data. Another merchant's key learns no data.
#[tokio::test]
async fn the_page_of_a_checkout_session() {
    let app = App::start().await;
    let session = app.checkout(ONE_ITEM).await;
    let path = format!("/v1/checkout/sessions/{}/page", session.id());
    let browser = app.with_key("pk_test_123");
    let found = browser.get(&path).await.ok();
    assert_eq!(found.header("access-control-allow-origin"), Some("*"));
    assert_eq!(found.at("/url"), session.at("/url"));
    let page = Browser::at(&app, &found.text("/url"));
    assert!(shown(&page.page().await).contains("Pay $25.00"));
    app.act(&session.id(), "expire", "").await.ok();
    insta::assert_snapshot!(browser.get(&path).await.shown(), @r#"
    200
    { id: "cs_test_…", object: "checkout.session_page", url: null }
    "#);
    let stranger = app.with_key("pk_test_456").get(&path).await;
    assert_eq!(stranger.status, 404);
}
