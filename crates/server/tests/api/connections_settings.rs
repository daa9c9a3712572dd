//! The API for the settings of Financial Connections, which hold the default link requirements of
//! payment objects.

use testkit::{App, FC, OPTIONS};

/// Settings supply the link requirements of dynamic payment methods. Named types and permissions in
/// the request take precedence.
#[tokio::test]
async fn settings_speak_for_dynamic_payment_methods() {
    let app = App::start().await;
    let settings = format!("{FC}/settings");
    let before = app.get(&settings).await.ok();
    insta::assert_snapshot!(before.shown(), @r#"
    200
    {
      livemode: false
      object: "financial_connections.settings"
      permissions: ["payment_method"]
      prefetch: []
      registration: {
        balances: "active"
        ownership: "active"
        payment_method: "active"
        transactions: "active"
      }
      url: "http://127.0.0.1:12111/settings"
    }
    "#);
    let form = "permissions[]=payment_method&permissions[]=transactions&prefetch[]=transactions";
    let changed = app.post(&settings, form).await.ok();
    insta::assert_snapshot!(changed.shown_beside(&before), @r#"
    { permissions: ["payment_method", "transactions"], prefetch: ["transactions"] }
    absent: []
    "#);
    insta::assert_snapshot!(app.api_errors(&[
        ("POST", &settings, "prefetch[]=balances"),
        ("POST", &settings, "permissions[]=balance"),
    ]).await, @"
    POST …/settings prefetch[]=balances
        400 - prefetch[0]: To prefetch balances, ask for the permission balances too.
    POST …/settings permissions[]=balance
        400 - permissions[0]: Invalid permissions[0]: must be one of balances, ownership,
          payment_method, or transactions
    ");

    let sent =
        format!("&{OPTIONS}[permissions][]=payment_method&{OPTIONS}[permissions][]=balances");
    let mut asked = Vec::new();
    for more in [
        "&automatic_payment_methods[enabled]=true",
        "&payment_method_types[]=us_bank_account",
        &sent,
    ] {
        let form = format!("amount=2000&currency=usd{more}");
        let intent = app.post("/v1/payment_intents", &form).await.ok().id();
        let linked = app.link_carrier(&intent, "&expand[]=payment_method").await.ok();
        let account = linked.account_of("/payment_method");
        app.run_workers_until_idle().await;
        let account = app.retrieve(&account).await;
        asked.push(format!(
            "{} {}",
            account.at("/permissions"),
            account.at("/transaction_refresh/status")
        ));
    }
    let form = "mode=setup&currency=usd&success_url=https://shop.example/";
    let session = app.post("/v1/checkout/sessions", form).await.ok().id();
    app.link_carrier(&session, "").await.ok();
    app.run_workers_until_idle().await;
    let account = app.get(&format!("{FC}/accounts?limit=1")).await.ok();
    let (permissions, refresh) =
        (account.at("/data/0/permissions"), account.at("/data/0/transaction_refresh/status"));
    asked.push(format!("{permissions} {refresh}"));
    insta::assert_snapshot!(asked.join("\n"), @r#"
    ["payment_method","transactions"] "succeeded"
    ["payment_method"] null
    ["balances","payment_method"] null
    ["payment_method","transactions"] "succeeded"
    "#);
}
