//! The steps of an advance, each of which is one commit.

use std::pin::Pin;
use std::sync::{Arc, Mutex};
use store::{Summary, WriteGate};
use testkit::{App, BEGIN_S, DAY_S, HELPERS};

/// A gate that counts the accounts that each step writes.
#[derive(Default)]
struct Steps(Mutex<Vec<usize>>);

impl WriteGate for Steps {
    fn pass(&self, command: Summary) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        if command.command == "StepClock" {
            self.0.lock().unwrap().push(command.writes.len());
        }
        Box::pin(std::future::ready(()))
    }
}

/// A step applies no further refresh after a thousand rows, although more refreshes are due.
#[tokio::test]
async fn steps_have_few_rows() {
    let app = App::start().await;
    let (_, clock) = app.customer_on_clock().await;
    let mut accounts = Vec::new();
    for _ in 0..6 {
        let form = format!("test_clock={clock}&email=ada@example.com");
        let customer = app.post("/v1/customers", &form).await.ok().id();
        let session = app.session(&customer, "").await;
        let account = app.link(&session, "").await.text("/accounts/data/0/id");
        let path = format!("{HELPERS}/accounts/{account}/next_refresh");
        app.post(&path, "delay_seconds=3600").await.ok();
        app.refresh(&account, "transactions").await;
        accounts.push(account);
    }
    app.run_workers_until_idle().await;
    let form = format!("frozen_time={}", BEGIN_S + DAY_S);
    app.post(&format!("/v1/test_helpers/test_clocks/{clock}/advance"), &form).await.ok();
    let steps = Arc::new(Steps::default());
    app.behind(steps.clone()).await.run_workers_until_idle().await;
    for account in accounts {
        assert_eq!(app.count_transactions(&account).await, 100, "a page of many");
        let ledger = app.get(&format!("{HELPERS}/accounts/{account}/ledger")).await.ok();
        let rows = ledger.items("/transactions").len();
        assert!((250..500).contains(&rows), "{rows}");
    }
    let steps = steps.0.lock().unwrap().clone();
    assert_eq!(steps.iter().sum::<usize>(), 6, "{steps:?}");
    assert!(steps.iter().all(|accounts| *accounts <= 4), "{steps:?}");
}
