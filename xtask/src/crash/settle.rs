//! Completion of all open work after the last kill, by bounded waits for named conditions. Clocks
//! become ready, refreshes end, one more refresh of each account succeeds, and every event is
//! delivered.

use super::HELPERS;
use super::client::{Acknowledged, Client, text};
use crate::Failure;
use crate::time::{POLL_AGAIN, bounded, pass};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;

/// The longest time until a clock is ready or a refresh has ended.
const END_MAX: Duration = Duration::from_secs(30);
/// The longest time until all events are delivered, including retries.
const DELIVERED_MAX: Duration = Duration::from_mins(1);
/// The time between two polls of all events, which are many pages.
const POLL_EVENTS_AGAIN: Duration = Duration::from_millis(500);
const DAY_S: i64 = 86_400;
const CLOCKS: &str = "/v1/test_helpers/test_clocks";

/// The ids of the test clocks that were created.
pub(super) fn clocks(acknowledged: &[Acknowledged]) -> Vec<String> {
    ids(acknowledged, CLOCKS)
}

/// The ids in the responses to the posts to a path.
pub(super) fn ids(acknowledged: &[Acknowledged], path: &str) -> Vec<String> {
    let posts = acknowledged.iter().filter(|posted| posted.path == path);
    posts.map(|posted| text(&posted.json(), "id").to_owned()).collect()
}

/// The ids of the linked accounts.
pub(super) fn accounts(acknowledged: &[Acknowledged]) -> Vec<String> {
    let links = acknowledged.iter().filter(|posted| posted.path == format!("{HELPERS}/link"));
    let linked = links.flat_map(|posted| {
        let mut session = posted.json();
        match session["accounts"]["data"].take() {
            Value::Array(accounts) => accounts,
            _ => Vec::new(),
        }
    });
    linked.map(|account| text(&account, "id").to_owned()).collect()
}

/// Completes all clock advances and refreshes, and refreshes every account once more.
pub(super) async fn settle(client: &Arc<Client>) -> Result<(), Failure> {
    let acknowledged = client.acknowledged();
    let mut ending = JoinSet::new();
    for clock in clocks(&acknowledged) {
        let client = Arc::clone(client);
        ending.spawn(async move { end_clock(&client, &clock).await });
    }
    all(ending).await?;
    let mut ending = JoinSet::new();
    for account in accounts(&acknowledged) {
        let client = Arc::clone(client);
        ending.spawn(async move { refresh_last(&client, &account).await });
    }
    all(ending).await
}

/// Waits until every event is delivered. Returns the events.
pub(super) async fn delivered(client: &Client) -> Result<BTreeMap<String, Value>, Failure> {
    let mut left = 0;
    let delivered = async {
        loop {
            let events = client.list("/v1/events", &[]).await?;
            left = events.values().filter(|event| event["pending_webhooks"] != 0).count();
            if left == 0 {
                return Ok(events);
            }
            pass(POLL_EVENTS_AGAIN).await;
        }
    };
    let delivered = bounded("every event to be delivered", DELIVERED_MAX, delivered).await;
    delivered.map_err(|failure| format!("{failure}; {left} events are left"))
}

async fn all(mut ending: JoinSet<Result<(), Failure>>) -> Result<(), Failure> {
    while let Some(ended) = ending.join_next().await {
        ended.map_err(|error| error.to_string())??;
    }
    Ok(())
}

/// Waits for the current advance, and makes one more, which ends refreshes that wait for their time.
async fn end_clock(client: &Client, clock: &str) -> Result<(), Failure> {
    let now_s = until_ready(client, clock).await?;
    let until = (now_s + DAY_S).to_string();
    client.post(&format!("{CLOCKS}/{clock}/advance"), &[("frozen_time", &until)]).await?;
    until_ready(client, clock).await.map(drop)
}

/// Waits until a clock is ready. Returns its time.
async fn until_ready(client: &Client, clock: &str) -> Result<i64, Failure> {
    bounded(&format!("{clock} to be ready"), END_MAX, async {
        loop {
            let shown = client.get(&format!("{CLOCKS}/{clock}"), &[]).await?;
            if shown["status"] == "ready" {
                return shown["frozen_time"]
                    .as_i64()
                    .ok_or_else(|| "a clock has no time".to_owned());
            }
            pass(POLL_AGAIN).await;
        }
    })
    .await
}

/// Refreshes an account once more, without a script and without a pending refresh before it.
pub(super) async fn refresh_last(client: &Client, account: &str) -> Result<(), Failure> {
    client.delete(&format!("{HELPERS}/accounts/{account}/next_refresh")).await?;
    until_ended(client, account).await?;
    let path = format!("/v1/financial_connections/accounts/{account}/refresh");
    bounded(&format!("a last refresh of {account}"), END_MAX, async {
        loop {
            let started = client.post(&path, &[("features[]", "transactions")]).await?;
            if started["transaction_refresh"]["status"] == "pending" {
                break;
            }
            // The account's cool-down is not over.
            pass(POLL_AGAIN).await;
        }
        let ended = until_ended(client, account).await?;
        match text(&ended["transaction_refresh"], "status") {
            "succeeded" => Ok(()),
            status => Err(format!("the last refresh of {account} ended as {status}")),
        }
    })
    .await
}

/// Waits until no refresh of an account is pending. Returns the account.
async fn until_ended(client: &Client, account: &str) -> Result<Value, Failure> {
    let path = format!("/v1/financial_connections/accounts/{account}");
    bounded(&format!("the refreshes of {account} to end"), END_MAX, async {
        loop {
            let shown = client.get(&path, &[]).await?;
            let features = ["balance_refresh", "ownership_refresh", "transaction_refresh"];
            if features.iter().all(|feature| shown[*feature]["status"] != "pending") {
                return Ok(shown);
            }
            pass(POLL_AGAIN).await;
        }
    })
    .await
}
