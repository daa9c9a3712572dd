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
use model::id::ThinEventId;
use model::limits::PAGE_ROWS_MAX;
use model::nearest::suggestions;
use model::thin::all_names;
use serde_json::{Value, json};

/// The path of events.
pub(super) const EVENTS: &str = "/v1/events";
/// The path of thin events.
pub(super) const THIN_EVENTS: &str = "/v2/core/events";
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
    let thin = all_names();
    let known = EventType::ALL.iter().map(|known| known.word());
    let known: Vec<&str> = known.chain(thin.iter().map(String::as_str)).collect();
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
    if let Some(name) = flags.event_type.as_deref().filter(|name| is_thin(name)) {
        return show_thin(server, name, flags.limit).await;
    }
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

/// True for the name of a thin event, or of a family of them.
fn is_thin(name: &str) -> bool {
    name.starts_with("v1.") || name.starts_with("v2.")
}

/// Shows thin events with a name, or with the names of a family.
async fn show_thin(server: &Server, name: &str, limit: usize) -> Result<(), ServerError> {
    let names: Vec<String> = match name.strip_suffix('*') {
        Some(beginning) => {
            all_names().into_iter().filter(|known| known.starts_with(beginning)).collect()
        }
        None => vec![name.to_owned()],
    };
    let form: Vec<_> = names.iter().map(|name| ("types[]", name.as_str())).collect();
    let events = list_thin(server, THIN_EVENTS, &form, limit).await?;
    if server.json {
        return Ok(events.iter().try_for_each(output::say_json_line)?);
    }
    let columns = ["WHEN", "TYPE", "OBJECT", "EVENT"].map(Column::Text);
    let mut table = Table::new(&columns);
    for event in &events {
        table.row(&[
            &format::moment(&event["created"]),
            &text(event, "type"),
            &object_of(event),
            &text(event, "id"),
        ]);
    }
    Ok(table.print("no events")?)
}

/// The rows of a list of `/v2` from all of its pages, up to the maximum.
pub(super) async fn list_thin(
    server: &Server,
    path: &str,
    form: &[(&str, &str)],
    limit: usize,
) -> Result<Vec<Value>, ServerError> {
    let rows = limit.min(usize::try_from(PAGE_ROWS_MAX).unwrap_or(1)).to_string();
    let form = [&[("limit", rows.as_str())], form].concat();
    let mut page = server.get_page(path, &form).await?;
    let mut events: Vec<Value> = Vec::new();
    loop {
        events.extend(page["data"].as_array().into_iter().flatten().cloned());
        match page["next_page_url"].as_str() {
            Some(next) if events.len() < limit => page = server.get_page(next, &[]).await?,
            _ => break,
        }
    }
    events.truncate(limit);
    Ok(events)
}

/// The id of the object of an event or of a thin event.
pub(super) fn object_of(event: &Value) -> String {
    let id = text(&event["data"]["object"], "id");
    if id.is_empty() { text(&event["related_object"], "id") } else { id }
}

/// The result of the refresh that an event reports, or else the status of its object.
fn status_of(event: &Value) -> String {
    let object = &event["data"]["object"];
    let object = refresh_of(&text(event, "type")).map_or(object, |key| &object[key]);
    object["status"].as_str().unwrap_or_default().to_owned()
}

/// Shows an event with its deliveries.
async fn show(server: &Server, id: &str) -> Result<(), ServerError> {
    let is_thin = id.parse::<ThinEventId>().is_ok();
    let events = if is_thin { THIN_EVENTS } else { EVENTS };
    let event = server.get(&format!("{events}/{}", segment(id)), &[]).await?;
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
    facts.add("object", &object_of(&event));
    facts.add("at", &format::moment(&event["created"]));
    let request = if is_thin { &event["reason"]["request"] } else { &event["request"] };
    facts.add("request", &text(request, "id"));
    facts.add("version", &text(&event, "api_version"));
    facts.add("snapshot event", &text(&event, "snapshot_event"));
    facts.print()?;
    let deliveries = deliveries.as_array().map_or(&[][..], Vec::as_slice);
    // A thin event of this event is another event, so its name is shown.
    let shows_types = deliveries.iter().any(|delivery| delivery["event"] != event["id"]);
    Ok(show_ledger(deliveries, shows_types)?)
}

/// Shows deliveries, each with its attempts. A delivery without an attempt has a line too.
fn show_ledger(deliveries: &[Value], shows_types: bool) -> Result<(), OutputError> {
    let type_column = shows_types.then_some(Column::Text("TYPE"));
    let mut columns = vec![Column::Text("ENDPOINT")];
    columns.extend(type_column);
    columns.extend([
        Column::Status("DELIVERY"),
        Column::Number("ATTEMPT"),
        Column::Text("AT"),
        Column::Text("ANSWER"),
        Column::Number("TOOK"),
        Column::Text("FAULT"),
        Column::Text("BODY"),
    ]);
    let mut table = Table::new(&columns);
    for delivery in deliveries {
        let event_type = text(delivery, "event_type");
        let mut row = |endpoint: &str, others: &[&str]| {
            let mut texts = vec![endpoint];
            texts.extend(shows_types.then_some(event_type.as_str()));
            texts.extend_from_slice(others);
            table.row(&texts);
        };
        let (endpoint, status) = (text(delivery, "webhook_endpoint"), text(delivery, "status"));
        let attempts = delivery["attempts"].as_array().map_or(&[][..], Vec::as_slice);
        for attempt in attempts {
            let response = match attempt["status"].as_i64() {
                Some(status) => status.to_string(),
                None => text(attempt, "error"),
            };
            row(
                &endpoint,
                &[
                    &status,
                    &text(attempt, "number"),
                    &format::moment(&attempt["at"]),
                    &response,
                    &format!("{} ms", text(attempt, "duration_ms")),
                    &text(attempt, "fault"),
                    &beginning(&text(attempt, "response")),
                ],
            );
        }
        if status == "pending" || attempts.is_empty() {
            let next = if status == "pending" { "next" } else { "none" };
            let due = ["next_attempt_at", "due_at"].map(|name| &delivery[name]);
            let due = due.into_iter().find(|due| due.is_i64()).filter(|_| status == "pending");
            let due = due.map(format::moment).unwrap_or_default();
            row(&endpoint, &[&status, next, &due, "", "", &text(&delivery["fault"], "kind"), ""]);
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
