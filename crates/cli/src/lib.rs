//! The commands that use a running server.
//!
//! A command only makes calls of the API. The crate depends on neither the server nor the engine,
//! so a command cannot change an object in another way. Commands share [`server`], which has the
//! flags, calls, waits, and errors with their advice. All printing is in [`output`].
//!
//! After a crash or an interrupt, the changes of the calls already made remain.

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
    /// Print events as they happen, and forward them to a URL
    Listen(listen::ListenFlags),
    /// Report client behaviour that would lose data
    Judge(judge::JudgeFlags),
    /// Link bank accounts without a browser
    Link(Box<link::LinkFlags>),
    /// List bank accounts, or show one
    Accounts(account::AccountsFlags),
    /// List the transactions of a bank account
    Transactions(transactions::TransactionsFlags),
    /// Refresh a bank account
    Refresh(account::RefreshFlags),
    /// Advance a test clock
    Advance(advance::AdvanceFlags),
    /// List events, show one with its deliveries, or resend one
    Events(events::EventsFlags),
    /// Trigger an event
    Trigger(trigger::TriggerFlags),
    /// Export transactions as CSV, JSON lines, OFX or Parquet
    Export(export::ExportFlags),
    /// Save and restore the data of a sandbox
    #[command(subcommand)]
    Snapshot(snapshot::SnapshotCommand),
    /// Empty a sandbox, except for its snapshots
    Reset(snapshot::ResetFlags),
}

/// The error of a command.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// Events could not be received.
    #[error(transparent)]
    Listen(#[from] listen::ListenError),
    /// A call failed, or its response could not be processed.
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
    /// The advice for the person at the command line.
    pub fn help(&self) -> Option<String> {
        match self {
            Self::Server(error) => error.help(),
            _ => None,
        }
    }

    /// True if the reader of the output closed it early.
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

    /// True if the server has received no call of the client to check.
    pub fn is_unseen(&self) -> bool {
        matches!(self, Self::Server(ServerError::Unseen))
    }
}

/// Runs a command. The clock sets the time of a new test clock.
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
