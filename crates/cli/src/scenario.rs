//! `bankfeed scenario export`: exports the history of an account of a running server as a scenario.

use crate::account::segment;
use crate::global::GlobalFlags;
use crate::server::{patiently, text, with_server};
use crate::{CommandError, output};
use clap::Args;

/// The account that is exported, and its server.
#[derive(Args)]
pub struct ScenarioExportFlags {
    /// Account
    #[arg(value_name = "ACCOUNT")]
    account: String,
}

/// Prints an account's history as a scenario that repeats it.
pub fn export_scenario(
    flags: &ScenarioExportFlags,
    global: &GlobalFlags,
) -> Result<(), CommandError> {
    with_server(global, async |server| {
        let helpers = "/v1/test_helpers/financial_connections/accounts";
        let path = format!("{helpers}/{}/scenario", segment(&flags.account));
        let export = patiently("exporting", server.get(&path, &[])).await?;
        server.show(&export, |export| output::say(text(export, "scenario").trim_end()))
    })
}
