//! The command line: a server and its keys, what looks after them, and what uses a running server.
//!
//! Commands that use a server stand on [`server`]: flags, calls, waiting, faults with what helps
//! against them. All printing is in [`output`].
//!
//! Results go to standard output and logs to standard error. A command ends with 0 if it did what
//! it was asked, 1 if it could not, and 2 if it was asked wrongly.

mod account;
mod advance;
mod client;
mod completions;
mod demo;
mod doctor;
mod events;
mod export;
mod flags;
mod format;
mod judge;
mod key;
mod link;
mod listen;
mod output;
mod scenario;
mod serve;
mod server;
mod snapshot;
mod transactions;
mod trigger;

pub(crate) use client::USER_AGENT;
pub use client::{Client, ClientError, Received};

use crate::StartError;
use crate::config::ConfigError;
use clap::{Parser, Subcommand};
use flags::ConfigFlags;
use std::process::ExitCode;

#[derive(Parser)]
#[command(
    name = "bankfeed",
    version,
    about = "A self-hosted server that speaks Stripe's Financial Connections API"
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Runs the server.
    Serve(ConfigFlags),
    /// Issues, lists and revokes API keys, also while the server runs.
    #[command(subcommand)]
    Key(key::KeyCommand),
    /// Runs the main job on a server of its own, and tells each step.
    Demo,
    /// Prints every setting that holds for `serve`, and where it comes from.
    Config(ConfigFlags),
    /// Prints events as they happen and forwards them to a URL.
    Listen(listen::ListenFlags),
    /// Lists, prints and checks scenarios: test banks and what happens at them, as files.
    #[command(subcommand)]
    Scenario(scenario::ScenarioCommand),
    /// Names what a client does that would lose data in production.
    Judge(judge::JudgeFlags),
    /// Links bank accounts without a browser, and makes what that takes.
    Link(Box<link::LinkFlags>),
    /// Lists bank accounts, or shows one.
    Accounts(account::AccountsFlags),
    /// Lists the transactions of a bank account.
    Transactions(transactions::TransactionsFlags),
    /// Fetches a bank account anew.
    Refresh(account::RefreshFlags),
    /// Lets time pass on a test clock.
    Advance(advance::AdvanceFlags),
    /// Lists events, shows one with its deliveries, or sends one again.
    Events(events::EventsFlags),
    /// Makes an event happen, by the calls that lead to it.
    Trigger(trigger::TriggerFlags),
    /// Writes the transactions of a bank account to a file: CSV, JSON lines, OFX, Parquet.
    Export(export::ExportFlags),
    /// Looks at files, database, keys, port and limits, and says what to do about each.
    Doctor(doctor::DoctorFlags),
    /// Keeps all of a sandbox, and brings it back.
    #[command(subcommand)]
    Snapshot(snapshot::SnapshotCommand),
    /// Empties a sandbox; its snapshots stay.
    Reset(snapshot::ResetFlags),
    /// Prints what a shell needs to complete commands.
    Completions(completions::CompletionsFlags),
}

/// Why a command did not do what it was asked.
#[derive(Debug, thiserror::Error)]
enum CommandError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Start(#[from] StartError),
    #[error(transparent)]
    Listen(#[from] listen::ListenError),
    #[error(transparent)]
    Server(#[from] server::ServerError),
    #[error(transparent)]
    Key(#[from] key::KeyError),
    #[error(transparent)]
    Scenario(#[from] scenario::ScenarioCommandError),
    #[error("the demo did not end well")]
    Demo(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("{0}")]
    Doctor(String),
    #[error("could not prepare the process")]
    Process(#[source] std::io::Error),
}

impl CommandError {
    /// What the person at the command line can do about it.
    fn help(&self) -> Option<String> {
        match self {
            Self::Server(error) => error.help(),
            _ => None,
        }
    }

    fn exit_code(&self) -> ExitCode {
        match self {
            Self::Server(error) if error.is_usage() => ExitCode::from(2),
            Self::Server(server::ServerError::Unseen) => ExitCode::from(3),
            _ => ExitCode::FAILURE,
        }
    }
}

/// Runs the command that the arguments of the process ask for.
pub fn run() -> ExitCode {
    let arguments = Arguments::parse();
    let done = match arguments.command {
        Command::Serve(flags) => serve::run(&flags),
        Command::Key(command) => key::run(&command),
        Command::Demo => demo::run(),
        Command::Config(flags) => show_config(&flags),
        Command::Listen(flags) => listen::run(&flags),
        Command::Scenario(command) => scenario::run(&command),
        Command::Judge(flags) => judge::run(&flags),
        Command::Link(flags) => link::run(&flags),
        Command::Accounts(flags) => account::run(&flags),
        Command::Transactions(flags) => transactions::run(&flags),
        Command::Refresh(flags) => account::run_refresh(&flags),
        Command::Advance(flags) => advance::run(&flags),
        Command::Events(flags) => events::run(&flags),
        Command::Trigger(flags) => trigger::run(&flags),
        Command::Export(flags) => export::run(&flags),
        Command::Doctor(flags) => doctor::run(&flags),
        Command::Snapshot(command) => snapshot::run(&command),
        Command::Reset(flags) => snapshot::run_reset(&flags),
        Command::Completions(flags) => {
            completions::run(&flags);
            Ok(())
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output::complain(&error, error.help().as_deref());
            error.exit_code()
        }
    }
}

fn show_config(flags: &ConfigFlags) -> Result<(), CommandError> {
    let resolved = flags.resolve()?;
    // A table of settings that do not hold together would mislead.
    resolved.settings()?;
    output::say(resolved.table().trim_end());
    Ok(())
}

fn runtime() -> Result<tokio::runtime::Runtime, CommandError> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(CommandError::Process)
}

/// The signals that ask the process to end. From when this is made they no longer kill it.
struct EndSignals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

impl EndSignals {
    fn listen() -> Result<Self, CommandError> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            terminate: signal(SignalKind::terminate()).map_err(CommandError::Process)?,
            interrupt: signal(SignalKind::interrupt()).map_err(CommandError::Process)?,
        })
    }

    /// Waits until one comes.
    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Arguments;
    use clap::{CommandFactory, Parser};

    /// The arguments hold together, as clap checks it.
    #[test]
    fn arguments_hold_together() {
        Arguments::command().debug_assert();
        assert!(Arguments::try_parse_from(["bankfeed", "serve", "--memory"]).is_ok());
        assert!(Arguments::try_parse_from(["bankfeed", "serve", "--memory=false"]).is_ok());
        assert!(Arguments::try_parse_from(["bankfeed", "serve", "--nothing"]).is_err());
        assert!(Arguments::try_parse_from(["bankfeed", "key", "create", "--live"]).is_ok());
        assert!(Arguments::try_parse_from(["bankfeed", "key", "revoke"]).is_err());
    }
}
