//! `bankfeed config`: prints the effective settings of `serve`.

use crate::error::CommandError;
use cli::output;
use serde_json::json;
use server::check_settings;
use settings::{SettingsFlags, Source};

pub(crate) fn run(flags: &SettingsFlags, json: bool) -> Result<(), CommandError> {
    let resolved = flags.resolve()?;
    // A table of invalid settings would mislead, so they are checked first.
    check_settings(&resolved.settings()?)?;
    if !json {
        return Ok(output::say(resolved.table().trim_end())?);
    }
    let shown = |(name, value, from): (&str, &str, &Source)| {
        output::say_json_line(&json!({"name": name, "value": value, "from": from.to_string()}))
    };
    Ok(resolved.shown().try_for_each(shown)?)
}
