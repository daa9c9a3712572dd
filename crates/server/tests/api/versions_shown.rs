//! The versions that show each field, take each parameter, and render each event.

use serde_json::Value;
use std::fmt::Write as _;
use testkit::{App, FC, HOLDER};

/// One version of each date with a change, oldest first, after the last version before the first
/// change.
const VERSIONS: [&str; 15] = [
    "2024-06-20",
    "2024-09-30.acacia",
    "2025-08-27.basil",
    "2025-09-30.clover",
    "2025-11-17.clover",
    "2026-05-27.dahlia",
    "2026-06-24.dahlia",
    "2026-07-29.dahlia",
    "2026-08-26.dahlia",
    "2026-09-30.endive",
    "2026-10-28.endive",
    "2026-11-18.endive",
    "2025-11-17.preview",
    "2026-01-28.preview",
    "2026-10-14.preview",
];
const BETA: &str = "2022-08-01; financial_connections_relink_api_beta=v1";

/// One line per change of a field: the version and the value that it shows.
fn table(seen: &[(&str, Value)], pointers: &[&str]) -> String {
    let mut table = String::new();
    for pointer in pointers {
        let _ = writeln!(table, "{pointer}");
        let shown = |value: &Value| value.pointer(pointer).map_or("-".to_owned(), Value::to_string);
        let mut before = String::new();
        for (version, value) in seen {
            let now = shown(value);
            if now != before {
                let _ = writeln!(table, "  {version:18} {now}");
                before = now;
            }
        }
    }
    table
}

/// The keys of a hash in each version that differs from the version before.
fn keys(seen: &[(&str, Value)], pointer: &str) -> String {
    let mut told = String::new();
    let mut before: Vec<String> = Vec::new();
    for (version, value) in seen {
        let hash = value.pointer(pointer).and_then(Value::as_object);
        let now: Vec<String> = hash.into_iter().flat_map(|hash| hash.keys().cloned()).collect();
        let came: Vec<&String> = now.iter().filter(|key| !before.contains(key)).collect();
        let went: Vec<&String> = before.iter().filter(|key| !now.contains(key)).collect();
        let same = came.is_empty() && went.is_empty();
        if !before.is_empty() && !same {
            let _ = writeln!(told, "{version}: came {came:?}, went {went:?}");
        }
        before = now;
    }
    told
}

async fn in_each(app: &App, path: &str) -> Vec<(&'static str, Value)> {
    let mut seen = Vec::new();
    for version in VERSIONS.into_iter().chain([BETA]) {
        seen.push((version, app.in_version(version).get(path).await.ok().json()));
    }
    seen
}

/// A session with every setting, in each version. Later fields are not shown, and only previews
/// show preview fields.
#[tokio::test]
async fn a_session_in_each_version() {
    let app = App::start().await;
    let form = "filters[countries][]=US&filters[account_subcategories][]=mortgage\
        &filters[require_payment_method_support]=none&limits[accounts]=2&manual_entry[mode]=disabled\
        &return_url=https://rocket.example";
    let session = app.session(&app.customer().await, form).await;
    let seen = in_each(&app, &format!("{FC}/sessions/{}", session.id())).await;
    insta::assert_snapshot!(keys(&seen, "") + &keys(&seen, "/filters"), @r#"
    2026-07-29.dahlia: came ["limits", "manual_entry"], went []
    2025-11-17.preview: came ["status", "status_details"], went ["limits"]
    2026-10-14.preview: came ["limits", "ui_mode"], went []
    2022-08-01; financial_connections_relink_api_beta=v1: came [], went ["limits", "manual_entry", "status", "status_details", "ui_mode"]
    2026-07-29.dahlia: came ["require_payment_method_support"], went []
    2026-08-26.dahlia: came ["country"], went []
    2026-09-30.endive: came [], went ["countries"]
    2025-11-17.preview: came ["countries"], went ["country", "require_payment_method_support"]
    2026-10-14.preview: came ["country", "require_payment_method_support"], went ["countries"]
    2022-08-01; financial_connections_relink_api_beta=v1: came ["countries"], went ["country", "require_payment_method_support"]
    "#);
    app.pass_s(2 * 86_400);
    let late = in_each(&app, &format!("{FC}/sessions/{}", session.id())).await;
    let nulls = late.iter().filter(|(_, shown)| shown["client_secret"].is_null());
    let versions: Vec<&str> = nulls.map(|(version, _)| *version).collect();
    assert_eq!(versions, VERSIONS[4..].to_vec());
}

/// Accounts in each version: one that will lose access, one with an expired number, and one that is
/// inactive.
#[tokio::test]
async fn an_account_in_each_version() {
    let app = App::start().await;
    let linked = async |more: &str| {
        let session = app.session(&app.customer().await, "").await;
        app.link(&session, more).await.text("/accounts/data/0/id")
    };
    let foreseen = linked("institution=Eventually Requires Reauthentication").await;
    let seen = in_each(&app, &format!("{FC}/accounts/{foreseen}")).await;
    insta::assert_snapshot!(keys(&seen, "") + &table(&seen, &["/status_details/active/action"]), @r#"
    2025-11-17.clover: came ["account_numbers"], went []
    2026-06-24.dahlia: came ["status_details"], went []
    2025-11-17.preview: came ["inferred_balances_refresh", "institution"], went ["status_details"]
    2026-01-28.preview: came ["authorization", "status_details"], went []
    2022-08-01; financial_connections_relink_api_beta=v1: came [], went ["account_numbers", "inferred_balances_refresh", "institution"]
    /status_details/active/action
      2024-06-20         -
      2026-06-24.dahlia  "relink_required"
      2025-11-17.preview -
      2026-10-14.preview "relink_required"
      2022-08-01; financial_connections_relink_api_beta=v1 -
    "#);

    let token = "institution=Tokenized Account Number\
        &accounts[]=Immediately Expiring Tokenized Account Number";
    let expired = linked(token).await;
    app.elapse_s(60).await;
    let seen = in_each(&app, &format!("{FC}/accounts/{expired}")).await;
    insta::assert_snapshot!(table(&seen, &["/account_numbers/0/status"]), @r#"
    /account_numbers/0/status
      2024-06-20         -
      2025-11-17.clover  "deactivated"
      2026-09-30.endive  "expired"
      2025-11-17.preview "deactivated"
      2026-10-14.preview "expired"
      2022-08-01; financial_connections_relink_api_beta=v1 -
    "#);

    let failed = linked("institution=Test (Non-OAuth)&accounts[]=Failure").await;
    let seen = in_each(&app, &format!("{FC}/accounts/{failed}")).await;
    insta::assert_snapshot!(table(&seen, &["/status", "/status_details"]), @r#"
    /status
      2024-06-20         "inactive"
    /status_details
      2024-06-20         -
      2026-06-24.dahlia  {}
      2025-11-17.preview -
      2026-01-28.preview {"inactive":{"action":"none","cause":"unspecified"}}
    "#);
}

/// Each parameter is accepted from its version on, and unknown before.
#[tokio::test]
async fn parameters_in_each_version() {
    let (app, customer) = App::with_customer().await;
    let mut told = String::new();
    for more in [
        "filters[country]=US",
        "filters[countries][]=US",
        "filters[account_subcategories][]=savings",
        "filters[account_subcategories][]=credit_card",
        "filters[require_payment_method_support]=none",
        "limits[accounts]=2",
        "manual_entry[mode]=disabled",
        "relink_options[account]=fca_x",
        "ui_mode=modal",
        "ui_mode=hosted&hosted[return_url]=https://rocket.example",
    ] {
        let _ = writeln!(told, "{more}");
        let mut before = String::new();
        for version in VERSIONS.into_iter().chain([BETA]) {
            let form = format!("{HOLDER}={customer}&permissions[]=balances&{more}");
            let path = format!("{FC}/sessions");
            let call = app.request("POST", &path).header("Stripe-Version", version);
            let reply = call.form(&form).send().await;
            let now = match reply.status {
                200 => "taken".to_owned(),
                _ => format!("{} {}", reply.at("/error/code"), reply.text("/error/param")),
            };
            if now != before {
                let _ = writeln!(told, "  {version:18} {now}");
                before = now;
            }
        }
    }
    insta::assert_snapshot!(told, @r#"
    filters[country]=US
      2024-06-20         "parameter_unknown" filters[country]
      2026-09-30.endive  taken
      2025-11-17.preview "parameter_unknown" filters[country]
      2026-10-14.preview taken
      2022-08-01; financial_connections_relink_api_beta=v1 "parameter_unknown" filters[country]
    filters[countries][]=US
      2024-06-20         taken
      2026-09-30.endive  "parameter_unknown" filters[countries]
      2025-11-17.preview taken
      2026-10-14.preview "parameter_unknown" filters[countries]
      2022-08-01; financial_connections_relink_api_beta=v1 taken
    filters[account_subcategories][]=savings
      2024-06-20         taken
    filters[account_subcategories][]=credit_card
      2024-06-20         null filters[account_subcategories][0]
      2024-09-30.acacia  taken
      2022-08-01; financial_connections_relink_api_beta=v1 null filters[account_subcategories][0]
    filters[require_payment_method_support]=none
      2024-06-20         "parameter_unknown" filters[require_payment_method_support]
      2026-07-29.dahlia  taken
      2025-11-17.preview "parameter_unknown" filters[require_payment_method_support]
      2026-10-14.preview taken
      2022-08-01; financial_connections_relink_api_beta=v1 "parameter_unknown" filters[require_payment_method_support]
    limits[accounts]=2
      2024-06-20         "parameter_unknown" limits
      2026-07-29.dahlia  taken
      2025-11-17.preview "parameter_unknown" limits
      2026-10-14.preview taken
      2022-08-01; financial_connections_relink_api_beta=v1 "parameter_unknown" limits
    manual_entry[mode]=disabled
      2024-06-20         "parameter_unknown" manual_entry
      2026-07-29.dahlia  taken
      2025-11-17.preview null manual_entry[mode]
      2026-10-14.preview taken
      2022-08-01; financial_connections_relink_api_beta=v1 "parameter_unknown" manual_entry
    relink_options[account]=fca_x
      2024-06-20         "parameter_unknown" relink_options
      2026-01-28.preview "parameter_missing" relink_options[authorization]
    ui_mode=modal
      2024-06-20         "parameter_unknown" ui_mode
      2026-10-14.preview taken
      2022-08-01; financial_connections_relink_api_beta=v1 "parameter_unknown" ui_mode
    ui_mode=hosted&hosted[return_url]=https://rocket.example
      2024-06-20         "parameter_unknown" hosted
      2026-10-14.preview taken
      2022-08-01; financial_connections_relink_api_beta=v1 "parameter_unknown" hosted
    "#);
}

/// Webhooks use the version of each endpoint, or the default. The list shows events in the version
/// of their creation, independent of the caller.
#[tokio::test]
async fn each_endpoint_has_its_version() {
    let app = App::start().await;
    let receivers = App::three_receivers().await;
    let versions = ["&api_version=2025-08-27.basil", "&api_version=2026-10-14.preview", ""];
    for (receiver, version) in receivers.iter().zip(versions) {
        let form = format!(
            "url={}&enabled_events[]=financial_connections.account.created{version}",
            receiver.url
        );
        app.post("/v1/webhook_endpoints", &form).await.ok();
    }
    app.account().await;
    app.run_workers_until_idle().await;
    let mut told = String::new();
    for receiver in &receivers {
        let posts = receiver.take();
        let [post] = &posts[..] else { panic!("{} posts", posts.len()) };
        let has = |key: &str| post.json().pointer(&format!("/data/object/{key}")).is_some();
        let keys = ["account_numbers", "authorization", "status_details"].map(has);
        let _ = writeln!(told, "{} {keys:?}", post.text("/api_version"));
    }
    insta::assert_snapshot!(told, @"
    2025-08-27.basil [false, false, false]
    2026-10-14.preview [true, true, true]
    2026-08-26.dahlia [true, false, true]
    ");
    let created = "/v1/events?type=financial_connections.account.created";
    for version in ["2024-06-20", "2026-10-14.preview"] {
        let event = app.in_version(version).get(created).await.ok().at("/data/0");
        assert_eq!(event["api_version"], "2026-08-26.dahlia");
        assert!(event["data"]["object"].get("account_numbers").is_some());
        assert!(event["data"]["object"].get("authorization").is_none());
    }
}

/// A version that Stripe never published is rejected, in a header and for an endpoint. A version
/// newer than this server is served as the newest.
#[tokio::test]
async fn unknown_versions_are_refused() {
    let app = App::start().await;
    for version in ["2025-01-01", "2026-08-26.endive", "2026-08-26", "2024-01-01.preview"] {
        let ask = app.request("GET", "/v1/customers").header("Stripe-Version", version);
        let refused = ask.send().await;
        assert_eq!(refused.status, 400, "{version}");
        let message = format!("Invalid Stripe API version: {version}");
        assert_eq!(refused.at("/error/message"), message);
        let form = format!("url=http://127.0.0.1:9/&enabled_events[]=*&api_version={version}");
        let refused = app.post("/v1/webhook_endpoints", &form).await;
        assert_eq!(refused.at("/error/param"), "api_version", "{version}");
    }
    let session = app.session(&app.customer().await, "filters[countries][]=US").await;
    let path = format!("{FC}/sessions/{}", session.id());
    let newer = app.in_version("2027-02-24.fern").get(&path).await.ok();
    assert_eq!(newer.body, app.in_version("2026-11-18.endive").get(&path).await.ok().body);
    assert_eq!(newer.header("stripe-version"), Some("2027-02-24.fern"));
}

/// Problems with an account's numbers have a separate error code since clover.
#[tokio::test]
async fn codes_of_numbers_came_with_clover() {
    let (app, customer) = App::with_customer().await;
    let form = format!("{HOLDER}={customer}&permissions[]=payment_method");
    let session = app.post(&format!("{FC}/sessions"), &form).await.ok();
    let bank = "institution=Invalid Payment Accounts";
    let account = app.link(&session, bank).await.text("/accounts/data/0/id");
    let form = format!(
        "type=us_bank_account&us_bank_account[financial_connections_account]={account}\
        &billing_details[name]=Ada"
    );
    let mut told = String::new();
    for version in ["2025-08-27.basil", "2025-09-30.clover"] {
        let call = app.request("POST", "/v1/payment_methods").header("Stripe-Version", version);
        told += &call.form(&form).send().await.api_error();
    }
    insta::assert_snapshot!(told, @"
    400 - us_bank_account[financial_connections_account]: The account cannot pay by us_bank_account;
      ask for another one.
    400 financial_connections_account_unavailable_account_numbers
      us_bank_account[financial_connections_account]: The account cannot pay by us_bank_account; ask
      for another one.
    ");
}
