//! The error of a command, and its exit code.

use crate::key::KeyError;
use crate::scenario::ScenarioCommandError;
use cli::output::OutputError;
use connectors::sandbox::scenario::ready;
use model::nearest::suggestions;
use server::StartError;
use settings::SettingsError;

/// The error of a command.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CommandError {
    #[error(transparent)]
    Settings(#[from] SettingsError),
    #[error(transparent)]
    Start(#[from] StartError),
    #[error(transparent)]
    Api(#[from] cli::CommandError),
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error(transparent)]
    Scenario(#[from] ScenarioCommandError),
    #[error(transparent)]
    Output(#[from] OutputError),
    #[error("the demo failed")]
    Demo(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("{0}")]
    Doctor(String),
}

impl CommandError {
    /// The advice for the person at the command line.
    pub(crate) fn help(&self) -> Option<String> {
        let help = match self {
            Self::Api(error) => return error.help(),
            Self::Settings(error) | Self::Start(StartError::Settings(error)) => {
                return error.help().map(str::to_owned);
            }
            Self::Start(error) => return start_help(error),
            Self::Scenario(error) => return Some(error.help()),
            Self::Key(error) => error.help(),
            Self::Output(error) => error.help(),
            Self::Demo(_) => "Run it again, and report the output if it fails again",
            Self::Doctor(_) => "Follow the last column of the table",
        };
        Some(help.to_owned())
    }

    /// True if the reader of the output closed it early.
    pub(crate) fn is_reader_gone(&self) -> bool {
        match self {
            Self::Output(lost) => lost.is_reader_gone(),
            Self::Api(error) => error.is_reader_gone(),
            _ => false,
        }
    }

    /// True if the command line was wrong.
    pub(crate) fn is_usage(&self) -> bool {
        match self {
            Self::Settings(error) | Self::Start(StartError::Settings(error)) => {
                !matches!(error, SettingsError::Read { .. })
            }
            Self::Start(error) => matches!(error, StartError::AnyKeyInPublic(_)),
            Self::Api(error) => error.is_usage(),
            Self::Key(error) => error.is_usage(),
            Self::Scenario(error) => error.is_usage(),
            _ => false,
        }
    }

    /// True if the server has received no call of the client to check.
    pub(crate) fn is_unseen(&self) -> bool {
        matches!(self, Self::Api(error) if error.is_unseen())
    }
}

/// The advice for a server that did not start or failed. Some messages contain their advice.
fn start_help(error: &StartError) -> Option<String> {
    let help = match error {
        StartError::Listen { .. } => {
            "End the program that listens there, or name another address with --listen"
        }
        StartError::SealKeyFile { .. } => {
            "Check that its folder exists, or name another file with --seal-key-file"
        }
        StartError::SealKey(_) => "Put the original file back, or name it with --seal-key-file",
        StartError::Store(_) | StartError::Keys { .. } => {
            "Check the files with `bankfeed doctor` and the same settings"
        }
        StartError::ScenarioFile { path, .. } => {
            let names: Vec<&str> = ready::names().collect();
            let ready = suggestions(&path.to_string_lossy(), &names);
            return Some(format!("Name a file or a ready scenario. {ready}"));
        }
        StartError::Scenario { .. } => "Check the file with `bankfeed scenario check FILE`",
        StartError::ReadyFile { .. } => "Name another file with --ready-file",
        StartError::Record { .. } => "Name another file with --record",
        StartError::Randomness(_) | StartError::Outbound(_) | StartError::Serve(_) => {
            "Start the server again, and check the limits of the system with `ulimit -a`"
        }
        StartError::Settings(_) | StartError::AnyKeyInPublic(_) | StartError::LostSealKey(_) => {
            return None;
        }
    };
    Some(help.to_owned())
}
