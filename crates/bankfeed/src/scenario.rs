//! `bankfeed scenario`: lists and prints the ready ones, checks files, and makes files of what
//! happened on an account and of Plaid's custom users.

use crate::error::CommandError;
use clap::Subcommand;
use cli::{ScenarioExportFlags, export_scenario, output};
use connectors::sandbox::scenario::plaid::{self, PlaidError};
use connectors::sandbox::scenario::{Scenario, ScenarioError, ready};
use std::path::{Path, PathBuf};

/// What stands for standard input where a file can be named.
const STANDARD_INPUT: &str = "-";

#[derive(Subcommand)]
pub(crate) enum ScenarioCommand {
    /// Lists the scenarios that come with the server.
    List,
    /// Prints the file of a ready scenario, to begin one's own with.
    Show {
        /// Its name.
        name: String,
    },
    /// Reads a file and tells what is wrong with it, if anything is.
    Check {
        /// The file, of TOML or JSON; - is standard input.
        file: PathBuf,
    },
    /// Prints what happened on an account of a running server, as a scenario that repeats it.
    Export(Box<ScenarioExportFlags>),
    /// Prints a scenario made from the JSON of a custom user of Plaid's sandbox.
    ImportPlaid {
        /// The JSON file with `override_accounts`; - is standard input.
        file: PathBuf,
        /// What the scenario and its bank are called
        #[arg(long, default_value = "Imported Bank")]
        name: String,
    },
}

/// Why a command about scenarios did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ScenarioCommandError {
    /// There is no such ready scenario.
    #[error("no ready scenario is called '{0}'; bankfeed scenario list names them")]
    Unknown(String),
    /// The file cannot be read.
    #[error("could not read {}", .path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The file is no custom user.
    #[error("could not use {}", .path.display())]
    Plaid {
        /// Which file.
        path: PathBuf,
        /// Where it is wrong, and how.
        #[source]
        source: PlaidError,
    },
    /// The file is no scenario.
    #[error("could not use {}", .path.display())]
    Wrong {
        /// Which file.
        path: PathBuf,
        /// Where it is wrong, and how.
        #[source]
        source: ScenarioError,
    },
}

impl ScenarioCommandError {
    /// Whether the command was asked wrongly.
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
    // What is printed can be used: the bounds of a scenario are narrower than those of JSON.
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
