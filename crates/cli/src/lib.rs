//! The commands that use a running server.
//!
//! A command only makes calls of the API. The crate depends on neither the server nor the engine,
//! so a command cannot change an object in another way. Commands share [`server`], which has calls,
//! waits, and errors with their advice, and the flags of [`global`]. All printing is in [`output`].
//!
//! After a crash or an interrupt, the changes of the calls already made remain.

mod account;
mod advance;
mod client;
pub mod completions;
mod events;
mod export;
pub mod format;
mod global;
mod health;
mod judge;
mod link;
mod listen;
mod mcp;
pub mod output;
pub mod process;
mod raw;
mod scenario;
mod server;
mod snapshot;
mod transactions;
mod trigger;

pub use client::{Client, ClientError, Received, outbound_within};
pub use export::exports_to_file;
pub use global::GlobalFlags;
pub use mcp::{McpFlags, ReadyScenario, run_mcp};
pub use scenario::{ScenarioExportFlags, export_scenario};

use clap::Subcommand;
use model::clock::Clock;
use output::OutputError;
use process::{EndSignals, runtime};
use server::ServerError;

/// A command that uses a running server.
#[derive(Subcommand)]
pub enum Command {
    /// Check if a server is ready
    #[command(after_help = "\
Examples:
  bankfeed health
  bankfeed health --api-base http://127.0.0.1:12112")]
    Health,
    /// Link bank accounts without a browser
    #[command(after_help = "\
Examples:
  bankfeed link --new-clock --subscribe
  bankfeed link --bank 'Ownership Accounts' --account 'Ownership Fails'
  bankfeed link --carrier pi_123
  bankfeed link --list")]
    Link(Box<link::LinkFlags>),
    /// List bank accounts, or show one
    #[command(after_help = "\
Examples:
  bankfeed accounts
  bankfeed accounts fca_123
  bankfeed accounts --customer cus_123 --json")]
    Accounts(account::AccountsFlags),
    /// List the transactions of a bank account
    #[command(after_help = "\
Examples:
  bankfeed transactions fca_123 --limit 20
  bankfeed transactions fca_123 --after fctxnref_123")]
    Transactions(transactions::TransactionsFlags),
    /// Refresh a bank account
    #[command(after_help = "\
Examples:
  bankfeed refresh fca_123 --wait
  bankfeed refresh fca_123 --feature balance,ownership --wait --timeout 10")]
    Refresh(account::RefreshFlags),
    /// Advance a test clock
    #[command(after_help = "\
Examples:
  bankfeed advance 3d
  bankfeed advance 1d12h clock_123")]
    Advance(advance::AdvanceFlags),
    /// Export transactions as CSV, JSON lines, OFX or Parquet
    #[command(after_help = "\
Examples:
  bankfeed export fca_123 > transactions.csv
  bankfeed export fca_123 --format ofx --output january.ofx")]
    Export(export::ExportFlags),
    /// Save and restore the data of a merchant
    #[command(
        subcommand,
        after_help = "\
Examples:
  bankfeed snapshot create seeded
  bankfeed snapshot restore seeded"
    )]
    Snapshot(snapshot::SnapshotCommand),
    /// Remove all data of a merchant except snapshots
    #[command(after_help = "\
Examples:
  bankfeed reset
  bankfeed reset --yes --api-key sk_test_mine")]
    Reset(snapshot::ResetFlags),
    /// Send a GET request to the API
    #[command(after_help = "\
Examples:
  bankfeed get /v1/customers
  bankfeed get customers -d limit=3 -d 'expand[]=data.test_clock'")]
    Get(raw::RawFlags),
    /// Send a POST request to the API
    #[command(after_help = "\
Examples:
  bankfeed post /v1/customers -d email=ada@example.com -d 'metadata[order]=7'
  bankfeed post customers/cus_123 -d name=Ada --idempotency-key order-7")]
    Post(raw::RawFlags),
    /// Send a DELETE request to the API
    #[command(after_help = "\
Examples:
  bankfeed delete /v1/customers/cus_123
  bankfeed delete customers/cus_123 --account acct_123")]
    Delete(raw::RawFlags),
    /// Trigger an event
    #[command(after_help = "\
Examples:
  bankfeed trigger payment_intent.succeeded
  bankfeed trigger financial_connections.account.deactivated --account fca_123
  bankfeed trigger --list")]
    Trigger(trigger::TriggerFlags),
    /// List events, show one with its deliveries, or resend one
    #[command(after_help = "\
Examples:
  bankfeed events --type 'financial_connections.account.*'
  bankfeed events --type 'v1.financial_connections.account.*'
  bankfeed events evt_123
  bankfeed events resend evt_123")]
    Events(events::EventsFlags),
    /// Print events as they happen, and forward them to a URL
    #[command(after_help = "\
Examples:
  bankfeed listen
  bankfeed listen --thin --events v1.customer.created
  bankfeed listen --forward-to http://127.0.0.1:4242/webhook --events customer.created")]
    Listen(listen::ListenFlags),
    /// Report client behaviour that would lose data
    #[command(after_help = "\
Examples:
  bankfeed judge --api-key sk_test_mine
  bankfeed judge --running --reset")]
    Judge(judge::JudgeFlags),
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
            Self::Output(error) => Some(error.help().to_owned()),
            Self::Listen(_) | Self::Process(_) => {
                Some("Check the limits of open files and processes with `ulimit -a`".to_owned())
            }
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
pub fn run(command: &Command, global: &GlobalFlags, clock: &dyn Clock) -> Result<(), CommandError> {
    match command {
        Command::Health => health::run(global),
        Command::Link(flags) => link::run(flags, global, clock.account_now()),
        Command::Accounts(flags) => account::run(flags, global),
        Command::Transactions(flags) => transactions::run(flags, global),
        Command::Refresh(flags) => account::run_refresh(flags, global),
        Command::Advance(flags) => advance::run(flags, global),
        Command::Export(flags) => export::run(flags, global),
        Command::Snapshot(command) => snapshot::run(command, global),
        Command::Reset(flags) => snapshot::run_reset(flags, global),
        Command::Get(flags) => raw::run("GET", flags, global),
        Command::Post(flags) => raw::run("POST", flags, global),
        Command::Delete(flags) => raw::run("DELETE", flags, global),
        Command::Trigger(flags) => trigger::run(flags, global),
        Command::Events(flags) => events::run(flags, global),
        Command::Listen(flags) => listen::run(flags, global),
        Command::Judge(flags) => judge::run(flags, global),
    }
}
