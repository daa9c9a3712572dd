//! The bugs that the simulation found, each as the shortest list of calls or operations that shows
//! it.

use bankfeed_tests::app::{App, AppSettings, Kept};
use bankfeed_tests::call::call;
use bankfeed_tests::judge;
use bankfeed_tests::operation::Request;
use bankfeed_tests::steps::{Worker, run, run_for, run_until_idle};
use bankfeed_tests::world::block_on;
use model::bank::Feature;
use model::clock::Clock;
use std::pin::pin;
use store::ClaimRefreshes;

/// A bank that lists its whole window each time returned more pages than one refresh reads. The
/// refresh that continued from there wrongly voided the rows of the first one, as if they had
/// vanished.
#[test]
fn what_a_cut_off_refresh_stored_has_not_vanished() {
    block_on(async {
        let app = App::new(AppSettings { bank_page_rows: 1, ..AppSettings::on(Kept::Memory) });
        let customer = app.create_customer("cut.off@example.com", None).await;
        let account = app.link(&customer, "Test (Non-OAuth)", "Success", false).await;
        let account = account.expect("the account is linked");
        let features = [Feature::Transactions];
        let asked = app.engine().refresh_account(&app.context(), &account, &features).await;
        app.answered(asked).expect("the refresh is begun");
        run_until_idle(&app).await;
        let refresh = app.stored(&account).await.transaction_refresh;
        assert!(refresh.is_some_and(|state| state.sequence > 1), "one refresh is not enough");
        let list = judge::server_list(&app, &account).await;
        assert!(list.values().all(|row| row["status"] != "void"));
        judge::list_is_ledger(&app, &account, &list).await;
    });
}

/// Sends the writer enough commands to make the next caller wait.
async fn keep_writer_busy(app: &App) {
    let now = app.clock().server_now();
    for _ in 0..250 {
        let nothing =
            ClaimRefreshes { now, leased_until: now, limit: 0, free: 999, in_progress: vec![] };
        run_for(pin!(app.store().write(nothing)), 1).await;
    }
}

/// A test added a transaction at the bank at the moment when a refresh consumed its script. The
/// refresh ignored the version conflict of its own write. It restored the bank's state without the
/// transaction, although the addition had been acknowledged.
#[test]
fn a_refresh_that_takes_its_script_keeps_what_a_test_added() {
    block_on(async {
        let app = App::new(AppSettings::on(Kept::Sqlite));
        let customer = app.create_customer("script@example.com", None).await;
        let account = app.link(&customer, "No History", "Success", false).await;
        let account = account.expect("the account is linked");
        let script = Request::Script { feature: None, cause: None, delay_s: 0, times: 1 };
        call(&app, &account, &script).await.expect("the script is queued");
        let refresh = Request::Refresh(vec![Feature::Transactions]);
        call(&app, &account, &refresh).await.expect("the refresh is begun");
        // The busy writer makes the worker wait for its claim. After the claim, its job has not
        // read anything yet.
        keep_writer_busy(&app).await;
        let mut worker = pin!(run(&app, Worker::Refresh));
        assert!(!run_for(worker.as_mut(), 2).await);
        // The writer is busy again while the job reads the bank's state from before the addition.
        keep_writer_busy(&app).await;
        let request = Request::Add { amount: -500, posted: true, ago_s: 0 };
        let mut addition = pin!(call(&app, &account, &request));
        assert!(!run_for(addition.as_mut(), 1).await);
        let (added, _) = tokio::join!(addition, worker);
        let added = added.expect("the transaction is added");
        run_until_idle(&app).await;
        let ledger = app.show_ledger(&account).await.expect("a test bank shows its books");
        assert_eq!(ledger["transactions"][0], added);
    });
}
