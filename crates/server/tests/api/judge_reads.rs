//! The client checker: the calls that count as reading, and the listings that count as complete.

use crate::judge::{FINISHED, Integration, REPORT, found};
use testkit::{App, FC, Recorder};

/// A filter that excludes no row has no effect. A listing that excludes a part of the reported rows
/// has not read them, both by the bank's time and by the event's own refresh.
#[tokio::test]
async fn filters_count_by_what_they_leave_out() {
    let read = async |filter: &str| {
        let client = Integration::start().await;
        client.plans(&[&client.list(filter)], 200);
        client.refresh_transactions().await;
        found(&client.app, FINISHED).await
    };
    let whole = ["&transacted_at[lte]=4102444800", "&transacted_at[gte]=1"];
    for filter in whole.map(|filter| format!("{filter}&limit=100")) {
        assert_eq!(read(&filter).await, "", "{filter}");
    }
    for filter in whole.map(|filter| format!("{filter}&limit=5")) {
        let page = "  1 paging_stopped of account\n    \
                    read one page, and has_more was true (request event)\n";
        assert_eq!(read(&filter).await, page, "{filter}");
    }
    let unread = "  1 event_not_read of account\n    \
                  delivered, and no list of transactions since that brings it whole ( event)\n";
    for filter in ["&transacted_at=1", "&transacted_at[gte]=1767100000&limit=100"] {
        assert_eq!(read(filter).await, unread, "{filter}");
    }
    let client = Integration::start().await;
    let refresh = client.refresh_transactions().await;
    let of_itself = client.list(&format!("&transaction_refresh[after]={refresh}"));
    client.app.get(&of_itself).await.ok();
    assert_eq!(found(&client.app, FINISHED).await, unread);
}

/// The responses of a target that only prints are not reported. Without any observation of a key,
/// its report says so.
#[tokio::test]
async fn printing_is_no_client() {
    let verdict = async |app: &App| app.get(FINISHED).await.ok().text("/verdict");
    let app = App::start().await;
    assert_eq!(verdict(&app).await, "nothing_seen");
    let receiver = Recorder::start().await.unwrap();
    app.endpoint(&receiver.url, "*", "metadata[bankfeed_listen]=printing").await;
    let account = app.account().await;
    app.refresh(&account, "transactions").await;
    app.run_workers_until_idle().await;
    app.get(&format!("{FC}/accounts/{account}")).await.ok();
    assert_eq!(verdict(&app).await, "nothing_found");
    let report = app.get(FINISHED).await.ok();
    assert_eq!((report.items("/findings"), report.at("/watched/attempts")), (Vec::new(), 0.into()));
}

/// A listing without a next page for a minute counts as abandoned, even if the client has not
/// finished.
#[tokio::test]
async fn names_what_stays_undone() {
    let client = Integration::start().await;
    client.plans(&[&client.list("")], 200);
    client.refresh_transactions().await;
    for wait_s in [59, 1] {
        client.app.pass_s(wait_s);
        let shown = found(&client.app, REPORT).await;
        assert_eq!(shown.contains("paging_stopped"), wait_s == 1, "{shown}");
    }
}
