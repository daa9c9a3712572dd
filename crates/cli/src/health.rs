//! `bankfeed health`: the check of a container or a service manager whether a server takes calls.

use super::CommandError;
use super::global::GlobalFlags;
use super::output;
use super::server::with_server;
use serde_json::json;

/// Prints that the server is ready, or returns an error that says why it is not.
pub(super) fn run(global: &GlobalFlags) -> Result<(), CommandError> {
    with_server(global, async |server| {
        server.check_ready().await?;
        if server.json {
            output::say_json(&json!({"object": "bankfeed.health", "ready": true}))?;
        } else {
            output::say("ready")?;
        }
        Ok(())
    })
}
