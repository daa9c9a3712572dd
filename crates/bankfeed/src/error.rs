//! The error of a command, and its exit code.

use crate::key::KeyError;
use crate::scenario::ScenarioCommandError;
use cli::output::OutputError;
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
    #[error("the demo did not end well")]
    Demo(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("{0}")]
    Doctor(String),
}

impl CommandError {
    /// The advice for the person at the command line.
    pub(crate) fn help(&self) -> Option<String> {
        match self {
            Self::Api(error) => error.help(),
            _ => None,
        }
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
