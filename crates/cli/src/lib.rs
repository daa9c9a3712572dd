//! The commands that use a running server.
//!
//! A command does nothing but calls of the API. The crate depends on neither the server nor the
//! engine, so no command can change an object in another way. Commands share [`server`]: flags,
//! calls, waiting, and errors with the help against them. All printing is in [`output`].
//!
//! A crash or an interrupt leaves the changes of the calls that were made before it.

mod account;
mod advance;
mod client;
pub mod completions;
mod events;
mod export;
pub mod format;
mod judge;
mod link;
mod listen;
pub mod output;
pub mod process;
mod scenario;
mod server;
mod snapshot;
mod transactions;
mod trigger;

pub use client::{Client, ClientError, Received, outbound_within};
pub use scenario::{ScenarioExportFlags, export_scenario};

use clap::Subcommand;
use model::clock::Clock;
use output::OutputError;
use process::{EndSignals, runtime};
use server::ServerError;

/// A command that uses a running server.
#[derive(Subcommand)]
pub enum Command {
    /// Prints events as they happen and forwards them to a URL.
    Listen(listen::ListenFlags),
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
    /// Keeps all of a sandbox, and brings it back.
    #[command(subcommand)]
    Snapshot(snapshot::SnapshotCommand),
    /// Empties a sandbox; its snapshots stay.
    Reset(snapshot::ResetFlags),
}

/// The error of a command.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// Events could not be received.
    #[error(transparent)]
    Listen(#[from] listen::ListenError),
    /// A call failed, or the work on its response.
    #[error(transparent)]
    Server(#[from] ServerError),
    /// The result could not be printed.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// The process could not be prepared.
    #[error("could not prepare the process")]
    Process(#[source] std::io::Error),
}

impl CommandError {
    /// The advice against it, for the person at the command line.
    pub fn help(&self) -> Option<String> {
        match self {
            Self::Server(error) => error.help(),
            _ => None,
        }
    }

    /// True if the reader of the output has gone before its end.
    pub fn is_reader_gone(&self) -> bool {
        match self {
            Self::Output(lost) | Self::Server(ServerError::Output(lost)) => lost.is_reader_gone(),
            _ => false,
        }
    }

    /// True if the command line was wrong.
    pub fn is_usage(&self) -> bool {
        matches!(self, Self::Server(error) if error.is_usage())
    }

    /// True if the server has seen no call of the client that was to be checked.
    pub fn is_unseen(&self) -> bool {
        matches!(self, Self::Server(ServerError::Unseen))
    }
}

/// Runs a command. The clock gives the time of a new test clock.
pub fn run(command: &Command, clock: &dyn Clock) -> Result<(), CommandError> {
    match command {
        Command::Listen(flags) => listen::run(flags),
        Command::Judge(flags) => judge::run(flags),
        Command::Link(flags) => link::run(flags, clock.account_now()),
        Command::Accounts(flags) => account::run(flags),
        Command::Transactions(flags) => transactions::run(flags),
        Command::Refresh(flags) => account::run_refresh(flags),
        Command::Advance(flags) => advance::run(flags),
        Command::Events(flags) => events::run(flags),
        Command::Trigger(flags) => trigger::run(flags),
        Command::Export(flags) => export::run(flags),
        Command::Snapshot(command) => snapshot::run(command),
        Command::Reset(flags) => snapshot::run_reset(flags),
    }
}
