//! `bankfeed mcp`: a server of the Model Context Protocol on standard input and output, for agents.
//!
//! Each tool makes calls of the API with one key, as the commands do. A tool reports an API error as its
//! result, so that the agent reads Stripe's message and corrects its next call. The process stores no
//! data. It ends when its input is closed, and after a crash the changes of the calls already made
//! remain.

mod accounts;
mod deliveries;
mod explanation;
mod lists;
mod protocol;
mod results;
mod scenarios;
mod tools;

use crate::global::GlobalFlags;
use crate::process::runtime;
use crate::server::{Server, ServerError};
use crate::{CommandError, output};
use clap::Args;
use model::clock::Clock;
use std::sync::Arc;
use tokio::task::LocalSet;

/// The beginnings of secret keys for test data.
const TEST_KEYS: [&str; 2] = ["sk_test_", "rk_test_"];
/// The beginnings of secret keys for live data.
const LIVE_KEYS: [&str; 2] = ["sk_live_", "rk_live_"];

/// The flags of `bankfeed mcp`.
#[derive(Args)]
pub struct McpFlags {
    /// Accept a key for live data
    #[arg(long)]
    live: bool,
}

/// A scenario that comes with the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadyScenario {
    /// The name.
    pub name: &'static str,
    /// The purpose, as its file gives it.
    pub description: String,
}

/// The bankfeed server behind the tools, and the facts that they need besides.
#[derive(Clone)]
struct Agent {
    server: Server,
    /// The address of the server.
    base: String,
    /// The clock that sets the time of a new test clock.
    clock: Arc<dyn Clock>,
    ready: Vec<ReadyScenario>,
}

/// Serves the tools until standard input is closed. The clock sets the time of a new test clock.
pub fn run_mcp(
    flags: &McpFlags,
    global: &GlobalFlags,
    clock: Arc<dyn Clock>,
    ready: Vec<ReadyScenario>,
) -> Result<(), CommandError> {
    check_key(&global.api_key, flags.live)?;
    // Standard output is for the protocol, so the commands behind the tools print as for programs.
    let global = GlobalFlags { json: true, ..global.clone() };
    let base = global.api_base.trim_end_matches('/').to_owned();
    let agent = Agent { server: Server::of(&global)?, base, clock, ready };
    let runtime = runtime()?;
    // The futures of commands stay on one thread, because their async closures cannot be sent.
    let ended = LocalSet::new().block_on(&runtime, async {
        // The server may start later than the agent, so a server that is missing now is a warning.
        let (ended, ()) = tokio::join!(protocol::serve(&agent), agent.warn_of_server());
        ended
    });
    Ok(ended?)
}

/// Rejects a key that is not a secret one, and a key for live data, unless the user permits it.
fn check_key(key: &str, is_live_allowed: bool) -> Result<(), ServerError> {
    let is_of = |beginnings: &[&str]| {
        beginnings.iter().any(|one| key.strip_prefix(one).is_some_and(|rest| !rest.is_empty()))
    };
    if is_of(&TEST_KEYS) || is_live_allowed && is_of(&LIVE_KEYS) {
        return Ok(());
    }
    if !is_of(&LIVE_KEYS) {
        return Err(ServerError::Usage {
            problem: "the key is not a secret key".to_owned(),
            help: "Name a key that begins with sk_test_ by --api-key or BANKFEED_API_KEY"
                .to_owned(),
        });
    }
    Err(ServerError::Usage {
        problem: "the key is for live data, and tools change data".to_owned(),
        help: "Name a key that begins with sk_test_, or add --live".to_owned(),
    })
}

impl Agent {
    /// The instructions, which an agent reads before it chooses a tool.
    fn instructions(&self) -> String {
        let base = &self.base;
        format!(
            "bankfeed is a local server that speaks Stripe's Financial Connections API. These tools \
             use the server at {base} with one API key, whose objects are separate from those of \
             other keys. Begin with link_account. Bank data appears after refresh_account, or daily \
             on a test clock by advance_clock. {base}/llms.txt lists the documentation."
        )
    }

    /// Warns on standard error if the server is missing or rejects the key.
    async fn warn_of_server(&self) {
        if let Err(error) = self.server.get("/v1/account", &[]).await {
            output::warn(&results::with_causes(&error));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Only the flag permits a key for live data.
    #[test]
    fn live_keys_need_the_flag() {
        assert!(check_key("sk_test_1", false).is_ok() && check_key("rk_test_1", false).is_ok());
        for key in ["sk_live_1", "rk_live_1"] {
            assert!(check_key(key, false).is_err(), "{key}");
            assert!(check_key(key, true).is_ok(), "{key}");
        }
    }

    /// Publishable keys, beginnings without a name and other texts are no secret keys.
    #[test]
    fn other_keys_are_rejected() {
        for key in ["", "x", "pk_test_1", "pk_live_1", "sk_test_", "sk_live_"] {
            assert!(check_key(key, true).is_err(), "{key}");
        }
    }
}
