//! After the last kill: everything that was begun is led to its end, by bounded waits for named
//! conditions. Clocks become ready, refreshes end, one more refresh of each account succeeds, and
//! every event is delivered.

use super::HELPERS;
use super::client::{Acknowledged, Client, text};
use crate::Failure;
use crate::time::{LOOK_AGAIN, bounded, pass};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;

/// A clock may take this long to become ready, a refresh to end.
const END_MAX: Duration = Duration::from_secs(30);
/// What waits to be delivered is delivered in this time, attempts after a failed one included.
const DELIVERED_MAX: Duration = Duration::from_mins(1);
/// Between two looks at all events, which are many pages.
const EVENTS_AGAIN: Duration = Duration::from_millis(500);
const DAY_S: i64 = 86_400;
const CLOCKS: &str = "/v1/test_helpers/test_clocks";

/// The ids of the clocks that were made.
pub(super) fn clocks(acknowledged: &[Acknowledged]) -> Vec<String> {
    ids(acknowledged, CLOCKS)
}

/// The ids in the answers to the posts to a path.
pub(super) fn ids(acknowledged: &[Acknowledged], path: &str) -> Vec<String> {
    let posts = acknowledged.iter().filter(|posted| posted.path == path);
    posts.map(|posted| text(&posted.json(), "id").to_owned()).collect()
}

/// The ids of the accounts that were linked.
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

/// Leads clocks and refreshes to their end, with a last refresh of every account.
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

/// Waits for every event to be delivered. Answers the events.
pub(super) async fn delivered(client: &Client) -> Result<BTreeMap<String, Value>, Failure> {
    let mut left = 0;
    let delivered = async {
        loop {
            let events = client.list("/v1/events", &[]).await?;
            left = events.values().filter(|event| event["pending_webhooks"] != 0).count();
            if left == 0 {
                return Ok(events);
            }
            pass(EVENTS_AGAIN).await;
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

/// Ends the advance that is under way, and one more, which ends the refreshes that wait for time.
async fn end_clock(client: &Client, clock: &str) -> Result<(), Failure> {
    let now_s = until_ready(client, clock).await?;
    let until = (now_s + DAY_S).to_string();
    client.post(&format!("{CLOCKS}/{clock}/advance"), &[("frozen_time", &until)]).await?;
    until_ready(client, clock).await.map(drop)
}

/// Waits for a clock to be ready. Answers what it shows.
async fn until_ready(client: &Client, clock: &str) -> Result<i64, Failure> {
    bounded(&format!("{clock} to be ready"), END_MAX, async {
        loop {
            let shown = client.get(&format!("{CLOCKS}/{clock}"), &[]).await?;
            if shown["status"] == "ready" {
                return shown["frozen_time"]
                    .as_i64()
                    .ok_or_else(|| "a clock without time".to_owned());
            }
            pass(LOOK_AGAIN).await;
        }
    })
    .await
}

/// Refreshes an account once more, with no script and nothing pending before it.
pub(super) async fn refresh_last(client: &Client, account: &str) -> Result<(), Failure> {
    client.delete(&format!("{HELPERS}/accounts/{account}/next_refresh")).await?;
    until_ended(client, account).await?;
    let path = format!("/v1/financial_connections/accounts/{account}/refresh");
    bounded(&format!("a last refresh of {account}"), END_MAX, async {
        loop {
            let asked = client.post(&path, &[("features[]", "transactions")]).await?;
            if asked["transaction_refresh"]["status"] == "pending" {
                break;
            }
            // It cools down.
            pass(LOOK_AGAIN).await;
        }
        let ended = until_ended(client, account).await?;
        match text(&ended["transaction_refresh"], "status") {
            "succeeded" => Ok(()),
            status => Err(format!("the last refresh of {account} ended as {status}")),
        }
    })
    .await
}

/// Waits for no refresh of an account to be pending. Answers the account.
async fn until_ended(client: &Client, account: &str) -> Result<Value, Failure> {
    let path = format!("/v1/financial_connections/accounts/{account}");
    bounded(&format!("the refreshes of {account} to end"), END_MAX, async {
        loop {
            let shown = client.get(&path, &[]).await?;
            let features = ["balance_refresh", "ownership_refresh", "transaction_refresh"];
            if features.iter().all(|feature| shown[*feature]["status"] != "pending") {
                return Ok(shown);
            }
            pass(LOOK_AGAIN).await;
        }
    })
    .await
}
