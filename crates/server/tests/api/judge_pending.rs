//! The client checker: reads during a refresh, ignored errors, missing endpoints, and the number of
//! refreshes per day.

use crate::judge::{FINISHED, REPORT, found, walk};
use engine::Settings;
use testkit::{App, FC, HELPERS, Options, Recorder};

/// A server with banks that respond after this many milliseconds, and a linked account.
async fn with_delay(refresh_delay_ms: i64) -> (App, String) {
    let settings = Settings { refresh_delay_ms, ..Settings::default() };
    let app = App::with(Options { settings, ..Options::default() }).await;
    let account = app.account().await;
    app.run_workers_until_idle().await;
    (app, account)
}

/// The codes of the findings of a client that has finished.
async fn codes(app: &App) -> Vec<String> {
    let findings = app.get(FINISHED).await.ok().items("/findings");
    findings.iter().map(|finding| finding["code"].as_str().unwrap().to_owned()).collect()
}

fn list(account: &str) -> String {
    format!("{FC}/transactions?account={account}&limit=100")
}

/// A client that lists right after it asked for a refresh has the data of before the refresh. It is
/// reported until it lists again after the end. Of twelve public programs, eight do this. At the
/// default speed of the test bank they are seldom caught.
#[tokio::test]
async fn lists_while_the_refresh_is_pending() {
    let (app, account) = with_delay(3_000).await;
    let endpoint = Recorder::start().await.unwrap();
    app.refresh(&account, "transactions").await;
    app.pass_s(3);
    app.run_workers_until_idle().await;
    walk(&app, &list(&account)).await;
    app.get(&format!("{FC}/accounts/{account}")).await.ok();
    assert_eq!(codes(&app).await, [""; 0]);
    app.refresh(&account, "transactions").await;
    walk(&app, &list(&account)).await;
    assert_eq!(found(&app, REPORT).await, "");
    let pending =
        "  1 read_while_pending of account\n    listed while the refresh was pending (request )\n";
    assert_eq!(found(&app, FINISHED).await, pending);
    app.pass_s(3);
    app.run_workers_until_idle().await;
    app.get(&format!("{FC}/accounts/{account}")).await.ok();
    assert_eq!(found(&app, FINISHED).await, pending);
    walk(&app, &list(&account)).await;
    assert_eq!(found(&app, FINISHED).await, "");
    // The event of the next refresh makes up for the early list, because it is read.
    app.endpoint(&endpoint.url, "financial_connections.account.refreshed_transactions", "").await;
    app.refresh(&account, "transactions").await;
    walk(&app, &list(&account)).await;
    app.pass_s(3);
    app.run_workers_until_idle().await;
    assert_eq!(codes(&app).await, ["event_not_read"]);
    walk(&app, &list(&account)).await;
    assert_eq!(found(&app, FINISHED).await, "");
}

/// The same holds for the balance, which the account contains. A poller that reads on is not
/// reported.
#[tokio::test]
async fn retrieves_while_the_refresh_is_pending() {
    let (app, account) = with_delay(3_000).await;
    let path = format!("{FC}/accounts/{account}");
    app.refresh(&account, "balance").await;
    app.get(&path).await.ok();
    assert_eq!(
        found(&app, FINISHED).await,
        "  1 read_while_pending of account\n    \
         retrieved the account while the refresh of balance was pending (request )\n"
    );
    app.pass_s(3);
    app.run_workers_until_idle().await;
    assert_eq!(codes(&app).await, ["read_while_pending", "no_endpoint"]);
    app.get(&path).await.ok();
    assert_eq!(codes(&app).await, [""; 0]);
}

/// Without a delay the refresh is over before the client reads, so its habit is not seen.
#[tokio::test]
async fn speed_hides_the_habit() {
    let (app, account) = with_delay(0).await;
    app.refresh(&account, "transactions").await;
    app.run_workers_until_idle().await;
    walk(&app, &list(&account)).await;
    assert_eq!(codes(&app).await, ["no_endpoint"]);
}

/// A rejected call is reported until the client acts: it lists with success, starts a refresh,
/// retrieves the account, or has it linked again.
#[tokio::test]
async fn ignores_an_error() {
    let (app, account) = with_delay(3_000).await;
    app.get(&list(&account)).await;
    assert_eq!(codes(&app).await, [""; 0], "a person may have looked");
    app.refresh(&account, "transactions").await;
    app.get(&list(&account)).await;
    app.get(&list(&account)).await;
    let ignored = "  2 error_ignored of account\n    \
                   listed transactions though no refresh has succeeded (request )\n";
    assert_eq!(found(&app, REPORT).await, "");
    assert_eq!(found(&app, FINISHED).await, ignored);
    app.pass_s(3);
    app.run_workers_until_idle().await;
    walk(&app, &list(&account)).await;
    app.get(&format!("{FC}/accounts/{account}")).await.ok();
    assert_eq!(codes(&app).await, [""; 0]);
    app.post(&format!("{HELPERS}/accounts/{account}/deactivate"), "").await.ok();
    for call in ["refresh", "subscribe"] {
        let features = "features[]=transactions";
        app.post(&format!("{FC}/accounts/{account}/{call}"), features).await;
    }
    let inactive = "  2 error_ignored of account\n    \
                    called for data of an account that is not active (request )\n";
    assert_eq!(found(&app, FINISHED).await, inactive);
    app.get(&format!("{FC}/accounts/{account}")).await.ok();
    assert_eq!(found(&app, FINISHED).await, "");
}

/// An event that no endpoint receives is reported if the client started refreshes of its feature and
/// neither retrieved the account nor listed events since. An endpoint that only prints is none.
#[tokio::test]
async fn has_no_endpoint() {
    let (app, account) = with_delay(0).await;
    let printing = Recorder::start().await.unwrap();
    app.endpoint(&printing.url, "*", "metadata[bankfeed_listen]=printing").await;
    let report = "  2 no_endpoint of account\n    \
                  refreshed_balance was created, and no endpoint receives it ( event)\n";
    for looks in [format!("{FC}/accounts/{account}"), "/v1/events".to_owned()] {
        for _ in 0..2 {
            app.refresh(&account, "balance").await;
            app.run_workers_until_idle().await;
        }
        assert_eq!(found(&app, FINISHED).await, report);
        app.get(&looks).await.ok();
        assert_eq!(found(&app, FINISHED).await, "");
    }
    // An account is of no interest if the client did not start its refreshes.
    let other = app.account().await;
    app.get(&format!("{FC}/accounts/{other}")).await.ok();
    app.run_workers_until_idle().await;
    assert_eq!(found(&app, FINISHED).await, "");
    let endpoint = Recorder::start().await.unwrap();
    app.endpoint(&endpoint.url, "*", "").await;
    app.refresh(&account, "balance").await;
    app.run_workers_until_idle().await;
    assert_eq!(found(&app, FINISHED).await, "");
}

/// A test that waits for events by a test helper needs no endpoint.
#[tokio::test]
async fn waits_in_place_of_an_endpoint() {
    for wait in ["events/wait?timeout=0", "settled?timeout=0"] {
        let (app, account) = with_delay(0).await;
        app.refresh(&account, "balance").await;
        app.run_workers_until_idle().await;
        assert_eq!(codes(&app).await, ["no_endpoint"]);
        app.get(&format!("/v1/test_helpers/{wait}")).await.ok();
        app.refresh(&account, "balance").await;
        app.run_workers_until_idle().await;
        assert_eq!(codes(&app).await, [""; 0], "{wait}");
    }
}

/// The report counts the refreshes that calls started, by account and day of the account's clock.
/// Stripe charges for refreshes.
#[tokio::test]
async fn counts_refreshes() {
    let (app, account) = with_delay(0).await;
    for (features, days) in [("balance", 0), ("transactions", 0), ("balance", 1)] {
        app.pass_s(days * 86_400);
        app.refresh(&account, features).await;
        app.run_workers_until_idle().await;
    }
    let report = app.get(REPORT).await.ok();
    let count = |date: &str, transactions: i64| {
        serde_json::json!({
            "object": "bankfeed.refresh_count", "account": account, "date": date,
            "balance": 1, "ownership": 0, "transactions": transactions,
        })
    };
    assert_eq!(report.items("/refreshes"), [count("2026-01-01", 1), count("2026-01-02", 0)]);
}

/// A webhook in test mode is sent after the delay, and no earlier.
#[tokio::test]
async fn webhooks_are_late() {
    let settings = Settings { webhook_delay_ms: 2_000, ..Settings::default() };
    let app = App::with(Options { settings, ..Options::default() }).await;
    let endpoint = Recorder::start().await.unwrap();
    app.endpoint(&endpoint.url, "*", "").await;
    let account = app.account().await;
    app.refresh(&account, "balance").await;
    app.run_workers_until_idle().await;
    app.pass_ms(1_999);
    app.run_workers_until_idle().await;
    assert!(endpoint.posts_so_far().is_empty());
    app.pass_ms(1);
    app.run_workers_until_idle().await;
    assert!(!endpoint.posts_so_far().is_empty());
}
