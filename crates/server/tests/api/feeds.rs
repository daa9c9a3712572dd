//! Feeds with several servers on one database.

use connectors::sandbox::Sandbox;
use model::id::MerchantId;
use std::sync::Arc;
use store::{ListDeliveries, ListFeed};
use testkit::clock::ManualClock;
use testkit::engine::EngineParts;
use testkit::rng::SeededRng;
use testkit::{App, BEGIN_S, KEY, Recorder};

/// Two servers dispatch one feed at the same time, while calls of a third kind create endpoints and
/// claim the feed as well. Each event gets one number, without gaps, and one delivery to each
/// endpoint that was created before it. Events of one account keep their order.
#[tokio::test]
async fn servers_dispatch_side_by_side() {
    let (app, receiver) = (App::start().await, Recorder::start().await.unwrap());
    let parts = EngineParts {
        store: app.engine.store().clone(),
        sandbox: Sandbox::new(1),
        clock: Arc::new(ManualClock::at(BEGIN_S)),
        rng: Arc::new(SeededRng::new(9)),
        settings: engine::Settings::default(),
    };
    let (second, _lab) = parts.build();
    let account = app.account().await;
    let mut customers = Vec::new();
    for round in 0..8 {
        for _ in 0..3 {
            customers.push((app.customer().await, round));
        }
        app.refresh(&account, "balance").await;
        app.engine.run_refresh_once().await.unwrap();
        app.pass_s(10);
        let (one, two, _) = tokio::join!(
            app.engine.run_dispatch_once(),
            second.run_dispatch_once(),
            app.endpoint(&receiver.url, "*", "")
        );
        one.unwrap();
        two.unwrap();
        // A server that lost its claim leaves the events to the other one.
        app.engine.run_dispatch_once().await.unwrap();
    }
    let (merchant, limit) = (MerchantId::of_key(KEY), 1_000);
    let list = ListFeed { merchant, account: None, types: vec![], after: 0, limit };
    let feed = app.engine.store().read(list).await.unwrap();
    let numbers: Vec<u64> = feed.iter().map(|found| found.feed).collect();
    assert_eq!(numbers, (1..=numbers.len() as u64).collect::<Vec<_>>());
    assert_eq!(app.count("/v1/events?limit=100").await, numbers.len());
    let mut versions = Vec::new();
    for found in &feed {
        let list = ListDeliveries { merchant, event: found.event.id };
        let deliveries = app.engine.store().read(list).await.unwrap().len();
        match &found.event.snapshot {
            model::event::Snapshot::Account(account) => versions.push(account.version),
            model::event::Snapshot::Customer(customer) => {
                let id = customer.id.to_string();
                let known = customers.iter().find(|(known, _)| *known == id);
                // One endpoint was created in each round before.
                assert_eq!(deliveries, known.map_or(0, |(_, round)| *round), "{id}");
            }
            _ => {}
        }
    }
    assert!(versions.len() > 8 && versions.is_sorted(), "{versions:?}");
}
