//! `bankfeed scenario`: lists and prints the ready ones, and checks files.

use super::{CommandError, output};
use clap::Subcommand;
use connectors::sandbox::scenario::{Scenario, ScenarioError, ready};
use std::path::{Path, PathBuf};

#[derive(Subcommand)]
pub(super) enum ScenarioCommand {
    /// Lists the scenarios that come with the server.
    List,
    /// Prints the file of a ready scenario, to begin one's own with.
    Show {
        /// Its name.
        name: String,
    },
    /// Reads a file and tells what is wrong with it, if anything is.
    Check {
        /// The file, of TOML or JSON.
        file: PathBuf,
    },
}

/// Why a command about scenarios did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub(super) enum ScenarioCommandError {
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

pub(super) fn run(command: &ScenarioCommand) -> Result<(), CommandError> {
    match command {
        ScenarioCommand::List => {
            for name in ready::names() {
                let read = ready::find(name).and_then(|text| Scenario::read(text).ok());
                let description = read.map(|read| read.description).unwrap_or_default();
                output::say(&format!("{name:<15} {description}"));
            }
        }
        ScenarioCommand::Show { name } => {
            let text = ready::find(name);
            let text = text.ok_or_else(|| ScenarioCommandError::Unknown(name.clone()))?;
            output::say(text.trim_end());
        }
        ScenarioCommand::Check { file } => check(file)?,
    }
    Ok(())
}

fn check(path: &Path) -> Result<(), ScenarioCommandError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| ScenarioCommandError::Read { path: path.to_owned(), source })?;
    let scenario = Scenario::read(&text)
        .map_err(|source| ScenarioCommandError::Wrong { path: path.to_owned(), source })?;
    let outline = scenario.outline();
    let accounts = outline.iter().map(|(_, _, accounts)| accounts.len()).sum();
    output::say(&format!(
        "{}: {} at {}",
        scenario.name,
        counted(accounts, "account"),
        counted(outline.len(), "bank")
    ));
    Ok(())
}

fn counted(number: usize, what: &str) -> String {
    let ending = if number == 1 { "" } else { "s" };
    format!("{number} {what}{ending}")
}
