//! Sessions in previews: the merchant's own form of account numbers, and the event of a session.

use crate::browser::{Browser, read};
use serde_json::json;
use std::fmt::Write as _;
use testkit::{App, FC, HELPERS, HOLDER, Response};

const PREVIEW: &str = "2026-09-30.preview";
const OWN_FORM: &str = "manual_entry[mode]=custom";
const INTENT: &str = "amount=100&currency=usd";
const BANK: &str = "payment_method_options[us_bank_account][financial_connections]";

fn of(customer: &str) -> String {
    format!("{HOLDER}={customer}&permissions[]=balances&")
}

async fn make(app: &App, form: &str) -> Response {
    app.in_version(PREVIEW).post(&format!("{FC}/sessions"), form).await
}

/// A holder who leaves for the merchant's own form of account numbers cancels the session, in a browser
/// and with the helper (types of stripe-python 16.1.0b1). Only previews know that mode.
#[tokio::test]
async fn the_merchants_own_form() {
    let (app, customer) = App::with_customer().await;
    let own = of(&customer) + OWN_FORM;
    let session = make(&app, &own).await.ok();
    assert_eq!(session.at("/manual_entry"), json!({"mode": "custom"}));
    let browser = Browser::open(&app, &session).await;
    let page = browser.step("manual", "").await.ok();
    assert!(read(&page).contains("Continue where you started"), "{}", read(&page));

    let other = make(&app, &own).await.ok();
    app.link(&other, "outcome=custom_manual_entry").await;
    for session in [session, other] {
        let ended = app.session_in_preview(&session).await;
        assert_eq!(ended.at("/status"), "cancelled");
        assert_eq!(
            ended.at("/status_details"),
            json!({"cancelled": {"reason": "custom_manual_entry"}})
        );
    }

    let typed = make(&app, &(of(&customer) + "manual_entry[mode]=automatic")).await.ok();
    let form =
        format!("client_secret={}&outcome=custom_manual_entry", typed.text("/client_secret"));
    let mut told = app.post(&format!("{HELPERS}/link"), &form).await.api_error();
    for version in ["2026-08-26.dahlia", "2026-11-18.endive", "2025-12-15.clover"] {
        let reply = app.in_version(version).post(&format!("{FC}/sessions"), &own).await;
        let _ = write!(told, "\n{version}\n{}", reply.api_error());
    }
    let older =
        app.in_version("2025-12-15.preview").post(&format!("{FC}/sessions"), &own).await.ok();
    assert_eq!(older.at("/manual_entry"), json!({"mode": "custom"}));
    insta::assert_snapshot!(told, @"
    400 - outcome: This carrier has no form of its own for account numbers. Create it with
      manual_entry[mode]=custom.

    2026-08-26.dahlia
    400 - manual_entry[mode]: Invalid manual_entry[mode]: must be one of automatic or disabled

    2026-11-18.endive
    400 - manual_entry[mode]: Invalid manual_entry[mode]: must be one of automatic or disabled

    2025-12-15.clover
    400 parameter_unknown manual_entry: Received unknown parameter: manual_entry
    ");
}

/// General versions show no value of a preview: neither the mode `custom` nor the word
/// `inferred_balances` in `prefetch`, in a session and in the link requirements of an intent.
#[tokio::test]
async fn values_of_previews_stay_in_previews() {
    let (app, customer) = App::with_customer().await;
    let prefetch = "prefetch[]=balances&prefetch[]=inferred_balances&permissions[]=transactions";
    let session = make(&app, &format!("{}{OWN_FORM}&{prefetch}", of(&customer))).await.ok();
    let nested = "[permissions][]=payment_method&";
    let form = format!(
        "{INTENT}&{BANK}{nested}{BANK}[permissions][]=balances&{BANK}[permissions][]=transactions\
         &{BANK}[prefetch][]=balances&{BANK}[prefetch][]=inferred_balances"
    );
    let intent = app.in_version(PREVIEW).post("/v1/payment_intents", &form).await.ok();
    let paths = [
        (format!("{FC}/sessions/{}", session.id()), "/prefetch".to_owned()),
        (
            format!("/v1/payment_intents/{}", intent.id()),
            format!("/{}/prefetch", BANK.replace(']', "").replace('[', "/")),
        ),
    ];
    let mut seen = String::new();
    for version in [PREVIEW, "2026-08-26.dahlia", "2026-11-18.endive", "2026-06-24.dahlia"] {
        let _ = writeln!(seen, "{version}");
        for (path, list) in &paths {
            let shown = app.in_version(version).get(path).await.ok();
            let mode = shown.json().get("manual_entry").cloned();
            let _ = writeln!(seen, "  {} {}", shown.at(list), mode.unwrap_or_default());
        }
    }
    insta::assert_snapshot!(seen, @r#"
    2026-09-30.preview
      ["balances","inferred_balances"] {"mode":"custom"}
      ["balances","inferred_balances"] null
    2026-08-26.dahlia
      ["balances"] null
      ["balances"] null
    2026-11-18.endive
      ["balances"] null
      ["balances"] null
    2026-06-24.dahlia
      ["balances"] null
      ["balances"] null
    "#);
}

/// An intent has the same mode in previews. The holder leaves, and the intent still has no payment
/// method. General versions neither take nor show the mode.
#[tokio::test]
async fn intents_with_the_merchants_own_form() {
    let app = App::start().await;
    let form = format!("{INTENT}&{BANK}[manual_entry][mode]=custom");
    let preview = app.in_version(PREVIEW);
    let shown = format!("/{}", BANK.replace(']', "").replace('[', "/"));
    for (path, form) in [
        ("/v1/payment_intents", form.clone()),
        ("/v1/setup_intents", format!("{BANK}[manual_entry][mode]=custom")),
    ] {
        let intent = preview.post(path, &form).await.ok();
        assert_eq!(intent.at(&format!("{shown}/manual_entry")), json!({"mode": "custom"}));
        app.link_carrier(&intent.id(), "outcome=custom_manual_entry").await.ok();
        let general = app.get(&format!("{path}/{}", intent.id())).await.ok();
        assert_eq!(general.at("/status"), "requires_payment_method");
        assert!(general.at(&shown).get("manual_entry").is_none(), "{}", general.body);
    }
    let mut told = app.post("/v1/payment_intents", &form).await.api_error();
    let bad = form.replace("custom", "disabled");
    let _ = write!(told, "\n{}", preview.post("/v1/payment_intents", &bad).await.api_error());
    insta::assert_snapshot!(told, @"
    400 parameter_unknown
      payment_method_options[us_bank_account][financial_connections][manual_entry]: Received unknown
      parameter: payment_method_options[us_bank_account][financial_connections][manual_entry]

    400 - payment_method_options[us_bank_account][financial_connections][manual_entry][mode]:
      Invalid payment_method_options[us_bank_account][financial_connections][manual_entry][mode]:
      must be one of automatic or custom
    ");
}

/// The event of a session follows each change of its status, and only endpoints with a preview version
/// receive it. Callers of a preview read it, and other callers do not find it.
#[tokio::test]
async fn the_event_of_a_session() {
    let (app, customer) = App::with_customer().await;
    let [preview, general, named] = App::three_receivers().await;
    let session = app.session(&customer, "").await;
    app.link(&session, "outcome=cancel").await;
    // No endpoint of a preview existed, so there is no event.
    assert_eq!(
        app.in_version(PREVIEW)
            .get("/v1/events")
            .await
            .ok()
            .items("/data")
            .iter()
            .filter(|event| event["type"] == "financial_connections.session.updated")
            .count(),
        0
    );

    app.endpoint(&preview.url, "*", &format!("api_version={PREVIEW}")).await;
    app.endpoint(&general.url, "*", "api_version=2026-10-28.endive").await;
    app.endpoint(&named.url, "financial_connections.session.updated", "").await;
    let session = app.session(&customer, "").await;
    app.link(&session, "").await;
    app.run_workers_until_idle().await;
    let types =
        |posts: &[Response]| posts.iter().map(|post| post.text("/type")).collect::<Vec<_>>();
    let posts = preview.take();
    let mut received = types(&posts);
    received.sort();
    assert_eq!(
        received,
        ["financial_connections.account.created", "financial_connections.session.updated"]
    );
    assert_eq!(types(&general.take()), ["financial_connections.account.created"]);
    assert_eq!(types(&named.take()), Vec::<String>::new());

    let updated =
        posts.iter().find(|post| post.text("/type").ends_with("session.updated")).unwrap();
    assert_eq!(updated.at("/data/object/status"), "succeeded");
    assert_eq!(updated.at("/data/object/id"), session.id());
    assert_eq!(updated.items("/data/object/accounts/data").len(), 1);
    assert!(updated.at("/data/object/client_secret").is_null());
    let path = format!("/v1/events/{}", updated.id());
    let read = app.in_version(PREVIEW).get(&path).await.ok();
    assert_eq!(read.at("/data/object/status"), "succeeded");
    assert_eq!(app.get(&path).await.status, 404);
    // Test helpers know it in every version, so that a walk from event to event continues.
    let helpers = "/v1/test_helpers";
    app.get(&format!("{helpers}/deliveries?event={}", updated.id())).await.ok();
    app.customer().await;
    app.run_workers_until_idle().await;
    let next = format!("{helpers}/events/wait?timeout=0&after={}", updated.id());
    app.get(&next).await.ok();
    assert!(!app.event_types().await.contains(&updated.text("/type")));
}

/// Each event in preview has the newest preview wherever it is read, for callers of any preview. An
/// endpoint that takes such events has a version of its own, and receives them in it.
#[tokio::test]
async fn events_in_preview_have_one_version() {
    let (app, customer) = App::with_customer().await;
    let [receiver, ..] = App::three_receivers().await;
    app.endpoint(&receiver.url, "*", &format!("api_version={PREVIEW}")).await;
    let form = format!("{}permissions[]=transactions&prefetch[]=inferred_balances", of(&customer));
    let session = make(&app, &form).await.ok();
    app.link(&session, "").await;
    app.run_workers_until_idle().await;
    let posts = receiver.take();
    let mut seen = Vec::new();
    for event_type in [
        "financial_connections.session.updated",
        "financial_connections.account.refreshed_inferred_balances",
    ] {
        let post = posts.iter().find(|post| post.at("/type") == event_type).unwrap();
        let mut read = Vec::new();
        for version in [PREVIEW, "2025-12-15.preview"] {
            let app = app.in_version(version);
            read.push(app.get(&format!("/v1/events/{}", post.id())).await.ok().json());
            let list = app.get(&format!("/v1/events?type={event_type}")).await.ok();
            read.push(list.at("/data/0"));
        }
        read.dedup();
        let versions: Vec<String> =
            read.iter().map(|event| event["api_version"].to_string()).collect();
        seen.push(format!("{event_type} {} {}", versions.join(" "), post.text("/api_version")));
    }
    insta::assert_snapshot!(seen.join("\n"), @r#"
    financial_connections.session.updated "2026-11-18.preview" 2026-09-30.preview
    financial_connections.account.refreshed_inferred_balances "2026-11-18.preview" 2026-09-30.preview
    "#);
}
