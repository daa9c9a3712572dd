//! A prefetch at the link, and the subscription that follows.

use testkit::{App, DAY_S, HELPERS};

const REFRESH: &str = "/transaction_refresh/id";

/// Links an account with a prefetch of its transactions and returns its id.
async fn prefetched(app: &App) -> String {
    let session = app.session(&app.customer().await, "prefetch[]=transactions").await;
    app.link(&session, "").await.text("/accounts/data/0/id")
}

async fn refresh_of(app: &App, account: &str) -> String {
    app.get(&format!("{}/accounts/{account}", testkit::FC)).await.ok().text(REFRESH)
}

/// A new subscription starts no second refresh while the prefetch is pending, after it has succeeded and
/// after it has failed.
#[tokio::test]
async fn serves_a_subscription() {
    let app = App::start().await;
    let pending = prefetched(&app).await;
    let refresh = refresh_of(&app, &pending).await;
    assert_eq!(app.subscribe(&pending).await.text(REFRESH), refresh);

    let succeeded = prefetched(&app).await;
    app.run_workers_until_idle().await;
    let refresh = refresh_of(&app, &succeeded).await;
    let subscribed = app.subscribe(&succeeded).await;
    assert_eq!(subscribed.text(REFRESH), refresh);
    assert_eq!(subscribed.at("/subscriptions/0"), "transactions");

    let failed = prefetched(&app).await;
    let script = format!("{HELPERS}/accounts/{failed}/next_refresh");
    let outcome = "feature=transactions&outcome=failed&cause=institution_timeout";
    app.post(&script, outcome).await.ok();
    app.run_workers_until_idle().await;
    let refresh = refresh_of(&app, &failed).await;
    assert_eq!(app.subscribe(&failed).await.text(REFRESH), refresh);
    app.run_workers_until_idle().await;
    let ended = "/v1/events?type=financial_connections.account.refreshed_transactions";
    assert_eq!(app.count(ended).await, 3);
}

/// A subscription starts a refresh after a prefetch of an earlier day, and after a refresh on request.
#[tokio::test]
async fn serves_only_as_the_newest_refresh_of_a_day() {
    let app = App::start().await;
    let old = prefetched(&app).await;
    let requested = prefetched(&app).await;
    app.run_workers_until_idle().await;
    app.refresh(&requested, "transactions").await;
    app.run_workers_until_idle().await;
    let refresh = refresh_of(&app, &requested).await;
    assert_ne!(app.subscribe(&requested).await.text(REFRESH), refresh);

    app.pass_s(DAY_S);
    let refresh = refresh_of(&app, &old).await;
    assert_ne!(app.subscribe(&old).await.text(REFRESH), refresh);
}

/// A second subscription starts a refresh as before, because the first one was served.
#[tokio::test]
async fn serves_the_first_subscription_only() {
    let app = App::start().await;
    let account = prefetched(&app).await;
    app.run_workers_until_idle().await;
    let refresh = app.subscribe(&account).await.text(REFRESH);
    assert_ne!(app.subscribe(&account).await.text(REFRESH), refresh);
}
