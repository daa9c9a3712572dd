//! `bankfeed advance`: advances a test clock, and waits until all due work is done.
//!
//! The server makes a long advance in steps. This command also splits a duration that is longer than
//! the server accepts in one call. If the command is interrupted, the server still finishes its
//! current step.

use super::account::segment;
use super::global::GlobalFlags;
use super::output::{Facts, OutputError, Progress};
use super::server::{SEE_LOG, Server, ServerError, WAIT_LONGER, Wait, text, with_server};
use super::{CommandError, format};
use clap::Args;
use model::limits::{CLOCK_ADVANCE_S_MAX, COMMAND_ADVANCE_S_MAX, COMMAND_WAIT_S_MAX};
use serde_json::Value;

const CLOCKS: &str = "/v1/test_helpers/test_clocks";
const SETTLED: &str = "/v1/test_helpers/settled";
/// The maximum number of clocks that the error lists when no clock was chosen.
const CLOCKS_NAMED_MAX: usize = 10;
/// The problem of a key without a test clock.
pub(super) const NO_CLOCK: &str = "there is no test clock";
const ADVANCE_WAIT_S: u64 = 3_600;

/// The duration, and the clock.
#[derive(Args)]
pub struct AdvanceFlags {
    /// Duration: 3d, 12h, 90m, 45s, 2w, 1y, or several of them: 1d12h
    #[arg(value_name = "DURATION", value_parser = format::duration_s)]
    pub(super) duration_s: i64,
    /// Test clock; optional if there is only one
    #[arg(value_name = "CLOCK")]
    pub(super) clock: Option<String>,
    /// Also wait for the first attempt of every webhook
    #[arg(long)]
    pub(super) settled: bool,
    /// Maximum wait in seconds
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = ADVANCE_WAIT_S,
        value_parser = clap::value_parser!(u64).range(..=COMMAND_WAIT_S_MAX)
    )]
    pub(super) timeout: u64,
}

pub(super) fn run(flags: &AdvanceFlags, global: &GlobalFlags) -> Result<(), CommandError> {
    with_server(global, async |server| {
        let (clock, from) = advance_by(server, flags).await?;
        server.show(&clock, |clock| show(clock, from))
    })
}

/// Advances a clock by a duration. Returns the clock, and the time that it showed before.
pub(super) async fn advance_by(
    server: &Server,
    flags: &AdvanceFlags,
) -> Result<(Value, i64), ServerError> {
    if flags.duration_s > COMMAND_ADVANCE_S_MAX {
        return Err(ServerError::Usage {
            problem: "the duration is longer than ten years".to_owned(),
            help: "Advance in several commands".to_owned(),
        });
    }
    let mut clock = match &flags.clock {
        Some(id) => server.get(&path_of(id), &[]).await?,
        None => the_only_one(server).await?,
    };
    let id = text(&clock, "id");
    let from = clock["frozen_time"].as_i64().unwrap_or_default();
    let progress = Progress::new("advancing", steps(flags.duration_s));
    let mut passed = 0;
    while passed < flags.duration_s {
        passed = flags.duration_s.min(passed + CLOCK_ADVANCE_S_MAX);
        clock = advance(server, &id, from, passed, flags.timeout, &progress).await?;
    }
    drop(progress);
    if flags.settled {
        settle(server, &id, flags.timeout).await?;
    }
    Ok((clock, from))
}

/// Advances a clock until that many seconds have passed since it showed `from`.
async fn advance(
    server: &Server,
    id: &str,
    from: i64,
    passed_s: i64,
    timeout_s: u64,
    progress: &Progress,
) -> Result<Value, ServerError> {
    let until = from.saturating_add(passed_s).to_string();
    let form = [("frozen_time", until.as_str())];
    server.post(&format!("{}/advance", path_of(id)), &form).await?;
    let wait = Wait { subject: "the end of the advance", help: WAIT_LONGER, timeout_s };
    let ended = |clock: &Value| {
        let now = clock["frozen_time"].as_i64().unwrap_or(from);
        progress.at(steps(now.saturating_sub(from)));
        (clock["status"] != "advancing").then(|| clock.clone())
    };
    let clock = server.until(&path_of(id), &[], wait, ended).await?;
    if clock["status"] == "ready" {
        return Ok(clock);
    }
    Err(ServerError::Ended {
        problem: format!("the advance of {id} failed"),
        help: format!("Delete the clock with `bankfeed delete {CLOCKS}/{id}`, and create another"),
    })
}

/// Waits until all work of a clock is done, with the first attempt of every webhook.
async fn settle(server: &Server, id: &str, timeout_s: u64) -> Result<(), ServerError> {
    let wait = Wait { subject: "the first attempt of every webhook", help: SEE_LOG, timeout_s };
    let form = [("clock", id), ("timeout", "0")];
    wait.until(async || match server.get(SETTLED, &form).await {
        Ok(_) => Ok(Some(())),
        Err(ServerError::Rejected { status: 408, .. }) => Ok(None),
        Err(error) => Err(error),
    })
    .await
}

/// Seconds as steps of progress.
fn steps(seconds: i64) -> usize {
    usize::try_from(seconds).unwrap_or(0)
}

fn path_of(id: &str) -> String {
    format!("{CLOCKS}/{}", segment(id))
}

/// Returns the only clock, for a command line without a clock's id.
async fn the_only_one(server: &Server) -> Result<Value, ServerError> {
    let mut clocks = server.list(CLOCKS, &[], Some(CLOCKS_NAMED_MAX)).await?;
    match clocks.len() {
        0 => Err(ServerError::Usage {
            problem: NO_CLOCK.to_owned(),
            help: "Create one, with a customer and an account, with `bankfeed link --new-clock`"
                .to_owned(),
        }),
        1 => Ok(clocks.remove(0)),
        _ => {
            let named: Vec<String> = clocks
                .iter()
                .map(|clock| {
                    let at = format::moment(&clock["frozen_time"]);
                    format!("{}  {at}  {}", text(clock, "id"), text(clock, "name"))
                })
                .map(|line| line.trim_end().to_owned())
                .collect();
            Err(ServerError::Usage {
                problem: "there are several test clocks".to_owned(),
                help: format!("Name one of them:\n{}", named.join("\n")),
            })
        }
    }
}

fn show(clock: &Value, from: i64) -> Result<(), OutputError> {
    let mut facts = Facts::new();
    facts.add("clock", &text(clock, "id"));
    facts.add("name", &text(clock, "name"));
    facts.add("status", &text(clock, "status"));
    facts.add("from", &format::moment_of(from));
    facts.add("to", &format::moment(&clock["frozen_time"]));
    facts.print()
}
