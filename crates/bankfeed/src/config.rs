//! `bankfeed config`: prints the settings that hold for `serve`.

use crate::error::CommandError;
use clap::Args;
use cli::output;
use serde_json::json;
use server::check_settings;
use settings::{SettingsFlags, Source};

/// The form in which settings are shown.
#[derive(Args)]
pub(crate) struct ShowFlags {
    /// Print a JSON object for each setting
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    config: SettingsFlags,
}

pub(crate) fn run(flags: &ShowFlags) -> Result<(), CommandError> {
    let resolved = flags.config.resolve()?;
    // A table of settings that do not hold together would mislead.
    check_settings(&resolved.settings()?)?;
    if !flags.json {
        return Ok(output::say(resolved.table().trim_end())?);
    }
    let shown = |(name, value, from): (&str, &str, &Source)| {
        output::say_json_line(&json!({"name": name, "value": value, "from": from.to_string()}))
    };
    Ok(resolved.shown().try_for_each(shown)?)
}
