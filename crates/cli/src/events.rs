//! `bankfeed events`: lists events, shows the deliveries of one with every attempt, and resends
//! one.

use super::account::{refresh_of, segment};
use super::global::GlobalFlags;
use super::output::{self, Column, Facts, OutputError, Table};
use super::server::{Server, ServerError, rows, text, with_server};
use super::{CommandError, format};
use clap::{Args, Subcommand};
use model::Word as _;
use model::event::EventType;
use model::nearest::suggestions;
use serde_json::{Value, json};

const EVENTS: &str = "/v1/events";
/// The default maximum number of listed events.
const EVENTS_SHOWN: usize = 20;

/// The selection of events.
#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct EventsFlags {
    #[command(subcommand)]
    what: Option<EventsCommand>,
    /// One event, with its deliveries and every attempt
    #[arg(value_name = "EVENT")]
    id: Option<String>,
    /// Only this type; the last word may be .*
    #[arg(long = "type", value_name = "TYPE", conflicts_with = "id")]
    event_type: Option<String>,
    /// Maximum number of events
    #[arg(
        long,
        value_name = "NUMBER",
        conflicts_with = "id",
        default_value_t = EVENTS_SHOWN,
        value_parser = rows()
    )]
    limit: usize,
}

/// The subcommands of `bankfeed events`.
#[derive(Subcommand)]
enum EventsCommand {
    /// Resend an event
    #[command(after_help = "\
Examples:
  bankfeed events resend evt_123
  bankfeed events resend evt_123 --webhook-endpoint we_123")]
    Resend(ResendFlags),
}

/// The event to send again, and its endpoint.
#[derive(Args)]
struct ResendFlags {
    /// Event
    #[arg(value_name = "EVENT")]
    id: String,
    /// Only to this endpoint
    #[arg(long, value_name = "ENDPOINT")]
    webhook_endpoint: Option<String>,
}

pub(super) fn run(flags: &EventsFlags, global: &GlobalFlags) -> Result<(), CommandError> {
    if let Some(EventsCommand::Resend(flags)) = &flags.what {
        return resend(flags, global);
    }
    with_server(global, async |server| match &flags.id {
        None => list(server, flags).await,
        Some(id) => show(server, id).await,
    })
}

/// Warns of event types that the server never emits. They are no error, because Stripe emits more
/// types than this server.
pub(super) fn warn_of_unknown_types(types: &[String]) {
    let known: Vec<&str> = EventType::ALL.iter().map(|known| known.word()).collect();
    for typed in types {
        let is_known = match typed.strip_suffix('*') {
            Some(beginning) => known.iter().any(|known| known.starts_with(beginning)),
            None => known.contains(&typed.as_str()),
        };
        if !is_known {
            let advice = suggestions(typed, &known);
            let warning = format!("The server emits no event of the type '{typed}'. {advice}");
            output::warn(warning.trim_end());
        }
    }
}

async fn list(server: &Server, flags: &EventsFlags) -> Result<(), ServerError> {
    warn_of_unknown_types(flags.event_type.as_slice());
    let form: Vec<(&str, &str)> =
        flags.event_type.as_deref().map(|word| ("type", word)).into_iter().collect();
    let events = server.list(EVENTS, &form, Some(flags.limit)).await?;
    if server.json {
        return Ok(events.iter().try_for_each(output::say_json_line)?);
    }
    let mut table = Table::new(&[
        Column::Text("WHEN"),
        Column::Text("TYPE"),
        Column::Status("STATUS"),
        Column::Text("OBJECT"),
        Column::Text("EVENT"),
        Column::Number("PENDING"),
    ]);
    for event in &events {
        table.row(&[
            &format::moment(&event["created"]),
            &text(event, "type"),
            &status_of(event),
            &text(&event["data"]["object"], "id"),
            &text(event, "id"),
            &text(event, "pending_webhooks"),
        ]);
    }
    Ok(table.print("no events")?)
}

/// The result of the refresh that an event reports, or else the status of its object.
fn status_of(event: &Value) -> String {
    let object = &event["data"]["object"];
    let object = refresh_of(&text(event, "type")).map_or(object, |key| &object[key]);
    object["status"].as_str().unwrap_or_default().to_owned()
}

/// Shows an event with its deliveries.
async fn show(server: &Server, id: &str) -> Result<(), ServerError> {
    let event = server.get(&format!("{EVENTS}/{}", segment(id)), &[]).await?;
    let path = format!("/v1/test_helpers/events/{}/deliveries", segment(id));
    let mut deliveries = server.get(&path, &[]).await?;
    let deliveries = deliveries["data"].take();
    if server.json {
        return Ok(output::say_json(&json!({"event": event, "deliveries": deliveries}))?);
    }
    let mut facts = Facts::new();
    facts.add("event", &text(&event, "id"));
    facts.add("type", &text(&event, "type"));
    facts.add("status", &status_of(&event));
    facts.add("object", &text(&event["data"]["object"], "id"));
    facts.add("at", &format::moment(&event["created"]));
    facts.add("request", &text(&event["request"], "id"));
    facts.add("version", &text(&event, "api_version"));
    facts.print()?;
    Ok(show_ledger(deliveries.as_array().map_or(&[], Vec::as_slice))?)
}

/// Shows deliveries, each with its attempts. A delivery without an attempt has a line too.
fn show_ledger(deliveries: &[Value]) -> Result<(), OutputError> {
    let mut table = Table::new(&[
        Column::Text("ENDPOINT"),
        Column::Status("DELIVERY"),
        Column::Number("ATTEMPT"),
        Column::Text("AT"),
        Column::Text("ANSWER"),
        Column::Number("TOOK"),
        Column::Text("FAULT"),
        Column::Text("BODY"),
    ]);
    for delivery in deliveries {
        let (endpoint, status) = (text(delivery, "webhook_endpoint"), text(delivery, "status"));
        let attempts = delivery["attempts"].as_array().map_or(&[][..], Vec::as_slice);
        for attempt in attempts {
            let response = match attempt["status"].as_i64() {
                Some(status) => status.to_string(),
                None => text(attempt, "error"),
            };
            table.row(&[
                &endpoint,
                &status,
                &text(attempt, "number"),
                &format::moment(&attempt["at"]),
                &response,
                &format!("{} ms", text(attempt, "duration_ms")),
                &text(attempt, "fault"),
                &beginning(&text(attempt, "response")),
            ]);
        }
        if status == "pending" || attempts.is_empty() {
            let next = if status == "pending" { "next" } else { "none" };
            let due = ["next_attempt_at", "due_at"].map(|name| &delivery[name]);
            let due = due.into_iter().find(|due| due.is_i64()).filter(|_| status == "pending");
            let due = due.map(format::moment).unwrap_or_default();
            table.row(&[
                &endpoint,
                &status,
                next,
                &due,
                "",
                "",
                &text(&delivery["fault"], "kind"),
                "",
            ]);
        }
    }
    table.print("no endpoint receives this event")
}

/// The beginning of a text, as long as a table has room for.
fn beginning(text: &str) -> String {
    const LETTERS_MAX: usize = 40;
    if text.chars().count() <= LETTERS_MAX {
        return text.to_owned();
    }
    text.chars().take(LETTERS_MAX - 1).chain(['…']).collect()
}

fn resend(flags: &ResendFlags, global: &GlobalFlags) -> Result<(), CommandError> {
    with_server(global, async |server| {
        let endpoint = flags.webhook_endpoint.as_deref();
        let form: Vec<(&str, &str)> =
            endpoint.map(|endpoint| ("webhook_endpoint", endpoint)).into_iter().collect();
        let path = format!("{EVENTS}/{}/retry", segment(&flags.id));
        let response = server.post(&path, &form).await?;
        server.show(&response, |response| {
            output::say(&format!("{} is sent again", text(response, "id")))
        })
    })
}
