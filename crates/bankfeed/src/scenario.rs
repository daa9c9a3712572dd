//! `bankfeed scenario`: lists and prints the ready scenarios, and checks files. It also exports an
//! account's history and imports Plaid's custom users as scenarios.

use crate::error::CommandError;
use clap::Subcommand;
use cli::{ScenarioExportFlags, export_scenario, output};
use connectors::sandbox::scenario::plaid::{self, PlaidError};
use connectors::sandbox::scenario::{Scenario, ScenarioError, ready};
use std::path::{Path, PathBuf};

/// The file name that means standard input.
const STANDARD_INPUT: &str = "-";

#[derive(Subcommand)]
pub(crate) enum ScenarioCommand {
    /// List the scenarios that come with the server
    List,
    /// Print the file of a ready scenario
    Show {
        /// The name of the scenario
        name: String,
    },
    /// Check a scenario file
    Check {
        /// The TOML or JSON file; - is standard input
        file: PathBuf,
    },
    /// Print an account's history as a scenario that repeats it
    Export(Box<ScenarioExportFlags>),
    /// Print a scenario from the JSON of a Plaid custom user
    ImportPlaid {
        /// The JSON file with `override_accounts`; - is standard input
        file: PathBuf,
        /// The name of the scenario and its bank
        #[arg(long, default_value = "Imported Bank")]
        name: String,
    },
}

/// The error of a command about scenarios.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ScenarioCommandError {
    /// No ready scenario has this name.
    #[error("no ready scenario is called '{0}'; bankfeed scenario list names them")]
    Unknown(String),
    /// The file cannot be read.
    #[error("could not read {}", .path.display())]
    Read {
        /// The path of the file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// The file is not a custom user.
    #[error("could not use {}", .path.display())]
    Plaid {
        /// The path of the file.
        path: PathBuf,
        /// The position and the cause.
        #[source]
        source: PlaidError,
    },
    /// The file is not a scenario.
    #[error("could not use {}", .path.display())]
    Wrong {
        /// The path of the file.
        path: PathBuf,
        /// The position and the cause.
        #[source]
        source: ScenarioError,
    },
}

impl ScenarioCommandError {
    /// True if the command line was wrong.
    pub(crate) fn is_usage(&self) -> bool {
        matches!(self, Self::Unknown(_))
    }
}

pub(crate) fn run(command: &ScenarioCommand) -> Result<(), CommandError> {
    match command {
        ScenarioCommand::List => {
            for name in ready::names() {
                let read = ready::find(name).and_then(|text| Scenario::read(text).ok());
                let description = read.map(|read| read.description).unwrap_or_default();
                output::say(&format!("{name:<15} {description}"))?;
            }
        }
        ScenarioCommand::Show { name } => {
            let text = ready::find(name);
            let text = text.ok_or_else(|| ScenarioCommandError::Unknown(name.clone()))?;
            output::say(text.trim_end())?;
        }
        ScenarioCommand::Check { file } => check(file)?,
        ScenarioCommand::Export(flags) => export_scenario(flags)?,
        ScenarioCommand::ImportPlaid { file, name } => import_plaid(file, name)?,
    }
    Ok(())
}

fn import_plaid(path: &Path, name: &str) -> Result<(), CommandError> {
    let imported = plaid::import(&read(path)?, name)
        .map_err(|source| ScenarioCommandError::Plaid { path: path.to_owned(), source })?;
    // The text is read again, because the bounds of a scenario are narrower than those of JSON.
    Scenario::read(&imported.text)
        .map_err(|source| ScenarioCommandError::Wrong { path: path.to_owned(), source })?;
    for key in &imported.left_out {
        output::remark(&format!("left out: {key}"));
    }
    Ok(output::say(imported.text.trim_end())?)
}

fn read(path: &Path) -> Result<String, ScenarioCommandError> {
    let text = if path == STANDARD_INPUT {
        std::io::read_to_string(std::io::stdin())
    } else {
        std::fs::read_to_string(path)
    };
    text.map_err(|source| ScenarioCommandError::Read { path: path.to_owned(), source })
}

fn check(path: &Path) -> Result<(), CommandError> {
    let scenario = Scenario::read(&read(path)?)
        .map_err(|source| ScenarioCommandError::Wrong { path: path.to_owned(), source })?;
    let outline = scenario.outline();
    let accounts = outline.iter().map(|(_, _, accounts)| accounts.len()).sum();
    output::say(&format!(
        "{}: {} at {}",
        scenario.name,
        counted(accounts, "account"),
        counted(outline.len(), "bank")
    ))?;
    Ok(())
}

fn counted(number: usize, what: &str) -> String {
    let ending = if number == 1 { "" } else { "s" };
    format!("{number} {what}{ending}")
}
