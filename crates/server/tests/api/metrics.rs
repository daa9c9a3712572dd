//! Metrics: a scrape has the numbers of what happened, and a server without metrics has no page.

use testkit::receiver::Recorder;
use testkit::server::start_process;
use testkit::{App, Client};

/// The samples of a scrape without buckets, for the metrics whose names contain one of these words.
fn samples(scrape: &str, words: &[&str]) -> String {
    let wanted = |line: &&str| {
        !line.starts_with('#')
            && !line.contains("_bucket{")
            && words.iter().any(|word| line.contains(word))
    };
    let mut lines: Vec<&str> = scrape.lines().filter(wanted).collect();
    lines.sort_unstable();
    lines.join("\n")
}

/// After a scripted run, every counter has the number of times that it happened. Work that no
/// worker has taken yet is shown with its age.
#[tokio::test]
async fn counts_a_scripted_run() {
    let (app, receiver) = (App::start().await, Recorder::start().await.unwrap());
    let refreshed = "financial_connections.account.refreshed_transactions";
    app.endpoint(&receiver.url, refreshed, "").await.ok();
    let account = app.account().await;
    app.refresh(&account, "transactions").await.ok();
    app.run_workers_until_idle().await;
    app.pass_s(2);
    let script = format!("/v1/test_helpers/financial_connections/accounts/{account}/next_refresh");
    app.post(&script, "feature=transactions&outcome=failed&cause=institution_unavailable")
        .await
        .ok();
    app.refresh(&account, "transactions").await.ok();
    receiver.respond(500);
    app.run_workers_until_idle().await;
    app.pass_s(2);
    app.refresh(&account, "transactions").await.ok();
    assert_eq!(app.get("/v1/customers/cus_1").await.status, 404);
    assert_eq!(app.post("/v1/customers", "shoe_size=1").await.status, 400);
    assert_eq!(app.bare_request("GET", "/v1/customers").send().await.status, 401);
    assert_eq!(app.bare_request("GET", "/nowhere").send().await.status, 404);
    assert_eq!(app.bare_request("GET", "/healthz").send().await.status, 200);
    app.pass_s(30);
    let scraped = app.bare_request("GET", "/metrics").send().await.ok();
    let format = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    assert_eq!(scraped.header("content-type"), Some(format));
    assert!(scraped.body.ends_with("# EOF\n"), "{}", scraped.body);

    insta::assert_snapshot!(samples(&scraped.body, &["http_requests_total"]), @r#"
    bankfeed_http_requests_total{method="GET",route="/healthz",status="200"} 1
    bankfeed_http_requests_total{method="GET",route="/v1/customers",status="401"} 1
    bankfeed_http_requests_total{method="GET",route="/v1/customers/{id}",status="404"} 1
    bankfeed_http_requests_total{method="GET",route="unknown",status="404"} 1
    bankfeed_http_requests_total{method="POST",route="/v1/customers",status="200"} 1
    bankfeed_http_requests_total{method="POST",route="/v1/customers",status="400"} 1
    bankfeed_http_requests_total{method="POST",route="/v1/financial_connections/accounts/{id}/refresh",status="200"} 3
    bankfeed_http_requests_total{method="POST",route="/v1/financial_connections/sessions",status="200"} 1
    bankfeed_http_requests_total{method="POST",route="/v1/test_helpers/financial_connections/accounts/{id}/next_refresh",status="200"} 1
    bankfeed_http_requests_total{method="POST",route="/v1/test_helpers/financial_connections/link",status="200"} 1
    bankfeed_http_requests_total{method="POST",route="/v1/webhook_endpoints",status="200"} 1
    "#);
    insta::assert_snapshot!(samples(&scraped.body, &["bankfeed_refreshes", "delivery_attempts"]), @r#"
    bankfeed_delivery_attempts_total{mode="live",outcome="canceled"} 0
    bankfeed_delivery_attempts_total{mode="live",outcome="failed"} 0
    bankfeed_delivery_attempts_total{mode="live",outcome="retried"} 0
    bankfeed_delivery_attempts_total{mode="live",outcome="succeeded"} 0
    bankfeed_delivery_attempts_total{mode="test",outcome="canceled"} 0
    bankfeed_delivery_attempts_total{mode="test",outcome="failed"} 0
    bankfeed_delivery_attempts_total{mode="test",outcome="retried"} 1
    bankfeed_delivery_attempts_total{mode="test",outcome="succeeded"} 1
    bankfeed_refreshes_total{mode="test",feature="transactions",outcome="failed",cause="institution_unavailable"} 1
    bankfeed_refreshes_total{mode="test",feature="transactions",outcome="succeeded",cause=""} 1
    "#);
    insta::assert_snapshot!(samples(&scraped.body, &["due_work", "oldest", "stuck", "ready"]), @r#"
    bankfeed_due_work_oldest_age_seconds{kind="account"} 0.0
    bankfeed_due_work_oldest_age_seconds{kind="delivery"} 26.6
    bankfeed_due_work_oldest_age_seconds{kind="event"} 0.0
    bankfeed_due_work_oldest_age_seconds{kind="object"} 0.0
    bankfeed_due_work_oldest_age_seconds{kind="refresh"} 30.0
    bankfeed_due_work{kind="account"} 0
    bankfeed_due_work{kind="clock"} 0
    bankfeed_due_work{kind="delivery"} 1
    bankfeed_due_work{kind="event"} 0
    bankfeed_due_work{kind="object"} 0
    bankfeed_due_work{kind="refresh"} 1
    bankfeed_event_oldest_undelivered_age_seconds 32.0
    bankfeed_ready 1
    bankfeed_stuck_subjects 0
    "#);
    insta::assert_snapshot!(
        samples(&scraped.body, &["name=\"settle_refresh\"", "writer_commands_", "commits_failed", "version_conflicts"]),
        @r#"
    bankfeed_change_conflicts_total{name="settle_refresh"} 0
    bankfeed_change_duration_seconds_count{name="settle_refresh"} 2
    bankfeed_change_duration_seconds_sum{name="settle_refresh"} 0.0
    bankfeed_change_retries_total{name="settle_refresh"} 0
    bankfeed_writer_commands_failed_total 0
    bankfeed_writer_commands_panicked_total 0
    bankfeed_writer_commands_total 29
    bankfeed_writer_commits_failed_total 0
    bankfeed_writer_version_conflicts_total 0
    "#
    );
    let sizes = samples(&scraped.body, &["bankfeed_database_bytes", "bankfeed_wal_bytes"]);
    let bytes = sizes.lines().map(|line| line.rsplit_once(' ').unwrap().1.parse::<u64>().unwrap());
    assert!(bytes.clone().all(|bytes| bytes > 0) && bytes.sum::<u64>() > 100_000, "{sizes}");
}

/// Metrics have an address of their own if the setting names one. With `off`, or on the address of
/// the API then, there is no such page.
#[tokio::test]
async fn are_where_the_setting_says() {
    let status = async |url: String| {
        let client = Client::of(&url);
        client.bare_request("GET", "").send().await.status
    };
    let (started, client) = start_process(&[]).await;
    assert_eq!(started.metrics_url, Some(format!("{}/metrics", client.url())));
    assert_eq!(status(format!("{}/metrics", client.url())).await, 200);
    started.stop().await.unwrap();

    let (started, client) = start_process(&[("metrics", "off")]).await;
    assert_eq!(started.metrics_url, None);
    assert_eq!(status(format!("{}/metrics", client.url())).await, 404);
    started.stop().await.unwrap();

    let (started, client) = start_process(&[("metrics", "127.0.0.1:0")]).await;
    let own = started.metrics_url.clone().unwrap();
    assert!(!own.starts_with(client.url()), "{own}");
    assert_eq!(status(own.clone()).await, 200);
    assert_eq!(status(own.replace("/metrics", "/readyz")).await, 200);
    assert_eq!(status(own.replace("/metrics", "/v1/customers")).await, 404);
    assert_eq!(status(format!("{}/metrics", client.url())).await, 404);
    started.stop().await.unwrap();
}

/// The rules of alerts name metrics that exist. A counter appears in a scrape once its event has
/// happened, so the script makes each of them happen.
#[tokio::test]
async fn alerts_name_metrics() {
    let (app, account) = App::with_account().await;
    app.refresh(&account, "transactions").await.ok();
    app.run_workers_until_idle().await;
    let scraped = app.bare_request("GET", "/metrics").send().await.ok();
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/prometheus-alerts.yml");
    let rules = std::fs::read_to_string(path).unwrap();
    let is_name = |c: char| c.is_ascii_lowercase() || c == '_';
    let names = rules.split(|c| !is_name(c)).filter(|word| word.starts_with("bankfeed_"));
    let mut count = 0;
    for name in names {
        let sample =
            |line: &str| line.strip_prefix(name).is_some_and(|rest| rest.starts_with([' ', '{']));
        assert!(scraped.body.lines().any(sample), "{name}");
        count += 1;
    }
    assert!(count > 15, "{count}");
}
