//! Responses after a panic in the store.

use store::Failpoints;
use testkit::{App, Options};

const CUSTOMERS: &str = "/v1/customers";

/// A server with a failpoint at which its store panics.
async fn with_failpoint(failpoint: &str) -> App {
    let failpoints = Failpoints::parse(failpoint).unwrap();
    App::with(Options { failpoints, ..Options::default() }).await
}

/// A call with a command that panics gets a server error and leaves no data. The next call succeeds.
#[tokio::test]
async fn panicking_command() {
    let app = with_failpoint("ChangeObjects:1:panic").await;
    app.post(CUSTOMERS, "name=before").await.ok();
    let failed = app.post(CUSTOMERS, "name=failed").await;
    insta::assert_snapshot!(failed.api_error(), @"500 api_error: The server failed to process this request. Its log has the details.");
    assert_eq!(failed.header("stripe-should-retry"), Some("true"));
    app.post(CUSTOMERS, "name=after").await.ok();
    let customers = app.get(CUSTOMERS).await.ok();
    let names: Vec<_> = customers.items("/data").iter().map(|one| one["name"].clone()).collect();
    assert_eq!(names, ["after", "before"]);
    assert_eq!(app.engine.store().writer_stats().commands_panicked, 1);
    assert_eq!(app.get("/readyz").await.status, 200);
}

/// After a panic of the writer thread outside of a command, writes get a server error and the server
/// reports that it is not ready. It is still alive, and committed data stays readable.
#[tokio::test]
async fn dead_writer() {
    let app = with_failpoint("before_commit:1:panic").await;
    let customer = app.customer().await;
    assert_eq!(app.get("/readyz").await.status, 200);
    for name in ["name=failed", "name=late"] {
        let failed = app.post(CUSTOMERS, name).await;
        insta::allow_duplicates! {
            insta::assert_snapshot!(failed.api_error(), @"500 api_error: The server failed to process this request. Its log has the details.");
        }
        assert_eq!(app.get("/readyz").await.status, 503);
    }
    assert_eq!(app.get("/healthz").await.status, 200);
    assert_eq!(app.get(&format!("{CUSTOMERS}/{customer}")).await.ok().text("/id"), customer);
    assert_eq!(app.get(CUSTOMERS).await.ok().items("/data").len(), 1);
}

/// A read that panics gets a server error too, and its connection continues. The request is counted.
#[tokio::test]
async fn panicking_read() {
    let app = with_failpoint("ListObjects:0:panic").await;
    insta::assert_snapshot!(app.get(CUSTOMERS).await.api_error(), @"500 api_error: The server failed to process this request. Its log has the details.");
    app.get(CUSTOMERS).await.ok();
    let scraped = app.bare_request("GET", "/metrics").send().await.ok();
    let failed =
        "bankfeed_http_requests_total{method=\"GET\",route=\"/v1/customers\",status=\"500\"} 1";
    assert!(scraped.body.lines().any(|line| line == failed), "{}", scraped.body);
}

/// A panic while the backlog is read leaves the backlog out of a scrape, and no other metric.
#[tokio::test]
async fn panicking_scrape() {
    let app = with_failpoint("MeasureBacklog:0:panic").await;
    let first = app.bare_request("GET", "/metrics").send().await.ok();
    let second = app.bare_request("GET", "/metrics").send().await.ok();
    for (scraped, has_backlog) in [(first, false), (second, true)] {
        assert!(scraped.body.contains("bankfeed_ready 1"), "{}", scraped.body);
        assert_eq!(scraped.body.contains("bankfeed_due_work"), has_backlog);
    }
}
