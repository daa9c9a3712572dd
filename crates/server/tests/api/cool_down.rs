//! The time between two refreshes.

use engine::Settings;
use engine::settings::CoolDown;
use model::clock::AccountTime;
use testkit::{App, BEGIN_S, FC, Options};

const SHOWN: &str = "/balance_refresh/next_refresh_available_at";

/// A server with a cool-down of this many seconds in test mode.
pub(crate) async fn server_with_cool_down(seconds: i64) -> App {
    let cool_down_test = CoolDown::of(seconds);
    let settings = Settings { cool_down_test, ..Settings::default() };
    App::with(Options { settings, ..Options::default() }).await
}

/// The same, with a linked account.
pub(crate) async fn with_cool_down(seconds: i64) -> (App, String) {
    let app = server_with_cool_down(seconds).await;
    let account = app.account().await;
    (app, account)
}

/// Requests a refresh, runs it, and returns true if one was started.
async fn refreshes(app: &App, account: &str) -> bool {
    let started = app.refresh(account, "balance").await.header("stripe-notice").is_none();
    app.run_workers_until_idle().await;
    started
}

/// By default a refresh may start in test mode as soon as the last one has ended, within the same
/// second.
#[tokio::test]
async fn there_is_none_by_default() {
    let (app, account) = App::with_account().await;
    app.pass_ms(200);
    for _ in 0..3 {
        assert!(refreshes(&app, &account).await);
    }
    let shown = app.get(&format!("{FC}/accounts/{account}")).await.ok();
    assert_eq!(shown.at(SHOWN), BEGIN_S);
}

/// The end of a cool-down is rounded up to a whole second, which the account shows. No refresh starts
/// before it, and one starts from that second on.
#[tokio::test]
async fn its_end_is_the_second_that_is_shown() {
    let (app, account) = with_cool_down(1).await;
    for (begin_ms, begin_s) in [(0, 0), (200, 1), (999, 3)] {
        app.pass_ms(begin_ms);
        assert!(refreshes(&app, &account).await, "at {begin_s} s and {begin_ms} ms");
        let end_s = begin_s + 1 + i64::from(begin_ms > 0);
        let shown = app.get(&format!("{FC}/accounts/{account}")).await.ok();
        assert_eq!(shown.at(SHOWN), BEGIN_S + end_s);
        app.pass_ms((end_s - begin_s) * 1_000 - begin_ms - 1);
        assert!(!refreshes(&app, &account).await);
        app.pass_ms(1);
    }
}

/// On a fixed time the end is not rounded, because that time has whole seconds only.
#[tokio::test]
async fn a_fixed_time_has_no_fractions() {
    let settings = Settings { cool_down_test: CoolDown::of(5), ..Settings::default() };
    let account_time = Some(AccountTime(BEGIN_S - 1_000));
    let app = App::with(Options { settings, account_time, ..Options::default() }).await;
    let account = app.account().await;
    app.pass_ms(200);
    assert!(refreshes(&app, &account).await);
    let shown = app.get(&format!("{FC}/accounts/{account}")).await.ok();
    assert_eq!(shown.at(SHOWN), BEGIN_S - 1_000 + 5);
}
