//! `bankfeed snapshot` and `bankfeed reset`: all of a sandbox kept, brought back, and emptied.

use super::account::segment;
use super::output::{self, Column, Facts, OutputError, Table, is_terminal};
use super::server::{Server, ServerError, ServerFlags, patiently, text, with_server};
use super::{CommandError, format};
use clap::{Args, Subcommand};
use serde_json::Value;

const SNAPSHOTS: &str = "/v1/test_helpers/snapshots";
const RESET: &str = "/v1/test_helpers/reset";

/// What can be done with snapshots.
#[derive(Subcommand)]
pub enum SnapshotCommand {
    /// Keeps all that there is now, under a name if one is given
    Create(CreateFlags),
    /// Lists the snapshots that were kept
    List(ResetFlags),
    /// Brings one back in place of all that there is now
    Restore(OneFlags),
    /// Removes one; all that there is now stays
    Delete(OneFlags),
}

/// What may be said about a new snapshot.
#[derive(Args)]
pub struct CreateFlags {
    /// What to call it
    #[arg(value_name = "NAME")]
    name: Option<String>,
    #[command(flatten)]
    server: ServerFlags,
}

/// Which snapshot.
#[derive(Args)]
pub struct OneFlags {
    /// Its id or its name; of several with this name the newest
    #[arg(value_name = "SNAPSHOT")]
    snapshot: String,
    #[command(flatten)]
    server: ServerFlags,
}

/// Whose sandbox is meant.
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

/// The id of a snapshot that is named by its id or by its name.
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

/// Rows of each kind.
fn counts(snapshot: &Value) -> String {
    let counts = snapshot["counts"].as_object().into_iter().flatten();
    counts.map(|(kind, rows)| format!("{rows} {kind}")).collect::<Vec<_>>().join(", ")
}

/// Rows of all kinds.
fn rows(snapshot: &Value) -> u64 {
    let counts = snapshot["counts"].as_object().into_iter().flatten();
    counts.filter_map(|(_, rows)| rows.as_u64()).sum()
}
