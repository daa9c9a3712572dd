//! `bankfeed scenario export`: exports the history of an account of a running server as a scenario.

use crate::account::segment;
use crate::server::{ServerFlags, patiently, text, with_server};
use crate::{CommandError, output};
use clap::Args;

/// The account that is exported, and its server.
#[derive(Args)]
pub struct ScenarioExportFlags {
    /// The account
    #[arg(value_name = "ACCOUNT")]
    account: String,
    #[command(flatten)]
    server: ServerFlags,
}

/// Prints an account's history as a scenario that repeats it.
pub fn export_scenario(flags: &ScenarioExportFlags) -> Result<(), CommandError> {
    with_server(&flags.server, async |server| {
        let helpers = "/v1/test_helpers/financial_connections/accounts";
        let path = format!("{helpers}/{}/scenario", segment(&flags.account));
        let export = patiently("exporting", server.get(&path, &[])).await?;
        server.show(&export, |export| output::say(text(export, "scenario").trim_end()))
    })
}
