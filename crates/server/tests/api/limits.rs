//! Responses at the limits of the server and after a server failure.

use model::clock::{AccountTime, Clock, ServerTime};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use store::StoreBounds;
use testkit::{App, BEGIN_S, Options, Response};

const CUSTOMERS: &str = "/v1/customers";

/// A clock that blocks each reader of the time until the test releases it. The writer reads the
/// time once for every group of commands.
struct Gate {
    asked: Sender<()>,
    opened: Mutex<Receiver<()>>,
}

impl Clock for Gate {
    fn server_now(&self) -> ServerTime {
        // The receiver is dropped once the test has seen the first group.
        let _ = self.asked.send(());
        // After the test releases the clock, it never blocks again.
        let _ = self.opened.lock().unwrap().recv();
        ServerTime(BEGIN_S * 1_000_000)
    }

    fn account_now(&self) -> AccountTime {
        AccountTime(BEGIN_S)
    }
}

/// The headers that advise a client on its next request.
fn advice(reply: &Response) -> String {
    assert!(reply.header("request-id").unwrap().starts_with("req_"));
    format!("retry: {}", reply.header("stripe-should-retry").unwrap_or("-"))
}

/// While one command runs and the queue behind it is full, a further write is rejected at once and
/// leaves no data. Queued commands get their response in turn.
#[tokio::test]
async fn full_queue() {
    let (asked, asking) = channel();
    let (open, opened) = channel();
    let gate = Arc::new(Gate { asked, opened: Mutex::new(opened) });
    let bounds = StoreBounds { writer_queue_max: 1, ..StoreBounds::default() };
    let options = Options { bounds, store_clock: Some(gate), ..Options::default() };
    let app = App::with(options).await;

    let create = |name: &'static str| {
        let client = app.client();
        tokio::spawn(async move { client.post(CUSTOMERS, name).await })
    };
    let at_work = create("name=at_work");
    tokio::task::spawn_blocking(move || asking.recv()).await.unwrap().unwrap();
    // Only one of two more commands finds room, and it may be either.
    let (mut one, mut other) = (create("name=one"), create("name=other"));
    let (refused, waiting) = tokio::select! {
        refused = &mut one => (refused.unwrap(), other),
        refused = &mut other => (refused.unwrap(), one),
    };
    insta::assert_snapshot!(refused.api_error(), @"
    429 lock_timeout: The object is being changed by another request or process. Try again.
    ");
    insta::assert_snapshot!(advice(&refused), @"retry: true");

    drop(open);
    at_work.await.unwrap().ok();
    waiting.await.unwrap().ok();
    assert_eq!(app.count(CUSTOMERS).await, 2);
}

/// A merchant above the limit is rejected. Existing merchants continue, and reads create no
/// merchant.
#[tokio::test]
async fn full_of_merchants() {
    let bounds = StoreBounds { merchants_max: 1, ..StoreBounds::default() };
    let app = App::with(Options { bounds, ..Options::default() }).await;
    app.with_key("sk_test_reader").get(CUSTOMERS).await.ok();
    app.post(CUSTOMERS, "").await.ok();
    let late = app.with_key("sk_test_late");
    let refused = late.post(CUSTOMERS, "").await;
    insta::assert_snapshot!(refused.api_error(), @"
    429 places_taken: Every place for a test key with objects is taken on this server, and no
      sandbox was unused for long enough to be removed. Use a key that has objects already, or let
      the operator of the server set a lower sandbox-idle-days.
    ");
    insta::assert_snapshot!(advice(&refused), @"retry: -");
    assert_eq!(late.count(CUSTOMERS).await, 0);
    app.post(CUSTOMERS, "").await.ok();
}

/// Without its database, the server returns a server error without the reason for reads and writes.
/// It reports that it is not ready.
#[tokio::test]
async fn internal_failure() {
    let (app, customer) = App::with_customer().await;
    app.engine.store().close().await;

    let written = app.post(CUSTOMERS, "email=ada@example.com").await;
    insta::assert_snapshot!(written.api_error(), @"
    500 api_error: The server failed to process this request. Its log has the details.
    ");
    insta::assert_snapshot!(advice(&written), @"retry: true");
    let keyed = app.idempotent("k").post(CUSTOMERS, "").await;
    let read = app.get(&format!("{CUSTOMERS}/{customer}")).await;
    assert_eq!((keyed.shown(), read.shown()), (written.shown(), written.shown()));
    assert_eq!(advice(&keyed), advice(&written));
    assert_eq!(app.get("/readyz").await.status, 503);
}
