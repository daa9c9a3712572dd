//! `bankfeed judge`: reports the behaviour of a key's client that would lose data in production.
//!
//! It is meant for the end of a test run. By default it assumes that the client has finished, so it
//! reports open cases at once. It exits with 1 if there are diagnostics. It exits with 3 if no
//! client with this key was observed, because a test with another key proves nothing.

use super::global::GlobalFlags;
use super::output::OutputError;
use super::server::{ServerError, text, with_server};
use super::{CommandError, output};
use clap::Args;
use model::counted::counted;
use serde_json::Value;

pub(super) const REPORT: &str = "/v1/test_helpers/consumer_report";

/// The flags of `bankfeed judge`.
#[derive(Args)]
pub struct JudgeFlags {
    /// Leave out open cases, because the client still runs
    #[arg(long)]
    running: bool,
    /// Forget the observations after printing them
    #[arg(long)]
    reset: bool,
}

pub(super) fn run(flags: &JudgeFlags, global: &GlobalFlags) -> Result<(), CommandError> {
    with_server(global, async |server| {
        let finished = if flags.running { "false" } else { "true" };
        let report = server.get(REPORT, &[("finished", finished)]).await?;
        server.show(&report, show)?;
        if flags.reset {
            server.post(&format!("{REPORT}/reset"), &[]).await?;
        }
        match report["findings"].as_array().map_or(0, Vec::len) {
            0 if !flags.running && report["verdict"] == "nothing_seen" => Err(ServerError::Unseen),
            0 => Ok(()),
            count => Err(ServerError::Ended {
                problem: match count {
                    1 => "the client has a fault".to_owned(),
                    _ => format!("the client has {count} faults"),
                },
                help: "Apply the fix of each finding, and run the tests again".to_owned(),
            }),
        }
    })
}

fn show(report: &Value) -> Result<(), OutputError> {
    let watched = |name: &str| text(&report["watched"], name);
    let (calls, attempts, accounts) = (watched("calls"), watched("attempts"), watched("accounts"));
    let findings = report["findings"].as_array().map(Vec::as_slice).unwrap_or_default();
    let found = match report["verdict"].as_str() {
        Some("nothing_seen") => "nothing was seen of a client with this key",
        Some("nothing_found") => "nothing found",
        _ => "found:",
    };
    let (calls, attempts) = (counted(calls, "call"), counted(attempts, "webhook"));
    let accounts = counted(accounts, "account");
    output::say(&format!("{calls}, {attempts}, {accounts} watched; {found}"))?;
    if let Some(refreshes) = refreshes(report) {
        output::say(&refreshes)?;
    }
    findings.iter().try_for_each(|finding| output::say(&shown(finding)))
}

/// Formats the number of refreshes that the client started, and the largest number of one account
/// and day. `None` if there were none.
fn refreshes(report: &Value) -> Option<String> {
    let counts = report["refreshes"].as_array()?;
    let of = |count: &Value| -> u64 {
        let features = ["balance", "ownership", "transactions"];
        features.iter().filter_map(|feature| count[feature].as_u64()).sum()
    };
    let total: u64 = counts.iter().map(of).sum();
    let most = counts.iter().max_by_key(|count| of(count))?;
    let (account, date) = (text(most, "account"), text(most, "date"));
    Some(format!(
        "refreshes started: {total}, the most for one account on one day {} ({account} on {date})",
        of(most)
    ))
}

/// Formats a diagnostic for people: its code, subject, evidence and fix.
fn shown(finding: &Value) -> String {
    let subject = match text(finding, "account") + &text(finding, "webhook_endpoint") {
        subject if subject.is_empty() => "what `stripe listen` forwards to".to_owned(),
        subject => subject,
    };
    let times = match finding["times"].as_u64() {
        Some(times) if times > 1 => format!(", {times} times"),
        _ => String::new(),
    };
    let mut lines = vec![
        String::new(),
        format!("{}  {subject}{times}", text(finding, "code")),
        format!("  {}", text(finding, "message")),
    ];
    for evidence in finding["evidence"].as_array().into_iter().flatten() {
        let named = ["request", "event"].map(|name| text(evidence, name)).join(" ");
        lines.push(format!("  - {}  {}", text(evidence, "what"), named.trim()));
    }
    lines.push(format!("  Fix: {}", text(finding, "fix")));
    lines.join("\n")
}
