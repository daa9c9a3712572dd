//! Configurations of payment methods, and their effect on payment objects.

use testkit::{ACCEPTED, App, Client, Response};

const PATH: &str = "/v1/payment_method_configurations";
const OFF: &str = "us_bank_account[display_preference][preference]=off";
const ON: &str = "us_bank_account[display_preference][preference]=on";

/// The names of the configurations in a list.
fn names(reply: &Response) -> Vec<String> {
    let name = |configuration: &serde_json::Value| configuration["name"].as_str().unwrap().into();
    reply.items("/data").iter().map(name).collect()
}

/// The default configuration of a merchant.
async fn default(client: &Client) -> String {
    client.get(PATH).await.ok().text("/data/0/id")
}

/// Every merchant has its own default configuration from the beginning. It can be retrieved,
/// changed and listed, and stays active.
#[tokio::test]
async fn every_merchant_has_a_default() {
    let app = App::start().await;
    let id = default(&app).await;
    assert_ne!(id, default(&app.with_key("sk_test_other")).await);
    let at = format!("{PATH}/{id}");
    let before = app.get(&at).await.ok();
    insta::assert_snapshot!(before.shown(), @r#"
    200
    {
      active: true
      id: "pmc_…"
      is_default: true
      livemode: false
      name: "Default"
      object: "payment_method_configuration"
      us_bank_account: {
        available: true
        display_preference: { overridable: null, preference: "none", value: "on" }
      }
      null: application, parent
    }
    "#);
    assert_eq!(app.count(&format!("{PATH}?active=true")).await, 1);
    assert_eq!(app.count(&format!("{PATH}?active=false")).await, 0);
    let after = app.get(&format!("{PATH}?starting_after={id}")).await.ok();
    assert_eq!(after.items("/data").len(), 0);

    let form = format!("name=Mine&{OFF}&card[display_preference][preference]=on");
    let changed = app.post(&at, &form).await.ok();
    insta::assert_snapshot!(changed.shown_beside(&before), @r#"
    {
      card: {
        available: false
        display_preference: { overridable: null, preference: "on", value: "off" }
      }
      name: "Mine"
      us_bank_account: {
        available: false
        display_preference: { overridable: null, preference: "off", value: "off" }
      }
    }
    absent: []
    "#);
    assert_eq!(app.get(&at).await.ok().body, changed.body);
    assert_eq!(names(&app.get(PATH).await.ok()), ["Mine"]);
    assert_eq!(app.with_key("sk_test_other").get(&at).await.status, 404);
}

/// Further configurations are created, changed and listed, newest first and the default last.
#[tokio::test]
async fn further_configurations_are_listed() {
    let app = App::start().await;
    let mut made = Vec::new();
    for name in ["One", "Two"] {
        made.push(app.post(PATH, &format!("name={name}&{ON}")).await.ok().id());
        app.pass_s(1);
    }
    assert_eq!(names(&app.get(PATH).await.ok()), ["Two", "One", "Default"]);
    let first = app.get(&format!("{PATH}?limit=1")).await.ok();
    assert_eq!((names(&first), first.at("/has_more")), (vec!["Two".to_owned()], true.into()));
    let rest = app.get(&format!("{PATH}?starting_after={}", made[1])).await.ok();
    assert_eq!(names(&rest), ["One", "Default"]);
    app.post(&format!("{PATH}/{}", made[0]), "active=false&name=Old").await.ok();
    assert_eq!(names(&app.get(&format!("{PATH}?active=true")).await.ok()), ["Two", "Default"]);
    assert_eq!(names(&app.get(&format!("{PATH}?active=false")).await.ok()), ["Old"]);
    assert_eq!(app.post(PATH, "").await.ok().text("/name"), "Untitled");
}

/// A configuration that a payment object names is echoed. If bank accounts are disabled in it, the
/// object offers none and accepts none. Types named on the object itself take precedence.
#[tokio::test]
async fn a_named_configuration_decides() {
    let app = App::start().await;
    let on = app.post(PATH, ON).await.ok().id();
    let off = app.post(PATH, OFF).await.ok().id();
    let checkout = "mode=setup&currency=usd&success_url=https://shop.example/";
    let mut shown = Vec::new();
    for (path, form) in [
        ("/v1/payment_intents", "amount=100&currency=usd"),
        ("/v1/setup_intents", "usage=off_session"),
        ("/v1/checkout/sessions", checkout),
    ] {
        for (name, id) in [("on", &on), ("off", &off)] {
            let form = format!("{form}&payment_method_configuration={id}");
            let made = app.post(path, &form).await.ok();
            let details = made.at("/payment_method_configuration_details");
            assert_eq!(details, serde_json::json!({"id": id, "parent": null}));
            let types = made.at("/payment_method_types");
            let carrier = format!("carrier={}", made.id());
            let flow = app.post("/v1/link_flows", &carrier).await.status;
            let link = "/v1/test_helpers/financial_connections/link";
            let linked = app.post(link, &carrier).await.status;
            shown.push(format!("{path} {name}: {types} flow {flow} link {linked}"));
        }
    }
    insta::assert_snapshot!(shown.join("\n"), @r#"
    /v1/payment_intents on: ["us_bank_account"] flow 200 link 200
    /v1/payment_intents off: [] flow 400 link 400
    /v1/setup_intents on: ["us_bank_account"] flow 200 link 200
    /v1/setup_intents off: [] flow 400 link 400
    /v1/checkout/sessions on: ["us_bank_account"] flow 200 link 200
    /v1/checkout/sessions off: [] flow 400 link 400
    "#);

    let form = format!("amount=100&currency=usd&payment_method_configuration={off}");
    let method = "payment_method=pm_usBankAccount_success";
    let intent = app.post("/v1/payment_intents", &form).await.ok().id();
    let update = format!("/v1/payment_intents/{intent}");
    let confirm = format!("{update}/confirm");
    insta::assert_snapshot!(app.api_errors(&[
        ("POST", "/v1/payment_intents", &format!("{form}&{method}")),
        ("POST", &update, method),
        ("POST", &confirm, method),
        ("POST", "/v1/test_helpers/financial_connections/link", &format!("carrier={intent}")),
    ]).await, @"
    POST /v1/payment_intents amount=100&currency=usd&payment_method_configuration=pmc_…&
      payment_method=pm_usBankAccount_success
    POST /v1/payment_intents/pi_… payment_method=pm_usBankAccount_success
    POST /v1/payment_intents/pi_…/confirm payment_method=pm_usBankAccount_success
        400 - payment_method: The configuration of payment methods that decides here has
          us_bank_account switched off.
    POST HELPERS/link carrier=pi_…
        400: The configuration of payment methods that decides here has us_bank_account switched
          off.
    ");

    let chosen = format!("payment_method_configuration={on}");
    let updated = app.post(&update, &chosen).await.ok();
    assert_eq!(updated.at("/payment_method_configuration_details/id"), on.as_str());
    app.post(&confirm, &format!("{method}&{ACCEPTED}")).await.ok();
}

/// The default configuration applies to payment objects that name neither types nor a
/// configuration. Its state at their creation counts.
#[tokio::test]
async fn the_default_decides_otherwise() {
    let app = App::start().await;
    let form = "amount=100&currency=usd";
    let before = app.post("/v1/payment_intents", form).await.ok();
    assert_eq!(before.at("/payment_method_configuration_details"), serde_json::Value::Null);
    let id = default(&app).await;
    app.post(&format!("{PATH}/{id}"), OFF).await.ok();
    let dynamic = app.post("/v1/payment_intents", form).await.ok();
    assert_eq!(dynamic.at("/payment_method_types"), serde_json::json!([]));
    assert_eq!(dynamic.at("/payment_method_configuration_details/id"), id.as_str());
    let named = format!("{form}&payment_method_types[]=us_bank_account");
    let named = app.post("/v1/payment_intents", &named).await.ok();
    assert_eq!(named.at("/payment_method_types"), serde_json::json!(["us_bank_account"]));
    assert_eq!(named.at("/payment_method_configuration_details"), serde_json::Value::Null);
    let kept = app.get(&format!("/v1/payment_intents/{}", before.id())).await.ok();
    assert_eq!(kept.at("/payment_method_types"), serde_json::json!(["us_bank_account"]));
}

/// Every error of these calls, and the errors of payment objects that name an invalid
/// configuration.
#[tokio::test]
async fn refuses_what_cannot_be() {
    let app = App::start().await;
    let other = app.with_key("sk_test_other").post(PATH, ON).await.ok().id();
    let inactive = app.post(PATH, "").await.ok().id();
    app.post(&format!("{PATH}/{inactive}"), "active=false").await.ok();
    let default = format!("{PATH}/{}", app.get(PATH).await.ok().text("/data/1/id"));
    let intent =
        |more: &str| format!("amount=100&currency=usd&payment_method_configuration={more}");
    insta::assert_snapshot!(app.api_errors(&[
        ("POST", &default, "active=false"),
        ("POST", PATH, "us_bank_account[display_preference][preference]=maybe"),
        ("POST", PATH, "cash[display_preference][preference]=on"),
        ("GET", &format!("{PATH}/pmc_1"), ""),
        ("POST", &format!("{PATH}/{other}"), "name=Mine"),
        ("GET", &format!("{PATH}?starting_after=pmc_1"), ""),
        ("POST", "/v1/payment_intents", &intent("pmc_1")),
        ("POST", "/v1/payment_intents", &intent(&other)),
        ("POST", "/v1/payment_intents", &intent(&inactive)),
        (
            "POST",
            "/v1/payment_intents",
            &intent(&format!("{inactive}&payment_method_types[]=us_bank_account")),
        ),
    ]).await, @"
    POST /v1/payment_method_configurations/pmc_… active=false
        400 - active: The default configuration stays active.
    POST /v1/payment_method_configurations us_bank_account[display_preference][preference]=maybe
        400 - us_bank_account[display_preference][preference]: Invalid
          us_bank_account[display_preference][preference]: must be one of none, off, or on
    POST /v1/payment_method_configurations cash[display_preference][preference]=on
        400 parameter_unknown cash: Received unknown parameter: cash. Did you mean cashapp?
    GET /v1/payment_method_configurations/pmc_1
        404 resource_missing configuration: No such payment_method_configuration: 'pmc_1'
    POST /v1/payment_method_configurations/pmc_… name=Mine
        404 resource_missing configuration: No such payment_method_configuration: 'pmc_…'
    GET /v1/payment_method_configurations?starting_after=pmc_1
        400 resource_missing starting_after: No such payment_method_configuration: 'pmc_1'
    POST /v1/payment_intents amount=100&currency=usd&payment_method_configuration=pmc_1
        404 resource_missing payment_method_configuration: No such payment_method_configuration:
          'pmc_1'
    POST /v1/payment_intents amount=100&currency=usd&payment_method_configuration=pmc_…
        404 resource_missing payment_method_configuration: No such payment_method_configuration:
          'pmc_…'
    POST /v1/payment_intents amount=100&currency=usd&payment_method_configuration=pmc_…
        400 - payment_method_configuration: This configuration of payment methods is not active.
    POST /v1/payment_intents amount=100&currency=usd&payment_method_configuration=pmc_…&
      payment_method_types[]=us_bank_account
        400 parameters_exclusive payment_method_configuration: You may give only one of these
          parameters: payment_method_configuration, payment_method_types.
    ");
    assert_eq!(app.count("/v1/payment_intents").await, 0);
}
