//! Tests of the daily work of subscribed accounts. It runs once a day, on the server's days and on
//! those of a test clock, and only while an account is subscribed.
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test that cannot go on stops")]

use bankfeed_tests::app::{App, AppSettings, Kept};
use bankfeed_tests::steps::{Worker, run, run_until_idle};
use bankfeed_tests::world::block_on;
use model::bank::Feature;
use model::clock::DAY_S;

const DAYS: i64 = 30;
/// The features of a subscription.
const FEATURES: &[Feature] = &[Feature::Transactions];

/// The number of transaction refreshes of an account, all of which have ended.
async fn refreshes(app: &App, account: &str) -> u32 {
    let stored = app.stored(account).await;
    stored.transaction_refresh.map_or(0, |state| {
        assert!(!state.is_pending(), "{account} is at rest");
        state.sequence
    })
}

/// Creates a customer with two accounts: a subscribed one that was refreshed, and another one.
async fn linked(app: &App, email: &str, clock: Option<&str>) -> (String, String) {
    let customer = app.create_customer(email, clock).await;
    let subscribed = app.link(&customer, "Short History", "Success", false).await;
    let subscribed = subscribed.expect("the account is linked");
    let other = app.link(&customer, "Short History", "Savings", false).await;
    let other = other.expect("the account is linked");
    let answered = app.engine().subscribe_account(&app.context(), &subscribed, FEATURES).await;
    app.answered(answered).expect("it subscribes");
    run_until_idle(app).await;
    assert_eq!((refreshes(app, &subscribed).await, refreshes(app, &other).await), (1, 0));
    (subscribed, other)
}

/// Thirty single days of the server bring thirty refreshes to a subscribed account, and none to
/// another. Five days without a server bring one. After unsubscribing, none follow.
#[test]
fn thirty_days_bring_thirty_refreshes() {
    for kept in [Kept::Memory, Kept::Sqlite] {
        block_on(async {
            let app = App::new(AppSettings::on(kept));
            let (subscribed, other) = linked(&app, "plain@example.com", None).await;
            for day in 1..=DAYS {
                app.pass_s(DAY_S);
                run_until_idle(&app).await;
                assert_eq!(i64::from(refreshes(&app, &subscribed).await), 1 + day);
            }
            assert_eq!(refreshes(&app, &other).await, 0);
            app.pass_s(5 * DAY_S);
            run_until_idle(&app).await;
            assert_eq!(i64::from(refreshes(&app, &subscribed).await), 1 + DAYS + 1);
            let answered =
                app.engine().unsubscribe_account(&app.context(), &subscribed, FEATURES).await;
            app.answered(answered).expect("it unsubscribes");
            app.pass_s(3 * DAY_S);
            run_until_idle(&app).await;
            assert_eq!(i64::from(refreshes(&app, &subscribed).await), 1 + DAYS + 1);
        });
    }
}

/// Thirty days of a test clock, in one advance, bring thirty refreshes, each at its own time of the
/// clock and a day apart. The server's days bring none, and other accounts get none.
#[test]
fn thirty_days_of_a_clock_bring_thirty_refreshes() {
    for kept in [Kept::Memory, Kept::Sqlite] {
        block_on(async {
            let app = App::new(AppSettings::on(kept));
            let clock = app.create_clock().await;
            let (subscribed, other) = linked(&app, "clock@example.com", Some(&clock)).await;
            app.pass_s(7 * DAY_S);
            run_until_idle(&app).await;
            assert_eq!(refreshes(&app, &subscribed).await, 1);
            let begun = app.show_clock(&clock).await["frozen_time"].as_i64().unwrap();
            app.advance(&clock, DAYS * DAY_S).await.expect("the clock advances");
            run_until_idle(&app).await;
            let shown = app.show_clock(&clock).await;
            assert_eq!(shown["status"], "ready");
            assert_eq!(shown["frozen_time"], begun + DAYS * DAY_S);
            assert_eq!(i64::from(refreshes(&app, &subscribed).await), 1 + DAYS);
            assert_eq!(refreshes(&app, &other).await, 0);
            let times = refreshed_at(&app, &subscribed).await;
            assert_eq!(times.len(), 31);
            for days in times[1..].windows(2) {
                assert_eq!(days[1] - days[0], DAY_S, "{times:?}");
            }
            assert!(begun < times[1] && times[1] <= begun + DAY_S);
        });
    }
}

/// The times at which an account's transaction refreshes ended, in order, from their events.
async fn refreshed_at(app: &App, account: &str) -> Vec<i64> {
    let events = app.list_events("financial_connections.account.refreshed_transactions").await;
    let of_account = events.iter().filter(|event| event["data"]["object"]["id"] == account);
    of_account.rev().map(|event| event["created"].as_i64().unwrap()).collect()
}

/// A scheduler that runs twice at the same moment, or again before the refresh has ended, does not
/// start a second refresh.
#[test]
fn looking_twice_starts_one() {
    for kept in [Kept::Memory, Kept::Sqlite] {
        block_on(async {
            let app = App::new(AppSettings::on(kept));
            let (subscribed, _) = linked(&app, "plain@example.com", None).await;
            app.pass_s(DAY_S);
            tokio::join!(run(&app, Worker::Schedule), run(&app, Worker::Schedule));
            run(&app, Worker::Schedule).await;
            run_until_idle(&app).await;
            assert_eq!(refreshes(&app, &subscribed).await, 2);
        });
    }
}
