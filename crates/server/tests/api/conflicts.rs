//! Calls that change one object at the same time.

use engine::connections::customer::CustomerInput;
use engine::{Error, settled};
use model::clock::{AccountTime, Clock, ServerTime};
use model::customer::Customer;
use model::id::MerchantId;
use model::limits::STALE_RETRIES_MAX;
use std::cell::Cell;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use store::{ChangeObject, Object};
use testkit::engine::context;
use testkit::{App, BEGIN_S, Options};

/// A clock that holds the next group of commands until the sender of its door is dropped. The writer
/// reads the time once for every group.
#[derive(Default)]
struct Gate {
    door: Mutex<Option<Receiver<()>>>,
}

impl Clock for Gate {
    fn server_now(&self) -> ServerTime {
        let door = self.door.lock().unwrap().take();
        if let Some(door) = door {
            // No message is sent, so this returns when the sender is dropped.
            let _ = door.recv();
        }
        ServerTime(BEGIN_S * 1_000_000)
    }

    fn account_now(&self) -> AccountTime {
        AccountTime(BEGIN_S)
    }
}

/// The merchant of the usual key.
fn usual() -> MerchantId {
    MerchantId::of_key("sk_test_123")
}

/// The count, the retries and the conflicts of the change with this name, from the metrics.
async fn counts(app: &App, name: &str) -> [String; 3] {
    let scraped = app.bare_request("GET", "/metrics").send().await.ok();
    ["duration_seconds_count", "retries_total", "conflicts_total"].map(|metric| {
        let sample = format!("bankfeed_change_{metric}{{name=\"{name}\"}} ");
        let value = scraped.body.lines().find_map(|line| line.strip_prefix(&sample));
        value.unwrap().to_owned()
    })
}

/// Of two changes that were read from one version, the second one is retried. Both succeed, and
/// neither undoes the other.
#[tokio::test]
async fn both_changes_are_stored() {
    let gate = Arc::new(Gate::default());
    let options = Options { store_clock: Some(gate.clone()), ..Options::default() };
    let app = App::with(options).await;
    let id = app.customer().await;

    let (open, door) = channel();
    *gate.door.lock().unwrap() = Some(door);
    let (one, other) = (context(usual(), 1), context(usual(), 2));
    let name = CustomerInput { name: Some("Ada".to_owned()), ..CustomerInput::default() };
    let phone = CustomerInput { phone: Some("+1".to_owned()), ..CustomerInput::default() };
    // The futures are polled in this order, so both changes have been read before the door opens.
    let (named, phoned, ()) = tokio::join!(
        app.engine.update_customer(&one, &id, &name),
        app.engine.update_customer(&other, &id, &phone),
        async { drop(open) },
    );
    named.unwrap();
    phoned.unwrap();

    assert_eq!(counts(&app, "update_customer").await, ["2", "1", "0"]);
    assert_eq!(app.engine.store().writer_stats().version_conflicts, 1);
    let customer = app.get(&format!("/v1/customers/{id}")).await.ok();
    assert_eq!((customer.text("/name"), customer.text("/phone")), ("Ada".into(), "+1".into()));
}

/// A change that meets a newer version in each of its attempts ends with 429 and is not stored.
#[tokio::test]
async fn the_last_conflict_is_returned() {
    let app = App::start().await;
    let id = app.customer().await;
    let (engine, context, attempts) = (&app.engine, &context(usual(), 1), Cell::new(0));
    let renamed = |customer: &Customer, name: String| {
        let version = customer.version + 1;
        let customer = Customer { name: Some(name), version, ..customer.clone() };
        engine.store().write(ChangeObject::of(Object::Customer(customer)))
    };
    let changed: Result<(), Error> = engine
        .change("rename", async || {
            attempts.set(attempts.get() + 1);
            let customer = engine.get::<Customer>(context, &id, "id").await?;
            let rival = renamed(&customer, format!("rival {}", attempts.get())).await?;
            assert!(settled(rival)?);
            let own = renamed(&customer, "own".to_owned()).await?;
            Ok(settled(own)?.then_some(()))
        })
        .await;

    let api_error = changed.unwrap_err().api_error();
    assert_eq!((api_error.status, api_error.code), (429, Some("lock_timeout")));
    assert_eq!(attempts.get(), STALE_RETRIES_MAX);
    assert_eq!(counts(&app, "rename").await, ["1", "15", "1"]);
    let customer = app.get(&format!("/v1/customers/{id}")).await.ok();
    assert_eq!(customer.text("/name"), format!("rival {STALE_RETRIES_MAX}"));
}
