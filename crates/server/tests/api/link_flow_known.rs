//! Returning holders, repeated links, and carriers for payments, in a browser.

use crate::browser::{Browser, faults, read};
use testkit::{App, FC};

/// A returning holder signs in with a code and picks an account that was linked before, under
/// another customer of the same merchant. Another merchant's customer with the same address sees no
/// saved accounts.
#[tokio::test]
async fn saved_accounts() {
    let app = App::start().await;
    app.account().await;
    let again = app.session(&app.customer().await, "").await;
    let browser = Browser::open(&app, &again).await;
    insta::assert_snapshot!(read(&browser.page().await), @"
    200
    Welcome back
    You can use accounts that you connected before, without signing in at your bank again. We will send you a code.
    Email
    [ada@example.com]
    > Send me a code
    > Skip
    ");
    insta::assert_snapshot!(read(&browser.step("sign_in", "email=ada@example.com").await), @"
    200
    Enter your code
    We sent a code of six digits to ada@example.com.
    Code
    []
    Test mode: no code was sent. Enter any six digits.
    > Continue
    ");
    let wrong = browser.step("code", "code=12345").await;
    assert!(read(&wrong).starts_with("422\nEnter your code"));
    assert_eq!(faults(&wrong), ["The code has six digits."]);
    assert!(read(&browser.step("back", "").await).contains("Welcome back"));
    browser.step("sign_in", "email=ada@example.com").await;
    let consent = browser.step("code", "code=000000").await;
    assert!(read(&consent).contains("Connect your account to"));
    insta::assert_snapshot!(read(&browser.step("consent", "").await), @"
    200
    Your saved accounts
    Your saved accounts
    [ ] Success Test (Non-OAuth), Checking ending in 2395
    > Connect accounts
    > Choose another bank
    ");
    assert!(read(&browser.step("accounts", "account=0").await).contains("Account connected"));
    let accounts = app.get(&format!("{FC}/accounts")).await.ok();
    let holders: Vec<_> =
        accounts.items("/data").iter().map(|a| a["account_holder"]["customer"].clone()).collect();
    assert_eq!(holders.len(), 2);
    assert_ne!(holders[0], holders[1]);
    assert_eq!(accounts.at("/data/0/last4"), accounts.at("/data/1/last4"));
    // The data of the saved account arrive as before.
    let id = accounts.text("/data/0/id");
    app.refresh(&id, "balance").await;
    app.run_workers_until_idle().await;
    let refreshed = app.get(&format!("{FC}/accounts/{id}")).await.ok();
    assert_eq!(refreshed.at("/balance_refresh/status"), "succeeded");

    let stranger = app.with_key("sk_test_other");
    let customer = stranger.post("/v1/customers", "email=ada@example.com").await.ok().id();
    let session = stranger.session(&customer, "").await;
    let form = format!("client_secret={}", session.text("/client_secret"));
    let url = stranger.post("/v1/link_flows", &form).await.ok().text("/url");
    let path = format!("/link/{}", url.split_once("/link/").unwrap().1);
    let page = app.bare_request("GET", &path).send().await;
    assert!(read(&page).contains("Choose your bank"));
}

/// An unknown address can be saved, and is known afterwards.
#[tokio::test]
async fn sign_up() {
    let app = App::start().await;
    let customer = app.post("/v1/customers", "name=Ada").await.ok().id();
    let browser = Browser::open(&app, &app.session(&customer, "").await).await;
    insta::assert_snapshot!(read(&browser.step("sign_in", "").await), @"
    200
    Use saved accounts
    You can use accounts that you connected before, without signing in at your bank again. We will send you a code.
    Email
    []
    > Send me a code
    > Skip
    ");
    let bad = browser.step("sign_in", "email=nobody").await;
    assert!(read(&bad).contains("Enter an email address"));
    insta::assert_snapshot!(read(&browser.step("sign_in", "email=bob@example.com").await), @"
    200
    Use saved accounts
    There are no saved accounts for bob@example.com.
    Enter another address, or connect a bank and save it.
    Email
    [bob@example.com]
    > Send me a code
    > Connect a bank and save it with this address
    > Skip
    ");
    let list = browser.step("sign_up", "email=bob@example.com").await;
    assert!(read(&list).contains("Choose your bank"));
    browser.accounts_of(&app, "Test (Non-OAuth)").await;
    let linked = browser.step("accounts", "account=0").await;
    assert!(read(&linked).contains("You can use them again with bob@example.com."));

    let browser = Browser::open(&app, &app.session(&customer, "").await).await;
    browser.step("sign_in", "").await;
    let known = browser.step("sign_in", "email=bob@example.com").await;
    assert!(read(&known).contains("Enter your code"));
    browser.step("code", "code=123456").await;
    assert!(read(&browser.step("consent", "").await).contains("[ ] Success"));
}

/// An inactive account that is linked again becomes active and keeps its id.
#[tokio::test]
async fn linked_again() {
    let app = App::start().await;
    let customer = app.post("/v1/customers", "name=Ada").await.ok().id();
    let link = async || {
        let (session, browser) = Browser::of_session(&app, &customer, "").await;
        browser.accounts_of(&app, "Inactive Accounts").await;
        browser.step("accounts", "account=0").await.ok();
        let session = app.get(&format!("{FC}/sessions/{}", session.id())).await.ok();
        (session.text("/accounts/data/0/id"), session.text("/accounts/data/0/status"))
    };
    let (first, _) = link().await;
    app.elapse_s(120).await;
    let account = app.get(&format!("{FC}/accounts/{first}")).await.ok();
    assert_eq!(account.at("/status"), "inactive");
    assert_eq!(link().await, (first, "active".to_owned()));
    let events = app.get("/v1/events?type=financial_connections.account.reactivated").await.ok();
    assert_eq!(events.items("/data").len(), 1);
}

/// The flow of a payment accepts one account that can pay, and the intent has a payment method
/// afterwards.
#[tokio::test]
async fn payment() {
    let app = App::start().await;
    let form = "amount=1000&currency=usd&payment_method_types[]=us_bank_account";
    let intent = app.post("/v1/payment_intents", form).await.ok();
    let browser = Browser::open(&app, &intent).await;
    let page = browser.accounts_of(&app, "Test (Non-OAuth)").await;
    let text = read(&page);
    assert!(text.contains("[-] Credit Card"), "{text}");
    assert!(page.body.contains("type=\"radio\"") && !page.body.contains("type=\"checkbox\""));
    assert!(read(&browser.step("accounts", "account=0&account=1").await).contains("Choose one"));
    assert!(read(&browser.step("accounts", "account=0").await).contains("Account connected"));
    let path = format!("/v1/payment_intents/{}", intent.id());
    assert_eq!(app.get(&path).await.ok().at("/status"), "requires_confirmation");
}
