//! The client checker: its diagnostics of clients that lose data, and the absence of diagnostics of
//! correct clients.

use crate::cool_down::server_with_cool_down;
use serde_json::Value;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex};
use testkit::follower::REFRESHED;
use testkit::receiver::Receiver;
use testkit::show::redacted;
use testkit::{App, Client, FC, HELPERS, Response};

pub(crate) const REPORT: &str = "/v1/test_helpers/consumer_report";
pub(crate) const FINISHED: &str = "/v1/test_helpers/consumer_report?finished=true";

/// The reads of a client during the delivery of a webhook, and its response.
#[derive(Clone, Default)]
struct Plan {
    reads: Vec<String>,
    status: u16,
}

/// A client with a webhook endpoint for the refreshes of one account.
pub(crate) struct Integration {
    pub(crate) app: App,
    account: String,
    plan: Arc<Mutex<Plan>>,
    _receiver: Receiver,
}

impl Integration {
    /// Creates an account that was never refreshed, and an endpoint for its refreshes.
    pub(crate) async fn start() -> Self {
        let app = server_with_cool_down(1).await;
        let plan = Arc::new(Mutex::new(Plan { reads: Vec::new(), status: 200 }));
        let (client, planned) = (app.client(), Arc::clone(&plan));
        let receiver = Receiver::start(move |_| {
            let (client, plan) = (client.clone(), planned.lock().unwrap().clone());
            async move {
                for read in plan.reads {
                    walk(&client, &read).await;
                }
                plan.status
            }
        });
        let receiver = receiver.await.unwrap();
        let balances = "enabled_events[]=financial_connections.account.refreshed_balance";
        app.endpoint(&receiver.url, REFRESHED, balances).await;
        let account = app.account().await;
        app.run_workers_until_idle().await;
        Self { app, account, plan, _receiver: receiver }
    }

    /// Sets the client's reads and response for later webhooks.
    pub(crate) fn plans(&self, reads: &[&str], status: u16) {
        let reads = reads.iter().map(|read| (*read).to_owned()).collect();
        *self.plan.lock().unwrap() = Plan { reads, status };
    }

    /// The path of a list of transactions with these further parameters.
    pub(crate) fn list(&self, more: &str) -> String {
        format!("{FC}/transactions?account={}{more}", self.account)
    }

    /// Refreshes a feature and delivers its event. Returns the response to the refresh call.
    async fn refresh(&self, feature: &str) -> Response {
        self.app.pass_s(2);
        let asked = self.app.refresh(&self.account, feature).await;
        self.app.run_workers_until_idle().await;
        asked
    }

    /// Refreshes transactions and returns the id of the refresh.
    pub(crate) async fn refresh_transactions(&self) -> String {
        self.refresh("transactions").await.text("/transaction_refresh/id")
    }

    /// Makes the next refresh fail.
    async fn script_failure(&self) {
        let path = format!("{HELPERS}/accounts/{}/next_refresh", self.account);
        self.app.post(&path, "cause=institution_timeout").await.ok();
    }

    /// The diagnostics of the client while it may still be at work, and after it has finished.
    async fn found(&self) -> String {
        let mut shown = String::new();
        for (when, path) in [("at work", REPORT), ("finished", FINISHED)] {
            let found = found(&self.app, path).await;
            write!(shown, "{when}:\n{found}").unwrap();
        }
        shown
    }
}

/// Reads a list: to its end if the limit is a hundred, otherwise one page.
pub(crate) async fn walk(client: &Client, path: &str) {
    let mut next = Some(path.to_owned());
    while let Some(path) = next.take() {
        let page = client.get(&path).await;
        let row = page.items("/data").last().and_then(|row| row["id"].as_str().map(str::to_owned));
        if path.contains("limit=100") && page.at("/has_more") == true {
            let begun = path.split("&starting_after").next().unwrap();
            next = row.map(|row| format!("{begun}&starting_after={row}"));
        }
    }
}

/// The diagnostics of a report, each with its evidence.
pub(crate) async fn found(client: &Client, path: &str) -> String {
    let mut shown = String::new();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    for finding in client.get(path).await.ok().items("/findings") {
        let about = if finding["account"].is_null() { "endpoint" } else { "account" };
        writeln!(shown, "  {} {} of {about}", finding["times"], text(&finding["code"])).unwrap();
        for seen in finding["evidence"].as_array().unwrap() {
            let by = |name: &'static str| if seen[name].is_null() { "" } else { name };
            let what = redacted(&text(&seen["what"]));
            writeln!(shown, "    {what} ({} {})", by("request"), by("event")).unwrap();
        }
    }
    shown
}

/// A client that reads one page per event, as the guide's sample does, gets a diagnostic with all
/// its evidence. After it has read everything, there is no diagnostic any more.
#[tokio::test]
async fn names_missing_pages() {
    let client = Integration::start().await;
    client.plans(&[&client.list("")], 200);
    let first = client.refresh_transactions().await;
    insta::assert_snapshot!(client.found().await, @"
    at work:
    finished:
      1 paging_stopped of account
        read one page, and has_more was true (request event)
    ");
    client.plans(&[&client.list(&format!("&transaction_refresh[after]={first}"))], 200);
    client.refresh_transactions().await;
    insta::assert_snapshot!(client.app.get(REPORT).await.ok().shown(), @r#"
    200
    {
      findings: [
        {
          account: "fca_…"
          code: "cursor_moved_early"
          evidence: [
            {
              at: 1767225602
              event: "evt_…"
              request: "req_…"
              what: "read one page, and has_more was true"
            }
            {
              at: 1767225604
              request: "req_…2"
              what: "listed after fctxnref_…"
              null: event
            }
          ]
          first_at: 1767225602
          fix: "Read every page (auto-paging, or starting_after until has_more is false), and only then remember the refresh of the event."
          last_at: 1767225604
          message: "The client went on to a newer transaction_refresh[after] before it had read the last page of an earlier list. It will not see the remaining rows again."
          object: "bankfeed.consumer_finding"
          times: 1
          null: webhook_endpoint
        }
        {
          account: "fca_…"
          code: "paging_stopped"
          evidence: [
            {
              at: 1767225602
              event: "evt_…"
              request: "req_…"
              what: "read one page, and has_more was true"
            }
          ]
          first_at: 1767225602
          fix: "Read every page: auto_paging_iter, autoPagingEach, or starting_after until has_more is false."
          last_at: 1767225602
          message: "The client stopped reading a list of transactions although has_more was true."
          object: "bankfeed.consumer_finding"
          times: 1
          null: webhook_endpoint
        }
      ]
      finished: false
      livemode: false
      object: "bankfeed.consumer_report"
      refreshes: [
        {
          account: "fca_…"
          balance: 0
          date: "2026-01-01"
          object: "bankfeed.refresh_count"
          ownership: 0
          transactions: 2
        }
      ]
      verdict: "found"
      watched: { accounts: 1, attempts: 2, calls: 5, since: 1767225600 }
    }
    "#);
    walk(&client.app, &client.list("&limit=100")).await;
    assert_eq!(found(&client.app, FINISHED).await, "");
}

/// The client reads one page per event, always from the top. Each listing but the last was
/// abandoned when the next event was handled.
#[tokio::test]
async fn names_pages_left_at_each_event() {
    let client = Integration::start().await;
    client.plans(&[&client.list("")], 200);
    for _ in 0..3 {
        client.refresh_transactions().await;
    }
    insta::assert_snapshot!(client.found().await, @"
    at work:
      2 paging_stopped of account
        read one page, and has_more was true (request event)
        listed the same from the top for another event (request )
    finished:
      3 paging_stopped of account
        read one page, and has_more was true (request event)
        listed the same from the top for another event (request )
        read one page, and has_more was true (request event)
    ");
}

/// The bank's time as a cursor is reported at the first event. So is a row as a cursor, at either
/// end.
#[tokio::test]
async fn names_wrong_cursors() {
    let client = Integration::start().await;
    client.refresh_transactions().await;
    let newest = client.app.get(&client.list("&limit=1")).await.ok();
    let (row, time) = (newest.text("/data/0/id"), newest.at("/data/0/transacted_at"));
    let by_time = client.list(&format!("&transacted_at[gt]={time}"));
    client.plans(&[&by_time], 200);
    client.refresh_transactions().await;
    insta::assert_snapshot!(client.found().await, @"
    at work:
      1 time_as_cursor of account
        listed from transacted_at 1767216526 on (request event)
    finished:
      1 paging_stopped of account
        read one page, and has_more was true (request )
      1 time_as_cursor of account
        listed from transacted_at 1767216526 on (request event)
    ");

    let client = Integration::start().await;
    client.refresh_transactions().await;
    client.app.get(&client.list("")).await.ok();
    client.plans(&[&client.list(&format!("&starting_after={row}"))], 200);
    client.refresh_transactions().await;
    client.plans(&[&client.list(&format!("&ending_before={row}"))], 200);
    client.refresh_transactions().await;
    insta::assert_snapshot!(client.found().await, @"
    at work:
      2 row_as_cursor of account
        began a listing with starting_after=fctxn_… (request event)
        began a listing with ending_before=fctxn_… (request event)
    finished:
      1 paging_stopped of account
        read one page, and has_more was true (request )
      2 row_as_cursor of account
        began a listing with starting_after=fctxn_… (request event)
        began a listing with ending_before=fctxn_… (request event)
      2 event_not_read of account
        delivered, and no list of transactions since that brings it whole ( event)
    ");
}

/// An event that was accepted without a read of its transactions is reported. So is one that was
/// never accepted, after its last attempt.
#[tokio::test]
async fn names_events_that_are_not_read() {
    let client = Integration::start().await;
    client.refresh_transactions().await;
    client.refresh_transactions().await;
    insta::assert_snapshot!(client.found().await, @"
    at work:
    finished:
      2 event_not_read of account
        delivered, and no list of transactions since that brings it whole ( event)
    ");
    walk(&client.app, &client.list("&limit=100")).await;
    client.plans(&[], 500);
    client.refresh_transactions().await;
    assert_eq!(found(&client.app, FINISHED).await, "", "it is delivered again");
    for _ in 0..3 {
        client.app.pass_s(10_000);
        client.app.run_workers_until_idle().await;
    }
    insta::assert_snapshot!(client.found().await, @"
    at work:
    finished:
      1 event_not_read of account
        delivered, and no list of transactions since that brings it whole ( event)
    ");
}

/// A failed refresh that is treated as a success, and one that is ignored.
#[tokio::test]
async fn names_failed_refreshes_that_are_ignored() {
    let client = Integration::start().await;
    client.plans(&[&client.list("")], 500);
    client.script_failure().await;
    client.refresh_transactions().await;
    insta::assert_snapshot!(client.found().await, @"
    at work:
      1 failed_refresh_ignored of account
        listed transactions though no refresh has succeeded (request event)
        the event of the failed refresh was answered with 500 ( event)
    finished:
      1 failed_refresh_ignored of account
        listed transactions though no refresh has succeeded (request event)
        the event of the failed refresh was answered with 500 ( event)
    ");

    let client = Integration::start().await;
    client.script_failure().await;
    client.refresh("balance").await;
    insta::assert_snapshot!(client.found().await, @"
    at work:
    finished:
      1 failed_refresh_ignored of account
        the refresh of balance failed, and no call since is about it ( event)
    ");
    // Transactions do not show how a refresh ended. Neither does a list of accounts that ends
    // before this one.
    client.app.account().await;
    client.refresh_transactions().await;
    walk(&client.app, &client.list("&limit=100")).await;
    client.script_failure().await;
    client.plans(&[&client.list("&limit=100")], 200);
    client.refresh_transactions().await;
    insta::assert_snapshot!(client.found().await, @"
    at work:
    finished:
      1 failed_refresh_ignored of account
        the refresh of transactions failed, and no call since is about it ( event)
    ");
    client.app.get(&format!("{FC}/accounts?limit=1")).await.ok();
    assert_ne!(found(&client.app, FINISHED).await, "");
    client.app.get(&format!("{FC}/accounts")).await.ok();
    assert_eq!(found(&client.app, FINISHED).await, "");
}

/// A refresh in the cool-down is reported, but not one while another is pending. Reads while it is
/// pending are reported if there are many.
#[tokio::test]
async fn names_refreshes_in_vain_and_polling() {
    let client = Integration::start().await;
    let (account, app) = (&client.account, &client.app);
    let (refresh, read) =
        (format!("{FC}/accounts/{account}/refresh"), format!("{FC}/accounts/{account}"));
    for _ in 0..2 {
        app.post(&refresh, "features[]=balance").await.ok();
    }
    for _ in 0..9 {
        app.get(&read).await.ok();
    }
    assert_eq!(found(app, FINISHED).await, "");
    app.get(&read).await.ok();
    app.run_workers_until_idle().await;
    for _ in 0..2 {
        app.idempotent("once").post(&refresh, "features[]=balance").await.ok();
    }
    insta::assert_snapshot!(client.found().await, @"
    at work:
      1 refresh_in_cool_down of account
        asked for a refresh of balance in its cool-down (request )
      1 pending_polled of account
        1st read while the refresh of balance was pending (request )
        10th read while the refresh of balance was pending (request )
    finished:
      1 refresh_in_cool_down of account
        asked for a refresh of balance in its cool-down (request )
      1 pending_polled of account
        1st read while the refresh of balance was pending (request )
        10th read while the refresh of balance was pending (request )
    ");
}

/// An endpoint that responds with a redirect is reported.
#[tokio::test]
async fn names_redirects() {
    let client = Integration::start().await;
    client.plans(&[], 308);
    client.refresh("balance").await;
    insta::assert_snapshot!(client.found().await, @"
    at work:
      1 webhook_redirected of endpoint
        answered with 308 ( event)
    finished:
      1 webhook_redirected of endpoint
        answered with 308 ( event)
    ");
}

/// An endpoint that accepts a webhook with a wrong signature is reported. One that rejects it is
/// not, and receives it again with the right signature.
#[tokio::test]
async fn names_webhooks_that_are_not_verified() {
    for status in [200, 400] {
        let client = Integration::start().await;
        let fault = "kind=webhook_wrongly_signed&first=1";
        client.app.post("/v1/test_helpers/faults", fault).await.ok();
        client.plans(&[], status);
        client.refresh("balance").await;
        client.plans(&[], 200);
        client.app.pass_s(10);
        client.app.run_workers_until_idle().await;
        let found = found(&client.app, FINISHED).await;
        let named = "  1 webhook_not_verified of endpoint\n    \
                     wrongly signed and answered with 200 ( event)\n";
        assert_eq!(found, if status == 200 { named } else { "" });
    }
}

/// A correct client is never reported. Pages that a person reads from the top, test helpers, and
/// retries of a page, of an event or of a failed list call cause no diagnostic. Neither does
/// unfinished work that the client repeats after a crash.
#[tokio::test]
async fn finds_nothing_of_a_good_client() {
    let client = Integration::start().await;
    let app = &client.app;
    client.plans(&[&client.list("")], 200);
    client.script_failure().await;
    let failed = client.refresh_transactions().await;
    let after = |refresh: &str| client.list(&format!("&transaction_refresh[after]={refresh}"));
    // It crashes after the first page, receives the event again, requests a page twice, and reads
    // to the end.
    client.plans(&[&after(&failed)], 500);
    let first = client.refresh_transactions().await;
    let row = app.get(&after(&failed)).await.ok().text("/data/9/id");
    let all = format!("{}&limit=100", after(&failed));
    let next = format!("{}&starting_after={row}", after(&failed));
    client.plans(&[&after(&failed), &next, &next, &all], 200);
    app.elapse_s(10).await;
    // A person lists the transactions, and a test reads the bank's ledger.
    app.get(&client.list("")).await.ok();
    app.get(&client.list("&transacted_at[gte]=1767200000")).await.ok();
    app.get(&format!("{HELPERS}/accounts/{}/ledger", client.account)).await.ok();
    client.plans(&[&after(&first)], 200);
    client.refresh_transactions().await;
    assert_eq!(client.found().await, "at work:\nfinished:\n");
}

/// Each key and each connected account has a report of its own. A reset empties one report.
#[tokio::test]
async fn reports_are_apart_and_reset() {
    let client = Integration::start().await;
    client.refresh_transactions().await;
    let others = [client.app.with_key("sk_test_other"), client.app.in_account("acct_1")];
    for other in &others {
        assert_eq!(found(other, FINISHED).await, "");
        other.post(&format!("{REPORT}/reset"), "").await.ok();
    }
    assert_ne!(found(&client.app, FINISHED).await, "");
    let left = client.app.post(&format!("{REPORT}/reset"), "").await;
    insta::assert_snapshot!(left.shown(), @r#"
    200
    {
      findings: []
      finished: false
      livemode: false
      object: "bankfeed.consumer_report"
      refreshes: []
      verdict: "nothing_seen"
      watched: { accounts: 0, attempts: 0, calls: 0, since: 1767225602 }
    }
    "#);
    assert_eq!(found(&client.app, FINISHED).await, "");
}

/// The invalid requests for a report, and the callers that may not request one.
#[tokio::test]
async fn refuses_what_it_does_not_know() {
    let app = App::start().await;
    let reset = format!("{REPORT}/reset");
    let calls = [
        ("GET", "/v1/test_helpers/consumer_report?finished=soon", ""),
        ("GET", "/v1/test_helpers/consumer_report?account=fca_1", ""),
        ("POST", reset.as_str(), "finished=true"),
        ("POST", REPORT, ""),
    ];
    insta::assert_snapshot!(app.api_errors(&calls).await, @"
    GET /v1/test_helpers/consumer_report?finished=soon
        400 - finished: Invalid boolean: soon
    GET /v1/test_helpers/consumer_report?account=fca_1
        400 parameter_unknown account: Received unknown parameter: account
    POST /v1/test_helpers/consumer_report/reset finished=true
        400 parameter_unknown finished: Received unknown parameter: finished
    POST /v1/test_helpers/consumer_report
        405: /v1/test_helpers/consumer_report does not accept POST requests.
    ");
    assert_eq!(app.live().get(REPORT).await.status, 400);
    assert_eq!(app.with_key("pk_test_123").get(REPORT).await.status, 403);
}
