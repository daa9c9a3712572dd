//! The tools for scenarios: lists them, and runs one from the link to a day of its timeline.

use super::Agent;
use super::accounts::{Link, WAIT_S, advance_clock, checked_timeout};
use super::results::ToolError;
use crate::account::path_of;
use crate::events::EVENTS;
use crate::format;
use crate::link::HELPERS;
use crate::server::{ServerError, text};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

/// The days that pass without `duration`, a month of the timeline.
const DURATION: &str = "30d";
/// The number of events in the result.
const EVENTS_SHOWN: &str = "20";

/// The arguments of `run_scenario`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RunScenario {
    /// Name of a ready scenario, as `list_scenarios` shows it
    name: Option<String>,
    /// Text of a scenario file in TOML or JSON, in place of a name
    scenario: Option<String>,
    /// Time that passes after the link, such as 7d. Default: 30d
    duration: Option<String>,
    /// Maximum wait for the advance in seconds. Default: 50
    timeout_s: Option<u64>,
}

/// Loads a scenario, links the accounts of its first bank on a new test clock, and advances the clock.
pub(super) async fn run(agent: &Agent, arguments: RunScenario) -> Result<Value, ToolError> {
    let RunScenario { name, scenario, duration, timeout_s } = arguments;
    let sent = match (&name, &scenario) {
        (Some(name), None) => ("name", name.as_str()),
        (None, Some(text)) => ("scenario", text.as_str()),
        _ => {
            return Err(ToolError::Server(ServerError::Usage {
                problem: "pass either name or scenario".to_owned(),
                help: "list_scenarios returns the names".to_owned(),
            }));
        }
    };
    // Wrong arguments must not leave a scenario behind.
    let duration = duration.as_deref().unwrap_or(DURATION);
    format::duration_s(duration).map_err(|problem| ServerError::Usage {
        problem,
        help: "A duration looks like 3d, 12h or 1d12h".to_owned(),
    })?;
    let timeout_s = checked_timeout(timeout_s.unwrap_or(WAIT_S))?;
    let mut loaded = agent.server.post(&format!("{HELPERS}/scenarios"), &[sent]).await?;
    let bank = loaded["institutions"][0].clone();
    let names = bank["accounts"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let link = Link {
        bank: Some(text(&bank, "id")),
        accounts: names.map(str::to_owned).collect(),
        new_test_clock: true,
        ..Link::default()
    };
    let linked = super::accounts::link(agent, link).await?;
    let paths = linked["accounts"].as_array().into_iter().flatten();
    let paths: Vec<String> = paths.map(|account| path_of(&text(account, "id"))).collect();
    for path in &paths {
        // The refresh of a slow bank ends only after some days, so this does not wait for it.
        agent.server.post(&format!("{path}/subscribe"), &[("features[]", "transactions")]).await?;
    }
    let clock = text(&linked, "created_test_clock");
    let (clock, from) = advance_clock(agent, duration, Some(clock), timeout_s).await?;
    let mut accounts = Vec::new();
    for path in &paths {
        accounts.push(agent.server.get(path, &[]).await?);
    }
    if let Some(fields) = loaded.as_object_mut() {
        // The agent has the text already, or can read it by its id.
        fields.remove("scenario");
    }
    Ok(json!({
        "scenario": loaded,
        "test_clock": clock,
        "from": from,
        "to": clock["frozen_time"],
        "accounts": accounts,
        "newest_events": newest_events(agent).await?,
    }))
}

/// The newest events of the key, without their objects.
async fn newest_events(agent: &Agent) -> Result<Vec<Value>, ServerError> {
    let events = agent.server.get(EVENTS, &[("limit", EVENTS_SHOWN)]).await?;
    let events = events["data"].as_array().into_iter().flatten();
    let shown = events.map(|event| {
        json!({
            "id": event["id"],
            "type": event["type"],
            "created": event["created"],
            "object": event["data"]["object"]["id"],
        })
    });
    Ok(shown.collect())
}

/// Lists the scenarios that come with the server, and those of the key.
pub(super) async fn list(agent: &Agent) -> Result<Value, ToolError> {
    let mut loaded = agent.server.get(&format!("{HELPERS}/scenarios"), &[("limit", "100")]).await?;
    let ready: Vec<Value> = agent
        .ready
        .iter()
        .map(|scenario| json!({"name": scenario.name, "description": scenario.description}))
        .collect();
    Ok(json!({"ready": ready, "loaded": loaded["data"].take()}))
}
