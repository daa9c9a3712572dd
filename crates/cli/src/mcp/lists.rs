//! The tools that only read: lists, one page at a time, and the report of the client checker.

use super::Agent;
use super::results::ToolError;
use crate::account::ACCOUNTS;
use crate::events::EVENTS;
use crate::judge::REPORT;
use crate::link::HELPERS;
use crate::transactions::TRANSACTIONS;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

pub(super) const DELIVERIES: &str = "/v1/test_helpers/deliveries";

/// The arguments of `list_accounts`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Accounts {
    /// Only accounts of this customer, `cus_…`
    customer: Option<String>,
    /// Maximum number of objects, 1 to 100. Default: 10
    limit: Option<u32>,
    /// Id of the last object of the page before
    starting_after: Option<String>,
}

/// The arguments of `list_transactions`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Transactions {
    /// Account, `fca_…`
    account: String,
    /// Only rows that later refreshes than this one, `fctxnref_…`, created or changed
    after_refresh: Option<String>,
    /// Maximum number of objects, 1 to 100. Default: 10
    limit: Option<u32>,
    /// Id of the last object of the page before
    starting_after: Option<String>,
}

/// The arguments of `list_events`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Events {
    /// Only this type. The last word may be .*
    #[serde(rename = "type")]
    event_type: Option<String>,
    /// Only events whose deliveries all succeeded, or with one that did not
    delivery_success: Option<bool>,
    /// Maximum number of objects, 1 to 100. Default: 10
    limit: Option<u32>,
    /// Id of the last object of the page before
    starting_after: Option<String>,
}

/// The state of a delivery.
#[derive(Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum DeliveryStatus {
    Pending,
    Succeeded,
    Failed,
    Canceled,
    Lost,
}

impl DeliveryStatus {
    fn word(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Canceled => "canceled",
            Self::Lost => "lost",
        }
    }
}

/// The arguments of `list_deliveries`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Deliveries {
    /// Only those of this event, `evt_…`
    event: Option<String>,
    /// Only those to this endpoint, `we_…`
    endpoint: Option<String>,
    /// Only those with this status
    status: Option<DeliveryStatus>,
    /// Maximum number of objects, 1 to 100. Default: 10
    limit: Option<u32>,
    /// Id of the last object of the page before
    starting_after: Option<String>,
}

/// The arguments of `judge`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Judge {
    /// The client still runs, so open cases are left out
    #[serde(default)]
    running: bool,
    /// Forget the observations after the report
    #[serde(default)]
    reset: bool,
}

pub(super) async fn accounts(agent: &Agent, arguments: Accounts) -> Result<Value, ToolError> {
    let filters = [("account_holder[customer]", arguments.customer)];
    list(agent, ACCOUNTS, filters, arguments.limit, arguments.starting_after).await
}

pub(super) async fn transactions(
    agent: &Agent,
    arguments: Transactions,
) -> Result<Value, ToolError> {
    let filters = [
        ("account", Some(arguments.account)),
        ("transaction_refresh[after]", arguments.after_refresh),
    ];
    list(agent, TRANSACTIONS, filters, arguments.limit, arguments.starting_after).await
}

pub(super) async fn events(agent: &Agent, arguments: Events) -> Result<Value, ToolError> {
    let success = arguments.delivery_success.map(|success| success.to_string());
    let filters = [("type", arguments.event_type), ("delivery_success", success)];
    list(agent, EVENTS, filters, arguments.limit, arguments.starting_after).await
}

pub(super) async fn deliveries(agent: &Agent, arguments: Deliveries) -> Result<Value, ToolError> {
    let status = arguments.status.map(|status| status.word().to_owned());
    let filters =
        [("event", arguments.event), ("endpoint", arguments.endpoint), ("status", status)];
    list(agent, DELIVERIES, filters, arguments.limit, arguments.starting_after).await
}

/// Lists the test banks, with the texts that distinguish them.
pub(super) async fn banks(agent: &Agent) -> Result<Value, ToolError> {
    let mut banks = agent.server.get(&format!("{HELPERS}/institutions"), &[]).await?;
    Ok(json!({"banks": banks["data"].take()}))
}

/// Returns the report of the client checker.
pub(super) async fn judge(agent: &Agent, arguments: Judge) -> Result<Value, ToolError> {
    let finished = if arguments.running { "false" } else { "true" };
    let report = agent.server.get(REPORT, &[("finished", finished)]).await?;
    if arguments.reset {
        agent.server.post(&format!("{REPORT}/reset"), &[]).await?;
    }
    Ok(report)
}

/// Returns a page of a list.
async fn list<const N: usize>(
    agent: &Agent,
    path: &str,
    filters: [(&str, Option<String>); N],
    limit: Option<u32>,
    starting_after: Option<String>,
) -> Result<Value, ToolError> {
    let limit = limit.map(|limit| limit.to_string());
    let page = [("limit", limit), ("starting_after", starting_after)];
    let sent = filters.iter().chain(&page);
    let sent: Vec<(&str, &str)> =
        sent.filter_map(|(name, value)| Some((*name, value.as_deref()?))).collect();
    let mut page = agent.server.get(path, &sent).await?;
    Ok(json!({"data": page["data"].take(), "has_more": page["has_more"]}))
}
