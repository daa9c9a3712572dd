//! `bankfeed config`: prints the effective settings of `serve`.

use crate::error::CommandError;
use clap::Args;
use cli::output;
use serde_json::json;
use server::check_settings;
use settings::{SettingsFlags, Shown, defaults_file};

/// The flags of `bankfeed config`.
#[derive(Args)]
pub(crate) struct ConfigFlags {
    /// Print a settings file with every setting and its default
    #[arg(long)]
    defaults: bool,
    #[command(flatten)]
    settings: SettingsFlags,
}

pub(crate) fn run(flags: &ConfigFlags, json: bool) -> Result<(), CommandError> {
    if flags.defaults {
        return Ok(output::say(defaults_file().trim_end())?);
    }
    let resolved = flags.settings.resolve()?;
    // A table of invalid settings would mislead, so they are checked first.
    check_settings(&resolved.settings()?)?;
    if !json {
        return Ok(output::say(resolved.table().trim_end())?);
    }
    for Shown { name, text, from, derived_from } in resolved.shown() {
        let mut line = json!({"name": name, "value": text, "from": from.to_string()});
        if let Some(other) = derived_from {
            line["derived_from"] = json!(other);
        }
        output::say_json_line(&line)?;
    }
    Ok(())
}
