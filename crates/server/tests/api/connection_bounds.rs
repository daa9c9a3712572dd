//! The bounds of connections, with small ones.

use crate::raw::Raw;
use server::http::ConnectionBounds;
use std::time::Duration;
use testkit::{App, Options};

const HEALTH: &str = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";

async fn with(bounds: ConnectionBounds) -> App {
    App::with(Options { connections: bounds, ..Options::default() }).await
}

/// A bound on the number of connections, with one further place for health.
fn few(connections: usize) -> ConnectionBounds {
    ConnectionBounds { connections, for_health: 1, ..ConnectionBounds::default() }
}

/// If all places have running requests, a further connection may read the health of the server. Its
/// other requests get 503.
#[tokio::test]
async fn health_has_places_of_its_own() {
    let app = with(few(2)).await;
    let mut running = [Raw::connect(&app).await, Raw::connect(&app).await];
    for raw in &mut running {
        raw.begin_request().await;
    }
    let mut further = Raw::connect(&app).await;
    for (path, end) in [("/healthz", "ok\n"), ("/readyz", "ready\n"), ("/metrics", "# EOF\n")] {
        further.send(&HEALTH.replace("/healthz", path)).await;
        assert!(further.read_to(end).await.starts_with("HTTP/1.1 200"), "{path}");
    }
    further.send(&HEALTH.replace("/healthz", "/v1/customers")).await;
    let refused = further.read_all().await;
    assert!(refused.starts_with("HTTP/1.1 503") && refused.contains("connection: close"));
    assert!(refused.contains("\"type\": \"api_error\""), "{refused}");
    assert!(refused.contains("at most 2 connections to this server"), "{refused}");

    // The running requests go on.
    for raw in &mut running {
        raw.send("name=Ad").await;
        assert!(raw.read_to("\"test_clock\":null}").await.contains("\"name\":\"Ad\""));
    }
}

/// A new connection takes the place of the one that has waited longest for a request.
#[tokio::test]
async fn the_longest_wait_gives_way() {
    let app = with(few(2)).await;
    let mut silent = Raw::connect(&app).await;
    let mut idle = Raw::connect(&app).await;
    idle.send(HEALTH).await;
    idle.read_to("ok\n").await;
    let mut third = Raw::connect(&app).await;
    third.send(HEALTH).await;
    third.read_to("ok\n").await;
    assert_eq!(silent.read_all().await, "");
    // The next one takes the place of the idle connection, and not of the newer one.
    let mut fourth = Raw::connect(&app).await;
    fourth.send(HEALTH).await;
    fourth.read_to("ok\n").await;
    assert_eq!(idle.read_all().await, "");
    third.send(HEALTH).await;
    third.read_to("ok\n").await;
    fourth.send("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    let metrics = fourth.read_to("# EOF\n").await;
    assert!(metrics.contains("bankfeed_http_connections 2\n"), "{metrics}");
    let closed = "bankfeed_http_connections_closed_total{cause=\"displaced\"} 2\n";
    assert!(metrics.contains(closed), "{metrics}");
}

/// A connection is closed if a head does not end in time, and so is one between two requests. A
/// running request goes on.
#[tokio::test]
async fn waits_for_clients_end() {
    let short = Duration::from_millis(1);
    let app = with(ConnectionBounds { head: short, ..few(9) }).await;
    let mut slow = Raw::connect(&app).await;
    slow.send("GET / HTTP/1.1\r\nA: ").await;
    let refused = slow.read_all().await;
    // Before its first byte the connection closes without a response.
    assert!(refused.is_empty() || refused.starts_with("HTTP/1.1 408"), "{refused}");

    let app = with(ConnectionBounds { idle: short, ..few(9) }).await;
    let mut running = Raw::connect(&app).await;
    running.begin_request().await;
    let mut idle = Raw::connect(&app).await;
    idle.send(HEALTH).await;
    assert!(idle.read_all().await.ends_with("ok\n"));
    running.send("name=Ad").await;
    assert!(running.read_all().await.contains("\"name\":\"Ad\""));
}

/// A body that does not end in time gets 400.
#[tokio::test]
async fn slow_bodies_end() {
    let app = with(ConnectionBounds { body: Duration::from_millis(1), ..few(9) }).await;
    let mut slow = Raw::connect(&app).await;
    slow.begin_request().await;
    let refused = slow.read_all().await;
    assert!(refused.starts_with("HTTP/1.1 400") && refused.contains("connection: close"));
    assert!(refused.contains("took too long"), "{refused}");
}
