//! Inferred balances and subscriptions to balances, in previews.

use crate::relinks::account;
use serde_json::json;
use std::fmt::Write as _;
use testkit::{App, BEGIN_S, Client, DAY_S, FC, HELPERS, HOLDER, Response, show};

const PREVIEW: &str = "2026-09-30.preview";
const GENERAL: [&str; 3] = ["2026-08-26.dahlia", "2026-11-18.endive", "2024-06-20"];
const INFERRED: &str = "features[]=inferred_balances";

fn preview(app: &App) -> Client {
    app.in_version(PREVIEW)
}

async fn inferred(app: &App, id: &str, more: &str) -> Response {
    preview(app).get(&format!("{FC}/accounts/{id}/inferred_balances?{more}")).await.ok()
}

/// One balance a day leads back from the bank's balance through the posted transactions. Its keys are
/// those of stripe-python 16.1.0b1.
#[tokio::test]
async fn balances_of_past_days() {
    let (app, id) = App::with_account().await;
    assert!(account(&app, &id).await.at("/inferred_balances_refresh").is_null());
    assert!(inferred(&app, &id, "").await.items("/data").is_empty());
    app.refresh(&id, "transactions").await;
    let path = format!("{FC}/accounts/{id}/refresh");
    let started = preview(&app).post(&path, INFERRED).await.ok();
    assert_eq!(started.at("/inferred_balances_refresh/status"), "pending");
    app.run_workers_until_idle().await;
    let shown = account(&app, &id).await;
    assert_eq!(shown.at("/inferred_balances_refresh/status"), "succeeded");
    assert!(shown.at("/inferred_balances_refresh").get("id").is_none());
    assert!(shown.at("/balance").is_null(), "the balance has a refresh of its own");

    let list = inferred(&app, &id, "limit=100").await;
    let days = list.items("/data");
    insta::assert_snapshot!(show::value(&days[0]), @r#"
    {
      as_of: 1767225599
      current: { usd: 306294 }
      id: "fcinfbal_…"
      object: "financial_connections.account_inferred_balance"
    }
    "#);
    for (place, day) in days.iter().enumerate() {
        let end = BEGIN_S.div_euclid(DAY_S) * DAY_S - 1 - i64::try_from(place).unwrap() * DAY_S;
        assert_eq!(day["as_of"], end);
    }
    // From one day to the next, the balance changes by the transactions that were posted in between.
    let rows = app.get(&format!("{FC}/transactions?account={id}&limit=100")).await.ok();
    let rows = rows.items("/data");
    for pair in days.windows(2).take(20) {
        let [from, to] = [&pair[1]["as_of"], &pair[0]["as_of"]].map(|at| at.as_i64().unwrap());
        let posted = rows.iter().filter(|row| row["status"] == "posted").filter(|row| {
            row["status_transitions"]["posted_at"].as_i64().is_some_and(|at| from < at && at <= to)
        });
        let sum: i64 = posted.map(|row| row["amount"].as_i64().unwrap()).sum();
        let [older, newer] =
            [&pair[1], &pair[0]].map(|day| day["current"]["usd"].as_i64().unwrap());
        assert_eq!(newer - older, sum, "{to}");
    }
    assert!(days.len() > 20, "{}", days.len());

    let after = format!("limit=2&starting_after={}", days[0]["id"].as_str().unwrap());
    let second = inferred(&app, &id, &after).await;
    assert_eq!(second.items("/data"), days[1..3]);
}

/// A subscription refreshes balances and inferred balances once a day, beside the transactions.
#[tokio::test]
async fn daily_subscriptions() {
    let (app, customer, clock) = App::on_clock().await;
    let session = app.session(&customer, "").await;
    let id = app.link(&session, "").await.text("/accounts/data/0/id");
    let subscribe = format!("{FC}/accounts/{id}/subscribe");
    let form = format!("{INFERRED}&features[]=balance");
    let subscribed = preview(&app).post(&subscribe, &form).await.ok();
    assert_eq!(subscribed.at("/subscriptions"), json!(["balance", "inferred_balances"]));
    assert_eq!(subscribed.at("/balance_refresh/status"), "pending");
    app.subscribe(&id).await;
    let general = app.get(&format!("{FC}/accounts/{id}")).await.ok();
    assert_eq!(general.at("/subscriptions"), json!(["transactions"]));
    app.advance(&clock, BEGIN_S + 3 * DAY_S).await;
    let shown = account(&app, &id).await;
    for key in ["balance_refresh", "inferred_balances_refresh", "transaction_refresh"] {
        let at = shown.at(&format!("/{key}/last_attempted_at"));
        assert!(at.as_i64().unwrap() > BEGIN_S + 2 * DAY_S, "{key} {at}");
    }
    let newest = inferred(&app, &id, "limit=1").await.at("/data/0/as_of").as_i64().unwrap();
    assert!(newest > BEGIN_S + DAY_S, "{newest}");

    let unsubscribe = format!("{FC}/accounts/{id}/unsubscribe");
    let left =
        preview(&app).post(&unsubscribe, &format!("{form}&features[]=transactions")).await.ok();
    assert_eq!(left.at("/subscriptions"), json!([]));
    app.advance(&clock, BEGIN_S + 5 * DAY_S).await;
    assert_eq!(
        account(&app, &id).await.at("/balance_refresh/last_attempted_at"),
        shown.at("/balance_refresh/last_attempted_at")
    );
}

/// A link can prefetch inferred balances. The end of their refresh has an event for endpoints of
/// previews, and a thin event in every version (types of stripe-python 16.1.0).
#[tokio::test]
async fn prefetch_and_events() {
    let (app, customer) = App::with_customer().await;
    let [in_preview, general, thin] = App::three_receivers().await;
    app.endpoint(&in_preview.url, "*", &format!("api_version={PREVIEW}")).await;
    app.endpoint(&general.url, "*", "").await;
    app.thin_destination(
        &thin.url,
        "v1.financial_connections.account.inferred_balances_refresh_succeeded",
    )
    .await;
    let form = format!(
        "{HOLDER}={customer}&permissions[]=balances&permissions[]=transactions&prefetch[]=inferred_balances"
    );
    let session = preview(&app).post(&format!("{FC}/sessions"), &form).await.ok();
    assert_eq!(session.at("/prefetch"), json!(["inferred_balances"]));
    app.link(&session, "").await;
    app.run_workers_until_idle().await;
    let types =
        |posts: &[Response]| posts.iter().map(|post| post.text("/type")).collect::<Vec<_>>();
    let refreshed = "financial_connections.account.refreshed_inferred_balances".to_owned();
    assert!(types(&in_preview.take()).contains(&refreshed));
    assert!(!types(&general.take()).contains(&refreshed));
    assert_eq!(
        types(&thin.take()),
        ["v1.financial_connections.account.inferred_balances_refresh_succeeded"]
    );

    let bank = "payment_method_options[us_bank_account][financial_connections]";
    let form = format!(
        "amount=100&currency=usd&{bank}[permissions][]=payment_method&{bank}[permissions][]=balances\
         &{bank}[permissions][]=transactions&{bank}[prefetch][]=inferred_balances"
    );
    let made = preview(&app).post("/v1/payment_intents", &form).await.ok();
    app.link_carrier(&made.id(), "").await.ok();
    let newest = preview(&app).get(&format!("{FC}/accounts?limit=1")).await.ok();
    assert_eq!(newest.at("/data/0/inferred_balances_refresh/status"), "pending");
}

/// General versions know neither the call nor the words, and permissions are required.
#[tokio::test]
async fn api_errors() {
    let (app, customer) = App::with_customer().await;
    let id = app.account().await;
    let account = format!("{FC}/accounts/{id}");
    let session =
        format!("{HOLDER}={customer}&permissions[]=balances&prefetch[]=inferred_balances");
    let mut told = String::new();
    for version in GENERAL {
        let client = app.in_version(version);
        let list = client.get(&format!("{account}/inferred_balances")).await;
        assert!(
            list.status == 404 && list.body.contains("Unrecognized request URL"),
            "{}",
            list.body
        );
        let replies = [
            client.post(&format!("{account}/refresh"), INFERRED).await,
            client.post(&format!("{account}/subscribe"), INFERRED).await,
            client.post(&format!("{account}/unsubscribe"), "features[]=balance").await,
            client.post(&format!("{FC}/sessions"), &session).await,
            client
                .post(
                    &format!("{HELPERS}/accounts/{id}/next_refresh"),
                    "feature=inferred_balances&outcome=failed",
                )
                .await,
        ];
        let errors: Vec<String> = replies.iter().map(Response::api_error).collect();
        if told.is_empty() {
            told = errors.join("\n");
        }
        assert_eq!(told, errors.join("\n"), "{version}");
    }
    let client = preview(&app);
    let _ =
        write!(told, "\n{}", client.post(&format!("{FC}/sessions"), &session).await.api_error());
    let bare = format!("{HOLDER}={customer}&permissions[]=balances");
    let bare = client.post(&format!("{FC}/sessions"), &bare).await.ok();
    let bare = app.link(&bare, "accounts[]=Savings").await.text("/accounts/data/0/id");
    let bare = format!("{FC}/accounts/{bare}");
    for reply in [
        client.post(&format!("{bare}/refresh"), INFERRED).await,
        client.post(&format!("{bare}/subscribe"), INFERRED).await,
        client.get(&format!("{bare}/inferred_balances")).await,
        client.get(&format!("{FC}/accounts/fca_x/inferred_balances")).await,
        client.get(&format!("{account}/inferred_balances?starting_after=fcinfbal_x")).await,
        client.post(&format!("{account}/subscribe"), "features[]=ownership").await,
    ] {
        let _ = write!(told, "\n{}", reply.api_error());
    }
    app.post(&format!("{account}/disconnect"), "").await.ok();
    let gone = client.get(&format!("{account}/inferred_balances")).await;
    let _ = write!(told, "\n{}", gone.api_error());
    insta::assert_snapshot!(told, @"
    400 - features[0]: Invalid features[0]: must be one of balance, ownership, or transactions

    400 - features[0]: Invalid features[0]: must be transactions

    400 - features[0]: Invalid features[0]: must be transactions

    400 - prefetch[0]: Invalid prefetch[0]: must be one of balances, ownership, or transactions

    400 - feature: Invalid feature: must be one of balance, ownership, or transactions

    400 - prefetch[0]: To prefetch inferred_balances, ask for the permission transactions too.

    400 - features[0]: The holder of this account did not grant the permission transactions; link it
      again with a session that asks for it.

    400 - features[0]: The holder of this account did not grant the permission transactions; link it
      again with a session that asks for it.

    400 - account: The holder of this account did not grant the permission transactions; link it
      again with a session that asks for it.

    404 resource_missing account: No such Financial Connections account: 'fca_x'

    400 resource_missing starting_after: No such inferred balance: 'fcinfbal_x'

    400 - features[0]: Invalid features[0]: must be one of balance, inferred_balances, or
      transactions

    400 financial_connections_account_inactive account: The account was disconnected, so its data
      can no longer be read.
    ");
    let failed = app.account().await;
    let script = format!("{HELPERS}/accounts/{failed}/next_refresh");
    client.post(&script, "feature=inferred_balances&outcome=failed").await.ok();
    client.post(&format!("{FC}/accounts/{failed}/refresh"), INFERRED).await.ok();
    app.run_workers_until_idle().await;
    let shown = client.get(&format!("{FC}/accounts/{failed}")).await.ok();
    assert_eq!(shown.at("/inferred_balances_refresh/status"), "failed");
}
