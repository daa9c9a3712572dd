//! The `bankfeed` program: the server and its keys, the demo, and the commands that use a running
//! server.
//!
//! The commands of this crate prepare or look after a server. Those of the crate `cli` only call a
//! server's API.
//!
//! Results go to standard output and logs to standard error. The exit code is 0 on success, 1 on
//! failure and 2 if the command line was wrong. If the reader of the output has gone, the command
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

/// A request makes some fifty small allocations; the system's allocator takes a seventh of the time
/// of a read for them. Built without huge pages, which would cost an idle server ten megabytes.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// The exit code of a wrong command line.
const USAGE: u8 = 2;
/// The exit code of a command that can say nothing of a client, because nothing was seen of it.
const NOTHING_SEEN: u8 = 3;
/// The exit code by which shells name the end of a program without a reader: 128 and the number of
/// SIGPIPE. A success instead would hide that the command had more to print.
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
    Config(config::ShowFlags),
    /// Looks at files, database, keys, port and limits, and says what to do about each.
    Doctor(doctor::DoctorFlags),
    /// Lists, prints and checks scenarios: test banks and what happens at them, as files.
    #[command(subcommand)]
    Scenario(scenario::ScenarioCommand),
    #[command(flatten)]
    Api(cli::Command),
    /// Prints what a shell needs to complete commands.
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

/// Ends with the message of arguments that name no command: a help text, or a parse error.
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
