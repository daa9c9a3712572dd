//! The `bankfeed` program: the server and its keys, the demo, and the commands that use a running
//! server.
//!
//! The commands of this crate prepare or inspect a server. Those of the crate `cli` only call a
//! server's API.
//!
//! Results go to standard output and logs to standard error. The exit code is 0 on success, 1 on
//! failure and 2 if the command line was wrong. If the reader closes the output early, the command
//! ends silently, as `cat` does.

mod config;
mod demo;
mod doctor;
mod error;
mod key;
mod scenario;
mod serve;

use clap::{CommandFactory as _, Parser, Subcommand};
use cli::output::{self, OutputError};
use error::CommandError;
use mimalloc::MiMalloc;
use server::clock::SystemClock;
use settings::SettingsFlags;
use std::process::ExitCode;

/// A request makes about fifty small allocations, which take a seventh of a read's time with the
/// system's allocator. Huge pages are disabled at build time, because they would cost an idle
/// server ten megabytes.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// The exit code of a wrong command line.
const USAGE: u8 = 2;
/// The exit code of `judge` if no call of the client was observed.
const NOTHING_SEEN: u8 = 3;
/// The exit code that shells use when the reader of a program's output is gone: 128 plus the number
/// of SIGPIPE. A success would hide that the command had more to print.
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
    /// Run the server
    Serve(SettingsFlags),
    /// Issue, list and revoke API keys, also while the server runs
    #[command(subcommand)]
    Key(key::KeyCommand),
    /// Run the main job on a server of its own, step by step
    Demo,
    /// Print every setting of `serve`, with its source
    Config(config::ShowFlags),
    /// Check everything that `serve` needs
    Doctor(doctor::DoctorFlags),
    /// List, print, check, export and import scenarios
    #[command(subcommand)]
    Scenario(scenario::ScenarioCommand),
    #[command(flatten)]
    Api(cli::Command),
    /// Print the completion script for a shell
    Completions(cli::completions::CompletionsFlags),
}

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(message) => return end_unparsed(&message),
    };
    end(run(arguments.command))
}

fn run(command: Command) -> Result<(), CommandError> {
    match command {
        Command::Serve(flags) => serve::run(&flags),
        Command::Key(command) => key::run(&command),
        Command::Demo => demo::run(),
        Command::Config(flags) => config::run(&flags),
        Command::Doctor(flags) => doctor::run(&flags),
        Command::Scenario(command) => scenario::run(&command),
        Command::Api(command) => Ok(cli::run(&command, &SystemClock::default())?),
        Command::Completions(flags) => {
            Ok(cli::completions::run(&flags, &mut Arguments::command())?)
        }
    }
}

/// Ends with a help text or a parse error.
fn end_unparsed(message: &clap::Error) -> ExitCode {
    let printed = message.print();
    if message.use_stderr() {
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
                error if error.is_unseen() => ExitCode::from(NOTHING_SEEN),
                error if error.is_usage() => ExitCode::from(USAGE),
                _ => ExitCode::FAILURE,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Arguments;
    use clap::{CommandFactory, Parser};

    /// The definitions of the arguments pass clap's own checks.
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
