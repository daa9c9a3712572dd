//! The errors of commands, and their exit codes.

use crate::backup::BackupError;
use crate::neighbour::{self, Neighbour};
use crate::run::RunError;
use cli::output::OutputError;
use connectors::sandbox::scenario::plaid::PlaidError;
use connectors::sandbox::scenario::{ScenarioError, ready};
use model::limits::KEY_NAME_CHARS_MAX;
use model::nearest::suggestions;
use server::StartError;
use settings::SettingsError;
use std::path::PathBuf;
use store::{KeyFileError, OpenError};

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
    #[error(transparent)]
    Run(#[from] RunError),
    #[error(transparent)]
    Backup(#[from] BackupError),
    /// The command that this program ran ended with this code.
    #[error("the command ended with {0}")]
    Ended(u8),
    /// A signal with this number ended the command before its end.
    #[error("interrupted by signal {0}")]
    Interrupted(i32),
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
            Self::Run(error) => error.help(),
            Self::Backup(error) => error.help(),
            Self::Ended(_) | Self::Interrupted(_) => return None,
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
            Self::Run(error) => error.is_usage(),
            Self::Backup(error) => error.is_usage(),
            _ => false,
        }
    }

    /// True if the server has received no call of the client to check.
    pub(crate) fn is_unseen(&self) -> bool {
        matches!(self, Self::Api(error) if error.is_unseen())
    }
}

/// The error of a key command.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeyError {
    #[error("a temporary database has no issued keys")]
    NoFile,
    #[error("could not use the keys in {}", .path.display())]
    File {
        path: PathBuf,
        #[source]
        source: KeyFileError,
    },
    #[error(transparent)]
    Unfinished(OpenError),
    #[error("could not get randomness from the operating system")]
    Randomness(#[source] getrandom::Error),
    #[error("no issued key belongs to the merchant '{0}'")]
    NoSuchMerchant(String),
    #[error("no active key has the id '{0}'")]
    NoSuchKey(String),
    #[error("{0} has two states in one command")]
    TwoStates(&'static str),
    #[error("the name of a key has at most {KEY_NAME_CHARS_MAX} characters, on one line")]
    Name,
}

impl KeyError {
    /// The advice for the person at the command line.
    pub(crate) fn help(&self) -> &'static str {
        match self {
            Self::NoFile => "Name a file with --api-keys-file",
            Self::File { .. } => "Check the file with `bankfeed doctor` and the same settings",
            Self::Unfinished(_) => "A key that is created before the restore ends would be lost",
            Self::Randomness(_) => "Try again, because the system had no randomness yet",
            Self::NoSuchMerchant(_) | Self::NoSuchKey(_) => {
                "`bankfeed key list` shows all keys with their merchants"
            }
            Self::TwoStates(_) => "Name each kind of data once",
            Self::Name => "Use a shorter name with --name",
        }
    }

    /// True if the command line was wrong.
    pub(crate) fn is_usage(&self) -> bool {
        matches!(
            self,
            Self::NoFile
                | Self::Name
                | Self::NoSuchMerchant(_)
                | Self::NoSuchKey(_)
                | Self::TwoStates(_)
        )
    }
}

/// The error of a command about scenarios.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ScenarioCommandError {
    /// No ready scenario has this name.
    #[error("no ready scenario has the name '{0}'")]
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
    /// The advice for the person at the command line.
    pub(crate) fn help(&self) -> String {
        match self {
            Self::Unknown(name) => suggestions(name, &ready::names().collect::<Vec<_>>()),
            Self::Read { .. } => "Name a readable file, or - for standard input".to_owned(),
            Self::Plaid { .. } => {
                "Pass the JSON of a custom user, with the key override_accounts".to_owned()
            }
            Self::Wrong { .. } => {
                "Compare it with a ready scenario, such as `bankfeed scenario show overdrawn`"
                    .to_owned()
            }
        }
    }

    /// True if the command line was wrong.
    pub(crate) fn is_usage(&self) -> bool {
        matches!(self, Self::Unknown(_))
    }
}

/// The advice for a server that did not start or failed. Some messages contain their advice.
fn start_help(error: &StartError) -> Option<String> {
    let help = match error {
        StartError::Listen { setting, address, source } => {
            return Some(listen_help(setting, address, source));
        }
        StartError::NoFolder(_) => "Create the folder, or name another file with --db",
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
        StartError::Tls(_) => "Name a certificate and its key with --tls-cert and --tls-key",
        StartError::ReadyFile { .. } => "Name another file with --ready-file",
        StartError::Record { .. } => "Name another file with --record",
        StartError::WriterEnded => {
            "Read the log, which names the cause. Put a removed file back, and start the server again"
        }
        StartError::Randomness(_) | StartError::Serve(_) => {
            "Start the server again, and check the limits of the system with `ulimit -a`"
        }
        StartError::Settings(_) | StartError::AnyKeyInPublic(_) | StartError::LostSealKey(_) => {
            return None;
        }
    };
    Some(help.to_owned())
}

/// The advice for an address that the server cannot listen on.
fn listen_help(setting: &str, address: &str, source: &std::io::Error) -> String {
    let free = format!("--{setting} 127.0.0.1:0 picks a free port");
    if source.kind() != std::io::ErrorKind::AddrInUse {
        return format!("Name an address of this machine with --{setting}. {free}");
    }
    match neighbour::at(address) {
        Neighbour::Bankfeed => {
            format!(
                "Another bankfeed listens there. Use it or stop it, or take another port: {free}"
            )
        }
        Neighbour::BankfeedWithTls => format!(
            "Another bankfeed listens there by https. Use it or stop it, or take another port: {free}"
        ),
        Neighbour::Other => {
            format!("End the program that listens there, or take another port: {free}")
        }
    }
}
