//! Authorizations and institutions in previews, and flows that begin at one institution.

use crate::browser::{Browser, read};
use crate::relinks::account;
use serde_json::{Value, json};
use std::fmt::Write as _;
use testkit::{App, Client, FC, HELPERS, HOLDER, Response, show};

const PREVIEW: &str = "2026-09-30.preview";
const GENERAL: [&str; 3] = ["2026-08-26.dahlia", "2026-11-18.endive", "2024-06-20"];
const BANK: &str = "payment_method_options[us_bank_account][financial_connections]";
const DOWN: &str = "Down (Unscheduled)";

fn preview(app: &App) -> Client {
    app.in_version(PREVIEW)
}

/// The id of a test bank.
async fn bank(app: &App, name: &str) -> String {
    let list = app.get(&format!("{HELPERS}/institutions")).await.ok();
    let found = list.items("/data").into_iter().find(|bank| bank["name"] == name);
    found.unwrap()["id"].as_str().unwrap().to_owned()
}

/// The addresses exist in previews only: authorizations since 2026-01-28.preview (changelog of
/// stripe-python 14.4.0b1), institutions in each. Other versions know them for no method.
#[tokio::test]
async fn addresses_of_previews() {
    let (app, account_id) = App::with_account().await;
    let linked = account(&app, &account_id).await;
    let authorization = format!("{FC}/authorizations/{}", linked.text("/authorization"));
    let institution = format!("{FC}/institutions/{}", bank(&app, "Test (Non-OAuth)").await);
    let list = format!("{FC}/institutions");
    for path in [&authorization, &institution, &list] {
        for version in GENERAL {
            let client = app.in_version(version);
            for reply in [client.get(path).await, client.post(path, "").await] {
                assert_eq!(reply.status, 404, "{path} {version}");
                assert!(reply.body.contains("Unrecognized request URL"), "{}", reply.body);
            }
        }
        preview(&app).get(path).await.ok();
        assert_eq!(preview(&app).post(path, "").await.status, 405, "{path}");
    }
    for version in ["banana", "2026-13-45.preview"] {
        let reply = app.in_version(version).get(&list).await;
        assert_eq!(reply.status, 400, "{version}");
        assert!(reply.body.contains("Invalid Stripe API version"), "{}", reply.body);
    }
    let older = app.in_version("2025-12-15.preview");
    assert_eq!(older.get(&authorization).await.status, 404);
    older.get(&institution).await.ok();
    let mut told = String::new();
    for path in [
        format!("{FC}/authorizations/fcauth_x"),
        format!("{FC}/institutions/fcinst_x"),
        format!("{list}?starting_after=fcinst_x"),
        format!("{list}?name=x"),
    ] {
        let _ = writeln!(told, "{}", preview(&app).get(&path).await.api_error());
    }
    insta::assert_snapshot!(told, @"
    404 resource_missing authorization: No such Financial Connections authorization: 'fcauth_x'

    404 resource_missing institution: No such Financial Connections institution: 'fcinst_x'. This
      server has institutions of its own. In a preview version, GET /v1/financial_connections/
      institutions lists their ids.

    400 resource_missing starting_after: No such Financial Connections institution: 'fcinst_x'

    400 parameter_unknown name: Received unknown parameter: name
    ");
}

/// An authorization has the state of all of its accounts: active while one is, then inactive, then
/// disconnected (types of stripe-python 16.1.0b1).
#[tokio::test]
async fn an_authorization_and_its_accounts() {
    let app = App::start().await;
    let session = app.session(&app.customer().await, "").await;
    let ended = app.link(&session, "accounts[]=Success&accounts[]=Savings").await;
    let ids: Vec<String> =
        ["/accounts/data/0/id", "/accounts/data/1/id"].map(|at| ended.text(at)).into();
    let path =
        format!("{FC}/authorizations/{}", account(&app, &ids[0]).await.text("/authorization"));
    let read = async || preview(&app).get(&path).await.ok();
    insta::assert_snapshot!(show::value(&read().await.json()), @r#"
    {
      account_holder: { customer: "cus_…", type: "customer" }
      id: "fcauth_…"
      institution: "fcinst_…"
      institution_name: "Test (Non-OAuth)"
      livemode: false
      object: "financial_connections.authorization"
      status: "active"
      status_details: {}
    }
    "#);
    let state = |shown: &Response| (shown.text("/status"), shown.at("/status_details"));
    let deactivate = async |id: &str| {
        app.post(&format!("{HELPERS}/accounts/{id}/deactivate"), "cause=access_denied").await.ok();
    };
    deactivate(&ids[0]).await;
    assert_eq!(state(&read().await), ("active".into(), json!({})));
    deactivate(&ids[1]).await;
    let relink = json!({"inactive": {"action": "relink_required"}});
    assert_eq!(state(&read().await), ("inactive".into(), relink.clone()));
    app.post(&format!("{FC}/accounts/{}/disconnect", ids[0]), "").await.ok();
    assert_eq!(state(&read().await), ("inactive".into(), relink));
    app.post(&format!("{FC}/accounts/{}/disconnect", ids[1]), "").await.ok();
    assert_eq!(state(&read().await), ("disconnected".into(), json!({})));
    let expanded = preview(&app).get(&format!("{path}?expand[]=institution")).await.ok();
    assert_eq!(expanded.at("/institution/object"), "financial_connections.institution");
}

/// Institutions have the keys of stripe-python 16.1.0b1, in pages. An account expands to its own.
#[tokio::test]
async fn institutions() {
    let (app, account_id) = App::with_account().await;
    let id = bank(&app, "Test (Non-OAuth)").await;
    let shown = preview(&app).get(&format!("{FC}/institutions/{id}")).await.ok();
    insta::assert_snapshot!(show::value(&shown.json()), @r#"
    {
      countries: ["US"]
      features: {
        balances: { supported: true }
        ownership: { supported: true }
        payment_method: { supported: true }
        transactions: { supported: true }
      }
      id: "fcinst_…"
      livemode: false
      name: "Test (Non-OAuth)"
      object: "financial_connections.institution"
      routing_numbers: []
      status: "active"
      null: url
    }
    "#);
    let down = bank(&app, DOWN).await;
    let down = preview(&app).get(&format!("{FC}/institutions/{down}")).await.ok();
    assert_eq!(down.at("/status"), "inactive");

    let all = app.get(&format!("{HELPERS}/institutions")).await.ok();
    let all: Vec<Value> = all.items("/data").iter().map(|bank| bank["id"].clone()).collect();
    let (mut pages, mut after) = (Vec::new(), String::new());
    for _ in 0..all.len() {
        let path = format!("{FC}/institutions?limit=7{after}");
        let page = preview(&app).get(&path).await.ok();
        pages.extend(page.items("/data").iter().map(|bank| bank["id"].clone()));
        after = format!("&starting_after={}", pages.last().unwrap().as_str().unwrap());
        if page.at("/has_more") == false {
            break;
        }
    }
    assert_eq!(pages, all);

    let path = format!("{FC}/accounts/{account_id}?expand[]=institution");
    assert_eq!(preview(&app).get(&path).await.ok().at("/institution"), shown.json());
    let list = format!("{FC}/accounts?expand[]=data.institution");
    assert_eq!(preview(&app).get(&list).await.ok().at("/data/0/institution"), shown.json());
    insta::assert_snapshot!(app.get(&path).await.api_error(), @"400 - expand: The property 'institution' cannot be expanded.");
}

/// A session with `filters[institution]` begins at the consent of that bank and offers no other, in a
/// browser and with the helper. Only previews take and show it.
#[tokio::test]
async fn a_session_of_one_institution() {
    let (app, customer) = App::with_customer().await;
    let id = bank(&app, "Bank (OAuth)").await;
    let form = format!("{HOLDER}={customer}&permissions[]=balances&filters[institution]={id}");
    let sessions = format!("{FC}/sessions");
    let session = preview(&app).post(&sessions, &form).await.ok();
    assert_eq!(session.at("/filters/institution"), id);
    let general = app.get(&format!("{sessions}/{}", session.id())).await.ok();
    assert!(general.at("/filters").get("institution").is_none(), "{}", general.body);

    let browser = Browser::open(&app, &session).await;
    let page = read(&browser.page().await);
    assert!(page.contains("Connect your account to") && page.contains("Bank (OAuth)"), "{page}");
    assert!(!page.contains("Use an account I connected before"), "{page}");
    // A step back leads to no list of banks.
    assert!(read(&browser.step("back", "").await).contains("Connect your account to"));
    let wrong =
        format!("client_secret={}&institution=Test (Non-OAuth)", session.text("/client_secret"));
    let mut told = app.post(&format!("{HELPERS}/link"), &wrong).await.api_error();
    let ended = app.link(&session, "").await;
    assert_eq!(ended.at("/accounts/data/0/institution_name"), "Bank (OAuth)");

    let down = bank(&app, DOWN).await;
    for (client, filter) in [
        (preview(&app), "fcinst_x"),
        (preview(&app), "fcinst_00000000001DKIW8Qzo59LSR"),
        (preview(&app), down.as_str()),
        (app.in_version("2026-11-18.endive"), id.as_str()),
    ] {
        let form =
            format!("{HOLDER}={customer}&permissions[]=balances&filters[institution]={filter}");
        let _ = write!(told, "\n{}", client.post(&sessions, &form).await.api_error());
    }
    insta::assert_snapshot!(told.replace(&id, "fcinst_…"), @"
    400 - institution: filters[institution] of the carrier is Bank (OAuth).

    404 resource_missing filters[institution]: No such Financial Connections institution:
      'fcinst_x'. This server has institutions of its own. In a preview version, GET /v1/
      financial_connections/institutions lists their ids.

    404 resource_missing filters[institution]: No such Financial Connections institution:
      'fcinst_…'. This server has institutions of its own. In a preview version, GET /v1/
      financial_connections/institutions lists their ids.

    400 financial_connections_institution_unavailable filters[institution]: Down (Unscheduled)
      accepts no logins now. Try again later, or leave out the institution.

    400 parameter_unknown filters[institution]: Received unknown parameter: filters[institution]
    ");
}

/// Payment objects send their holder to one institution, too. Only previews take and show it.
#[tokio::test]
async fn payment_objects_of_one_institution() {
    let (app, customer) = App::with_gold_and_customer().await;
    let id = bank(&app, "Bank (OAuth)").await;
    let options = format!("{BANK}[filters][institution]={id}");
    let settings = format!(
        "payment_settings{}",
        options.replacen("payment_method_options", "[payment_method_options]", 1)
    );
    let items = "items[0][price_data][currency]=usd&items[0][price_data][product]=gold\
                 &items[0][price_data][unit_amount]=500&items[0][price_data][recurring][interval]=month";
    let down = bank(&app, DOWN).await;
    let mut told = String::new();
    for (path, form, own, place) in [
        ("/v1/payment_intents", "amount=100&currency=usd".to_owned(), &options, ""),
        ("/v1/setup_intents", String::new(), &options, ""),
        ("/v1/invoices", format!("customer={customer}"), &settings, "/payment_settings"),
        (
            "/v1/subscriptions",
            format!("customer={customer}&payment_behavior=default_incomplete&{items}"),
            &settings,
            "/payment_settings",
        ),
    ] {
        let form = format!("{form}&{own}");
        let made = preview(&app).post(path, &form).await.ok();
        let filters =
            format!("{place}/payment_method_options/us_bank_account/financial_connections/filters");
        assert_eq!(made.at(&filters), json!({"institution": id}), "{path}");
        let general = app.get(&format!("{path}/{}", made.id())).await.ok();
        let connections = general.at(filters.trim_end_matches("/filters"));
        assert!(connections.get("filters").is_none(), "{path} {connections}");
        if place.is_empty() {
            app.link_carrier(&made.id(), "").await.ok();
            let newest = app.get(&format!("{FC}/accounts?limit=1")).await.ok();
            assert_eq!(newest.at("/data/0/institution_name"), "Bank (OAuth)", "{path}");
        }
        let reply = app.post(path, &form).await;
        let _ = writeln!(told, "{path}\n{}", reply.api_error());
        let reply = preview(&app).post(path, &form.replace(&id, &down)).await;
        let _ = writeln!(told, "{}", reply.api_error());
    }
    insta::assert_snapshot!(told, @"
    /v1/payment_intents
    400 parameter_unknown
      payment_method_options[us_bank_account][financial_connections][filters][institution]: Received
      unknown parameter:
      payment_method_options[us_bank_account][financial_connections][filters][institution]

    400 financial_connections_institution_unavailable
      payment_method_options[us_bank_account][financial_connections][filters][institution]: Down
      (Unscheduled) accepts no logins now. Try again later, or leave out the institution.

    /v1/setup_intents
    400 parameter_unknown
      payment_method_options[us_bank_account][financial_connections][filters][institution]: Received
      unknown parameter:
      payment_method_options[us_bank_account][financial_connections][filters][institution]

    400 financial_connections_institution_unavailable
      payment_method_options[us_bank_account][financial_connections][filters][institution]: Down
      (Unscheduled) accepts no logins now. Try again later, or leave out the institution.

    /v1/invoices
    400 parameter_unknown
      payment_settings[payment_method_options][us_bank_account][financial_connections][filters][institution]:
      Received unknown parameter:
      payment_settings[payment_method_options][us_bank_account][financial_connections][filters][institution]

    400 financial_connections_institution_unavailable
      payment_settings[payment_method_options][us_bank_account][financial_connections][filters][institution]:
      Down (Unscheduled) accepts no logins now. Try again later, or leave out the institution.

    /v1/subscriptions
    400 parameter_unknown
      payment_settings[payment_method_options][us_bank_account][financial_connections][filters][institution]:
      Received unknown parameter:
      payment_settings[payment_method_options][us_bank_account][financial_connections][filters][institution]

    400 financial_connections_institution_unavailable
      payment_settings[payment_method_options][us_bank_account][financial_connections][filters][institution]:
      Down (Unscheduled) accepts no logins now. Try again later, or leave out the institution.
    ");
}
