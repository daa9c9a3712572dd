//! `bankfeed config`: prints the effective settings of `serve`.

use crate::error::CommandError;
use clap::Args;
use cli::output;
use serde_json::json;
use server::check_settings;
use settings::{SettingsFlags, Source};

/// The format of the settings.
#[derive(Args)]
pub(crate) struct ShowFlags {
    /// Print one JSON object per setting
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    config: SettingsFlags,
}

pub(crate) fn run(flags: &ShowFlags) -> Result<(), CommandError> {
    let resolved = flags.config.resolve()?;
    // A table of invalid settings would mislead, so they are checked first.
    check_settings(&resolved.settings()?)?;
    if !flags.json {
        return Ok(output::say(resolved.table().trim_end())?);
    }
    let shown = |(name, value, from): (&str, &str, &Source)| {
        output::say_json_line(&json!({"name": name, "value": value, "from": from.to_string()}))
    };
    Ok(resolved.shown().try_for_each(shown)?)
}
