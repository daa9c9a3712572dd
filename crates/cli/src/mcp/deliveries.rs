//! The tool that explains deliveries: reads them with their endpoints and adds an explanation to each.

use super::Agent;
use super::explanation::explanation;
use super::lists::DELIVERIES;
use super::results::ToolError;
use crate::account::segment;
use crate::server::{ServerError, text};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::HashMap;

/// The beginning of the ids of webhook endpoints. Other receivers have no URL in the API.
const ENDPOINT: &str = "we_";

/// The arguments of `explain_delivery`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Explain {
    /// Delivery, `whd_…`
    delivery: Option<String>,
    /// Event, `evt_…`, in place of a delivery: all of its deliveries
    event: Option<String>,
}

/// Explains a delivery, or those of an event.
pub(super) async fn explain(agent: &Agent, arguments: Explain) -> Result<Value, ToolError> {
    let deliveries = match (&arguments.delivery, &arguments.event) {
        (Some(id), None) => {
            let path = format!("{DELIVERIES}/{}", segment(id));
            vec![agent.server.get(&path, &[]).await?]
        }
        (None, Some(id)) => {
            let path = format!("/v1/test_helpers/events/{}/deliveries", segment(id));
            let mut page = agent.server.get(&path, &[]).await?;
            page["data"].as_array_mut().map(std::mem::take).unwrap_or_default()
        }
        _ => {
            return Err(ToolError::Server(ServerError::Usage {
                problem: "pass either delivery or event".to_owned(),
                help: "list_deliveries returns the ids of deliveries and of their events"
                    .to_owned(),
            }));
        }
    };
    let mut endpoints = HashMap::new();
    let mut explained = Vec::new();
    for delivery in deliveries {
        let id = text(&delivery, "webhook_endpoint");
        if !endpoints.contains_key(&id) {
            let endpoint = endpoint(agent, &id).await?;
            endpoints.insert(id.clone(), endpoint);
        }
        let endpoint = endpoints.get(&id).cloned().flatten();
        let explanation = explanation(&delivery, endpoint.as_ref());
        explained.push(json!({
            "delivery": delivery,
            "endpoint": endpoint,
            "summary": explanation.summary,
            "hints": explanation.hints,
        }));
    }
    let note =
        explained.is_empty().then_some("No endpoint takes this event, so no delivery exists.");
    Ok(json!({"deliveries": explained, "note": note}))
}

/// The URL and the state of an endpoint. `None` if it was deleted, or if it has no URL in the API.
async fn endpoint(agent: &Agent, id: &str) -> Result<Option<Value>, ServerError> {
    if !id.starts_with(ENDPOINT) {
        return Ok(None);
    }
    match agent.server.get(&format!("/v1/webhook_endpoints/{}", segment(id)), &[]).await {
        Ok(endpoint) => Ok(Some(json!({
            "id": id,
            "url": endpoint["url"],
            "status": endpoint["status"],
            "enabled_events": endpoint["enabled_events"],
        }))),
        Err(ServerError::Rejected { status: 404, .. }) => Ok(None),
        Err(error) => Err(error),
    }
}
