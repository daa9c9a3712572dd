//! `bankfeed snapshot` and `bankfeed reset`: saves, restores and empties a sandbox.

use super::account::segment;
use super::output::{self, Column, Facts, OutputError, Table, is_terminal};
use super::server::{Server, ServerError, ServerFlags, patiently, text, with_server};
use super::{CommandError, format};
use clap::{Args, Subcommand};
use serde_json::Value;

const SNAPSHOTS: &str = "/v1/test_helpers/snapshots";
const RESET: &str = "/v1/test_helpers/reset";

/// The subcommands of `bankfeed snapshot`.
#[derive(Subcommand)]
pub enum SnapshotCommand {
    /// Save all data of the sandbox, optionally under a name
    Create(CreateFlags),
    /// List the snapshots
    List(ResetFlags),
    /// Replace all data of the sandbox with a snapshot
    Restore(OneFlags),
    /// Delete a snapshot; the data of the sandbox stays
    Delete(OneFlags),
}

/// The flags of `bankfeed snapshot create`.
#[derive(Args)]
pub struct CreateFlags {
    /// The name of the snapshot
    #[arg(value_name = "NAME")]
    name: Option<String>,
    #[command(flatten)]
    server: ServerFlags,
}

/// The selection of a snapshot.
#[derive(Args)]
pub struct OneFlags {
    /// The id or the name; the newest if several have the name
    #[arg(value_name = "SNAPSHOT")]
    snapshot: String,
    #[command(flatten)]
    server: ServerFlags,
}

/// The selection of a sandbox.
#[derive(Args)]
pub struct ResetFlags {
    #[command(flatten)]
    server: ServerFlags,
}

pub(super) fn run(command: &SnapshotCommand) -> Result<(), CommandError> {
    match command {
        SnapshotCommand::Create(flags) => with_server(&flags.server, async |server| {
            let name = flags.name.as_deref().map(|name| ("name", name));
            let form: Vec<(&str, &str)> = name.into_iter().collect();
            let taken = patiently("keeping all", server.post(SNAPSHOTS, &form)).await?;
            server.show(&taken, show)
        }),
        SnapshotCommand::List(flags) => with_server(&flags.server, list),
        SnapshotCommand::Restore(flags) => with_server(&flags.server, async |server| {
            let id = find(server, &flags.snapshot).await?;
            let path = format!("{SNAPSHOTS}/{}/restore", segment(&id));
            let restored = patiently("bringing all back", server.post(&path, &[])).await?;
            server.show(&restored, |snapshot| {
                let (id, at) = (text(snapshot, "id"), format::moment(&snapshot["created"]));
                output::say(&format!("all is as {id} kept it at {at}: {}", counts(snapshot)))
            })
        }),
        SnapshotCommand::Delete(flags) => with_server(&flags.server, async |server| {
            let id = find(server, &flags.snapshot).await?;
            let path = format!("{SNAPSHOTS}/{}", segment(&id));
            let deleted = server.call("DELETE", &path, &[]).await?;
            server.show(&deleted, |_| output::say(&format!("{id} is gone")))
        }),
    }
}

/// Empties the sandbox.
pub(super) fn run_reset(flags: &ResetFlags) -> Result<(), CommandError> {
    with_server(&flags.server, async |server| {
        let reset = patiently("removing all", server.post(RESET, &[])).await?;
        server.show(&reset, |_| output::say("the sandbox is empty; its snapshots are kept"))
    })
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
    Ok(table.print("no snapshots; `bankfeed snapshot create` takes one")?)
}

/// Finds the id of a snapshot by its id or its name.
async fn find(server: &Server, named: &str) -> Result<String, ServerError> {
    if named.starts_with("snap_") {
        return Ok(named.to_owned());
    }
    let listed = server.list(SNAPSHOTS, &[], None).await?;
    let found = listed.iter().find(|snapshot| snapshot["name"] == named);
    found.map(|snapshot| text(snapshot, "id")).ok_or_else(|| ServerError::Usage {
        problem: format!("no snapshot is called '{named}'"),
        help: "`bankfeed snapshot list` shows them".to_owned(),
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
