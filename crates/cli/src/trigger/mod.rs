//! `bankfeed trigger`: triggers an event by the API calls that lead to it.
//!
//! The server emits the event because of a real change, and all earlier steps happen too. If the
//! command is interrupted, the objects of its earlier calls remain.

mod recipe;

use super::account::refresh_of;
use super::global::GlobalFlags;
use super::output::{self, Column, Facts, OutputError, Table};
use super::server::{SEE_LOG, Server, ServerError, Wait, patiently, text, with_server};
use super::{CommandError, format};
use clap::Args;
use model::nearest::{find_nearest, suggestions};
use recipe::{Book, Line, Step, Subject, fill};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

const EVENTS: &str = "/v1/events";
/// Seconds that a worker may take to emit an event.
const EVENT_WAIT_S: u64 = 30;

/// The flags of `bankfeed trigger`.
#[derive(Args)]
pub struct TriggerFlags {
    /// Type of the event
    #[arg(value_name = "EVENT", required_unless_present = "list")]
    event: Option<String>,
    /// Show every type that can be triggered
    #[arg(long)]
    list: bool,
    /// Use this bank account instead of a new one
    #[arg(long, value_name = "ACCOUNT")]
    account: Option<String>,
    /// Use this customer instead of a new one
    #[arg(long, value_name = "CUSTOMER")]
    customer: Option<String>,
}

pub(super) fn run(flags: &TriggerFlags, global: &GlobalFlags) -> Result<(), CommandError> {
    let book = Book::read();
    let Some(event) = flags.event.as_deref().filter(|_| !flags.list) else {
        return Ok(list(&book, global.json)?);
    };
    let named = [("account", &flags.account), ("customer", &flags.customer)];
    let named: Vec<(&'static str, &str)> =
        named.into_iter().filter_map(|(name, id)| Some((name, id.as_deref()?))).collect();
    let lines = lines_of(&book, event, &named)?;
    with_server(global, async |server| trigger(server, event, &named, &lines).await)
}

fn list(book: &Book, json: bool) -> Result<(), OutputError> {
    book.events().try_for_each(|event| {
        if json { output::say_json_line(&json!(event)) } else { output::say(event) }
    })
}

/// The steps of a recipe in order, parts first. A part that creates a named object is skipped.
fn lines_of<'a>(
    book: &'a Book,
    event: &str,
    named: &[(&'static str, &str)],
) -> Result<Vec<&'a Line>, ServerError> {
    let Some(recipe) = book.event(event) else {
        return Err(ServerError::Usage {
            problem: format!("no event of the type '{event}' can be triggered"),
            help: help_against_type(book, event),
        });
    };
    let mut done: BTreeSet<&str> = named.iter().map(|(name, _)| *name).collect();
    let mut lines = Vec::new();
    book.gather(recipe, &mut done, &mut lines);
    for (name, id) in named {
        let place = format!("{{{name}}}");
        if !lines.iter().any(|line| line.mentions(&place)) {
            return Err(ServerError::Usage {
                problem: format!("{event} cannot be triggered for {id}"),
                help: format!("Leave out --{name}, because the event needs a new object"),
            });
        }
    }
    Ok(lines)
}

/// The advice for an unknown type: the nearest type, and the types of the same object if they are
/// few.
fn help_against_type(book: &Book, event: &str) -> String {
    let all: Vec<&str> = book.events().collect();
    let object = event.rsplit_once('.').map_or(event, |(object, _)| object);
    let of_object =
        |known: &&&str| known.strip_prefix(object).is_some_and(|rest| rest.starts_with('.'));
    let mut siblings: Vec<&str> = all.iter().filter(of_object).copied().collect();
    // The beginning of a long name is easily left out.
    let ends = all.iter().flat_map(|known| {
        let parts = known.match_indices('.').map(|(place, _)| (&known[place + 1..], *known));
        parts.filter(|(end, _)| end.contains('.'))
    });
    let ends: BTreeMap<&str, &str> = ends.collect();
    let of_end = match find_nearest(event, siblings.iter().copied()) {
        None => find_nearest(event, ends.keys().copied()).and_then(|end| ends.get(end)),
        Some(_) => None,
    };
    if siblings.is_empty() {
        siblings.clone_from(&all);
    }
    let advice = match of_end {
        Some(known) => format!("Did you mean '{known}'?"),
        None => suggestions(event, &siblings),
    };
    format!("{advice} List all with `bankfeed trigger --list`").trim_start().to_owned()
}

async fn trigger(
    server: &Server,
    event: &str,
    named: &[(&'static str, &str)],
    lines: &[&Line],
) -> Result<(), ServerError> {
    let mut objects: BTreeMap<&str, Value> =
        named.iter().map(|(name, id)| (*name, json!({"id": id}))).collect();
    let mut observed = server.clone();
    let mut before = ids(&observed, event).await?;
    for line in lines {
        match &line.step {
            Step::Use(_) => {}
            Step::Inside(name) => {
                observed = server.inside(&text(&objects[name.as_str()], "id"));
                before = ids(&observed, event).await?;
            }
            Step::Call { keep, method, path, form } => {
                let path = fill(path, &objects);
                let form: Vec<(String, String)> = form
                    .iter()
                    .map(|(name, value)| (name.clone(), fill(value, &objects)))
                    .collect();
                let form: Vec<(&str, &str)> =
                    form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
                let response = server.call(method, &path, &form).await?;
                if let Some(keep) = keep {
                    objects.insert(keep, response);
                }
            }
        }
    }
    let subject = lines.last().and_then(|line| line.subject(named));
    let came = wait_for(&observed, event, &before, subject).await?;
    server.show(&came, |came| show(came, named, &objects))
}

/// The ids of the existing events of a type. They are compared as a set because events are ordered
/// by their objects' clocks, so the newest event need not come first.
async fn ids(server: &Server, event: &str) -> Result<BTreeSet<String>, ServerError> {
    let events = server.list(EVENTS, &[("type", event)], None).await?;
    Ok(events.iter().map(|event| text(event, "id")).collect())
}

/// Waits for the first new event of a type. A `subject` is the existing object of the last call.
/// Once no work is in progress on it, an event that has not come will not come.
async fn wait_for(
    server: &Server,
    event: &str,
    before: &BTreeSet<String>,
    subject: Option<Subject<'_>>,
) -> Result<Value, ServerError> {
    let look = async || {
        // The subject is read first, so the list includes the events of work that ended before.
        let settled = match subject {
            Some(subject) => Some(server.get(&subject.path(), &[]).await?),
            None => None,
        };
        let events = server.list(EVENTS, &[("type", event)], None).await?;
        let came = events.into_iter().find(|event| !before.contains(&text(event, "id")));
        match settled.filter(|settled| came.is_none() && !is_refreshing(settled)) {
            Some(settled) => Err(ServerError::Ended {
                problem: why_not(event, &settled),
                help: "Leave out --account and --customer to use new objects".to_owned(),
            }),
            None => Ok(came),
        }
    };
    let wait = Wait { subject: event, help: SEE_LOG, timeout_s: EVENT_WAIT_S };
    patiently("waiting for the event", wait.until(look)).await
}

fn is_refreshing(object: &Value) -> bool {
    let refreshes = object.as_object().into_iter().flatten();
    refreshes
        .filter(|(name, _)| name.ends_with("_refresh"))
        .any(|(_, refresh)| refresh["status"] == "pending")
}

/// Explains a missing event. The call about an object succeeded without a change.
fn why_not(event: &str, object: &Value) -> String {
    let (id, status) = (text(object, "id"), text(object, "status"));
    let refresh = refresh_of(event).map(|key| &object[key]);
    let state = match refresh.map(|refresh| format::moment(&refresh["next_refresh_available_at"])) {
        Some(from) if !from.is_empty() => format!("; it can be refreshed again from {from}"),
        _ if !status.is_empty() => format!(", which is already {status}"),
        _ => String::new(),
    };
    format!("{event} was not emitted, because the call did not change {id}{state}")
}

fn show(
    event: &Value,
    named: &[(&'static str, &str)],
    objects: &BTreeMap<&str, Value>,
) -> Result<(), OutputError> {
    let mut facts = Facts::new();
    facts.add("event", &text(event, "id"));
    facts.add("type", &text(event, "type"));
    facts.add("object", &text(&event["data"]["object"], "id"));
    facts.add("at", &format::moment(&event["created"]));
    facts.add("in", &text(event, "account"));
    facts.print()?;
    let mut table = Table::new(&[Column::Text("CREATED"), Column::Text("ID")]);
    let mut shown: BTreeSet<String> = named.iter().map(|(_, id)| (*id).to_owned()).collect();
    for object in objects.values() {
        let id = text(object, "id");
        if shown.insert(id.clone()) {
            table.row(&[&text(object, "object"), &id]);
        }
    }
    table.print("created no other object")
}
