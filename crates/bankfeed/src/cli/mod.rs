//! The command line: a server and its keys, what looks after them, and what uses a running server.
//!
//! Commands that use a server stand on [`server`]: flags, calls, waiting, faults with what helps
//! against them. All printing is in [`output`].
//!
//! Results go to standard output and logs to standard error. A command ends with 0 if it did what
//! it was asked, 1 if it could not, 2 if it was asked wrongly, and without a word as `cat` does if
//! whoever read its output has gone.

mod account;
mod advance;
mod client;
mod completions;
mod demo;
mod doctor;
mod events;
mod export;
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

use client::{Client, ClientError, Received};

use ::server::{StartError, check_settings};
use clap::{Args, Parser, Subcommand};
use output::OutputError;
use serde_json::json;
use server::ServerError;
use settings::{SettingsError, SettingsFlags, Source};
use std::process::ExitCode;

/// How a command ends that was asked wrongly.
const USAGE: u8 = 2;
/// How shells name the end of a program whose output nobody reads any more: 128 and the number of
/// The exit code of a command that can say nothing of a client, because nothing was seen of it.
const NOTHING_SEEN: u8 = 3;
/// SIGPIPE. Ending well instead would hide what the command had not told yet.
const READER_GONE: u8 = 141;

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
    Serve(SettingsFlags),
    /// Issues, lists and revokes API keys, also while the server runs.
    #[command(subcommand)]
    Key(key::KeyCommand),
    /// Runs the main job on a server of its own, and tells each step.
    Demo,
    /// Prints every setting that holds for `serve`, and where it comes from.
    Config(ShowFlags),
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
    Config(#[from] SettingsError),
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
    #[error(transparent)]
    Output(#[from] OutputError),
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

    /// Whether whoever reads the output has gone before its end.
    fn is_reader_gone(&self) -> bool {
        match self {
            Self::Output(lost) | Self::Server(ServerError::Output(lost)) => lost.is_reader_gone(),
            _ => false,
        }
    }

    /// Whether the command was asked wrongly.
    fn is_usage(&self) -> bool {
        match self {
            Self::Config(error) => !matches!(error, SettingsError::Read { .. }),
            Self::Start(StartError::AnyKeyInPublic(_) | StartError::Settings(_)) => true,
            Self::Server(error) => error.is_usage(),
            Self::Key(error) => error.is_usage(),
            Self::Scenario(error) => error.is_usage(),
            _ => false,
        }
    }
}

/// Runs the command that the arguments of the process ask for.
pub(crate) fn run() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(said) => return end_unparsed(&said),
    };
    end(match arguments.command {
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
        Command::Completions(flags) => completions::run(&flags),
    })
}

/// Ends with what arguments say that ask for no command: a help text, or why they cannot be read.
fn end_unparsed(said: &clap::Error) -> ExitCode {
    let printed = said.print();
    if said.use_stderr() {
        return ExitCode::from(USAGE);
    }
    end(printed.map_err(|error| OutputError::from(error).into()))
}

fn end(done: Result<(), CommandError>) -> ExitCode {
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.is_reader_gone() => ExitCode::from(READER_GONE),
        Err(error) => {
            output::complain(&error, error.help().as_deref());
            match error {
                CommandError::Server(ServerError::Unseen) => ExitCode::from(NOTHING_SEEN),
                error if error.is_usage() => ExitCode::from(USAGE),
                _ => ExitCode::FAILURE,
            }
        }
    }
}

/// How settings are shown.
#[derive(Args)]
struct ShowFlags {
    /// Print a JSON object for each setting
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    config: SettingsFlags,
}

fn show_config(flags: &ShowFlags) -> Result<(), CommandError> {
    let resolved = flags.config.resolve()?;
    // A table of settings that do not hold together would mislead.
    check_settings(&resolved.settings()?)?;
    if !flags.json {
        return Ok(output::say(resolved.table().trim_end())?);
    }
    let shown = |(name, value, from): (&str, &str, &Source)| {
        output::say_json_line(&json!({"name": name, "value": value, "from": from.to_string()}))
    };
    Ok(resolved.shown().try_for_each(shown)?)
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
