//! `bankfeed judge`: what the client of a key does that would lose data in production.
//!
//! It is meant for the end of a test run: whoever asks says that the client has done all that it
//! will, so what it left open is named at once. It ends with 1 if anything was found.

use super::{Client, ClientError, CommandError, Received, output, runtime};
use clap::Args;
use serde_json::Value;

const REPORT: &str = "/v1/test_helpers/consumer_report";

/// What may be said on the command line.
#[derive(Args)]
pub(super) struct JudgeFlags {
    /// The client is still at work: name only what it has certainly left
    #[arg(long)]
    running: bool,
    /// Forget what was seen once it is printed, so that the next run begins anew
    #[arg(long)]
    reset: bool,
    /// Print the report as the API gives it
    #[arg(long)]
    json: bool,
    /// The API key whose client is meant
    #[arg(long, value_name = "KEY", default_value = "sk_test_123", env = "BANKFEED_API_KEY")]
    api_key: String,
    /// Where the server is
    #[arg(
        long,
        value_name = "URL",
        default_value = "http://127.0.0.1:12111",
        env = "BANKFEED_API_BASE"
    )]
    api_base: String,
}

/// Why a client cannot be judged, or was not found to be good.
#[derive(Debug, thiserror::Error)]
pub(super) enum JudgeError {
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error("the server refused the report: {0}")]
    Refused(String),
    #[error("{0} found; docs/judge.md says more of each")]
    Found(String),
}

pub(super) fn run(flags: &JudgeFlags) -> Result<(), CommandError> {
    let report = runtime()?.block_on(fetch(flags))?;
    let findings = report["findings"].as_array().map(Vec::as_slice).unwrap_or_default();
    if flags.json {
        output::say(&format!("{report:#}"));
    } else {
        output::say(summary(&report).trim_end());
        for finding in findings {
            output::say(shown(finding).trim_end());
        }
    }
    match findings.len() {
        0 => Ok(()),
        1 => Err(JudgeError::Found("1 fault was".to_owned()).into()),
        count => Err(JudgeError::Found(format!("{count} faults were")).into()),
    }
}

async fn fetch(flags: &JudgeFlags) -> Result<Value, JudgeError> {
    let client = Client::build(&flags.api_base, &flags.api_key)?;
    let finished = if flags.running { "false" } else { "true" };
    let report = accepted(client.call("GET", REPORT, &[("finished", finished)]).await?)?;
    if flags.reset {
        accepted(client.call("POST", &format!("{REPORT}/reset"), &[]).await?)?;
    }
    Ok(report)
}

fn accepted(received: Received) -> Result<Value, JudgeError> {
    if received.status == 200 {
        return Ok(received.body);
    }
    let message = &received.body["error"]["message"];
    Err(JudgeError::Refused(message.as_str().unwrap_or("without a reason").to_owned()))
}

/// What was watched, in a line.
fn summary(report: &Value) -> String {
    let watched = |name: &str| report["watched"][name].to_string();
    let (calls, attempts, accounts) = (watched("calls"), watched("attempts"), watched("accounts"));
    let found = match report["findings"].as_array().map_or(0, Vec::len) {
        0 => "nothing found",
        _ => "found",
    };
    format!("{calls} calls, {attempts} webhooks, {accounts} accounts: {found}")
}

/// A finding for people: what, of what, what shows it, what to do.
fn shown(finding: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let subject = finding["account"].as_str().or(finding["webhook_endpoint"].as_str());
    let times = match finding["times"].as_u64() {
        Some(times) if times > 1 => format!(", {times} times"),
        _ => String::new(),
    };
    let mut lines = vec![
        String::new(),
        format!("{}  {}{times}", text(&finding["code"]), subject.unwrap_or("-")),
        format!("  {}", text(&finding["message"])),
    ];
    for seen in finding["evidence"].as_array().into_iter().flatten() {
        let named = ["request", "event"].map(|name| seen[name].as_str().unwrap_or_default());
        lines.push(format!("  - {}  {}", text(&seen["what"]), named.join(" ").trim()));
    }
    lines.push(format!("  Fix: {}", text(&finding["fix"])));
    lines.join("\n")
}
