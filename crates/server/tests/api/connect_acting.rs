//! Calls that act in a connected account.

use crate::browser::Browser;
use crate::connect::{ACCOUNTS, payout_session, with_connected};
use testkit::{App, Client, FC, NUMBERS};

/// In test mode an unknown account looks empty to reads, and the first write creates it.
#[tokio::test]
async fn an_unknown_account_comes_into_being() {
    let app = App::start().await;
    let inside = app.in_account("acct_1032D82eZvKYlo2C");
    let empty = inside.get("/v1/customers").await.ok();
    assert!(empty.items("/data").is_empty());
    assert_eq!(empty.header("stripe-account"), Some("acct_1032D82eZvKYlo2C"));
    assert_eq!(inside.get("/v1/account").await.ok().id(), "acct_1032D82eZvKYlo2C");
    assert_eq!(app.count(ACCOUNTS).await, 0);

    inside.post("/v1/customers", "name=Ada").await.ok();
    let listed = app.get(ACCOUNTS).await.ok();
    assert_eq!(listed.text("/data/0/id"), "acct_1032D82eZvKYlo2C");
    assert_eq!(listed.text("/data/0/type"), "standard");
    // The account of another platform with the same id is a different account.
    let elsewhere = app.with_key("sk_test_other").in_account("acct_1032D82eZvKYlo2C");
    assert_eq!(elsewhere.count("/v1/customers").await, 0);
    assert_eq!(app.with_key("sk_test_other").count(ACCOUNTS).await, 0);
}

/// One idempotency key counts separately for the platform and for the account.
#[tokio::test]
async fn idempotency_keys_are_the_accounts_own() {
    let app = App::start().await;
    let inside = app.in_account("acct_1");
    let make = async |client: &Client, name: &str| {
        client.idempotent("k").post("/v1/customers", &format!("name={name}")).await
    };
    let of_platform = make(&app, "Ada").await.ok();
    let of_account = make(&inside, "Bob").await.ok();
    assert_ne!(of_platform.id(), of_account.id());
    assert_eq!(make(&inside, "Bob").await.ok().body, of_account.body);
    assert_eq!(make(&app, "Bob").await.status, 400);
}

/// With a live key an account must exist before a call acts in it, even for reads. The platform's
/// registration also covers its accounts.
#[tokio::test]
async fn live_accounts() {
    let app = App::start().await;
    let live = app.live();
    let id = live.post(ACCOUNTS, "").await.ok().id();
    let unknown = live.in_account("acct_1");
    let told =
        unknown.api_errors(&[("GET", "/v1/customers", ""), ("POST", "/v1/customers", "")]).await;
    insta::assert_snapshot!(told, @"
    GET /v1/customers
    POST /v1/customers
        403 account_invalid: The API key has no access to the account 'acct_1': there is no such
          account, or it is no longer connected to yours.
    ");
    let inside = live.in_account(&id);
    assert_eq!(inside.post("/v1/customers", "").await.ok().at("/livemode"), true);
    assert_eq!(live.count("/v1/customers").await, 0);

    let sessions = format!("{FC}/sessions");
    let external = format!("{ACCOUNTS}/{id}/external_accounts");
    let test_numbers = format!("{NUMBERS}&external_account[account_number]=000123456789");
    insta::assert_snapshot!(live.api_errors(&[
        ("POST", &sessions, &payout_session(&id, "")),
        ("POST", &external, &test_numbers),
    ]).await, @"
    POST …/sessions account_holder[type]=account&account_holder[account]=acct_…&
      permissions[]=payment_method&permissions[]=balances&
        400 financial_connections_registration_required: Your registration for the live data of
          Financial Connections was not requested for balances. The operator of this server changes
          it with `bankfeed registration set`. http://127.0.0.1:12111/settings shows it.
    POST /v1/accounts/acct_…/external_accounts NUMBERS&external_account[account_number]=000123456789
        400 account_number_invalid external_account[account_number]: These are test numbers; in live
          mode they lead nowhere.
    ");
    app.keys().register_all(1);
    live.post(&sessions, &payout_session(&id, "")).await.ok();
    inside.post(&sessions, &payout_session(&id, "")).await.ok();
    assert_eq!(live.post(&sessions, &payout_session("acct_1", "")).await.status, 400);
    live.delete(&format!("{ACCOUNTS}/{id}")).await.ok();
    assert_eq!(inside.get("/v1/customers").await.status, 403);
}

/// Newer libraries name the account in a different header. Two contradictory headers are rejected.
#[tokio::test]
async fn contexts_name_accounts_too() {
    let app = App::start().await;
    let named =
        |name: &str, account: &str| app.request("POST", "/v1/customers").header(name, account);
    let made = named("Stripe-Context", "acct_1").form("name=Ada").send().await.ok();
    let path = format!("/v1/customers/{}", made.id());
    assert_eq!(app.get(&path).await.status, 404);
    assert_eq!(app.in_account("acct_1").get(&path).await.ok().text("/name"), "Ada");
    let both = named("Stripe-Context", "acct_1");
    both.header("Stripe-Account", "acct_1").send().await.ok();
    let differ = named("Stripe-Context", "acct_1").header("Stripe-Account", "acct_2");
    let told = differ.send().await.api_error()
        + &named("Stripe-Context", "wksp_1").send().await.api_error();
    insta::assert_snapshot!(told, @"
    400: The headers Stripe-Account and Stripe-Context name different accounts. Send only one.
    400: The account to act in must be the id of a connected account (acct_…), not 'wksp_1'.
    ");
}

/// The pages of an account show the account's own name, and disappear when the account is deleted.
#[tokio::test]
async fn pages_of_an_account() {
    let (app, id) = with_connected().await;
    let path = format!("{ACCOUNTS}/{id}");
    app.post(&path, "business_profile[name]=Rocket+Rides").await.ok();
    let inside = app.in_account(&id);
    let intent = inside.post("/v1/setup_intents", "").await.ok();
    let page = app.with_key("pk_test_123").in_account(&id);
    let browser = Browser::open_as(&page, &intent, "").await;
    assert!(browser.page().await.body.contains("Rocket Rides"));
    app.delete(&path).await.ok();
    assert_eq!(browser.page().await.status, 404);
}
