//! `bankfeed scenario`: lists and prints the ready scenarios, and checks files. It also exports an
//! account's history and imports Plaid's custom users as scenarios.

use crate::error::{CommandError, ScenarioCommandError};
use clap::Subcommand;
use cli::{GlobalFlags, ReadyScenario, ScenarioExportFlags, export_scenario, output};
use connectors::sandbox::scenario::plaid;
use connectors::sandbox::scenario::{BelowLimit, Scenario, ready};
use model::calendar::{date_of, day_of_second};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// The file name that means standard input.
const STANDARD_INPUT: &str = "-";

/// The subcommands of `bankfeed scenario`.
#[derive(Subcommand)]
pub(crate) enum ScenarioCommand {
    /// List the scenarios that come with the server
    #[command(after_help = "\
Examples:
  bankfeed scenario list")]
    List,
    /// Print the file of a ready scenario
    #[command(after_help = "\
Examples:
  bankfeed scenario show overdrawn > mine.toml")]
    Show {
        /// Name of the scenario
        name: String,
    },
    /// Check a scenario file
    #[command(after_help = "\
Examples:
  bankfeed scenario check mine.toml")]
    Check {
        /// TOML or JSON file; - is standard input
        file: PathBuf,
    },
    /// Print an account's history as a scenario that repeats it
    #[command(after_help = "\
Examples:
  bankfeed scenario export fca_123 > seen.toml")]
    Export(Box<ScenarioExportFlags>),
    /// Print a scenario from the JSON of a Plaid custom user
    #[command(after_help = "\
Examples:
  bankfeed scenario import-plaid user.json --name 'My Bank' > my-bank.toml")]
    ImportPlaid {
        /// JSON file with `override_accounts`; - is standard input
        file: PathBuf,
        /// Name of the scenario and its bank
        #[arg(long, default_value = "Imported Bank")]
        name: String,
    },
}

pub(crate) fn run(command: &ScenarioCommand, global: &GlobalFlags) -> Result<(), CommandError> {
    match command {
        ScenarioCommand::List => list(global.json),
        ScenarioCommand::Show { name } => {
            let text = ready::find(name);
            let text = text.ok_or_else(|| ScenarioCommandError::Unknown(name.clone()))?;
            print(text, global.json)
        }
        ScenarioCommand::Check { file } => check(file, global.json),
        ScenarioCommand::Export(flags) => Ok(export_scenario(flags, global)?),
        ScenarioCommand::ImportPlaid { file, name } => import_plaid(file, name, global.json),
    }
}

/// The scenarios that come with the server.
pub(crate) fn ready_scenarios() -> impl Iterator<Item = ReadyScenario> {
    ready::names().map(|name| {
        let read = ready::find(name).and_then(|text| Scenario::read(text).ok());
        let description = read.map(|read| read.description).unwrap_or_default();
        ReadyScenario { name, description }
    })
}

fn list(json: bool) -> Result<(), CommandError> {
    for ReadyScenario { name, description } in ready_scenarios() {
        if json {
            output::say_json_line(&json!({"name": name, "description": description}))?;
        } else {
            output::say(&format!("{name:<15} {description}"))?;
        }
    }
    Ok(())
}

/// Prints the file of a scenario. Its JSON form is that of an exported scenario.
fn print(text: &str, json: bool) -> Result<(), CommandError> {
    let text = text.trim_end();
    Ok(if json { output::say_json(&json!({"scenario": text})) } else { output::say(text) }?)
}

fn import_plaid(path: &Path, name: &str, json: bool) -> Result<(), CommandError> {
    let imported = plaid::import(&read(path)?, name)
        .map_err(|source| ScenarioCommandError::Plaid { path: path.to_owned(), source })?;
    // The text is read again, because the bounds of a scenario are narrower than those of JSON.
    Scenario::read(&imported.text)
        .map_err(|source| ScenarioCommandError::Wrong { path: path.to_owned(), source })?;
    for key in &imported.left_out {
        output::remark(&format!("left out: {key}"));
    }
    print(&imported.text, json)
}

fn read(path: &Path) -> Result<String, ScenarioCommandError> {
    let text = if path == STANDARD_INPUT {
        std::io::read_to_string(std::io::stdin())
    } else {
        std::fs::read_to_string(path)
    };
    text.map_err(|source| ScenarioCommandError::Read { path: path.to_owned(), source })
}

fn check(path: &Path, json: bool) -> Result<(), CommandError> {
    let scenario = Scenario::read(&read(path)?)
        .map_err(|source| ScenarioCommandError::Wrong { path: path.to_owned(), source })?;
    let outline = scenario.outline();
    let accounts: usize = outline.iter().map(|(_, _, accounts)| accounts.len()).sum();
    let warnings = scenario.accounts_below_limit();
    if json {
        let (name, banks) = (&scenario.name, outline.len());
        let warnings: Vec<Value> = warnings.iter().map(below_limit_json).collect();
        return Ok(output::say_json(&json!({
            "name": name, "accounts": accounts, "banks": banks, "warnings": warnings,
        }))?);
    }
    output::say(&format!(
        "{}: {} at {}",
        scenario.name,
        counted(accounts, "account"),
        counted(outline.len(), "bank")
    ))?;
    for below in &warnings {
        output::warn(&below_limit_text(below));
    }
    Ok(())
}

fn below_limit_text(below: &BelowLimit) -> String {
    let money = |amount| below.currency.decimal(amount);
    let (first, lowest) = (below.first, below.lowest);
    format!(
        "{} at {} closes below {} {} on {} of {}, for a link on {}. The first is day {} with {}, \
         the lowest is day {} with {}. Change the balance or the amounts, \
         begin repeated transactions later with from, or set overdraft.",
        below.account,
        below.institution,
        money(below.limit),
        below.currency.as_str(),
        below.days_below,
        counted(below.days, "day"),
        date_text(below),
        first.0,
        money(first.1),
        lowest.0,
        money(lowest.1),
    )
}

fn below_limit_json(below: &BelowLimit) -> Value {
    let money = |amount| below.currency.decimal(amount);
    let closing = |(day, balance): (i64, i64)| json!({"day": day, "balance": money(balance)});
    json!({
        "warning": "below_limit",
        "institution": below.institution,
        "account": below.account,
        "currency": below.currency.as_str(),
        "limit": money(below.limit),
        "linked_on": date_text(below),
        "days_below": below.days_below,
        "days": below.days,
        "first": closing(below.first),
        "lowest": closing(below.lowest),
    })
}

/// The date of the link.
fn date_text(below: &BelowLimit) -> String {
    let date = date_of(day_of_second(below.linked_at.0));
    format!("{}-{:02}-{:02}", date.year, date.month, date.day)
}

fn counted(number: usize, what: &str) -> String {
    let ending = if number == 1 { "" } else { "s" };
    format!("{number} {what}{ending}")
}
