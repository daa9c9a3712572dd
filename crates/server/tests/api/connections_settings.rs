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

/// An intent or a Checkout Session with dynamic payment methods shows the permissions and the prefetch
/// that come from the settings, in each call that returns it. Its link flow requests exactly these.
/// With payment method types it shows its own only.
#[tokio::test]
async fn dynamic_payment_methods_show_the_requested_permissions() {
    let app = App::start().await;
    let shown = |object: &testkit::Response| {
        let options = object.at("/payment_method_options/us_bank_account/financial_connections");
        format!("{} {}", options["permissions"], options["prefetch"])
    };
    let payment = "amount=2000&currency=usd&automatic_payment_methods[enabled]=true";
    let before = app.post("/v1/payment_intents", payment).await.ok();
    assert_eq!(shown(&before), "null null", "the settings name no permissions");
    let form = "permissions[]=payment_method&permissions[]=transactions&prefetch[]=transactions";
    app.post(&format!("{FC}/settings"), form).await.ok();

    let of_settings = r#"["payment_method","transactions"] ["transactions"]"#;
    for (path, form) in [
        ("/v1/payment_intents", payment),
        ("/v1/setup_intents", "automatic_payment_methods[enabled]=true"),
        ("/v1/checkout/sessions", "mode=setup&currency=usd&success_url=https://shop.example/"),
    ] {
        let created = app.post(path, form).await.ok();
        assert_eq!(shown(&created), of_settings, "{path}");
        let read = app.get(&format!("{path}/{}", created.id())).await.ok();
        assert_eq!(shown(&read), of_settings, "{path}");
        app.link_carrier(&created.id(), "").await.ok();
        let account = app.get(&format!("{FC}/accounts?limit=1")).await.ok();
        let granted = account.at("/data/0/permissions");
        assert_eq!(format!(r#"{granted} ["transactions"]"#), of_settings, "{path}");
    }
    let named = format!("{payment}&{OPTIONS}[permissions][]=payment_method");
    let named = app.post("/v1/payment_intents", &named).await.ok();
    assert_eq!(shown(&named), r#"["payment_method"] null"#);
    let typed = "amount=2000&currency=usd&payment_method_types[]=us_bank_account";
    let typed = app.post("/v1/payment_intents", typed).await.ok();
    assert_eq!(shown(&typed), "null null");
}
