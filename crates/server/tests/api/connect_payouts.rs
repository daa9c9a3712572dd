//! External accounts of connected accounts, and the guide's ways to create them.

use crate::browser::Browser;
use crate::connect::{ACCOUNTS, payout_session, told, with_connected};
use serde_json::Value;
use testkit::{FC, NUMBERS};

/// The first external account is the default. Another one can replace it. A default that is still
/// needed cannot be deleted.
#[tokio::test]
async fn life_of_external_accounts() {
    let (app, id) = with_connected().await;
    let path = format!("{ACCOUNTS}/{id}/external_accounts");
    let form = format!(
        "{NUMBERS}&external_account[account_number]=000123456789\
         &external_account[account_holder_name]=Jenny&external_account[account_holder_type]=individual\
         &metadata[a]=b"
    );
    let first = app.post(&path, &form).await;
    insta::assert_snapshot!(first.shown(), @r#"
    200
    {
      account: "acct_…"
      account_holder_name: "Jenny"
      account_holder_type: "individual"
      available_payout_methods: ["standard"]
      bank_name: "STRIPE TEST BANK"
      country: "US"
      currency: "usd"
      default_for_currency: true
      fingerprint: "…"
      future_requirements: { currently_due: [], errors: [], past_due: [], pending_verification: [] }
      id: "ba_…"
      last4: "6789"
      metadata: { a: "b" }
      object: "bank_account"
      requirements: { currently_due: [], errors: [], past_due: [], pending_verification: [] }
      routing_number: "110000000"
      status: "new"
      null: account_type
    }
    "#);
    assert_eq!(app.get(&format!("{ACCOUNTS}/{id}")).await.ok().at("/payouts_enabled"), true);
    let form = format!("{NUMBERS}&external_account[account_number]=000111111116");
    let second = app.post(&path, &form).await.ok();
    assert_eq!(second.at("/default_for_currency"), false);

    let first = format!("{path}/{}", first.id());
    let second = format!("{path}/{}", second.id());
    assert_eq!(app.delete(&first).await.status, 400);
    let form = "default_for_currency=true&account_holder_name=J&account_type=savings&metadata[c]=d";
    let changed = app.post(&second, form).await.ok();
    assert_eq!(changed.at("/default_for_currency"), true);
    assert_eq!(app.get(&first).await.ok().at("/default_for_currency"), false);
    insta::assert_snapshot!(app.delete(&first).await.shown(), @r#"
    200
    { deleted: true, id: "ba_…", object: "bank_account" }
    "#);
    assert_eq!(app.get(&first).await.status, 404);
    assert_eq!(app.delete(&second).await.status, 400);

    // A new external account in an update of the account replaces the default.
    let form = format!("{NUMBERS}&external_account[account_number]=000222222227");
    let account = app.post(&format!("{ACCOUNTS}/{id}"), &form).await.ok();
    assert_eq!(account.items("/external_accounts/data").len(), 1);
    assert_eq!(account.text("/external_accounts/data/0/last4"), "2227");
    insta::assert_snapshot!(told(&app.in_account(&id)).await, @r#"
    account.updated ["external_accounts"]
    account.external_account.created []
    account.external_account.deleted []
    account.updated ["external_accounts"]
    account.external_account.deleted []
    account.updated ["external_accounts"]
    account.external_account.updated ["account_holder_name", "account_type", "default_for_currency", "metadata"]
    account.external_account.updated ["default_for_currency"]
    account.updated ["external_accounts"]
    account.external_account.created []
    account.updated ["external_accounts", "payouts_enabled"]
    account.external_account.created []
    "#);
}

/// Lists of external accounts page in both directions.
#[tokio::test]
async fn pages_of_external_accounts() {
    let (app, id) = with_connected().await;
    let path = format!("{ACCOUNTS}/{id}/external_accounts");
    let mut made = Vec::new();
    for number in ["000123456789", "000111111113", "000111111116", "000222222227"] {
        let form = format!("{NUMBERS}&external_account[account_number]={number}");
        made.insert(0, app.post(&path, &form).await.ok().id());
    }
    let page = async |query: &str| {
        let reply = app.get(&format!("{path}?{query}")).await.ok();
        let ids = reply.items("/data").into_iter().map(|item| {
            let id = item["id"].as_str().unwrap().to_owned();
            made.iter().position(|made| *made == id).unwrap().to_string()
        });
        format!("{} {}", ids.collect::<String>(), reply.at("/has_more"))
    };
    let pages = [
        page("").await,
        page("limit=2").await,
        page(&format!("limit=2&starting_after={}", made[1])).await,
        page(&format!("limit=1&ending_before={}", made[2])).await,
        page(&format!("limit=2&ending_before={}", made[2])).await,
        page("object=bank_account&limit=1").await,
        page("object=card").await,
    ];
    insta::assert_snapshot!(pages.join("\n"), @"
    0123 false
    01 true
    23 false
    1 true
    01 false
    0 true
     false
    ");
}

/// The guide's payouts. A session of the platform links one account that can receive payouts, and
/// its token becomes the connected account's external account.
#[tokio::test]
async fn payouts_from_a_session() {
    let (app, id) = with_connected().await;
    let form = payout_session(&id, "");
    let session = app.post(&format!("{FC}/sessions"), &form).await.ok();
    let two = format!("carrier={}&accounts[]=Success&accounts[]=Savings", session.id());
    let two = app.post("/v1/test_helpers/financial_connections/link", &two).await;
    insta::assert_snapshot!(two.api_error(), @"400 - accounts: This session links at most 1 account.");
    let linked = app.link(&session, "").await;
    assert_eq!(linked.items("/accounts/data").len(), 1);
    assert_eq!(linked.text("/accounts/data/0/account_holder/account"), id);
    let token = linked.text("/bank_account_token/id");
    assert_eq!(app.get(&format!("/v1/tokens/{token}")).await.ok().at("/used"), false);

    let path = format!("{ACCOUNTS}/{id}/external_accounts");
    let external = app.post(&path, &format!("external_account={token}")).await;
    let last4 = external.text("/last4");
    insta::assert_snapshot!(external.shown().replace(&last4, "LAST4"), @r#"
    200
    {
      account: "acct_…"
      account_holder_type: "individual"
      account_type: "checking"
      available_payout_methods: ["standard"]
      bank_name: "Test (Non-OAuth)"
      country: "US"
      currency: "usd"
      default_for_currency: true
      fingerprint: "…"
      future_requirements: { currently_due: [], errors: [], past_due: [], pending_verification: [] }
      id: "ba_…"
      last4: "LAST4"
      metadata: {}
      object: "bank_account"
      requirements: { currently_due: [], errors: [], past_due: [], pending_verification: [] }
      routing_number: "110000000"
      status: "new"
      null: account_holder_name
    }
    "#);
    assert_eq!(app.get(&format!("/v1/tokens/{token}")).await.ok().at("/used"), true);
    let again = app.post(&path, &format!("external_account={token}")).await;
    insta::assert_snapshot!(again.api_error(), @"
    400 token_already_used external_account: The token btok_… was used already; a token can be used
      once.
    ");

    let linked = linked.text("/accounts/data/0/id");
    let expanded = format!("{FC}/accounts/{linked}?expand[]=account_holder.account");
    let expanded = app.get(&expanded).await.ok();
    assert_eq!(expanded.text("/account_holder/account/object"), "account");
    assert_eq!(expanded.text("/account_holder/account/id"), id);

    // Only the holder finds the linked account.
    let of = async |account: &str| {
        let path = format!("{FC}/accounts?account_holder[account]={account}");
        app.count(&path).await
    };
    assert_eq!((of(&id).await, of("acct_other").await), (1, 0));
    let inside = app.in_account(&id).get(&format!("{FC}/accounts")).await.ok();
    assert!(inside.items("/data").is_empty());
}

/// Typed numbers return the token as well. Newer versions need a parameter that allows typing.
#[tokio::test]
async fn payouts_from_typed_numbers() {
    let (app, id) = with_connected().await;
    let form = payout_session(&id, "");
    let session = app.post(&format!("{FC}/sessions"), &form).await.ok();
    let browser = Browser::open(&app, &session).await;
    browser.step("manual", "").await;
    let numbers = "routing_number=110000000&account_number=000123456789\
        &account_number_again=000123456789";
    assert_eq!(browser.step("numbers", numbers).await.status, 200);
    let session = app.get(&format!("{FC}/sessions/{}", session.id())).await.ok();
    assert!(session.items("/accounts/data").is_empty());
    let token = session.text("/bank_account_token/id");
    let form = format!("external_account={token}&default_for_currency=true");
    let path = format!("{ACCOUNTS}/{id}/external_accounts");
    let external = app.post(&path, &form).await.ok();
    assert_eq!(
        (external.text("/last4"), external.text("/account")),
        ("6789".to_owned(), id.clone())
    );

    let newer = app.in_version("2026-09-30.endive");
    let newer = newer.post(&format!("{FC}/sessions"), &payout_session(&id, "")).await.ok();
    let browser = Browser::open(&app, &newer).await;
    assert!(!browser.step("manual", "").await.body.contains("routing_number"));
    let linked = app.link(&newer, "accounts[]=Success&accounts[]=Savings").await;
    assert_eq!(linked.items("/accounts/data").len(), 2);
    assert_eq!(linked.at("/bank_account_token"), Value::Null);
}

/// The guide's alternative. A Setup Intent inside the account attaches a payment method to the
/// account itself, and the external account is created from it.
#[tokio::test]
async fn payouts_from_a_setup_intent() {
    let (app, id) = with_connected().await;
    let inside = app.in_account(&id);
    let form = "attach_to_self=true&flow_directions[]=outbound&flow_directions[]=inbound\
        &payment_method_types[]=us_bank_account";
    let intent = inside.post("/v1/setup_intents", form).await.ok();
    assert_eq!(intent.at("/attach_to_self"), true);
    assert_eq!(intent.at("/flow_directions"), serde_json::json!(["outbound", "inbound"]));
    let page = app.with_key("pk_test_123").in_account(&id);
    let browser = Browser::open_as(&page, &intent, "").await;
    assert_eq!(browser.page().await.status, 200);
    let linked = inside.link(&intent, "").await;
    let method = linked.text("/payment_method");
    let path = format!("{ACCOUNTS}/{id}/external_accounts");
    let too_early = app.post(&path, &format!("external_account={method}")).await;
    insta::assert_snapshot!(too_early.api_error(), @"
    400 - external_account: Only a payment method that a Setup Intent with attach_to_self=true
      attached to the account can be paid out to.
    ");
    let mandate = "mandate_data[customer_acceptance][type]=offline";
    let confirmed = inside.act(&intent.id(), "confirm", mandate).await.ok();
    assert_eq!(confirmed.text("/status"), "succeeded");

    let external = app.post(&path, &format!("external_account={method}")).await.ok();
    assert_eq!(external.text("/account"), id);
    // The account itself owns the payment method now, so every other use is rejected.
    let customer = inside.post("/v1/customers", "").await.ok().id();
    insta::assert_snapshot!(inside.api_errors(&[
        ("POST", &format!("/v1/payment_methods/{method}/attach"), &format!("customer={customer}")),
        (
            "POST",
            "/v1/payment_intents",
            &format!(
                "amount=500&currency=usd&payment_method={method}\
             &payment_method_types[]=us_bank_account"
            ),
        ),
        ("POST", "/v1/setup_intents", &format!("attach_to_self=true&customer={customer}")),
    ]).await, @"
    POST /v1/payment_methods/pm_…/attach customer=cus_…
        400: The payment method is the account's own.
    POST /v1/payment_intents amount=500&currency=usd&payment_method=pm_…&
      payment_method_types[]=us_bank_account
        400 - payment_method: The payment method is the account's own and cannot be debited.
    POST /v1/setup_intents attach_to_self=true&customer=cus_…
        400 - attach_to_self: attach_to_self=true keeps the payment method for the account itself;
          leave the customer out.
    ");
    inside.post("/v1/setup_intents", "").await.ok();
    let count = async |filter: &str| inside.count(&format!("/v1/setup_intents?{filter}")).await;
    assert_eq!((count("attach_to_self=true").await, count("attach_to_self=false").await), (1, 1));
    assert_eq!(count("").await, 2);
}

/// The API also creates tokens of bank account numbers, inside the account or by its platform.
#[tokio::test]
async fn tokens_of_numbers() {
    let (app, id) = with_connected().await;
    let form = "bank_account[country]=US&bank_account[currency]=usd\
        &bank_account[routing_number]=110000000&bank_account[account_number]=000123456789\
        &bank_account[account_holder_name]=Jenny&bank_account[account_holder_type]=company";
    let path = format!("{ACCOUNTS}/{id}/external_accounts");
    for client in [app.client(), app.in_account(&id)] {
        let token = client.post("/v1/tokens", form).await.ok();
        assert_eq!(token.text("/bank_account/last4"), "6789");
        let form = format!("external_account={}", token.id());
        let external = app.post(&path, &form).await.ok();
        assert_eq!(external.at("/id"), token.at("/bank_account/id"));
        assert_eq!(external.text("/account_holder_name"), "Jenny");
    }
    let held = app.get(&path).await.ok();
    assert_eq!(held.at("/data/0/fingerprint"), held.at("/data/1/fingerprint"));
}
