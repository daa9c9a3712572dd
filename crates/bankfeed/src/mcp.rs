//! `bankfeed mcp`: serves the tools of the crate `cli` to an agent, with the ready scenarios.

use crate::error::CommandError;
use crate::scenario::ready_scenarios;
use cli::{GlobalFlags, McpFlags};
use server::clock::SystemClock;
use std::sync::Arc;

pub(crate) fn run(flags: &McpFlags, global: &GlobalFlags) -> Result<(), CommandError> {
    let clock = Arc::new(SystemClock::default());
    Ok(cli::run_mcp(flags, global, clock, ready_scenarios().collect())?)
}
