//! `bankfeed snapshot` and `bankfeed reset`: saves, restores and removes the data of a
//! merchant.

use super::account::segment;
use super::global::GlobalFlags;
use super::output::{self, Column, Facts, OutputError, Table, is_terminal};
use super::server::{Server, ServerError, patiently, text, with_server};
use super::{CommandError, format};
use clap::{Args, Subcommand};
use model::nearest::suggestions;
use serde_json::Value;
use std::io::IsTerminal as _;

const SNAPSHOTS: &str = "/v1/test_helpers/snapshots";
const RESET: &str = "/v1/test_helpers/reset";
/// The word that confirms a reset.
const CONFIRMATION: &str = "yes";

/// The subcommands of `bankfeed snapshot`.
#[derive(Subcommand)]
pub enum SnapshotCommand {
    /// Save all data of the merchant, optionally under a name
    #[command(after_help = "\
Examples:
  bankfeed snapshot create seeded")]
    Create(CreateFlags),
    /// List the snapshots
    #[command(after_help = "\
Examples:
  bankfeed snapshot list")]
    List,
    /// Replace all data of the merchant with a snapshot
    #[command(after_help = "\
Examples:
  bankfeed snapshot restore seeded")]
    Restore(OneFlags),
    /// Delete a snapshot; the merchant's data stays
    #[command(after_help = "\
Examples:
  bankfeed snapshot delete seeded")]
    Delete(OneFlags),
}

/// The flags of `bankfeed snapshot create`.
#[derive(Args)]
pub struct CreateFlags {
    /// Name of the snapshot
    #[arg(value_name = "NAME")]
    name: Option<String>,
}

/// The selection of a snapshot.
#[derive(Args)]
pub struct OneFlags {
    /// Id or name; the newest if several have the name
    #[arg(value_name = "SNAPSHOT")]
    snapshot: String,
}

/// The flags of `bankfeed reset`.
#[derive(Args)]
pub struct ResetFlags {
    /// Do not ask for confirmation
    #[arg(long, short)]
    yes: bool,
}

pub(super) fn run(command: &SnapshotCommand, global: &GlobalFlags) -> Result<(), CommandError> {
    match command {
        SnapshotCommand::Create(flags) => with_server(global, async |server| {
            let name = flags.name.as_deref().map(|name| ("name", name));
            let form: Vec<(&str, &str)> = name.into_iter().collect();
            let taken = patiently("saving", server.post(SNAPSHOTS, &form)).await?;
            server.show(&taken, show)
        }),
        SnapshotCommand::List => with_server(global, list),
        SnapshotCommand::Restore(flags) => with_server(global, async |server| {
            let id = find(server, &flags.snapshot).await?;
            let path = format!("{SNAPSHOTS}/{}/restore", segment(&id));
            let restored = patiently("restoring", server.post(&path, &[])).await?;
            server.show(&restored, |snapshot| {
                let (id, at) = (text(snapshot, "id"), format::moment(&snapshot["created"]));
                output::say(&format!("restored {id} of {at}: {}", counts(snapshot)))
            })
        }),
        SnapshotCommand::Delete(flags) => with_server(global, async |server| {
            let id = find(server, &flags.snapshot).await?;
            let path = format!("{SNAPSHOTS}/{}", segment(&id));
            let deleted = server.call("DELETE", &path, &[]).await?;
            server.show(&deleted, |_| output::say(&format!("deleted {id}")))
        }),
    }
}

/// Removes the data of the merchant after a confirmation.
pub(super) fn run_reset(flags: &ResetFlags, global: &GlobalFlags) -> Result<(), CommandError> {
    with_server(global, async |server| {
        if !flags.yes {
            confirm(&format!("This removes all data of the key {}.", server.key()))?;
        }
        let reset = patiently("removing all data", server.post(RESET, &[])).await?;
        server.show(&reset, |_| output::say("removed all data except snapshots"))
    })
}

/// Asks the person at the terminal to type the word. Programs have no terminal, so they confirm by
/// a flag.
fn confirm(warning: &str) -> Result<(), ServerError> {
    let rejected = |problem: &str| ServerError::Usage {
        problem: problem.to_owned(),
        help: "Confirm with --yes".to_owned(),
    };
    if !std::io::stdin().is_terminal() {
        return Err(rejected("reset needs a confirmation, and standard input is not a terminal"));
    }
    output::ask(&format!("{warning} Type {CONFIRMATION} to continue: "));
    let mut typed = String::new();
    std::io::stdin().read_line(&mut typed).map_err(ServerError::Terminal)?;
    if typed.trim().eq_ignore_ascii_case(CONFIRMATION) {
        return Ok(());
    }
    Err(rejected("not confirmed, so no data was removed"))
}

async fn list(server: &Server) -> Result<(), ServerError> {
    if server.json {
        let tell = |snapshot| Ok(output::say_json_line(&snapshot)?);
        return server.each(SNAPSHOTS, &[], None, is_terminal(), tell).await;
    }
    let mut table = Table::new(&[
        Column::Text("ID"),
        Column::Text("NAME"),
        Column::Text("TAKEN"),
        Column::Number("ROWS"),
        Column::Number("BYTES"),
    ]);
    for snapshot in server.list(SNAPSHOTS, &[], None).await? {
        table.row(&[
            &text(&snapshot, "id"),
            &text(&snapshot, "name"),
            &format::moment(&snapshot["created"]),
            &rows(&snapshot).to_string(),
            &text(&snapshot, "bytes"),
        ]);
    }
    Ok(table.print("no snapshots; create one with `bankfeed snapshot create`")?)
}

/// Finds the id of a snapshot by its id or its name.
async fn find(server: &Server, wanted: &str) -> Result<String, ServerError> {
    if wanted.starts_with("snap_") {
        return Ok(wanted.to_owned());
    }
    let listed = server.list(SNAPSHOTS, &[], None).await?;
    if let Some(found) = listed.iter().find(|snapshot| snapshot["name"] == wanted) {
        return Ok(text(found, "id"));
    }
    let names = listed.iter().filter_map(|snapshot| snapshot["name"].as_str());
    let advice = suggestions(wanted, &names.collect::<Vec<_>>());
    Err(ServerError::Usage {
        problem: format!("no snapshot has the name '{wanted}'"),
        help: format!("{advice} List all with `bankfeed snapshot list`").trim_start().to_owned(),
    })
}

fn show(snapshot: &Value) -> Result<(), OutputError> {
    let mut facts = Facts::new();
    facts.add("snapshot", &text(snapshot, "id"));
    facts.add("name", &text(snapshot, "name"));
    facts.add("taken", &format::moment(&snapshot["created"]));
    facts.add("rows", &format!("{}: {}", rows(snapshot), counts(snapshot)));
    facts.add("bytes", &text(snapshot, "bytes"));
    facts.print()
}

/// The number of rows of each kind.
fn counts(snapshot: &Value) -> String {
    let counts = snapshot["counts"].as_object().into_iter().flatten();
    counts.map(|(kind, rows)| format!("{rows} {kind}")).collect::<Vec<_>>().join(", ")
}

/// The number of rows of all kinds.
fn rows(snapshot: &Value) -> u64 {
    let counts = snapshot["counts"].as_object().into_iter().flatten();
    counts.filter_map(|(_, rows)| rows.as_u64()).sum()
}
