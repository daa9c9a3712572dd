//! `bankfeed config`: prints the effective settings of `serve`.

use crate::error::CommandError;
use cli::output;
use serde_json::json;
use server::check_settings;
use settings::{SettingsFlags, Shown};

pub(crate) fn run(flags: &SettingsFlags, json: bool) -> Result<(), CommandError> {
    let resolved = flags.resolve()?;
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
